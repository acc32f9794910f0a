"""From run folders to reports: reads what a run left and hands it to `report`."""

import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from fieldlens.analysis.detail.explanation import Association
from fieldlens.configs.errors import InputError
from fieldlens.configs.files import JsonObject, read_bytes, read_json, write_text
from fieldlens.configs.records import read_json_as, to_json
from fieldlens.configs.run import Protocol
from fieldlens.fitting import Plan
from fieldlens.render.colour import (
    density_legend,
    error_legend,
    leverage_legend,
    missing_legend,
    remaining_legend,
    speed_legend,
    steps_legend,
)
from fieldlens.render.files import read_png
from fieldlens.render.scales import (
    Scale,
    density_scale,
    error_scale,
    leverage_scale,
    missing_scale,
    speed_scale,
    steps_scale,
)
from fieldlens.report import (
    Chapter,
    Curves,
    Exhibit,
    FigureFile,
    Film,
    Frame,
    Overlay,
    Report,
    RunPart,
    Series,
    Spectra,
    ThroughTraining,
    Words,
    report_html,
)
from fieldlens.studies.subjects.choice import subject_of
from fieldlens.studies.subjects.drawing import DENSITY, ViewScores
from fieldlens.studies.subjects.found import TOLD_PLACES, Image, Row, Summary
from fieldlens.studies.subjects.missing import SavedSpectra
from fieldlens.studies.subjects.subject import Subject

from .answers import DRAWN, Found
from .checkpoints import checkpoint_steps
from .folder import RunFolder, lost_note
from .history import read_foretelling, read_history
from .learnt import kept_networks, learnt_parts, seen_around, spectra_part, surface_part
from .metrics import drawn_rows
from .quantities import QUANTITIES, saturation_caveat
from .record import RunRecord
from .table import table_row

T = TypeVar("T")

MOST_FRAMES = 120
"""Of a run in a report: a page of thousands would be too large to open. The video and the run folder have all."""


@dataclass(frozen=True)
class _Look:
    """How a map is read."""

    caption: str
    legend: Callable[..., Image] | None = None
    """Draws its scale of colours."""
    scale: Callable[[str], Scale] | None = None
    """The same scale in numbers, with a unit."""
    unit: str = ""


OVERLAYS = {
    "density": _Look("crease density", density_legend, density_scale),
    "speed": _Look("how strongly a step could move the detail of each window, {octaves}", speed_legend, speed_scale),
    "leverage": _Look(
        "leverage: how much of each window's detail could be changed while everything else stays, {octaves}",
        leverage_legend,
        leverage_scale,
    ),
    "progress": _Look(
        "how many steps like the next would mend half of what each window lacks, {octaves}",
        steps_legend,
        steps_scale,
        "steps",
    ),
    "error": _Look(
        "how far colours are off (root mean square of the channels), as a share of the brightest value",
        error_legend,
        error_scale,
    ),
    "missing": _Look(
        "what is missing of each window's detail, {octaves}: the error's energy over the detail's; grey where there is "
        "hardly any",
        missing_legend,
        missing_scale,
    ),
    "capacity": _Look(
        "share of the error that stays when the last layer is fitted anew in each window",
        remaining_legend,
        missing_scale,
    ),
    "residual": _Look("reconstruction less target"),
}
"""The maps of the last snapshot: what each shows, in the octaves of `Words.mapped`, and its colours."""

MOST_FILM = 6_000_000
"""Bytes of the largest video that is part of the page; a larger one is a link to its file."""


def write_report(folder: RunFolder, record: RunRecord) -> None:
    """Write the report of one run, of which `record` is or will be in run.json.

    Raises:
        InputError: as `report_of` does.
    """
    write_text(folder.report, report_html(report_of(folder, record)))


def report_of(folder: RunFolder, record: RunRecord) -> Report:
    """The report of one run, of which `record` is or will be in run.json.

    Raises:
        InputError: when a file that it cannot do without is damaged; others, and frames, are left out with a note.
    """
    subject, left_out = subject_of(folder.scene()), list[str]()
    part = _part(folder, record, subject, left_out, alone=True)
    films = _films({folder.video: "How it was learnt", folder.turntable: "Seen from all around"}, left_out)
    return Report(
        title=f"{record.scene}, {record.encoding}",
        lead=record.explained.verdict[0],
        target=subject.target(),
        runs=[part],
        protocol=protocol_of(folder.config(), {record.name: record.plan}),
        words=subject.words,
        notes=[*record.notes, *_thinning_note([folder]), *left_out],
        chapters=_chapters(record.explained),
        films=films,
    )


