"""The training loop: what it promises about bytes, steps, seconds and ends; and that it learns as theory says."""

import itertools
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import torch

from fieldlens.configs.encoding import Encoding, Fourier, Gaussian, HashGrid, Raw
from fieldlens.configs.network import Network
from fieldlens.fitting import Controls, TrainingState, fit, loop
from fieldlens.scenes.picture import Picture
from tests.support.small_fits import noise, plan, same_bytes, start

RATE = 1e-2


def run(
    state: TrainingState, steps: int, snapshot_steps: Iterable[int] = (), heartbeat: float = 60.0
) -> list[tuple[int, bool, str | None]]:
    """Train up to a step; the moments that were yielded."""
    moments = fit(state, noise(), plan(RATE, steps=steps), snapshot_steps, heartbeat=heartbeat)
    return [(moment.step, moment.scheduled, moment.stopped_because) for moment in moments]


@dataclass
class Clock:
    """Stands in for `time` in the loop; each step of training takes a second, all else takes none."""

    now: float = 0.0
    steps: list[float] = field(default_factory=list)

    def perf_counter(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock, take_step = Clock(), loop._step

    def step(*arguments) -> torch.Tensor:
        clock.now += 1.0
        return take_step(*arguments)

    monkeypatch.setattr(loop, "time", clock)
    monkeypatch.setattr(loop, "_step", step)
    return clock


# --- bytes


@pytest.mark.parametrize("encoding", [Fourier(2), Gaussian(2.0, 8), HashGrid(2, base=2, finest=8)], ids=str)
def test_the_same_seed_gives_the_same_bytes(encoding: Encoding) -> None:
    one, same, other = (start(seed, encoding) for seed in (1, 1, 2))
    for state in (one, same, other):
        run(state, 20)
    assert same_bytes(one.tensors(), same.tensors())
    assert not same_bytes(one.tensors(), other.tensors())


@pytest.mark.parametrize("encoding", [Fourier(2), Gaussian(2.0, 8), HashGrid(2, base=2, finest=8)], ids=str)
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_fit_that_was_resumed_has_the_bytes_of_one_that_was_not(encoding: Encoding, precision: str) -> None:
    def train(state: TrainingState, steps: int) -> None:
        for _ in fit(state, noise(), plan(RATE, steps=steps, precision=precision), []):
            pass

    through = start(1, encoding)
    train(through, 30)
    first = start(1, encoding)
    train(first, 13)
    second = start(99, encoding)  # all that it starts with is overwritten
    second.restore(first.tensors(), first.step, first.seconds)
    train(second, 30)
    assert same_bytes(through.tensors(), second.tensors())


def test_all_points_are_counted_also_those_before_a_fit_was_resumed() -> None:
    first, second, unknown = start(1), start(1), start(1)
    run(first, 5)
    assert first.seen == 5 * 32
    second.restore(first.tensors(), 5, 0.0, first.seen)
    unknown.restore(first.tensors(), 5, 0.0)
    run(second, 8)
    run(unknown, 8)
    assert second.seen == 8 * 32
    assert unknown.seen is None


def test_how_often_it_is_looked_at_does_not_change_the_result() -> None:
    quiet, beating, watched = start(), start(), start()
    assert len(run(quiet, 20)) == 2
    assert len(run(beating, 20, heartbeat=0.0)) == 21
    run(watched, 20, range(0, 21, 3))
    assert same_bytes(quiet.tensors(), beating.tensors())
    assert same_bytes(quiet.tensors(), watched.tensors())


# --- steps


@pytest.mark.parametrize("named", [[0, 1, 5, 12, 20], [7], [0], [20], [], range(21)])
def test_it_yields_at_the_steps_that_are_named_at_its_start_and_at_its_end(named: Iterable[int]) -> None:
    moments = run(start(), 20, named)
    assert [step for step, scheduled, _ in moments if scheduled] == list(named)
    assert [step for step, _, _ in moments] == sorted({0, 20, *named})


def test_named_steps_are_met_between_heartbeats() -> None:
    moments = run(start(), 20, [3, 9, 20], heartbeat=0.0)
    assert [step for step, scheduled, _ in moments if scheduled] == [3, 9, 20]
    assert [step for step, _, _ in moments] == list(range(21))


def test_a_resumed_fit_passes_over_the_steps_before_it() -> None:
    state = start()
    run(state, 8)
    assert run(state, 20, [0, 5, 10, 20]) == [(8, False, None), (10, True, None), (20, True, "steps")]


def test_an_endless_schedule_is_asked_for_no_more_than_is_needed() -> None:
    assert [step for step, _, _ in run(start(), 20, itertools.count(0, 7))] == [0, 7, 14, 20]


def test_a_heartbeat_is_yielded_after_its_seconds(clock: Clock) -> None:
    moments = run(start(), 10, heartbeat=2.5)
    assert [step for step, _, _ in moments] == [0, 3, 6, 9, 10]


def test_the_loss_is_that_of_the_newest_batch() -> None:
    moments = fit(start(), noise(), plan(RATE, steps=3), range(4))
    assert next(moments).loss is None
    twin = start()
    for moment in moments:
        batch = noise().batch(twin.generator, 32)
        error = (twin.field(batch.coordinates) - batch.values).square().mean()
        assert moment.loss == pytest.approx(error.item())
        twin.restore(moment.state.tensors(), moment.step, 0.0)


def test_adam_is_given_the_rate_of_the_schedule(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[float] = []
    state = start()
    monkeypatch.setattr(state.optimizer, "step", lambda rate, _share: given.append(rate))
    for _ in fit(state, noise(), plan(0.5, steps=20, schedule="cosine"), []):
        pass
    assert given == pytest.approx([0.5 * (0.01 + 0.99 * (1 + np.cos(np.pi * step / 20)) / 2) for step in range(20)])


@pytest.mark.parametrize("encoding", [Fourier(2), HashGrid(2, base=2, finest=8)], ids=str)
def test_steps_are_those_of_torch_to_the_byte(encoding: Encoding) -> None:
    ours, theirs = start(1, encoding), start(1, encoding)
    optimizer = torch.optim.Adam(theirs.field.parameters(), betas=(0.9, 0.99), eps=1e-15, fused=True)
    for rate in (1e-2, 5e-3, 1e-3):
        for state in (ours, theirs):
            batch = noise().batch(state.generator, 32)
            state.optimizer.zero_grad()
            (state.field(batch.coordinates) - batch.values).square().mean().backward()
        ours.optimizer.step(rate, 1.0)
        optimizer.param_groups[0]["lr"] = rate
        optimizer.step()
    mine, its = (dict(state.field.named_parameters()) for state in (ours, theirs))
    assert all(torch.equal(mine[name], its[name]) for name in mine)


def test_a_fit_does_not_wait_for_the_import_of_the_compiler() -> None:
    code = (
        "import sys\nfrom tests.support.small_fits import *\nfrom fieldlens.fitting import fit\n"
        "list(fit(start(), noise(), plan(1e-2, steps=2), []))\n"
        "sys.exit('torch._dynamo' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parent.parent.parent)


# --- ends


def test_it_ends_at_its_steps() -> None:
    assert run(start(), 5)[-1] == (5, False, "steps")


def test_a_fit_that_is_over_is_told_so_at_once() -> None:
    state = start()
    run(state, 5)
    before = state.tensors()
    assert run(state, 5, [5]) == [(5, True, "steps")]
    assert same_bytes(before, state.tensors())


def test_it_ends_at_its_seconds(clock: Clock) -> None:
    *_, last = fit(start(), noise(), plan(RATE, seconds=7), [])
    assert (last.step, last.seconds, last.stopped_because) == (7, 7.0, "seconds")


def test_without_a_limit_it_lasts_a_minute(clock: Clock) -> None:
    *_, last = fit(start(), noise(), plan(RATE), [])
    assert (last.seconds, last.stopped_because) == (60.0, "seconds")


def test_the_seconds_of_an_earlier_sitting_count(clock: Clock) -> None:
    state = start()
    for _ in fit(state, noise(), plan(RATE, seconds=4), []):
        pass
    *_, last = fit(state, noise(), plan(RATE, seconds=7), [])
    assert (last.step, last.seconds) == (7, 7.0)


def test_its_caller_s_time_does_not_count(clock: Clock) -> None:
    for moment in fit(start(), noise(), plan(RATE, seconds=7), range(100)):
        assert moment.seconds == moment.step
        clock.now += 1000.0  # drawing


def test_seconds_are_real_ones() -> None:
    before = time.perf_counter()
    *_, last = fit(start(), noise(), plan(RATE, steps=20), [])
    assert 0 < last.seconds <= time.perf_counter() - before


def test_stopping_ends_it_with_a_last_snapshot() -> None:
    controls, seen = Controls(), []
    for moment in fit(start(), noise(), plan(RATE, steps=50), range(50), controls):
        seen.append((moment.step, moment.stopped_because))
        assert (moment.loss is None) == (moment.step == 0), "the last one still tells the newest loss"
        controls.stop = moment.step == 3
    assert seen == [(0, None), (1, None), (2, None), (3, None), (3, "interrupted")]


def test_stopping_from_elsewhere_finishes_the_step(monkeypatch: pytest.MonkeyPatch) -> None:
    controls, take_step = Controls(), loop._step

    def step(state: TrainingState, *rest) -> torch.Tensor:
        controls.stop = state.step == 4  # as a signal handler would, in the middle of the fifth
        return take_step(state, *rest)

    monkeypatch.setattr(loop, "_step", step)
    moments = fit(start(), noise(), plan(RATE, steps=50), [], controls)
    assert [(moment.step, moment.stopped_because) for moment in moments] == [(0, None), (5, "interrupted")]


def test_a_caller_may_end_it_by_not_asking_on() -> None:
    state = start()
    for moment in fit(state, noise(), plan(RATE, steps=50), range(50)):
        if moment.step == 2:
            break
    assert state.step == 2


# --- waiting


def test_a_fit_that_waits_between_any_two_steps_has_the_same_bytes_and_counts_no_second_of_it(clock: Clock) -> None:
    whole, waiting, controls = start(), start(), Controls(steps_allowed=0)
    run(whole, 6)
    for moment in fit(waiting, noise(), plan(RATE, steps=6), [], controls, heartbeat=0.001):
        clock.now += 1000.0
        controls.steps_allowed = 1 if controls.waits else controls.steps_allowed
        assert moment.seconds == moment.step
    assert same_bytes(whole.tensors(), waiting.tensors())


def test_a_fit_that_waits_takes_as_many_steps_as_it_is_allowed_and_gives_signs_of_life() -> None:
    controls, seen = Controls(steps_allowed=2), []
    for moment in fit(start(), noise(), plan(RATE, steps=50), [], controls, heartbeat=0.001):
        seen.append(moment.step)
        controls.stop = seen.count(2) == 3
    assert seen[-4:] == [2, 2, 2, 2]


def test_a_moment_that_is_asked_for_comes_before_the_next_step(monkeypatch: pytest.MonkeyPatch) -> None:
    controls, take_step = Controls(), loop._step

    def step(state: TrainingState, *rest) -> torch.Tensor:
        if state.step == 3:
            controls.look_now.set()  # as a thread would, in the middle of the fourth
        return take_step(state, *rest)

    monkeypatch.setattr(loop, "_step", step)
    moments = [moment.step for moment in fit(start(), noise(), plan(RATE, steps=9), [], controls)]
    assert moments == [0, 4, 9]


def test_a_rate_factor_trains_as_a_plan_with_all_rates_multiplied_by_it() -> None:
    changed, planned = start(), start()
    changed.rate_factor = 0.5
    run(changed, 5)
    for _ in fit(planned, noise(), plan(RATE / 2, steps=5), []):
        pass
    assert same_bytes(changed.tensors(), planned.tensors())


# --- learning


def waves(side: int, cycles: float) -> np.ndarray:
    """One slow wave over the picture and a fast one of as many cycles, of equal height, (side, side, 3)."""
    x = (np.arange(side) + 0.5) / side
    slow, fast = np.sin(2 * np.pi * x), np.sin(2 * np.pi * cycles * x)
    picture = 0.5 + 0.12 * (slow[:, None] + slow[None] + fast[:, None] + fast[None])
    return np.repeat(picture[..., None], 3, 2).astype(np.float32)


def error_below_and_above(residual: np.ndarray, cycles: float) -> tuple[float, float]:
    """The residual's energy under and over a frequency, in cycles over the picture."""
    energy = np.abs(np.fft.fft2(residual.mean(2))) ** 2
    frequency = np.fft.fftfreq(len(residual), 1 / len(residual))
    low = np.hypot(frequency[:, None], frequency) < cycles
    return float(energy[low].sum()), float(energy[~low].sum())


def residual_of(encoding: Encoding, target: np.ndarray) -> np.ndarray:
    picture = Picture("waves", target)
    state = start(encoding=encoding, network=Network(width=32, depth=2))
    for _ in fit(state, picture, plan(5e-3, picture, steps=150, batch_size=512), []):
        pass
    return target - picture.draw(state.field)


def test_relu_on_raw_coordinates_misses_high_frequencies_and_fourier_features_do_not() -> None:
    target = waves(32, cycles=7)
    below, above = error_below_and_above(residual_of(Raw(), target), cycles=4)
    slow, fast = error_below_and_above(target - target.mean(), cycles=4)
    assert above > 0.5 * fast, "most of the fast wave is missing"
    assert below < 0.3 * slow, "little of the slow one"
    fourier = residual_of(Fourier(5), target)
    below, above = error_below_and_above(fourier, cycles=4)
    assert above < 0.1 * fast
    assert below < 0.1 * slow
