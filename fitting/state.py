"""All that a fit needs to go on, as named tensors."""

from dataclasses import dataclass

import torch
from torch import Tensor

from configs.errors import InputError
from configs.run import FitConfig
from fields import Field, build

BETAS = (0.9, 0.99)
EPSILON = 1e-15
MOMENTS = ("step", "exp_avg", "exp_avg_sq")
"""What Adam remembers of each parameter."""


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
        for name, parameter in self.field.named_parameters():
            moments = self.optimiser.state.get(parameter, {})  # empty before the first step
            named |= {f"optimiser.{name}.{key}": value for key, value in moments.items()}
        named["generator"] = self.generator.get_state()
        return {name: value.detach().cpu().contiguous().clone() for name, value in named.items()}

    def restore(self, tensors: dict[str, Tensor], step: int, seconds: float) -> None:
        """Take over a state that `tensors` gave.

        Raises:
            InputError: when names or shapes are not those of this field; nothing is changed then.
        """
        expected = self._shapes(after_a_step=step > 0)
        for name in [*expected, *tensors]:
            given = tensors[name].shape if name in tensors else None
            if given != expected.get(name):
                raise InputError(f"the checkpoint does not belong to this run's network: its {name} does not fit")
        self.field.load_state_dict({name: tensors[f"field.{name}"] for name in self.field.state_dict()})
        self.generator.set_state(tensors["generator"])
        names = [name for name, _ in self.field.named_parameters()] if step > 0 else []
        moments = [{key: tensors[f"optimiser.{name}.{key}"].clone() for key in MOMENTS} for name in names]
        self.optimiser.load_state_dict(self.optimiser.state_dict() | {"state": dict(enumerate(moments))})
        self.step, self.seconds = step, seconds

    def _shapes(self, after_a_step: bool) -> dict[str, torch.Size]:
        """The shapes of what `tensors` gives."""
        shapes = {f"field.{name}": value.shape for name, value in self.field.state_dict().items()}
        shapes["generator"] = self.generator.get_state().shape
        for name, parameter in self.field.named_parameters() if after_a_step else ():
            shapes |= {f"optimiser.{name}.{key}": torch.Size() if key == "step" else parameter.shape for key in MOMENTS}
        return shapes


def initial_state(config: FitConfig, in_dim: int, out_dim: int, device: torch.device | str = "cpu") -> TrainingState:
    """The state before the first step; every random number of the fit follows from the configuration's seed.

    Weights and batches have generators of their own, so that fields of any shape see the same data in the same order.
    """
    weights = torch.Generator().manual_seed(config.seed)
    batches = torch.Generator().manual_seed(int(torch.randint(2**62, (), generator=weights)))
    field = build(config.encoding, config.network, in_dim, out_dim, weights).to(device)
    optimiser = torch.optim.Adam(field.parameters(), lr=0.0, betas=BETAS, eps=EPSILON, fused=True)
    return TrainingState(field, optimiser, batches)
