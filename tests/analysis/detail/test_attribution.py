"""A quantity is named when it drove the error, and not when it could not be told."""

import json
from dataclasses import asdict

import numpy as np
import pytest

from fieldlens.analysis.detail.attribution import LEAST_SHARE, Attribution, attribute
from fieldlens.configs.errors import InputError

SIDE = 24
BLOCKS = np.arange(SIDE)[:, None] // 4 * (SIDE // 4) + np.arange(SIDE) // 4


class Made:
    """Windows whose residual energy is target energy times powers of quantities, and noise."""

    def __init__(self, seed: int = 0) -> None:
        self.rng = np.random.default_rng(seed)
        self.target = self.positive()

    def positive(self, spread: float = 1.0) -> np.ndarray:
        return np.exp(spread * self.rng.standard_normal((SIDE, SIDE)))

    def residual(self, factor: np.ndarray | float = 1.0, noise: float = 0.3) -> np.ndarray:
        return self.target * factor * self.positive(noise)

    def attribute(self, residual: np.ndarray, quantities: dict[str, np.ndarray], **choices) -> Attribution:
        found = attribute(residual, self.target, quantities, BLOCKS, **choices)
        assert found is not None
        return found


def test_the_driver_of_the_error_is_named_with_its_exponent_and_the_share_that_it_explains() -> None:
    made = Made()
    driver, idle = made.positive(), made.positive()
    found = made.attribute(made.residual(driver**-0.7), {"idle": idle, "driver": driver})
    assert (found.outcome, found.explains_most) == ("named", "driver")
    gains = {gain.quantity: gain for gain in found.gains}
    assert gains["driver"].exponent == pytest.approx(-0.7, abs=0.05)
    assert gains["idle"].exponent == pytest.approx(0, abs=0.1)
    # variances of the logs: target 1, driver 0.49, noise 0.09
    assert found.r_squared == pytest.approx(1 / 1.58, abs=0.08)
    assert gains["driver"].gain == pytest.approx(0.49 / 1.58, abs=0.08)
    assert gains["driver"].share == pytest.approx(0.49 / 0.58, abs=0.05)
    interval = gains["driver"].interval
    assert interval is not None
    assert interval.low < gains["driver"].share < interval.high


def brute_force_r_squared(columns: list[np.ndarray], values: np.ndarray) -> float:
    """Each block predicted by least squares over the others, one after the other; against their mean."""
    x = np.stack([np.ones(values.size), *(np.log(c).ravel() for c in columns)], 1)
    y, folds = np.log(values).ravel(), BLOCKS.ravel()
    wrong = mean_wrong = 0.0
    for block in range(folds.max() + 1):
        seen = folds != block
        weights = np.linalg.lstsq(x[seen], y[seen], rcond=None)[0]
        wrong += np.square(y[~seen] - x[~seen] @ weights).sum()
        mean_wrong += np.square(y[~seen] - y[seen].mean()).sum()
    return 1 - wrong / mean_wrong


def test_gains_are_differences_of_cross_validated_r_squared() -> None:
    made = Made()
    quantity = made.positive(0.5)
    residual = made.residual(quantity**0.5)
    found = made.attribute(residual, {"quantity": quantity})
    without = brute_force_r_squared([made.target], residual)
    assert found.r_squared == pytest.approx(without, rel=1e-9)
    assert found.gains[0].gain == pytest.approx(
        brute_force_r_squared([made.target, quantity], residual) - without, rel=1e-7
    )


def test_a_tautology_is_labelled_and_never_named() -> None:
    made = Made()
    driver = made.positive()
    residual = made.residual(driver**-1)
    maps = {"slope": residual / made.target, "driver": driver}
    found = made.attribute(residual, maps, tautologies={"slope"})
    slope, other = found.gains
    assert slope.tautology
    assert not other.tautology
    assert slope.gain > other.gain
    assert found.explains_most == "driver"
    alone = made.attribute(residual, {"slope": maps["slope"]}, tautologies={"slope"})
    assert (alone.outcome, alone.explains_most) == ("undecided", None)


def test_where_nothing_drives_the_error_nothing_is_found() -> None:
    made = Made()
    found = made.attribute(made.residual(), {name: made.positive() for name in "abcde"})
    assert (found.outcome, found.explains_most, found.not_told_apart) == ("nothing", None, ())
    assert max(gain.share for gain in found.gains) < LEAST_SHARE


