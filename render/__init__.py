"""How a field is looked at: grids of pixels, colour maps, text, panels and video.

Everything here takes functions and arrays, never a network: an analytic picture and a trained field are drawn by the
same code.
"""

from .colour import (
    AMPLITUDE_RANGE,
    CONFUSION_RANGE,
    DENSITY_RANGE,
    ERROR_RANGE,
    LENGTH_RANGE,
    MISSING_RANGE,
    amplitude_legend,
    amplitude_rgb,
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
from .curve import amplitudes_rgb, crease_density_rgb, curve_rgb, residual_rgb, strips_rgb
from .grid import Extent, draw, picture_extent, pixel_points
from .panel import Tile, panel
from .text import draw_text, fit_text, text_width
from .video import VideoWriter, check_encoder, read_frames

__all__ = [
    "AMPLITUDE_RANGE",
    "CONFUSION_RANGE",
    "DENSITY_RANGE",
    "ERROR_RANGE",
    "LENGTH_RANGE",
    "MISSING_RANGE",
    "Extent",
    "Tile",
    "VideoWriter",
    "amplitude_legend",
    "amplitude_rgb",
    "amplitudes_rgb",
    "check_encoder",
    "confusion_legend",
    "confusion_rgb",
    "crease_density_rgb",
    "curve_rgb",
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
    "pixel_points",
    "read_frames",
    "remaining_legend",
    "residual_rgb",
    "scalar_rgb",
    "strips_rgb",
    "text_width",
    "to_rgb",
]
