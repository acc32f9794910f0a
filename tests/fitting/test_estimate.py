"""How long a fit will take: counts against the plan itself, sums by hand, and the words."""

import itertools
from dataclasses import replace
from typing import Any

import pytest

from fieldlens.fitting import Costs, Ending, Estimate, Plan
from fieldlens.fitting.estimate import duration, estimate, frames_until, in_words
from tests.support.small_fits import plan

COSTS = Costs(step=0.1, frame=2.0, map=4.0)


def plan_drawing(frames: str, **limits: Any) -> Plan:
    return replace(plan(**limits), frames=frames)


@pytest.mark.parametrize("frames", ["log", "every:7", "all"])
@pytest.mark.parametrize("limits", [{"seconds": 60.0}, {"steps": 71}, {"steps": 1000}])
def test_frames_are_counted_as_the_plan_draws_them(frames: str, limits: dict[str, Any]) -> None:
    planned = plan_drawing(frames, **limits)
    for step in (0, 1, 6, 7, 70):
        drawn = itertools.takewhile(lambda drawn, until=step: drawn <= until, planned.frame_steps())
        assert frames_until(planned, step) == len(list(drawn))


def test_the_parts_are_what_is_left_times_what_each_takes() -> None:
    """From step 10 of 50, a frame every 10 steps and a map with every fourth frame."""
    found = estimate(plan_drawing("every:10", steps=50), 10, 1.0, COSTS, Ending(frames=3.0, maps=5.0), map_every=4)
    assert found.training == pytest.approx(40 * 0.1)
    assert found.frames == pytest.approx(4 * (2.0 + 4.0 / 4))
    assert found.ending == pytest.approx(3 * 2.0 + 5 * 4.0 + 0.1 * 6 * 2.0)
    assert found.whole == found.training + found.frames + found.ending


def test_seconds_are_a_limit_by_the_steps_that_fit_into_them() -> None:
    ending = Ending(frames=0.0, maps=0.0)
    by_time = estimate(plan_drawing("every:10", seconds=5.0), 10, 1.0, COSTS, ending, map_every=4)
    by_steps = estimate(plan_drawing("every:10", steps=50), 10, 1.0, COSTS, ending, map_every=4)
    both = estimate(plan_drawing("every:10", steps=900, seconds=5.0), 10, 1.0, COSTS, ending, map_every=4)
    assert by_time == by_steps == both


def test_nothing_is_left_to_train_beyond_a_limit() -> None:
    over = estimate(plan_drawing("all", seconds=5.0), 10, 6.0, COSTS, Ending(1.0, 0.0), map_every=4)
    assert (over.training, over.frames) == (0.0, 0.0)
    assert over.ending > 0


def test_the_sentence_has_all_parts_and_says_what_would_shorten_it() -> None:
    explained = Ending(1.0, 5.0)
    said = in_words(Estimate(60.0, 12.0, 15.0), plan(seconds=60.0), explained)
    assert said.startswith("about 87 s in all: 60 s of training, 12 s of frames, 15 s of explanation, video and report")
    assert "shorten" not in said
    slow = Estimate(60.0, 200.0, 15.0)
    assert "--quick would shorten it" in in_words(slow, plan(seconds=60.0), explained)
    growing = in_words(slow, plan(seconds=60.0), replace(explained, grows=True))
    assert "twice that once the field has a surface" in growing
    assert "give or take" not in growing
    quick = in_words(slow, plan(seconds=60.0), Ending(1.0, 0.0))
    assert "15 s of video and report" in quick
    assert "--quick" not in quick
    assert in_words(slow, plan(plateau=0.1), explained).startswith("at most about ")


def test_durations_are_rounded_to_two_digits() -> None:
    assert [duration(s) for s in (0.4, 7.4, 118, 179, 180, 1000, 9000)] == [
        "0 s",
        "7 s",
        "120 s",
        "180 s",
        "3 min",
        "17 min",
        "150 min",
    ]
