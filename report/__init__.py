"""Plain results in, one HTML file out: the page that shows a fit being learnt and says why detail is missing."""

from report.build import build
from report.model import Curves, Frame, Overlay, Picture, Report, RunPart

__all__ = ["Curves", "Frame", "Overlay", "Picture", "Report", "RunPart", "build"]
