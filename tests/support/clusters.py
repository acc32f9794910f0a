"""A Dask cluster of one's own on this machine: real processes that answer to 127.0.0.1 alone."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from distributed import Client

from tests.support.made_fits import wait_for
from tests.test_layering import ROOT


class Dask:
    """A scheduler and its workers, each with a folder of its own as its working folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.processes: list[subprocess.Popen[bytes]] = []
        self._begin("scheduler", "--port", "0", "--scheduler-file", "scheduler.json")
        (file,) = wait_for(folder, "0/scheduler.json")
        while not file.stat().st_size:  # it has its name before it is written
            time.sleep(0.02)
        self.address: str = json.loads(file.read_text())["address"]

    def worker(self, *options: str) -> int:
        """Begin a worker; gives its process."""
        # without a nanny, so that a worker that is killed stays so
        return self._begin("worker", self.address, "--nthreads", "1", "--no-nanny", "--local-directory", ".", *options)

    def wait_for_workers(self, count: int) -> None:
        """Wait until so many workers have joined."""
        with Client(self.address, timeout=120, set_as_default=False) as client:
            client.wait_for_workers(count, timeout=120)

    def _begin(self, what: str, *options: str) -> int:
        place = self.folder / str(len(self.processes))
        place.mkdir(parents=True)
        with (place / "log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "dask", what, "--host", "127.0.0.1", "--no-dashboard", *options],
                cwd=place,
                stdout=log,
                stderr=log,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            )
        self.processes.append(process)
        return process.pid

    def end(self) -> None:
        """End all of them."""
        for process in reversed(self.processes):
            process.kill()
            process.wait()


@contextmanager
def dask(folder: Path, workers: int) -> Iterator[Dask]:
    """A cluster with some workers, until the block is left."""
    cluster = Dask(folder)
    try:
        for _ in range(workers):
            cluster.worker()
        yield cluster
    finally:
        cluster.end()
