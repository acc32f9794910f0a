"""Plain results in, one HTML file out: the page that shows a fit being learnt and says why detail is missing."""

from report.build import build
from report.model import Curves, Frame, Overlay, Picture, Report, RunPart
from report.study import ClaimRow, StudyFigure, StudyReport, build_study

__all__ = [
    "ClaimRow",
    "Curves",
    "Frame",
    "Overlay",
    "Picture",
    "Report",
    "RunPart",
    "StudyFigure",
    "StudyReport",
    "build",
    "build_study",
]
