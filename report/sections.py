"""The parts of the page that stand without JavaScript: sentences, tables and foldables, as escaped HTML."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from urllib.parse import quote

from report.images import still_uri
from report.model import Picture, Report, RunPart
from report.table import RUN_COLOURS, number_text

SHOWN_ITEMS = 12
"""Longer lists (one number per window, say) are counted, not printed; `explain.json` holds them."""


def sentences(texts: Sequence[str]) -> str:
    """A paragraph for each sentence."""
    return "".join(f"<p>{escape(text)}</p>" for text in texts)


def run_sections(runs: Sequence[RunPart]) -> str:
    """For each run its own verdict (a lone run's opens the page already) and its statistics in full."""
    return "".join(_run_section(index, run, alone=len(runs) == 1) for index, run in enumerate(runs))


def protocol_table(protocol: Mapping[str, str]) -> str:
    """Choices by name."""
    return _two_columns(protocol.items())


def notes_list(notes: Sequence[str]) -> str:
    """Notes as list items."""
    return "".join(f"<li>{escape(note)}</li>" for note in notes)


def video_link(report: Report) -> str:
    """A link to the video in the report's own folder, or nothing."""
    if report.video_name is None:
        return ""
    # "./" keeps a name such as "a:b.mp4" from being read as a scheme.
    return f'<a class="video" href="./{quote(report.video_name)}">Watch the video</a>'


def _run_section(index: int, run: RunPart, *, alone: bool) -> str:
    heading = f'<h3><span class="run-name" data-run="{index % RUN_COLOURS}">{escape(run.label)}</span></h3>'
    verdict = "" if alone else heading + sentences(run.verdict)
    rows = list(flattened(run.explanation))
    pictures = "".join(map(_picture, run.pictures))
    statistics = f"<details><summary>The statistics behind it</summary>{_two_columns(rows)}</details>" if rows else ""
    inside = verdict + pictures + statistics
    return f'<article class="run">{inside}</article>' if inside else ""


def _picture(picture: Picture) -> str:
    return (
        f'<figure class="picture"><img alt="{escape(picture.title)}" src="{still_uri(picture.image)}">'
        f"<figcaption><b>{escape(picture.title)}.</b> {escape(picture.caption)}</figcaption></figure>"
    )


def flattened(value: object, path: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """Leaves of nested plain data with their path in words, in the order given.

    >>> list(flattened({"primary": {"value": 0.5, "band_px": [2, 4]}, "note": None}))
    [('primary › value', '0.5'), ('primary › band px', '2, 4'), ('note', 'n/a')]
    """
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from flattened(inner, (*path, str(key).replace("_", " ")))
    elif isinstance(value, (list, tuple)) and any(isinstance(item, (Mapping, list, tuple)) for item in value):
        for number, inner in enumerate(value[:SHOWN_ITEMS], start=1):
            yield from flattened(inner, (*path, str(number)))
    else:
        yield " › ".join(path), _plain_text(value)


def _plain_text(value: object) -> str:
    if isinstance(value, (list, tuple)):
        return f"{len(value)} values" if len(value) > SHOWN_ITEMS else ", ".join(map(_plain_text, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or isinstance(value, (int, float)):
        return number_text(value, lambda number: f"{number:,.4g}".replace("-", "−"))
    return str(value)


def _two_columns(rows: Iterable[tuple[str, str]]) -> str:
    body = "".join(f'<tr><th scope="row">{escape(name)}</th><td>{escape(text)}</td></tr>' for name, text in rows)
    return f'<table class="facts"><tbody>{body}</tbody></table>'
