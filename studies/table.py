"""The table of a comparison: one row a run, as CSV, as Markdown, and for the report."""

import csv
from collections.abc import Mapping, Sequence
from io import StringIO
from typing import Any

Cell = float | int | str | None


def is_of_signal(result: Mapping[str, Any]) -> bool:
    """Whether a run is of a signal, whose lengths are in samples."""
    return "amplitude_recovered" in result


def table_row(result: Mapping[str, Any]) -> dict[str, Cell]:
    """The numbers of run.json that people compare, in the order they are read."""
    primary = result["primary_statistic"]
    return {
        "psnr_db": result["psnr_db"],
        "ssim": result["ssim"],
        "heldout_psnr_db": result["heldout_psnr_db"],
        **_detail(result),
        "seconds": result["seconds"],
        "samples_per_s": result["samples_per_s"],
        f"crossings_per_{'sample' if is_of_signal(result) else 'pixel'}": result["crossings_per_pixel"],
        "dead_neurons": result["dead_neurons"],
        "primary_statistic": None if primary is None else interval_text(**primary),
    }


def _detail(result: Mapping[str, Any]) -> dict[str, Cell]:
    """Energy kept of the four finest octaves; of a signal, the amplitude recovered at each of its frequencies."""
    if is_of_signal(result):
        return {f"amplitude {wave}": share for wave, share in result["amplitude_recovered"].items()}
    return {f"energy_kept {band}": kept for band, kept in list(result["energy_kept"].items())[:4]}


def interval_text(value: float, low: float | None, high: float | None) -> str:
    """A statistic with its interval, where there is one.

    >>> interval_text(-0.415, -0.52, -0.29)
    '−0.41 (−0.52 to −0.29)'
    """
    interval = "no interval" if low is None or high is None else f"{low:.2f} to {high:.2f}"
    return f"{value:.2f} ({interval})".replace("-", "−")


def to_csv(results: Sequence[Mapping[str, Any]]) -> str:
    """The table as CSV, with intervals in columns of their own."""
    rows = []
    for result in results:
        primary = result["primary_statistic"] or {"value": None, "low": None, "high": None}
        statistics = {
            f"primary_statistic_{key}".removesuffix("_value"): primary[key] for key in ("value", "low", "high")
        }
        numbers = {
            name.replace(" ", "_"): cell for name, cell in table_row(result).items() if name != "primary_statistic"
        }
        rows.append({"encoding": result["encoding"], "network": result["network"], **numbers, **statistics})
    text = StringIO()
    writer = csv.DictWriter(text, rows[0], lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


HEADINGS = {
    "psnr_db": "PSNR dB",
    "ssim": "SSIM",
    "heldout_psnr_db": "held-out dB",
    "seconds": "s",
    "samples_per_s": "samples/s",
    "crossings_per_pixel": "crossings/px",
    "crossings_per_sample": "crossings/sample",
    "dead_neurons": "dead",
    "primary_statistic": "primary statistic",
}


def to_markdown(results: Sequence[Mapping[str, Any]]) -> str:
    """The table as aligned Markdown, which reads on a terminal as well; columns that no run fills are left out."""
    rows = [{"encoding": r["encoding"], "network": r["network"], **table_row(r)} for r in results]
    names = [name for name in rows[0] if any(row.get(name) is not None for row in rows)]
    cells = [[_text(name, row.get(name)) for name in names] for row in rows]
    heads = [HEADINGS.get(name, name.replace("energy_kept", "kept")) for name in names]
    widths = [max(len(row[i]) for row in [heads, *cells]) for i in range(len(names))]
    lines = [heads, ["-" * width for width in widths], *cells]
    return "".join("| " + " | ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)) + " |\n" for line in lines)


def _text(name: str, value: Cell) -> str:
    if value is None:
        return "n/a"
    if isinstance(value, str):
        return value
    if name.startswith(("energy_kept", "amplitude")):
        return f"{100 * value:.0f} %"
    digits = {"psnr_db": 2, "heldout_psnr_db": 2, "ssim": 3, "seconds": 1, "samples_per_s": 0, "dead_neurons": 0}
    return f"{value:,.{digits[name]}f}" if name in digits else f"{value:.3g}"
