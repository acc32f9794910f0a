"""The search for rates: which are tried, and that the best is taken."""

import math

import pytest

from fieldlens.configs.encoding import Gaussian, Raw
from fieldlens.configs.errors import InputError
from fieldlens.configs.optimizer import Adam, Muon
from fieldlens.configs.run import FitConfig, Training
from fieldlens.fitting import plan_of
from fieldlens.studies.sweeps.tuning import Factors, best_of, tried, tuned_fit
from tests.support.small_fits import noise
from tests.support.sweeps import method


def test_the_default_is_tried_first_and_the_others_are_half_decades_around_it() -> None:
    rates = [one.rate for one in tried(gaussian=False, count=7)]
    assert rates[0] == 1
    assert sorted(math.log10(rate) for rate in rates) == pytest.approx([-1.5, -1, -0.5, 0, 0.5, 1, 1.5], abs=1e-3)
    assert {one.scale for one in tried(gaussian=False, count=7)} == {1}


@pytest.mark.parametrize("count", [1, 2, 5, 25])
def test_every_method_has_as_many_tries_and_none_twice(count: int) -> None:
    for gaussian in (False, True):
        tries = tried(gaussian, count)
        assert len(tries) == len(set(tries)) == count


def test_of_a_gaussian_encoding_the_scale_is_searched_as_well_by_octaves() -> None:
    assert tried(gaussian=True, count=5) == [
        Factors(1.0, 1.0),
        Factors(0.316, 1.0),
        Factors(3.16, 1.0),
        Factors(1.0, 0.5),
        Factors(1.0, 2.0),
    ]


@pytest.mark.parametrize("optimizer", [None, Adam(), Muon(0.01)])
def test_a_factor_multiplies_all_rates_of_a_fit_and_its_scale(optimizer: Adam | Muon | None) -> None:
    config = FitConfig(encoding=Gaussian(5.0), training=Training(steps=8, optimizer=optimizer))
    before = plan_of(config, noise())
    after = tuned_fit(config, noise(), Factors(0.1, 2.0))
    plan = plan_of(after, noise())
    assert plan.learning_rate == pytest.approx(0.1 * before.learning_rate)
    if isinstance(before.optimizer, Muon):
        assert isinstance(plan.optimizer, Muon)
        assert before.optimizer.rate is not None
        assert plan.optimizer.rate == pytest.approx(0.1 * before.optimizer.rate)
    assert after.encoding == Gaussian(10.0)


def test_a_fit_whose_factors_are_one_is_the_same_fit() -> None:
    config = FitConfig(encoding=Raw(), training=Training(steps=8))
    same = tuned_fit(config, noise(), Factors(1.0, 1.0))
    assert plan_of(same, noise()) == plan_of(config, noise())


def test_the_best_try_is_taken_of_equals_the_nearest_and_never_one_that_diverged() -> None:
    scores = {1.0: 20.0, 0.316: math.nan, 3.16: 20.0}
    found = best_of([method("a")], lambda _: [Factors(rate, 1.0) for rate in scores], lambda _, one: scores[one.rate])
    assert found[0].factors == Factors(1.0, 1.0)
    assert [trial.score_db for trial in found[0].trials] == [20.0, None, 20.0]


def test_a_method_that_diverges_at_every_rate_is_named() -> None:
    with pytest.raises(InputError, match="a 4x128 diverged at every rate"):
        best_of([method("a")], lambda _: [Factors(1.0, 1.0)], lambda *_: math.nan)
