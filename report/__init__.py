"""Plain results in, one HTML file out: the page that shows a fit being learnt and says why detail is missing."""

from report.build import build
from report.model import Curves, Frame, Learnt, Overlay, Picture, Report, RunPart, Spectra
from report.study import ClaimRow, StudyFigure, StudyReport, build_study

__all__ = [
    "ClaimRow",
    "Curves",
    "Frame",
    "Learnt",
    "Overlay",
    "Picture",
    "Report",
    "RunPart",
    "Spectra",
    "StudyFigure",
    "StudyReport",
    "build",
    "build_study",
]
