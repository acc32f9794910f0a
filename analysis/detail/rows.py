"""Blocks of rows: large pictures are gone through a few rows at a time, so that no full-size temporary is made."""

from collections.abc import Iterator

BLOCK_NUMBERS = 2**19
"""Numbers of one temporary, 4 MB in fp64."""


def row_blocks(height: int, row_numbers: int) -> Iterator[slice]:
    """Slices that cover `height` rows of `row_numbers` numbers each, at least one row a slice.

    >>> [(rows.start, rows.stop) for rows in row_blocks(5, BLOCK_NUMBERS // 2)]
    [(0, 2), (2, 4), (4, 5)]
    """
    step = max(1, BLOCK_NUMBERS // max(1, row_numbers))
    for first in range(0, height, step):
        yield slice(first, min(first + step, height))
