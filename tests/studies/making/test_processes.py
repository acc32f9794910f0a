"""Fits are made in processes of their own; a process that is killed costs its fit another try, and nothing else."""

import os
import re
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from threading import Thread

import pytest

from fieldlens.configs.errors import InputError
from fieldlens.configs.run import FitConfig
from fieldlens.fitting import Controls
from fieldlens.studies.making.executor import MOST_LOSSES, Make, Outcome, Work
from fieldlens.studies.making.here import Here
from fieldlens.studies.making.missing import make_missing
from fieldlens.studies.making.processes import Processes, _answer, gpus
from tests.support.made_fits import (
    Told,
    always_killed,
    broken,
    endless,
    fitted,
    killed_in_the_middle,
    planned,
    refused,
    said,
    wait_for,
    weights,
    without_memory,
)
from tests.test_layering import ROOT

OUTPUTS = Path("outputs")
KILLED = "its process was ended by SIGKILL"


def outcomes(configs: list[FitConfig], make: Make, workers: int = 2) -> dict[int, Outcome]:
    """What became of each fit, by its seed."""
    found = Processes(workers).outcomes(configs, Work(make, OUTPUTS), Controls())
    return {outcome.config.seed: outcome for outcome in found}


@pytest.fixture
def marks(tmp_path: Path) -> Path:
    folder = tmp_path / "marks"
    folder.mkdir()
    return folder


def test_two_processes_make_what_this_one_makes_though_one_is_killed_in_the_middle(tmp_path: Path, marks: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    for executor, path, make in (
        (Here(), here, fitted),
        (Processes(2), there, partial(killed_in_the_middle, marks, [1])),
    ):
        told = Told()
        assert make_missing(planned(path, 4), lambda _: False, Work(make, path), told, Controls(), executor)
    assert list(weights(here)) == [f"seed {seed}" for seed in range(4)]
    assert weights(there) == weights(here)
    assert told.said == [f"ramp fourier:8 2x4, seed 1 was lost 1 time ({KILLED}) and made all the same"]
    (killed,) = (int(mark.name) for mark in marks.glob("[0-9]*"))
    assert killed != told.places[1]
    assert os.getpid() not in told.places.values()


def test_a_fit_that_ends_its_process_every_time_is_given_up_and_all_others_are_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert MOST_LOSSES == 3
    monkeypatch.setattr("fieldlens.studies.making.processes.MOST_LOSSES", 1)  # each loss takes a start of Python
    found = outcomes(planned(OUTPUTS, 3), partial(always_killed, [0]), workers=1)
    assert (found[0].made, found[0].losses) == (None, (KILLED,) * 2)
    assert all(found[seed].made and not found[seed].losses for seed in (1, 2))


def test_a_fit_that_runs_out_of_memory_is_made_by_another_process(marks: Path) -> None:
    found = outcomes(planned(OUTPUTS, 2), partial(without_memory, marks), workers=1)
    assert found[1].losses == ("memory ran out",)
    assert found[0].made is not None
    assert found[1].made is not None
    assert found[0].made.split()[-1] != found[1].made.split()[-1], "the system has the memory of the first again"


def test_what_cannot_be_made_ends_all_in_its_sentence() -> None:
    with pytest.raises(InputError, match=r"^there is no picture 'ramp'$"):
        outcomes(planned(OUTPUTS, 2), refused, workers=1)


def test_a_mistake_in_a_process_is_answered_with_its_place() -> None:
    (config,) = planned(OUTPUTS, 1)
    answer = _answer(config, Work(broken, OUTPUTS), Controls())
    assert isinstance(answer, RuntimeError)
    assert re.search(r"(?s)made_fits\.py.*ZeroDivisionError: ramp", str(answer))


def test_a_process_that_is_told_to_end_hands_its_fit_on_and_at_the_stop_every_fit_ends_by_itself(marks: Path) -> None:
    controls, told = Controls(), [""]

    def tell() -> None:
        (first,) = wait_for(marks, "begun *", 1)
        told[0] = first.name.split()[1]
        os.kill(int(told[0]), signal.SIGTERM)
        wait_for(marks, "begun *", 2)
        controls.stop = True

    telling = Thread(target=tell)
    telling.start()
    work = Work(partial(endless, marks), OUTPUTS)
    assert list(Processes(1).outcomes(planned(OUTPUTS, 1), work, controls)) == []
    telling.join()
    begun, ended = ({mark.name.split()[1] for mark in marks.glob(f"{what} *")} for what in ("begun", "ended"))
    assert len(begun) == 2
    assert told[0] in ended
    assert ended == begun


def test_a_process_does_not_run_the_script_of_the_first_one_and_ends_by_itself_when_that_is_killed(marks: Path) -> None:
    script = f"""
from functools import partial
from pathlib import Path
from fieldlens.fitting import Controls
from fieldlens.studies.making.executor import Work
from fieldlens.studies.making.processes import Processes
from tests.support.made_fits import endless, planned
work = Work(partial(endless, Path({str(marks)!r})), Path("outputs"))
list(Processes(1).outcomes(planned(work.folder, 1), work, Controls()))
"""
    file = marks.parent / "first.py"
    file.write_text(script)
    first = subprocess.Popen([sys.executable, str(file)], env={**os.environ, "PYTHONPATH": str(ROOT)})
    try:
        wait_for(marks, "begun *")
    finally:
        first.kill()
        first.wait()
    wait_for(marks, "ended *")


def test_each_process_takes_one_of_the_gpus_that_this_one_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert gpus() == ["0", "1"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3, 5")
    assert gpus() == ["3", "5"]
    found = Processes(1).outcomes(planned(OUTPUTS, 1), Work(card, OUTPUTS), Controls())
    assert [outcome.made for outcome in found] == ["3"]


def card(_config: FitConfig, _folder: Path, _controls: Controls) -> str | None:
    """The GPUs that a process may use."""
    return os.environ["CUDA_VISIBLE_DEVICES"]


def test_nothing_is_started_for_no_fits() -> None:
    assert outcomes([], said) == {}
