"""All that a fit needs to go on, as named tensors."""

from dataclasses import dataclass
from typing import Any, Generic

import torch
from torch import Tensor

from fieldlens.configs.errors import InputError
from fieldlens.configs.run import FitConfig
from fieldlens.scenes.scene import FieldT, Scene

from .averaging import take_into_average, with_own_parameters
from .optimizer import Optimizer, make_optimizer
from .precision import hidden_dtype


@dataclass
class TrainingState(Generic[FieldT]):
    """A field in training: weights, their average, optimizer, random numbers and the clock.

    A CPU run that goes on from a saved state gives the same bytes as one that was never stopped.
    """

    field: FieldT
    """What the fit has come to: the average of the weights of late, or where nothing is averaged `trained` itself."""
    trained: FieldT
    """What steps move."""
    optimizer: Optimizer
    generator: torch.Generator
    step: int = 0
    seconds: float = 0.0
    seen: int | None = 0
    """Points or rays in all steps so far; None after a checkpoint that does not say, as older ones do not."""
    rate_factor: float = 1.0
    """By what all learning rates are multiplied beside the schedule: another number once a person has changed them
    while the fit ran. No part of what is saved: the run folder keeps what was changed, and when."""

    def tensors(self) -> dict[str, Tensor]:
        """The state as `field.*`, `trained.*` where that is another, `moments.*` and `generator`; copies on the CPU."""
        return {name: value.detach().cpu().contiguous().clone() for name, value in self._live().items()}

    def restore(self, tensors: dict[str, Tensor], step: int, seconds: float, seen: int | None = None) -> None:
        """Take over a state that `tensors` gave.

        Raises:
            InputError: when names, shapes or types are not those of this field; nothing is changed then.
            ValueError: when they are, but its random numbers are in no state that there is; nor is it then.
        """
        expected = self._live()
        for name in [*expected, *tensors]:
            if name not in expected or name not in tensors or _kind(tensors[name]) != _kind(expected[name]):
                raise InputError(f"the checkpoint does not belong to this run's network: its {name} does not fit")
        try:
            torch.Generator().set_state(tensors["generator"])
        except RuntimeError:
            raise ValueError("its random numbers are in no state that there is") from None
        self.field.load_state_dict(_under("field", tensors))
        self.trained.load_state_dict(_under("trained", tensors), strict=False)  # what it shares is there already
        self.optimizer.restore(_under("moments", tensors), step)
        self.generator.set_state(tensors["generator"])
        self.step, self.seconds, self.seen = step, seconds, seen

    def take_into_average(self, share: float) -> None:
        """Let `field` follow `trained` after a step; see `averaging`."""
        if self.trained is not self.field:
            take_into_average(self.field, self.trained, self.step, share)

    def _live(self) -> dict[str, Tensor]:
        own = {} if self.trained is self.field else dict(self.trained.named_parameters())
        return {
            **{f"field.{name}": value for name, value in self.field.state_dict().items()},
            **{f"trained.{name}": value for name, value in own.items()},
            **{f"moments.{name}": value for name, value in self.optimizer.moments().items()},
            "generator": self.generator.get_state(),
        }


def _kind(tensor: Tensor) -> tuple[torch.Size, torch.dtype]:
    return tensor.shape, tensor.dtype


def _under(group: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(f"{group}."): value for name, value in tensors.items() if name.startswith(f"{group}.")}


def initial_state(
    config: FitConfig, scene: Scene[FieldT, Any], device: torch.device | str = "cpu"
) -> TrainingState[FieldT]:
    """The state before the first step; every random number of the fit follows from the configuration's seed.

    Weights and batches have generators of their own, so that fields of any shape see the same data in the same order.
    """
    weights = torch.Generator().manual_seed(config.seed)
    batches = torch.Generator().manual_seed(int(torch.randint(2**62, (), generator=weights)))
    trained = scene.build(config, weights).to(device)
    field = with_own_parameters(trained) if config.training.average else trained
    dtype = hidden_dtype(config.training, config.network, torch.device(device))
    return TrainingState(field, trained, make_optimizer(config.optimizer, trained, dtype), batches)
