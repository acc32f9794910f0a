"""Lenses that bend straight lines, and how photographs taken with them become those of a pinhole camera.

The model is that of Brown (1966) as OpenCV and nerfstudio have it: a direction that a pinhole would see at (x, y), at
depth 1 and with y downwards, is seen at

    (x, y) (1 + k1 r^2 + k2 r^4 + k3 r^6 + k4 r^8) + (2 p1 x y + p2 (r^2 + 2 x^2), p1 (r^2 + 2 y^2) + 2 p2 x y)

with r^2 = x^2 + y^2. The k4 is nerfstudio's; OpenCV calls another number so, a coefficient of a denominator.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Float64, Shaped

from ..pictures.pixels import Pixels


@dataclass(frozen=True)
class Lens:
    """What a camera's picture looks like, wherever it stands. Pixel coordinates are those of
    `fieldlens.render.camera`."""

    height: int
    width: int
    focal: tuple[float, float]
    centre: tuple[float, float]
    radial: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    """Coefficients of radial distortion: k1, k2, k3 and k4."""
    tangential: tuple[float, float] = (0.0, 0.0)
    """Coefficients of tangential distortion: p1 and p2."""

    @property
    def distorts(self) -> bool:
        """Whether straight lines come out bent."""
        return any(self.radial) or any(self.tangential)

    def distorted(self, xy: Float64[np.ndarray, "*shape 2"]) -> Float64[np.ndarray, "*shape 2"]:
        """Where the picture has what a pinhole camera of the same focal lengths and centre sees at `xy`.

        >>> lens = Lens(100, 100, (50.0, 50.0), (50.0, 50.0), radial=(0.1, 0.0, 0.0, 0.0))
        >>> lens.distorted(np.array([[50.0, 50.0], [100.0, 50.0]])).tolist()
        [[50.0, 50.0], [105.0, 50.0]]
        """
        focal, centre = np.array(self.focal), np.array(self.centre)
        own = (xy - centre) / focal
        x, y = own[..., 0], own[..., 1]
        square = x * x + y * y
        k1, k2, k3, k4 = self.radial
        p1, p2 = self.tangential
        scale = 1 + square * (k1 + square * (k2 + square * (k3 + square * k4)))
        bent_x = x * scale + 2 * p1 * x * y + p2 * (square + 2 * x * x)
        bent_y = y * scale + p1 * (square + 2 * y * y) + 2 * p2 * x * y
        return np.stack([bent_x, bent_y], -1) * focal + centre

    def folds_at(self) -> float:
        """The square of the radius r at which distances from the middle stop growing: beyond, the model is no lens.

        A polynomial fitted to the corners of a picture turns back further out and would show the inside once more.
        """
        k1, k2, k3, k4 = self.radial
        roots = np.roots([9 * k4, 7 * k3, 5 * k2, 3 * k1, 1.0])
        real = roots.real[(np.abs(roots.imag) < 1e-9 * np.abs(roots)) & (roots.real > 0)]
        return float(real.min()) if len(real) else float("inf")


class Straightening:
    """A lens's pictures without its distortion, at the same focal lengths.

    What the pinhole camera would see and the photograph does not show is cut off, so that nothing in the result is made
    up: it is the largest rectangle found by taking sides away, those first that have the most such pixels. Raises
    ValueError where nothing is left.
    """

    def __init__(self, lens: Lens) -> None:
        rows, columns = np.mgrid[: lens.height, : lens.width] + 0.5
        straight = np.stack([columns, rows], -1)
        with np.errstate(over="ignore", invalid="ignore"):
            self._source, shown = _source(lens, straight)
        self._rows, self._columns = _full_rectangle(shown)
        self.crops = not shown.all()
        """Whether it cuts anything off."""
        left, top = self._columns.start, self._rows.start
        self.lens = Lens(
            self._rows.stop - top,
            self._columns.stop - left,
            lens.focal,
            (lens.centre[0] - left, lens.centre[1] - top),
        )
        """That of the pinhole camera."""

    def __call__(self, pixels: Pixels) -> Shaped[np.ndarray, "height width c"]:
        """The picture as the pinhole camera would have taken it, by cubic interpolation."""
        source = np.ascontiguousarray(self._source[self._rows, self._columns])
        straight = cv2.remap(pixels, source, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]
        straight = straight.reshape(*source.shape[:2], pixels.shape[2])
        if pixels.shape[2] in (2, 4):  # a cubic overshoots; premultiplied colours are never above alpha
            np.minimum(straight[..., :-1], straight[..., -1:], out=straight[..., :-1])
        return straight


def _source(
    lens: Lens, straight: Float64[np.ndarray, "h w 2"]
) -> tuple[Float32[np.ndarray, "h w 2"], Bool[np.ndarray, "h w"]]:
    """Where pixels come from, in OpenCV's coordinates (whole numbers are centres), and whether the picture has it."""
    bent = lens.distorted(straight)
    own = (straight - np.array(lens.centre)) / np.array(lens.focal)
    inside = (bent >= 0).all(-1) & (bent <= np.array([lens.width, lens.height])).all(-1)
    return (bent - 0.5).astype(np.float32), inside & (np.square(own).sum(-1) < lens.folds_at())


def _full_rectangle(shown: Bool[np.ndarray, "h w"]) -> tuple[slice, slice]:
    """Rows and columns of a rectangle without any False, found by taking away the worst side, again and again."""
    missing = cv2.integral((~shown).astype(np.uint8))
    top, left, (bottom, right) = 0, 0, shown.shape

    def count(y0: int, y1: int, x0: int, x1: int) -> int:
        return int(missing[y1, x1] - missing[y0, x1] - missing[y1, x0] + missing[y0, x0])

    while count(top, bottom, left, right):
        high, wide = bottom - top, right - left
        shares = (
            count(top, top + 1, left, right) / wide,
            count(bottom - 1, bottom, left, right) / wide,
            count(top, bottom, left, left + 1) / high,
            count(top, bottom, right - 1, right) / high,
        )
        worst = max(range(4), key=lambda side: shares[side])
        if shares[worst] == 0:
            raise ValueError("pixels without a source lie in the middle of the picture")
        top, bottom = top + (worst == 0), bottom - (worst == 1)
        left, right = left + (worst == 2), right - (worst == 3)
    if top == bottom or left == right:
        raise ValueError("nothing is left of the picture")
    return slice(top, bottom), slice(left, right)
