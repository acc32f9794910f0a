"""Pictures beside each other under one title: what a frame of the progress video is.

A panel's size depends on its tiles' sizes alone, never on the words, so the frames of one video agree. All lengths
follow from the size of the text, and that from the width of a tile, so a large panel reads as a small one does once
both are scaled to a screen.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from jaxtyping import UInt8

from .text import BACKGROUND, INK, LINE, QUIET_INK, draw_text

WIDEST = 4.5
"""Width over height beyond which a row of pictures is broken into several rows."""

NARROWEST_CELL = 192
"""Least pixels across for each picture of a panel: one that is a pixel wide still needs room for its caption."""


Legend: TypeAlias = Callable[[int, int], UInt8[np.ndarray, "_ _ 3"]]
"""A function that draws a scale of colours in a height and width."""


@dataclass(frozen=True, eq=False)
class Tile:
    """One picture of a panel and the words beneath it."""

    image: UInt8[np.ndarray, "h w 3"]
    caption: str
    legend: Legend | None = None
    """The scale that is drawn below the caption."""


def panel(
    tiles: Sequence[Tile], title: str, *, min_side: int = 256, columns: int | None = None
) -> UInt8[np.ndarray, "H W 3"]:
    """`tiles` side by side under `title`, each with its caption, on a dark neutral ground.

    A tile whose longer side is under `min_side` pixels is enlarged by a whole factor without smoothing, and one smaller
    than its neighbours as far as fits beside them; no tile is ever reduced. `columns` is chosen by the tiles' shape
    unless told: one row, or several of about equal length where one would be very wide.
    """
    if not tiles:
        raise ValueError("panel: at least one tile is needed")
    images = _enlarged([tile.image for tile in tiles], min_side)
    tiles = [Tile(image, tile.caption, tile.legend) for image, tile in zip(images, tiles, strict=True)]
    cell = max(NARROWEST_CELL, *(image.shape[1] for image in images))
    if columns is None:
        columns = _columns(len(tiles), aspect=cell / max(image.shape[0] for image in images))
    text = max(13, cell // 30)
    rows = [_row(tiles[start : start + columns], cell, text) for start in range(0, len(tiles), columns)]
    header = _header(title, max(row.shape[1] for row in rows), text)
    return np.vstack([_widened(strip, header.shape[1]) for strip in (header, *rows)])


def _header(title: str, width: int, text: int) -> UInt8[np.ndarray, "h w 3"]:
    size = round(1.25 * text)
    strip = _ground(text + round(LINE * size) + round(0.6 * text), width)
    draw_text(strip, title, (text, text // 2), size, INK, max_width=width - 2 * text)
    return strip


def _row(tiles: Sequence[Tile], cell: int, text: int) -> UInt8[np.ndarray, "h w 3"]:
    pictures = max(tile.image.shape[0] for tile in tiles)
    caption_top = pictures + round(0.4 * text)
    legend_top = caption_top + round((LINE + 0.5) * text)
    bottom = legend_top + (round(2.5 * text) if any(tile.legend is not None for tile in tiles) else 0)
    strip = _ground(bottom + round(0.5 * text), text + len(tiles) * (cell + text))
    for number, tile in enumerate(tiles):
        left = text + number * (cell + text)
        height, width = tile.image.shape[:2]
        strip[:height, left : left + width] = tile.image
        draw_text(strip, tile.caption, (left, caption_top), text, QUIET_INK, max_width=cell)
        if tile.legend is not None:
            strip[legend_top : legend_top + 2 * text, left : left + cell] = tile.legend(2 * text, cell)
    return strip


def _ground(height: int, width: int) -> UInt8[np.ndarray, "h w 3"]:
    return np.full((height, width, 3), BACKGROUND, np.uint8)


def _widened(strip: UInt8[np.ndarray, "h w 3"], width: int) -> UInt8[np.ndarray, "h W 3"]:
    return np.hstack([strip, _ground(strip.shape[0], width - strip.shape[1])])


def _enlarged(images: Sequence[UInt8[np.ndarray, "_ _ 3"]], min_side: int) -> list[UInt8[np.ndarray, "_ _ 3"]]:
    sides = [max(image.shape[:2]) for image in images]
    common = max(side * math.ceil(min_side / side) for side in sides)
    factors = [common // side for side in sides]
    return [image.repeat(k, axis=0).repeat(k, axis=1) for image, k in zip(images, factors, strict=True)]


def _columns(count: int, aspect: float) -> int:
    """The fewest rows that are not too wide, and as few columns as fill them evenly.

    >>> [_columns(count, aspect=1.0) for count in (1, 4, 5, 8, 9)]
    [1, 4, 3, 4, 5]
    """
    for rows in range(1, count + 1):
        columns = math.ceil(count / rows)
        if columns * aspect / rows <= WIDEST:
            return columns
    return 1
