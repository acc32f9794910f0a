"""Crossings: against drawings on paper, brute force, and the means of many random networks."""

import dataclasses
import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fieldlens.analysis import crossings, crossings_along, expected_hamming, refined_crossings
from fieldlens.analysis.creases.crossings import starting_refinement
from fieldlens.analysis.networks.sampling import lattice_axis
from fieldlens.analysis.patterns.packed_patterns import as_words, count_on, hamming
from tests.support.small_networks import drawn, network_of

# --- patterns ---------------------------------------------------------------------------------------------------------


@given(st.integers(1, 12), st.integers(1, 2100), st.integers(0, 2**32 - 1))
def test_packed_counts_are_plain_counts(points: int, neurons: int, seed: int) -> None:
    bits = torch.rand(points, neurons, generator=torch.Generator().manual_seed(seed)) > 0.3
    assert torch.equal(count_on(as_words(bits)).long(), bits.sum(-1))
    assert torch.equal(hamming(as_words(bits), as_words(bits.flip(0))).long(), (bits ^ bits.flip(0)).sum(-1))


def test_counts_do_not_overflow_at_any_width() -> None:
    assert count_on(as_words(torch.ones(2, 16384, dtype=torch.bool))).tolist() == [16384, 16384]


@given(st.integers(2, 9), st.integers(1, 20), st.integers(0, 2**32 - 1))
def test_expected_hamming_is_the_mean_over_all_pairs(points: int, neurons: int, seed: int) -> None:
    bits = torch.rand(points, neurons, generator=torch.Generator().manual_seed(seed)) > 0.4
    ordered = [int((a ^ b).sum()) for a, b in itertools.product(bits, repeat=2)]
    distinct = [int((a ^ b).sum()) for a, b in itertools.combinations(bits, 2)]
    assert expected_hamming(bits, distinct=False).item() == pytest.approx(np.mean(ordered), abs=1e-5)
    assert expected_hamming(bits).item() == pytest.approx(np.mean(distinct), abs=1e-5)


def test_a_single_point_makes_no_distinct_pair() -> None:
    with pytest.raises(ValueError, match="at least 2 points"):
        expected_hamming(torch.ones(1, 4, dtype=torch.bool))


# --- the lattice ------------------------------------------------------------------------------------------------------


@given(st.sets(st.integers(0, 30), min_size=1), st.integers(1, 5))
def test_each_pixel_owns_its_steps_and_weighs_its_samples_to_one(pixels: set[int], refine: int) -> None:
    axis = lattice_axis(torch.tensor(sorted(pixels)), refine)
    torch.testing.assert_close(axis.steps.sum(1), torch.full((len(pixels),), float(refine)))
    torch.testing.assert_close(axis.nodes.sum(1), torch.ones(len(pixels)))
    centres = axis.nodes.double() @ axis.positions
    torch.testing.assert_close(centres, torch.tensor(sorted(pixels)).double() + 0.5)


# --- drawings on paper ------------------------------------------------------------------------------------------------


def test_a_vertical_crease_is_met_once_in_each_row_and_never_in_a_column() -> None:
    network = drawn(([[1.0, 0.0]], [-0.3]), ([[1.0]], [0.0]))  # z = x - 0.3: column 2 of 8, at 2.4 pixels
    found = crossings(network, 8, 8)
    expected = np.zeros((8, 8))
    expected[:, 2] = 1
    np.testing.assert_array_equal(found.per_pixel[0, 0], expected)
    np.testing.assert_array_equal(found.per_pixel[1, 0], np.zeros((8, 8)))
    np.testing.assert_allclose(found.per_pixel[2, 0], expected / math.sqrt(2), rtol=1e-6)
    np.testing.assert_allclose(found.per_pixel[3, 0], expected / math.sqrt(2), rtol=1e-6)


def test_a_diagonal_crease_is_met_by_the_other_diagonal_alone() -> None:
    network = drawn(([[1.0, -1.0]], [0.0]), ([[1.0]], [0.0]))  # z = x - y
    along_diagonal, along_antidiagonal = crossings(network, 6, 6).per_pixel[2:, 0]
    np.testing.assert_array_equal(along_diagonal, 0)
    np.testing.assert_allclose(np.diag(along_antidiagonal), 1 / math.sqrt(2), rtol=1e-6)


def test_a_deep_neuron_creases_only_where_the_neuron_before_it_is_on() -> None:
    # h1 = relu(x - 0.5), h2 = relu(y); z2 = h2 - 4 h1 - 0.255: level at y = 0.255, bent upwards right of x = 0.5
    network = drawn(([[1.0, 0.0], [0.0, 1.0]], [-0.5, 0.0]), ([[-4.0, 1.0]], [-0.255]), ([[1.0]], [0.0]))

    def meets(x: float) -> list[int]:
        return crossings_along(network, (x, 0.0), (x, 1.0), 100)[1].nonzero()[0].tolist()

    assert meets(0.2) == [25]
    assert meets(0.6) == [65]  # 0.255 + 4 * 0.1
    assert meets(0.7) == []  # beyond the edge of the picture: 0.255 + 4 * 0.2 = 1.055


