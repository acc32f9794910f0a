"""Signals on [0, 1] as curves: the target, what was learnt of it, what is left, and where the field has its creases.

All drawings share their size and margins, so that a place on the line is the same column in each of them, and every
scale is fixed, as those of `colour` are.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, Int, Real, UInt8

from .colour import ERROR_RANGE, amplitude_legend, amplitude_rgb, density_rgb, layer_colour
from .text import BACKGROUND, INK, QUIET_INK, Rgb, draw_text, text_width

SIZE = (320, 512)
"""Height and width of each drawing of a curve, in pixels."""

VALUE_RANGE = (-0.05, 1.05)
RESIDUAL_RANGE = (-ERROR_RANGE[1], ERROR_RANGE[1])

_GROUND: Rgb = (32, 34, 38)
_GRID: Rgb = (58, 61, 67)
_TARGET: Rgb = (112, 118, 130)
_RESIDUAL: Rgb = (235, 110, 75)
_TEXT = 12
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 12, 8, 22
_WIDTH = SIZE[1] - _RIGHT - _LEFT  # of the line
_RUGS = 52  # room for the ticks of all layers, kept where there are none so that curves can be laid over each other
_CLEAR_DOTS = 150  # more than these are drawn the paler, or they would hide the curve


def curve_rgb(
    target: Float[np.ndarray, " n"],
    reconstruction: Float[np.ndarray, " n"] | None = None,
    creases: Sequence[Float[np.ndarray, " _"]] = (),
) -> UInt8[np.ndarray, "h w 3"]:
    """A signal in grey and, over it, its reconstruction with its creases as dots, and below them again by layer.

    Args:
        target: samples at (i + 0.5) / n, in [0, 1].
        creases: for each layer the places in [0, 1] where its neurons switch.
    """
    plot = _Plot.empty(*VALUE_RANGE, labels=(0, 0.5, 1), below=_RUGS)
    plot.line(target, _TARGET, thickness=3 if reconstruction is not None else 2)
    if reconstruction is not None:
        dots = sum(map(len, creases))
        for layer, places in enumerate(creases):
            plot.dots(places, reconstruction, layer_colour(layer), strength=np.clip(_CLEAR_DOTS / max(dots, 1), 0.4, 1))
        plot.line(reconstruction, INK)
    for layer, places in enumerate(creases):
        plot.rug(places, layer, len(creases))
    return plot.image


def residual_rgb(
    target: Float[np.ndarray, " n"], reconstruction: Float[np.ndarray, " n"]
) -> UInt8[np.ndarray, "h w 3"]:
    """Reconstruction less target, on the fixed scale `RESIDUAL_RANGE` and clipped there."""
    plot = _Plot.empty(*RESIDUAL_RANGE, labels=(-0.2, -0.1, 0, 0.1, 0.2))
    plot.line(np.clip(reconstruction - target, *RESIDUAL_RANGE), _RESIDUAL)
    return plot.image


def amplitudes_rgb(
    steps: Sequence[int], frequencies: Sequence[int], share: Float[np.ndarray, "steps frequencies"]
) -> UInt8[np.ndarray, "h w 3"]:
    """How much of each frequency's amplitude there was at each recorded step (Rahaman et al. 2019, figure 1).

    One column for each recorded step, one row for each frequency, the lowest at the bottom.
    """
    image, legend = _ground(), 26
    top, bottom = _TOP, SIZE[0] - _BOTTOM - legend
    colours = amplitude_rgb(np.ascontiguousarray(share.T[::-1]))
    area = image[top:bottom, _LEFT : _LEFT + _WIDTH]
    area[:] = cv2.resize(colours, area.shape[1::-1], interpolation=cv2.INTER_NEAREST)
    _row_labels(image, [str(k) for k in reversed(frequencies)], top, bottom)
    _ends(image, f"step {steps[0]}", f"step {steps[-1]}", bottom + 2)
    image[-legend:-2, _LEFT : SIZE[1] - _RIGHT] = amplitude_legend(legend - 2, _WIDTH)
    return image


def crease_density_rgb(per_sample: Real[np.ndarray, "layers samples"]) -> UInt8[np.ndarray, "h w 3"]:
    """Creases per sample along the line, one strip for each layer, on the one logarithmic scale of crease density."""
    shrinks = per_sample.shape[1] > _WIDTH
    mean = cv2.resize(
        per_sample.astype(np.float32),
        (_WIDTH, len(per_sample)),
        interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_NEAREST,
    ).reshape(len(per_sample), _WIDTH)
    return strips_rgb(density_rgb(mean), [f"layer {layer + 1}" for layer in range(len(per_sample))])


def strips_rgb(colours: UInt8[np.ndarray, "strips samples 3"], labels: Sequence[str]) -> UInt8[np.ndarray, "h w 3"]:
    """Colours along the line, one strip below the other, each with its label."""
    image, top, bottom = _ground(), _TOP, SIZE[0] - _BOTTOM
    wide = cv2.resize(colours, (_WIDTH, len(colours)), interpolation=cv2.INTER_NEAREST)
    edges = np.linspace(top, bottom, len(colours) + 1).round().astype(int)
    for strip, first, last in zip(wide, edges[:-1], edges[1:], strict=True):
        image[first : last - 2, _LEFT : _LEFT + _WIDTH] = strip
    _row_labels(image, labels, top, bottom)
    _ends(image, "0", "1", bottom + 2)
    return image


@dataclass(frozen=True, eq=False)
class _Plot:
    """A drawing with values upwards and the line [0, 1] across."""

    image: UInt8[np.ndarray, "h w 3"]
    low: float
    high: float
    bottom: int
    """First row below the area that values take."""

    @staticmethod
    def empty(low: float, high: float, labels: Sequence[float], below: int = 0) -> "_Plot":
        """With lines at some values, and room for `below` rows under the area."""
        plot = _Plot(_ground(), low, high, SIZE[0] - _BOTTOM - below)
        plot.image[_TOP : SIZE[0] - _BOTTOM, _LEFT : SIZE[1] - _RIGHT] = _GROUND
        for value in labels:
            y = round(float(plot.rows(np.array([value], np.float64))[0]))
            plot.image[y, _LEFT : SIZE[1] - _RIGHT] = _GRID
            label = f"{value:g}"
            draw_text(plot.image, label, (_LEFT - 6 - text_width(label, _TEXT), y - _TEXT // 2 - 3), _TEXT, QUIET_INK)
        _ends(plot.image, "0", "1", SIZE[0] - _BOTTOM + 2)
        return plot

    def rows(self, values: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """Where values are, as rows; those far outside, and what is no number, just outside."""
        share = np.clip(np.nan_to_num((values - self.low) / (self.high - self.low), nan=-1), -1, 2)
        return self.bottom - share * (self.bottom - _TOP)

    def line(self, samples: Float[np.ndarray, " n"], colour: Rgb, thickness: int = 1) -> None:
        """A curve through samples at (i + 0.5) / n."""
        points = _subpixels(_columns((np.arange(len(samples)) + 0.5) / len(samples)), self.rows(samples))
        area = self.image[: self.bottom]  # what leaves the area is not drawn over what stands below it
        cv2.polylines(area, [points], False, colour, thickness, cv2.LINE_AA, _SHIFT)

    def dots(
        self, places: Float[np.ndarray, " m"], samples: Float[np.ndarray, " n"], colour: Rgb, strength: float
    ) -> None:
        """Dots on the curve through the samples."""
        at = (np.arange(len(samples)) + 0.5) / len(samples)
        points = _subpixels(_columns(places), self.rows(np.interp(places, at, samples)))
        mask = np.zeros((self.bottom, SIZE[1]), np.uint8)
        for x, y in points.tolist():
            cv2.circle(mask, (x, y), 9 << (_SHIFT - 2), 255, -1, cv2.LINE_AA, _SHIFT)
        _blend(self.image[: self.bottom], mask * (strength / 255), colour)

    def rug(self, places: Float[np.ndarray, " m"], layer: int, layers: int) -> None:
        """A row of ticks under the area, brighter where several fall into a column."""
        high = min(13, _RUGS // layers)
        first = self.bottom + high * layer
        column = _columns(places) - 0.5  # between the middles of two columns: a tick is shared by both
        left = np.floor(column)
        shares = np.zeros(SIZE[1] + 1)  # bincount of nothing gives whole numbers
        shares += np.bincount(left.astype(int), 1 - (column - left), SIZE[1] + 1)
        shares += np.bincount(left.astype(int) + 1, column - left, SIZE[1] + 1)
        strength = np.broadcast_to(np.minimum(shares[: SIZE[1]], 1), (max(1, high - 2), SIZE[1]))
        _blend(self.image[first + 1 : first + 1 + len(strength)], strength, layer_colour(layer))
        if high > _TEXT:
            label, size = f"layer {layer + 1}", high - 2
            draw_text(self.image, label, (_LEFT - 4 - text_width(label, size), first - 2), size, layer_colour(layer))


_SHIFT = 4  # OpenCV takes places in sixteenths of a pixel


def _subpixels(x: Float[np.ndarray, " n"], y: Float[np.ndarray, " n"]) -> Int[np.ndarray, "n 2"]:
    """Places with pixels' corners at whole numbers, as OpenCV counts them: from the middle of the first pixel."""
    return np.rint((np.stack([x, y], -1) - 0.5) * 2**_SHIFT).astype(np.int32)


