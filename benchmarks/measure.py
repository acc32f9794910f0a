"""Timing rival functions fairly, and peak memory."""

import json
import resource
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path


def interleaved_medians(functions: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median seconds of each function over some rounds, after one round to warm up.

    Each round calls every function once, so that a machine that slows down or is shared slows all of them alike.
    """
    seconds: dict[str, list[float]] = {name: [] for name in functions}
    for round_index in range(rounds + 1):
        for name, function in functions.items():
            start = time.perf_counter()
            function()
            if round_index > 0:
                seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(times) for name, times in seconds.items()}


def peak_mb_above_now(function: Callable[[], object]) -> float:
    """Resident memory at its peak, once the function has run, above what is resident before, in MB (Linux).

    The peak is that of the whole process so far: call this before anything larger has run.
    """
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    before = pages * resource.getpagesize()
    function()
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before) / 1e6


def print_json(numbers: Mapping[str, object]) -> None:
    """One JSON object as the last line on standard output."""
    sys.stdout.flush()
    print(json.dumps({key: round(v, 4) if isinstance(v, float) else v for key, v in numbers.items()}, allow_nan=False))
