"""A sweep gives the same summary whoever makes its fits: this process, two others, or a cluster that loses a worker."""

import signal
from pathlib import Path
from threading import Thread

import pytest

import fieldlens
from tests.support.clusters import dask
from tests.support.made_fits import wait_for
from tests.support.runs import small_picture
from tests.support.sweeps import without_drawings

PATIENCE = 240
"""Seconds for which workers are waited for: each loads torch, perhaps on a busy machine."""

KILLS_A_WORKER = f"""
import os
import signal
import time
from pathlib import Path

import torch

MARKS = Path("marks")
batches = 0


def waves(x):
    global batches
    batches += len(x) == 64
    if batches == 3 and MARKS.is_dir():
        amid_a_fit()
    return torch.cat([x, torch.sin(7 * x)], -1)


def amid_a_fit():
    try:
        (MARKS / "killed").touch(exist_ok=False)
        os.kill(os.getpid(), signal.SIGKILL)
    except FileExistsError:
        (MARKS / f"alive {{os.getpid()}}").touch()
    last = time.monotonic() + {PATIENCE}
    while len(list(MARKS.glob("alive *"))) < 2:
        if time.monotonic() > last:
            raise TimeoutError("there is one worker alone")
        time.sleep(0.02)
"""
"""An encoding that kills the first worker that comes to the third step of a fit by it. Whoever comes there later waits
until there are two: the one that was left, and one that has joined late."""


def summary_in(place: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int, int], **options: object) -> bytes:
    """The summary of a sweep of so many pictures, encodings and seeds, which is made in a folder of its own."""
    pictures, encodings, seeds = size
    place.mkdir(exist_ok=True)
    monkeypatch.chdir(place)
    names = [small_picture(place / f"{name}.png", 24, 24).name for name in ("one", "two")[:pictures]]
    (place / "mine.py").write_text(KILLS_A_WORKER)
    found = fieldlens.compare(
        names,
        encodings=["mine.py:waves", "raw", "fourier:3"][:encodings],
        networks=["2x16"],
        seeds=seeds,
        steps=8,
        batch_size=64,
        frames="every:8",
        quick=True,
        progress=False,
        **options,  # type: ignore[arg-type]
    )
    assert isinstance(found, fieldlens.Sweep)
    assert found.record.finished == pictures * encodings * seeds
    return (found.folder / "summary.csv").read_bytes()


@pytest.mark.parametrize("size", [(1, 1, 3), pytest.param((2, 3, 3), marks=pytest.mark.slow)])
def test_a_summary_is_the_same_from_here_two_processes_and_a_cluster_where_one_is_killed_and_one_joins_late(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int, int]
) -> None:
    without_drawings(monkeypatch)
    here = summary_in(tmp_path / "here", monkeypatch, size)
    assert summary_in(tmp_path / "apart", monkeypatch, size, workers=2) == here
    marks = tmp_path / "there" / "marks"
    marks.mkdir(parents=True)
    with dask(tmp_path / "dask", 2) as cluster:
        cluster.wait_for_workers(2)
        first = {process.pid for process in cluster.processes}

        def join() -> None:
            wait_for(marks, "killed", seconds=PATIENCE)
            cluster.worker()

        joining = Thread(target=join)
        joining.start()
        there = summary_in(tmp_path / "there", monkeypatch, size, cluster=cluster.address)
        joining.join()
        ended = {process.pid for process in cluster.processes if process.poll() == -signal.SIGKILL}
    alive = {int(mark.name.split()[1]) for mark in marks.glob("alive *")}
    assert there == here
    assert len(ended) == 1
    assert ended < first
    assert len(alive - first) == 1, "the late one made some"
