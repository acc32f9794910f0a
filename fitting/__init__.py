"""How a field is trained: the loop, the optimizer, the precision, the state."""

from .by_hand import Change, go_on_with
from .estimate import Costs, Ending, Estimate
from .foresee import foreseen_change, foreseen_step
from .limits import is_still_gaining, longer, nothing_left
from .loop import Controls, Snapshot, fit
from .plan import Plan, plan_of
from .precision import Placement, place
from .room import require_room
from .schedule import frame_steps, learning_rate_at
from .state import TrainingState, initial_state

__all__ = [
    "Change",
    "Controls",
    "Costs",
    "Ending",
    "Estimate",
    "Placement",
    "Plan",
    "Snapshot",
    "TrainingState",
    "fit",
    "foreseen_change",
    "foreseen_step",
    "frame_steps",
    "go_on_with",
    "initial_state",
    "is_still_gaining",
    "learning_rate_at",
    "longer",
    "nothing_left",
    "place",
    "plan_of",
    "require_room",
]
