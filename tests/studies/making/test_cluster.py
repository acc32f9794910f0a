"""Fits are made by Dask workers: real processes on loopback, of which some are killed and some join late."""

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Event, Thread
from unittest import mock

import pytest
from distributed import Future

from fieldlens.configs.errors import InputError
from fieldlens.configs.holding import held
from fieldlens.configs.run import FitConfig
from fieldlens.fitting import Controls
from fieldlens.studies.making import cluster as of_cluster
from fieldlens.studies.making import on_worker, parcel
from fieldlens.studies.making.choice import executor_of
from fieldlens.studies.making.cluster import Cluster
from fieldlens.studies.making.executor import LostError, Make, Outcome, Work
from fieldlens.studies.making.here import Here
from fieldlens.studies.making.missing import make_missing
from fieldlens.studies.making.on_worker import Home
from fieldlens.studies.making.processes import Processes
from fieldlens.studies.paper.page import FINISHED, run_paper
from fieldlens.studies.runs.folder import RunFolder
from fieldlens.studies.sweeps.sweep import run_sweep, start_sweep
from tests.studies.paper.test_runs import TINY
from tests.support.clusters import Dask, dask
from tests.support.made_fits import (
    Told,
    always_killed,
    endless,
    fitted,
    killed_and_joined,
    planned,
    refused,
    said,
    wait_for,
    weights,
    without_memory,
)
from tests.support.same import held_by
from tests.support.sweeps import small_sweep, without_charts

GONE = "its worker was gone"


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dask]:
    """A cluster with one worker, which nothing kills."""
    with dask(tmp_path_factory.mktemp("dask"), 1) as cluster:
        yield cluster


@pytest.fixture
def marks(tmp_path: Path) -> Path:
    folder = tmp_path / "marks"
    folder.mkdir()
    return folder


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers do not see this process' files."""
    monkeypatch.setattr(of_cluster, "marked", lambda folder: nullcontext(folder / "seen by nobody"))


def test_workers_make_what_this_process_makes_though_one_is_killed_and_another_joins_late(
    tmp_path: Path, marks: Path
) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    assert make_missing(planned(here, 6), lambda _: False, Work(fitted, here), Told(), Controls(), Here())
    told = Told()
    with dask(tmp_path / "dask", 2) as cluster:
        first = {process.pid for process in cluster.processes}

        def join() -> None:
            wait_for(marks, "killed 1")
            cluster.worker()

        joining = Thread(target=join)
        joining.start()
        work = Work(partial(killed_and_joined, marks), there)
        assert make_missing(planned(there, 6), lambda _: False, work, told, Controls(), Cluster(cluster.address))
        joining.join()
        late = {process.pid for process in cluster.processes} - first
    assert weights(there) == weights(here)
    assert len(weights(there)) == 6
    assert [line for line in told.said if GONE in line] == told.said != []
    (killed,) = (int(mark.name) for mark in marks.glob("[0-9]*"))
    assert killed in first
    assert killed not in {told.places[seed] for seed in (1, 3, 4, 5)}
    assert late <= set(told.places.values()), "the late one made some"


def test_where_files_are_not_shared_folders_come_back_and_nothing_stays_with_the_worker(
    tmp_path: Path, alone: Dask, elsewhere: None
) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    assert make_missing(planned(here, 3), lambda _: False, Work(fitted, here), Told(), Controls(), Here())
    work = Work(fitted, there)
    assert make_missing(planned(there, 3), lambda _: False, work, Told(), Controls(), Cluster(alone.address))
    assert weights(there) == weights(here)
    names = [{str(file.relative_to(path)) for file in path.rglob("*")} for path in (here, there)]
    assert names[0] == names[1]
    assert not list(alone.folder.rglob("weights.bin"))
    assert {RunFolder(there / name).config().output.output_dir for name in weights(there)} == {there}


