"""Runs that are over, with the networks that they left: a hub whose fits stand still."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from threading import Event

import numpy as np

from fieldlens.configs.errors import InputError, counted
from fieldlens.report import Overlay, Report, RunPart, view_html
from fieldlens.report.table import decimals, number_text
from fieldlens.studies.runs.folder import RunFolder
from fieldlens.studies.runs.record import RunRecord
from fieldlens.studies.runs.report import overlay_of, protocol_of, report_of, side_by_side
from fieldlens.studies.runs.reporter import Reporter, Silent
from fieldlens.studies.runs.saved import open_run
from fieldlens.studies.subjects.creases import has_creases
from fieldlens.studies.subjects.drawing import DENSITY
from fieldlens.studies.subjects.found import Observation

from .answers import Answers
from .asked import Command, LearningRate, Look, Question, TargetPsnr
from .hub import Answer, Hub


class StandingRun:
    """A run that is over, with its network as the newest checkpoint has it."""

    def __init__(self, folder: RunFolder, reporter: Reporter | None = None) -> None:
        """Open a run.

        Raises:
            InputError: when it has not ended yet, or is damaged.
        """
        self.folder = folder
        self.record: RunRecord = folder.record()
        self.saved = open_run(folder, reporter=reporter or Silent())
        self.answers = Answers(self.saved.subject)

    @cached_property
    def observation(self) -> Observation:
        """What the network shows."""
        return self.saved.subject.observe(self.saved.field)

    def answer(self, look: Look) -> Answer:
        """The answer to a question.

        Raises:
            InputError: as `Answers.to` does.
        """
        return self.answers.to(look, self.saved.state, self.saved.plan, lambda: self.observation)

    def with_maps(self, part: RunPart) -> RunPart:
        """Its part of a report, with empty places for the maps that it lacks and the network can give."""
        words, there = self.saved.subject.words, {overlay.name for overlay in part.overlays}
        can = [name for name in self.answers.map_names if name != DENSITY or has_creases(self.saved.field)]
        lacking: list[Overlay] = [overlay_of(name, None, words) for name in can if name not in there]
        return replace(part, overlays=[*part.overlays, *lacking])


def show(hub: Hub, runs: Sequence[StandingRun], names: Sequence[str]) -> None:
    """Have a hub show runs that are over; pages that looked at a fit until now turn into theirs.

    Args:
        names: of the runs, which tell them apart.

    Raises:
        InputError: as `page_of_runs` does.
    """
    page = page_of_runs(runs, names)
    hub.answers()  # before there is the page, which may ask at once
    hub.folder, hub.page, hub.is_over = runs[0].folder.path, page, True
    hub.publish(json.dumps({"finished": True}), {})


def stand(hub: Hub, runs: Sequence[StandingRun], look_now: Event) -> None:
    """Answer what a hub's viewers ask about its runs, until its server ends or the thread is interrupted."""
    while not hub.is_closing:
        look_now.wait()
        look_now.clear()
        hub.answer(partial(_answered, runs))


def page_of_runs(runs: Sequence[StandingRun], names: Sequence[str]) -> str:
    """The page of runs that are over.

    Args:
        names: of the runs, which tell them apart.

    Raises:
        InputError: when a report cannot be made, or the runs are of different scenes.
    """
    report = report_of(runs[0].folder, runs[0].record) if len(runs) == 1 else _together(runs, names)
    parts = [run.with_maps(part) for run, part in zip(runs, report.runs, strict=True)]
    orbit = runs[0].answers.orbit
    return view_html(replace(report, runs=parts), orbit and orbit.for_page())


def _together(runs: Sequence[StandingRun], names: Sequence[str]) -> Report:
    """The report of several runs side by side."""
    encodings = [run.record.encoding for run in runs]
    if len(set(encodings)) == len(runs):  # which is shorter, and enough
        names = encodings
    first, *others = (run.saved.subject.target() for run in runs)
    if not all(np.array_equal(first, other) for other in others):
        raise InputError("these runs are of different scenes, which cannot lie over each other; view them one by one")
    scores = (
        f"{name} at {number_text(run.record.psnr_db, decimals(2))} dB" for name, run in zip(names, runs, strict=True)
    )
    report = side_by_side(
        {run.folder: run.record for run in runs},
        title=f"{runs[0].record.scene}: {', '.join(names)}",
        verdict=[f"{counted(len(runs), 'run')} side by side: {', '.join(scores)}."],
        protocol=_joined([protocol_of(run.folder.config(), {run.record.name: run.record.plan}) for run in runs]),
    )
    parts = [replace(part, label=name) for part, name in zip(report.runs, names, strict=True)]
    return replace(report, runs=parts)


def _joined(protocols: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Choices by name; all that were made, where they differ.

    >>> _joined([{"seed": "1", "grid": "4"}, {"seed": "2"}])
    {'seed': '1, 2', 'grid': '4'}
    """
    keys = dict.fromkeys(key for protocol in protocols for key in protocol)
    return {key: ", ".join(dict.fromkeys(one[key] for one in protocols if key in one)) for key in keys}


def _answered(runs: Sequence[StandingRun], question: Question) -> Answer:
    if isinstance(question, Command | LearningRate | TargetPsnr):
        raise InputError("this run is over: `fieldlens fit --resume` lets it go on")
    if question.run >= len(runs):
        raise InputError(f"there are {len(runs)} runs on this page, from 0, and none of number {question.run}")
    return runs[question.run].answer(question)
