"""Numbers as colours, on scales that never move."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldlens.render.colour import (
    AREA_DENSITY_RANGE,
    DENSITY_RANGE,
    MAGENTA,
    NOTHING_TO_MISS,
    UNBOUNDED,
    area_density_legend,
    area_density_rgb,
    confusion_legend,
    confusion_rgb,
    density_legend,
    density_rgb,
    error_legend,
    error_rgb,
    length_legend,
    length_rgb,
    level_legend,
    level_rgb,
    missing_legend,
    missing_rgb,
    opacity_legend,
    opacity_rgb,
    remaining_legend,
    to_rgb,
)
from fieldlens.render.text import BACKGROUND

# The ends of the maps as matplotlib publishes them, in RGB.
VIRIDIS = (68, 1, 84), (253, 231, 37)
INFERNO = (0, 0, 4), (252, 255, 164)
MAGMA = (0, 0, 4), (252, 253, 191)


def error_of(values):
    """The error map of grey pictures that are off by `values`."""
    return error_rgb(values[..., None], np.zeros_like(values[..., None]))


def constant(*pixel: float) -> np.ndarray:
    return np.full((4, 6, len(pixel)), pixel, np.float32)


def test_bytes_of_a_picture_come_back_as_they_were():
    values = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)
    assert np.array_equal(to_rgb(values.astype(np.float32) / 255), values)


def test_grey_is_shown_in_three_equal_channels():
    assert np.all(to_rgb(constant(0.2)) == 51)


def test_values_beyond_black_and_white_are_clipped():
    assert to_rgb(constant(-1.0, 2.0, np.inf))[0, 0].tolist() == [0, 255, 255]


def test_the_peak_is_white():
    assert to_rgb(constant(8.0, 4.0, 0.0), peak=8.0)[0, 0].tolist() == [255, 128, 0]


def test_an_opaque_picture_hides_the_checkerboard():
    assert np.all(to_rgb(constant(0.2, 0.4, 0.6, 1.0)) == [51, 102, 153])
    assert np.all(to_rgb(constant(0.2, 1.0)) == 51)


def test_a_transparent_picture_shows_a_checkerboard_of_two_quiet_greys():
    shown = to_rgb(np.zeros((64, 64, 4), np.float32))
    assert len(np.unique(shown)) == 2
    assert np.ptp(shown) < 40
    assert not np.array_equal(shown[0, 0], shown[0, 2])  # 32 squares along 64 pixels
    assert np.array_equal(shown[0, 0], shown[2, 2])


def test_premultiplied_colour_is_added_over_what_shows_through():
    behind = to_rgb(np.zeros((8, 8, 4), np.float32)).astype(int)
    half = np.full((8, 8, 4), (0.25, 0.0, 0.5, 0.5), np.float32)
    assert np.abs(to_rgb(half) - (behind / 2 + [63.75, 0, 127.5])).max() <= 1


def test_a_pixel_that_is_not_a_number_is_magenta_and_its_neighbours_are_not():
    values = constant(0.5, 0.5, 0.5)
    values[1, 2, 0] = np.nan
    magenta = (to_rgb(values) == MAGENTA).all(axis=-1)
    assert np.argwhere(magenta).tolist() == [[1, 2]]


def test_five_channels_are_refused():
    with pytest.raises(ValueError, match="1 to 4 channels"):
        to_rgb(np.zeros((2, 2, 5), np.float32))


def test_error_runs_from_none_to_a_quarter_of_the_peak():
    white = constant(8.0, 8.0, 8.0)
    assert tuple(error_rgb(white, white, peak=8.0)[0, 0]) == INFERNO[0]
    assert tuple(error_rgb(white, white - 2.0, peak=8.0)[0, 0]) == INFERNO[1]
    assert tuple(error_rgb(white, white - 4.0, peak=8.0)[0, 0]) == INFERNO[1]


def test_error_is_the_root_mean_square_over_the_channels():
    black = constant(0.0, 0.0, 0.0)
    rms = float(np.sqrt((0.2**2 + 0.1**2) / 3))
    assert np.array_equal(error_rgb(black, constant(0.2, 0.1, 0.0)), error_rgb(black, constant(rms, rms, rms)))


def test_overshoot_that_no_screen_shows_is_no_error():
    assert tuple(error_rgb(constant(1.0, 0.0), constant(1.4, -0.3))[0, 0]) == INFERNO[0]


def test_density_ends_are_the_ends_of_its_map_and_beyond_them_nothing_changes():
    low, high = DENSITY_RANGE
    shown = density_rgb(np.array([[0.0, low / 9, low, high, high * 9]], np.float32))
    assert [tuple(pixel) for pixel in shown[0]] == [VIRIDIS[0]] * 3 + [VIRIDIS[1]] * 2


def test_counts_are_densities_too():
    counts = np.array([[0, 1, 10, 1000]], np.uint16)
    assert np.array_equal(density_rgb(counts), density_rgb(counts.astype(np.float64)))


def test_missing_detail_is_magma_up_to_one_and_a_half_and_grey_where_there_was_none():
    shown = missing_rgb(np.array([[0.0, 1.5, 3.0, np.nan]], np.float32))
    assert [tuple(pixel) for pixel in shown[0]] == [MAGMA[0], MAGMA[1], MAGMA[1], NOTHING_TO_MISS]


def bar_of(legend):
    """The colours of a legend's bar, from its first to the next background."""
    there = (legend[0] != BACKGROUND).any(axis=-1)
    first = np.argmax(there)
    return legend[0, first : first + np.argmin(there[first:])]


