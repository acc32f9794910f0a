"""Small fields of every kind, and the gradients that autograd finds for them, one point at a time."""

import copy

import torch
from torch import Tensor, nn

from fieldlens.fields import Field
from fieldlens.fields.encodings import HashGridEncoding

COLLIDING = "hashgrid:4,log2_size=4,finest=64"
"""Sixteen entries a level for up to 65 x 65 corners."""

ENCODINGS = [
    "raw",
    "raw:0..1",
    "fourier:6",
    "fourier:3,include_input=true",
    "gaussian:3,features=16",
    "positional:4,features=8",
    "basic",
    "hashgrid:4,finest=40",
    COLLIDING,
]

NETWORKS = ["3x24", "2x16,leaky_relu", "2x16,sine", "2x16,sigmoid"]


def some(n: int, channels: int = 3) -> tuple[Tensor, Tensor]:
    """Points and targets."""
    generator = torch.Generator().manual_seed(1)
    return torch.rand(n, 2, generator=generator), torch.rand(n, channels, generator=generator)


class InDouble(nn.Module):
    """A field in fp64; features of an encoding without parameters are still those that it gives in fp32."""

    def __init__(self, field: Field) -> None:
        super().__init__()
        whole = copy.deepcopy(field)
        self.mlp = whole.mlp.double()
        self.trained = isinstance(whole.encoding, HashGridEncoding)
        self.encoding = whole.encoding.double() if isinstance(whole.encoding, HashGridEncoding) else whole.encoding

    def forward(self, x: Tensor) -> Tensor:
        # not mlp.forward, which goes to fp32 between its layers
        h = self.encoding(x.double() if self.trained else x.float()).double()
        *hidden, last = self.mlp.linears
        for layer in hidden:
            h = self.mlp.activate(layer(h))
        return torch.sigmoid(last(h)) if self.mlp.output == "sigmoid" else last(h)


def autograd_gradients(function: nn.Module, points: Tensor, targets: Tensor) -> Tensor:
    """(n, parameters): the gradient of each point's mean squared error, a backward pass each, in fp64 afterwards."""
    rows = []
    losses = (function(points) - targets).square().mean(1)
    for loss in losses:
        parts = torch.autograd.grad(loss, list(function.parameters()), retain_graph=True)
        rows.append(torch.cat([part.flatten() for part in parts]).double())
    return torch.stack(rows)
