"""How long a fit will take in all, from what its first steps, frames and maps took.

Nothing that is drawn or measured follows from these numbers: they are told, and no more.
"""

import itertools
from dataclasses import dataclass

from .plan import Plan

WRITING = 0.1
"""Video and report take about as long as drawing this share of the frames."""
WORTH_TELLING = 10.0
"""Seconds below which nobody needs to be told."""


@dataclass(frozen=True)
class Costs:
    """Seconds that one of each took so far, on average."""

    step: float
    frame: float
    """Scored and drawn."""
    map: float
    """Of crease density; 0 where none is drawn."""


@dataclass(frozen=True)
class Ending:
    """What comes after training, counted in what is drawn while it goes on."""

    frames: float
    """As many frames take about as long as drawing and scoring everything whole."""
    maps: float
    """As many maps of crease density take about as long as the explanation."""
    grows: bool = False
    """Whether frames take longer later than at first: of a 3D scene, whose field has no surface yet."""


@dataclass(frozen=True)
class Estimate:
    """Seconds that are still to come."""

    training: float
    frames: float
    """With their maps of crease density."""
    ending: float
    """Everything after training."""

    @property
    def whole(self) -> float:
        """All of it."""
        return self.training + self.frames + self.ending


def estimate(plan: Plan, step: int, seconds: float, costs: Costs, ending: Ending, map_every: int) -> Estimate:
    """What is still to come of a fit, if it goes on as it began.

    Args:
        step, seconds: where it is.
        map_every: frames for each of which one has a map.
    """
    by_steps = [] if plan.steps is None else [plan.steps]
    by_time = [] if plan.seconds is None else [step + round(max(plan.seconds - seconds, 0.0) / costs.step)]
    last = max(step, min([*by_steps, *by_time]))
    before, after = frames_until(plan, step), frames_until(plan, last)
    a_frame = costs.frame + costs.map / map_every
    return Estimate(
        training=(last - step) * costs.step,
        frames=(after - before) * a_frame,
        ending=(ending.frames + WRITING * after) * costs.frame + ending.maps * costs.map,
    )


def frames_until(plan: Plan, step: int) -> int:
    """How many frames a fit has by a step."""
    if plan.frames == "log":
        return sum(1 for _ in itertools.takewhile(lambda drawn: drawn <= step, plan.frame_steps()))
    every = 1 if plan.frames == "all" else int(plan.frames.removeprefix("every:"))
    return step // every + 1


def in_words(expected: Estimate, plan: Plan, ending: Ending) -> str:
    """What a person reads; of a fit that may end earlier, at a goal, what it takes at most."""
    explained = ending.maps > 0
    most = "at most " if plan.target_psnr_db is not None or plan.plateau_db is not None else ""
    last = "explanation, video and report" if explained else "video and report"
    off = "and up to twice that once the field has a surface" if ending.grows else "give or take a third"
    shorter = ""
    if expected.frames + expected.ending > expected.training:
        shorter = f"; fewer frames (--frames every:N){' or --quick' if explained else ''} would shorten it"
    return (
        f"{most}about {duration(expected.whole)} in all: {duration(expected.training)} of training, "
        f"{duration(expected.frames)} of frames, {duration(expected.ending)} of {last} (by its first steps, {off})"
        f"{shorter}"
    )


def duration(seconds: float) -> str:
    """Seconds to two digits; of three minutes and more, minutes.

    >>> duration(7.4), duration(118), duration(1000), duration(9000)
    ('7 s', '120 s', '17 min', '150 min')
    """
    return f"{float(f'{seconds:.2g}'):.0f} s" if seconds < 180 else f"{float(f'{seconds / 60:.2g}'):.0f} min"
