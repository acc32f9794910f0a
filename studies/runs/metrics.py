"""The curves of a run: metrics.csv, whose header never changes; a signal's has its amplitudes as well."""

import csv
import re
from collections.abc import Sequence
from dataclasses import replace
from io import StringIO
from pathlib import Path

from fieldlens.configs.errors import InputError
from fieldlens.configs.files import read_bytes, write_text
from fieldlens.studies.subjects.found import Row

from .folder import RunFolder

BANDS = 14
"""Octave bands with a column of their own, enough for 65,536 px; the last band of a picture holds all longer waves."""

METRICS_COLUMNS = [
    "step",
    "seconds",
    "loss",
    "psnr_db",
    "heldout_psnr_db",
    *[f"energy_kept_{2 ** (band + 1)}_{2 ** (band + 2)}_px" for band in range(BANDS)],
    *[f"relative_error_{2 ** (band + 1)}_{2 ** (band + 2)}_px" for band in range(BANDS)],
]

KEPT, BAND_ERROR = (slice(5 + BANDS * kind, 5 + BANDS * (kind + 1)) for kind in range(2))
"""Where their columns are."""

AMPLITUDE, AMPLITUDE_ERROR = "amplitude_", "amplitude_error_"


class Metrics:
    """The rows so far, and the file that holds them; `frequencies` are those of a signal."""

    def __init__(self, path: Path, frequencies: Sequence[int] = ()) -> None:
        self.path = path
        by_frequency = (f"{kind}{k}_cycles" for kind in (AMPLITUDE, AMPLITUDE_ERROR) for k in frequencies)
        self.columns = [*METRICS_COLUMNS, *by_frequency]
        self.rows: list[Row] = []

    def read(self, until: int | None = None) -> None:
        """Take the rows that an earlier sitting wrote, or those of them up to the step `until`.

        Raises:
            InputError: when the file is damaged.
        """
        if not self.path.exists():
            return
        anew = "delete it, and the curves begin anew"
        try:
            data = read_bytes(self.path)
        except InputError as error:
            raise InputError(f"{error}; or {anew}") from None
        try:
            rows = _parse_all(data.decode())
        except (ValueError, KeyError, TypeError, csv.Error):  # not UTF-8, no number, no such column, a line cut short
            raise InputError(f"{str(self.path)!r} is damaged; {anew}") from None
        self.rows = [row for row in rows if until is None or row.step <= until]

    def add(self, row: Row) -> None:
        """Add a step; one that is there already is replaced, but keeps the loss of the batch that led to it."""
        before = [old for old in self.rows if old.step < row.step]
        same = [old for old in self.rows if old.step == row.step]
        self.rows = [*before, replace(row, loss=same[0].loss) if same and row.loss is None else row]

    def write(self) -> None:
        """Write the file, whole."""
        text = StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self.columns)
        for row in self.rows:
            kept, error = ([*bands, *[None] * BANDS][:BANDS] for bands in (row.energy_kept, row.relative_error))
            scores = [row.loss, row.psnr_db, row.heldout_psnr_db]
            cells = [*scores, *kept, *error, *row.amplitudes, *row.amplitude_errors]
            writer.writerow([row.step, f"{row.seconds:.3f}", *["" if v is None else f"{v:.6g}" for v in cells]])
        write_text(self.path, text.getvalue())

    @property
    def gained_db(self) -> float | None:
        """What the last third of the steps gained; None where so little is recorded that it cannot be said."""
        if not self.rows or self.rows[-1].step == 0:
            return None
        newest = self.rows[-1]
        before = [row for row in self.rows if row.step <= newest.step * 2 / 3]
        return newest.psnr_db - before[-1].psnr_db if before else None

    def plateau(self, gain_db: float, least_steps: int) -> bool:
        """Whether there were so many steps, and the last third of them gained less than `gain_db`."""
        gained_db = self.gained_db
        return self.rows[-1].step >= least_steps and gained_db is not None and gained_db < gain_db


def drawn_rows(folder: RunFolder) -> list[Row]:
    """The recorded steps of a run that have a picture.

    Raises:
        InputError: when the file of curves is damaged or missing.
    """
    metrics = Metrics(folder.metrics_file)
    metrics.read()
    if not metrics.rows:
        raise InputError(f"there are no curves in {str(folder.metrics_file)!r}; `fieldlens fit --resume` begins them")
    drawn = set(folder.frame_steps("reconstruction"))
    return [row for row in metrics.rows if row.step in drawn]


def _parse_all(text: str) -> list[Row]:
    """The rows of a file; one without rows was cut short, as the first is written with its header."""
    rows = [_parse(line) for line in csv.DictReader(StringIO(text))]
    steps = [row.step for row in rows]
    if not (rows and text.endswith("\n") and steps == sorted({*steps}) and steps[0] >= 0):
        raise ValueError("rows are missing, or out of order")
    return rows


def _parse(line: dict[str, str]) -> Row:
    def number(name: str) -> float | None:
        return float(line[name]) if line[name] else None

    def bands(columns: slice) -> list[float | None]:
        values = [number(name) for name in METRICS_COLUMNS[columns]]
        while values and values[-1] is None:
            values.pop()
        return values

    def cycles(kind: str) -> list[float | None]:
        return [number(name) for name in line if re.fullmatch(rf"{kind}\d+_cycles", name)]

    return Row(
        int(line["step"]),
        float(line["seconds"]),
        number("loss"),
        float(line["psnr_db"]),
        number("heldout_psnr_db"),
        bands(KEPT),
        bands(BAND_ERROR),
        cycles(AMPLITUDE),
        cycles(AMPLITUDE_ERROR),
    )
