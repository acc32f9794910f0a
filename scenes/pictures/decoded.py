"""What the readers of all kinds of files give: a picture's header, and then its values, upright."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Shaped

ORIENTATION_TAG = 0x0112
"""Of EXIF and of TIFF."""

FIRST_ONLY = ("first frame only",)
"""The note of a file of several pictures."""


@dataclass(frozen=True)
class Decoded:
    """Values as the file has them, channels last, upright."""

    pixels: Shaped[np.ndarray, "h w c"]
    notes: tuple[str, ...] = ()
    premultiplied: bool = False  # the colours are multiplied by alpha already
    orientation: int = 1  # the tag by which the pixels were turned upright


@dataclass(frozen=True)
class Opened:
    """What the header says, and how to read the rest."""

    height: int
    width: int
    size: int
    """Bytes of all values once they are decoded, those too that are then left out."""
    decode: Callable[[], Decoded]


# By EXIF's number: 2 and 4 are mirrored, 3 is upside down, 5 to 8 lie on their sides (5 and 7 mirrored as well).
_TURNS: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    2: lambda pixels: pixels[:, ::-1],
    3: lambda pixels: pixels[::-1, ::-1],
    4: lambda pixels: pixels[::-1],
    5: lambda pixels: pixels.swapaxes(0, 1),
    6: lambda pixels: np.rot90(pixels, -1),
    7: lambda pixels: np.rot90(pixels, 2).swapaxes(0, 1),
    8: lambda pixels: np.rot90(pixels),
}


def upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """The picture as it was seen."""
    return _TURNS[orientation](pixels) if orientation in _TURNS else pixels


def as_stored(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """The inverse of turning upright: rows and columns as they stand in the file."""
    return upright(pixels, {6: 8, 8: 6}.get(orientation, orientation))


def turned_note(orientation: int) -> tuple[str, ...]:
    """What is said of a picture that was turned upright."""
    return (f"turned upright as its orientation tag ({orientation}) says",) if orientation in _TURNS else ()
