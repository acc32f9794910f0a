"""One fit of a study: measured while it is trained, and its folder is there when it is finished, and whole."""

import shutil
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from typing import Generic, TypeVar

from fieldlens.configs.files import unfinished
from fieldlens.configs.holding import held
from fieldlens.configs.run import FitConfig
from fieldlens.fitting import Controls, Snapshot, TrainingState, initial_state, plan_of
from fieldlens.scenes.scene import Scene
from fieldlens.studies.runs.checkpoints import checkpoint_file
from fieldlens.studies.runs.fit import start, train
from fieldlens.studies.runs.folder import RunFolder

Measured = TypeVar("Measured")


def whole_fit(
    folder: RunFolder,
    config: FitConfig,
    scene: Scene,
    steps: Sequence[int],
    measure: Callable[[TrainingState], Measured],
    write: Callable[[RunFolder, list[tuple[int, Measured]]], None],
    controls: Controls,
) -> str | None:
    """Fit a scene, measure its state at some steps, and say what it was; None if stopped, and then nothing is left.

    A folder of another protocol, or a damaged one, makes way.

    Args:
        steps: rising; measured are those that the fit comes to.
        write: puts what was measured, step by step, into the folder while it is not yet in its place.

    Raises:
        InputError: for a folder that cannot be written.
    """
    if controls.stop:
        return None
    making = start(config, unfinished(folder.path), scene)
    plan = plan_of(config, scene)
    state = initial_state(config, scene, plan.device)
    recorder = _MeasuringRecorder(steps, measure)
    try:
        with held(making.path):
            if train(making, scene, state, plan, recorder, controls) == "interrupted":
                return None
            write(making, recorder.measured)
        shutil.rmtree(folder.path, ignore_errors=True)
        making.path.rename(folder.path)
    finally:
        shutil.rmtree(making.path, ignore_errors=True)
    return f"{config.scene} {config.name}"


def is_whole(folder: RunFolder, config: FitConfig) -> bool:
    """Whether a folder holds the last state of a fit by this protocol.

    The folder may have been moved since: where it lies is no part of the protocol.

    Raises:
        InputError: where there is no fit, or a damaged one.
    """
    assert config.training.steps is not None  # fits of a study take equal steps
    same = replace(folder.config(), output=config.output) == config
    return same and checkpoint_file(folder.checkpoints, config.training.steps).is_file()


class _MeasuringRecorder(Generic[Measured]):
    """Measures a fit at the steps that it is given."""

    def __init__(self, steps: Sequence[int], measure: Callable[[TrainingState], Measured]) -> None:
        self._steps, self._measure = steps, measure
        self.measured: list[tuple[int, Measured]] = []

    def steps(self) -> Iterator[int]:
        """Those that it was given."""
        return iter(self._steps)

    def record(self, moment: Snapshot) -> str | None:
        """Measure one of these steps."""
        if moment.scheduled:
            self.measured.append((moment.step, self._measure(moment.state)))
        return moment.stopped_because

    def save(self) -> None:
        """Nothing: what is measured is written when it is complete."""

    def wants_state(self, step: int) -> bool:  # noqa: ARG002 (the last is enough)
        """That of the end alone is saved: a fit that is not finished is made anew."""
        return False

    def kept_states(self) -> Collection[int]:
        """No other than the newest."""
        return ()
