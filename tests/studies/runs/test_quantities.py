"""Quantities over training: those of weights and of held-out pixels, by numpy."""

from pathlib import Path

import numpy as np
import pytest

from fieldlens.analysis import relu_network
from fieldlens.configs.run import Target
from fieldlens.scenes.load import load
from fieldlens.studies.runs.history import History, history_of
from fieldlens.studies.runs.quantities import has_every_quantity, measure
from tests.support.runs import small_picture
from tests.support.small_networks import field_of


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_picture(tmp_path_factory.mktemp("quantities") / "picture.png")


def test_stable_rank_is_of_the_matrices_between_hidden_layers_alone(picture: Path) -> None:
    field = field_of("raw", "3x16")
    found = history_of([(0, measure(field, load(str(picture)).views()[0], seed=0))])
    squares = [np.linalg.svd(weight.numpy(), compute_uv=False) ** 2 for weight in relu_network(field).weights]
    second, third = (values.sum() / values[0] for values in squares[1:3])
    assert found.parts("stable_rank") == pytest.approx({"layer2": second, "layer3": third}, rel=1e-5)
    assert found["stable_rank"] == pytest.approx((second + third) / 2, rel=1e-5)


def test_a_network_of_one_hidden_layer_has_no_such_matrix_and_lacks_nothing(picture: Path) -> None:
    view = load(str(picture)).views()[0]
    one, two = (history_of([(0, measure(field_of("raw", size), view, seed=0))]) for size in ("1x16", "2x16"))
    assert "stable_rank" not in one.quantities
    assert has_every_quantity(one)
    assert has_every_quantity(two)
    without = {name: values for name, values in two.columns.items() if not name.startswith("stable_rank")}
    assert not has_every_quantity(History(two.steps, without))


def test_held_out_pixels_are_scored_apart(picture: Path) -> None:
    field, view = field_of("fourier:3"), load(str(picture), Target(holdout="even-rest")).views()[0]
    found = measure(field, view, seed=0)
    squares = (view.draw(field).clip(0, 1).astype(float) - view.target()) ** 2
    rows, columns = np.indices(squares.shape[:2])
    even = (rows % 2 == 0) & (columns % 2 == 0)
    expected = [-10 * np.log10(squares[some].mean()) for some in (even, ~even)]
    assert [found["psnr_db"], found["heldout_psnr_db"]] == pytest.approx(expected, abs=1e-3)
    assert "heldout_psnr_db" not in measure(field, load(str(picture)).views()[0], seed=0)


def test_a_history_of_a_picture_with_held_out_pixels_lacks_their_score_and_no_other_does(picture: Path) -> None:
    view = load(str(picture), Target(holdout="even-rest")).views()[0]
    scored = history_of([(0, measure(field_of("raw", "2x16"), view, seed=0))])
    columns = {name: values for name, values in scored.columns.items() if name != "heldout_psnr_db"}
    unscored = History(scored.steps, columns)
    assert has_every_quantity(scored, heldout=True)
    assert not has_every_quantity(unscored, heldout=True)
    assert has_every_quantity(unscored)
