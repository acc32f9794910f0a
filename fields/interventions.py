"""Changes to a field that change where its creases are, for experiments: does density matter, all else equal?"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from configs.errors import InputError

from .field import Field


@torch.no_grad()
def spread_biases(field: Field, factor: float) -> None:
    """Multiply the biases of the first layer by `factor`, in place.

    Before training they are uniform in +-1/sqrt(features), so that this spreads first-layer creases: 0 lets all of them
    pass through the point where the encoded coordinates are zero, and large factors push them out of the picture.
    """
    field.mlp.linears[0].bias.mul_(factor)


@torch.no_grad()
def revive_dead(
    field: Field, coordinates: Float[Tensor, "n d"], generator: torch.Generator
) -> list[Bool[Tensor, " width"]]:
    """Give hidden neurons that are off at all coordinates new weights with which they are not, in place.

    Incoming weights are drawn as before training, and the bias so that the crease lies halfway between two coordinates
    drawn at random: the neuron is then on at one of them and off at the other. Its outgoing weights become zero, so
    that the field is the same function of these coordinates as before, and training decides what to make of it.

    Returns:
        For each hidden layer, which neurons were revived.

    Raises:
        InputError: unless the activation is ReLU, for a dead neuron of any other still has a say in the output; for
            fewer than two coordinates; or for a field that is not finite.
    """
    if len(coordinates) < 2:
        raise InputError("a crease lies between two coordinates, and there is only one")
    if not all(bool(parameter.isfinite().all()) for parameter in field.parameters()):
        raise InputError("the field has weights that are not finite; its fit has diverged")
    mlp = field.mlp
    if mlp.activation != "relu":
        raise InputError(f"only dead neurons of a ReLU network can be revived, and this one has {mlp.activation!r}")
    h = field.encoding(coordinates)
    revived = []
    for layer, following in zip(mlp.linears[:-1], mlp.linears[1:], strict=True):
        dead = ~(layer(h) > 0).any(0)
        count, n = int(dead.sum()), len(coordinates)
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
