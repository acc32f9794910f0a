"""Mean Hamming distances: against all pairs one by one, pairs drawn as the authors do, and drawings on paper."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fieldlens.analysis import expected_hamming, hamming_means, packed_patterns
from fieldlens.analysis.patterns.hamming_means import mean_distance
from fieldlens.configs.errors import InputError
from tests.support.small_networks import drawn, network_of, pattern_bits

OUT = ([[1.0]], [0.0])
HALVES = drawn(([[1.0, 0.0]], [-0.5]), OUT)  # on right of the middle


def over_all_pairs(bits: np.ndarray, *, distinct: bool = True) -> float:
    """Mean over pairs of one set of points, all of them formed."""
    flat = bits.reshape(-1, bits.shape[-1])
    distances = (flat[:, None] != flat[None]).sum(-1)
    return float(distances.sum() / (len(flat) * (len(flat) - distinct)))


def between(a: np.ndarray, b: np.ndarray) -> float:
    """Mean over pairs of a point of one set and a point of another, all of them formed."""
    return float((a.reshape(-1, 1, a.shape[-1]) != b.reshape(1, -1, b.shape[-1])).sum(-1).mean())


NETWORKS = [("raw", "3x20"), ("fourier:4", "2x13"), ("gaussian:3,features=16", "2x8,leaky_relu")]
SIZES = [(12, 17), (9, 8), (16, 16)]


# --- all pairs, one by one --------------------------------------------------------------------------------------------


@given(st.integers(1, 4), st.integers(2, 9), st.integers(1, 12), st.booleans(), st.integers(0, 2**32 - 1))
def test_counts_give_the_mean_over_all_pairs(sets: int, points: int, neurons: int, distinct: bool, seed: int) -> None:
    bits = np.random.default_rng(seed).random((sets, points, neurons)) > 0.4
    found = mean_distance(bits.sum(1), np.full(sets, points), distinct)
    np.testing.assert_allclose(found, [over_all_pairs(each, distinct=distinct) for each in bits], atol=1e-12)


@pytest.mark.parametrize("distinct", [True, False])
@pytest.mark.parametrize(("height", "width"), SIZES)
@pytest.mark.parametrize(("encoding", "layers"), NETWORKS)
def test_global_means_are_over_all_pairs_of_the_picture(
    encoding: str, layers: str, height: int, width: int, distinct: bool
) -> None:
    network = network_of(encoding, layers, 1)
    found, bits = hamming_means(network, height, width, distinct=distinct), pattern_bits(network, height, width)
    np.testing.assert_allclose(found.global_, [over_all_pairs(layer, distinct=distinct) for layer in bits], rtol=1e-12)
    same = expected_hamming(torch.from_numpy(np.concatenate(bits, -1)).flatten(0, 1), distinct=distinct)
    assert found.global_.sum() == pytest.approx(same.item(), rel=1e-5)
    assert found.distinct == distinct


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_opposite_means_are_over_all_pairs_across_both_diagonals(height: int, width: int) -> None:
    network = network_of("fourier:2", "2x13", 1)
    found = hamming_means(network, height, width, window_px=5)
    down, across = height // 2, width // 2
    for layer, bits in enumerate(pattern_bits(network, height, width)):
        falling = between(bits[:down, :across], bits[down:, across:])
        rising = between(bits[:down, across:], bits[down:, :across])
        assert found.opposite[layer] == pytest.approx((falling + rising) / 2, rel=1e-12)


@pytest.mark.parametrize("distinct", [True, False])
@pytest.mark.parametrize("window", [2, 5, 8, 100])
def test_local_means_are_over_all_pairs_of_each_window(window: int, distinct: bool) -> None:
    network = network_of("fourier:3", "2x13", 1)
    found = hamming_means(network, 12, 17, window_px=window, distinct=distinct)
    rows, columns = found.windows.row_edges, found.windows.column_edges
    assert found.local_per_window.shape == (2, max(1, 12 // window), max(1, 17 // window))
    for layer, bits in enumerate(pattern_bits(network, 12, 17)):
        means = [
            [
                over_all_pairs(bits[top:bottom, left:right], distinct=distinct)
                for left, right in itertools.pairwise(columns)
            ]
            for top, bottom in itertools.pairwise(rows)
        ]
        np.testing.assert_allclose(found.local_per_window[layer], means, rtol=1e-12)
        assert found.local[layer] == pytest.approx(np.mean(means))


@pytest.mark.parametrize("distinct", [True, False])
@pytest.mark.parametrize(("window", "height", "width"), [(2, 9, 11), (5, 9, 11), (6, 9, 11), (7, 5, 11), (50, 4, 6)])
def test_a_map_has_the_mean_over_all_pairs_of_the_window_about_each_pixel(
    window: int, height: int, width: int, distinct: bool
) -> None:
    network = network_of("fourier:3", "2x13", 1)
    found = hamming_means(network, height, width, window_px=window, distinct=distinct, sliding=True)
    assert found.local_map is not None
    high, wide = min(window, height), min(window, width)
    for layer, bits in enumerate(pattern_bits(network, height, width)):
        for y, x in np.ndindex(height, width):
            top = np.clip(y - high // 2, 0, height - high)
            left = np.clip(x - wide // 2, 0, width - wide)
            mean = over_all_pairs(bits[top : top + high, left : left + wide], distinct=distinct)
            assert found.local_map[layer, y, x] == pytest.approx(mean, rel=1e-5)


def test_a_window_over_all_of_the_picture_is_global() -> None:
    found = hamming_means(network_of("raw", "2x16", 0), 10, 14, window_px=14, sliding=True)
    np.testing.assert_allclose(found.local, found.global_)
    assert found.local_map is not None
    np.testing.assert_allclose(found.local_map, np.broadcast_to(found.global_[:, None, None], (2, 10, 14)), rtol=1e-6)


def test_a_few_points_of_many_are_not_lost_to_rounding() -> None:
    # 64 neurons on at all but one of 500 x 500 points: each differs in 2 (n - 1) / n^2 of the pairs
    corner = drawn(([[1.0, 1.0]] * 64, [-0.0025] * 64), ([[1.0] * 64], [0.0]))
    found = hamming_means(corner, 500, 500, window_px=500, distinct=False, sliding=True)
    n = 500 * 500
    assert found.global_[0] == pytest.approx(64 * 2 * (n - 1) / n**2, rel=1e-12)
    assert found.local_map is not None
    assert found.local_map[0, 250, 250] == pytest.approx(64 * 2 * (n - 1) / n**2, rel=1e-5)


# --- pairs drawn as the authors draw them -----------------------------------------------------------------------------

PAIRS = 50_000


def near(found: float, drawn: np.ndarray) -> bool:
    """Whether a mean is within four standard errors of that of a sample."""
    return abs(found - drawn.mean()) < 4 * drawn.std() / len(drawn) ** 0.5


def test_random_pairs_in_random_windows_have_the_mean_of_the_map() -> None:
    network, side, window = network_of("fourier:3", "2x48", 0), 64, 10
    found = hamming_means(network, side, side, window_px=window, sliding=True, distinct=False)
    rng = np.random.default_rng(0)
    corner = rng.integers(0, side - window + 1, (2, PAIRS))
    a, b = (np.array([side, 1]) @ (corner + rng.integers(0, window, (2, PAIRS))) for _ in range(2))
    drawn = packed_patterns(network, side, side).hamming(torch.from_numpy(a), torch.from_numpy(b)).sum(0)
    assert found.local_map is not None
    inside = slice(window // 2, side - window + 1 + window // 2)
    assert near(found.local_map.sum(0)[inside, inside].mean(), drawn)
    assert found.local.sum() == pytest.approx(drawn.mean(), rel=0.1)  # windows side by side are a little larger


@pytest.mark.parametrize(("stride", "gap"), [(1, 0), (1, 5), (2, 5), (3, 6)])
def test_quadrants_leave_out_the_gap_between_them(stride: int, gap: int) -> None:
    network, size = network_of("fourier:3", "2x16", 3), 24
    found = hamming_means(network, size, size, window_px=2 * stride, stride=stride, gap_px=gap)
    out = gap // stride
    for layer, bits in enumerate(pattern_bits(network, size, size)):
        on = bits[stride // 2 :: stride, stride // 2 :: stride]
        first = (len(on) - out) // 2
        low, high = slice(0, first), slice(first + out, None)
        means = between(on[low, low], on[high, high]), between(on[low, high], on[high, low])
        assert found.opposite[layer] == pytest.approx(np.mean(means), rel=1e-12)
    without = hamming_means(network, size, size, window_px=2 * stride, stride=stride)
    np.testing.assert_array_equal(found.local, without.local)
    assert np.isnan(hamming_means(network, size, size, gap_px=size).opposite).all()


def test_random_pairs_of_the_picture_and_of_opposite_quadrants_have_the_exact_means() -> None:
    network, side = network_of("raw", "2x48", 0), 64
    found, patterns = hamming_means(network, side, side), packed_patterns(network, side, side)
    a, b = torch.randint(side**2, (2, PAIRS), generator=torch.Generator().manual_seed(0))
    assert near(found.global_.sum(), patterns.hamming(a, b)[:, a != b].sum(0))
    (ya, xa), (yb, xb) = torch.randint(side // 2, (2, 2, PAIRS), generator=torch.Generator().manual_seed(1))
    rising = torch.arange(PAIRS) % 2 * (side // 2)  # every second pair across the other diagonal
    across = patterns.hamming(ya * side + xa + rising, (yb + side // 2) * side + xb + side // 2 - rising).sum(0)
    assert near(found.opposite.sum(), across)


# --- drawings on paper ------------------------------------------------------------------------------------------------


def test_two_halves_differ_in_half_of_the_pairs_and_across_in_all() -> None:
    found = hamming_means(HALVES, 8, 8, window_px=4, distinct=False)
    assert found.global_.tolist() == [0.5]
    assert found.opposite.tolist() == [1.0]
    assert found.local_per_window.tolist() == [[[0.0, 0.0], [0.0, 0.0]]]
    assert hamming_means(HALVES, 8, 8, window_px=4).global_.tolist() == [0.5 * 64 / 63]


def test_the_map_of_a_crease_is_a_ridge_along_it() -> None:
    found = hamming_means(HALVES, 6, 8, window_px=2, distinct=False, sliding=True)
    assert found.local_map is not None
    np.testing.assert_array_equal(found.local_map[0], np.tile([0, 0, 0, 0, 0.5, 0, 0, 0], (6, 1)))


def test_live_neurons_are_those_that_are_on_somewhere_and_off_somewhere() -> None:
    neurons = [[1.0, 0.0]] * 4, [-0.5, -0.25, 2.0, -2.0]  # two live, one always on, one dead
    found = hamming_means(drawn(neurons, ([[1.0] * 4], [0.0])), 8, 8, distinct=False)
    assert found.live.tolist() == [2]
    assert found.neurons.tolist() == [4]
    assert found.global_.tolist() == [0.5 + 0.375]
    assert found.global_per_live.tolist() == [(0.5 + 0.375) / 2]
    assert found.opposite_per_live.tolist() == [(1.0 + 0.5) / 2]
    assert found.local_per_live.tolist() == found.global_per_live.tolist()  # one window


# --- odd pictures and networks ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("height", "width"), [(1, 9), (9, 1)])
def test_a_line_of_pixels_has_windows_but_no_quadrants(height: int, width: int) -> None:
    network = network_of("raw", "2x16", 0)
    found, bits = hamming_means(network, height, width, window_px=4, sliding=True), pattern_bits(network, height, width)
    np.testing.assert_allclose(found.global_, [over_all_pairs(layer) for layer in bits])
    first = [over_all_pairs(layer.reshape(9, 16)[:4]) for layer in bits]
    np.testing.assert_allclose(found.local_per_window.reshape(2, 2)[:, 0], first)
    assert np.isnan(found.opposite).all()
    assert found.local_map is not None
    np.testing.assert_allclose(found.local_map.reshape(2, 9)[:, 2], first, rtol=1e-6)


@pytest.mark.parametrize(("window", "stride"), [(1, 1), (4, 4)])
def test_distinct_pairs_need_two_samples_in_a_window(window: int, stride: int) -> None:
    with pytest.raises(InputError, match="distinct pairs need two"):
        hamming_means(HALVES, 8, 8, window_px=window, stride=stride)
    found = hamming_means(HALVES, 8, 8, distinct=False, window_px=window, stride=stride)
    assert found.local.tolist() == [0.0]


def test_a_single_pixel_and_a_window_below_one_are_refused() -> None:
    with pytest.raises(InputError, match="a single sample"):
        hamming_means(HALVES, 1, 1)
    with pytest.raises(InputError, match="at least 1 px"):
        hamming_means(HALVES, 8, 8, window_px=0)


@pytest.mark.parametrize(("weight", "bias"), [(0.0, 0.0), (0.0, 1.0), (-1.0, -1.0)])
def test_without_live_neurons_distances_are_zero_and_nothing_is_left_to_divide_by(weight: float, bias: float) -> None:
    found = hamming_means(drawn(([[weight, weight]] * 3, [bias] * 3), ([[1.0] * 3], [0.0])), 8, 8, sliding=True)
    assert (found.global_.tolist(), found.opposite.tolist(), found.local.tolist()) == ([0.0], [0.0], [0.0])
    assert found.local_map is not None
    assert not found.local_map.any()
    assert found.live.tolist() == [0]
    assert np.isnan(found.global_per_live).all()


def test_duplicate_neurons_double_distances_and_not_their_share_of_the_live() -> None:
    once = hamming_means(drawn(([[1.0, 0.4]], [-0.6]), OUT), 16, 16, window_px=5)
    twice = hamming_means(drawn(([[1.0, 0.4]] * 2, [-0.6] * 2), ([[1.0] * 2], [0.0])), 16, 16, window_px=5)
    assert once.local > 0
    np.testing.assert_allclose(twice.local, 2 * once.local)
    np.testing.assert_allclose(twice.local_per_live, once.local_per_live)


def test_strides_and_blocks_of_rows_leave_no_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    network = drawn(([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], [-0.3, -0.6, -0.9]), ([[1.0] * 3], [-0.2]), OUT)
    whole = hamming_means(network, 50, 41, window_px=12, sliding=True)
    monkeypatch.setattr("fieldlens.analysis.networks.sampling.CHUNK_NUMBERS", 1)
    told: list[float] = []
    blocks = hamming_means(network, 50, 41, window_px=12, sliding=True, progress=told.append)
    for name in ("local_per_window", "local_map", "global_", "opposite", "live"):
        np.testing.assert_array_equal(getattr(blocks, name), getattr(whole, name))
    assert told == sorted(set(told))
    assert told[-1] == 1

    every_third = hamming_means(network, 50, 41, window_px=12, stride=3, sliding=True)
    bits = np.concatenate(pattern_bits(network, 50, 41), -1)[np.ix_([*range(1, 50, 3)], [*range(1, 41, 3)])]
    assert every_third.global_.sum() == pytest.approx(over_all_pairs(bits))
    assert every_third.windows.side == 4
    assert every_third.local_per_window[:, 0, 0].sum() == pytest.approx(over_all_pairs(bits[:4, :4]))
    assert every_third.local_map is not None
    assert every_third.local_map.shape == (2, 17, 14)


# --- random networks --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("encoding", "expected"), [("raw:0..1", 218), ("raw:-1..1", 418)])
def test_eight_seeds_of_the_papers_network_differ_by_the_known_mean_between_random_pixels(
    encoding: str, expected: float
) -> None:
    # 210-226 and 408-428 neurons of 4x512 at initialisation, computed independently for two seeds
    found = [hamming_means(network_of(encoding, "4x512", seed), 24, 24).global_.sum() for seed in range(8)]
    assert np.mean(found) == pytest.approx(expected, rel=0.10)
