"""Commands in processes of their own, which a test kills at a moment that it chooses, or leaves without room.

They are forked from a server that has imported the program and nothing else, so that one costs hundredths of a second,
and no library of the tests' own process is forked with its threads.
"""

import json
import multiprocessing
import os
import resource
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SERVER = multiprocessing.get_context("forkserver")
SERVER.set_forkserver_preload(
    ["fieldlens.studies.runs.compare", "fieldlens.studies.sweeps.sweep", "fieldlens.terminal.console"]
)

PATIENCE = 120.0
"""Seconds after which a command that does not end is taken for one that hangs."""


SMALL = ["--steps", "12", "--batch-size", "64", "--threads", "1", "--device", "cpu", "--frames", "every:4"]
SMALL += ["--output-dir", "outputs"]
SMALL_FIT = ["fit", "picture.png", "--encoding", "fourier:2", "--checkpoints", "frames", *SMALL]
MARKS = {"fit": "config.yaml", "comparison": "comparison.yaml", "sweep": "sweep.yaml"}
"""By what a command makes, the file that is written last when the folder of it is begun."""


def made_in(place: Path, what: str) -> list[Path]:
    """The folders that were begun of one kind, where `SMALL` has them in the folder that the command ran in."""
    return sorted(file.parent for file in place.glob(f"outputs/*/*/*/{MARKS[what]}"))


@dataclass(frozen=True)
class Undisturbed:
    """A command that nobody disturbed."""

    made: str
    """What it made, as `MARKS` has it."""
    holds: dict[str, Any]
    """What its folder holds, as `tests.support.same.held_by` has it."""
    acts: Sequence[str]
    """What it did to the disk, as `Ended` has it."""

    def first_act(self, name: str) -> int:
        """The number of the first act upon a file whose name ends so."""
        return next(number for number, act in enumerate(self.acts) if act.endswith(name))


@dataclass(frozen=True)
class Ended:
    """How a command came to its end."""

    status: int
    """As a shell has it; a signal's number, negative, where that ended it."""
    said: str
    """On both streams."""
    acts: Sequence[str]
    """What it did to the disk below the folder that was watched: the files that it opened for writing, renamed or took
    away, by their names there, and `encoder` for each start of ffmpeg."""

    @property
    def was_killed(self) -> bool:
        """Whether SIGKILL ended it."""
        return self.status == -signal.SIGKILL


def command(
    words: Sequence[str],
    watched: Path,
    *,
    before_act: int | None = None,
    after_seconds: float | None = None,
    largest_file: int | None = None,
) -> Ended:
    """Run a command line of the program.

    Args:
        watched: a folder, in which the command is also run.
        before_act: kill it with SIGKILL before its act of this number, from 0.
        after_seconds: kill it so many seconds after it was begun.
        largest_file: bytes that it may write to one file, as by `ulimit -f`.
    """
    watched.mkdir(parents=True, exist_ok=True)
    said, done = watched.with_name(f"{watched.name}.said"), watched.with_name(f"{watched.name}.acts")
    arguments = (list(words), str(watched), str(said), str(done), before_act, largest_file)
    process = SERVER.Process(target=_command, args=arguments)
    process.start()
    process.join(PATIENCE if after_seconds is None else after_seconds)
    hangs = process.is_alive() and after_seconds is None
    process.kill()
    process.join()
    assert not hangs, f"{words} took more than {PATIENCE} s: {said.read_text(errors='replace')}"
    assert process.exitcode is not None
    acts = json.loads(done.read_text()) if done.exists() else []
    ended = Ended(process.exitcode, said.read_text(errors="replace") if said.exists() else "", acts)
    for file in (said, done):
        file.unlink(missing_ok=True)
    return ended


def _command(
    words: list[str], watched: str, said: str, done: str, before_act: int | None, largest_file: int | None
) -> None:
    from fieldlens.cli import main

    streams = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(streams, 1)
    os.dup2(streams, 2)
    os.chdir(watched)
    acts: list[str] = []
    sys.addaudithook(lambda event, arguments: _count(event, arguments, watched, acts, before_act))
    if largest_file is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))
    status = main(words)
    sys.stdout.flush()
    if largest_file is None:
        Path(done).write_text(json.dumps(acts))
    os._exit(status)


def _count(event: str, arguments: tuple[object, ...], watched: str, acts: list[str], before_act: int | None) -> None:
    if event == "open":
        path, mode, flags = arguments
        writes = isinstance(mode, str) and not set("wax+").isdisjoint(mode)
        writes = writes or (isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR)))
    elif event in ("os.rename", "os.remove", "os.mkdir"):
        path, writes = arguments[1 if event == "os.rename" else 0], True
    elif event == "subprocess.Popen":
        path, writes = os.path.join(watched, "encoder"), True
    else:
        return
    if not writes or not isinstance(path, str | os.PathLike):
        return
    whole = os.path.abspath(os.fspath(path))
    if whole.startswith(f"{watched}/"):
        if len(acts) == before_act:
            os.kill(os.getpid(), signal.SIGKILL)
        acts.append(os.path.relpath(whole, watched))
