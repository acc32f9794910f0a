"""Plain results in, one HTML file out: the page that shows a fit being learnt and says why detail is missing."""

from report.build import build
from report.claims_page import ClaimRow, StudyFigure, StudyReport, build_study
from report.model import (
    Curves,
    FigureFile,
    Frame,
    Learnt,
    Overlay,
    Picture,
    Report,
    RunPart,
    Series,
    Spectra,
    ThroughTraining,
)

__all__ = [
    "ClaimRow",
    "Curves",
    "FigureFile",
    "Frame",
    "Learnt",
    "Overlay",
    "Picture",
    "Report",
    "RunPart",
    "Series",
    "Spectra",
    "StudyFigure",
    "StudyReport",
    "ThroughTraining",
    "build",
    "build_study",
]
