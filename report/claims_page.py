"""The page of a study: claims with their verdicts, and figures."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib import resources
from string import Template

from fieldlens.report import sections


@dataclass(frozen=True)
class ClaimRow:
    """A claim as a reader sees it."""

    id: str
    statement: str
    authors: str
    verdict: str
    outcome: str
    """The verdict, with what qualifies it."""
    parts: Sequence[tuple[str, str, str]]
    """What was measured, the number with its interval, and the part's own verdict."""


@dataclass(frozen=True)
class StudyFigure:
    """A picture with its words."""

    id: str
    title: str
    caption: str
    svg: bytes


@dataclass(frozen=True)
class StudyTable:
    """Numbers with their words, as text."""

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class StudyReport:
    """What a study's page is made of."""

    title: str
    summary: Sequence[str]
    claims: Sequence[ClaimRow]
    figures: Sequence[StudyFigure]
    tables: Sequence[StudyTable]
    protocol: Mapping[str, str]


def study_html(report: StudyReport) -> str:
    """The whole page; like a run's report it asks nothing of the network, and it runs no script at all."""
    return Template(page_file("study.html")).substitute(
        title=escape(report.title),
        style=page_file("report.css"),
        summary=sections.sentences(report.summary),
        claims="".join(map(_claim, report.claims)),
        without="" if report.claims else " hidden",
        figures="".join(figure_html(one, f"{one.id} · {one.title}") for one in report.figures),
        tables="".join(map(table_html, report.tables)),
        protocol=sections.protocol_table(report.protocol),
    )


def _claim(claim: ClaimRow) -> str:
    parts = "".join(
        f"<li>{escape(name)}: <b>{escape(number)}</b> <i>{escape(verdict)}</i></li>"
        for name, number, verdict in claim.parts
    )
    return (
        f'<tr><th scope="row">{escape(claim.id)}</th>'
        f"<td>{escape(claim.statement)}<br><small>Authors: {escape(claim.authors)}</small>"
        f'<ul class="parts">{parts}</ul></td>'
        f'<td class="outcome" data-verdict="{escape(claim.verdict)}">{escape(claim.outcome)}</td></tr>'
    )


def table_html(table: StudyTable) -> str:
    """A table in a foldable."""
    heads = "".join(f'<th scope="col">{escape(head)}</th>' for head in table.heads)
    rows = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in table.rows)
    return (
        f"<details><summary>{escape(table.title)}</summary>"
        f'<div class="scroller" tabindex="0" role="region" aria-label="{escape(table.title)}">'
        f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div></details>"
    )


def figure_html(figure: StudyFigure, heading: str) -> str:
    """A figure with its heading and caption, as part of the page."""
    image = b64encode(figure.svg).decode()
    return (
        f'<figure class="picture plot" id="{escape(figure.id)}"><h3>{escape(heading)}</h3>'
        f'<img alt="{escape(figure.title)}" src="data:image/svg+xml;base64,{image}">'
        f"<figcaption>{escape(figure.caption)}</figcaption></figure>"
    )


def page_file(name: str) -> str:
    """The text of a file of this package."""
    return resources.files("fieldlens.report").joinpath(name).read_text(encoding="utf-8")