def test_of_quantities_that_say_the_same_none_is_named() -> None:
    made = Made()
    driver = made.positive()
    twin = driver * made.positive(0.01)
    found = made.attribute(made.residual(driver**-0.7), {"one": driver, "twin": twin, "idle": made.positive()})
    assert (found.outcome, found.explains_most) == ("undecided", None)
    assert set(found.not_told_apart) == {"one", "twin"}


def test_an_effect_in_one_corner_does_not_carry_over_to_the_rest() -> None:
    """Blocks are folds: what explains one block only has no gain on the others."""
    made = Made()
    quantity, corner = made.positive(), BLOCKS == 0
    found = made.attribute(made.residual(np.where(corner, quantity**3, 1)), {"quantity": quantity})
    assert found.explains_most is None
    assert found.gains[0].share < LEAST_SHARE


def test_quantities_that_follow_the_target_gain_nothing() -> None:
    made = Made()
    found = made.attribute(made.residual(), {"confounded": made.target**0.5})
    assert found.gains[0].gain == pytest.approx(0, abs=1e-6)


def test_few_blocks_leave_it_undecided() -> None:
    made = Made()
    driver = made.positive()
    found = attribute(made.residual(driver**-1), made.target, {"driver": driver}, BLOCKS // 3)
    assert found is not None
    assert found.outcome == "undecided"
    assert found.gains[0].interval is None
    assert found.gains[0].share > LEAST_SHARE


def test_the_same_seed_gives_the_same_answer_and_another_seed_other_intervals_only() -> None:
    made = Made()
    driver = made.positive()
    residual = made.residual(driver**-0.2)
    first, again, other = (made.attribute(residual, {"driver": driver}, seed=seed) for seed in (3, 3, 4))
    assert first == again
    assert first.gains[0].interval != other.gains[0].interval
    assert first.gains[0].gain == other.gains[0].gain
    json.dumps(asdict(first), allow_nan=False)


def test_quantities_and_energies_that_are_constant_or_zero_are_no_trouble() -> None:
    made = Made()
    holes = made.positive()
    holes[::3] = 0
    maps = {"constant": np.full((SIDE, SIDE), 2.0), "none": np.zeros((SIDE, SIDE)), "holes": holes}
    found = made.attribute(made.residual(), maps)
    assert [gain.gain for gain in found.gains][:2] == pytest.approx([0, 0], abs=1e-9)
    assert np.isfinite([gain.exponent for gain in found.gains]).all()
    assert attribute(np.ones((4, 4)), np.ones((4, 4)), {"a": np.ones((4, 4))}, BLOCKS[:4, :4]) is None, "one block"
    assert attribute(np.ones((SIDE, SIDE)), made.target, {"a": holes}, BLOCKS) is None, "an error that does not vary"
    assert attribute(made.residual(), made.target, {}, BLOCKS) is None
    assert attribute(3 * made.target, made.target, {"a": holes}, BLOCKS) is None, "an error that is all of the detail"


def test_a_share_is_about_the_square_of_the_partial_correlation_however_much_the_target_explains() -> None:
    made = Made()
    made.target = made.positive(5.0)
    driver = made.positive(0.3)
    found = made.attribute(made.residual(driver**-0.5, noise=0.3), {"driver": driver})
    assert found.r_squared > 0.99
    assert found.gains[0].gain < 0.01
    assert found.gains[0].share == pytest.approx(0.15**2 / (0.15**2 + 0.3**2), abs=0.06)
    assert found.outcome == "named"


def test_energies_below_the_floor_count_as_the_floor() -> None:
    made = Made()
    quantity, residual = made.positive(), made.residual()
    floored = made.attribute(residual, {"quantity": quantity}, floor=1.0)
    made.target = np.maximum(made.target, 1.0)
    assert made.attribute(np.maximum(residual, 1.0), {"quantity": quantity}) == floored


@pytest.mark.parametrize("where", ["residual", "target", "density"])
def test_windows_without_a_number_are_refused_rather_than_taken_for_constant(where: str) -> None:
    values = {name: np.random.default_rng(0).uniform(1, 2, 64) for name in ("residual", "target", "density")}
    values[where][5] = np.nan
    with pytest.raises(InputError, match=where):
        attribute(values["residual"], values["target"], {"density": values["density"]}, np.repeat(np.arange(16), 4))
