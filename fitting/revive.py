"""Dead neurons of a fit brought back to life."""

import torch
from jaxtyping import Float
from torch import Tensor

from fields.interventions import revive_dead

from .state import TrainingState


def revive(state: TrainingState, coordinates: Float[Tensor, "n d"], generator: torch.Generator) -> int:
    """Revive the neurons of a fit that are dead on `coordinates`, without what the optimiser remembers of them.

    The field stays the same function there (see `fields.interventions.revive_dead`, which also says what is raised).

    Returns:
        How many there were.
    """
    revived = revive_dead(state.field, coordinates, generator)
    moments = state.optimiser.moments()
    for index, dead in enumerate(revived):
        for kind in ("mean", "mean_square"):
            moments[f"mlp.layers.{index}.weight.{kind}"][dead] = 0
            moments[f"mlp.layers.{index}.bias.{kind}"][dead] = 0
            moments[f"mlp.layers.{index + 1}.weight.{kind}"][:, dead] = 0
    return sum(int(dead.sum()) for dead in revived)
