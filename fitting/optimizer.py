"""What moves a field's parameters."""

from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from fieldlens.configs import optimizer as choices
from fieldlens.fields import Trainable, hidden_matrices

from .adam import Adam
from .muon import Muon


@runtime_checkable
class Optimizer(Protocol):
    """What moves a field's parameters, with all that it remembers from step to step in named tensors."""

    def moments(self) -> dict[str, Tensor]:
        """What it remembers, by name."""
        ...

    def restore(self, moments: dict[str, Tensor], steps_taken: int) -> None:
        """Go on from what `moments` gave after so many steps."""
        ...

    def zero_grad(self) -> None:
        """Forget the gradients."""
        ...

    def step(self, rate: float, share: float) -> None:
        """Move every parameter by its gradient.

        Args:
            rate: the learning rate of this step.
            share: what the schedule leaves of the first step's, for who has a rate of its own.
        """
        ...


class Together:
    """Optimizers that move a part of the parameters each."""

    def __init__(self, *optimizers: Optimizer) -> None:
        self._optimizers = optimizers

    def moments(self) -> dict[str, Tensor]:
        """What they remember, by name."""
        return {name: moment for each in self._optimizers for name, moment in each.moments().items()}

    def restore(self, moments: dict[str, Tensor], steps_taken: int) -> None:
        """Go on from what `moments` gave after so many steps."""
        for each in self._optimizers:
            each.restore(moments, steps_taken)

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for each in self._optimizers:
            each.zero_grad()

    def step(self, rate: float, share: float) -> None:
        """Move every parameter by its gradient."""
        for each in self._optimizers:
            each.step(rate, share)


def make_optimizer(choice: choices.Optimizer, field: Trainable, dtype: torch.dtype, first: bool = False) -> Optimizer:
    """What a choice stands for, for all parameters of a field.

    Args:
        dtype: of products of matrices, where it makes any.
        first: whether Muon moves the matrix of the first layer as well, which `benchmarks.optimizers` compares.
    """
    parameters = dict(field.named_parameters())
    match choice:
        case choices.Adam():
            return Adam(parameters)
        case choices.Muon(rate=rate):
            assert rate is not None  # FitConfig.optimizer has it
            matrices = hidden_matrices(field, first)
            rest = {name: parameter for name, parameter in parameters.items() if name not in matrices}
            return Together(Adam(rest), Muon(matrices, rate, choice.momentum, dtype))
