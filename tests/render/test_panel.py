"""Pictures beside each other: every pixel of them, whatever the words."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldlens.render.colour import density_legend
from fieldlens.render.panel import Tile, panel
from fieldlens.render.text import BACKGROUND


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def find(image: np.ndarray, sheet: np.ndarray) -> tuple[int, int] | None:
    """The (x, y) at which `sheet` holds every pixel of `image`, if it does."""
    _, _, (x, y), _ = cv2.minMaxLoc(cv2.matchTemplate(sheet, image, cv2.TM_SQDIFF))
    height, width = image.shape[:2]
    return (x, y) if np.array_equal(sheet[y : y + height, x : x + width], image) else None


def position(image: np.ndarray, sheet: np.ndarray) -> tuple[int, int]:
    found = find(image, sheet)
    assert found is not None
    return found


def enlarged(image: np.ndarray, factor: int) -> np.ndarray:
    return np.kron(image, np.ones((factor, factor, 1), np.uint8))


def test_tiles_stand_in_order_in_one_row_each_pixel_kept():
    images = [noise(256, 256, seed) for seed in range(4)]
    sheet = panel([Tile(image, "caption") for image in images], "title")
    places = [position(image, sheet) for image in images]
    assert places == sorted(places)
    assert len({y for _, y in places}) == 1


@pytest.mark.parametrize(("side", "factor"), [(64, 4), (100, 3), (255, 2), (256, 1), (300, 1)])
def test_a_small_tile_is_enlarged_by_the_least_whole_factor_that_reaches_256(side, factor):
    image = noise(side, side // 2)
    assert find(enlarged(image, factor), panel([Tile(image, "")], "")) is not None


def test_a_coarse_map_is_enlarged_to_stand_beside_a_fine_picture():
    fine, coarse = noise(512, 512), noise(128, 128, seed=1)
    sheet = panel([Tile(fine, ""), Tile(coarse, "")], "")
    assert find(enlarged(coarse, 4), sheet) is not None


def test_a_wide_picture_breaks_into_even_rows():
    images = [noise(128, 256, seed) for seed in range(4)]
    sheet = panel([Tile(image, "") for image in images], "")
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = [position(image, sheet) for image in images]
    assert (x0, x1, y0, y2) == (x2, x3, y1, y3)
    assert y0 < y2


def test_columns_are_as_told():
    images = [noise(256, 256, seed) for seed in range(3)]
    sheet = panel([Tile(image, "") for image in images], "", columns=1)
    places = [position(image, sheet) for image in images]
    assert len({x for x, _ in places}) == 1
    assert [y for _, y in places] == sorted({y for _, y in places})


@settings(max_examples=30)
@given(st.text(max_size=80), st.text(max_size=80))
def test_the_words_change_neither_the_size_nor_the_pictures(title, caption):
    images = [noise(64, 64, seed) for seed in range(2)]
    plain = panel([Tile(image, "") for image in images], "")
    worded = panel([Tile(image, caption) for image in images], title)
    assert worded.shape == plain.shape
    pictures = np.any(plain != BACKGROUND, axis=-1)
    assert np.array_equal(worded[pictures], plain[pictures])


def test_a_long_caption_stops_before_its_neighbour():
    images = [noise(256, 256, seed) for seed in range(2)]
    sheet = panel([Tile(images[0], 30 * "too long "), Tile(images[1], "")], "")
    (x, y), (neighbour, _) = [position(image, sheet) for image in images]
    assert np.all(sheet[y:, x + 256 : neighbour] == BACKGROUND)
    assert np.any(sheet[y + 256 :, x : x + 256] != BACKGROUND)


def test_only_the_tile_that_asks_gets_a_legend():
    images = [noise(256, 256, seed) for seed in range(2)]
    without = panel([Tile(image, "") for image in images], "")
    sheet = panel([Tile(images[0], ""), Tile(images[1], "", legend=density_legend)], "")
    neighbour, y = position(images[1], sheet)
    assert sheet.shape[0] > without.shape[0]
    assert np.all(sheet[y + 256 :, :neighbour] == BACKGROUND)
    assert np.any(sheet[y + 256 :, neighbour:] != BACKGROUND)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 300), (300, 1)])
def test_the_thinnest_pictures_have_a_panel_with_room_for_words(height, width):
    sheet = panel([Tile(noise(height, width), "caption", legend=density_legend)], "title")
    assert sheet.shape[1] >= 192
    assert find(enlarged(noise(height, width), 256 if height == width else 1), sheet) is not None


def test_a_panel_of_nothing_is_refused():
    with pytest.raises(ValueError, match="at least one tile"):
        panel([], "title")
