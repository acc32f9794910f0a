"""Small fits for whoever makes fits: functions of a module, as other processes are sent them."""

import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from torch.nn.utils import parameters_to_vector

from fieldlens.configs.errors import InputError
from fieldlens.configs.network import Network
from fieldlens.configs.optimizer import Adam
from fieldlens.configs.run import FitConfig, Output, Training
from fieldlens.fitting import Controls, TrainingState
from fieldlens.scenes.picture import Picture
from fieldlens.studies.making.whole import whole_fit
from fieldlens.studies.runs.folder import RunFolder
from fieldlens.studies.runs.reporter import Silent

SCENE = Picture("ramp", np.linspace(0, 1, 64, dtype=np.float32).reshape(8, 8, 1))
TRAINING = Training(steps=20, batch_size=16, optimizer=Adam(), learning_rate=1e-3, average=0, device="cpu")


class Told(Silent):
    """Remembers what was said."""

    def __init__(self) -> None:
        self.labels: list[str] = []
        self.shares: list[float] = []
        self.said: list[str] = []

    def working(self, task: str, done: float) -> None:
        self.labels.append(task)
        self.shares.append(done)

    def say(self, sentence: str) -> None:
        self.said.append(sentence)

    @property
    def places(self) -> dict[int, int]:
        """Which process made each fit, by its seed, of the fits that say so."""
        pairs = (label.partition(": ")[2].split(" in ") for label in self.labels)
        return {int(seed): int(place) for seed, place in pairs}


def planned(path: Path, count: int) -> list[FitConfig]:
    """Fits that differ in their seed."""
    output, network = Output(output_dir=path), Network(width=4, depth=2)
    return [
        FitConfig(scene="ramp", training=TRAINING, output=output, seed=seed, network=network) for seed in range(count)
    ]


def weights(path: Path) -> dict[str, bytes]:
    """What `fitted` has written of each fit."""
    return {file.parent.name: file.read_bytes() for file in sorted(path.glob("*/weights.bin"))}


def said(config: FitConfig, _folder: Path, controls: Controls) -> str | None:
    """Makes nothing, and says where."""
    return None if controls.stop else f"{config.seed} in {os.getpid()}"


def fitted(config: FitConfig, path: Path, controls: Controls) -> str | None:
    """Fits a picture, writes its weights at some steps, and says where that was."""
    folder = RunFolder(path / f"seed {config.seed}")

    def measure(state: TrainingState) -> bytes:
        return parameters_to_vector(state.field.parameters()).detach().numpy().tobytes()

    def write(made: RunFolder, rows: Sequence[tuple[int, bytes]]) -> None:
        (made.path / "weights.bin").write_bytes(b"".join(row for _, row in rows))

    label = whole_fit(folder, config, SCENE, [0, 10, 20], measure, write, controls)
    return None if label is None else said(config, path, Controls())


def killed_in_the_middle(
    marks: Path, seeds: Sequence[int], config: FitConfig, path: Path, controls: Controls
) -> str | None:
    """`fitted`, whose process is killed in the middle when some fits are first begun."""
    if config.seed in seeds and first_time(marks / f"killed {config.seed}"):
        (marks / str(os.getpid())).touch()
        begin_and_be_killed(config, path)
    return fitted(config, path, controls)


def begin_and_be_killed(config: FitConfig, path: Path) -> None:
    """Train to the middle of a fit, and no further."""
    folder = RunFolder(path / f"seed {config.seed}")

    def measure(state: TrainingState) -> None:
        if state.step:
            os.kill(os.getpid(), signal.SIGKILL)

    whole_fit(folder, config, SCENE, [0, 10], measure, lambda *_: None, Controls())


def always_killed(seeds: Sequence[int], config: FitConfig, path: Path, controls: Controls) -> str | None:
    """`said`, but some fits kill their process whenever they are begun."""
    if config.seed in seeds:
        os.kill(os.getpid(), signal.SIGKILL)
    return said(config, path, controls)


def without_memory(marks: Path, config: FitConfig, path: Path, controls: Controls) -> str | None:
    """`said`, but memory runs out when fit 1 is first begun."""
    if config.seed == 1 and first_time(marks / str(os.getpid())) and len(list(marks.iterdir())) == 1:
        raise MemoryError
    return said(config, path, controls)


def refused(config: FitConfig, path: Path, controls: Controls) -> str | None:
    """`said`, but fit 1 cannot be made."""
    if config.seed == 1:
        raise InputError("there is no picture 'ramp'")
    return said(config, path, controls)


def broken(config: FitConfig, _folder: Path, controls: Controls) -> str | None:
    """Has a mistake in it."""
    raise ZeroDivisionError(config.scene)


def endless(marks: Path, config: FitConfig, _folder: Path, controls: Controls) -> str | None:
    """Goes on until it is stopped, and notes both."""
    (marks / f"begun {os.getpid()}").touch()
    while not controls.stop:
        time.sleep(0.01)
    (marks / f"ended {os.getpid()}").touch()
    return None


def first_time(mark: Path) -> bool:
    """Whether a mark is made by this call."""
    try:
        mark.touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def wait_for(folder: Path, pattern: str, count: int = 1, seconds: float = 120) -> list[Path]:
    """Files in a folder, once there are enough."""
    last = time.monotonic() + seconds
    while len(found := sorted(folder.glob(pattern))) < count:
        if time.monotonic() > last:
            raise TimeoutError(f"no {pattern} in {folder}")
        time.sleep(0.02)
    return found


def killed_and_joined(marks: Path, config: FitConfig, path: Path, controls: Controls) -> str | None:
    """`killed_in_the_middle` of fit 1; fits from the fourth on wait until two processes that live make them."""
    if config.seed >= 3:
        (marks / f"waiting {os.getpid()}").touch()
        wait_for(marks, "waiting *", 2)
    return killed_in_the_middle(marks, [1], config, path, controls)
