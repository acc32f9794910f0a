"""From run folders to reports: reads what a run left and hands it to `report`."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np

from analysis.detail.verdicts import percent
from configs.errors import InputError
from configs.files import read_json, write_text
from configs.run import Protocol
from configs.storage import to_plain
from render.colour import density_legend, error_legend, missing_legend, remaining_legend
from render.files import read_png
from report import Curves, FigureFile, Frame, Overlay, Picture, Report, RunPart, Series, ThroughTraining, build

from .checkpoints import checkpoint_steps
from .folder import RunFolder
from .look import Look, look_at
from .measuring import QUANTITIES, saturation_caveat
from .metrics import Row, drawn_rows
from .over_training import read_foretelling, read_history
from .spectra import learnt_parts, spectra_part
from .table import is_of_signal, table_row

MOST_FRAMES = 120
"""Of a run in a report: a page of thousands would be too large to open. The video and the run folder have all."""

OVERLAYS = {
    "density": ("crease density", density_legend),
    "error": ("error, root mean square over channels, as a share of the brightest value", error_legend),
    "missing": ("missing fraction in the explained band: residual over target energy, per window", missing_legend),
    "capacity": ("share of the error that other output weights could not take away, per window", remaining_legend),
    "residual": ("reconstruction less target", None),
}
"""The maps of the last snapshot: what each shows, and its colours."""

PICTURES: Mapping[str, tuple[str, Callable[[Mapping[str, Any]], str]]] = {
    "cells": (
        "Cells",
        lambda found: (
            f"{found['cells']:,} cells {_on_slice(found)}in the region "
            f"{' '.join(f'{share:g}' for share in found['region'])} (left, top, width, height as shares of the "
            f"{'slice' if 'slice' in found else 'picture'}), drawn by the creases between them in their layers' "
            "colours; in each the same neurons are on."
        ),
    ),
    "slice": (
        "A slice through the cube",
        lambda found: (
            f"Where {found['slice']}: the area per volume of the creases of the network of the position, "
            f"{found['area_per_volume']:,.0f} per diagonal of the cube on average, beside what the field has there."
        ),
    ),
    "confusion": (
        "Gradient confusion",
        lambda found: (
            "Cosine of two pixels' loss gradients: at 1 a step for one is a step for the other, at -1 it undoes it. Of "
            f"pairs up to {found['radius_px']} px apart {percent(found['local']['cosine']['negative_share'])} hinder "
            f"each other, of those farther apart {percent(found['global']['cosine']['negative_share'])}."
        ),
    ),
    "kernel": (
        "The neural tangent kernel",
        lambda found: (
            "How far a step for a pixel reaches: the distance at which the normalised kernel falls to "
            f"{found['correlation_length']['level']:g}, green where it does not within 64 px or up to the picture's "
            "end. The field moves in "
            f"{found['entropy_rank']:.3g} directions "
            f"(effective rank, of {found['pixels']:,} pixels)."
        ),
    ),
}
"""Drawings of analyses that a person asks for: their titles, and captions with the numbers they go with."""

AMPLITUDE_BY = "amplitude recovered by frequency, as a share of the signal's"


def write_report(folder: RunFolder) -> None:
    """Write the report of one run."""
    result, scene = folder.result(), folder.scene()
    report = Report(
        title=f"{scene.name}, {result['encoding']}",
        verdict=sentences(result),
        target=look_at(scene).target(),
        runs=[_part(folder, result, look_at(scene))],
        protocol=_protocol(to_plain(folder.config()), _taken(folder.config(), [result])),
        of_signal=is_of_signal(result),
        notes=[*result["notes"], *_thinning_note([folder])],
        video_name=folder.video.name if folder.video.exists() else None,
    )
    write_text(folder.report, build(report))


def write_comparison_report(path: Path, folders: Sequence[RunFolder], verdict: Sequence[str], config: Protocol) -> None:
    """Write the report of a comparison, whose runs share their scene."""
    results = [folder.result() for folder in folders]
    scene = folders[0].scene()
    notes = dict.fromkeys(note for result in results for note in result["notes"])
    report = Report(
        title=f"{scene.name}: {', '.join(result['encoding'] for result in results)}",
        verdict=verdict,
        target=look_at(scene).target(),
        runs=[_part(folder, result, look_at(scene)) for folder, result in zip(folders, results, strict=True)],
        protocol=_protocol(to_plain(config), _taken(config, results)),
        of_signal=is_of_signal(results[0]),
        notes=[*notes, *_thinning_note(folders)],
        video_name="compare.mp4",
    )
    write_text(path, build(report))


def _part(folder: RunFolder, result: Mapping[str, Any], look: Look) -> RunPart:
    rows = drawn_rows(folder)
    followed = _followed(result, rows)
    overlays = {name: folder.analysis / f"{name}.png" for name in OVERLAYS}
    explanation = read_json(folder.analysis / "explain.json")
    spectra = folder.analysis / "spectra.json"  # runs of earlier versions have none
    of_signal = is_of_signal(result)
    return RunPart(
        label=result["encoding"],
        network=result["network"],
        frames=[
            Frame(row.step, row.seconds, row.psnr_db, read_png(folder.frame(row.step, "reconstruction")))
            for row in _thinned(rows)
        ],
        final=read_png(folder.path / "reconstruction.png"),
        overlays=[_overlay(name, file, of_signal) for name, file in overlays.items() if file.exists()],
        curves=Curves(
            step=[row.step for row in rows],
            psnr_db=[row.psnr_db for row in rows],
            heldout_psnr_db=[row.heldout_psnr_db for row in rows],
            energy_kept=followed,
            kept_as=AMPLITUDE_BY if of_signal else Curves.kept_as,
            psnr_of=look.psnr_of,
            energy_of=look.energy_of,
        ),
        numbers=table_row(result),
        verdict=sentences(result),
        explanation=explanation,
        spectra=spectra_part(read_json(spectra)) if spectra.exists() else None,
        learnt=learnt_parts(rows, list(followed), of_signal=of_signal),
        through_training=_through_training(folder),
        views=_views(folder),
        pictures=list(_pictures(folder)),
    )


def _views(folder: RunFolder) -> Picture | None:
    """The sheet of a 3D scene's views; none of pictures, and of runs of earlier versions."""
    sheet, numbers = folder.analysis / "views.png", folder.analysis / "views.json"
    if not (sheet.exists() and numbers.exists()):
        return None
    found = read_json(numbers)
    scored = sorted(
        ((view["psnr_db"], view["name"]) for view in found["views"] if view["psnr_db"] is not None), key=itemgetter(0)
    )
    scores = ""
    if scored:
        (low, lowest), (high, highest) = scored[0], scored[-1]
        mean = np.mean([psnr for psnr, _ in scored])
        spread = f"from {low:.2f} dB ({lowest}) to {high:.2f} dB ({highest})"
        scores = f" Mean PSNR of {len(scored)} views: {mean:.2f} dB, {spread}."
    return Picture(found["kind"].capitalize(), read_png(sheet), f"{found['compared'].capitalize()} of each.{scores}")


