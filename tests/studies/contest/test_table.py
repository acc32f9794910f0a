"""Tables of windows survive their file, and say how long it took to mend half of what was missing."""

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from fieldlens.configs.errors import InputError
from fieldlens.studies.contest.table import WindowTable, read_table, write_table
from tests.support.contest_tables import made_table


@pytest.fixture
def table() -> WindowTable:
    return made_table(0, lambda noise, _: (noise, noise["speed"]))


def test_a_table_survives_its_file(table: WindowTable, tmp_path: Path) -> None:
    write_table(tmp_path / "windows.npz", table)
    again = read_table(tmp_path / "windows.npz")
    for part in fields(table):
        if part.name != "quantities":
            np.testing.assert_array_equal(getattr(again, part.name), getattr(table, part.name))
    assert list(again.quantities) == list(table.quantities)
    for name, values in table.quantities.items():
        np.testing.assert_array_equal(again.quantities[name], values)


def test_a_damaged_table_is_one_sentence(table: WindowTable, tmp_path: Path) -> None:
    path = tmp_path / "windows.npz"
    with pytest.raises(InputError):
        read_table(path)
    write_table(path, table)
    arrays = dict(np.load(path))
    np.savez(path, **(arrays | {"kept": arrays["kept"][:, 1:]}))
    with pytest.raises(InputError, match="damaged"):
        read_table(path)
    path.write_bytes(b"PK nothing")
    with pytest.raises(InputError, match="damaged"):
        read_table(path)


def test_half_of_what_is_missing_of_a_power_law_is_mended_at_a_known_step_between_recorded_ones(
    table: WindowTable,
) -> None:
    np.testing.assert_allclose(table.happened(), [50, 100])  # 1 / step halves from 50 to 100, from 100 to 200
    coarse = replace(table, recorded=np.array([50, 100, 300]), missing=np.array([50, 100, 300]) ** -1.0)
    np.testing.assert_allclose(coarse.happened(), [50, 100])
    np.testing.assert_array_equal(coarse.steps_left(), [250, 200])


def test_what_is_not_mended_by_the_end_took_no_number_of_steps(table: WindowTable) -> None:
    slow = replace(table, missing=np.where(table.recorded <= 50, 1.0, 0.6))
    assert np.isnan(slow.happened()).all()
    assert np.isnan(replace(table, missing=np.full(len(table.recorded), np.nan)).happened()).all()


def test_energies_that_rise_in_between_are_mended_when_they_are_half_for_the_first_time(table: WindowTable) -> None:
    missing = np.array([9, 9, 9, 1.0, 2.0, 0.5, 0.9, 0.2, 0.1])
    np.testing.assert_allclose(replace(table, missing=missing).happened()[0], 100)  # from 50 to 150


def test_what_is_gone_altogether_is_mended_at_the_recorded_step(table: WindowTable) -> None:
    missing = np.where(table.recorded < 200, 1.0, 0.0)
    np.testing.assert_array_equal(replace(table, missing=missing).happened(), [150, 100])
