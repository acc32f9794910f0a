"""Fits made by the workers of a Dask cluster that is there already.

Dask runs what its scheduler sends, so a cluster is trusted as one's own machine is; docs/cluster.md says more. Nothing
here starts a scheduler, and nothing listens.
"""

import os
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from heapq import heappop, heappush
from pathlib import Path
from secrets import token_hex
from typing import Any, cast, final

import dask.config
from distributed import Client, Future, KilledWorker, as_completed
from distributed.comm.core import CommClosedError

from fieldlens.configs.errors import InputError
from fieldlens.configs.run import FitConfig
from fieldlens.fitting import Controls

from .connection import connected, marked, require_address
from .executor import MOST_LOSSES, LostError, Outcome, Outcomes, Work
from .on_worker import Answer, Errand, Home, left, make_on_worker
from .parcel import MOST_BYTES, packed, unpack

ALONE_SECONDS = 600
"""For which a cluster may be without a worker, as where jobs wait in a queue."""
WORKERS_EVERY = 10
"""Seconds after which it is looked whether there are any."""
ENDING_SECONDS = 30
"""In which fits end when all is to stop: each takes a step, and some save what they have."""
SENT_AHEAD = 2
"""Fits for each worker for which files are sent at once: the one that it makes, and the next."""
LOOK_EVERY = 0.1
"""Seconds after which it is looked what is done, and whether all is to stop."""
NO_SCHEDULER = "the scheduler of the cluster is gone; what is finished stays, and the same command goes on"
GONE = "its worker was gone"
GPU = "GPU"
"""The resource of a worker that has a GPU to itself; a fit takes one."""


@final
@dataclass(frozen=True)
class Cluster:
    """The workers of a Dask cluster, of which each process makes one fit at a time. They may come and go.

    Where a worker sees the client's files, it reads and writes there. Else what a fit is made from is sent to it, once
    it has asked, and the fit's folder comes back.
    """

    address: str
    """Of its scheduler, such as tcp://10.0.0.1:8786."""
    threads: int = 1
    """Threads that torch takes for a fit, which has the same bytes only with the same number."""

    def __post_init__(self) -> None:
        require_address(self.address)  # before a sweep has a folder

    def outcomes(self, configs: Sequence[FitConfig], work: Work, controls: Controls) -> Outcomes:
        """Make fits, as many at once as there are workers; see `Executor.outcomes`."""
        if not configs:
            return
        with connected(self.address) as client, marked(work.folder) as mark:
            fits = _Fits(client, configs, work, self.threads, mark)
            try:
                fits.begin()
                while fits.are_left and not controls.stop:
                    yield from fits.settled()
                    fits.send()
                    fits.require_workers()
                    time.sleep(LOOK_EVERY)
            except CommClosedError:
                raise InputError(NO_SCHEDULER) from None
            finally:
                with suppress(CommClosedError):
                    fits.end()


