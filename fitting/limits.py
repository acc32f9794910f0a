"""The limits of a fit that has ended: why it trains no more, and with which it would go on."""

import math

from .plan import Plan

STILL_GAINING_DB = 0.25
"""A fit whose PSNR rose by this much or more over the last third of its steps was still gaining when it ended."""
LEAST_SECONDS = 60
"""No shorter time is proposed."""


def is_still_gaining(reason: str, gained_db: float | None) -> bool:
    """Whether a fit ended by its length alone, and would have gained more.

    Args:
        reason: as `Snapshot.stopped_because` has it, or the goal that was met.
        gained_db: over the last third of the steps; None where that is not known.
    """
    return reason in ("steps", "seconds") and gained_db is not None and gained_db >= STILL_GAINING_DB


def longer(plan: Plan, reason: str, step: int, seconds: float) -> list[str]:
    """Options with which `fit --resume` trains about as long again, the one of the limit that ended it first.

    Args:
        seconds: of training so far.
    """
    steps, time = f"--steps {_rounded_up(2 * step)}", f"--seconds {max(_rounded_up(2 * seconds), LEAST_SECONDS)}"
    if plan.schedule == "cosine":  # falls over so many steps, and knows no seconds
        return [steps]
    return [time, steps] if reason == "seconds" else [steps, time]


def nothing_left(plan: Plan, reason: str, step: int, seconds: float) -> str:
    """Why a fit that is gone on with trains nothing, and what would make it train."""
    match reason:
        case "diverged":
            return f"it has diverged; begin anew with a --learning-rate lower than {plan.learning_rate:g}"
        case "steps":
            beyond = "" if step == plan.steps else f" and is at step {step:,}"
            why = f"it has reached its {plan.steps:,} steps{beyond}"
        case "seconds":
            why = f"it has trained for {seconds:.0f} s, and --seconds {plan.seconds:g} counts from the first step"
        case "target":
            why = f"it has reached its {plan.target_psnr_db:g} dB"
        case _:
            why = f"it gained less than {plan.plateau_db:g} dB over the last third of its steps, which is its plateau"
    return f"{why}; go on with {' or '.join(longer(plan, reason, step, seconds))}"


def _rounded_up(number: float) -> int:
    """To two digits.

    >>> _rounded_up(2682), _rounded_up(1000), _rounded_up(0.4)
    (2700, 1000, 1)
    """
    whole = max(1, math.ceil(number))
    unit = 10 ** max(0, len(str(whole)) - 2)
    return -(-whole // unit) * unit
