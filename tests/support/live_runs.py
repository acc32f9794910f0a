"""Runs that are over and served, for the tests of `fieldlens view`."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread

from fieldlens.studies.live.hub import Hub
from fieldlens.studies.live.server import served
from fieldlens.studies.live.standing import StandingRun, stand, standing_hub
from fieldlens.studies.runs.folder import RunFolder

from .live_fits import Served


@dataclass
class ServedRuns(Served):
    """Runs that stand still, and their server."""

    runs: Sequence[StandingRun]
    hub: Hub


@contextmanager
def served_runs(*folders: RunFolder) -> Iterator[ServedRuns]:
    """The page of runs, answered by a thread of its own until the block is left."""
    runs, look_now = [StandingRun(folder) for folder in folders], Event()
    hub = standing_hub(runs, [folder.config().name for folder in folders], look_now)
    thread = Thread(target=stand, args=(hub, runs, look_now))
    with served(hub) as address:
        thread.start()
        yield ServedRuns(address, runs, hub)
    look_now.set()
    thread.join(60)
