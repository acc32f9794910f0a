"""Runs that are over and served, for the tests of `fieldlens view`."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread

from fieldlens.studies.live.hub import Hub
from fieldlens.studies.live.server import served
from fieldlens.studies.live.standing import StandingRun, show, stand
from fieldlens.studies.runs.folder import RunFolder

from .live_fits import Served


@dataclass
class ServedRuns(Served):
    """Runs that stand still, and their server."""

    runs: Sequence[StandingRun]
    hub: Hub


@contextmanager
def served_runs(*folders: RunFolder) -> Iterator[ServedRuns]:
    """The page of runs, until the block is left."""
    look_now = Event()
    hub = Hub(look_now)
    with standing(hub, look_now, *folders) as runs, served(hub) as address:
        yield ServedRuns(address, runs, hub)


@contextmanager
def standing(hub: Hub, look_now: Event, *folders: RunFolder) -> Iterator[Sequence[StandingRun]]:
    """Runs that a hub shows, answered by a thread of its own until the block is left."""
    runs = [StandingRun(folder) for folder in folders]
    show(hub, runs, [folder.config().name for folder in folders])
    thread = Thread(target=stand, args=(hub, runs, look_now))
    thread.start()
    try:
        yield runs
    finally:
        hub.is_closing = True
        look_now.set()
        thread.join(60)
