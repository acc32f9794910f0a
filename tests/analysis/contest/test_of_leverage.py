"""The statistic of leverage: against a regression of ranks written out here, and in its words."""

from dataclasses import replace

import numpy as np
import pytest
from jaxtyping import Float
from scipy.stats import rankdata

from fieldlens.analysis import controls_of, leverage_statistic, octave_details
from fieldlens.analysis.contest.league import LEAST_WINDOWS
from fieldlens.analysis.contest.of_leverage import LeverageStatistic
from fieldlens.analysis.detail.bands import band_picture, luma, spectrum
from fieldlens.analysis.detail.statistics import Interval


def pictures(side: int = 256) -> tuple[Float[np.ndarray, "h w 3"], Float[np.ndarray, "h w 3"]]:
    """Noise of uneven strength, and a reconstruction that has another share of it in each place."""
    rng = np.random.default_rng(0)
    strength = 0.02 + 0.2 * np.kron(rng.random((8, 8)), np.ones((side // 8, side // 8)))
    share = np.kron(rng.random((16, 16)), np.ones((side // 16, side // 16)))
    noise = strength * rng.normal(size=(side, side))
    target, drawn = (np.repeat((0.5 + part)[..., None], 3, 2).clip(0, 1) for part in (noise, share * noise))
    return target.astype(np.float32), drawn.astype(np.float32)


def of(
    values: Float[np.ndarray, "rows columns"],
    target: Float[np.ndarray, "h w 3"],
    drawn: Float[np.ndarray, "h w 3"],
) -> LeverageStatistic:
    return leverage_statistic(values, octave_details(target)[0], target, drawn, seed=0)


def missing(target: Float[np.ndarray, "h w 3"], drawn: Float[np.ndarray, "h w 3"]) -> Float[np.ndarray, "16 16"]:
    octave = band_picture(spectrum(luma(target) - luma(drawn)), 0).astype(np.float64)
    return np.square(octave).reshape(16, 16, 16, 16).mean((1, 3))


def test_it_is_the_correlation_of_what_ranks_have_left_once_the_controls_are_taken_out() -> None:
    target, drawn = pictures()
    values = np.random.default_rng(1).random((16, 16)) - 2 * missing(target, drawn)
    found = of(values, target, drawn)
    detail = octave_details(target)[0]
    columns = controls_of(spectrum(luma(target)), detail.label, detail.windows).columns
    ranks = np.stack([np.ones(256), *(rankdata(column) for column in columns)], 1)
    left = [
        rank - ranks @ np.linalg.lstsq(ranks, rank, rcond=None)[0]
        for rank in (rankdata(values), rankdata(missing(target, drawn)))
    ]
    assert found.correlation == pytest.approx(np.corrcoef(left)[0, 1], abs=1e-6)
    assert found.windows == 256
    assert found.controls[0] == "energy in 2-4 px"


def test_less_leverage_where_more_is_missing_is_said_and_its_opposite_is_not() -> None:
    target, drawn = pictures()
    less, more = (of(sign * missing(target, drawn), target, drawn) for sign in (-1.0, 1.0))
    assert less.correlation is not None
    assert less.correlation < -0.5
    assert less.sentence is not None
    assert less.sentence.startswith("Among places of like detail, errors are larger where its leverage is less: -")
    assert more.correlation is not None
    assert more.correlation > 0.5
    assert more.sentence is None


def test_windows_without_a_number_are_left_out_and_too_few_have_none() -> None:
    target, drawn = pictures()
    values = -missing(target, drawn)
    some = values.copy()
    some.ravel()[LEAST_WINDOWS:] = np.nan
    judged = of(some, target, drawn)
    assert (judged.windows, judged.interval) == (LEAST_WINDOWS, None)
    assert judged.correlation is not None
    some.ravel()[LEAST_WINDOWS - 1 :] = np.nan
    assert of(some, target, drawn).correlation is None


@pytest.mark.parametrize(
    ("correlation", "low", "high", "said"),
    [(-0.4, -0.5, -0.3, True), (-0.4, -0.9, 0.1, False), (-0.1, -0.15, -0.05, False), (0.4, 0.3, 0.5, False)],
)
def test_it_speaks_where_it_is_large_and_surely_below_zero(
    correlation: float, low: float, high: float, said: bool
) -> None:
    found = LeverageStatistic(correlation, Interval(low, high, 0.95, 999), 256, ())
    assert (found.sentence is not None) == said
    assert replace(found, interval=None).sentence is None
