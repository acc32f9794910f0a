"""Fits of a study are made once, in processes of their own where there are threads for them."""

import multiprocessing
import os
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool

import pytest
import torch

import fieldlens.studies.making.pool
from fieldlens.configs.errors import InputError
from fieldlens.configs.run import FitConfig, Training
from fieldlens.fitting import Controls
from fieldlens.studies.making.pool import make_missing
from fieldlens.studies.runs.reporter import Silent

PLANNED = [FitConfig(scene="astronaut", training=Training(steps=1, device="cpu"), seed=seed) for seed in range(4)]


def make(config: FitConfig, controls: Controls) -> str | None:
    """Makes nothing, and says where."""
    return None if controls.stop else f"{config.seed} in {os.getpid()}"


class Told(Silent):
    """Remembers what was made."""

    def __init__(self) -> None:
        self.labels: list[str] = []
        self.shares: list[float] = []

    def working(self, task: str, done: float) -> None:
        self.labels.append(task)
        self.shares.append(done)


def test_what_is_finished_is_left_and_the_rest_is_made_in_its_order() -> None:
    told = Told()
    assert make_missing(PLANNED, lambda config: config.seed % 2 == 0, make, told, Controls())
    here = os.getpid()
    assert told.labels == [f"fit 3 of 4: 1 in {here}", f"fit 4 of 4: 3 in {here}"]
    assert told.shares == [0.75, 1.0]


def test_with_two_threads_fits_are_made_in_two_processes_at_most() -> None:
    told = Told()
    torch.set_num_threads(2)
    try:
        assert make_missing(PLANNED, lambda _config: False, make, told, Controls())
    finally:
        torch.set_num_threads(1)
    made = [label.partition(": ")[2].split(" in ") for label in told.labels]
    assert sorted(seed for seed, _ in made) == ["0", "1", "2", "3"]
    places = {int(place) for _, place in made}
    assert os.getpid() not in places
    assert 1 <= len(places) <= 2


def test_nothing_is_made_after_the_stop() -> None:
    told, controls = Told(), Controls(stop=True)
    assert not make_missing(PLANNED, lambda _config: False, make, told, controls)
    assert not told.labels


def test_a_worker_that_is_ended_from_outside_ends_the_study_in_a_sentence_unless_it_was_to_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Broken:
        def __init__(self, *_: object) -> None: ...
        def __enter__(self) -> "Broken":
            return self

        def __exit__(self, *_: object) -> None: ...
        def submit(self, *_: object) -> Future[None]:
            future: Future[None] = Future()
            future.set_exception(BrokenProcessPool())
            return future

    told = Controls()

    def told_with_them(futures: set[Future[None]], **_: object) -> tuple[set[Future[None]], set[Future[None]]]:
        told.stop = True  # a scheduler's SIGTERM reaches all processes of a job
        return futures, set()

    monkeypatch.setattr(fieldlens.studies.making.pool, "ProcessPoolExecutor", Broken)
    torch.set_num_threads(2)
    try:
        with pytest.raises(InputError, match="memory"):
            make_missing(PLANNED, lambda _config: False, make, Silent(), Controls())
        monkeypatch.setattr(fieldlens.studies.making.pool, "wait", told_with_them)
        assert not make_missing(PLANNED, lambda _config: False, make, Silent(), told)
    finally:
        torch.set_num_threads(1)


def test_a_worker_whose_first_process_is_gone_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fieldlens.studies.making.pool, "_controls", Controls())
    never = multiprocessing.get_context("spawn").Event()
    fieldlens.studies.making.pool._stop_with(never, os.getppid() + 1)
    assert fieldlens.studies.making.pool._controls.stop
