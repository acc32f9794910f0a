"""Numbers as a person reads them: headings, units and digits; a list for one run, a table for several."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from fieldlens.report.model import Number, RunPart
from fieldlens.report.terms import Glossary

ABSENT = "n/a"

RUN_COLOURS = 6
"""Colours of runs in `report.css`; a seventh run takes the first again."""


@dataclass(frozen=True)
class Column:
    """How the numbers of one name are shown."""

    heading: str
    unit: str
    text: Callable[[float], str]
    higher_is_better: bool = False
    is_share: bool = False
    """Whether the numbers are in [0, 1], drawn with a bar."""
    has_interval: bool = False
    """Whether they are text such as "−0.41 (−0.52 to −0.29)", whose bracket goes below."""


def decimals(digits: int) -> Callable[[float], str]:
    """Fixed point, with a true minus sign.

    >>> decimals(2)(-0.415)
    '−0.41'
    """
    return lambda value: f"{value:,.{digits}f}".replace("-", "−")


def significant(value: float) -> str:
    """Three significant digits, thousands apart; no exponents between 0.001 and a billion.

    >>> significant(312345.6), significant(0.04567), significant(7)
    ('312,000', '0.0457', '7')
    """
    if value == 0 or not 1e-3 <= abs(value) < 1e9:
        return f"{value:.3g}".replace("-", "−")
    digits = 2 - math.floor(math.log10(abs(value)))
    text = f"{round(value, digits):,.{max(digits, 0)}f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text).replace("-", "−")


def whole_percent(value: float) -> str:
    """A share as a whole number of hundredths, as columns line it up.

    >>> whole_percent(0.934)
    '93 %'
    """
    return f"{value * 100:.0f} %".replace("-", "−")


KNOWN_COLUMNS: Mapping[str, Column] = {
    "psnr_db": Column("PSNR", "dB", decimals(2), higher_is_better=True),
    "ssim": Column("SSIM", "", decimals(3), higher_is_better=True),
    "heldout_psnr_db": Column("Held-out PSNR", "dB", decimals(2), higher_is_better=True),
    "steps": Column("Steps", "", decimals(0)),
    "seconds": Column("Training", "s", decimals(1)),
    "samples_per_s": Column("Throughput", "samples / s", significant),
    "parameters": Column("Parameters", "", decimals(0)),
    "crossings_per_pixel": Column("Density", "crossings / px", significant),
    "crossings_per_sample": Column("Density", "crossings / sample", significant),
    "dead_neurons": Column("Dead neurons", "", decimals(0)),
    "error_against_creases": Column("Error against creases", "", decimals(2), has_interval=True),
    "error_against_leverage": Column("Error against leverage", "", decimals(2), has_interval=True),
}

"""How numbers are shown whose names are known, by the names of `run.json`."""

ENERGY_KEPT = "energy_kept"
"""Prefix of one column per band: `energy_kept 2-4 px`."""

AMPLITUDE = "amplitude"
"""Prefix of one column per frequency of a signal: `amplitude 5 cycles`."""


def column(name: str) -> Column:
    """The column of a number's name; a name not known here is its own heading."""
    if name.startswith(ENERGY_KEPT):
        band = name.removeprefix(ENERGY_KEPT).strip(" _:")
        return Column("Kept", band.replace("-", "–"), whole_percent, is_share=True)
    if name.startswith(AMPLITUDE):
        return Column("Amplitude", name.removeprefix(AMPLITUDE).strip(), whole_percent, is_share=True)
    return KNOWN_COLUMNS.get(name) or Column(name.replace("_", " ").capitalize(), "", significant)


def number_text(value: Number, form: Callable[[float], str] = significant) -> str:
    """A number in words: strings as they are, "n/a" for None and NaN, the sign for infinity."""
    if isinstance(value, str):
        return value
    if value is None or math.isnan(value):
        return ABSENT
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return form(value)


