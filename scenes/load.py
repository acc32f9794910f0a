"""From the word a person types to a scene."""

from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from configs.errors import InputError, did_you_mean
from render.colour import to_rgb
from render.panel import Tile, panel

from .area import area_average, fitted_size
from .builtin import BUILTINS
from .holdout import Holdout
from .picture import Picture, unit_of
from .reading import MAX_PIXELS, Reading, read_picture, reduced
from .scene import Scene


def load(word: str, *, max_side: int | None = None, max_pixels: int = MAX_PIXELS, holdout: Holdout = "none") -> Scene:
    """The scene that `word` names: a picture's path or a built-in picture; an existing file wins.

    Raises InputError for a word that is neither, with the nearest that is, and for a file that cannot be read.
    """
    path = Path(word)
    if word in BUILTINS and not path.is_file():
        name, reading = word, reduced(BUILTINS[word].make(), max_side)
    elif word and _exists(path):
        name, reading = _scene_name(path), read_picture(path, max_pixels=max_pixels, max_side=max_side)
    else:
        raise InputError(f"no file and no built-in picture is called {word!r}{_nearest(word)}")
    reading = _within_one(reading)
    return Picture(name, reading.pixels, holdout, reading.notes)


def restore(path: Path) -> Scene:
    """The scene that a run folder keeps. Raises InputError where it is missing or damaged; never unpickles."""
    return Picture.from_npz(path)


def _within_one(reading: Reading) -> Reading:
    """The picture with values up to 1: one with more light than that (HDR) as shares of its brightest value.

    Networks start near 0 and learn values near 1; PSNR is then against the brightest value as its peak.
    """
    brightest = float(reading.pixels.max())
    if reading.pixels.dtype.kind == "u" or brightest <= 1:
        return reading
    note = f"divided by its brightest value, {brightest:.4g}, which is the peak that PSNR is against"
    return replace(reading, pixels=reading.pixels / np.float32(brightest), notes=(*reading.notes, note))


def thumbnail_sheet() -> UInt8[np.ndarray, "h w 3"]:
    """Every built-in picture, small, with its name."""
    return panel(
        [Tile(_thumbnail(builtin.make()), name) for name, builtin in BUILTINS.items()], "built-in pictures", columns=4
    )


def _thumbnail(reading: Reading) -> UInt8[np.ndarray, "h w 3"]:
    height, width, _ = reading.pixels.shape
    small = area_average(reading.pixels, *fitted_size(height, width, 256), unit_of(reading.pixels.dtype))
    return to_rgb(small)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a name too long, or with a zero byte in it
        return False


def _scene_name(path: Path) -> str:
    """The file's name without its ending; bytes that are no text are shown as the replacement character."""
    return path.stem.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _nearest(word: str) -> str:
    """Whichever comes nearest of the built-in names and the files beside the one that is missing."""
    path = Path(word)
    try:
        beside = [str(file) for file in path.parent.iterdir() if file.is_file()]
    except (OSError, ValueError):
        beside = []
    return did_you_mean(word, [*BUILTINS, *get_close_matches(word, beside, n=1)])