def _columns(places: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Where places in [0, 1] are across."""
    return _LEFT + places * _WIDTH


def _blend(image: UInt8[np.ndarray, "h w 3"], strength: Float[np.ndarray, "h w"], colour: Rgb) -> None:
    image[:] = np.rint(image + (np.array(colour) - image.astype(np.float32)) * strength[..., None]).astype(np.uint8)


def _ground() -> UInt8[np.ndarray, "h w 3"]:
    return np.full((*SIZE, 3), BACKGROUND, np.uint8)


def _row_labels(image: UInt8[np.ndarray, "h w 3"], labels: Sequence[str], top: int, bottom: int) -> None:
    """A label beside each of equally high rows, or beside every few of them where they are low."""
    height = (bottom - top) / len(labels)
    every = int(np.ceil((_TEXT + 2) / height))
    size = min(_TEXT, min((_TEXT * (_LEFT - 6) // max(text_width(label, _TEXT), 1) for label in labels), default=_TEXT))
    for row in range(len(labels) - 1, -1, -every):
        y = round(top + (row + 0.5) * height) - size // 2 - 3
        draw_text(image, labels[row], (_LEFT - 6 - text_width(labels[row], size), y), size, QUIET_INK)


def _ends(image: UInt8[np.ndarray, "h w 3"], first: str, last: str, y: int) -> None:
    """Labels under the two ends of the line."""
    draw_text(image, first, (_LEFT, y), _TEXT, QUIET_INK)
    draw_text(image, last, (SIZE[1] - _RIGHT - text_width(last, _TEXT), y), _TEXT, QUIET_INK)
