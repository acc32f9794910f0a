"""What it costs to have fits made by processes or by a Dask cluster, and what a large plan would cost its scheduler.

    python -m benchmarks.sweep [--fits 16] [--steps 4000] [--empty 10000] [--workers 200] [--quick]

`overhead_..._seconds` is the time that one fit takes which does nothing. `speedup_...` is how many times as many fits
two workers make as one, of fits that take one thread for some seconds. Both are without the start of the workers.
`scheduler_...` is of a large plan of fits that do nothing: what the scheduler takes of a processor for each fit, and
for its workers while there is nothing to do. These workers are simulated in one process.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.measure import print_json
from fieldlens.configs.network import Network
from fieldlens.configs.run import FitConfig
from fieldlens.fitting import Controls
from fieldlens.studies.making.cluster import Cluster
from fieldlens.studies.making.executor import Executor, Work
from fieldlens.studies.making.processes import Processes
from tests.support.clusters import dask
from tests.support.made_fits import fitted, planned, said
from tests.test_layering import ROOT

IDLE_SECONDS = 5
"""In which it is looked what workers cost that have nothing to do."""


def seconds_each(executor: Executor, configs: Sequence[FitConfig], work: Work) -> float:
    """Wall seconds for one of these fits, from when each worker has made its first.

    Raises:
        SystemExit: where that is when all are made.
    """
    ends, makers = list[float](), list[str]()
    for outcome in executor.outcomes(configs, work, Controls()):
        assert outcome.made is not None
        ends.append(time.perf_counter())
        makers.append(outcome.made.rpartition(" ")[2])
    begin = max(makers.index(maker) for maker in makers)
    if begin == len(ends) - 1:
        raise SystemExit("a worker was ready when the others had made all but one: take more --fits, or more --steps")
    return (ends[-1] - ends[begin]) / (len(ends) - 1 - begin)


def processor_seconds(process: int) -> float:
    """Processor time of a process so far (Linux)."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def scheduler_cost(folder: Path, fits: int, workers: int) -> dict[str, float]:
    """What a plan of fits that do nothing costs its scheduler, with many workers in one process."""
    with dask(folder, 0) as cluster:
        command = [sys.executable, "-P", "-m", "benchmarks.many_workers", cluster.address, str(workers)]
        many = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=subprocess.DEVNULL)
        try:
            cluster.wait_for_workers(workers)
            scheduler, executor = cluster.processes[0].pid, Cluster(cluster.address)
            work = Work(said, folder)
            list(executor.outcomes(planned(folder, workers), work, Controls()))  # it imports what it is sent
            before, since = processor_seconds(scheduler), time.perf_counter()
            time.sleep(IDLE_SECONDS)
            idle = (processor_seconds(scheduler) - before) / (time.perf_counter() - since)
            before, since = processor_seconds(scheduler), time.perf_counter()
            list(executor.outcomes(planned(folder, fits), work, Controls()))
            seconds = time.perf_counter() - since
            busy = processor_seconds(scheduler) - before
            resident = int(Path(f"/proc/{scheduler}/statm").read_text().split()[1]) * resource.getpagesize()
        finally:
            many.kill()
            many.wait()
    return {
        "scheduler_processor_seconds_per_fit": busy / fits,
        "scheduler_processor_share_when_idle": idle,
        "scheduler_resident_mb": resident / 1e6,
        "empty_fits_per_second": fits / seconds,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--fits", type=int, default=16, help="that train, for the speedup")
    parser.add_argument("--steps", type=int, default=4000, help="of each of these")
    parser.add_argument("--empty", type=int, default=10_000, help="fits that do nothing, for the scheduler")
    parser.add_argument("--workers", type=int, default=200, help="that are simulated, for the scheduler")
    parser.add_argument("--quick", action="store_true", help="few and short fits, to see that it runs")
    args = parser.parse_args()
    fits, steps = (8, 200) if args.quick else (args.fits, args.steps)
    empty, workers = (100, 10) if args.quick else (args.empty, args.workers)
    numbers: dict[str, object] = {"fits": fits, "steps": steps, "empty_fits": empty, "workers": workers}
    with tempfile.TemporaryDirectory() as folder, dask(Path(folder, "dask"), 1) as one:
        path = Path(folder)
        training = [
            replace(config, network=Network(width=64, depth=4), training=replace(config.training, steps=steps))
            for config in planned(path, fits)
        ]
        empty_fit, fit = Work(said, path), Work(fitted, path)
        numbers["overhead_process_seconds"] = seconds_each(Processes(1), planned(path, 50), empty_fit)
        numbers["overhead_dask_seconds"] = seconds_each(Cluster(one.address), planned(path, 50), empty_fit)
        alone = seconds_each(Processes(1), training, fit)
        numbers["seconds_of_a_fit"] = alone
        numbers["speedup_processes"] = alone / seconds_each(Processes(2), training, fit)
        on_dask = seconds_each(Cluster(one.address), training, fit)
        one.worker()
        one.wait_for_workers(2)
        list(Cluster(one.address).outcomes(planned(path, 2), empty_fit, Controls()))  # the new one imports torch
        numbers["speedup_dask"] = on_dask / seconds_each(Cluster(one.address), training, fit)
        numbers |= scheduler_cost(path / "many", empty, workers)
    print_json(numbers)


if __name__ == "__main__":
    main()
