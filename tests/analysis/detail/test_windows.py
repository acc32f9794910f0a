"""Windows cover the picture once, maps of any stride fall into the right ones, and energies are local means."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldlens.analysis.detail.bands import band_picture, spectrum
from fieldlens.analysis.detail.windows import FLOOR_SHARE, window_energies, window_slopes, windows_of, windows_of_side
from fieldlens.configs.errors import InputError


@given(st.integers(1, 200), st.integers(1, 200), st.integers(0, 2))
def test_windows_cover_every_pixel_once_and_are_never_smaller_than_their_side(height, width, band):
    windows = windows_of(height, width, band)
    for edges, size in ((windows.row_edges, height), (windows.column_edges, width)):
        assert (edges[0], edges[-1]) == (0, size)
        assert np.diff(edges).min() >= min(windows.side, size)
        assert np.diff(edges).max() < 2 * windows.side


@given(st.integers(1, 200), st.integers(1, 200), st.integers(1, 90), st.integers(1, 9))
def test_windows_of_samples_cover_every_sample_once(height, width, side, stride):
    windows = windows_of_side(height, width, side, stride)
    samples = [len(range(0, size, stride)) for size in (height, width)]
    assert windows.areas.sum() == samples[0] * samples[1]
    assert windows.areas.shape == windows.shape == tuple(max(1, size // windows.side) for size in samples)
    assert windows.side == max(1, side // stride)


@pytest.mark.parametrize(("band", "side", "block"), [(0, 16, 64), (1, 32, 64), (2, 64, 128), (3, 128, 256)])
def test_sides_are_four_wavelengths_and_blocks_two_windows_and_64_px(band, side, block):
    windows = windows_of(512, 512, band)
    assert (windows.side, windows.block_side) == (side, block)
    assert windows.shape == (512 // side, 512 // side)
    assert windows.blocks().max() + 1 == (512 // block) ** 2


@given(st.integers(1, 300), st.integers(1, 300))
def test_blocks_are_rectangles_of_at_least_64_px_where_the_picture_is_large_enough(height, width):
    windows = windows_of(height, width, 0)
    blocks = windows.blocks()
    assert sorted(set(blocks.ravel())) == list(range(blocks.max() + 1))
    pixels = windows.spread(blocks.astype(float))
    assert pixels.shape == (height, width)
    for block in range(blocks.max() + 1):
        rows, columns = np.nonzero(pixels == block)
        extent = np.ptp(rows) + 1, np.ptp(columns) + 1
        assert extent[0] * extent[1] == len(rows)
        assert extent[0] >= min(64, height)
        assert extent[1] >= min(64, width)


@pytest.mark.parametrize("size", [(128, 96), (130, 77), (16, 16), (5, 40), (1, 1)])
@pytest.mark.parametrize("stride", [1, 2, 3, 7, 16])
def test_a_map_of_any_stride_gives_the_means_of_what_it_samples(size, stride):
    height, width = size
    windows = windows_of(height, width, 0)
    ramp = np.add.outer(np.arange(height), 2 * np.arange(width)).astype(np.float32)
    rows, columns = (np.minimum(np.arange(0, n, stride) + stride // 2, n - 1) for n in size)
    sampled = windows.mean_of_map(ramp[np.ix_(rows, columns)])
    np.testing.assert_allclose(sampled, windows.mean_of_map(ramp), atol=3 * stride)
    looped = [
        [ramp[r0:r1, c0:c1].mean() for c0, c1 in zip(windows.column_edges, windows.column_edges[1:], strict=False)]
        for r0, r1 in zip(windows.row_edges, windows.row_edges[1:], strict=False)
    ]
    np.testing.assert_allclose(windows.mean_of_map(ramp), looped, rtol=1e-6)


def test_a_map_of_another_picture_is_refused():
    with pytest.raises(InputError, match="a density map of 50x30 does not belong to a picture of 64x64"):
        windows_of(64, 64, 0).mean_of_map(np.ones((30, 50)))


def test_a_map_too_coarse_for_the_windows_is_refused():
    with pytest.raises(InputError, match="stride of at most 16"):
        windows_of(128, 128, 0).mean_of_map(np.ones((4, 4)))


def test_energies_of_windows_average_to_those_of_the_band():
    rng = np.random.default_rng(0)
    y, f = (band_picture(spectrum(rng.random((100, 70), np.float32)), 0) for _ in range(2))
    windows = windows_of(100, 70, 0)
    e = window_energies(y, f, windows, rounding=0.0)
    areas = np.outer(np.diff(windows.row_edges), np.diff(windows.column_edges))
    for energy, picture in ((e.target, y * y), (e.reconstruction, f * f), (e.residual, (y - f) ** 2), (e.cross, y * f)):
        assert (energy * areas).sum() / areas.sum() == pytest.approx(picture.mean(dtype=np.float64), rel=1e-5)
    np.testing.assert_allclose(e.residual, e.target + e.reconstruction - 2 * e.cross, rtol=1e-6)


def test_windows_with_next_to_no_detail_are_divided_by_the_floor():
    y = np.zeros((32, 32), np.float32)
    y[:16, :16] = 0.4
    e = window_energies(y, y + 0.02, windows_of(32, 32, 0), rounding=1e-6)
    floor = FLOOR_SHARE * 0.4**2 / 4
    assert e.floor == pytest.approx(floor)
    np.testing.assert_allclose(e.missing_fraction, [[0.02**2 / 0.4**2, 1], [1, 1]], rtol=1e-3)
    assert window_energies(y, y, windows_of(32, 32, 0), rounding=0.5).floor == 0.5


def test_the_slope_of_a_plane_is_the_same_in_every_window():
    y, x = np.indices((70, 50))
    slopes = window_slopes((3 * x + 4 * y).astype(np.float32), windows_of(70, 50, 0))
    # the last row and column have no next pixel
    assert slopes[:-1, :-1] == pytest.approx(5)
    assert (slopes <= 5 + 1e-9).all()
    assert window_slopes(np.ones((1, 1), np.float32), windows_of(1, 1, 0)).item() == 0
