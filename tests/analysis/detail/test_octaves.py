"""Details of octaves: what levelling takes from them, against least squares."""

import numpy as np
import pytest

from fieldlens.analysis import Detail
from fieldlens.analysis.detail.octaves import octave_waves
from fieldlens.analysis.detail.windows import Windows

WINDOWS = Windows(np.array([0, 5, 6, 15]), np.array([0, 7, 8, 20]), 5)
"""One of them of a single row, one of a single column, one of a single pixel."""


def test_levelling_takes_the_plane_that_fits_each_window_best() -> None:
    values = np.random.default_rng(0).normal(size=(15, 20))
    levelled = Detail(values, WINDOWS, "some").levelled().values
    for row, column in np.ndindex(*WINDOWS.shape):
        here = (
            slice(*WINDOWS.row_edges[row : row + 2].tolist()),
            slice(*WINDOWS.column_edges[column : column + 2].tolist()),
        )
        y, x = np.mgrid[here]
        planes = np.stack([np.ones(x.size), x.ravel(), y.ravel()], 1)
        fitted = planes @ np.linalg.lstsq(planes, values[here].ravel(), rcond=None)[0]
        np.testing.assert_allclose(levelled[here].ravel(), values[here].ravel() - fitted, atol=1e-12)


def test_a_plane_is_no_detail_and_the_rest_stays_as_it_is() -> None:
    y, x = np.mgrid[:15, :20]
    assert np.abs(Detail(3.0 + 2 * x - y, WINDOWS, "some").levelled().values).max() < 1e-12
    once = octave_waves(40, 33, band=0)[0].levelled()
    np.testing.assert_allclose(once.levelled().values, once.values, atol=1e-12)
    assert once.label == "2-4 px"


def test_edges_of_windows_cut_waves_so_that_these_are_not_level() -> None:
    """16 px hold 5.66 waves of 2^1.5 px, and the 0.66 of a wave has a mean."""
    (wave, *_) = octave_waves(16, 16, band=0)
    mean = np.cos(2 * np.pi * (np.arange(16) + 0.5) / 2**1.5).mean()
    assert wave.values.mean() == pytest.approx(mean)
    assert abs(mean) > 0.01
    assert wave.levelled().energy < 0.999 * wave.energy
