"""The curves of a run: metrics.csv, with a column for each octave band that a picture has, or frequency of a signal."""

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

SCORES = ["step", "seconds", "loss", "psnr_db", "heldout_psnr_db"]
"""The columns that every run has."""

KEPT, BAND_ERROR = "energy_kept_", "relative_error_"
"""What columns of bands begin with."""

AMPLITUDE, AMPLITUDE_ERROR = "amplitude_", "amplitude_error_"


class Metrics:
    """The rows so far, and the file that holds them; `frequencies` are those of a signal."""

    def __init__(self, path: Path, frequencies: Sequence[int] = ()) -> None:
        self.path, self.frequencies = path, frequencies
        self.rows: list[Row] = []

    @property
    def columns(self) -> list[str]:
        """The header of the file, which is the same from the first row on."""
        by_band = (f"{kind}{band}" for kind in (KEPT, BAND_ERROR) for band in band_names(self._bands))
        by_frequency = (f"{kind}{k}_cycles" for kind in (AMPLITUDE, AMPLITUDE_ERROR) for k in self.frequencies)
        return [*SCORES, *by_band, *by_frequency]

    @property
    def _bands(self) -> int:
        return max((len(bands) for row in self.rows for bands in (row.energy_kept, row.relative_error)), default=0)

    def read(self, until: int | None = None) -> None:
        """Take the rows that an earlier sitting wrote, or those of them up to the step `until`.

        Raises:
            InputError: when the file is damaged.
        """
        if not self.path.exists():
            return
        anew = f"delete {self.path.name}, and the curves begin anew"
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
        count = self._bands
        for row in self.rows:
            scores = [row.loss, row.psnr_db, row.heldout_psnr_db]
            by_band = (row.energy_kept, row.relative_error)
            kept, error = ([*bands, *[None] * (count - len(bands))] for bands in by_band)
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


def band_names(count: int) -> list[str]:
    """The octave bands of a picture that has so many, as columns call them: the last holds all longer waves.

    >>> band_names(3)
    ['2_4_px', '4_8_px', '8+_px']
    """
    inner = [f"{2 ** (band + 1)}_{2 ** (band + 2)}_px" for band in range(count - 1)]
    return [*inner, f"{2**count}+_px"] if count else []


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

    if None in line:
        raise ValueError("a line has more cells than the header")
    whole = any(name.endswith("+_px") for name in line)  # earlier versions had more columns than the picture has bands

    def bands(kind: str) -> list[float | None]:
        values = [number(name) for name in line if name.startswith(kind)]
        while not whole and values and values[-1] is None:
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
