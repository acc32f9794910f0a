"""A picture as sixels, which many terminals draw pixel by pixel (DEC STD 070, chapter 9).

A sixel is a column of six pixels: a letter whose code, less 63, has a bit for each of them, the lowest for the
uppermost. For each band of six rows the sixels of one colour come after those of another, from the band's left again.
"""

from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Bool, UInt8

COLOURS = 256
"""As many as a terminal has room for, as a rule."""
BAND = 6
"""Rows of pixels in a sixel."""


def sixels(picture: "UInt8[np.ndarray, 'h w 3']", columns: int) -> str:
    """The escape that shows a picture, reduced by area to so many columns of pixels where it has more.

    Colours are the nearest of 256 that are chosen for it; a terminal is told them in hundredths of full light.
    """
    import numpy as np
    from PIL import Image

    from fieldlens.scenes.pictures.area import area_average

    height, width = picture.shape[:2]
    scale = min(1.0, columns / width)
    reduced = (
        area_average(picture, max(1, round(scale * height)), max(1, round(scale * width))).round().astype(np.uint8)
    )
    image = Image.fromarray(reduced).quantize(COLOURS, dither=Image.Dither.NONE)
    numbers, palette = np.asarray(image), np.reshape(image.getpalette() or [], (-1, 3))
    lights = (palette / 2.55).round().astype(int).tolist()
    colours = "".join(f"#{number};2;{red};{green};{blue}" for number, (red, green, blue) in enumerate(lights))
    bands = "-".join(_band(numbers[top : top + BAND]) for top in range(0, len(numbers), BAND))
    return f'\x1bP0;1q"1;1;{reduced.shape[1]};{reduced.shape[0]}{colours}{bands}\x1b\\'


def _band(numbers: "UInt8[np.ndarray, 'rows w']") -> str:
    """Up to six rows, one colour after the other."""
    import numpy as np

    return "$".join(f"#{number}{_sixels(numbers == number)}" for number in np.unique(numbers).tolist())


def _sixels(drawn: "Bool[np.ndarray, 'rows w']") -> str:
    """Letters for where a colour is drawn; of alike ones in a row how many there are."""
    bits = sum(row.astype(int) << place for place, row in enumerate(drawn))
    runs = [(chr(63 + value), len([*alike])) for value, alike in groupby(bits.tolist())]  # type: ignore[union-attr]
    return "".join(f"!{count}{letter}" if count > 3 else letter * count for letter, count in runs)
