"""What was measured in the windows of one fit, as arrays: windows.npz, written with the fit, whole or not at all."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from fieldlens.configs.errors import InputError
from fieldlens.render.files import read_npz, write_npz

QUANTITY = "quantity__"
"""What the names of quantities' arrays begin with."""

MOST_BYTES = 64 << 20
"""Of a table that is read; one of 512 px has some 100 kB."""


@dataclass(frozen=True, eq=False)
class WindowTable:
    """The n windows of the explained octave of one fit, row by row, at the contest's two moments: early and the end.

    Energies are mean squares per pixel of luma, in the octave.
    """

    row_edges: Int[np.ndarray, " row_edges"]
    """First pixel row of each row of windows, and the picture's height."""
    column_edges: Int[np.ndarray, " column_edges"]
    blocks: Int[np.ndarray, " n"]
    """The block of each window, 0, 1, ...: blocks are left out one at a time."""
    controls: Float[np.ndarray, "controls n"]
    """What the target's detail is like in each, a row for each control: the first is the logarithm of its energy."""
    rounding: Float[np.ndarray, ""]
    """Energy of 8-bit rounding in the octave: windows of less are alike."""
    steps: Int[np.ndarray, " moments"]
    residual: Float[np.ndarray, "moments n"]
    """Energy of what is missing."""
    kept: Float[np.ndarray, "moments n"]
    """Energy of the reconstruction."""
    quantities: Mapping[str, Float[np.ndarray, "moments n"]]
    """By candidate; NaN where one is not defined."""
    lent_speed: Float[np.ndarray, " lent"]
    """How fast this fit's network would move, at the end, the octave of the contest's next picture, in the windows of
    that picture, row by row; NaN where a window holds no detail, or lies beyond this fit's own picture."""
    lent_leverage: Float[np.ndarray, " lent"]
    """The leverage of that octave, likewise."""
    recorded: Int[np.ndarray, " recorded"]
    """Steps at which it was looked at what is missing, rising from 1 or more."""
    missing: Float[np.ndarray, " recorded"]
    """Energy of what is missing of the octave then, over the whole picture."""
    foretelling: Int[np.ndarray, " foretelling"]
    """Steps, among the recorded ones, at which it was foretold how many more mend half of what is missing then."""
    foretold: Float[np.ndarray, " foretelling"]
    """How many; infinite where the next step mends nothing."""

    @property
    def missing_fraction(self) -> float:
        """What is missing of the octave at the end over what the target has there, at least rounding: 0 where all is
        there, and above 1 where the error outweighs it."""
        areas = np.outer(np.diff(self.row_edges), np.diff(self.column_edges)).ravel()
        return float(self.missing[-1] / np.average(np.exp(self.controls[0]), weights=areas))

    def happened(self) -> Float[np.ndarray, " foretelling"]:
        """How many steps it took in truth, from each of `foretelling`; NaN where half is still missing at the end.

        Between two recorded steps energies are taken to be powers of the step.
        """
        return np.array([self._steps_to_half(int(step)) for step in self.foretelling], np.float64)

    def steps_left(self) -> Int[np.ndarray, " foretelling"]:
        """How many steps of the fit followed each of `foretelling`."""
        return self.recorded[-1] - self.foretelling

    def _steps_to_half(self, step: int) -> float:
        start = int(np.searchsorted(self.recorded, step))
        half = self.missing[start] / 2
        below = np.flatnonzero(self.missing[start:] <= half)
        if not len(below) or not half > 0:
            return np.nan
        end = start + int(below[0])
        if self.missing[end] == 0:  # no power of a step
            return float(self.recorded[end] - step)
        steps, energies = np.log(self.recorded[end - 1 : end + 1]), np.log(self.missing[end - 1 : end + 1])
        share = (energies[0] - np.log(half)) / (energies[0] - energies[1])
        return float(np.exp(steps[0] + share * (steps[1] - steps[0])) - step)


def write_table(path: Path, table: WindowTable) -> None:
    """Write a table, whole."""
    plain = {part.name: getattr(table, part.name) for part in fields(table) if part.name != "quantities"}
    write_npz(path, **plain, **{QUANTITY + name: values for name, values in table.quantities.items()})


def read_table(path: Path) -> WindowTable:
    """Read what `write_table` wrote.

    Raises:
        InputError: when the file is missing or damaged.
    """
    try:
        arrays = read_npz(path, MOST_BYTES)
        plain = {part.name: arrays[part.name] for part in fields(WindowTable) if part.name != "quantities"}
        quantities = {
            name.removeprefix(QUANTITY): values for name, values in arrays.items() if name.startswith(QUANTITY)
        }
        table = WindowTable(**plain, quantities=quantities)
        shape = (len(table.steps), len(table.blocks))
        fits = [table.residual.shape, table.kept.shape, *(values.shape for values in quantities.values())]
        if set(fits) != {shape} or table.controls.shape[1:] != shape[1:]:
            raise ValueError("its arrays are of different windows")
    except (ValueError, KeyError, TypeError, IndexError):
        raise InputError(f"{str(path)!r} is damaged; delete it, and the fit is made anew") from None
    return table
