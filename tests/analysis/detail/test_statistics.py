"""Rank correlations against SciPy and against regression on ranks; the bootstrap against a plain loop."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm, rankdata, spearmanr, t

from fieldlens.analysis.detail import statistics
from fieldlens.analysis.detail.statistics import (
    MIN_PICTURES,
    block_bootstrap,
    over_pictures,
    partial_rank_correlation,
    picture_draws,
    rank_correlation,
    share_in_lowest_quarter,
)


def samples(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """a and b that go together beyond what both have from c; few distinct values, so that there are ties."""
    rng = np.random.default_rng(seed)
    c, shared = rng.normal(size=(2, n))
    a = c + shared + rng.normal(size=n)
    b = 2 * c - 0.7 * shared + rng.normal(size=n)
    return np.round(a, 1), np.round(b, 1), np.round(c, 1)


@given(st.lists(st.integers(0, 5), min_size=3, max_size=30), st.randoms(use_true_random=False))
def test_rank_correlation_is_that_of_scipy_ties_included(values, random):
    a = np.array(values, float)
    b = np.array([random.randint(0, 5) for _ in values], float)
    ours = rank_correlation(a, b)
    if len(set(a)) == 1 or len(set(b)) == 1:
        assert ours is None
    else:
        assert ours == pytest.approx(np.asarray(spearmanr(a, b))[0], abs=1e-12)


def test_the_partial_correlation_is_that_of_what_regression_on_ranks_leaves():
    a, b, c = (rankdata(v) for v in samples(200))
    design = np.stack([np.ones_like(c), c], 1)
    left = [v - design @ np.linalg.lstsq(design, v, rcond=None)[0] for v in (a, b)]
    assert partial_rank_correlation(*samples(200)) == pytest.approx(np.corrcoef(*left)[0, 1], abs=1e-12)


@pytest.mark.parametrize("controls", [1, 2, 6])
def test_given_several_controls_it_is_that_of_the_inverse_of_the_matrix_of_correlations(controls):
    rng = np.random.default_rng(controls)
    given = np.round(rng.normal(size=(controls, 150)), 1)
    mixed = rng.normal(size=(2, controls)) @ given
    a, b = mixed + rng.normal(size=150) + 0.5 * rng.normal(size=(2, 150))
    precision = np.linalg.inv(np.corrcoef([rankdata(values) for values in (a, b, *given)]))
    expected = -precision[0, 1] / np.sqrt(precision[0, 0] * precision[1, 1])
    assert partial_rank_correlation(a, b, given) == pytest.approx(expected, abs=1e-12)
    assert partial_rank_correlation(a, b, given[::-1]) == pytest.approx(expected, abs=1e-12)


def test_controls_that_say_nothing_new_change_nothing():
    a, b, c = samples(60)
    alone = partial_rank_correlation(a, b, c)
    assert partial_rank_correlation(a, b, np.stack([c, np.ones(60), c**3, -c])) == pytest.approx(alone, abs=1e-12)
    assert partial_rank_correlation(a, b, np.empty((0, 60))) == rank_correlation(a, b)


def test_as_many_controls_as_there_are_windows_less_one_leave_nothing_to_correlate():
    values = np.random.default_rng(0).normal(size=(7, 6))
    assert partial_rank_correlation(values[0], values[1], values[2:]) is None
    assert partial_rank_correlation(values[0], values[1], values[2:5]) is not None


def test_a_common_driver_alone_leaves_no_partial_correlation():
    rng = np.random.default_rng(1)
    c = rng.normal(size=5000)
    a, b = c + rng.normal(size=5000), c + rng.normal(size=5000)
    assert rank_correlation(a, b) == pytest.approx(0.48, abs=0.05)
    assert partial_rank_correlation(a, b, c) == pytest.approx(0, abs=0.05)


def test_monotone_changes_of_scale_change_nothing():
    a, b, c = samples(100)
    assert partial_rank_correlation(np.exp(a), b**3, 5 * c - 2) == pytest.approx(partial_rank_correlation(a, b, c))


@pytest.mark.parametrize(
    "case",
    ["constant a", "constant b", "given is b", "one value", "two values"],
)
def test_nothing_left_to_correlate_is_none(case):
    a, b, c = samples(50)
    one = np.ones(50)
    cases = {
        "constant a": (one, b, c),
        "constant b": (a, one, c),
        "given is b": (a, b, b**3),
        "one value": (a[:1], b[:1], c[:1]),
        "two values": (np.array([1.0, 2.0]), np.array([2.0, 1.0]), np.array([0.0, 3.0])),
    }
    assert partial_rank_correlation(*cases[case]) is None


def test_a_constant_condition_leaves_the_plain_correlation():
    a, b, _ = samples(50)
    assert partial_rank_correlation(a, b, np.ones(50)) == pytest.approx(rank_correlation(a, b))


@pytest.mark.parametrize("controls", [1, 3])
def test_weighting_windows_is_repeating_them(controls):
    a, b, c = samples(40)
    if controls > 1:
        c = np.stack([c, *samples(40, seed=1)[:2]])
    blocks = np.arange(40) // 2
    draws = np.random.default_rng(7).multinomial(20, np.full(20, 1 / 20), size=30)
    looped = []
    for draw in draws:
        chosen = np.repeat(np.arange(40), draw[blocks])
        looped.append(partial_rank_correlation(a[chosen], b[chosen], c[..., chosen]))
    quantile = t.ppf(0.975, 19) * np.sqrt(20 / 19)
    expected = np.quantile(looped, [norm.cdf(-quantile), norm.cdf(quantile)])
    interval = block_bootstrap(a, b, c, blocks, seed=7, resamples=30)
    assert interval is not None
    assert (interval.low, interval.high) == pytest.approx(tuple(expected), abs=1e-12)


def test_the_interval_does_not_depend_on_how_many_draws_are_treated_at_once(monkeypatch):
    a, b, c = samples(64)
    whole = block_bootstrap(a, b, c, np.arange(64) // 4, seed=0, resamples=50)
    monkeypatch.setattr(statistics, "_CHUNK_NUMBERS", 500)
    assert block_bootstrap(a, b, c, np.arange(64) // 4, seed=0, resamples=50) == whole


def test_the_same_seed_gives_the_same_interval_and_another_seed_nearly_so():
    a, b, c = samples(1024)
    blocks = np.arange(1024) // 16
    first, again, other = (block_bootstrap(a, b, c, blocks, seed=seed) for seed in (0, 0, 1))
    assert first == again != other
    assert first is not None
    assert other is not None
    assert first.low == pytest.approx(other.low, abs=0.03)


def test_fewer_than_16_blocks_give_no_interval():
    a, b, c = samples(64)
    assert block_bootstrap(a, b, c, np.arange(64) % 15, seed=0) is None
    assert block_bootstrap(a, b, c, np.arange(64) % 16, seed=0) is not None


def test_windows_that_repeat_within_blocks_do_not_make_the_interval_surer():
    a, b, c = samples(64)
    once = block_bootstrap(a, b, c, np.arange(64), seed=0)
    a, b, c, blocks = (np.repeat(v, 9) for v in (a, b, c, np.arange(64)))
    often = block_bootstrap(a, b, c, blocks, seed=0)
    assert once is not None
    assert often is not None
    assert (often.low, often.high) == pytest.approx((once.low, once.high), abs=1e-9)


def test_the_interval_holds_the_truth_about_as_often_as_it_says():
    """16 blocks of 9 windows alike: of 200 independent pictures 95 % should hold zero (sd 1.5 %)."""
    rng = np.random.default_rng(0)
    blocks = np.repeat(np.arange(16), 9)
    held = 0
    for seed in range(200):
        a, b, c = (rng.normal(size=16)[blocks] + 0.5 * rng.normal(size=144) for _ in range(3))
        interval = block_bootstrap(a, b, c, blocks, seed=seed, resamples=300)
        assert interval is not None
        held += interval.low <= 0 <= interval.high
    assert 0.90 <= held / 200 <= 0.99


def test_over_pictures_the_median_is_of_means_over_seeds_and_what_is_undefined_is_left_out():
    found = over_pictures([[0.1, 0.3], [None, None], [-0.4, None], [0.9], []])
    assert found is not None
    assert (found.median, found.below_zero, found.pictures) == (pytest.approx(0.2), pytest.approx(1 / 3), 3)
    assert found.interval is None
    assert over_pictures([[None], []]) is None


def test_draws_of_pictures_and_of_seeds_within_them_spread_as_both_levels_say():
    """Of the mean over pictures: the variance between their means, and within each that over its number of seeds."""
    rng = np.random.default_rng(0)
    pictures = [rng.normal(size=(seeds, 2)) + 2 * rng.normal(size=2) for seeds in (1, 3, 3, 5, 2)]
    drawn = picture_draws(pictures, 40_000, 1).mean(1)
    means = np.stack([values.mean(0) for values in pictures])
    within = np.mean([values.var(0) / len(values) for values in pictures], 0)
    np.testing.assert_allclose(drawn.mean(0), means.mean(0), atol=0.03)
    np.testing.assert_allclose(drawn.var(0), (means.var(0) + within) / 5, rtol=0.05)
    once = np.corrcoef(picture_draws([np.repeat(values[:, :1], 2, 1) for values in pictures], 50, 1).mean(1).T)
    assert once[0, 1] == pytest.approx(1), "numbers of one fit are drawn together"


def test_the_interval_over_pictures_holds_the_median_at_least_as_often_as_it_says():
    """12 pictures of 3 seeds; of 150 such sets 95 % should hold zero (sd 1.8 %), and seeds make it a little wider."""
    rng = np.random.default_rng(0)
    held = 0
    for seed in range(150):
        values = rng.normal(size=(12, 1)) + 0.5 * rng.normal(size=(12, 3))
        found = over_pictures(values.tolist(), seed=seed, resamples=200)
        assert found is not None
        assert found.interval is not None
        held += found.interval.low <= 0 <= found.interval.high
    assert 0.93 <= held / 150 < 1


def test_fewer_than_six_pictures_give_no_interval():
    few = [[float(picture)] for picture in range(MIN_PICTURES - 1)]
    found, more = over_pictures(few), over_pictures([*few, [2.5]])
    assert found is not None
    assert more is not None
    assert found.interval is None
    assert more.interval is not None
    assert more.interval.low <= more.median <= more.interval.high


def test_the_share_in_the_lowest_quarter_of_a_uniform_map_is_a_quarter():
    by = np.random.default_rng(0).permutation(40).astype(float)
    assert share_in_lowest_quarter(np.ones(40), by) == pytest.approx(0.25)
    assert share_in_lowest_quarter(by, by) == pytest.approx(45 / 780)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_ties_and_their_order_do_not_matter_to_the_share(by, random):
    values = [random.random() + 0.1 for _ in by]
    order = list(range(len(by)))
    random.shuffle(order)
    shares = [
        share_in_lowest_quarter(np.array([values[i] for i in o]), np.array([float(by[i]) for i in o]))
        for o in (range(len(by)), order)
    ]
    assert shares[0] == pytest.approx(shares[1])


def test_the_share_of_nothing_is_none():
    assert share_in_lowest_quarter(np.zeros(8), np.arange(8.0)) is None
