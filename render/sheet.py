"""Pictures on a sheet of a given size, such as a screen's: each as large as its place allows, with words below it."""

import math
from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import UInt8

from .panel import Tile
from .text import BACKGROUND, INK, LINE, draw_text, text_width


def sheet(tiles: Sequence[Tile], height: int, width: int, columns: int) -> UInt8[np.ndarray, "height width 3"]:
    """`tiles` row by row on a dark neutral ground of that size, each in the middle of its place.

    A panel grows with its pictures; a sheet is as large as it is, and pictures are enlarged or reduced to it. A
    picture is enlarged by whole pixels first, so that one sees what was drawn and no smoothing of it.
    """
    if not tiles:
        raise ValueError("sheet: at least one tile is needed")
    ground = np.full((height, width, 3), BACKGROUND, np.uint8)
    rows = math.ceil(len(tiles) / columns)
    text = max(13, min(height, width) // 36)
    margin, below = text, round(1.8 * LINE * text)
    cell_height, cell_width = height // rows, width // columns
    for number, tile in enumerate(tiles):
        top, left = number // columns * cell_height, number % columns * cell_width
        image = fitted(tile.image, cell_height - margin - below, cell_width - 2 * margin)
        down = top + margin + (cell_height - margin - below - image.shape[0]) // 2
        right = left + (cell_width - image.shape[1]) // 2
        ground[down : down + image.shape[0], right : right + image.shape[1]] = image
        room = cell_width - 2 * margin
        start = left + (cell_width - min(room, text_width(tile.caption, text))) // 2
        draw_text(ground, tile.caption, (start, down + image.shape[0] + text // 2), text, INK, max_width=room)
    return ground


def fitted(image: UInt8[np.ndarray, "h w 3"], height: int, width: int) -> UInt8[np.ndarray, "_ _ 3"]:
    """A picture in its proportions, as large as fits into `height` x `width`.

    >>> fitted(np.zeros((2, 4, 3), np.uint8), 100, 100).shape
    (50, 100, 3)
    """
    scale = min(height / image.shape[0], width / image.shape[1])
    size = max(1, round(scale * image.shape[0])), max(1, round(scale * image.shape[1]))
    whole = math.ceil(scale)
    enlarged = image.repeat(whole, axis=0).repeat(whole, axis=1) if whole > 1 else image
    return np.asarray(cv2.resize(enlarged, size[::-1], interpolation=cv2.INTER_AREA), np.uint8)