def write_comparison_report(
    path: Path, runs: Mapping[RunFolder, RunRecord], verdict: Sequence[str], config: Protocol
) -> None:
    """Write the report of a comparison, whose runs share their scene."""
    report = side_by_side(
        runs,
        title=f"{_scene_of(runs)}: {', '.join(record.encoding for record in runs.values())}",
        verdict=verdict,
        protocol=protocol_of(config, {record.name: record.plan for record in runs.values()}),
    )
    titles = {
        "compare.mp4": "How they were learnt, side by side",
        "turntable.mp4": "Seen from all around while they were learnt",
        "orbit.mp4": "Seen from all around at the end, side by side",
    }
    left_out = list[str]()
    films = _films({path.parent / name: title for name, title in titles.items()}, left_out)
    write_text(path, report_html(replace(report, films=films, notes=[*report.notes, *left_out])))


def side_by_side(
    runs: Mapping[RunFolder, RunRecord], *, title: str, verdict: Sequence[str], protocol: Mapping[str, str]
) -> Report:
    """The report of several runs, which share their scene.

    Raises:
        InputError: as `report_of` does.
    """
    folders, records = list(runs), list(runs.values())
    subject, left_out = subject_of(folders[0].scene()), list[str]()
    parts = [_part(folder, record, subject, left_out, alone=False) for folder, record in runs.items()]
    notes = dict.fromkeys(note for record in records for note in record.notes)
    return Report(
        title=title,
        lead=verdict[0],
        target=subject.target(),
        runs=parts,
        protocol=protocol,
        words=subject.words,
        notes=[*notes, *_thinning_note(folders), *dict.fromkeys(left_out)],
        chapters=[Chapter("What sets them apart", verdict[1:])] if verdict[1:] else [],
    )


def _scene_of(runs: Mapping[RunFolder, RunRecord]) -> str:
    return next(iter(runs.values())).scene


def _chapters(found: Summary) -> list[Chapter]:
    """What is said of a run beyond its first sentence, question by question."""
    chapters = []
    if found.worst_places:
        of = [f"In {found.worst_in}, the view that the pictures above show:"] if found.worst_in else []
        chapters.append(Chapter("Where detail is missing", of, "missing", found.worst_places[:TOLD_PLACES]))
    if found.verdict[1:]:
        # of signals and scenes the sentences say where, too; and where nothing is missing, nothing would help
        heading = "Why, and what would help" if found.worst_places else "What is missing, and why"
        chapters.append(Chapter(heading, found.verdict[1:], "progress"))
    if found.capacity:
        chapters.append(Chapter("Could the network do better?", [found.capacity], "capacity"))
    return chapters


def _films(titles: Mapping[Path, str], left_out: list[str]) -> list[Film]:
    """Those videos that are there; those that cannot be read are added to `left_out`."""
    read = [partial(_film, title, file) for file, title in titles.items() if file.is_file()]
    return [film for one in read if (film := _unless_damaged(one, left_out)) is not None]


def _film(title: str, file: Path) -> Film:
    return Film(title, file.name, read_bytes(file) if file.stat().st_size <= MOST_FILM else None)


def _part(folder: RunFolder, record: RunRecord, subject: Subject, left_out: list[str], *, alone: bool) -> RunPart:
    """One run; what it has to go without is added to `left_out`."""
    rows, words = drawn_rows(folder), subject.words
    quick = record.explained.explained_band is None
    explanation, spectra = ({}, None) if quick else _explained(folder)
    followed = curves_of(rows, record.energy_kept, record.explained.amplitude_recovered)
    frames = _frames(folder, rows, left_out)
    if not frames:
        again = f"`fieldlens fit --resume {shlex.quote(str(folder.path))}` draws the last"
        raise InputError(f"no frame of {str(folder.path)!r} is whole; {again}")
    networks, no_network = _unless_damaged(partial(kept_networks, folder, folder.scene(), alone=alone), left_out) or (
        [],
        "",
    )
    return RunPart(
        label=record.encoding,
        network=record.name.removeprefix(f"{record.encoding} "),
        frames=frames,
        final=read_png(folder.path / "reconstruction.png"),
        overlays=[
            overlay
            for name in OVERLAYS
            if (overlay := _unless_damaged(partial(_overlay, folder, name, rows, words), left_out)) is not None
        ],
        curves=followed,
        numbers=table_row(record, words),
        verdict=record.explained.sentences,
        explanation=explanation,
        spectra=spectra,
        learnt=learnt_parts(rows, list(followed.energy_kept), in_cycles=words.in_cycles),
        through_training=_through_training(folder),
        views=_unless_damaged(partial(_views, folder), left_out),
        around=_unless_damaged(partial(seen_around, folder), left_out),
        surface=_unless_damaged(partial(surface_part, folder), left_out),
        pictures=[seen for read in _pictures(folder) if (seen := _unless_damaged(read, left_out)) is not None],
        networks=networks,
        no_network=no_network,
        worst=record.explained.worst_places,
    )


