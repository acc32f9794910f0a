"""Plain results in, one HTML file out: the page that shows a fit being learnt and says why detail is missing."""

from report.build import report_html
from report.claims_page import ClaimRow, StudyFigure, StudyReport, study_html
from report.model import (
    Curves,
    Exhibit,
    FigureFile,
    Frame,
    Learnt,
    Overlay,
    Report,
    RunPart,
    Series,
    Spectra,
    ThroughTraining,
)
from report.words import PICTURE_WORDS, SIGNAL_WORDS, Words

__all__ = [
    "PICTURE_WORDS",
    "SIGNAL_WORDS",
    "ClaimRow",
    "Curves",
    "Exhibit",
    "FigureFile",
    "Frame",
    "Learnt",
    "Overlay",
    "Report",
    "RunPart",
    "Series",
    "Spectra",
    "StudyFigure",
    "StudyReport",
    "ThroughTraining",
    "Words",
    "report_html",
    "study_html",
]
