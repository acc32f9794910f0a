"""The step that a fit would take next, had its batch all that is trained on."""

from collections.abc import Mapping

import torch
from torch import Tensor

from fieldlens.scenes.scene import FieldT

from .averaging import with_own_parameters
from .optimizer import make_optimizer
from .plan import Plan
from .schedule import learning_rate_at
from .state import TrainingState


@torch.no_grad()
def foreseen_step(state: TrainingState[FieldT], plan: Plan, gradient: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """By how much the fit's own optimizer would change each parameter for a gradient, with what it remembers by now.

    Nothing of the state changes. The step is of `state.trained`, the weights that steps move, and what it does to the
    field is to be asked of them. What a fit with an average shows, `state.field`, follows them slowly: it takes a small
    share of the step at once, and the rest over the steps to come. So a map of what the step does tells where the shown
    picture is going, and not what it will be after one step.

    Neurons that would be revived before the step are not.

    Args:
        plan: the fit's, whose schedule gives the rate.
        gradient: of the loss by each of `state.trained`'s parameters, under its name.
    """
    moved = with_own_parameters(state.trained)
    optimizer = make_optimizer(plan.optimizer, moved, plan.placement.hidden_dtype)
    optimizer.restore(state.optimizer.moments(), state.step)
    for name, parameter in moved.named_parameters():
        parameter.grad = gradient[name].to(parameter)
    rate, share = (learning_rate_at(state.step, plan.schedule, peak, plan.steps) for peak in (plan.learning_rate, 1.0))
    optimizer.step(rate, share)
    before = dict(state.trained.named_parameters())
    return {name: parameter.detach() - before[name] for name, parameter in moved.named_parameters()}
