"""Fits of a study are made once, and one that is lost with its process is no reason to end."""

import os
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch

from fieldlens.configs.errors import InputError
from fieldlens.configs.run import FitConfig
from fieldlens.fitting import Controls
from fieldlens.studies.making.executor import Outcome, Outcomes, Work
from fieldlens.studies.making.here import Here
from fieldlens.studies.making.missing import default_executor, make_missing
from fieldlens.studies.making.processes import Processes
from tests.support.made_fits import Told, planned, refused, said, without_memory

OUTPUTS = Path("outputs")
PLANNED = planned(OUTPUTS, 4)
SAID = Work(said, OUTPUTS)


def nothing(_config: FitConfig) -> bool:
    return False


class Losing:
    """Makes the fits of some seeds and loses all others."""

    def __init__(self, made: Sequence[int], losses: int = 0) -> None:
        self.made, self.losses = made, losses
        self.told: list[int] = []

    def outcomes(self, configs: Sequence[FitConfig], work: Work, controls: Controls) -> Outcomes:
        for config in configs:
            self.told.append(config.seed)
            label = f"{config.seed}" if config.seed in self.made else None
            yield Outcome(config, label, ("killed",) * (self.losses if label else 4))


def test_what_is_finished_is_left_and_the_rest_is_made_in_its_order() -> None:
    told = Told()
    assert make_missing(PLANNED, lambda config: config.seed % 2 == 0, SAID, told, Controls())
    here = os.getpid()
    assert told.labels == [f"fit 3 of 4: 1 in {here}", f"fit 4 of 4: 3 in {here}"]
    assert told.shares == [0.75, 1.0]
    assert told.said == ["2 of 4 fits are there already"]


def test_nothing_is_made_after_the_stop() -> None:
    told, controls = Told(), Controls(stop=True)
    assert not make_missing(PLANNED, nothing, SAID, told, controls)
    assert not told.labels


def test_by_default_there_are_as_many_processes_as_threads_and_never_more_than_fits() -> None:
    assert isinstance(default_executor(PLANNED), Here)
    torch.set_num_threads(2)
    try:
        assert default_executor(PLANNED) == Processes(2)
        assert isinstance(default_executor(PLANNED[:1]), Here)
    finally:
        torch.set_num_threads(1)


def threads_taken(_config: FitConfig, _folder: Path, _controls: Controls) -> str:
    return f"{torch.get_num_threads()} threads"


def test_the_last_fit_that_is_missing_takes_as_many_threads_as_all_others_took() -> None:
    told = Told()
    torch.set_num_threads(2)
    try:
        make_missing(PLANNED[:1], nothing, Work(threads_taken, OUTPUTS), told, Controls())
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)
    assert told.labels == ["fit 1 of 1: 1 threads"]


def test_processes_are_as_many_as_leave_each_fit_the_threads_that_it_names() -> None:
    many = [replace(config, training=replace(config.training, threads=2)) for config in PLANNED]
    torch.set_num_threads(6)
    try:
        assert default_executor(many) == Processes(3, threads=2)
        torch.set_num_threads(3)
        assert default_executor(many) == Here(threads=2)
    finally:
        torch.set_num_threads(1)


def test_what_cannot_be_made_ends_all_in_its_sentence() -> None:
    told = Told()
    with pytest.raises(InputError, match=r"^there is no picture 'ramp'$"):
        make_missing(PLANNED, nothing, Work(refused, OUTPUTS), told, Controls())
    assert list(told.places) == [0]


def test_a_fit_that_was_lost_and_made_is_told_and_no_failure() -> None:
    told = Told()
    assert make_missing(PLANNED, nothing, SAID, told, Controls(), Losing(range(4), losses=2))
    assert told.shares == [0.25, 0.5, 0.75, 1.0]
    assert told.said[3] == "ramp fourier:8 2x4, seed 3 was lost 2 times (killed) and made all the same"


def test_a_fit_that_is_given_up_is_named_after_all_others() -> None:
    told = Told()
    with pytest.raises(InputError, match=r"1 fit could not be made: ramp fourier:8 2x4, seed 2, .* 'killed'"):
        make_missing(PLANNED, nothing, SAID, told, Controls(), Losing((0, 1, 3)))
    assert told.labels == ["fit 1 of 4: 0", "fit 2 of 4: 1", "fit 3 of 4: 3"]
    assert told.said == ["ramp fourier:8 2x4, seed 2 was lost 4 times (killed) and given up"]


def test_when_fit_after_fit_is_given_up_no_more_is_begun() -> None:
    executor = Losing((0, 3))
    many = planned(OUTPUTS, 9)
    with pytest.raises(InputError, match=r"5 fits could not be made: .* and 2 more"):
        make_missing(many, nothing, SAID, Told(), Controls(), executor)
    assert executor.told == [0, 1, 2, 3, 4, 5, 6]


def test_a_fit_that_runs_out_of_memory_in_this_process_does_not_keep_others_from_being_made(tmp_path: Path) -> None:
    told = Told()
    with pytest.raises(InputError, match="seed 1, of which the last says 'memory ran out'"):
        make_missing(PLANNED, nothing, Work(partial(without_memory, tmp_path), tmp_path), told, Controls(), Here())
    assert list(told.places) == [0, 2, 3]
