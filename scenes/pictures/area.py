"""Making a picture smaller by averaging, the one way this program reduces anything."""

from collections.abc import Iterator

import cv2
import numpy as np
from jaxtyping import Float32, Shaped

_BLOCK = 1 << 22  # values converted to float at a time: 16 MB


def rows_at_once(pixels: Shaped[np.ndarray, "h w c"]) -> Iterator[slice]:
    """Slices of whole rows that together are the picture, each small enough to be converted to float at once."""
    height, width, channels = pixels.shape
    rows = max(1, _BLOCK // (width * channels))
    return (slice(start, min(start + rows, height)) for start in range(0, height, rows))


def fitted_size(height: int, width: int, max_side: int) -> tuple[int, int]:
    """Height and width with the longer side at most `max_side` and the proportions kept, at least one pixel each.

    >>> fitted_size(3000, 4000, 1024)
    (768, 1024)
    """
    side = max(height, width)
    if side <= max_side:
        return height, width
    return max(1, round(height * max_side / side)), max(1, round(width * max_side / side))


def area_average(
    pixels: Shaped[np.ndarray, "h0 w0 c"], height: int, width: int, unit: float = 1.0
) -> Float32[np.ndarray, "h w c"]:
    """The picture divided by `unit`, each new pixel the mean of the old area that it covers.

    Sizes need not divide one another: a pixel on a border counts by its share. Columns are averaged first, a block of
    rows at a time, so that a large picture is never held in float32 as a whole. Raises ValueError if asked to enlarge.

    >>> area_average(np.arange(4.0, dtype=np.float32).reshape(1, 4, 1), 1, 2).tolist()
    [[[0.5], [2.5]]]
    """
    if height > pixels.shape[0] or width > pixels.shape[1]:
        raise ValueError(f"area averaging cannot enlarge {pixels.shape[:2]} to {(height, width)}")
    narrow = np.empty((pixels.shape[0], width, pixels.shape[2]), np.float32)
    for rows in rows_at_once(pixels):
        block = pixels[rows].astype(np.float32) / np.float32(unit)
        narrow[rows] = _resize(block, len(block), width)
    return _resize(narrow, height, width)


def _resize(values: np.ndarray, height: int, width: int) -> np.ndarray:
    if values.shape[:2] == (height, width):
        return values
    reduced = cv2.resize(values, (width, height), interpolation=cv2.INTER_AREA)
    return reduced.reshape(height, width, values.shape[2])  # OpenCV drops an axis of one channel
