"""Pictures on a sheet: each in its place, in its proportions, and of the pixels that it has."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldlens.render.panel import Tile
from fieldlens.render.sheet import fitted, sheet
from fieldlens.render.text import BACKGROUND

sides = st.integers(1, 40)


@given(sides, sides, st.integers(10, 60), st.integers(10, 60))
def test_a_picture_is_as_large_as_fits_and_keeps_its_proportions(h: int, w: int, height: int, width: int) -> None:
    shape = fitted(np.zeros((h, w, 3), np.uint8), height, width).shape
    assert shape[0] == height or shape[1] == width
    assert shape[0] <= height
    assert shape[1] <= width
    scale = min(height / h, width / w)
    assert abs(shape[0] - scale * h) <= 1
    assert abs(shape[1] - scale * w) <= 1


def test_enlarged_by_a_whole_factor_it_has_its_own_pixels_and_no_others() -> None:
    image = np.random.default_rng(0).integers(0, 256, (3, 4, 3), dtype=np.uint8)
    assert np.array_equal(fitted(image, 30, 40), image.repeat(10, 0).repeat(10, 1))


@pytest.mark.parametrize(("height", "width", "columns"), [(120, 400, 2), (400, 120, 1)])
def test_each_tile_is_within_its_own_place(height: int, width: int, columns: int) -> None:
    colours = [(255, 0, 0), (0, 255, 0)]
    tiles = [Tile(np.full((5, 5, 3), colour, np.uint8), "") for colour in colours]
    drawn = sheet(tiles, height, width, columns)
    assert drawn.shape == (height, width, 3)
    for number, colour in enumerate(colours):
        rows, across = np.nonzero((drawn == colour).all(-1))
        assert len(rows)
        left, top = number % columns * width // columns, number // columns * height * columns // 2
        assert left <= across.min() <= across.max() < left + width // columns
        assert top <= rows.min() <= rows.max() < top + height * columns // 2
    assert tuple(drawn[0, 0]) == BACKGROUND


def test_words_are_written_below_the_picture_and_never_on_it() -> None:
    image = np.full((4, 4, 3), 200, np.uint8)
    without, written = (sheet([Tile(image, words)], 200, 200, 1) for words in ("", "step 1,000   20.0 dB"))
    rows, _ = np.nonzero((without != written).any(-1))
    picture, _ = np.nonzero((without == 200).all(-1))
    assert rows.min() > picture.max()
