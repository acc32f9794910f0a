"""Drawings of signals: what is drawn stands where it is, and all drawings line up."""

import numpy as np
import pytest

from fieldlens.render.colour import LAYER_COLOURS, density_rgb
from fieldlens.render.curve import (
    SIZE,
    amplitudes_rgb,
    crease_density_rgb,
    curve_rgb,
    residual_rgb,
    strips_rgb,
)

STEP = np.where(np.arange(400) < 200, 0.2, 0.8).astype(np.float32)
EMPTY = np.zeros(0)


def changed(image: np.ndarray, without: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns in which two drawings differ."""
    rows, columns = np.nonzero((image != without).any(-1))
    return rows, columns


def column_of(place: float) -> float:
    """The column of a place on the line, found from two ticks at its ends."""
    _, columns = changed(curve_rgb(STEP, None, [np.array([0.0, 1.0])]), curve_rgb(STEP, None, [EMPTY]))
    return columns.min() + place * (columns.max() - columns.min())


@pytest.mark.parametrize("place", [0.1, 0.4321, 0.75])
def test_ticks_and_dots_stand_at_their_place(place):
    flat = np.full(400, 0.5, np.float32)
    without = curve_rgb(flat, flat, [EMPTY, EMPTY])
    rows, columns = changed(curve_rgb(flat, flat, [EMPTY, np.array([place])]), without)
    assert abs(columns.mean() - column_of(place)) < 1
    dot = rows < rows.max() - 40
    assert dot.any()
    assert abs(columns[dot].mean() - column_of(place)) < 1


def test_layers_have_rows_and_colours_of_their_own():
    places = [np.array([0.3]), np.array([0.6])]
    image = curve_rgb(STEP, None, places)
    for layer in range(2):
        rows, _ = np.nonzero((np.abs(image.astype(int) - LAYER_COLOURS[layer]).max(-1) < 3)[:, 100:])
        other, _ = np.nonzero((np.abs(image.astype(int) - LAYER_COLOURS[1 - layer]).max(-1) < 3)[:, 100:])
        assert len(rows) == 0 or not set(rows) & set(other)


def test_a_higher_value_is_drawn_higher():
    rows, columns = changed(curve_rgb(STEP), curve_rgb(np.full(400, 0.2, np.float32)))
    right = columns > column_of(0.55)
    low = changed(curve_rgb(np.full(400, 0.2, np.float32)), curve_rgb(np.full(400, -9.0, np.float32)))[0]
    assert rows[right].min() < low.min()


@pytest.mark.parametrize("layers", [0, 1, 4, 9])
@pytest.mark.parametrize("n", [8, 4000])
def test_all_drawings_have_one_size_whatever_they_show(layers, n):
    values = np.linspace(-3, 4, n, dtype=np.float32)
    values[2] = np.nan
    creases = [np.linspace(0, 1, 500)] * layers
    shapes = [curve_rgb(values).shape, curve_rgb(values, values, creases).shape, residual_rgb(values, values * 2).shape]
    if layers:
        shapes.append(crease_density_rgb(np.ones((layers, n), np.int64)).shape)
    assert set(shapes) == {(*SIZE, 3)}


def test_amplitudes_fill_from_the_bottom_and_steps_from_the_left():
    share = np.array([[0.0, 0.0], [1.0, 0.0]])  # at the second step the lower frequency is there
    image = amplitudes_rgb([0, 7], [5, 40], share).astype(int)
    blank = amplitudes_rgb([0, 7], [5, 40], np.zeros((2, 2))).astype(int)
    rows, columns = changed(image, blank)
    assert rows.min() == pytest.approx((rows.max() + 1) - (rows.max() + 1 - 8) / 2, abs=2)
    assert columns.min() > SIZE[1] / 2


def test_many_frequencies_and_steps_are_drawn():
    assert amplitudes_rgb(range(900), range(1, 120), np.ones((900, 119))).shape == (*SIZE, 3)


def test_strips_stand_below_one_another_and_blocks_stay_blocks():
    colours = np.zeros((2, 4, 3), np.uint8)
    colours[0, 1], colours[1, 3] = (255, 0, 0), (0, 255, 0)
    image = strips_rgb(colours, ["2-4", "4+"])
    assert image[80, column_of(0.375).__round__()].tolist() == [255, 0, 0]
    assert image[220, column_of(0.875).__round__()].tolist() == [0, 255, 0]
    assert image[80, column_of(0.49).__round__()].tolist() == [255, 0, 0]
    assert image[80, column_of(0.51).__round__()].tolist() == [0, 0, 0]


def test_density_has_the_colours_of_its_scale():
    per_sample = np.zeros((2, 10), np.int64)
    per_sample[1, :] = 10
    image = crease_density_rgb(per_sample)
    none, ten = density_rgb(np.array([[0.0, 10.0]]))[0]
    middle = column_of(0.5).__round__()
    assert image[60, middle].tolist() == none.tolist()
    assert image[220, middle].tolist() == ten.tolist()
