"""The page of a sweep and its charts, from what is finished."""

import os
from collections.abc import Sequence

from fieldlens.configs.errors import InputError, counted
from fieldlens.configs.files import write_bytes, write_text
from fieldlens.render.files import read_png
from fieldlens.report import Ends, Link, PictureRow, Shown, StudyFigure, StudyTable, SweepReport, sweep_html
from fieldlens.studies.runs.charts import figure_files
from fieldlens.studies.runs.folder import RunFolder
from fieldlens.studies.runs.report import protocol_of
from fieldlens.studies.runs.reporter import Reporter
from fieldlens.studies.subjects.choice import subject_of
from fieldlens.studies.subjects.found import Image

from .figures import drawings
from .folder import Sweep
from .pictures import kept_scenes
from .plan import Method
from .scores import Finding, Scores
from .table import ABSENT, interval_text, method_table, percent_of
from .tuning import Tuned

MOST_DRAWN = 600
"""Drawings in the grid of a page; of more pictures it has the numbers alone."""

MOST_PAIRED = 20
"""Methods that are set against each other in a table of all pairs."""

FIGURE_FILES = (".svg", ".pdf")


def write_page(sweep: Sweep, scores: Scores, sentences: Sequence[str], tuned: Tuned | None, reporter: Reporter) -> None:
    """Write the charts as files, and the page that shows them.

    Raises:
        InputError: for a folder that cannot be written, or what is fitted is missing or damaged.
    """
    figures = []
    for number, (name, (title, caption, draw)) in enumerate(drawings(scores).items()):
        reporter.working("drawing charts", number / 4)
        files = figure_files(draw, FIGURE_FILES)
        for ending, data in files.items():
            write_bytes(sweep.figures / f"{name}{ending}", data)
        figures.append(StudyFigure(name, title, f"{caption} As files: figures/{name}.svg and .pdf.", files[".svg"]))
    heads, rows = method_table(scores, tuned)
    means = [scores.mean(method, scores.judged_by) for method in scores.methods]
    plans = {one.planned.method.name: one.record.plan for one in scores.findings}
    page = SweepReport(
        title=f"{', '.join(scores.pictures[:4])}{' ...' * (len(scores.pictures) > 4)}: "
        f"{', '.join(method.label for method in scores.methods)}",
        sentences=sentences,
        methods=[method.label for method in scores.methods],
        heads=heads,
        rows=rows,
        means=[None if one is None else Ends(one.mean, one.low, one.high) for one in means],
        pictures=_pictures(sweep, scores, reporter),
        figures=figures,
        tables=[*_pairs(scores), *_searched(tuned)],
        protocol=protocol_of(sweep.config(), plans),
    )
    reporter.working("writing the report", 0.0)
    write_text(sweep.report, sweep_html(page))


def _pictures(sweep: Sweep, scores: Scores, reporter: Reporter) -> list[PictureRow]:
    """The grid: a line for each picture."""
    drawn = len(scores.pictures) * (1 + len(scores.methods)) <= MOST_DRAWN
    rows = []
    for number, picture in enumerate(scores.pictures):
        reporter.working("collecting pictures", number / len(scores.pictures))
        rows.append(
            PictureRow(
                picture,
                _target(sweep, picture) if drawn else None,
                scores.ranking(picture).sentence if len(scores.methods) > 1 else "",
                [_shown(sweep, scores, method, picture, drawn) for method in scores.methods],
            )
        )
    return rows


def _target(sweep: Sweep, picture: str) -> Image:
    """What is fitted, as its report shows it; of a scene that seeds draw, the first."""
    fitted = next(one for one in kept_scenes(sweep.scenes).scenes if one.name == picture)
    return subject_of(sweep.scene_kept(fitted)).target()


def _shown(sweep: Sweep, scores: Scores, method: Method, picture: str, drawn: bool) -> Shown | None:
    findings = scores.of(method, picture)
    if not findings:
        return None
    found = scores.mean(method, scores.judged_by, picture)
    caption = "diverged" if found is None else f"{found.mean:.2f} dB"
    if found is not None and found.low is not None:
        caption += f" ({interval_text(found, lambda value: f'{value:.2f}')})"
    image = _reconstruction(findings[0].folder) if drawn else None
    return Shown(image, caption, [Link(_seed(one, scores), _address(sweep, one.folder)) for one in findings])


def _seed(finding: Finding, scores: Scores) -> str:
    value = finding.number(scores.judged_by)
    return f"seed {finding.planned.seed}: {ABSENT if value is None else f'{value:.2f}'}"


def _address(sweep: Sweep, folder: RunFolder) -> str:
    """A fit's report from where the page is."""
    return os.path.relpath(folder.report, sweep.path).replace(os.sep, "/")


def _reconstruction(folder: RunFolder) -> Image | None:
    try:
        return read_png(folder.path / "reconstruction.png")
    except InputError:  # it was taken away, or is damaged
        return None


def _pairs(scores: Scores) -> list[StudyTable]:
    """All methods against all: by how much the one of the line is ahead of that of the column."""
    if not 3 <= len(scores.methods) <= MOST_PAIRED:
        return []

    def cell(method: Method, other: Method) -> str:
        found = None if method == other else scores.difference(method, other)
        if found is None:
            return ""
        return f"{found.mean:+.2f} ({interval_text(found, lambda value: f'{value:.2f}')})".replace("-", "−")

    heads = ["dB ahead of", *(method.label for method in scores.methods)]
    rows = [[method.label, *(cell(method, other) for other in scores.methods)] for method in scores.methods]
    title = f"All pairs, with {percent_of(scores.pair_level)} intervals of their paired differences"
    return [StudyTable(title, heads, rows)]


def _searched(tuned: Tuned | None) -> list[StudyTable]:
    """What the search for rates tried."""
    if tuned is None:
        return []
    rows = [
        [
            found.method,
            f"{trial.factors.rate:g}",
            f"{trial.factors.scale:g}",
            "diverged" if trial.score_db is None else f"{trial.score_db:.2f}",
            "taken" if trial.factors == found.factors else "",
        ]
        for found in tuned.found
        for trial in found.trials
    ]
    tries = counted(tuned.fits_of_each, "fit")
    title = f"The search for rates: {tries} of each scene by each method, with seed {tuned.seed}"
    return [StudyTable(title, ["method", "rate ×", "scale ×", "mean dB", ""], rows)]
