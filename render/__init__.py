"""How a field is looked at: grids of pixels, colour maps, text, panels and video.

Everything here takes functions and arrays, never a network: an analytic picture and a trained field are drawn by the
same code.
"""

from .colour import (
    CONFUSION_RANGE,
    DENSITY_RANGE,
    ERROR_RANGE,
    LENGTH_RANGE,
    MISSING_RANGE,
    confusion_legend,
    confusion_rgb,
    density_legend,
    density_rgb,
    error_legend,
    error_rgb,
    length_legend,
    length_rgb,
    missing_legend,
    missing_rgb,
    remaining_legend,
    scalar_rgb,
    to_rgb,
)
from .grid import Extent, draw, picture_extent, pixel_centres
from .panel import Tile, panel
from .text import draw_text, fit_text, text_width
from .video import VideoWriter, check_encoder, read_frames

__all__ = [
    "CONFUSION_RANGE",
    "DENSITY_RANGE",
    "ERROR_RANGE",
    "LENGTH_RANGE",
    "MISSING_RANGE",
    "Extent",
    "Tile",
    "VideoWriter",
    "check_encoder",
    "confusion_legend",
    "confusion_rgb",
    "density_legend",
    "density_rgb",
    "draw",
    "draw_text",
    "error_legend",
    "error_rgb",
    "fit_text",
    "length_legend",
    "length_rgb",
    "missing_legend",
    "missing_rgb",
    "panel",
    "picture_extent",
    "pixel_centres",
    "read_frames",
    "remaining_legend",
    "scalar_rgb",
    "text_width",
    "to_rgb",
]
