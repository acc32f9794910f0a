"""The page of a sweep: methods with their intervals drawn, pictures by methods to click through, and charts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from string import Template
from urllib.parse import quote

import numpy as np
from jaxtyping import UInt8

from fieldlens.report import sections
from fieldlens.report.claims_page import StudyFigure, StudyTable, figure_html, page_file, table_html
from fieldlens.report.guide import PICTURE_GUIDE, Entries
from fieldlens.report.images import encoded_earlier
from fieldlens.report.table import RUN_COLOURS
from fieldlens.report.terms import Glossary

GUIDE: Entries = (
    *(entry for entry in PICTURE_GUIDE if entry[0] in ("PSNR", "Held-out", "SSIM", "Kept")),
    (
        "Decided",
        "The interval of the difference between the two leaves 0 out: others of such pictures, or seeds, would hardly "
        "turn the order round. It is asked of all pictures together. Picture by picture, > and ? say what the seeds of "
        "that one picture tell.",
    ),
    (
        "Interval",
        "A range made so that it holds the mean over all such pictures, or seeds, as often as the percentage says.",
    ),
    ("sd picture", "Standard deviation between pictures: how far one differs from another."),
    ("sd seed", "Standard deviation between seeds of one picture: how much of a number is luck."),
)
"""What terms mean on this page."""

INTERVAL_WIDTH = 220
"""Of a drawn interval, in units of its drawing."""


@dataclass(frozen=True)
class Link:
    """A report of a fit."""

    label: str
    address: str
    """Relative to the page."""


@dataclass(frozen=True)
class Shown:
    """What a method made of a picture: a cell of the grid."""

    image: UInt8[np.ndarray, "h w 3"] | None
    """Of the first seed, reduced; None where it is not drawn."""
    caption: str
    reports: Sequence[Link]


@dataclass(frozen=True)
class PictureRow:
    """A line of the grid."""

    name: str
    target: UInt8[np.ndarray, "h w 3"] | None
    ranking: str
    """How methods stand on it; empty where there is one."""
    shown: Sequence[Shown | None]
    """One for each method; None where no fit is finished."""


@dataclass(frozen=True)
class Ends:
    """A mean with its interval, to be drawn."""

    mean: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class SweepReport:
    """What the page is made of."""

    title: str
    sentences: Sequence[str]
    methods: Sequence[str]
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    """A line for each method."""
    means: Sequence[Ends | None]
    pictures: Sequence[PictureRow]
    figures: Sequence[StudyFigure]
    tables: Sequence[StudyTable]
    protocol: Mapping[str, str]


def sweep_html(report: SweepReport) -> str:
    """The whole page; it asks nothing of the network, and runs no script."""
    glossary = Glossary(GUIDE)
    return Template(page_file("sweep.html")).substitute(
        title=escape(report.title),
        style=page_file("report.css"),
        lead=glossary.marked(report.sentences[0]),
        sentences=sections.explained(report.sentences[1:], glossary),
        methods=_methods(report, glossary),
        pictures=_grid(report),
        figures="".join(figure_html(one, one.title) for one in report.figures),
        tables="".join(map(table_html, report.tables)),
        protocol=sections.protocol_table(report.protocol),
    )


def _methods(report: SweepReport, glossary: Glossary) -> str:
    drawn = [ends for ends in report.means if ends is not None]
    numbers = [end for ends in drawn for end in (ends.mean, ends.low, ends.high) if end is not None]
    low, high = (min(numbers), max(numbers)) if numbers else (0.0, 1.0)
    heads = "".join(f'<th scope="col">{glossary.marked(head)}</th>' for head in report.heads[1:])
    lines = "".join(
        f'<tr><th scope="row"><span class="run-name" data-run="{number % RUN_COLOURS}">{escape(row[0])}</span></th>'
        f"<td>{_interval(ends, low, high, number)}</td>"
        + "".join(f"<td>{escape(cell)}</td>" for cell in row[1:])
        + "</tr>"
        for number, (row, ends) in enumerate(zip(report.rows, report.means, strict=True))
    )
    scale = f"{low:.1f} to {high:.1f} dB".replace("-", "−")
    return (
        f'<table class="numbers"><thead><tr><th scope="col">{escape(report.heads[0])}</th>'
        f'<th scope="col">interval<span class="unit">{scale}</span></th>{heads}</tr></thead>'
        f"<tbody>{lines}</tbody></table>"
    )


def _interval(ends: Ends | None, low: float, high: float, number: int) -> str:
    """A mean and its interval on a line from `low` to `high`."""
    if ends is None:
        return ""
    span = max(high - low, 1e-9)

    def at(value: float) -> str:
        return f"{6 + (INTERVAL_WIDTH - 12) * (value - low) / span:.1f}"

    bar = ""
    if ends.low is not None and ends.high is not None:
        bar = f'<line class="bar" x1="{at(ends.low)}" x2="{at(ends.high)}" y1="9" y2="9"/>'
    return (
        f'<svg class="interval" data-run="{number % RUN_COLOURS}" viewBox="0 0 {INTERVAL_WIDTH} 18" aria-hidden="true">'
        f'<line class="axis" x1="0" x2="{INTERVAL_WIDTH}" y1="9" y2="9"/>{bar}'
        f'<circle cx="{at(ends.mean)}" cy="9" r="4"/></svg>'
    )


def _grid(report: SweepReport) -> str:
    heads = "".join(
        f'<th scope="col"><span class="run-name" data-run="{number % RUN_COLOURS}">{escape(method)}</span></th>'
        for number, method in enumerate(report.methods)
    )
    lines = "".join(_picture_row(row) for row in report.pictures)
    head = f'<thead><tr><th scope="col">Picture</th>{heads}</tr></thead>'
    return f'<table class="pictures">{head}<tbody>{lines}</tbody></table>'


def _picture_row(row: PictureRow) -> str:
    target = "" if row.target is None else _image(row.target, f"{row.name}: the target")
    ranking = f'<span class="caption">{escape(row.ranking)}</span>' if row.ranking else ""
    cells = "".join(_cell(row.name, shown) for shown in row.shown)
    return f'<tr><th scope="row">{target}<b>{escape(row.name)}</b>{ranking}</th>{cells}</tr>'


def _cell(name: str, shown: Shown | None) -> str:
    if shown is None:
        return '<td class="absent">not finished</td>'
    image = "" if shown.image is None else _image(shown.image, f"{name}: {shown.caption}")
    first = shown.reports[0].address if shown.reports else ""
    if image and first:
        image = f'<a href="{_address(first)}">{image}</a>'
    links = " ".join(f'<a href="{_address(link.address)}">{escape(link.label)}</a>' for link in shown.reports)
    return f'<td>{image}<span class="caption">{escape(shown.caption)}</span><span class="caption">{links}</span></td>'


def _image(image: UInt8[np.ndarray, "h w 3"], description: str) -> str:
    return f'<img src="{encoded_earlier(image).uri}" alt="{escape(description, quote=True)}" loading="lazy">'


def _address(path: str) -> str:
    return escape(quote(path))
