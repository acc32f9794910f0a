"""The table of a comparison: one row a run, as CSV, as Markdown, and for the report."""

import csv
from collections.abc import Mapping, Sequence
from io import StringIO

from fieldlens.configs.optimizer import Adam
from fieldlens.report import Words
from fieldlens.studies.subjects.found import Statistic

from .record import RunRecord

Cell = float | int | str | None


def table_row(record: RunRecord, words: Words) -> dict[str, Cell]:
    """The numbers of run.json that people compare, in the order they are read."""
    found, leading = record.explained, record.explained.primary_statistic
    return {
        "psnr_db": record.psnr_db,
        "ssim": record.ssim,
        "heldout_psnr_db": record.heldout_psnr_db,
        **_detail(record),
        "seconds": record.seconds,
        "samples_per_s": record.samples_per_s,
        f"crossings_per_{words.step}": found.crossings_per_pixel,
        "dead_neurons": found.dead_neurons,
        **({} if leading is None else {f"error_against_{leading.against}": interval_text(leading)}),
    }


def _detail(record: RunRecord) -> dict[str, Cell]:
    """Energy kept of the four finest octaves; of a signal, the amplitude recovered at each of its frequencies."""
    amplitudes = record.explained.amplitude_recovered
    if amplitudes is not None:
        return {f"amplitude {wave}": share for wave, share in amplitudes.items()}
    return {f"energy_kept {band}": kept for band, kept in list(record.energy_kept.items())[:4]}


def interval_text(found: Statistic) -> str:
    """A statistic with its interval, where there is one.

    >>> interval_text(Statistic(-0.415, -0.52, -0.29))
    '−0.41 (−0.52 to −0.29)'
    """
    interval = "no interval" if found.low is None or found.high is None else f"{found.low:.2f} to {found.high:.2f}"
    return f"{found.value:.2f} ({interval})".replace("-", "−")


def to_csv(records: Sequence[RunRecord], words: Words) -> str:
    """The table as CSV, with intervals in columns of their own."""
    return csv_text([csv_row(record, words) for record in records])


def csv_row(record: RunRecord, words: Words) -> dict[str, Cell]:
    """A run's line of the CSV."""
    statistics: dict[str, Cell] = {}
    for found in (record.explained.primary_statistic, record.explained.crease_statistic):
        if found is not None:
            name = f"error_against_{found.against}"
            statistics |= {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high}
    numbers = {name.replace(" ", "_"): cell for name, cell in table_row(record, words).items()}
    return {**_choices(record), **numbers, **statistics}


def csv_text(rows: Sequence[Mapping[str, Cell]]) -> str:
    """Rows as CSV: a column for each name that any of them has, empty where a row has not."""
    text = StringIO()
    writer = csv.DictWriter(text, _columns(rows), lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _columns(rows: Sequence[Mapping[str, Cell]]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row))


HEADINGS = {
    "psnr_db": "PSNR dB",
    "ssim": "SSIM",
    "heldout_psnr_db": "held-out dB",
    "seconds": "s",
    "samples_per_s": "samples/s",
    "crossings_per_pixel": "crossings/px",
    "crossings_per_sample": "crossings/sample",
    "dead_neurons": "dead",
    "error_against_creases": "error against creases",
    "error_against_leverage": "error against leverage",
}


def to_markdown(records: Sequence[RunRecord], words: Words) -> str:
    """The table as aligned Markdown, which reads on a terminal as well; columns that no run fills are left out."""
    rows = [{**_choices(one), **table_row(one, words)} for one in records]
    names = [name for name in _columns(rows) if any(row.get(name) is not None for row in rows)]
    if all(one.plan.optimizer == Adam() for one in records):
        names.remove("optimizer")
    cells = [[_text(name, row.get(name)) for name in names] for row in rows]
    heads = [HEADINGS.get(name, name.replace("energy_kept", "kept")) for name in names]
    return aligned(heads, cells)


def aligned(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table as Markdown whose columns are aligned.

    >>> print(aligned(["a", "b"], [["1", "long"]]), end="")
    | a | b    |
    | - | ---- |
    | 1 | long |
    """
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    lines = [heads, ["-" * width for width in widths], *rows]
    return "".join("| " + " | ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)) + " |\n" for line in lines)


def _choices(record: RunRecord) -> dict[str, Cell]:
    return {"encoding": record.encoding, "network": record.network, "optimizer": str(record.plan.optimizer)}


def _text(name: str, value: Cell) -> str:
    if value is None:
        return "n/a"
    if isinstance(value, str):
        return value
    if name.startswith(("energy_kept", "amplitude")):
        return f"{100 * value:.0f} %"
    digits = {"psnr_db": 2, "heldout_psnr_db": 2, "ssim": 3, "seconds": 1, "samples_per_s": 0, "dead_neurons": 0}
    return f"{value:,.{digits[name]}f}" if name in digits else f"{value:.3g}"
