"""Quantities over training: `over_training.csv`, a line a step and a column a quantity, and how it is read.

Beside it stands `over_training.json`, what creases foretell.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from fieldlens.analysis.detail.explanation import Association
from fieldlens.configs.errors import InputError
from fieldlens.configs.files import read_bytes, write_text
from fieldlens.configs.records import read_json_as


@dataclass(frozen=True, eq=False)
class History:
    """What was measured of one field while it was trained."""

    steps: Int[np.ndarray, " steps"]
    """Rising."""
    columns: Mapping[str, Float[np.ndarray, " steps"]]
    """By column; NaN where a quantity was not defined."""

    def __getitem__(self, column: str) -> Float[np.ndarray, " steps"]:
        """A column, or the sum over its layers where there is one for each layer; NaN for what was never defined."""
        if column in self.columns:
            return self.columns[column]
        layers = list(self.parts(column).values())
        return np.sum(layers, axis=0) if layers else np.full(len(self.steps), np.nan)

    def parts(self, quantity: str) -> dict[str, Float[np.ndarray, " steps"]]:
        """The columns of one quantity, by what stands after its name: layers, octaves, quantiles."""
        return {
            name.removeprefix(f"{quantity}__"): values
            for name, values in self.columns.items()
            if name.startswith(f"{quantity}__")
        }

    def at(self, column: str, step: int) -> float:
        """A column at the measured step that is nearest, in the logarithm."""
        return float(self[column][np.argmin(np.abs(np.log(np.maximum(self.steps, 0.5) / step)))])

    def since(self, column: str, step: int) -> Float[np.ndarray, " later"]:
        """A column from a step on; at least its last value."""
        return self[column][min(int(np.searchsorted(self.steps, step)), len(self.steps) - 1) :]

    def rows(self) -> list[tuple[int, dict[str, float]]]:
        """Step by step what was measured; the inverse of `history_of`."""
        return [
            (int(step), {name: float(v[index]) for name, v in self.columns.items() if not np.isnan(v[index])})
            for index, step in enumerate(self.steps)
        ]

    @property
    def quantities(self) -> tuple[str, ...]:
        """Names of the quantities, in the order of the columns."""
        return tuple(dict.fromkeys(name.partition("__")[0] for name in self.columns))


def history_of(rows: Sequence[tuple[int, Mapping[str, float]]]) -> History:
    """A history from steps and what was measured at them."""
    names = dict.fromkeys(name for _, measures in rows for name in measures)
    columns = {name: np.array([measures.get(name, np.nan) for _, measures in rows], np.float64) for name in names}
    return History(np.array([step for step, _ in rows], np.int64), columns)


def write_history(path: Path, history: History) -> None:
    """Write a history as CSV, whole; nothing stands where nothing was defined."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["step", *history.columns])
    for index, step in enumerate(history.steps):
        values = (column[index] for column in history.columns.values())
        writer.writerow([step, *("" if np.isnan(value) else repr(float(value)) for value in values)])
    write_text(path, text.getvalue())


def read_history(path: Path) -> History:
    """Read what `write_history` wrote.

    Raises:
        InputError: when the file is missing or damaged.
    """
    try:
        return history_of(list(_rows(read_bytes(path).decode())))
    except (ValueError, KeyError, TypeError, csv.Error):
        raise InputError(f"{str(path)!r} is damaged; delete it, and it is measured anew") from None


@dataclass(frozen=True)
class Checkpoint:
    """The verdict's statistic for the density of one checkpoint."""

    step: int
    now: Association
    """With what is missing at the checkpoint itself."""
    end: Association
    """With what is missing at the end."""


@dataclass(frozen=True)
class Foretold:
    """What the creases of checkpoints say of what is missing then and at the end: over_training.json."""

    sentence: str | None
    """Of the early checkpoint; None without one."""
    outcome: str | None
    early_step: int | None
    end_step: int
    checkpoints: Sequence[Checkpoint]
    units: str = (
        "partial rank correlation of the checkpoint's crease density with residual energy given target energy: now, of "
        "the checkpoint's own residual; end, of that at the last checkpoint"
    )


def read_foretelling(path: Path) -> Foretold | None:
    """What `foretell` wrote; None where there is nothing, or nothing that can be read."""
    try:
        return read_json_as(path, Foretold)
    except InputError:
        return None


def _rows(text: str) -> Iterator[tuple[int, dict[str, float]]]:
    lines = list(csv.DictReader(StringIO(text), strict=True))
    if not lines:
        raise ValueError("no row")
    for line in lines:
        step = int(line.pop("step"))
        yield step, {name: float(value) if value else np.nan for name, value in line.items()}
