"""Thin lines drawn over a picture."""

import cv2
import numpy as np
from jaxtyping import Float, UInt8

SUBPIXEL_BITS = 4


def lines_over(
    image: UInt8[np.ndarray, "h w 3"], segments: Float[np.ndarray, "k 2 2"], opacity: float = 0.7
) -> UInt8[np.ndarray, "h w 3"]:
    """The picture with white, smoothed lines a pixel wide between pairs of points, in pixels from its left top corner.

    Where lines lie on one another they are no more opaque than that.
    """
    covered = np.zeros(image.shape[:2], np.uint8)
    # OpenCV's whole numbers are pixel centres
    ends = np.round((segments - 0.5) * 2**SUBPIXEL_BITS).astype(np.int32)
    for first in range(0, len(ends), 65536):
        chunk = np.ascontiguousarray(ends[first : first + 65536])
        cv2.polylines(covered, list(chunk), False, 255, 1, cv2.LINE_AA, SUBPIXEL_BITS)  # type: ignore[arg-type]
    share = covered[..., None] * np.float32(opacity / 255)
    return np.round(image + (255 - image.astype(np.float32)) * share).astype(np.uint8)