def test_dead_and_always_on_neurons_are_told_from_live_ones() -> None:
    network = drawn(([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [0.0, 0.0]], [-0.5, 2.0, -2.0, 0.0]), ([[1.0] * 4], [0.0]))
    found = crossings(network, 8, 8)
    assert (found.dead.tolist(), found.always_on.tolist(), found.live.tolist()) == ([2], [1], [1])


def test_an_undrawn_crease_between_samples_is_found_by_shorter_steps() -> None:
    # a strip of 0.01 between two creases lies within one step of 1/16 and cancels there
    strip = dataclasses.replace(drawn(([[1.0, 0.0]], [-0.005]), ([[1.0]], [0.0])), encode=lambda x: (x - 0.53).abs())
    assert crossings(strip, 16, 16).per_pixel.sum() == 0
    assert crossings(strip, 16, 16, refine=16).per_pixel[0].sum() == pytest.approx(32)


# --- size, strides, tiles ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 9), (9, 1), (5, 3)])
def test_every_picture_has_a_map_of_its_size(height: int, width: int) -> None:
    found = crossings(network_of("raw", "2x16", 0), height, width)
    assert found.per_pixel.shape == (4, 2, height, width)
    assert np.isfinite(found.crofton).all()


def test_tiles_leave_no_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    network = network_of("fourier:3", "2x16", 0)
    whole = crossings(network, 20, 33, refine=2)
    monkeypatch.setattr("fieldlens.analysis.networks.sampling.CHUNK_NUMBERS", 1)
    np.testing.assert_allclose(crossings(network, 20, 33, refine=2).per_pixel, whole.per_pixel, atol=0.26)
    different = (crossings(network, 20, 33, refine=2).per_pixel != whole.per_pixel).mean()
    assert different < 0.01  # fp32 products may round a sign differently in a batch of another size


def test_a_stride_leaves_out_pixels_and_changes_none() -> None:
    network = network_of("fourier:3", "2x16", 0)
    every = crossings(network, 21, 34, refine=2).per_pixel
    some = crossings(network, 21, 34, refine=2, stride=4)
    rows, columns = [2, 6, 10, 14, 18, 20], [2, 6, 10, 14, 18, 22, 26, 30, 33]
    np.testing.assert_allclose(some.per_pixel, every[:, :, rows][..., columns], atol=0.26)


def test_progress_rises_to_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fieldlens.analysis.networks.sampling.CHUNK_NUMBERS", 1)
    told: list[float] = []
    crossings(network_of("raw", "2x16", 0), 30, 30, progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 1


# --- random networks --------------------------------------------------------------------------------------------------


def test_raw_crossings_per_unit_length_do_not_depend_on_the_resolution() -> None:
    network = network_of("raw:0..1", "4x128", 0)
    per_unit = [crossings(network, side, side).per_pixel[0].sum(0).mean() * side for side in (32, 64, 128)]
    np.testing.assert_allclose(per_unit, per_unit[-1], rtol=0.02)


def test_eight_seeds_of_the_papers_network_have_the_known_mean_crossings_and_dead_neurons() -> None:
    # science: 401-465 crossings per unit along x for raw 4x512 on [0, 1], 591-655 dead; 315-358 dead on [-1, 1]
    def means(encoding: str) -> tuple[float, float]:
        found = [crossings(network_of(encoding, "4x512", seed), 40, 40) for seed in range(8)]
        per_unit = [each.per_pixel[0].sum(0).mean() * 40 for each in found]
        return float(np.mean(per_unit)), float(np.mean([each.dead.sum() for each in found]))

    along_x, dead = means("raw:0..1")
    assert along_x == pytest.approx(420, rel=0.10)
    assert dead == pytest.approx(632, rel=0.05)
    _, dead = means("raw:-1..1")
    assert dead == pytest.approx(329, rel=0.05)


def test_more_octaves_cross_more_in_the_known_proportion() -> None:
    # science 3.4 at initialisation: 5.5e3 crossings per unit along x for four octaves
    per_unit = [
        crossings_along(network_of("fourier:4", "4x512", seed), (0.0, 0.37), (1.0, 0.37), 1024).sum()
        for seed in range(8)
    ]
    assert np.mean(per_unit) == pytest.approx(5536, rel=0.10)


# --- refinement -------------------------------------------------------------------------------------------------------


def test_refinement_starts_at_two_to_the_octaves_beyond_the_grid() -> None:
    assert [starting_refinement(2.0 ** (octaves - 2), 256) for octaves in (4, 7, 8, 9, 10)] == [1, 1, 2, 4, 8]


def test_refinement_stops_when_halving_the_steps_finds_less_than_the_tolerance() -> None:
    network = network_of("fourier:5", "2x32", 0)
    found = refined_crossings(network, 32, 32, tolerance=0.02)
    assert found.refine >= 2
    assert found.undercount is not None
    assert 0 <= found.undercount < 0.02
    assert crossings(network, 32, 32).per_pixel.sum() < found.per_pixel.sum()


def test_refinement_that_runs_out_says_what_remains() -> None:
    found = refined_crossings(network_of("fourier:8", "2x32", 0), 16, 16, max_refine=2)
    assert found.refine <= 2
    assert found.undercount is not None
    assert found.undercount > 0.05
