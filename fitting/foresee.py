"""The step that a fit would take next, had its batch all that is trained on, and what that does to what it shows."""

from collections.abc import Mapping

import torch
from torch import Tensor

from fieldlens.scenes.scene import FieldT

from .averaging import take_into_average, with_own_parameters
from .optimizer import make_optimizer
from .plan import Plan
from .state import TrainingState


@torch.no_grad()
def foreseen_step(state: TrainingState[FieldT], plan: Plan, gradient: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """By how much the fit's own optimizer would change each parameter for a gradient, with what it remembers by now.

    Nothing of the state changes. The step is of `state.trained`, the weights that steps move. What a fit with an
    average shows, `state.field`, follows them: see `foreseen_change`.

    Neurons that would be revived before the step are not.

    Args:
        plan: the fit's, whose schedule gives the rate.
        gradient: of the loss by each of `state.trained`'s parameters, under its name.
    """
    return _changes(state.trained, _moved(state, plan, gradient))


@torch.no_grad()
def foreseen_change(state: TrainingState[FieldT], plan: Plan, gradient: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """By how much that step changes each parameter of what the fit shows, `state.field`.

    Without an average that is the step. With one the shown weights come a little nearer to the trained ones, as they
    are after the step: that is the way which many steps have led on the whole, and hardly what one of them strays.

    Args:
        plan: the fit's.
        gradient: as for `foreseen_step`, of the loss of `state.trained`.
    """
    moved = _moved(state, plan, gradient)
    if state.field is state.trained:
        return _changes(state.field, moved)
    shown = with_own_parameters(state.field)
    take_into_average(shown, moved, state.step + 1, plan.average)
    return _changes(state.field, shown)


def _moved(state: TrainingState[FieldT], plan: Plan, gradient: Mapping[str, Tensor]) -> FieldT:
    """The trained field after its next step."""
    moved = with_own_parameters(state.trained)
    optimizer = make_optimizer(plan.optimizer, moved, plan.placement.hidden_dtype)
    optimizer.restore(state.optimizer.moments(), state.step)
    for name, parameter in moved.named_parameters():
        parameter.grad = gradient[name].to(parameter)
    optimizer.step(*plan.rates(state.step, state.rate_factor))
    return moved


def _changes(before: FieldT, after: FieldT) -> dict[str, Tensor]:
    known = dict(before.named_parameters())
    return {name: parameter.detach() - known[name].detach() for name, parameter in after.named_parameters()}
