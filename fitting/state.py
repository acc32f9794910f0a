"""All that a fit needs to go on, as named tensors."""

from dataclasses import dataclass

import torch
from torch import Tensor

from configs.errors import InputError
from configs.run import FitConfig
from fields import Field, build

BETAS = (0.9, 0.99)
EPSILON = 1e-15


@dataclass
class TrainingState:
    """A field in training: weights, optimiser, random numbers and the clock.

    A CPU run that goes on from a saved state gives the same bytes as one that was never stopped.
    """

    field: Field
    optimiser: torch.optim.Adam
    generator: torch.Generator
    step: int = 0
    seconds: float = 0.0

    def tensors(self) -> dict[str, Tensor]:
        """The state under names `field.*`, `optimiser.*`, `generator`; copies on the CPU."""
        named = {f"field.{name}": value for name, value in self.field.state_dict().items()}
        names = [name for name, _ in self.field.named_parameters()]
        for index, moments in self.optimiser.state_dict()["state"].items():
            named |= {f"optimiser.{names[index]}.{key}": value for key, value in moments.items()}
        named["generator"] = self.generator.get_state()
        return {name: value.detach().cpu().contiguous().clone() for name, value in named.items()}

    def restore(self, tensors: dict[str, Tensor], step: int, seconds: float) -> None:
        """Take over a state that `tensors` gave.

        Raises:
            InputError: when names or shapes are not those of this field.
        """
        names = [name for name, _ in self.field.named_parameters()]
        moments: dict[int, dict[str, Tensor]] = {}
        weights: dict[str, Tensor] = {}
        for name, value in tensors.items():
            group, _, rest = name.partition(".")
            if group == "field":
                weights[rest] = value
            elif group == "optimiser":
                parameter, _, key = rest.rpartition(".")
                if parameter in names:
                    moments.setdefault(names.index(parameter), {})[key] = value.clone()
        try:
            self.field.load_state_dict(weights)
            self.generator.set_state(tensors["generator"])
        except (RuntimeError, KeyError) as error:
            reason = str(error).splitlines()[-1].strip()
            raise InputError(f"the checkpoint does not belong to this run's network: {reason}") from None
        state = self.optimiser.state_dict()
        state["state"] = moments
        self.optimiser.load_state_dict(state)
        self.step, self.seconds = step, seconds


def initial_state(config: FitConfig, in_dim: int, out_dim: int, device: torch.device | str = "cpu") -> TrainingState:
    """The state before the first step; every random number of the fit follows from the configuration's seed."""
    generator = torch.Generator().manual_seed(config.seed)
    field = build(config.encoding, config.network, in_dim, out_dim, generator).to(device)
    optimiser = torch.optim.Adam(field.parameters(), lr=0.0, betas=BETAS, eps=EPSILON, fused=True)
    return TrainingState(field, optimiser, generator)
