"""Which pixels of a picture are trained on, and which are kept back to be scored.

Every protocol's k-th training pixel follows from k by arithmetic, so a picture of any size is sampled without a list
of its pixels. Rows and columns count from 0, so the first row is even.
"""

from typing import get_args

import numpy as np
import torch
from jaxtyping import Bool, Int64
from torch import Tensor

from fieldlens.configs.errors import InputError
from fieldlens.configs.run import Holdout

HOLDOUTS: tuple[Holdout, ...] = get_args(Holdout)


def check(holdout: Holdout, height: int, width: int) -> None:
    """Raise InputError where a picture of this size has no pixel to hold out."""
    possible = {"none": True, "even-odd": min(height, width) > 1}.get(holdout, height * width > 1)
    if not possible:
        raise InputError(
            f"hold-out '{holdout}' finds no pixel to hold out in a picture of {width}x{height}; use hold-out 'none'"
        )


def count(holdout: Holdout, height: int, width: int) -> int:
    """The number of training pixels.

    >>> [count(holdout, 3, 5) for holdout in HOLDOUTS]
    [15, 8, 6, 6]
    """
    match holdout:
        case "none":
            return height * width
        case "checkerboard":
            return (height * width + 1) // 2
        case "even-odd" | "even-rest":
            return ((height + 1) // 2) * ((width + 1) // 2)


def locate(holdout: Holdout, k: Int64[Tensor, " n"], width: int) -> tuple[Int64[Tensor, " n"], Int64[Tensor, " n"]]:
    """Row and column of the k-th training pixels, counted along the rows; increasing and inverse to `trained`.

    >>> [indices.tolist() for indices in locate("checkerboard", torch.arange(4), width=4)]
    [[0, 0, 1, 1], [0, 2, 1, 3]]
    """
    match holdout:
        case "none":
            row, column = _divide(k, width)
        case "checkerboard":
            row, column = _divide(2 * k, width)
            if width % 2 == 0:  # of an odd width, every second pixel alternates by itself
                column = column + row % 2
        case "even-odd" | "even-rest":
            row, column = (2 * part for part in _divide(k, (width + 1) // 2))
    return row, column


def trained(holdout: Holdout, height: int, width: int) -> Bool[np.ndarray, "h w"] | None:
    """True at training pixels; None where that is everywhere."""
    row, column = _parities(height, width)
    match holdout:
        case "none":
            return None
        case "checkerboard":
            return row == column
        case "even-odd" | "even-rest":
            return ~(row | column)


def heldout(holdout: Holdout, height: int, width: int) -> Bool[np.ndarray, "h w"] | None:
    """True at the pixels that are scored as held out; None where there are none."""
    row, column = _parities(height, width)
    match holdout:
        case "none":
            return None
        case "checkerboard":
            return row != column
        case "even-odd":
            return row & column
        case "even-rest":
            return row | column


def _divide(k: Tensor, divisor: int) -> tuple[Tensor, Tensor]:
    quotient = torch.div(k, divisor, rounding_mode="floor")
    return quotient, k - divisor * quotient


def _parities(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """True in odd rows (height, 1), true in odd columns (1, width)."""
    return np.arange(height)[:, None] % 2 == 1, np.arange(width)[None, :] % 2 == 1
