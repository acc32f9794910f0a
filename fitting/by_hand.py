"""What a person does to a fit while it runs, and how the fit goes on with it when it is resumed.

The same choices give the same bytes; a fit that was changed by hand is no longer made by its choices alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from .plan import Plan
from .state import TrainingState

LEARNING_RATE, TARGET_PSNR, SNAPSHOT = "learning_rate", "target_psnr_db", "snapshot"


@dataclass(frozen=True)
class Change:
    """One thing that was done, and before which step."""

    step: int
    what: Literal["learning_rate", "target_psnr_db", "snapshot"]
    before: float | None = field(metadata={"key": "from"})
    """The rate, or the dB to reach, until then; None where there were none to reach, and of a snapshot."""
    after: float | None = field(metadata={"key": "to"})

    @property
    def sentence(self) -> str:
        """What was done, for the run's notes."""
        at = f"at step {self.step:,}, by hand"
        match self.what:
            case "learning_rate":
                return f"learning rate {self.before:g} became {self.after:g} {at}"
            case "target_psnr_db":
                goals = ("no dB to reach" if db is None else f"{db:g} dB to reach" for db in (self.before, self.after))
                return f"{' became '.join(goals)} {at}"
            case "snapshot":
                return f"a snapshot was taken {at}"


def change_rate(state: TrainingState, plan: Plan, rate: float) -> Change:
    """Train on with another learning rate: the schedule goes on below it, and Muon's own rate changes in proportion."""
    before = state.rate_factor * plan.learning_rate
    state.rate_factor = rate / plan.learning_rate
    return Change(state.step, LEARNING_RATE, before, rate)


def change_target(state: TrainingState, plan: Plan, target_psnr_db: float | None) -> tuple[Plan, Change]:
    """Train on until another PSNR is reached, or none: the plan of that."""
    change = Change(state.step, TARGET_PSNR, plan.target_psnr_db, target_psnr_db)
    return replace(plan, target_psnr_db=target_psnr_db), change


def go_on_with(
    changes: Sequence[Change], state: TrainingState, plan: Plan, keeps_limits: bool
) -> tuple[Plan, list[Change]]:
    """Go on as a person has left a fit.

    Args:
        plan: by the fit's choices alone.
        keeps_limits: whether the fit has no other limits than it had then.

    Returns:
        The plan, and all changes. That other limits have replaced a target set by hand is one of them, so that the
        target does not come back when the fit goes on once more.
    """
    left = plan
    for change in changes:
        if change.what == LEARNING_RATE and change.after is not None:
            change_rate(state, plan, change.after)
        elif change.what == TARGET_PSNR:
            left, _ = change_target(state, left, change.after)
    if keeps_limits or left == plan:
        return left, [*changes]
    return plan, [*changes, Change(state.step, TARGET_PSNR, left.target_psnr_db, plan.target_psnr_db)]


def snapshot_steps(changes: Sequence[Change]) -> set[int]:
    """The steps of which a person has kept a frame, maps and a checkpoint."""
    return {change.step for change in changes if change.what == SNAPSHOT}
