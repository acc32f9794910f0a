"""Distinct patterns: against unique rows of bits, drawings on paper, and the exact cells of raw networks."""

import dataclasses
import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from fieldlens.analysis import ReluNetwork, distinct_patterns, pattern_curve
from fieldlens.analysis.partition.exact_cells import count_cells
from fieldlens.analysis.patterns.distinct_patterns import connected_cells
from fieldlens.analysis.patterns.packed_patterns import pattern_hash
from fieldlens.configs.errors import InputError
from tests.support.small_networks import drawn, network_of, pattern_bits

OUT = ([[1.0]], [0.0])


def unique_rows(*bits: np.ndarray) -> int:
    return len(np.unique(np.concatenate([each.reshape(-1, each.shape[-1]) for each in bits], 1), axis=0))


NETWORKS = [
    ("raw", "4x32"),
    ("raw:0..1", "2x128"),
    ("fourier:2", "3x19"),
    ("fourier:4", "1x8"),
    ("gaussian:3,features=16", "2x16,leaky_relu"),
    ("hashgrid:4,finest=40", "2x24"),
]


@pytest.mark.parametrize(("encoding", "layers"), NETWORKS)
def test_distinct_patterns_are_unique_rows_of_bits(encoding: str, layers: str) -> None:
    network = network_of(encoding, layers, 3)
    found, bits = distinct_patterns(network, 37, 53), pattern_bits(network, 37, 53)
    assert found.count == unique_rows(*bits)
    assert found.count_per_layer.tolist() == [unique_rows(layer) for layer in bits]
    assert found.count_up_to_layer.tolist() == [unique_rows(*bits[: i + 1]) for i in range(len(bits))]
    assert (found.samples, found.unique_share) == (37 * 53, found.count / (37 * 53))


@pytest.mark.parametrize(("window", "shape"), [(7, (5, 7)), (16, (2, 3)), (40, (1, 1)), (1000, (1, 1)), (4, (9, 13))])
def test_windows_are_counted_by_themselves(window: int, shape: tuple[int, int]) -> None:
    network = network_of("fourier:2", "2x10", 0)
    found, bits = (
        distinct_patterns(network, 37, 53, window_px=window),
        np.concatenate(pattern_bits(network, 37, 53), -1),
    )
    assert found.count_per_window.shape == shape
    for row, column in np.ndindex(*shape):
        top, bottom = found.windows.row_edges[row : row + 2]
        left, right = found.windows.column_edges[column : column + 2]
        assert found.count_per_window[row, column] == unique_rows(bits[top:bottom, left:right])
        share = found.count_per_window[row, column] / ((bottom - top) * (right - left))
        assert found.unique_share_per_window[row, column] == share


def test_a_stride_counts_every_stride_th_pixel_and_windows_in_pixels() -> None:
    network = network_of("fourier:3", "2x12", 0)
    found = distinct_patterns(network, 40, 40, stride=4, window_px=20)
    bits = np.concatenate(pattern_bits(network, 40, 40), -1)[2::4, 2::4]
    assert found.count == unique_rows(bits)
    assert found.count_per_window[0, 1] == unique_rows(bits[:5, 5:])


def test_hashes_whose_first_halves_clash_are_told_apart_by_the_second(monkeypatch: pytest.MonkeyPatch) -> None:
    network = network_of("raw", "2x16", 0)
    whole = distinct_patterns(network, 30, 30)

    def clashing(on: torch.Tensor, keys: torch.Tensor) -> torch.Tensor:
        return pattern_hash(on, keys) * torch.tensor([0, 1])

    monkeypatch.setattr("fieldlens.analysis.patterns.distinct_patterns.pattern_hash", clashing)
    clashed = distinct_patterns(network, 30, 30)
    assert 1 < clashed.count == whole.count
    assert clashed.cells == whole.cells


# --- drawings on paper ------------------------------------------------------------------------------------------------


def test_two_creases_that_cross_make_four_patterns_and_four_cells() -> None:
    found = distinct_patterns(drawn(([[1.0, 0.0], [0.0, 1.0]], [-0.3, -0.6]), ([[1.0, 1.0]], [0.0])), 16, 16)
    assert (found.count, found.cells) == (4, 4)
    assert found.count_per_layer.tolist() == [4]


