"""Plain results in, one HTML file out: the page that shows a fit being learnt and says why detail is missing."""

from fieldlens.report.build import curves_data, frame_data, live_html, report_html
from fieldlens.report.claims_page import ClaimRow, StudyFigure, StudyReport, StudyTable, study_html
from fieldlens.report.images import Encoded, encoded_frame, encoded_map
from fieldlens.report.model import (
    Around,
    Chapter,
    Curves,
    Exhibit,
    FigureFile,
    Film,
    Frame,
    KeptNetwork,
    Learnt,
    Overlay,
    Report,
    RunPart,
    Series,
    Spectra,
    Surface,
    ThroughTraining,
)
from fieldlens.report.words import PICTURE_WORDS, SIGNAL_WORDS, Words

__all__ = [
    "PICTURE_WORDS",
    "SIGNAL_WORDS",
    "Around",
    "Chapter",
    "ClaimRow",
    "Curves",
    "Encoded",
    "Exhibit",
    "FigureFile",
    "Film",
    "Frame",
    "KeptNetwork",
    "Learnt",
    "Overlay",
    "Report",
    "RunPart",
    "Series",
    "Spectra",
    "StudyFigure",
    "StudyReport",
    "StudyTable",
    "Surface",
    "ThroughTraining",
    "Words",
    "curves_data",
    "encoded_frame",
    "encoded_map",
    "frame_data",
    "live_html",
    "report_html",
    "study_html",
]