def _explained(folder: RunFolder) -> tuple[JsonObject, Spectra]:
    """What explain.json says, and the spectra as the report takes them."""
    try:
        explanation = read_json(folder.analysis / "explain.json")
        spectra = read_json_as(folder.analysis / "spectra.json", SavedSpectra)
    except InputError as error:
        raise InputError(f"{error}; `fieldlens analyze {shlex.quote(str(folder.path))}` makes it again") from None
    return explanation, spectra_part(spectra)


def _frames(folder: RunFolder, rows: Sequence[Row], left_out: list[str]) -> list[Frame]:
    """Those of the scrubber that are whole."""
    pictures = [(row, folder.picture(row.step, "reconstruction")) for row in thinned(rows)]
    left_out += lost_note(row.step for row, seen in pictures if seen is None)
    return [Frame(row.step, row.seconds, row.psnr_db, seen) for row, seen in pictures if seen is not None]


def _unless_damaged(read: Callable[[], T], left_out: list[str]) -> T | None:
    """What a report can do without, unless its file is damaged."""
    try:
        return read()
    except InputError as error:
        left_out.append(f"left out: {error}")
        return None


def _views(folder: RunFolder) -> Exhibit | None:
    """The sheet of a 3D scene's views; None of what is no 3D scene."""
    sheet, numbers = folder.analysis / "views.png", folder.analysis / "views.json"
    if not (sheet.exists() and numbers.exists()):
        return None
    scores = read_json_as(numbers, ViewScores)
    return Exhibit(scores.kind.capitalize(), read_png(sheet), scores.sentence)


def _pictures(folder: RunFolder) -> Iterator[Callable[[], Exhibit]]:
    """The cameras of a 3D scene, and what `analyze` drew of the newest step where a person asked for it."""
    if folder.cameras.exists():
        yield lambda: Exhibit(
            "Cameras", read_png(folder.cameras), "The photographs' cameras, and the cube that is modelled."
        )
    for name, kind in DRAWN.items():
        drawing, numbers = folder.analysis / f"{name}.png", folder.analysis / f"{name}.json"
        if drawing.exists() and numbers.exists():
            yield partial(_answer, drawing, numbers, kind)


def _answer(drawing: Path, numbers: Path, kind: type[Found]) -> Exhibit:
    found = read_json_as(numbers, kind)
    return Exhibit(f"{found.title}, step {found.step}", read_png(drawing), found.caption)


def _through_training(folder: RunFolder) -> ThroughTraining | None:
    """What `analyze --all-checkpoints` found, if it was of this end of the run."""
    try:
        history = read_history(folder.history_file)
    except InputError:
        return None
    if history.steps[-1] != max(checkpoint_steps(folder.checkpoints), default=None):
        return None
    end = int(history.steps[-1])
    found = read_foretelling(folder.foretelling_file)
    found = found if found is not None and found.end_step == end else None
    rows = [] if found is None else found.checkpoints
    lines = [
        _series([row.end for row in rows], "with what is missing at the end"),
        _series([row.now for row in rows], "with what is missing then"),
    ]
    files = {quantity: folder.history_figures / f"{quantity}.svg" for quantity in history.quantities}
    return ThroughTraining(
        verdict=[found.sentence] if found and found.sentence else [],
        step=[row.step for row in rows],
        series=[line for line in lines if any(value is not None for value in line.values)],
        figures=[
            FigureFile(
                QUANTITIES[quantity].title,
                file.relative_to(folder.path).as_posix(),
                saturation_caveat(history, quantity) or "",
            )
            for quantity, file in files.items()
            if file.exists() and quantity in QUANTITIES
        ],
    )


def _series(found: Sequence[Association], label: str) -> Series:
    return Series(
        label,
        [one.estimate for one in found],
        [one.interval and one.interval.low for one in found],
        [one.interval and one.interval.high for one in found],
    )


