"""Colours of meshes as pictures have them: sRGB in [0, 1], whatever the numbers in a file are."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Num

_BARELY_ABOVE = 2.0
"""The largest number of colours that are still shares."""


class Scaled(NamedTuple):
    """Colours in [0, 1], and what was assumed of their scale where the file does not say it."""

    colours: Float64[np.ndarray, "n 3"]
    notes: tuple[str, ...] = ()


def scaled(numbers: Num[np.ndarray, "n 3"]) -> Scaled:
    """Colours from the numbers of a file: bytes and 16-bit integers by their type's largest, all others by their range.

    Numbers up to 1 are shares; larger ones are taken as 0 to 255, or to 65535 where any is above 255. But where none is
    above 2 they are shares that were rounded up or are somewhat too bright: as bytes, all of them would be black.

    >>> scaled(np.array([[255, 128, 0]], np.uint8)).colours.round(3).tolist()
    [[1.0, 0.502, 0.0]]
    >>> scaled(np.array([[1.0, 0.5, 0.0]])).colours.tolist()
    [[1.0, 0.5, 0.0]]
    """
    values = np.nan_to_num(numbers.astype(np.float64), nan=0.0, posinf=np.finfo(float).max, neginf=0.0)
    if numbers.dtype in (np.uint8, np.uint16):
        return Scaled(values / np.iinfo(numbers.dtype).max)
    largest = values.max(initial=0)
    if largest <= 1:
        return Scaled(values.clip(0, 1))
    if largest <= _BARELY_ABOVE:
        return Scaled(values.clip(0, 1), (f"colours up to {largest:.6g} are cut to 1",))
    top = 255 if largest <= 255 else 65535
    return Scaled((values / top).clip(0, 1), (f"colours up to {largest:.6g} are taken as 0 to {top}",))


def srgb(linear: Float64[np.ndarray, "n 3"]) -> Float64[np.ndarray, "n 3"]:
    """Shares of light as values of a picture (IEC 61966-2-1).

    >>> srgb(np.array([[0.214041, 0.0, 1.0]])).round(4).tolist()
    [[0.5, 0.0, 1.0]]
    """
    light = linear.clip(0, 1)
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def linear(picture: Float64[np.ndarray, "n 3"]) -> Float64[np.ndarray, "n 3"]:
    """The inverse of `srgb`.

    >>> linear(np.array([[0.5, 0.0, 1.0]])).round(4).tolist()
    [[0.214, 0.0, 1.0]]
    """
    values = picture.clip(0, 1)
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
