"""How close a reconstruction is to its target: PSNR and SSIM of what a viewer shows.

Pictures are (h, w, c) in their own encoding with values in [0, peak]. A reconstruction is clipped to that range first,
as on a screen; large pictures are gone through in blocks of rows.
"""

import math
from typing import Any

import numpy as np
from jaxtyping import Bool, Float
from skimage.metrics import structural_similarity

from fieldlens.configs.errors import InputError

from .rows import row_blocks

MAX_PSNR_DB = 100.0
"""What an exact reconstruction is given in place of infinity, so that it can be drawn, averaged and written as JSON."""

SSIM_SIGMA = 1.5
SSIM_RADIUS = 5
"""The Gaussian window of Wang et al. (2004): sigma 1.5 px, cut at 3.5 sigma, which makes it 11 px wide."""


def psnr_db(
    target: Float[np.ndarray, "h w c"],
    reconstruction: Float[np.ndarray, "h w c"],
    mask: Bool[np.ndarray, "h w"] | None = None,
    peak: float = 1.0,
) -> float:
    """Peak signal to noise ratio, 10 log10(peak^2 / mean squared error), over all channels of the pixels in `mask`.

    At most `MAX_PSNR_DB`; NaN if the reconstruction holds a NaN there. Raises `InputError` if the mask is empty.

    >>> psnr_db(np.zeros((4, 4, 1)), np.full((4, 4, 1), 0.1))
    20.0
    """
    height, width, channels = target.shape
    if mask is not None and not mask.any():
        raise InputError(f"no pixel to score in a picture of {width}x{height}; hold out other pixels, or none")
    total, count = 0.0, 0
    for rows in row_blocks(height, width * channels):
        squared = np.square(target[rows] - _clipped(reconstruction[rows], peak), dtype=np.float64)
        chosen = squared if mask is None else squared[mask[rows]]
        total, count = total + float(chosen.sum()), count + chosen.size
    error = total / count / peak**2
    if error <= 10 ** (-MAX_PSNR_DB / 10):
        return MAX_PSNR_DB
    return -10 * math.log10(error)


def ssim(
    target: Float[np.ndarray, "h w c"], reconstruction: Float[np.ndarray, "h w c"], peak: float = 1.0
) -> float | None:
    """Structural similarity with the Gaussian window of Wang et al. (2004), mean over pixels and channels.

    As there, the window lies wholly inside the picture: None for a picture with a side under 11 px.
    """
    height, width, channels = target.shape
    if min(height, width) < 2 * SSIM_RADIUS + 1:
        return None
    total = 0.0
    inner_height = height - 2 * SSIM_RADIUS
    for inner in row_blocks(inner_height, width * channels):
        rows = slice(inner.start, inner.stop + 2 * SSIM_RADIUS)
        similarity: Any = structural_similarity(  # a float; the union it declares is for options not used here
            target[rows],
            _clipped(reconstruction[rows], peak),
            data_range=peak,
            channel_axis=-1,
            gaussian_weights=True,
            sigma=SSIM_SIGMA,
            use_sample_covariance=False,
        )
        total += (inner.stop - inner.start) * float(similarity)
    return total / inner_height


def _clipped(values: Float[np.ndarray, "h w c"], peak: float) -> Float[np.ndarray, "h w c"]:
    return np.clip(values, 0, peak)
