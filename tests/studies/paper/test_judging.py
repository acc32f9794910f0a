"""Claims are judged by the interval of their effect over units."""

import numpy as np
import pytest
from scipy import stats

from fieldlens.configs.records import to_json
from fieldlens.studies.paper.judging import (
    FAILS,
    HOLDS,
    NOT_ASKED,
    UNDECIDED,
    Claim,
    Judged,
    Part,
    judge,
)


def claim(*parts: Part[float]) -> Claim[float]:
    return Claim("X", "a statement", "a number", (), parts)


def part(above: float = 0.0, least_steps: int = 0, scale: float = 1.0) -> Part[float]:
    return Part("the unit itself", lambda unit: scale * unit, "dB", above, least_steps)


def judged(*parts: Part[float], units: tuple[float, ...] = (1.0, 1.1, 0.9, 1.0), steps: int = 100) -> Judged:
    return judge(claim(*parts), units, steps)


def test_two_units_have_no_interval_and_decide_nothing() -> None:
    assert judged(part(), units=(5.0, 5.0)).parts[0].reason == "fewer than three units"


@pytest.mark.parametrize(
    ("above", "verdict"), [(0.0, HOLDS), (0.5, HOLDS), (1.0, UNDECIDED), (1.05, UNDECIDED), (2.0, FAILS)]
)
def test_the_whole_interval_must_lie_on_one_side(above: float, verdict: str) -> None:
    assert judged(part(above)).verdict == verdict


def test_the_interval_of_a_median_is_that_of_resampled_units_and_takes_six() -> None:
    values = tuple(np.random.default_rng(1).normal(1, 0.3, 15))
    about: Part[float] = Part("the unit itself", float, median=True)
    found = judged(about, units=values).parts[0]
    assert found.effect == np.median(values)
    assert found.interval is not None
    theirs = stats.bootstrap((np.array(values),), np.median, method="percentile", rng=np.random.default_rng(2))
    np.testing.assert_allclose(found.interval, theirs.confidence_interval, atol=0.1)
    odd = judged(about, units=(*values, 1000.0)).parts[0]
    assert odd.effect == pytest.approx(found.effect, abs=0.1)
    few = judged(about, units=values[:5]).parts[0]
    assert (few.interval, few.verdict, few.reason) == (None, UNDECIDED, "fewer than six units")


def test_a_claim_holds_with_all_its_parts_and_falls_with_one() -> None:
    yes, no, open_ = part(0), part(2), part(1)
    assert judged(yes, yes).verdict == HOLDS
    assert judged(yes, open_).verdict == UNDECIDED
    assert judged(yes, open_, no).verdict == FAILS
    assert judged(yes, open_, no).deciding.holds_above == 2


def test_what_speaks_of_longer_fits_is_not_asked_and_still_has_its_number() -> None:
    short, long = (judged(part(least_steps=1000), steps=steps).parts[0] for steps in (999, 1000))
    assert (short.verdict, long.verdict) == (NOT_ASKED, HOLDS)
    assert short.effect == long.effect == pytest.approx(1.0)
    assert "1,000 steps" in short.reason


def test_parts_that_are_not_asked_decide_nothing() -> None:
    later = part(above=2, least_steps=1000)
    assert judged(part(), later).verdict == HOLDS
    assert judged(part(above=2), later).verdict == FAILS
    assert judged(later).verdict == UNDECIDED
    assert judged(later).deciding.verdict == NOT_ASKED
    assert judged(part(), later).outcome == "holds (1 of 2 parts asked)"
    assert judged(part(), part()).outcome == "holds"


def test_a_number_that_is_always_at_its_bound_is_not_undecided() -> None:
    assert judged(part(above=1), units=(1.0, 1.0, 1.0)).verdict == FAILS


def test_what_is_defined_nowhere_is_undecided_and_null_in_json() -> None:
    nowhere: Part[float] = Part("nothing", lambda unit: None)
    found = to_json(judged(nowhere))
    assert (found["verdict"], found["effect"], found["interval"]) == (UNDECIDED, None, None)


def test_units_without_the_number_are_left_out() -> None:
    partly: Part[float] = Part("above one", lambda unit: unit if unit > 0.95 else None)
    part = judged(partly).parts[0]
    assert (part.units, part.left_out, part.effect) == (3, 1, pytest.approx(3.1 / 3))


def test_zeros_by_convention_in_all_units_decide_nothing() -> None:
    convention: Part[float] = Part("said so", float, zero="0 by convention")
    part = judged(convention, units=(0.0, 0.0, 0.0)).parts[0]
    assert (part.verdict, part.reason) == (UNDECIDED, "0 by convention")
    assert judged(convention, units=(0.0, -1.0, -1.1, -0.9, -1.0, -1.0)).verdict == FAILS


def test_json_has_effect_interval_and_verdict_of_the_deciding_part() -> None:
    found = to_json(judged(part(0), part(2, scale=-1)))
    assert found["id"] == "X"
    assert found["verdict"] == FAILS
    assert found["effect"] == pytest.approx(-1.0)
    low, high = found["interval"]
    assert low < -1 < high
    assert [p["verdict"] for p in found["parts"]] == [HOLDS, FAILS]
