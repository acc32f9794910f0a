"""Explained shares against scikit-learn, and of quantities whose make is known."""

import numpy as np
import pytest
from scipy.stats import norm, rankdata
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict

from fieldlens.analysis import explained_shares
from fieldlens.configs.errors import InputError

N = 576
BLOCKS = (np.arange(24)[:, None] // 4 * 6 + np.arange(24) // 4).ravel()
RNG = np.random.default_rng(0)
SIZE, CREASES, IDLE, OTHER = np.exp(RNG.normal(size=(4, N)))


def by_scikit_learn(outcome: np.ndarray, *causes: np.ndarray) -> float:
    scores, *columns = (norm.ppf((rankdata(values) - 0.5) / N) for values in (outcome, *causes))
    apart = {"groups": BLOCKS, "cv": LeaveOneGroupOut()}
    wrong, mean_wrong = (
        scores - cross_val_predict(model, np.stack(columns, 1), scores, **apart)
        for model in (LinearRegression(), DummyRegressor())
    )
    return 1 - float(np.square(wrong).sum() / np.square(mean_wrong).sum())


def test_shares_are_those_that_scikit_learn_finds_on_blocks_left_out() -> None:
    causes = {"size": SIZE, "creases": np.round(CREASES, 1), "idle": IDLE}
    found = explained_shares(SIZE * CREASES**0.5 * OTHER, causes, BLOCKS)
    assert found is not None
    outcome = SIZE * CREASES**0.5 * OTHER
    assert found.together == pytest.approx(by_scikit_learn(outcome, *causes.values()), abs=1e-12)
    for name, values in causes.items():
        rest = [other for key, other in causes.items() if key != name]
        assert found.alone[name] == pytest.approx(by_scikit_learn(outcome, values), abs=1e-12)
        assert found.added[name] == pytest.approx(found.together - by_scikit_learn(outcome, *rest), abs=1e-12)


def test_a_product_of_powers_is_explained_by_its_factors_by_as_much_as_each_varies() -> None:
    found = explained_shares(SIZE * CREASES**0.5, {"size": SIZE, "creases": CREASES, "idle": IDLE}, BLOCKS)
    assert found is not None
    assert found.together == pytest.approx(1, abs=0.02)
    assert found.alone == pytest.approx({"size": 0.8, "creases": 0.2, "idle": 0.0}, abs=0.05)  # 1 and 1/4 of 5/4
    assert found.added == pytest.approx({"size": 0.8, "creases": 0.2, "idle": 0.0}, abs=0.05)


def test_what_two_causes_both_say_neither_adds() -> None:
    found = explained_shares(SIZE, {"size": SIZE, "the same in another unit": 1000 * SIZE**3}, BLOCKS)
    assert found is not None
    assert found.alone == pytest.approx({"size": 1, "the same in another unit": 1})
    assert found.added == pytest.approx({"size": 0, "the same in another unit": 0}, abs=1e-9)


def test_without_blocks_or_variation_there_is_no_share_and_nothing_but_numbers_is_taken() -> None:
    assert explained_shares(SIZE, {"creases": CREASES}, np.zeros(N, int)) is None
    assert explained_shares(np.ones(N), {"creases": CREASES}, BLOCKS) is None
    with pytest.raises(InputError, match="the creases has windows without a number"):
        explained_shares(SIZE, {"creases": np.where(SIZE > 1, np.nan, CREASES)}, BLOCKS)
