"""Fits made in processes of their own on this machine.

Each process is connected by a pipe of its own. Libraries of pools (`concurrent.futures`, joblib's loky) share one queue
among theirs, and give up all that is planned when one of them is killed. Here a process that is killed takes nothing
with it but its fit, which is begun again in a new one.
"""

import multiprocessing
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from queue import SimpleQueue
from threading import Thread
from traceback import format_exc
from types import ModuleType
from typing import final

import torch

from fieldlens.configs.children import trusted_children
from fieldlens.configs.errors import InputError
from fieldlens.configs.run import FitConfig
from fieldlens.fitting import Controls

from .executor import MOST_LOSSES, LostError, Outcome, Outcomes, Work, made

LOOK_EVERY = 0.2
"""Seconds after which it is looked whether all is to stop."""


@dataclass
class _Planned:
    """A fit that is to be made."""

    config: FitConfig
    losses: list[str] = field(default_factory=list)


@final
@dataclass(frozen=True)
class Processes:
    """Processes on this machine, which are started when there are fits and ended after the last.

    On a machine with GPUs each has one of them, in turn.
    """

    workers: int
    """How many, at most."""
    threads: int = 1
    """Threads that torch takes in each. A fit has the same bytes only with the same number."""

    def outcomes(self, configs: Sequence[FitConfig], work: Work, controls: Controls) -> Outcomes:
        """Make fits, as many at once as there are processes; see `Executor.outcomes`."""
        waiting = deque(map(_Planned, configs))
        cards = gpus()
        places = [cards[number % len(cards)] if cards else None for number in range(min(self.workers, len(configs)))]
        workers = [_Worker(work, self.threads, place) for place in places]
        try:
            while not controls.stop:
                for number, worker in enumerate(workers):
                    if waiting and worker.fit is None:
                        if worker.is_gone:
                            worker.end()
                            workers[number] = worker = _Worker(work, self.threads, places[number])
                        worker.take(waiting.popleft())
                busy = {worker.connection: worker for worker in workers if worker.fit is not None}
                if not busy:
                    return
                for connection in wait(list(busy), timeout=LOOK_EVERY):
                    assert isinstance(connection, Connection)
                    fit, answer = busy[connection].answer()
                    if isinstance(answer, str):
                        yield Outcome(fit.config, answer, tuple(fit.losses))
                    elif not isinstance(answer, LostError):
                        raise answer
                    elif (
                        not controls.stop
                    ):  # a scheduler's SIGTERM reaches all processes of a job, theirs perhaps first
                        fit.losses.append(str(answer))
                        if len(fit.losses) > MOST_LOSSES:
                            yield Outcome(fit.config, None, tuple(fit.losses))
                        else:
                            waiting.appendleft(fit)
        finally:
            for worker in workers:
                worker.leave()
            for worker in workers:
                worker.end()


def gpus() -> list[str]:
    """The GPUs that this process may use, as CUDA_VISIBLE_DEVICES names them."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "")
    count = torch.cuda.device_count()
    return [name.strip() for name in visible.split(",")][:count] if visible else list(map(str, range(count)))


@final
class _Worker:
    """A process that makes fits, one at a time, as its parent sees it."""

    def __init__(self, work: Work, threads: int, card: str | None) -> None:
        # spawned and not forked: a fork of a process whose libraries have started threads may hang
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_make_fits, args=(theirs, work, threads, card), daemon=True)
        with trusted_children(), _without_script():
            self.process.start()
        theirs.close()  # theirs alone is open now, so that its end is seen here
        self.fit: _Planned | None = None
        """What it makes now."""
        self.is_gone = False

    def take(self, fit: _Planned) -> None:
        """Begin a fit."""
        self.fit = fit
        with suppress(OSError):  # it is gone, which its answer says
            self.connection.send(fit.config)

    def answer(self) -> tuple[_Planned, str | Exception]:
        """What became of its fit: what it was, or why there is none."""
        fit, self.fit = self.fit, None
        assert fit is not None
        try:
            answer = self.connection.recv()
        except (EOFError, OSError):
            answer = None
        if answer is None or isinstance(answer, LostError):
            self.is_gone = True
        if answer is None:
            self.process.join()
            answer = LostError(_why(self.process.exitcode))
        return fit, answer

    def leave(self) -> None:
        """Have it end: what it makes ends within a step."""
        self.connection.close()

    def end(self) -> None:
        """Wait until it has ended."""
        self.leave()
        self.process.join()


@contextmanager
def _without_script() -> Iterator[None]:
    """Processes that are started in this block do not run this process' script, as `multiprocessing` has them do: all
    that they need is in modules, and a script that has fits made would ask for them in each process again."""
    script = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = script


def _why(status: int | None) -> str:
    """Why a process ended."""
    if status is not None and status < 0:
        return f"its process was ended by {signal.Signals(-status).name}"
    return "its process was told to end" if status == 0 else f"its process ended with status {status}"


# In the process itself.


def _make_fits(connection: Connection, work: Work, threads: int, card: str | None) -> None:
    controls, fits = Controls(), SimpleQueue[FitConfig | None]()

    def stop(*_: object) -> None:
        controls.stop = True
        fits.put(None)

    # Ctrl-C and a terminal's end reach all processes; the first one decides
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, stop)
    if card is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = card
    torch.set_num_threads(threads)
    Thread(target=_listen, args=(connection, fits, stop), daemon=True).start()
    while (config := fits.get()) is not None:
        answer = _answer(config, work, controls)
        try:
            connection.send(answer)
        except OSError:  # nobody wants to know
            return
        if not isinstance(answer, str):  # stopped, or short of memory, which the system has again when it ends
            return


def _listen(connection: Connection, fits: SimpleQueue[FitConfig | None], stop: Callable[[], None]) -> None:
    """Hear what is to be made, until the other end says no more or is gone: then nobody would read what is made."""
    try:
        while True:
            fits.put(connection.recv())
    except (EOFError, OSError):
        stop()


def _answer(config: FitConfig, work: Work, controls: Controls) -> str | Exception | None:
    try:
        return made(config, work.make, work.folder, controls)
    except (InputError, OSError, LostError) as error:
        return error
    except Exception:  # others may not come through a pipe as what they are
        return RuntimeError(format_exc())
