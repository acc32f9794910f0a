"""Histories of quantities survive the file, and are read by quantity, part and share of the fit."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldlens.configs.errors import InputError
from fieldlens.studies.runs.history import history_of, read_history, write_history

ROWS = [
    (0, {"psnr_db": 8.0, "dead__layer1": 1.0, "dead__layer2": 2.0, "error__2_4_px": 1.0}),
    (10, {"psnr_db": 12.5, "dead__layer1": 3.0, "dead__layer2": 5.0}),
    (1000, {"psnr_db": 20.25, "dead__layer1": 4.0, "dead__layer2": 6.0, "error__2_4_px": 0.25}),
]


def test_a_history_comes_back_from_its_file(tmp_path: Path) -> None:
    write_history(tmp_path / "over_training.csv", history_of(ROWS))
    assert read_history(tmp_path / "over_training.csv").rows() == ROWS


@given(values=st.lists(st.floats(allow_nan=False), min_size=1, max_size=5))
def test_any_number_comes_back_as_it_was(tmp_path_factory: pytest.TempPathFactory, values: list[float]) -> None:
    file = tmp_path_factory.mktemp("history") / "over_training.csv"
    write_history(file, history_of([(step, {"x": value}) for step, value in enumerate(values)]))
    assert [row["x"] for _, row in read_history(file).rows()] == values


def test_a_quantity_of_layers_is_their_sum_and_a_column_itself() -> None:
    history = history_of(ROWS)
    np.testing.assert_array_equal(history["dead"], [3, 8, 10])
    np.testing.assert_array_equal(history["dead__layer2"], [2, 5, 6])
    assert list(history.parts("dead")) == ["layer1", "layer2"]
    assert history.quantities == ("psnr_db", "dead", "error")


def test_what_was_not_defined_is_not_a_number() -> None:
    assert np.isnan(history_of(ROWS)["error__2_4_px"][1])
    assert np.isnan(history_of(ROWS)["crossings"]).all()


def test_a_step_stands_for_the_nearest_measured_one_in_the_logarithm() -> None:
    history = history_of(ROWS)
    assert [history.at("psnr_db", step) for step in (1, 3, 99, 101, 5000)] == [8.0, 12.5, 12.5, 20.25, 20.25]


def test_a_column_from_a_step_on_keeps_its_last_value() -> None:
    history = history_of(ROWS)
    np.testing.assert_array_equal(history.since("psnr_db", 0), [8.0, 12.5, 20.25])
    np.testing.assert_array_equal(history.since("psnr_db", 10), [12.5, 20.25])
    np.testing.assert_array_equal(history.since("psnr_db", 5000), [20.25])


@pytest.mark.parametrize("text", ["", "step,x\n1,two\n", "x\n1\n", 'step,x\n1,"2\n', "step,x\n1,2,3\n"])
def test_a_damaged_file_is_one_sentence(tmp_path: Path, text: str) -> None:
    file = tmp_path / "over_training.csv"
    file.write_text(text)
    with pytest.raises(InputError, match="damaged"):
        read_history(file)
