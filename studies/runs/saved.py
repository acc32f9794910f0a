"""A run again, as a checkpoint holds it, without training."""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from fieldlens.configs.errors import InputError
from fieldlens.configs.files import require_writable, write_json
from fieldlens.configs.holding import held
from fieldlens.configs.records import to_json
from fieldlens.configs.run import FitConfig, Training
from fieldlens.fitting import Plan, TrainingState, initial_state, place, plan_of
from fieldlens.scenes.scene import Scene, View
from fieldlens.studies.subjects.choice import subject_of
from fieldlens.studies.subjects.found import Summary
from fieldlens.studies.subjects.subject import Subject

from .checkpoints import checkpoint_steps, read_newest
from .folder import RunFolder
from .report import write_report
from .reporter import Reporter, Silent

NAME_A_FILE = "name another place with --file"

PATIENCE = 30.0
"""Seconds for which a report waits for that of another question about the same run to be written."""


@dataclass(frozen=True)
class Saved:
    """A field as a checkpoint holds it, with what it was fitted to."""

    config: FitConfig
    scene: Scene
    state: TrainingState
    device: torch.device

    @property
    def field(self) -> Any:
        """What the fit had come to."""
        return self.state.field

    @property
    def step(self) -> int:
        """Of the fit."""
        return self.state.step

    @cached_property
    def plan(self) -> Plan:
        """The numbers of the fit, were it to go on on this machine."""
        here = replace(self.config.training, device=Training().device, precision=Training().precision)
        return plan_of(replace(self.config, training=here), self.scene)

    @cached_property
    def subject(self) -> Subject:
        """How its scene is seen and explained."""
        return subject_of(self.scene)

    @property
    def view(self) -> View:
        """The first view of its scene."""
        return self.scene.views()[0]


def open_run(
    folder: RunFolder,
    step: int | None = None,
    reporter: Reporter | None = None,
    *,
    into: Path | None = None,
    otherwise: str = "copy the run to a folder that you may write, and ask the copy",
) -> Saved:
    """The field of a run at its newest checkpoint, or at that of `step`, on a GPU if this machine has one.

    Args:
        into: the folder that is to be written into, or made, with what is found, if there is one.
        otherwise: what to do where it cannot be written.

    Raises:
        InputError: when the folder or every checkpoint is damaged, there is none of that step, or `into` cannot be
            written.
    """
    if into is not None:
        require_writable(into, otherwise)
    config, scene = folder.config(), folder.scene()
    device = place(Training(), config.network).device  # not the run's: it may have been fitted on another machine
    state = initial_state(config, scene, device)
    for sentence in read_newest(folder.checkpoints, state, step):
        (reporter or Silent()).say(sentence)
    return Saved(config, scene, state, device)


def analysis_path(folder: RunFolder, step: int) -> Path:
    """Where what is found of a checkpoint is written: `analysis/` for the newest, else `analysis/step<N>/`."""
    newest = step == checkpoint_steps(folder.checkpoints)[-1]
    return folder.analysis if newest else folder.analysis / f"step{step:07d}"


def refresh_report(
    folder: RunFolder, step: int, reporter: Reporter | None = None, summary: Summary | None = None
) -> Path | None:
    """Write a run's report anew after something was found of a step, if that is the newest and the run is finished.

    A run whose files are damaged, or that another process is writing, keeps its report, which is said.

    Args:
        summary: of missing detail, where that was explained anew; run.json then has it as well.

    Returns:
        The report's path; None before the run's first end.
    """
    if folder.ended and step == checkpoint_steps(folder.checkpoints)[-1]:
        reporter = reporter or Silent()
        try:
            with held(folder.path, reporter.say, patience=PATIENCE):
                record = folder.record()
                record = record if summary is None else replace(record, explained=summary)
                write_report(folder, record)
                if summary is not None:
                    write_json(folder.result_file, to_json(record))
        except InputError as error:
            reporter.say(f"the report stays as it was: {error}")
    return folder.report if folder.report.exists() else None
