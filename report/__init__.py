"""Plain results in, one HTML file out: the page that shows a fit being learnt and says why detail is missing."""

from fieldlens.report.build import report_html
from fieldlens.report.claims_page import ClaimRow, StudyFigure, StudyReport, StudyTable, study_html
from fieldlens.report.model import (
    Curves,
    Exhibit,
    FigureFile,
    Frame,
    KeptNetwork,
    Learnt,
    Overlay,
    Report,
    RunPart,
    Series,
    Spectra,
    Square,
    ThroughTraining,
)
from fieldlens.report.words import PICTURE_WORDS, SIGNAL_WORDS, Words

__all__ = [
    "PICTURE_WORDS",
    "SIGNAL_WORDS",
    "ClaimRow",
    "Curves",
    "Exhibit",
    "FigureFile",
    "Frame",
    "KeptNetwork",
    "Learnt",
    "Overlay",
    "Report",
    "RunPart",
    "Series",
    "Spectra",
    "Square",
    "StudyFigure",
    "StudyReport",
    "StudyTable",
    "ThroughTraining",
    "Words",
    "report_html",
    "study_html",
]
