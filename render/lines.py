"""Thin lines drawn over a picture, in the colours of layers, and the strip below that explains them."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, UInt8
from skimage.measure import find_contours

from .colour import layer_colour
from .files import png_bytes
from .text import BACKGROUND, INK, LINE, QUIET_INK, Rgb, draw_text, text_width

SUBPIXEL_BITS = 4
WHITE: Rgb = (255, 255, 255)

_FRAME = "the frame is what is drawn above"

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


@dataclass(frozen=True, eq=False)
class LayerStrip:
    """What stands below a drawing of creases: the colours of layers and, framed on a thumbnail, the region drawn."""

    width: int
    layers: int
    thumbnail: UInt8[np.ndarray, "h w 3"] | None = None
    region: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)
    """Left, top, width and height as shares of the thumbnail."""

    @property
    def height(self) -> int:
        """In pixels, as all lengths here are."""
        rows = -(-self.layers // self._columns) + (self.thumbnail is not None)
        return max(rows * self._line, 0 if self.thumbnail is None else len(self.thumbnail)) + 2 * self._size

    def image(self) -> UInt8[np.ndarray, "strip_h width 3"]:
        """The strip as pixels."""
        size, strip = self._size, np.full((self.height, self.width, 3), BACKGROUND, np.uint8)
        if self.thumbnail is not None:
            shown = _framed(self.thumbnail, self.region)
            strip[size : size + len(shown), size : size + shown.shape[1]] = shown
            draw_text(strip, _FRAME, (self._left, size), size, QUIET_INK)
        for layer, word, x, y in self._entries():
            strip[y + size // 2 : y + size // 2 + max(2, size // 4), x : x + 2 * size] = layer_colour(layer)
            draw_text(strip, word, (x + round(2.5 * size), y), size, INK)
        return strip

    def svg(self, top: int) -> str:
        """The strip as elements of an SVG, `top` below its upper edge: words are text, as one can find and copy."""
        size = self._size
        parts = [f'<rect y="{top}" width="{self.width}" height="{self.height}" fill="{hex_of(BACKGROUND)}"/>']
        font = f'font-family="sans-serif" font-size="{size}"'
        if self.thumbnail is not None:
            shown = _framed(self.thumbnail, self.region)
            parts.append(image_svg(shown, size, top + size))
            at = f'x="{self._left}" y="{top + 2 * size}"'
            parts.append(f'<text {at} fill="{hex_of(QUIET_INK)}" {font}>{_FRAME}</text>')
        for layer, word, x, y in self._entries():
            high = max(2, size // 4)
            parts.append(
                f'<rect x="{x}" y="{top + y + size // 2}" width="{2 * size}" height="{high}" '
                f'fill="{hex_of(layer_colour(layer))}"/>'
            )
            at = f'x="{x + round(2.5 * size)}" y="{top + y + size}"'
            parts.append(f'<text {at} fill="{hex_of(INK)}" {font}>{word}</text>')
        return "\n".join(parts)

    @property
    def _size(self) -> int:
        return max(11, self.width // 64)

    @property
    def _line(self) -> int:
        return round(LINE * self._size) + self._size // 4

    @property
    def _left(self) -> int:
        """Where words begin: beside the thumbnail."""
        return self._size if self.thumbnail is None else 2 * self._size + self.thumbnail.shape[1]

    @property
    def _entry(self) -> int:
        return max(text_width(f"layer {layer + 1}", self._size) for layer in range(self.layers)) + 4 * self._size

    @property
    def _columns(self) -> int:
        return max(1, (self.width - self._left) // self._entry)

    def _entries(self) -> Iterator[tuple[int, str, int, int]]:
        """Each layer, its words, and where they stand."""
        for layer in range(self.layers):
            row = layer // self._columns + (self.thumbnail is not None)
            across = self._left + self._entry * (layer % self._columns)
            yield layer, f"layer {layer + 1}", across, self._size + self._line * row


def hex_of(colour: Rgb) -> str:
    """A colour as SVG has it.

    >>> hex_of((255, 0, 16))
    '#ff0010'
    """
    return "#{:02x}{:02x}{:02x}".format(*colour)


def image_svg(image: UInt8[np.ndarray, "h w 3"], x: int = 0, y: int = 0) -> str:
    """Pixels as an element of an SVG."""
    height, width, _ = image.shape
    data = base64.b64encode(png_bytes(image)).decode()
    return f'<image x="{x}" y="{y}" width="{width}" height="{height}" href="data:image/png;base64,{data}"/>'


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
