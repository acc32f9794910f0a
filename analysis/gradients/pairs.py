"""Pairs of pixels drawn at random: nearby ones, and far-apart ones."""

from typing import TypeAlias

import torch
from jaxtyping import Int
from torch import Tensor

from fieldlens.configs.errors import InputError

Pairs: TypeAlias = tuple[Int[Tensor, " pairs"], Int[Tensor, " pairs"]]
"""First and second members of pairs, as indices of points or as numbers of pixels, row by row."""


def local_pairs(height: int, width: int, count: int, radius_px: int, generator: torch.Generator) -> Pairs:
    """Pairs of nearby pixels: the first drawn from the picture, the other from the window around it.

    The window has the pixels at most `radius_px` rows and columns away, as far as the picture goes, and both draws are
    even. (Lazzari & Liu take both from windows of 50 x 50 pixels; with a radius of 25 distances are like theirs.)

    Raises:
        InputError: when a pixel has no other in its window.
    """
    if radius_px < 1 or height * width < 2:
        raise InputError(f"no pixel of {height} x {width} has another within {radius_px} pixels")
    pixel = torch.randint(height * width, (count,), generator=generator)
    top, rows, left, columns = _windows(pixel, height, width, radius_px)
    own = (pixel // width - top) * columns + (pixel % width - left)
    place = _draw(rows * columns - 1, generator)
    place = place + (place >= own)  # all places but its own are equally likely
    return pixel, (top + place // columns) * width + left + place % columns


def global_pairs(height: int, width: int, count: int, beyond_px: int, generator: torch.Generator) -> Pairs:
    """Pairs of far-apart pixels: the first drawn from the picture, the other from outside the window around it.

    The window has the pixels at most `beyond_px` rows and columns away; both draws are even. (Lazzari & Liu take pairs
    from diagonally opposite quarters.)

    Raises:
        InputError: when some pixel's window is the whole picture.
    """
    if max(height, width) <= 2 * beyond_px + 1:
        raise InputError(f"a window of {beyond_px} pixels to each side may hold all of {height} x {width}")
    pixel = torch.randint(height * width, (count,), generator=generator)
    top, rows, left, columns = _windows(pixel, height, width, beyond_px)
    above, beside = top * width, width - columns
    below = (height - top - rows) * width
    place = _draw(above + below + rows * beside, generator)
    # pixels above the window, then those below, then those beside it, numbered in turn
    inner = place - above - below
    column = inner % beside.clamp(min=1)
    level = (top + inner.div(beside.clamp(min=1), rounding_mode="floor")) * width + column
    level = level + torch.where(column >= left, columns, 0)
    outer = torch.where(place < above, place, place + rows * width)
    return pixel, torch.where(inner >= 0, level, outer)


def _windows(
    pixel: Int[Tensor, " n"], height: int, width: int, radius: int
) -> tuple[Int[Tensor, " n"], Int[Tensor, " n"], Int[Tensor, " n"], Int[Tensor, " n"]]:
    """First row, rows, first column and columns of the windows around pixels, within the picture."""
    row, column = pixel // width, pixel % width
    top, left = (row - radius).clamp(min=0), (column - radius).clamp(min=0)
    bottom, right = (row + radius).clamp(max=height - 1), (column + radius).clamp(max=width - 1)
    return top, bottom - top + 1, left, right - left + 1


def _draw(counts: Int[Tensor, " n"], generator: torch.Generator) -> Int[Tensor, " n"]:
    """A whole number below each count; in fp64, which tells the pixels of any picture apart."""
    draws = torch.rand(len(counts), generator=generator, dtype=torch.float64)
    return (draws * counts).long().minimum(counts - 1)
