"""The parts of the page that stand without JavaScript: sentences, tables and foldables, as escaped HTML."""

from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from urllib.parse import quote

from fieldlens.analysis.detail.windows import Place
from fieldlens.report.images import encoded_still
from fieldlens.report.microscope_page import look_address
from fieldlens.report.model import Exhibit, FigureFile, Film, Learnt, Report, RunPart, Spectra
from fieldlens.report.statistics import statistics_html
from fieldlens.report.table import RUN_COLOURS, number_text, numbers_html
from fieldlens.report.terms import Glossary
from fieldlens.report.words import Words


def sentences(texts: Sequence[str]) -> str:
    """A paragraph for each sentence."""
    return "".join(f"<p>{escape(text)}</p>" for text in texts)


def run_sections(runs: Sequence[RunPart], largest_side: int, glossary: Glossary) -> str:
    """For each run its own verdict (a lone run's opens the page already) and its statistics in full."""
    alone = len(runs) == 1
    return "".join(_run_section(index, run, largest_side, glossary, alone=alone) for index, run in enumerate(runs))


def views_section(runs: Sequence[RunPart], largest_side: int) -> str:
    """For each run its views on one sheet; nothing where none has any."""
    parts = "".join(
        f"<article>{'' if len(runs) == 1 else _run_heading(index, run)}"
        f"{_exhibit(run.views, largest_side, 'picture sheet')}</article>"
        for index, run in enumerate(runs)
        if run.views is not None
    )
    return f"<h2>View by view</h2>{parts}" if parts else ""


def spectra_section(runs: Sequence[RunPart], words: Words) -> str:
    """Places for the charts of spectra, and for each run when its octaves or frequencies were there."""
    if not any(run.spectra or run.learnt for run in runs):
        return ""
    drawn = '<div class="charts" id="spectrum-charts"></div>' if any(run.spectra for run in runs) else ""
    tables = "".join(_spectra_of(index, run, words, alone=len(runs) == 1) for index, run in enumerate(runs))
    return f'<h2>Which frequencies are there, and since when</h2>{drawn}<div class="runs learnt">{tables}</div>'


def _spectra_of(index: int, run: RunPart, words: Words, *, alone: bool) -> str:
    heading = "" if alone else _run_heading(index, run)
    resolved = "" if run.spectra is None else sentences(_resolved(run.spectra))
    return f"<article>{heading}{resolved}{_learnt_table(run, words)}</article>"


def _resolved(spectra: Spectra) -> list[str]:
    """Up to where waves lie in their right places, as wavelengths."""
    words = [
        f"{_waves(frequency)} ({threshold})"
        for threshold, frequency in spectra.resolved.items()
        if frequency is not None
    ]
    return [f"What there is of waves, faint or not, is in the right place for {'; '.join(words)}."] if words else []


def _waves(frequency: float) -> str:
    """Those up to a frequency, in cycles per pixel. Beyond a half there are only those that run slantwise."""
    if frequency == 0:
        return "no waves"
    return "all waves" if frequency >= 1 / 2 else f"waves of {number_text(1 / frequency)} px and longer"


def _learnt_table(run: RunPart, words: Words) -> str:
    if not run.learnt:
        return ""
    cells = "".join(map(_learnt_row, run.learnt))
    of = "frequency" if words.in_cycles else "wavelengths"
    heads = "".join(f'<th scope="col">{name}</th>' for name in (of, "half of its energy", "error under a half"))
    note = f" {words.energy_of}" if words.energy_of else ""
    return (
        f'<table class="facts"><caption>At which recorded step{escape(note)}</caption>'
        f"<thead><tr>{heads}</tr></thead><tbody>{cells}</tbody></table>"
    )


def _learnt_row(part: Learnt) -> str:
    energy, error = _since(*part.half_energy), _since(*part.half_error)
    label = part.label.replace("-", "–")
    return f'<tr><th scope="row">{escape(label)}</th><td>{escape(energy)}</td><td>{escape(error)}</td></tr>'


def _since(first: int | None, lasting: int | None) -> str:
    """When something came to hold.

    >>> _since(None, None), _since(40, 40), _since(40, 1200), _since(40, None)
    ('never', 'step 40', 'step 40, for good from 1,200 on', 'step 40, not to the end')
    """
    if first is None:
        return "never"
    if lasting is None:
        return f"step {first:,}, not to the end"
    return f"step {first:,}" if lasting == first else f"step {first:,}, for good from {lasting:,} on"


def through_training_section(runs: Sequence[RunPart]) -> str:
    """What the checkpoints say, apart from the correlation at the end; nothing where they were not measured."""
    parts = "".join(_through_training_of(index, run, alone=len(runs) == 1) for index, run in enumerate(runs))
    if not parts:
        return ""
    drawn = any(run.through_training and run.through_training.series for run in runs)
    charts = '<div class="charts" id="crease-charts"></div>' if drawn else ""
    return (
        "<h2>Through training: do early creases foretell what is missing?</h2>"
        '<p class="caption">Stronger than correlation, and reported apart from it: the creases of a checkpoint were '
        "there before the error at the end. Still no cause, for what made creases few may go on to make the error.</p>"
        f'{charts}<div class="runs learnt">{parts}</div>'
    )


