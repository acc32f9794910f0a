"""All that a fit needs to go on, as named tensors."""

from dataclasses import dataclass
from typing import Any, Generic

import torch
from torch import Tensor

from fieldlens.configs.errors import InputError
from fieldlens.configs.run import FitConfig
from fieldlens.scenes.scene import FieldT, Scene

from .optimizer import Optimizer, make_optimizer
from .precision import hidden_dtype


@dataclass
class TrainingState(Generic[FieldT]):
    """A field in training: weights, optimizer, random numbers and the clock.

    A CPU run that goes on from a saved state gives the same bytes as one that was never stopped.
    """

    field: FieldT
    optimizer: Optimizer
    generator: torch.Generator
    step: int = 0
    seconds: float = 0.0

    def tensors(self) -> dict[str, Tensor]:
        """The state under names `field.*`, `moments.*`, `generator`; copies on the CPU."""
        return {name: value.detach().cpu().contiguous().clone() for name, value in self._live().items()}

    def restore(self, tensors: dict[str, Tensor], step: int, seconds: float) -> None:
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
        self.optimizer.restore(_under("moments", tensors), step)
        self.generator.set_state(tensors["generator"])
        self.step, self.seconds = step, seconds

    def _live(self) -> dict[str, Tensor]:
        return {
            **{f"field.{name}": value for name, value in self.field.state_dict().items()},
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
    field = scene.build(config, weights).to(device)
    dtype = hidden_dtype(config.training, config.network, torch.device(device))
    return TrainingState(field, make_optimizer(config.optimizer, field, dtype), batches)
