"""What a worker of a Dask cluster does to make a fit."""

import asyncio
import os
import threading
import time
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from distributed import Worker, get_worker

from fieldlens.configs.holding import InUseError
from fieldlens.configs.run import FitConfig
from fieldlens.fitting import Controls

from .executor import LostError, Make, made
from .parcel import packed

LOOK_EVERY = 0.2
"""Seconds after which it is looked whether a fit is still wanted."""

PATIENCE_SECONDS = 30
"""In which another worker has to leave a fit that this one is to take up."""

RESULTS = "results"
"""Folder of fits where a worker does not see the client's files."""

_one_at_a_time = threading.Lock()
"""In a process: its threads are torch's, and its working folder is the fit's."""
_topics_now: list[str] = []
"""Whose fit is made."""


@dataclass(frozen=True)
class Home:
    """Where the client works. A worker that sees the same files works there too, and its fits have the same bytes as
    the client's."""

    folder: str
    """Its working folder, from which relative names begin."""
    mark: str
    """A file below the results, there as long as the client is."""

    def is_seen(self) -> bool:
        """Whether the files here are the client's."""
        return os.path.isdir(self.folder) and os.path.isfile(self.mark)


@dataclass(frozen=True)
class Errand:
    """What a worker is sent to make one fit."""

    number: int
    """Of the fit, among those of the client."""
    topic: str
    """Under which the client hears of its fits."""
    threads: int
    """That torch is to take."""
    home: Home


def make_on_worker(errand: Errand, make: Make, config: FitConfig) -> tuple[str, bytes | None]:
    """Make a fit in this worker.

    Returns:
        What it was; and its folder as bytes, where the client does not see the files of this machine.

    Raises:
        LostError: when memory ran out, or the worker is to end.
    """
    worker = get_worker()
    with _one_at_a_time, _wanted(worker) as controls:
        _topics_now.append(errand.topic)
        worker.log_event(errand.topic, errand.number)  # that it was begun
        torch.set_num_threads(errand.threads)
        try:
            if errand.home.is_seen():
                with chdir(errand.home.folder):
                    return _label(_patiently(config, make, controls)), None
            with TemporaryDirectory(dir=worker.local_directory) as folder, chdir(folder):
                config = replace(config, output=replace(config.output, output_dir=Path(RESULTS)))
                label = _label(made(config, make, controls))
                # a fit that names its folder in full is where the client has it, though its mark was not seen
                return label, packed(Path(RESULTS)) if Path(RESULTS).exists() else None
        finally:
            _topics_now.remove(errand.topic)


async def left(topic: str, seconds: float) -> None:
    """Wait until this worker has left the fits of a client."""
    last = time.monotonic() + seconds
    while topic in _topics_now and time.monotonic() < last:
        await asyncio.sleep(LOOK_EVERY)


def _patiently(config: FitConfig, make: Make, controls: Controls) -> str | None:
    """`made`, where a worker that its scheduler has lost may still be at the same fit: it leaves it within a step."""
    last = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return made(config, make, controls)
        except InUseError:
            if time.monotonic() > last or controls.stop:
                raise
            time.sleep(LOOK_EVERY)


def _label(label: str | None) -> str:
    if label is None:
        raise LostError("its worker was told to end")
    return label


@contextmanager
def _wanted(worker: Worker) -> Iterator[Controls]:
    """Controls that stop a fit once its worker is to end, or nobody waits for it: it was cancelled, or its client is
    gone."""
    controls, over = Controls(), threading.Event()
    key = worker.get_current_task()

    def watch() -> None:
        while not over.wait(LOOK_EVERY):
            task = worker.state.tasks.get(key)
            if task is None or task.state != "executing" or worker.status.name not in ("running", "paused"):
                controls.stop = True
                return

    watching = threading.Thread(target=watch, daemon=True)
    watching.start()
    try:
        yield controls
    finally:
        over.set()
        watching.join()
