"""The contest: scores against scikit-learn, planted confounders and mediators, and leagues of made-up pictures."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest
from scipy.stats import norm, rankdata
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict

from fieldlens.analysis.contest.league import (
    LEAST_TOTAL,
    Mediation,
    Score,
    league,
    mediation,
    mediation_over_pictures,
    score_quantity,
)
from fieldlens.analysis.detail.statistics import over_pictures, partial_rank_correlation
from fieldlens.configs.errors import InputError

SIDE = 24
N = SIDE**2
BLOCKS = (np.arange(SIDE)[:, None] // 4 * (SIDE // 4) + np.arange(SIDE) // 4).ravel()


class Made:
    """Windows whose log residual energy is made of log energy, log peakiness, and what a test plants."""

    def __init__(self, seed: int = 0) -> None:
        self.rng = np.random.default_rng(seed)
        self.energy, self.peakiness = self.normal(), self.normal()
        self.controls = np.stack([self.energy, self.peakiness])

    def normal(self) -> np.ndarray:
        return self.rng.standard_normal(N)

    def residual(self, planted: np.ndarray | float = 0.0, noise: float = 0.5) -> np.ndarray:
        return np.exp(self.energy + 0.8 * self.peakiness + planted + noise * self.normal())


def r_squared_of_scikit_learn(columns: np.ndarray, values: np.ndarray) -> float:
    """Of each block predicted from all others, against their mean."""
    apart = {"groups": BLOCKS, "cv": LeaveOneGroupOut()}
    wrong = values - cross_val_predict(LinearRegression(), columns.T, values, **apart)
    mean_wrong = values - cross_val_predict(DummyRegressor(), columns.T, values, **apart)
    return 1 - float(np.square(wrong).sum() / np.square(mean_wrong).sum())


# --- scores -----------------------------------------------------------------------------------------------------------


def test_a_gain_is_the_difference_of_the_r_squared_that_scikit_learn_finds_on_blocks_left_out() -> None:
    made = Made()
    quantity = np.round(made.normal(), 1)  # with ties
    residual = made.residual(0.4 * quantity)
    found = score_quantity(quantity, residual, made.controls, BLOCKS)
    without = r_squared_of_scikit_learn(made.controls, np.log(residual))
    columns = np.stack([*made.controls, norm.ppf((rankdata(quantity) - 0.5) / N)])
    gain = r_squared_of_scikit_learn(columns, np.log(residual)) - without
    assert found.r_squared == pytest.approx(without, abs=1e-12)
    assert found.gain == pytest.approx(gain, abs=1e-12)
    assert found.share == pytest.approx(gain / (1 - without), abs=1e-12)
    assert found.correlation == partial_rank_correlation(quantity, residual, made.controls)
    assert found.gain_interval is None
    assert found.correlation_interval is None


def test_what_drives_the_error_has_its_share_of_what_the_controls_leave_and_noise_has_none() -> None:
    made = Made()
    driver, idle = made.normal(), made.normal()
    residual = made.residual(-0.5 * driver)
    found, none = (score_quantity(quantity, residual, made.controls, BLOCKS, seed=0) for quantity in (driver, idle))
    assert found.share == pytest.approx(0.5, abs=0.06)  # variances 0.25 of the driver, 0.25 of noise
    assert found.correlation == pytest.approx(-np.sqrt(0.5), abs=0.1)  # ranks of the error are not linear in the logs
    assert none.gain is not None
    assert -0.005 < none.gain < 0.001
    assert none.correlation == pytest.approx(0, abs=0.1)
    for each, sure in ((found, True), (none, False)):
        assert each.gain_interval is not None
        assert each.correlation_interval is not None
        assert (each.gain_interval.low > 0) is sure
        assert (each.correlation_interval.high < 0) is sure


def test_noise_gains_less_than_nothing_on_average_when_blocks_are_left_out() -> None:
    made = Made()
    residual = made.residual()
    gains = [score_quantity(made.normal(), residual, made.controls, BLOCKS).gain for _ in range(40)]
    assert np.mean(np.array(gains, float)) < 0


def test_peakiness_that_raises_both_density_and_error_is_no_explanation_once_it_is_held_fixed() -> None:
    """Hair has more creases and more error than an outline of the same energy."""
    made = Made()
    density = np.exp(0.8 * made.peakiness + 0.5 * made.normal())
    residual = made.residual()
    given_energy = score_quantity(density, residual, made.energy[None], BLOCKS, seed=0)
    given_all = score_quantity(density, residual, made.controls, BLOCKS, seed=0)
    assert given_energy.correlation is not None
    assert given_energy.gain is not None
    assert given_energy.correlation > 0.5
    assert given_energy.gain > 0.1
    assert given_all.correlation == pytest.approx(0, abs=0.08)
    assert given_all.gain == pytest.approx(0, abs=0.003)
    assert given_all.correlation_interval is not None
    assert given_all.correlation_interval.low < 0 < given_all.correlation_interval.high


def test_neither_scale_of_a_quantity_nor_units_of_controls_change_its_score() -> None:
    made = Made()
    quantity, residual = made.normal(), made.residual()
    one = score_quantity(quantity, residual, made.controls, BLOCKS, seed=1, resamples=50)
    other = score_quantity(np.exp(3 * quantity), 7 * residual, 1e-7 * made.controls + 1, BLOCKS, seed=1, resamples=50)
    json.dumps(asdict(one), allow_nan=False)
    assert (one.correlation, one.correlation_interval) == (other.correlation, other.correlation_interval)
    assert (other.gain, other.share, other.r_squared) == pytest.approx((one.gain, one.share, one.r_squared), abs=1e-9)


def test_a_constant_quantity_or_control_adds_nothing() -> None:
    made = Made()
    residual = made.residual()
    constant = score_quantity(np.full(N, 0.3), residual, made.controls, BLOCKS, seed=0)
    assert constant.gain == pytest.approx(0, abs=1e-12)
    assert (constant.correlation, constant.correlation_interval) == (None, None)
    quantity, more = made.normal(), np.stack([*made.controls, np.full(N, 0.3), made.energy])
    found, same = (score_quantity(quantity, residual, each, BLOCKS) for each in (made.controls, more))
    assert (found.gain, found.correlation) == pytest.approx((same.gain, same.correlation), abs=1e-9)


def test_without_blocks_to_leave_out_or_an_error_that_varies_there_is_no_gain() -> None:
    made = Made()
    quantity, residual = made.normal(), made.residual()
    one_block = score_quantity(quantity, residual, made.controls, np.zeros(N, int), seed=0)
    assert (one_block.gain, one_block.correlation_interval) == (None, None)
    assert one_block.correlation is not None
    below = score_quantity(quantity, residual, made.controls, BLOCKS, floor=2 * residual.max())
    assert below == Score(None, None, None, None, None, None)
    determined = score_quantity(quantity, np.exp(made.energy), made.controls, BLOCKS)
    assert determined.r_squared == pytest.approx(1)
    assert (determined.share, determined.correlation) == (None, None)


@pytest.mark.parametrize("where", ["quantity", "residual", "controls"])
def test_windows_without_a_number_are_refused(where: str) -> None:
    made = Made()
    quantity, residual, controls = made.normal(), made.residual(), made.controls
    {"quantity": quantity, "residual": residual, "controls": controls}[where][..., 5] = np.nan
    with pytest.raises(InputError, match=where):
        score_quantity(quantity, residual, controls, BLOCKS)


# --- leagues ----------------------------------------------------------------------------------------------------------


def scored(gain: float | None) -> Score:
    return Score(0.9, gain, None if gain is None else 10 * gain, None, -0.3, None)


def test_a_league_has_the_best_median_gain_first_and_what_has_none_last() -> None:
    rng = np.random.default_rng(0)
    gains = {name: mean + 0.01 * rng.normal(size=(8, 3)) for name, mean in (("weak", 0.01), ("slope", 0.2))}
    scores = {name: [[scored(float(gain)) for gain in seeds] for seeds in rows] for name, rows in gains.items()}
    standings = league({"none": [[scored(None)]], **scores}, tautologies={"slope"})
    assert [each.quantity for each in standings] == ["slope", "weak", "none"]
    assert [each.tautology for each in standings] == [True, False, False]
    for each in standings[:2]:
        assert each.gain == over_pictures(gains[each.quantity].tolist())
        assert each.share == over_pictures((10 * gains[each.quantity]).tolist())
        assert each.correlation is not None
        assert (each.correlation.median, each.correlation.below_zero) == (pytest.approx(-0.3), 1)
    assert standings[2].gain is None


# --- mediation --------------------------------------------------------------------------------------------------------


def chain(through: float, past: float, n: int = 4000, seed: int = 0):
    """A cause, a mediator and an outcome that both follow it, with a control behind all three."""
    rng = np.random.default_rng(seed)
    control = rng.normal(size=n)
    cause = control + rng.normal(size=n)
    mediator = cause + 0.5 * control + rng.normal(size=n)
    outcome = -through * mediator - past * cause + control + rng.normal(size=n)
    return cause, mediator, outcome, control


@pytest.mark.parametrize(("through", "past", "share"), [(1.0, 0.0, 1.0), (0.5, 0.5, 0.5), (0.0, 1.0, 0.0)])
def test_all_half_and_nothing_of_an_effect_goes_through_the_mediator(through: float, past: float, share: float) -> None:
    found = mediation(*chain(through, past))
    assert found is not None
    assert found.total < -0.5
    assert found.share == pytest.approx(share, abs=0.05)


def test_effects_are_the_coefficients_of_regressions_between_ranks_without_the_controls() -> None:
    cause, mediator, outcome, control = chain(0.6, 0.3, n=300)
    given = np.stack([control, np.random.default_rng(1).normal(size=300)])
    controls = np.stack([rankdata(row) for row in given], 1)
    x, m, y = (
        rankdata(values) - LinearRegression().fit(controls, rankdata(values)).predict(controls)
        for values in (cause, mediator, outcome)
    )
    x, m, y = (values / values.std() for values in (x, m, y))
    found = mediation(cause, mediator, outcome, given)
    direct, from_mediator = LinearRegression().fit(np.stack([x, m], 1), y).coef_
    assert found is not None
    assert (found.direct, found.from_mediator) == pytest.approx((direct, from_mediator), abs=1e-9)
    assert found.total == pytest.approx(LinearRegression().fit(x[:, None], y).coef_[0], abs=1e-9)
    assert found.to_mediator == pytest.approx(LinearRegression().fit(x[:, None], m).coef_[0], abs=1e-9)
    assert found.indirect == pytest.approx(found.total - found.direct, abs=1e-12)


def test_next_to_no_effect_is_not_shared_out_and_a_mediator_that_is_the_cause_tells_nothing() -> None:
    cause, mediator, _, control = chain(1.0, 0.0)
    unrelated = np.random.default_rng(5).normal(size=len(cause))
    found = mediation(cause, mediator, unrelated, control)
    assert found is not None
    assert abs(found.total) < LEAST_TOTAL
    assert found.share is None
    assert mediation(cause, cause**3, unrelated, control) is None
    assert mediation(cause, mediator, np.ones(len(cause)), control) is None


def test_over_pictures_the_share_is_of_the_medians_with_an_interval_that_holds_it() -> None:
    fits = [[mediation(*chain(0.5, 0.5, 150, 10 * picture + seed)) for seed in range(3)] for picture in range(8)]
    found = mediation_over_pictures([*fits, [None]])
    assert found is not None
    assert found.total.pictures == 8
    totals = [np.mean([fit.total for fit in seeds if fit is not None]) for seeds in fits]
    assert found.total.median == pytest.approx(np.median(totals))
    assert found.share == pytest.approx(1 - found.direct.median / found.total.median)
    assert found.share_interval is not None
    assert found.share_interval.low < 0.5 < found.share_interval.high
    assert found.share_interval.high - found.share_interval.low < 0.6
    few = mediation_over_pictures(fits[:5])
    assert few is not None
    assert few.share_interval is None
    assert mediation_over_pictures([[None]]) is None


def test_over_pictures_whose_effects_cancel_there_is_nothing_to_share_out() -> None:
    one = Mediation(total=0.4, direct=0.2, to_mediator=0.5, from_mediator=0.4)
    fits = [[replace(one, total=sign * 0.4, direct=sign * 0.2)] for sign in (1, -1) * 4]
    found = mediation_over_pictures(fits)
    assert found is not None
    assert found.total.below_zero == 0.5
    assert (found.share, found.share_interval) == (None, None)
    often = mediation_over_pictures([*fits, *([[one]] * 3)])
    assert often is not None
    assert often.share == pytest.approx(0.5)
    assert often.share_interval is None, "in too many draws the signs cancel"
