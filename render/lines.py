"""Thin lines drawn over a picture, in the colours of layers, and the strip below that explains them."""

import cv2
import numpy as np
from jaxtyping import Float, UInt8
from skimage.measure import find_contours

from .colour import layer_colour
from .text import BACKGROUND, INK, LINE, QUIET_INK, Rgb, draw_text, text_width

SUBPIXEL_BITS = 4
WHITE: Rgb = (255, 255, 255)

SMALLEST_FRAME = 7
"""Least pixels along a side of the frame that marks a region on the thumbnail, so that the smallest can be seen."""


def lines_over(
    image: UInt8[np.ndarray, "h w 3"], segments: Float[np.ndarray, "k 2 2"], opacity: float = 0.7, colour: Rgb = WHITE
) -> UInt8[np.ndarray, "h w 3"]:
    """The picture with smoothed lines a pixel wide between pairs of points, in pixels from its left top corner.

    Where lines lie on one another they are no more opaque than that.
    """
    covered = np.zeros(image.shape[:2], np.uint8)
    # OpenCV's whole numbers are pixel centres
    ends = np.round((segments - 0.5) * 2**SUBPIXEL_BITS).astype(np.int32)
    for first in range(0, len(ends), 65536):
        chunk = np.ascontiguousarray(ends[first : first + 65536])
        cv2.polylines(covered, list(chunk), False, 255, 1, cv2.LINE_AA, SUBPIXEL_BITS)  # type: ignore[arg-type]
    share = covered[..., None] * np.float32(opacity / 255)
    return np.round(image + (np.array(colour) - image.astype(np.float32)) * share).astype(np.uint8)


def zero_lines(values: Float[np.ndarray, "h w"]) -> Float[np.ndarray, "k 2 2"]:
    """Where a function changes its sign, as straight pieces in pixels from the left top corner; its values are at the
    pixels' centres, and the lines lie between them by marching squares (Lorensen & Cline 1987).

    >>> zero_lines(np.array([[-1.0, 3.0], [-1.0, 3.0]])).tolist()
    [[[0.75, 1.5], [0.75, 0.5]]]
    """
    if min(values.shape) < 2:
        return np.empty((0, 2, 2))
    found = [np.stack([line[:-1], line[1:]], 1)[..., ::-1] + 0.5 for line in find_contours(values, 0.0)]
    return np.concatenate([np.empty((0, 2, 2)), *found])


def below(image: UInt8[np.ndarray, "_ _ 3"], strip: UInt8[np.ndarray, "_ _ 3"]) -> UInt8[np.ndarray, "_ _ 3"]:
    """The picture with the strip below it, the narrower of the two at the left."""
    ground = np.full((len(image) + len(strip), max(image.shape[1], strip.shape[1]), 3), BACKGROUND, np.uint8)
    ground[: len(image), : image.shape[1]] = image
    ground[len(image) :, : strip.shape[1]] = strip
    return ground


def layer_strip(
    width: int,
    layers: int,
    thumbnail: UInt8[np.ndarray, "h w 3"] | None = None,
    region: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0),
) -> UInt8[np.ndarray, "strip_h width 3"]:
    """What stands below a drawing of creases: the colours of layers and, framed on a thumbnail, the region drawn.

    Args:
        region: left, top, width and height as shares of the thumbnail.
    """
    size = max(11, width // 64)
    words = [f"layer {layer + 1}" for layer in range(layers)]
    entry = max(text_width(word, size) for word in words) + 4 * size
    left = size if thumbnail is None else 2 * size + thumbnail.shape[1]
    columns = max(1, (width - left) // entry)
    line = round(LINE * size) + size // 4
    rows = -(-layers // columns) + (thumbnail is not None)
    height = max(rows * line, 0 if thumbnail is None else thumbnail.shape[0]) + 2 * size
    strip = np.full((height, width, 3), BACKGROUND, np.uint8)
    if thumbnail is not None:
        shown = _framed(thumbnail, region)
        strip[size : size + len(shown), size : size + shown.shape[1]] = shown
        draw_text(strip, "the frame is what is drawn above", (left, size), size, QUIET_INK)
    for number, word in enumerate(words):
        x, y = left + entry * (number % columns), size + line * (number // columns + (thumbnail is not None))
        strip[y + size // 2 : y + size // 2 + max(2, size // 4), x : x + 2 * size] = layer_colour(number)
        draw_text(strip, word, (x + round(2.5 * size), y), size, INK)
    return strip


def _framed(
    thumbnail: UInt8[np.ndarray, "h w 3"], region: tuple[float, float, float, float]
) -> UInt8[np.ndarray, "h w 3"]:
    """A white frame with a dark edge around the region."""
    height, width, _ = thumbnail.shape
    x0, y0, wide, high = (share * side for share, side in zip(region, (width, height) * 2, strict=True))
    x, y = x0 + wide / 2, y0 + high / 2
    half_w, half_h = max(wide, SMALLEST_FRAME) / 2, max(high, SMALLEST_FRAME) / 2
    first, last = (round(x - half_w), round(y - half_h)), (round(x + half_w), round(y + half_h))
    framed = thumbnail.copy()
    cv2.rectangle(framed, first, last, BACKGROUND, 3)
    cv2.rectangle(framed, first, last, WHITE, 1)
    return framed