@final
class _Fits:
    """The fits that a cluster is asked for."""

    def __init__(self, client: Client, configs: Sequence[FitConfig], work: Work, threads: int, mark: Path) -> None:
        self.client, self.configs, self.work, self.threads = client, configs, work, threads
        self.home = Home(os.getcwd(), str(mark))
        self.topic = f"fieldlens-{token_hex(8)}"
        self.has_gpus = any(GPU in worker["resources"] for worker in client.scheduler_info()["workers"].values())
        if not self.has_gpus and any(config.training.device == "cuda" for config in configs):
            raise InputError(
                f"no worker of the cluster has a GPU for --device cuda; start one with --resources {GPU}=1"
            )
        self.nothing = None if work.reads else packed(work.folder, ())
        """What is sent along where no worker has asked."""
        self.pending: dict[Future, int] = {}
        """The numbers of fits that were asked for and are not settled."""
        self.wanting: list[int] = []
        """A heap of those whose worker has to be sent what they are made from."""
        self.sent: set[int] = set()
        """Those of the pending for which it was sent: the scheduler has it in memory."""
        self.losses: defaultdict[int, list[str]] = defaultdict(list)
        self.asked, self.begun = Counter[int](), Counter[int]()
        """How often each was asked for, and how often a worker began it."""
        self.completed = as_completed(loop=client.loop)
        self.had_worker_at = self.look_at_workers_at = time.monotonic()

    @property
    def are_left(self) -> bool:
        """Whether some are not settled."""
        return bool(self.pending or self.wanting)

    def begin(self) -> None:
        """Ask for all of them."""
        self.client.subscribe_topic(self.topic, self._hear)
        for number in range(len(self.configs)):
            self._ask(number, self.nothing)

    def _hear(self, event: tuple[float, Any]) -> None:
        self.begun[event[1]] += 1

    def _ask(self, number: int, sent: bytes | None) -> None:
        """Ask for a fit, and send along what it is made from, or wait whether a worker wants that."""
        config, key = self.configs[number], f"{self.topic}-{number}-{self.asked[number]}"
        self.asked[number] += 1
        # fits on processors and on GPUs differ in their bytes, so that one table has one kind
        on_gpu = config.training.device == "cuda" or (config.training.device == "auto" and self.has_gpus)
        with dask.config.set({"distributed.admin.large-graph-warning-threshold": 2 * MOST_BYTES}):
            future = self.client.submit(
                make_on_worker,
                Errand(number, self.topic, self.threads, self.home, self.work.folder),
                self.work.make,
                config,
                sent,
                key=key,
                priority=-number,
                resources={GPU: 1} if on_gpu else None,
            )
        self.pending[future] = number
        self.completed.add(future)

    def settled(self) -> Iterator[Outcome]:
        """What became of those that were settled since; those that were lost are asked for again."""
        for future in self.completed.next_batch(block=False):
            assert isinstance(future, Future)
            number = self.pending.pop(future)
            self.sent.discard(number)
            config, losses = self.configs[number], self.losses[number]
            before = self.begun[number] - len(losses) - 1  # Dask has begun it again by itself
            losses += [GONE] * before
            try:
                answer = _answer(future)
            except LostError as lost:
                losses.append(str(lost))
                if len(losses) <= MOST_LOSSES:
                    self._ask(number, self.nothing)
                else:
                    yield Outcome(config, None, tuple(losses))
                continue
            if answer.label is None:
                heappush(self.wanting, number)
                continue
            if answer.folder is not None:
                unpack(answer.folder, self.work.folder)
            yield Outcome(config, answer.label, tuple(losses))

    def send(self) -> None:
        """Ask again for fits whose worker has to be sent what they are made from, no more than are soon begun."""
        if not self.wanting or self.client.status != "running":
            return
        assert self.work.reads is not None  # else there is nothing that a worker would want
        at_once = SENT_AHEAD * max(1, len(cast(Mapping[str, int], self.client.nthreads())))
        while self.wanting and len(self.sent) < at_once:
            number = heappop(self.wanting)
            self.sent.add(number)
            self._ask(number, packed(self.work.folder, self.work.reads(self.configs[number])))

    def require_workers(self) -> None:
        """See from time to time that somebody is there to make them.

        Raises:
            InputError: when the cluster has been without a worker for long.
        """
        now = time.monotonic()
        if now < self.look_at_workers_at or self.client.status != "running":
            return
        self.look_at_workers_at = now + WORKERS_EVERY
        if self.client.nthreads():
            self.had_worker_at = now
        elif now > self.had_worker_at + ALONE_SECONDS:
            raise InputError(
                f"the cluster has had no worker for {ALONE_SECONDS / 60:g} minutes; what is finished stays, and the "
                "same command goes on"
            )

    def end(self) -> None:
        """Cancel what is not settled, and wait until workers have left it."""
        if self.client.status != "running":  # it has lost its scheduler
            return
        if self.pending:
            at_them = cast(Mapping[str, Sequence[Any]], self.client.processing())
            workers = [one for one, keys in at_them.items() if any(str(key).startswith(self.topic) for key in keys)]
            self.client.cancel(list(self.pending))
            if workers:
                self.client.run(left, self.topic, ENDING_SECONDS, workers=workers, on_error="ignore")
        self.client.unsubscribe_topic(self.topic)


def _answer(future: Future) -> Answer:
    """What a worker says of its fit.

    Raises:
        LostError: when the fit was lost with its worker.
        InputError: what `make` raised, or when the scheduler is gone.
    """
    if future.status not in ("finished", "error"):
        client = future.client
        if client is not None and client.status == "running":  # its scheduler is there, and has dropped it
            raise LostError(GONE)
        raise InputError(NO_SCHEDULER)
    try:
        return future.result()
    except KilledWorker:  # also of one that Dask has made again, as its result was gone with its worker
        raise LostError(GONE) from None
