"""How a field is trained: the loop, the optimiser, the precision, the state."""

from .loop import Controls, Snapshot, fit
from .plan import Plan, plan_of
from .precision import Placement, place
from .room import require_room
from .schedule import frame_steps, learning_rate_at
from .state import TrainingState, initial_state

__all__ = [
    "Controls",
    "Placement",
    "Plan",
    "Snapshot",
    "TrainingState",
    "fit",
    "frame_steps",
    "initial_state",
    "learning_rate_at",
    "place",
    "plan_of",
    "require_room",
]
