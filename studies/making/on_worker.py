"""What a worker of a Dask cluster does to make a fit."""

import asyncio
import os
import threading
import time
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from distributed import Worker, get_worker

from fieldlens.configs.holding import InUseError
from fieldlens.configs.run import FitConfig
from fieldlens.fitting import Controls

from .executor import LostError, Make, made
from .parcel import files_in, lay_out, packed

LOOK_EVERY = 0.2
"""Seconds after which it is looked whether a fit is still wanted."""

PATIENCE_SECONDS = 30
"""In which another worker has to leave a fit that this one is to take up."""

RESULTS = "results"
"""What a study's folder is called where a worker does not see the client's files, and its own name leads elsewhere."""

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
    study: Path
    """The folder below which the client has its fits."""


@dataclass(frozen=True)
class Answer:
    """What a worker says of a fit."""

    label: str | None
    """What it was; None where it was not begun, as the client's files are not seen here and have to be sent first."""
    folder: bytes | None = None
    """Its folder, where the client does not see the files of this machine."""


def make_on_worker(errand: Errand, make: Make, config: FitConfig, sent: bytes | None) -> Answer:
    """Make a fit in this worker.

    Args:
        sent: the files that it is made from; None where they were not sent yet.

    Raises:
        LostError: when memory ran out, or the worker is to end.
        InputError: when its folder is too large to be sent, or as `make` does.
    """
    is_seen = errand.home.is_seen()
    if not is_seen and sent is None:
        return Answer(None)
    worker = get_worker()
    with _one_at_a_time, _wanted(worker) as controls:
        _topics_now.append(errand.topic)
        worker.log_event(errand.topic, errand.number)  # that it was begun
        torch.set_num_threads(errand.threads)
        try:
            if is_seen:
                with chdir(errand.home.folder):
                    return Answer(_label(_patiently(config, make, errand.study, controls)))
            assert sent is not None
            # a network's disk may refuse to delete what was just read, and by then the answer is packed
            with TemporaryDirectory(dir=worker.local_directory, ignore_cleanup_errors=True) as place, chdir(place):
                folder = _as_there(errand.study)
                before = lay_out(sent, folder)
                label = _label(made(config, make, folder, controls))
                return Answer(label, packed(folder, (file for file in files_in(folder) if file not in before)))
        finally:
            _topics_now.remove(errand.topic)


async def left(topic: str, seconds: float) -> None:
    """Wait until this worker has left the fits of a client."""
    last = time.monotonic() + seconds
    while topic in _topics_now and time.monotonic() < last:
        await asyncio.sleep(LOOK_EVERY)


def _patiently(config: FitConfig, make: Make, folder: Path, controls: Controls) -> str | None:
    """`made`, where a worker that its scheduler has lost may still be at the same fit: it leaves it within a step."""
    last = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return made(config, make, folder, controls)
        except InUseError:
            if time.monotonic() > last or controls.stop:
                raise
            time.sleep(LOOK_EVERY)


def _as_there(study: Path) -> Path:
    """A study's folder within the working folder: by the name that the client has for it, which records and reports
    tell, unless that leads out of it."""
    return Path(RESULTS) if study.is_absolute() or ".." in study.parts else study


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
