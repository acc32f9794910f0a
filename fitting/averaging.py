"""The average of a field's weights over its latest steps, which shows more than the weights of any one step."""

import copy

import torch

from fieldlens.scenes.scene import FieldT


def with_own_parameters(field: FieldT) -> FieldT:
    """The same field with parameters of its own; what is not trained, such as where there is something, it shares."""
    untrained = (module for module in field.modules() if next(module.parameters(), None) is None)
    return copy.deepcopy(field, {id(module): module for module in untrained})


@torch.no_grad()
def take_into_average(field: FieldT, trained: FieldT, step: int, share: float) -> None:
    """Move the parameters of `field` towards those of `trained`, of which it is the average over the steps until now.

    The newest weights count 1 / (1 + share (step - 1)) and all before them the rest: the polynomial-decay average of
    Shamir & Zhang (2013, "Stochastic gradient descent for non-smooth optimization", section 3) with eta = 1/share - 1.
    So the average reaches back over a fixed share of the steps and not over a number of them, and a fit needs to know
    no end: early on it is of a few steps, later of many, when weights stray about what they have come to.

    Args:
        step: of `trained`, counted from 1; at the first the average is the newest weights.
        share: over how large a part of the steps so far, about; 1 is the mean of all steps.
    """
    newest = 1 / (1 + share * (step - 1))
    average, weights = list(field.parameters()), list(trained.parameters())
    torch._foreach_lerp_(average, weights, newest)  # type: ignore[reportPrivateImportUsage]  # torch.optim calls it too