def _through_training_of(index: int, run: RunPart, *, alone: bool) -> str:
    training = run.through_training
    if training is None:
        return ""
    heading = "" if alone else _run_heading(index, run)
    files = "".join(map(_figure_file, training.figures))
    index_of = f"<details><summary>All that was measured over training</summary><ul>{files}</ul></details>"
    return f"<article>{heading}{sentences(training.verdict)}{index_of if files else ''}</article>"


def _figure_file(figure: FigureFile) -> str:
    note = f' <span class="caption">{escape(figure.note)}</span>' if figure.note else ""
    return f'<li><a href="{_address(figure.address)}">{escape(figure.title)}</a>{note}</li>'


def protocol_table(protocol: Mapping[str, str]) -> str:
    """Choices by name."""
    return _two_columns(protocol.items())


def notes_list(notes: Sequence[str]) -> str:
    """Notes as list items."""
    return "".join(f"<li>{escape(note)}</li>" for note in notes)


def numbers(runs: Sequence[RunPart], glossary: Glossary) -> str:
    """What came out of each run, in numbers."""
    return (
        '<section aria-labelledby="numbers-heading"><h2 id="numbers-heading">What came out</h2>'
        '<div class="scroller" tabindex="0" role="region" aria-label="Numbers of each run">'
        f"{numbers_html(runs, glossary)}</div></section>"
    )


def chapters(report: Report, glossary: Glossary) -> str:
    """The questions that the lead leaves open, each with its answer, and with what shows it."""
    maps = {overlay.name for run in report.runs for overlay in run.overlays}
    looked_into = any(run.networks for run in report.runs)
    return "".join(
        f'<section class="chapter"><h2>{escape(chapter.heading)}</h2>{explained(chapter.sentences, glossary)}'
        f"{_places(chapter.places, looked_into)}{_map_link(chapter.map) if chapter.map in maps else ''}</section>"
        for chapter in report.chapters
    )


def explained(texts: Sequence[str], glossary: Glossary) -> str:
    """A paragraph for each sentence, with the terms in it that are first met there."""
    return "".join(f"<p>{glossary.marked(text)}</p>" for text in texts)


def _places(places: Sequence[Place], looked_into: bool) -> str:
    """The worst places, each a link into the microscope where the page has one, and else to the pictures."""
    if not places:
        return ""
    address = look_address if looked_into else place_address
    words = [f'<a href="{address(place)}">{place.label}</a>' for place in places]
    return f"<p>Most is missing around {'; '.join(words)} px.</p>"


def place_address(place: Place) -> str:
    """A link within the page that brings a square of the picture near.

    >>> place_address(Place(32, 0, 16))
    '#place=32,0,16'
    """
    return f"#place={place.left:g},{place.top:g},{place.side:g}"


def _map_link(name: str) -> str:
    return f'<p><a class="shown" href="#bench" data-map="{escape(name)}">Show it on the picture</a></p>'


def films(shown: Sequence[Film]) -> str:
    """The videos, part of the page; nothing where there is none."""
    if not shown:
        return ""
    return f"<h2>Films</h2>{''.join(map(_film, shown))}"


def _film(film: Film) -> str:
    title = escape(film.title)
    if film.data is None:
        return f'<p><a class="video" href="{_address(film.address)}">{title}</a></p>'
    data = b64encode(film.data).decode("ascii")
    return (
        f'<figure class="film"><video controls loop muted playsinline preload="metadata" aria-label="{title}" '
        f'src="data:video/mp4;base64,{data}"></video><figcaption>{title}: '
        f'<a class="video" href="{_address(film.address)}">{escape(film.address)}</a></figcaption></figure>'
    )


def _address(name: str) -> str:
    """Of a file beside the report; "./" keeps a name such as "a:b.mp4" from being read as a scheme."""
    return f"./{quote(name)}"


def _run_section(index: int, run: RunPart, largest_side: int, glossary: Glossary, *, alone: bool) -> str:
    verdict = "" if alone else _run_heading(index, run) + explained(run.verdict, glossary)
    tables = statistics_html(run.explanation)
    pictures = "".join(_exhibit(picture, largest_side) for picture in run.pictures)
    more = '<p class="caption">The run folder has all numbers in analysis/explain.json.</p>'
    statistics = f"<details><summary>The statistics behind it</summary>{tables}{more}</details>" if tables else ""
    inside = verdict + pictures + statistics
    return f'<article class="run">{inside}</article>' if inside else ""


def _run_heading(index: int, run: RunPart) -> str:
    return f'<h3><span class="run-name" data-run="{index % RUN_COLOURS}">{escape(run.label)}</span></h3>'


def _exhibit(shown: Exhibit, largest_side: int, kind: str = "picture") -> str:
    return (
        f'<figure class="{kind}"><img alt="{escape(shown.title)}" src="{encoded_still(shown.image, largest_side).uri}">'
        f"<figcaption><b>{escape(shown.title)}.</b> {escape(shown.caption)}</figcaption></figure>"
    )


def _two_columns(rows: Iterable[tuple[str, str]]) -> str:
    body = "".join(f'<tr><th scope="row">{escape(name)}</th><td>{escape(text)}</td></tr>' for name, text in rows)
    return f'<table class="facts"><tbody>{body}</tbody></table>'
