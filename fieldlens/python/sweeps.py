"""What a comparison of several scenes or seeds left, as a program looks at it."""

import csv
import dataclasses
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fieldlens.configs.encoding import Own

from .runs import Run
from .showing import page_html, sentences_html, table_html

if TYPE_CHECKING:
    from fieldlens.configs.run import CompareConfig
    from fieldlens.studies.sweeps.folder import Sweep as SweepFolder
    from fieldlens.studies.sweeps.sweep import SweepRecord


@dataclass(frozen=True, repr=False)
class Sweep:
    """Fits of several scenes or with several seeds, in their folder. In a notebook it shows its table and report."""

    folder: Path
    encodings: tuple[Own, ...] = dataclasses.field(default=(), compare=False)
    """Encodings of one's own that it was made with, named again."""

    @property
    def config(self) -> "CompareConfig":
        """Every choice that it was made with."""
        return self._sweep.config()

    @property
    def record(self) -> "SweepRecord":
        """What it found, as sweep.json has it.

        Raises:
            InputError: when it has not ended yet, or the file is damaged.
        """
        from fieldlens.studies.sweeps.sweep import record_of

        return record_of(self._sweep)

    @property
    def fits(self) -> Sequence[dict[str, str]]:
        """A dictionary for each finished fit, as table.csv has it; what is not measured is empty.

        Raises:
            InputError: when there is no table yet.
        """
        from fieldlens.configs.files import read_bytes

        text = read_bytes(self._sweep.fits_file).decode(errors="replace")
        return list(csv.DictReader(io.StringIO(text, newline="")))

    @property
    def runs(self) -> "Sequence[Run]":
        """The finished fits, in the order of the table; raises as `fits` does."""
        named = {str(one): one for one in self.encodings}
        return [Run(Path(fit["path"]), named.get(fit["encoding"])) for fit in self.fits]

    @property
    def report(self) -> Path:
        """All of it on one page: open it in a browser."""
        return self._sweep.report

    def __str__(self) -> str:
        ended = self._sweep.result_file.is_file()
        return "\n".join(self.record.lines) if ended else f"{self.folder}: a comparison that has not ended yet"

    def __repr__(self) -> str:
        return f"<Sweep {self.folder}>"

    def _repr_html_(self) -> str:
        if not self._sweep.result_file.is_file():
            return sentences_html([str(self)])
        record = self.record
        lines = record.table.partition("\n\n")[0].splitlines()  # the methods; the page has how they rank by picture
        head, _rule, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
        return table_html(rows, head) + sentences_html(record.verdict) + page_html(record.report)

    @property
    def _sweep(self) -> "SweepFolder":
        from fieldlens.studies.sweeps.folder import Sweep as SweepFolder

        return SweepFolder(self.folder, self.encodings)