@settings(max_examples=30)
@given(st.integers(18, 60), st.integers(192, 900))
def test_the_legend_shows_the_colours_the_map_uses(height, width):
    legend = density_legend(height, width)
    assert legend.shape == (height, width, 3)
    bar = bar_of(legend)
    assert len(bar) > width // 4
    densities = np.geomspace(*DENSITY_RANGE, len(bar))
    assert np.abs(bar.astype(int) - density_rgb(densities[None])[0]).max() <= 8


@pytest.mark.parametrize(
    ("legend", "colours", "values"),
    [
        (error_legend, error_of, (0.0, 0.25)),
        (missing_legend, missing_rgb, (0.0, 1.5)),
        (confusion_legend, confusion_rgb, (-1.0, 1.0)),
        (length_legend, length_rgb, (0.25, 64.0)),
        (remaining_legend, missing_rgb, (0.0, 1.5)),
        (area_density_legend, area_density_rgb, AREA_DENSITY_RANGE),
        (opacity_legend, opacity_rgb, (0.0, 1.0)),
        (partial(level_legend, reach=0.05, unit="sides"), partial(level_rgb, reach=0.05), (-0.05, 0.05)),
    ],
)
def test_legends_begin_and_end_with_the_colours_of_their_maps(legend, colours, values):
    bar = bar_of(legend(36, 360))
    ends = colours(np.array([values]))[0]
    assert (bar[0] == ends[0]).all()
    assert (bar[-1] == ends[1]).all()


@pytest.mark.parametrize("width", [192, 256, 360, 900])
@pytest.mark.parametrize("legend", [density_legend, area_density_legend, opacity_legend, error_legend, missing_legend])
def test_a_bar_stands_off_the_edge_and_its_labels_apart_under_their_ticks(legend, width):
    shown = legend(26, width)
    there = (shown != BACKGROUND).any(axis=-1)
    below = np.argmax(~there[:, np.flatnonzero(there[0])[1]])  # the first row under the bar, beside the tick at 0
    assert not there[0, :2].any(), "nothing begins at the edge"
    ticks = np.flatnonzero(there[below])[:2]  # the first two
    start, beyond = np.flatnonzero(there[0])[[0, -1]]
    assert ticks[0] == start
    unit = beyond + 1 + np.flatnonzero(there[below + 1 :, beyond + 1 :].any(0)).max()
    assert unit <= width
    columns = there[below + 2 :].any(axis=0)
    gaps = np.diff(np.flatnonzero(columns))
    assert gaps.max() >= 4, "labels are apart"
    first = np.flatnonzero(columns)[0]
    end = first + np.flatnonzero(~columns[first:])[0]
    assert abs((first + end) / 2 - start) <= 12, "the first label is in the middle of its tick"


def test_lengths_are_drawn_by_octaves_up_to_infinite_ones_and_none_in_grey() -> None:
    shades = length_rgb(np.array([[0.25, 1.0, 4.0, 16.0, 64.0, np.inf, np.nan]]))[0]
    assert len(np.unique(shades, axis=0)) == 7
    assert tuple(shades[5]) == UNBOUNDED
    everywhere = length_rgb(np.geomspace(0.25, 64, 4000)[None])[0].astype(int)
    assert np.abs(everywhere - UNBOUNDED).sum(-1).min() > 100, "no length that was found looks like it"
    assert (length_legend(36, 500)[0, -12] == UNBOUNDED).all()
    assert (shades[6] == confusion_rgb(np.array([[np.nan]]))[0, 0]).all()
    # from blue to yellow over a grey
    low, middle, high = confusion_rgb(np.array([[-1.0, 0.0, 1.0]]))[0].astype(int)
    assert low[2] > low[0]
    assert high[0] > high[2]
    assert np.ptp(middle) < 10


def test_the_legend_marks_four_decades_below_its_bar():
    legend = density_legend(40, 500)
    first, last = np.flatnonzero((legend[0] != BACKGROUND).any(axis=-1))[[0, -1]]
    below = np.argmax((legend[:, first + 1] == BACKGROUND).all(axis=-1))  # first row under the bar, beside its tick
    ticks = np.flatnonzero((legend[below, : last + 1] != BACKGROUND).any(axis=-1))
    assert ticks.tolist() == pytest.approx(np.linspace(first, last, 4).tolist(), abs=1)


def test_a_reduced_error_map_is_the_mean_square_of_the_full_one() -> None:
    target = np.random.default_rng(0).random((64, 32, 3)).astype(np.float32)
    grey = np.full_like(target, 0.5)
    level = np.sqrt(np.square(target - 0.5).mean())
    reduced = error_rgb(target, grey, size=(1, 1))
    np.testing.assert_array_equal(reduced, error_rgb(np.full((1, 1, 1), 0.5 + level), np.full((1, 1, 1), 0.5)))
