"""Pixels as files hold them, and what their numbers mean."""

from typing import TypeAlias

import numpy as np
from jaxtyping import Float32, UInt8, UInt16

Pixels: TypeAlias = UInt8[np.ndarray, "h w c"] | UInt16[np.ndarray, "h w c"] | Float32[np.ndarray, "h w c"]
"""Stored values, channels last: grey, grey + alpha, RGB or RGBA, alpha premultiplied; integers span [0, 1]."""


def unit_of(dtype: np.dtype) -> float:
    """The stored number that stands for 1.

    >>> unit_of(np.dtype("uint8")), unit_of(np.dtype("float32"))
    (255.0, 1.0)
    """
    return float(np.iinfo(dtype).max) if dtype.kind == "u" else 1.0
