"""Dead neurons of a fit brought back to life: an intervention that makes creases denser in the midst of training."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from fieldlens.configs.errors import InputError
from fieldlens.fields import Field

from .state import TrainingState


def revive(state: TrainingState[Field], coordinates: Float[Tensor, "n d"], generator: torch.Generator) -> int:
    """Revive the neurons of a fit that are dead on `coordinates`, without what the optimizer remembers of them.

    See `revive_dead`, which also says what is raised.

    Returns:
        How many there were.
    """
    revived = revive_dead(state.trained, coordinates, generator)
    state.take_into_average(0)  # what is shown has them at once
    moments = state.optimizer.moments()
    for index, dead in enumerate(revived):
        following = f"mlp.layers.{index + 1}.weight."
        for name, moment in moments.items():
            if name.startswith(f"mlp.layers.{index}."):
                moment[dead] = 0
            elif name.startswith(following):
                moment[:, dead] = 0
    return sum(int(dead.sum()) for dead in revived)


@torch.no_grad()
def revive_dead(
    field: Field, coordinates: Float[Tensor, "n d"], generator: torch.Generator
) -> list[Bool[Tensor, " width"]]:
    """Give hidden neurons that are off at all coordinates new weights with which they are not, in place.

    Incoming weights are drawn as before training, and the bias so that the crease lies halfway between two coordinates
    drawn at random: the neuron is then on at one of them and off at the other. Its outgoing weights become zero, so
    that the field is the same function of these coordinates as before, and training decides what to make of it.
    Nothing is done to a field that has diverged, nor with fewer than two coordinates.

    Returns:
        For each hidden layer, which neurons were revived.

    Raises:
        InputError: unless the activation is ReLU, for a dead neuron of any other still has a say in the output.
    """
    mlp = field.mlp
    if mlp.activation != "relu":
        raise InputError(f"only dead neurons of a ReLU network can be revived, and this one has {mlp.activation!r}")
    n = len(coordinates)
    if n < 2 or not all(bool(parameter.isfinite().all()) for parameter in field.parameters()):
        return []
    h = field.encoding(coordinates)
    revived = []
    for layer, following in zip(mlp.linears[:-1], mlp.linears[1:], strict=True):
        dead = ~(layer(h) > 0).any(0)
        count = int(dead.sum())
        bound = layer.in_features**-0.5
        weight = torch.rand(count, layer.in_features, generator=generator) * (2 * bound) - bound
        first = torch.randint(n, (count,), generator=generator)
        second = (first + torch.randint(1, n, (count,), generator=generator)) % n  # never the same
        pairs = torch.stack([first, second]).to(h.device)
        weight = weight.to(h.device)
        layer.weight[dead] = weight
        layer.bias[dead] = -(weight * h[pairs].mean(0)).sum(1)
        following.weight[:, dead] = 0
        revived.append(dead)
        h = mlp.activate(layer(h))
    return revived
