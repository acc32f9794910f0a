"""A picture in the terminal: two pixels to a character; and how a terminal takes one pixel by pixel, where it can."""

import os
from base64 import standard_b64encode
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Literal

from rich.color import Color
from rich.segment import Segment, Segments
from rich.style import Style

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import UInt8

CHUNK = 4096
"""Characters of one of kitty's escapes at most."""
KITTY = {"xterm-kitty", "xterm-ghostty", "ghostty", "wezterm"}
SIXEL = {"foot", "foot-extra", "mlterm", "contour", "mintty", "iterm.app"}
"""Terminals by the names that they give themselves."""
SIXEL_KONSOLE = 220400
"""The first of Konsole's versions that draws sixels."""


def half_blocks(picture: "UInt8[np.ndarray, 'h w 3']", columns: int, lines: int) -> Segments:
    """A picture within so many characters, each of which shows an upper and a lower pixel in its two colours.

    A larger picture is reduced by area, a smaller one stays as it is. Of an odd number of rows the last is left out,
    unless there is no other.
    """
    from fieldlens.scenes.pictures.area import area_average

    height, width = picture.shape[:2]
    scale = min(1.0, columns / width, 2 * lines / height)
    rows, across = max(1, round(scale * height)), max(1, round(scale * width))
    seen = area_average(picture, rows, across).round().astype(int).tolist()
    pairs = [(seen[row], seen[min(row + 1, rows - 1)]) for row in range(0, max(1, rows - 1), 2)]
    return Segments([part for upper, lower in pairs for part in _line(upper, lower)])


def _line(upper: list[list[int]], lower: list[list[int]]) -> Iterator[Segment]:
    for above, below in zip(upper, lower, strict=True):
        yield Segment("▀", Style(color=Color.from_rgb(*above), bgcolor=Color.from_rgb(*below)))
    yield Segment.line()


def protocol(environment: Mapping[str, str] = os.environ) -> Literal["kitty", "sixel"] | None:
    """How the terminal is known to take pictures pixel by pixel; None where it is not.

    It is told by its name alone: a question to the terminal could be left without an answer.
    """
    if environment.get("TMUX"):  # which keeps such escapes to itself
        return None
    named = {environment.get("TERM", ""), environment.get("TERM_PROGRAM", "").lower()}
    if "KITTY_WINDOW_ID" in environment or named & KITTY:
        return "kitty"
    konsole = environment.get("KONSOLE_VERSION", "")
    return "sixel" if named & SIXEL or (konsole.isdecimal() and int(konsole) >= SIXEL_KONSOLE) else None


def kitty(png: bytes, columns: int) -> str:
    """The escapes by which kitty's protocol shows a PNG file across so many characters."""
    data = standard_b64encode(png).decode()
    chunks = [data[start : start + CHUNK] for start in range(0, len(data), CHUNK)]
    heads = [f"a=T,f=100,q=2,c={columns},"] + [""] * (len(chunks) - 1)
    return "".join(
        f"\x1b_G{head}m={int(number < len(chunks))};{chunk}\x1b\\"
        for number, (head, chunk) in enumerate(zip(heads, chunks, strict=True), start=1)
    )