def test_two_creases_side_by_side_make_three() -> None:
    found = distinct_patterns(drawn(([[1.0, 0.0], [1.0, 0.0]], [-0.3, -0.6]), ([[1.0, 1.0]], [0.0])), 16, 16)
    assert (found.count, found.cells) == (3, 3)


def test_three_lines_in_general_position_make_seven_cells() -> None:
    lines = [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], [-0.3, -0.3, -1.1]  # x = 0.3, y = 0.3, x + y = 1.1: all meet inside
    found = distinct_patterns(drawn(lines, ([[1.0] * 3], [0.0])), 32, 32)
    assert (found.count, found.cells) == (7, 7)


def test_a_deeper_neuron_cuts_only_where_the_first_is_on() -> None:
    # h1 = relu(x - 0.5); z2 = h1 - 0.2: patterns off-off, on-off, on-on in stripes
    found = distinct_patterns(drawn(([[1.0, 0.0]], [-0.5]), ([[1.0]], [-0.2]), OUT), 10, 10)
    assert found.count_per_layer.tolist() == [2, 2]
    assert found.count_up_to_layer.tolist() == [2, 3]
    assert (found.count, found.cells) == (3, 3)


def test_under_an_encoding_one_pattern_may_be_in_several_places() -> None:
    def encode(x: torch.Tensor) -> torch.Tensor:
        return torch.cos(2 * math.pi * x[:, :1])  # above zero in the outer quarters of the picture, below between them

    def no_tangents(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        raise NotImplementedError

    network = ReluNetwork(encode, no_tangents, (torch.ones(1, 1), torch.ones(1, 1)), (torch.zeros(1), torch.zeros(1)))
    found = distinct_patterns(network, 8, 8)
    assert (found.count, found.cells) == (2, 3)


# --- connected cells --------------------------------------------------------------------------------------------------


def components(pattern: np.ndarray) -> int:
    """Connected components of each number, one number at a time."""
    return sum(int(np.max(ndimage.label(pattern == number)[0])) for number in np.unique(pattern))  # type: ignore[index]


@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_connected_cells_are_components_of_each_pattern(rows: int, columns: int, patterns: int, seed: int) -> None:
    pattern = np.random.default_rng(seed).integers(0, patterns, (rows, columns))
    assert connected_cells(pattern) == components(pattern)


def test_a_network_under_an_encoding_has_more_cells_than_patterns() -> None:
    network = network_of("fourier:3", "1x6", 0)
    found, bits = distinct_patterns(network, 48, 48), pattern_bits(network, 48, 48)[0]
    _, pattern = np.unique(bits.reshape(-1, 6), axis=0, return_inverse=True)
    pattern = pattern.reshape(48, 48)
    assert found.cells == components(pattern)
    assert found.cells > found.count


# --- against exact cells ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layers", ["1x16", "3x8", "2x32"])
def test_a_raw_network_has_at_least_as_many_cells_as_patterns_were_found(layers: str) -> None:
    network = network_of("raw", layers, 0)
    exact = count_cells(network)
    coarse, fine = (distinct_patterns(network, side, side) for side in (16, 128))
    assert coarse.count < fine.count <= exact.count
    assert fine.count > 0.8 * exact.count
    assert (fine.count_up_to_layer <= np.array(exact.count_per_layer)).all()


def test_a_curve_levels_off_at_the_exact_number_of_cells() -> None:
    network = network_of("raw", "2x8", 0)
    curve = pattern_curve(network, 128, 128, refine=4)
    assert curve.converged
    assert curve.caveat is None
    assert 0 <= curve.growth < 0.05
    assert 0.95 * count_cells(network).count <= curve.counts[-1] <= count_cells(network).count


# --- saturation and curves --------------------------------------------------------------------------------------------


def test_a_count_near_the_number_of_samples_says_so() -> None:
    found = distinct_patterns(network_of("fourier:7", "2x64", 0), 24, 24)
    assert found.saturated
    assert found.caveat is not None
    assert f"{found.count:,} distinct patterns in 576 samples" in found.caveat


def test_saturation_begins_above_three_fifths() -> None:
    # eight stripes in ten samples, then in fifteen
    lines = [[1.0, 0.0]] * 7, [-0.11, -0.21, -0.31, -0.41, -0.51, -0.61, -0.71]
    network = drawn(lines, ([[1.0] * 7], [0.0]))
    at = [distinct_patterns(network, 1, 10), distinct_patterns(network, 2, 10)]
    assert [(found.count, found.saturated) for found in at] == [(8, True), (8, False)]
    assert at[1].caveat is None
    assert not dataclasses.replace(at[1], count=12).saturated  # 12 of 20 are 60 %, and not more
    assert dataclasses.replace(at[1], count=13).saturated


def test_a_curve_ends_at_the_count_of_all_pixels_and_never_falls() -> None:
    network = network_of("fourier:3", "2x12", 0)
    curve = pattern_curve(network, 50, 33, densities=4)
    assert curve.spacing_px.tolist() == [8, 4, 2, 1]
    assert curve.samples.tolist() == [7 * 5, 13 * 9, 25 * 17, 50 * 33]
    assert curve.counts[-1] == distinct_patterns(network, 50, 33).count
    assert (np.diff(curve.counts) >= 0).all()
    bits = np.concatenate(pattern_bits(network, 50, 33), -1)
    assert curve.counts.tolist() == [unique_rows(bits[::step, ::step]) for step in (8, 4, 2, 1)]


def test_a_saturated_curve_has_not_converged_and_says_by_how_much_it_grew() -> None:
    curve = pattern_curve(network_of("fourier:8", "4x64", 0), 32, 32)
    assert curve.counts.tolist() == curve.samples.tolist()
    assert curve.growth == 3
    assert not curve.converged
    assert curve.caveat is not None
    assert "to 1 px, still raised the number of distinct patterns by 300 %" in curve.caveat


def test_a_refined_curve_goes_below_a_pixel() -> None:
    curve = pattern_curve(network_of("raw", "1x8", 0), 8, 8, refine=4, densities=3)
    assert curve.spacing_px.tolist() == [1, 0.5, 0.25]
    assert curve.samples.tolist() == [64, 256, 1024]


# --- odd pictures and networks ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 9), (9, 1), (5, 3)])
def test_every_picture_has_patterns(height: int, width: int) -> None:
    network = network_of("raw", "2x16", 0)
    found, bits = distinct_patterns(network, height, width), pattern_bits(network, height, width)
    assert found.count == unique_rows(*bits) <= found.cells <= found.samples
    assert pattern_curve(network, height, width).counts[-1] == found.count


def test_a_single_pixel_has_no_curve_to_speak_of() -> None:
    curve = pattern_curve(network_of("raw", "2x16", 0), 1, 1)
    assert curve.counts.tolist() == [1]
    assert math.isnan(curve.growth)
    assert not curve.converged
    assert curve.caveat is not None


@pytest.mark.parametrize(("weight", "bias"), [(0.0, 0.0), (0.0, 1.0), (0.0, -1.0), (-1.0, -1.0)])
def test_without_creases_there_is_one_pattern(weight: float, bias: float) -> None:
    found = distinct_patterns(drawn(([[weight, weight]] * 3, [bias] * 3), ([[1.0] * 3], [0.0])), 12, 12)
    assert (found.count, found.cells) == (1, 1)
    assert (found.count_per_window == 1).all()
    curve = pattern_curve(drawn(([[weight, weight]], [bias]), OUT), 12, 12)
    assert curve.converged
    assert curve.growth == 0


def test_duplicate_neurons_add_no_pattern() -> None:
    once = distinct_patterns(drawn(([[1.0, 0.4]], [-0.6]), OUT), 16, 16)
    twice = distinct_patterns(drawn(([[1.0, 0.4]] * 2, [-0.6] * 2), ([[1.0] * 2], [0.0])), 16, 16)
    assert once.count == twice.count == 2


def test_a_window_below_a_pixel_is_refused() -> None:
    with pytest.raises(InputError, match="at least 1 px"):
        distinct_patterns(network_of("raw", "1x4", 0), 8, 8, window_px=0)


def test_progress_rises_to_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fieldlens.analysis.networks.sampling.CHUNK_NUMBERS", 1)
    for measure in (distinct_patterns, pattern_curve):
        told: list[float] = []
        measure(network_of("raw", "2x16", 0), 30, 30, progress=told.append)
        assert len(told) > 2
        assert all(a < b for a, b in itertools.pairwise(told))
        assert told[-1] == 1
