"""Functions of the step: learning rates in closed form, and the steps that are drawn."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldlens.configs.run import Schedule
from fieldlens.fitting import frame_steps, learning_rate_at

steps_of_a_run = st.integers(1, 100_000)


@pytest.mark.parametrize("step", [0, 1, 999, 1000, 8000, 10**6])
def test_rsqrt_falls_as_the_root_of_the_thousands_of_steps(step: int) -> None:
    assert learning_rate_at(step, "rsqrt", 0.3, None) == pytest.approx(0.3 * (1 + step / 1000) ** -0.5)


@pytest.mark.parametrize(("step", "fraction"), [(0, 1.0), (3000, 1 / 2), (8000, 1 / 3)])
def test_rsqrt_is_a_half_after_3000_steps_and_a_third_after_8000(step: int, fraction: float) -> None:
    assert learning_rate_at(step, "rsqrt", 1.0, None) == pytest.approx(fraction)


@given(st.integers(0, 10**9))
def test_constant_is_constant(step: int) -> None:
    assert learning_rate_at(step, "constant", 0.3, None) == 0.3


@pytest.mark.parametrize(("step", "fraction"), [(0, 1.0), (250, 0.5 + 0.25 * math.sqrt(2)), (500, 0.5), (1000, 0.0)])
def test_cosine_falls_by_half_a_cosine_to_a_hundredth(step: int, fraction: float) -> None:
    rate = learning_rate_at(step, "cosine", 2.0, 1000)
    assert rate == pytest.approx(2.0 * (0.01 + 0.99 * fraction))


def test_cosine_stays_at_a_hundredth_after_its_end() -> None:
    assert learning_rate_at(5000, "cosine", 2.0, 1000) == pytest.approx(0.02)


@given(st.sampled_from(["rsqrt", "constant", "cosine"]), st.integers(1, 10**6), st.data())
def test_no_schedule_ever_rises(schedule: Schedule, steps: int, data: st.DataObject) -> None:
    step = data.draw(st.integers(0, steps))
    assert 0 < learning_rate_at(step + 1, schedule, 1.0, steps) <= learning_rate_at(step, schedule, 1.0, steps) <= 1.0


@given(st.sampled_from(["log", "all", "every:1", "every:7", "every:1000"]), st.integers(1, 5000))
def test_frames_rise_from_the_first_to_the_last_step(frames: str, steps: int) -> None:
    drawn = list(frame_steps(frames, steps, (36, 1.12)))
    assert drawn[0] == 0
    assert drawn[-1] == steps
    assert all(before < after for before, after in itertools.pairwise(drawn))


@given(steps_of_a_run)
def test_log_draws_48_steps_or_all_there_are(steps: int) -> None:
    drawn = list(frame_steps("log", steps, (36, 1.12)))
    assert len(set(drawn)) >= min(48, steps + 1)
    assert len(drawn) <= 48 + 12, "and not many more, for each costs a drawing"


@pytest.mark.parametrize("steps", [47, 48, 49, 60, 100, 1000, 10**6])
def test_log_draws_at_least_48_from_the_shortest_run_that_has_them(steps: int) -> None:
    assert len(set(frame_steps("log", steps, (36, 1.12)))) >= 48


@pytest.mark.parametrize("steps", [1000, 100_000])
def test_log_frames_are_evenly_spaced_in_the_logarithm_where_whole_numbers_allow(steps: int) -> None:
    *drawn, _ = (
        step for step in frame_steps("log", steps, (36, 1.12)) if step >= 50
    )  # the run's end cuts off the last
    growth = [after / before for before, after in itertools.pairwise(drawn)]
    assert max(growth) / min(growth) < 1.02
    assert all(after <= before * growth[0] * 1.02 for before, after in itertools.pairwise([*drawn, steps]))


def test_all_draws_all() -> None:
    assert list(frame_steps("all", 5, (36, 1.12))) == [0, 1, 2, 3, 4, 5]


def test_every_draws_multiples_and_the_last() -> None:
    assert list(frame_steps("every:50", 120, (36, 1.12))) == [0, 50, 100, 120]
    assert list(frame_steps("every:50", 100, (36, 1.12))) == [0, 50, 100]


@pytest.mark.parametrize("frames", ["log", "all", "every:9"])
def test_a_run_without_an_end_is_drawn_without_an_end(frames: str) -> None:
    drawn = list(itertools.islice(frame_steps(frames, None, (36, 1.12)), 150))
    assert drawn[0] == 0
    assert all(before < after for before, after in itertools.pairwise(drawn))


def test_without_an_end_a_fit_of_150_steps_has_48_frames_and_one_of_3000_not_twice_as_many() -> None:
    def frames(last: int) -> int:
        return sum(1 for _ in itertools.takewhile(lambda step: step <= last, frame_steps("log", None, (36, 1.12))))

    assert frames(150) >= 48
    assert frames(3000) < 96