def numbers_html(runs: Sequence[RunPart], glossary: Glossary) -> str:
    """The numbers of all runs as escaped HTML: a lone run has nothing to be lined up with, so its numbers flow."""
    return _list(runs[0], glossary) if len(runs) == 1 else _table(runs, glossary)


def _list(run: RunPart, glossary: Glossary) -> str:
    label, network = escape(run.label), escape(run.network)
    who = f'<div><dt class="run-name" data-run="0">{label}</dt><dd class="unit">{network}</dd></div>'
    facts = "".join(_fact(column(name), value, glossary) for name, value in run.numbers.items() if value is not None)
    return f'<dl class="facts-row">{who}{facts}</dl>'


def _fact(shown: Column, value: Number, glossary: Glossary) -> str:
    text = number_text(value, shown.text)
    # A band's "unit" is its wavelengths: it belongs to the name, not to the number.
    name = f"{shown.heading} {shown.unit}" if shown.is_share else shown.heading
    unit = (
        "" if shown.is_share or text == ABSENT or not shown.unit else f' <span class="unit">{escape(shown.unit)}</span>'
    )
    attributes = _attributes(shown, value, ["absent"] if text == ABSENT else [])
    return f"<div><dt>{glossary.marked(name)}</dt><dd{attributes}>{_cell_text(text, shown)}{unit}</dd></div>"


def _table(runs: Sequence[RunPart], glossary: Glossary) -> str:
    """One row for each run, a column for each number that any run has."""
    names = list(dict.fromkeys(name for run in runs for name, value in run.numbers.items() if value is not None))
    heads = "".join(_head(column(name), glossary) for name in names)
    best = {name: _best(name, runs) for name in names}
    rows = "".join(
        f'<tr><th scope="row"><span class="run-name" data-run="{index % RUN_COLOURS}">{escape(run.label)}</span>'
        f'<span class="unit">{escape(run.network)}</span></th>'
        + "".join(_cell(name, run.numbers.get(name), is_best=index in best[name]) for name in names)
        + "</tr>"
        for index, run in enumerate(runs)
    )
    return (
        f'<table class="numbers"><thead><tr><th scope="col">Encoding<span class="unit">network</span></th>{heads}</tr>'
        f"</thead><tbody>{rows}</tbody></table>"
    )


def _head(shown: Column, glossary: Glossary) -> str:
    tall = ' class="tall"' if shown.has_interval else ""
    return f'<th scope="col"{tall}>{glossary.marked(shown.heading)}<span class="unit">{escape(shown.unit)}</span></th>'


def _cell(name: str, value: Number, *, is_best: bool) -> str:
    shown = column(name)
    text = number_text(value, shown.text)
    classes = ["absent"] if text == ABSENT else ["best"] if is_best else []
    return f"<td{_attributes(shown, value, classes)}>{_cell_text(text, shown)}</td>"


def _attributes(shown: Column, value: Number, classes: list[str]) -> str:
    style = ""
    if shown.has_interval:
        classes = [*classes, "tall"]
    if shown.is_share and isinstance(value, (int, float)) and math.isfinite(value):
        classes = [*classes, "share"]
        style = f' style="--share:{min(max(value, 0.0), 1.0):.3f}"'
    return (f' class="{" ".join(classes)}"' if classes else "") + style


def _cell_text(text: str, shown: Column) -> str:
    if not shown.has_interval or " (" not in text:
        return escape(text)
    number, interval = text.split(" (", 1)
    return f'{escape(number)}<span class="unit"> ({escape(interval)}</span>'


def _best(name: str, runs: Sequence[RunPart]) -> set[int]:
    """Runs that lead a column in which more is plainly better; none where all are level."""
    if not column(name).higher_is_better:
        return set()
    values = {index: run.numbers.get(name) for index, run in enumerate(runs)}
    known = {i: float(v) for i, v in values.items() if isinstance(v, (int, float)) and not math.isnan(v)}
    leaders = {i for i, value in known.items() if value == max(known.values())}
    return leaders if len(leaders) < len(known) else set()
