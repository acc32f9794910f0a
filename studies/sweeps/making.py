"""The fits of a sweep are made: those that are not finished anywhere, each in a run folder like any other."""

import shutil
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

from fieldlens.configs.encoding import Own
from fieldlens.configs.files import unfinished
from fieldlens.configs.run import FitConfig
from fieldlens.fields.own_encoding import made_ready
from fieldlens.fitting import Controls, plan_of
from fieldlens.scenes.scene import Scene
from fieldlens.studies.making.executor import Executor, Work
from fieldlens.studies.making.missing import outcomes_of_missing
from fieldlens.studies.runs.fit import run, start
from fieldlens.studies.runs.folder import RunFolder
from fieldlens.studies.runs.reporter import Reporter

from .folder import Finished, Sweep
from .pictures import files_of
from .plan import Planned, chosen_name, fit_name


def make_planned(
    sweep: Sweep,
    parent: Path,
    planned: Sequence[Planned],
    finished: Finished,
    reporter: Reporter,
    controls: Controls,
    made: Callable[[], None] = lambda: None,
    executor: Executor | None = None,
) -> bool:
    """Make the fits that are not finished anywhere, in folders below `parent`; False when stopped before the last.

    Args:
        parent: a folder in the sweep's own.
        made: is called whenever it is known what became of one.
        executor: who makes them, as `make_missing` takes it.

    Raises:
        InputError: for a folder that cannot be written, and for fits that were lost with their process too often.
    """
    sent = {_to_send(one.config): one for one in planned}

    def is_finished(config: FitConfig) -> bool:
        return finished.of(sent[config].name) is not None

    work = Work(partial(make_fit, parent.name), sweep.path, reads=partial(files_of, sweep.scenes))
    with closing(outcomes_of_missing(list(sent), is_finished, work, reporter, controls, executor)) as outcomes:
        for outcome in outcomes:
            if outcome.losses:
                sweep.add_lost(sent[outcome.config].name, outcome.losses)
            made()
    return not controls.stop


def _to_send(config: FitConfig) -> FitConfig:
    """A fit as other processes are sent it: of a function of one's own, which its person has named, they run the file
    themselves."""
    if isinstance(config.encoding, Own) and config.encoding.code is not None:
        return replace(config, encoding=replace(config.encoding, code=None))
    return config


def make_fit(parent: str, config: FitConfig, path: Path, controls: Controls) -> str | None:
    """Begin a fit or go on with it from its last checkpoint, and say what it was; None if stopped.

    Args:
        parent: the folder in the sweep's in which its own is made.
        path: the sweep's folder, or another that has what is fitted (`files_of`).

    Raises:
        InputError: for a folder that cannot be written, or that another process writes.
    """
    if controls.stop:
        return None
    sweep = Sweep(path)
    config = replace(config, encoding=made_ready(config.encoding))
    fitted, scene = sweep.scene(config)
    named = config.encoding if isinstance(config.encoding, Own) else None
    folder = RunFolder(path / parent / fit_name(config, plan_of(config, scene), fitted.digest), named)
    if not folder.config_file.is_file():
        _begin(folder, config, scene)
    record = run(folder, controls=controls)
    done = record.stopped_because != "interrupted"
    return f"{fitted.name}, {chosen_name(config)}, seed {config.seed}" if done else None


def _begin(folder: RunFolder, config: FitConfig, scene: Scene) -> None:
    """Make the folder of a fit, whole or not at all; one that another process has made meanwhile stays."""
    making = unfinished(folder.path)
    try:
        start(config, making, scene)
        if not folder.config_file.is_file():
            shutil.rmtree(folder.path, ignore_errors=True)
            making.rename(folder.path)
    finally:
        shutil.rmtree(making, ignore_errors=True)