def _pictures(folder: RunFolder) -> Iterator[Picture]:
    """The cameras of a 3D scene, and what `analyze` drew of the newest step where a person asked for it."""
    if folder.cameras.exists():
        yield Picture("Cameras", read_png(folder.cameras), "The photographs' cameras, and the cube that is modelled.")
    for name, (title, caption) in PICTURES.items():
        drawing, numbers = folder.analysis / f"{name}.png", folder.analysis / f"{name}.json"
        if drawing.exists() and numbers.exists():
            found = read_json(numbers)
            yield Picture(f"{title}, step {found['step']}", read_png(drawing), caption(found))


def _on_slice(found: Mapping[str, Any]) -> str:
    """Where cells of a 3D scene are."""
    return f"where {found['slice']}, " if "slice" in found else ""


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
    found = found if found is not None and found["end_step"] == end else None
    rows = [] if found is None else found["checkpoints"]
    lines = [_series(rows, "end", "with what is missing at the end"), _series(rows, "now", "with what is missing then")]
    files = {quantity: folder.history_figures / f"{quantity}.svg" for quantity in history.quantities}
    return ThroughTraining(
        verdict=[found["sentence"]] if found and found["sentence"] else [],
        step=[row["step"] for row in rows],
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


def _series(rows: Sequence[Mapping[str, Any]], key: str, label: str) -> Series:
    found = [row[key] for row in rows]
    intervals = [one["interval"] or {"low": None, "high": None} for one in found]
    return Series(
        label,
        [one["estimate"] for one in found],
        [interval["low"] for interval in intervals],
        [interval["high"] for interval in intervals],
    )


def sentences(result: Mapping[str, Any]) -> list[str]:
    """The verdict, and below it whether the creases could express what is missing."""
    capacity = result.get("capacity")  # runs of earlier versions have none
    return [*result["verdict"], *([capacity] if capacity else [])]


def _followed(result: Mapping[str, Any], rows: Sequence[Row]) -> dict[str, list[float | None]]:
    """Energy kept by octave band; of a signal, whose frequencies say more, the amplitude recovered at each."""
    amplitudes = result.get("amplitude_recovered")
    series = [row.energy_kept if amplitudes is None else row.amplitudes for row in rows]
    labels = result["energy_kept"] if amplitudes is None else amplitudes
    return {
        label: [values[number] if number < len(values) else None for values in series]
        for number, label in enumerate(labels)
        if any(number < len(values) for values in series)
    }


def _thinned(rows: Sequence[Row]) -> list[Row]:
    """At most `MOST_FRAMES` of the rows, evenly spaced, the first and the last among them."""
    return [rows[i] for i in sorted(set(np.linspace(0, len(rows) - 1, MOST_FRAMES).round().astype(int)))]


def _thinning_note(folders: Sequence[RunFolder]) -> list[str]:
    drawn = max(len(drawn_rows(folder)) for folder in folders)
    return (
        [f"the scrubber has {MOST_FRAMES} of {drawn} recorded steps; the video has all"] if drawn > MOST_FRAMES else []
    )


def _overlay(name: str, path: Path, of_signal: bool) -> Overlay:
    caption, legend = OVERLAYS[name]
    if name == "density" and of_signal:
        legend = partial(density_legend, unit="crossings / sample")
    return Overlay(name, read_png(path), caption, None if legend is None else legend(36, 360))


def _taken(config: Protocol, results: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """What was taken where a choice was left open, by the choice's name; several where runs differ."""
    training = config.training
    rates = {f"{result['learning_rate']:g} for {result['encoding']} {result['network']}": None for result in results}
    alike = {f"{result['learning_rate']:g}": None for result in results}
    taken = {
        "learning_rate": alike if len(alike) == 1 else rates,
        **{name: {str(result[name]): None for result in results} for name in ("precision", "device", "threads")},
        "seconds": {f"{limit:g}": None for result in results if (limit := result.get("second_limit")) is not None},
        "plateau": {} if training.plateau_db is None else {f"{training.plateau_db:g}": None},
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
            flat[name] = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return flat