def curves_of(rows: Sequence[Row], bands: Iterable[str], waves: Iterable[str] | None) -> Curves:
    """What was recorded, with energy kept by octave band.

    Args:
        waves: of a signal, whose frequencies say more: the amplitude recovered at each takes the place of energies.
    """
    series = [row.energy_kept if waves is None else row.amplitudes for row in rows]
    return Curves(
        step=[row.step for row in rows],
        psnr_db=[row.psnr_db for row in rows],
        heldout_psnr_db=[row.heldout_psnr_db for row in rows],
        energy_kept={
            label: [values[number] if number < len(values) else None for values in series]
            for number, label in enumerate(bands if waves is None else waves)
            if any(number < len(values) for values in series)
        },
    )


def thinned(rows: Sequence[Row]) -> list[Row]:
    """At most `MOST_FRAMES` of the rows, evenly spaced, the first and the last among them."""
    return [rows[i] for i in sorted(set(np.linspace(0, len(rows) - 1, MOST_FRAMES).round().astype(int)))]


def _thinning_note(folders: Sequence[RunFolder]) -> list[str]:
    drawn = max(len(drawn_rows(folder)) for folder in folders)
    return (
        [f"the scrubber has {MOST_FRAMES} of {drawn} recorded steps; the video has all"] if drawn > MOST_FRAMES else []
    )


def _overlay(folder: RunFolder, name: str, rows: Sequence[Row], words: Words) -> Overlay | None:
    """The map of the end, and of earlier steps as frames have it; None where there is none."""
    file = folder.analysis / f"{name}.png"
    if not file.exists():
        return None
    steps = sorted({row.step for row in rows[:-1]} & set(folder.frame_steps(name)))
    drawn = ((step, folder.picture(step, name)) for step in steps)
    earlier = [(step, seen) for step, seen in drawn if seen is not None]
    return replace(overlay_of(name, read_png(file), words), earlier=earlier)


def overlay_of(name: str, picture: Image | None, words: Words) -> Overlay:
    """A map of this name with its words and its scale."""
    look, unit = OVERLAYS[name], {"unit": words.crossings} if name == DENSITY else {}
    return Overlay(
        name,
        picture,
        look.caption.format(octaves=words.mapped),
        None if look.legend is None else look.legend(36, 360, **unit),
        None if look.scale is None else look.scale(unit.get("unit", look.unit)),
    )


def protocol_of(config: Protocol, plans: Mapping[str, Plan]) -> dict[str, str]:
    """Every choice, with what was taken where one was left open, by the names of runs."""
    several = {name: list(map(str, chosen)) for name, chosen in vars(config).items() if isinstance(chosen, tuple)}
    return _protocol({**to_json(config), **several}, _taken(plans))


def _taken(named: Mapping[str, Plan]) -> dict[str, str]:
    """What was taken where a choice was left open, by the choice's name; several where runs differ."""
    plans = named.values()
    rates = {f"{plan.learning_rate:g} for {name}": None for name, plan in named.items()}
    alike = {f"{plan.learning_rate:g}": None for plan in plans}
    taken = {
        "optimizer": {str(plan.optimizer): None for plan in plans},
        "learning_rate": alike if len(alike) == 1 else rates,
        "precision": {plan.precision: None for plan in plans},
        "device": {plan.device_name: None for plan in plans},
        "threads": {str(plan.threads): None for plan in plans},
        "seconds": {f"{plan.seconds:g}": None for plan in plans if plan.seconds is not None},
        "plateau": {f"{plan.plateau_db:g}": None for plan in plans if plan.plateau_db is not None},
    }
    return {f"training.{name}": ", ".join(values) for name, values in taken.items() if values}


def _protocol(plain: Mapping[str, Any], taken: Mapping[str, str], prefix: str = "") -> dict[str, str]:
    """Nested choices as `network.width: 128`, in the words a person would type, with what was taken where left open.

    >>> _protocol({"training": {"seconds": None, "device": "auto", "steps": None}}, {"training.seconds": "60"})
    {'training.seconds': 'by default: 60', 'training.device': 'auto', 'training.steps': 'none'}
    """
    flat: dict[str, str] = {}
    for key, value in plain.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            flat |= _protocol(value, taken, f"{name}.")
        elif value is None:
            flat[name] = f"by default: {taken[name]}" if name in taken else "none"
        elif value == "auto" and name in taken:
            flat[name] = f"auto: {taken[name]}"
        else:
            flat[name] = (", ".join(map(str, value)) or "none") if isinstance(value, list) else str(value)
    return flat
