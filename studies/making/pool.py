"""Fits of a study in processes of their own, as many at once as torch has threads; those that are there are left."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.synchronize import Event
from threading import Thread
from typing import TypeAlias

import torch

from fieldlens.configs.children import trusted_children
from fieldlens.configs.errors import InputError, counted
from fieldlens.configs.run import FitConfig
from fieldlens.fitting import Controls, place
from fieldlens.studies.runs.reporter import Reporter

Make: TypeAlias = Callable[[FitConfig, Controls], str | None]
"""Makes a fit and says what it was; None where it was stopped. Other processes are sent it: it is a function of a
module, or a `partial` of one."""


def make_missing(
    planned: Sequence[FitConfig],
    finished: Callable[[FitConfig], bool],
    make: Make,
    reporter: Reporter,
    controls: Controls,
) -> bool:
    """Make the fits that are not finished; False when it was stopped before the last.

    Each fit takes one thread, so that its bytes do not depend on how many go on at once: as many as torch has threads,
    or on a GPU one after the other.

    Raises:
        InputError: what `make` raises, and for a process that was ended.
    """
    missing = [config for config in planned if not finished(config)]
    done = len(planned) - len(missing)
    if done:
        reporter.say(f"{done} of {counted(len(planned), 'fit')} {'is' if done == 1 else 'are'} there already")
    for number, label in enumerate(_each(missing, make, controls), start=done + 1):
        reporter.working(f"fit {number} of {len(planned)}: {label}", number / len(planned))
    return not controls.stop


def _each(configs: Sequence[FitConfig], make: Make, controls: Controls) -> Iterator[str]:
    """Make fits until told to stop, yielding what each was as it is finished."""
    workers = min(torch.get_num_threads(), len(configs))
    if workers <= 1 or any(place(config.training, config.network).device.type != "cpu" for config in configs):
        yield from (label for config in configs if (label := make(config, controls)))
        return
    # spawned and not forked: a fork of a process whose libraries have started threads may hang
    context = multiprocessing.get_context("spawn")
    with (
        trusted_children(),
        ProcessPoolExecutor(workers, context, _start_worker, (stop := context.Event(),)) as executor,
    ):
        pending = {executor.submit(_in_worker, make, config) for config in configs}
        try:
            while pending and not controls.stop:
                finished, pending = wait(pending, timeout=0.2, return_when=FIRST_COMPLETED)
                yield from (label for future in finished if (label := future.result()))
        except BrokenProcessPool:
            if controls.stop:  # SIGTERM has reached all of them, as from a job's scheduler
                return
            raise InputError(
                "a process of the study was ended before its fit was done, perhaps for want of memory; what is "
                "finished stays, and OMP_NUM_THREADS=1 makes one fit at a time"
            ) from None
        finally:
            stop.set()  # what is running ends within a step
            for future in pending:
                future.cancel()


_controls = Controls()
"""Of this process, when it is a worker."""


def _start_worker(stop: Event) -> None:
    # Ctrl-C and a terminal's end reach all of its processes; the first one decides
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    torch.set_num_threads(1)
    Thread(target=_stop_with, args=(stop, os.getppid()), daemon=True).start()


def _stop_with(stop: Event, first: int) -> None:
    """Wait until the first process says so, or is gone: nobody would read what this one goes on to write."""
    while not stop.wait(1.0) and os.getppid() == first:
        pass
    _controls.stop = True


def _in_worker(make: Make, config: FitConfig) -> str | None:
    return make(config, _controls)
