"""Functions of the step: the learning rate, and when to look."""

import math
from collections.abc import Iterator

from fieldlens.configs.run import Schedule

RSQRT_STEPS = 1000
"""Steps that the schedule `rsqrt` counts in: at so many the rate is its peak over the square root of 2."""
MIN_FRAMES = 48
"""The least number of frames that `log` draws of a fit whose number of steps is known, where that is as large."""


def learning_rate_at(step: int, schedule: Schedule, peak: float, steps: int | None) -> float:
    """The learning rate of a step, counted from 0; `steps` is the length of the fit, where it is known.

    >>> learning_rate_at(3000, "rsqrt", peak=1.0, steps=None)
    0.5
    """
    match schedule:
        case "constant":
            return peak
        case "rsqrt":
            # knows no end of the run, so that a fit may be stopped, resumed or lengthened without having been another
            return peak / math.sqrt(1 + step / RSQRT_STEPS)
        case "cosine":
            progress = min(1.0, step / (steps or 1))
            return peak * (0.01 + 0.99 * (1 + math.cos(math.pi * progress)) / 2)


def frame_steps(frames: str, steps: int | None, open_frames: tuple[int, float]) -> Iterator[int]:
    """The steps to draw, rising from 0, without end where `steps` is None.

    `log` gives at least 48 distinct steps where the run has as many: evenly spaced in the logarithm of the step as far
    as whole numbers allow. Without `steps` it gives so many first steps, then steps that grow by a factor, as
    `open_frames` says.

    >>> [s for s, _ in zip(frame_steps("every:50", None, (36, 1.12)), range(3))]
    [0, 50, 100]
    >>> len(set(frame_steps("log", 1000, (36, 1.12))))
    48
    """
    if frames == "log":
        dense, growth = open_frames if steps is None else (0, _growth(steps))
        step = 0
        while steps is None or step < steps:
            yield step
            step = step + 1 if step < dense else max(step + 1, round(step * growth))
    else:
        stride = 1 if frames == "all" else int(frames.removeprefix("every:"))
        step = 0
        while steps is None or step < steps:
            yield step
            step += stride
    if steps is not None:
        yield steps


def _growth(steps: int) -> float:
    """The largest growth from one frame to the next that still gives MIN_FRAMES of them up to `steps`."""

    def count(growth: float) -> int:
        step, frames = 0, 1
        while step < steps:
            step, frames = max(step + 1, round(step * growth)), frames + 1
        return frames

    low, high = 1.0, 2.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if count(middle) >= MIN_FRAMES else (low, middle)
    return low