def test_a_worker_sees_the_files_of_its_client_by_a_mark_and_not_by_names_alone(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    home = Home(str(tmp_path), str(mark))
    assert not home.is_seen()
    mark.touch()
    assert home.is_seen()
    assert not Home(str(tmp_path / "none"), str(mark)).is_seen()


def test_a_worker_waits_for_another_that_is_still_at_the_same_fit_but_not_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (config,) = planned(tmp_path, 1)

    def make(_config: FitConfig, folder: Path, _controls: Controls) -> str | None:
        with held(folder):
            return "made"

    leave = Event()

    def be_at_it() -> None:
        with held(tmp_path):
            begun.set()
            leave.wait()

    begun, other = Event(), Thread(target=be_at_it)
    other.start()
    begun.wait()
    monkeypatch.setattr(on_worker, "PATIENCE_SECONDS", 0.3)
    with pytest.raises(InputError, match="in use"):
        on_worker._patiently(config, make, tmp_path, Controls())
    monkeypatch.setattr(on_worker, "PATIENCE_SECONDS", 30)
    leave.set()
    assert on_worker._patiently(config, make, tmp_path, Controls()) == "made"
    other.join()


def test_fits_on_gpus_are_refused_where_no_worker_has_one(tmp_path: Path, alone: Dask) -> None:
    (config,) = planned(tmp_path, 1)
    on_gpu = replace(config, training=replace(config.training, device="cuda"))
    with pytest.raises(InputError, match="no worker of the cluster has a GPU"):
        list(Cluster(alone.address).outcomes([on_gpu], Work(fitted, tmp_path), Controls()))


def test_a_fit_takes_the_one_gpu_of_a_worker_that_offers_it(tmp_path: Path, alone: Dask) -> None:
    configs = planned(tmp_path, 2)
    auto = [replace(config, training=replace(config.training, device="auto")) for config in configs]
    card, told = alone.worker("--resources", "GPU=1"), Told()
    try:
        alone.wait_for_workers(2)
        assert make_missing(auto, lambda _: False, Work(said, tmp_path), told, Controls(), Cluster(alone.address))
    finally:
        os.kill(card, signal.SIGKILL)
    assert set(told.places.values()) == {card}


def test_a_fit_that_runs_out_of_memory_is_begun_again_and_what_cannot_be_made_ends_all(
    tmp_path: Path, marks: Path, alone: Dask
) -> None:
    def outcomes(make: Make) -> list[Outcome]:
        return list(Cluster(alone.address).outcomes(planned(tmp_path, 3), Work(make, tmp_path), Controls()))

    found = {outcome.config.seed: outcome for outcome in outcomes(partial(without_memory, marks))}
    assert [found[seed].losses for seed in range(3)] == [(), ("memory ran out",), ()]
    assert all(outcome.made for outcome in found.values())
    with pytest.raises(InputError, match=r"^there is no picture 'ramp'$"):
        outcomes(refused)


def test_told_to_stop_the_fit_of_a_worker_ends_before_the_client_does(tmp_path: Path, marks: Path, alone: Dask) -> None:
    controls = Controls()

    def stop() -> None:
        wait_for(marks, "begun *")
        controls.stop = True

    stopping = Thread(target=stop)
    stopping.start()
    work = Work(partial(endless, marks), tmp_path)
    assert not make_missing(planned(tmp_path, 2), lambda _: False, work, Told(), controls, Cluster(alone.address))
    stopping.join()
    assert len(list(marks.glob("begun *"))) == len(list(marks.glob("ended *"))) == 1
    assert not list(tmp_path.glob(".*")), "the mark is gone"


def test_a_study_finds_the_same_on_a_cluster(tmp_path: Path, alone: Dask, monkeypatch: pytest.MonkeyPatch) -> None:
    small = replace(TINY, repeats=1, digits=False, bias_spreads=(), muon=None, adam_rate=None)
    found = []
    for place, executor in (("here", Here()), ("there", Cluster(alone.address))):
        (tmp_path / place).mkdir()
        monkeypatch.chdir(tmp_path / place)
        run_paper(small, Path("study"), only=("A13", "N1"), executor=executor)
        found.append({file.parent.name: file.read_bytes() for file in Path().rglob(FINISHED)})
    assert found[0] == found[1] != {}


def test_where_files_are_not_shared_what_a_sweep_fits_goes_to_the_worker_and_the_same_folders_come_back(
    tmp_path: Path, alone: Dask, elsewhere: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All names are relative, and the worker has another working folder: it finds nothing that was not sent."""
    without_charts(monkeypatch)
    config, found = small_sweep(tmp_path, pictures=1, seeds=1, tune=1), []
    config = replace(config, output=replace(config.output, output_dir=Path("outputs"), quick=False))
    for place, executor in (("here", Here()), ("there", Cluster(alone.address))):
        (tmp_path / place).mkdir()
        monkeypatch.chdir(tmp_path / place)
        sweep = start_sweep(config)
        assert run_sweep(sweep, executor=executor).finished == 2
        found.append((held_by(sweep.runs), sweep.tuned_file.read_bytes(), sweep.summary_file.read_bytes()))
        for fit in sweep.runs.iterdir():
            assert RunFolder(fit).record().path == fit, "it is called as the client calls it"
    assert found[0] == found[1]
    assert not list(alone.folder.rglob("*.npz")), "nothing stays with the worker"


def test_files_are_sent_for_no_more_fits_than_a_worker_makes_soon(
    tmp_path: Path, alone: Dask, elsewhere: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "given").touch()
    sent, done = list[bytes](), list[Outcome]()

    def counted(folder: Path, files: Sequence[Path]) -> bytes:
        sent.append(parcel.packed(folder, files))
        assert len(sent) - len(done) <= 2
        return sent[-1]

    monkeypatch.setattr(of_cluster, "packed", counted)
    work = Work(fitted, tmp_path, reads=lambda _: [tmp_path / "given"])
    for outcome in Cluster(alone.address).outcomes(planned(tmp_path, 8), work, Controls()):
        done.append(outcome)
    assert len(sent) == len(done) == len(weights(tmp_path)) == 8


def test_a_fit_that_is_too_large_to_be_sent_is_refused_in_a_sentence(
    tmp_path: Path, alone: Dask, elsewhere: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parcel, "MOST_BYTES", 100)
    sweep = start_sweep(small_sweep(tmp_path, pictures=1))
    with pytest.raises(InputError, match=r"bytes for one fit, more than the 100 that are sent"):
        run_sweep(sweep, executor=Cluster(alone.address))


def test_when_the_scheduler_goes_it_is_one_sentence_and_no_worker_goes_on(
    tmp_path: Path, marks: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with dask(tmp_path / "dask", 1) as cluster:

        def end() -> None:
            wait_for(marks, "begun *")
            cluster.processes[0].kill()

        ending = Thread(target=end)
        ending.start()
        work = Work(partial(endless, marks), tmp_path)
        with pytest.raises(InputError, match="the scheduler of the cluster is gone"):
            list(Cluster(cluster.address).outcomes(planned(tmp_path, 2), work, Controls()))
        ending.join()
        wait_for(marks, "ended *")
    assert not caplog.messages


@pytest.mark.parametrize(("client", "error"), [("running", LostError), ("connecting", InputError)])
def test_a_fit_that_the_scheduler_has_dropped_is_lost_and_one_whose_scheduler_is_gone_is_no_more_asked_for(
    client: str, error: type[Exception]
) -> None:
    future = mock.Mock(spec=Future, status="cancelled", client=mock.Mock(status=client))
    with pytest.raises(error):
        of_cluster._answer(future)


def test_a_cluster_that_has_lost_all_its_workers_is_not_waited_for_for_ever(
    tmp_path: Path, marks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(of_cluster, "ALONE_SECONDS", 0.5)
    monkeypatch.setattr(of_cluster, "WORKERS_EVERY", 0.1)
    work = Work(partial(always_killed, [0]), tmp_path)
    with dask(tmp_path / "dask", 1) as cluster, pytest.raises(InputError, match="has had no worker for"):
        list(Cluster(cluster.address).outcomes(planned(tmp_path, 2), work, Controls()))


def test_without_dask_it_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    monkeypatch.delitem(sys.modules, "fieldlens.studies.making.cluster")
    with pytest.raises(InputError, match=r"pip install 'fieldlens\[cluster\]'"):
        executor_of(None, "tcp://127.0.0.1:1")
    assert executor_of(2, None) == Processes(2)
    assert executor_of(None, None) is None
