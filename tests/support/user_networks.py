"""Networks as people train them elsewhere, and the same network as a field and as a Sequential."""

import copy
from itertools import pairwise

import torch
from torch import Tensor, nn

from fieldlens.fields import Field


def encode(x: Tensor) -> Tensor:
    """Three octaves of the coordinates and the coordinates themselves: 14 features of the plane."""
    angle = (x[:, :, None] * (3.0 * 2 ** torch.arange(3, device=x.device))).flatten(1)
    return torch.cat([x, angle.sin(), angle.cos()], 1)


def sequential(*sizes: int, slope: float = 0.0, bias: bool = True, seed: int = 0) -> nn.Sequential:
    """Linear layers of the given sizes with ReLU, or LeakyReLU of that slope, between them."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        parts: list[nn.Module] = []
        for before, after in pairwise(sizes):
            parts += [nn.Linear(before, after, bias=bias), nn.LeakyReLU(slope) if slope else nn.ReLU()]
    return nn.Sequential(*parts[:-1])


def sequential_of(field: Field) -> nn.Sequential:
    """The layers of a field as another project would have them."""
    mlp, parts = field.mlp, list[nn.Module]()
    for linear in mlp.linears:
        parts += [
            copy.deepcopy(linear),
            nn.LeakyReLU(mlp.negative_slope) if mlp.activation == "leaky_relu" else nn.ReLU(),
        ]
    return nn.Sequential(*parts[:-1], *([nn.Sigmoid()] if mlp.output == "sigmoid" else []))
