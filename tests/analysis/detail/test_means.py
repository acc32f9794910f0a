"""Means with their intervals against SciPy, and against what intervals promise: how often they hold the truth."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from fieldlens.analysis.detail.means import mean_interval, nested_mean


@given(st.lists(st.floats(-100, 100), min_size=3, max_size=9).filter(lambda values: np.std(values) > 1e-3))
def test_the_interval_is_students_as_scipy_has_it(values: list[float]) -> None:
    theirs = stats.t.interval(0.95, len(values) - 1, np.mean(values), stats.sem(values))
    ours = mean_interval(values)
    assert ours is not None
    np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-9)


def test_two_values_have_no_interval() -> None:
    assert mean_interval([1.0, 2.0]) is None


def test_over_three_pictures_the_interval_is_scipys_of_their_means_however_many_seeds_there_are() -> None:
    values = [[30.0, 31.0, 30.5], [24.0, 24.2, 24.1], [27.0, 26.0, 26.8]]
    found = nested_mean(values)
    means = np.mean(values, 1)
    test = stats.ttest_1samp(means, 0).confidence_interval(0.95)
    assert found is not None
    assert found.over == "pictures"
    assert (found.low, found.high) == pytest.approx((test.low, test.high))
    assert nested_mean([[mean] * 100 for mean in means]) is not None
    many = nested_mean([[mean] * 100 for mean in means])
    assert many is not None
    assert (many.low, many.high) == pytest.approx((test.low, test.high)), "seeds are no more pictures"


def test_of_one_picture_the_interval_is_scipys_over_its_seeds() -> None:
    seeds = [30.0, 31.0, 30.2, 29.9]
    found, test = nested_mean([seeds]), stats.ttest_1samp(seeds, 0).confidence_interval(0.95)
    assert found is not None
    assert (found.over, found.between) == ("seeds", None)
    assert (found.low, found.high) == pytest.approx((test.low, test.high))


def test_of_two_pictures_the_interval_is_that_of_the_pooled_test_of_two_samples() -> None:
    """The mean of two pictures' means is half of a + b, and of a - (-b) SciPy has the pooled interval."""
    a, b = [30.0, 31.0, 30.2], [24.0, 24.9, 24.3, 24.4]
    found = nested_mean([a, b])
    test = stats.ttest_ind(a, [-one for one in b]).confidence_interval(0.95)
    assert found is not None
    assert found.over == "seeds"
    assert (found.low, found.high) == pytest.approx((test.low / 2, test.high / 2))


def test_spreads_are_those_between_pictures_and_between_seeds() -> None:
    found = nested_mean([[1.0, 3.0], [5.0, 9.0]])
    assert found is not None
    assert found.between == pytest.approx(np.std([2.0, 7.0], ddof=1))
    assert found.within == pytest.approx(np.sqrt((2.0 + 8.0) / 2))


def test_a_picture_without_numbers_is_left_out_and_too_few_have_no_interval() -> None:
    found = nested_mean([[1.0], [], [3.0]])
    assert found is not None
    assert (found.mean, found.pictures, found.values) == (2.0, 2, 2)
    assert (found.over, found.low, found.within, found.sign) == ("none", None, None, 0)
    assert nested_mean([[], []]) is None


@pytest.mark.parametrize(("pictures", "over"), [(4, "pictures"), (2, "seeds")])
def test_intervals_hold_the_truth_as_often_as_they_say(pictures: int, over: str) -> None:
    """For what they are over: other pictures and seeds, or other seeds of the same pictures."""
    rng = np.random.default_rng(0)
    held, trials = 0, 2000
    for _ in range(trials):
        own = rng.normal(0, 3, pictures)
        found = nested_mean((own[:, None] + rng.normal(0, 1, (pictures, 3))).tolist())
        assert found is not None
        assert found.over == over
        assert found.low is not None
        assert found.high is not None
        truth = 0.0 if over == "pictures" else float(own.mean())
        held += found.low <= truth <= found.high
    assert abs(held / trials - 0.95) < 3.5 * np.sqrt(0.95 * 0.05 / trials)


@pytest.mark.parametrize(("shift", "sign"), [(10.0, 1), (-10.0, -1), (0.0, 0)])
def test_the_sign_is_told_where_the_interval_leaves_zero_out(shift: float, sign: int) -> None:
    found = nested_mean([[shift - 1.0], [shift], [shift + 1.0]])
    assert found is not None
    assert found.sign == sign
