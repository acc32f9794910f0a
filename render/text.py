"""Small text on pictures, legible at 11 pixels, with the font that OpenCV 5 carries inside itself.

No font file, display or network is needed. Letters outside the font come out as question marks, never as an error: the
names of people's files end up in titles.
"""

import re
from bisect import bisect_right
from functools import cache
from typing import TypeAlias

import cv2
import numpy as np
from jaxtyping import UInt8

Rgb: TypeAlias = tuple[int, int, int]

BACKGROUND: Rgb = (22, 23, 26)
INK: Rgb = (232, 233, 236)
QUIET_INK: Rgb = (164, 168, 176)

LINE = 1.35
"""Height of a line of text, descenders included, over the font's size."""

_ELLIPSIS = "..."


def text_width(text: str, height: int) -> int:
    """Width in pixels of one line of `text` set `height` pixels high."""
    _, _, width, _ = cv2.getTextSize((0, 0), _printable(text), (0, 0), _font(), height)
    return width


def fit_text(text: str, height: int, max_width: int) -> str:
    """`text`, or as much of its beginning as fits into `max_width` pixels with an ellipsis."""
    if text_width(text, height) <= max_width:
        return text

    def width_of_first(count: int) -> int:
        return text_width(text[:count].rstrip() + _ELLIPSIS, height)

    fitting = bisect_right(range(len(text)), max_width, key=width_of_first)
    return text[: fitting - 1].rstrip() + _ELLIPSIS if fitting else ""


def draw_text(
    image: UInt8[np.ndarray, "h w 3"],
    text: str,
    xy: tuple[int, int],
    height: int,
    colour: Rgb = INK,
    *,
    max_width: int | None = None,
) -> None:
    """Write one line of `text` into `image` (changed in place), its top left corner at `xy`, `height` pixels high.

    Text longer than `max_width` (by default what is left of the image) is shortened with an ellipsis. A line takes
    `LINE * height` pixels, descenders included.
    """
    x, y = xy
    room = image.shape[1] - x if max_width is None else max_width
    shown = _printable(fit_text(text, height, room))
    if shown:
        cv2.putText(image, shown, (x, y + height), colour, _font(), height)


@cache
def _font() -> cv2.FontFace:
    # "uni" has figures of one width, so a running step count does not jitter. A build without it gives its sans face.
    return cv2.FontFace("uni")


def _printable(text: str) -> str:
    # A lone surrogate (a file name that is not UTF-8) cannot cross into OpenCV, and a line break would start a line.
    valid = text.encode("utf-8", "replace").decode("utf-8")
    return re.sub(r"[\x00-\x1f\x7f\x85\u2028\u2029]", " ", valid)
