"""A field: an encoding and a multi-layer perceptron, from coordinates to values."""

import functools
import itertools
import math
from collections.abc import Iterator
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from fieldlens.configs.encoding import Encoding
from fieldlens.configs.network import Activation, Network, Output

from .blocks import goes_in_blocks, in_blocks
from .encodings import EncodingModule, build_encoding

SINE_RATE = 30.0
"""omega_0 of SIREN (Sitzmann et al. 2020): every hidden layer computes sin(30 (W h + b))."""


class MLP(nn.Module):
    """Hidden layers of one width, then a linear layer; fp32 weights, hidden products in a precision of choice."""

    def __init__(self, network: Network, in_features: int, out_features: int, generator: torch.Generator) -> None:
        super().__init__()
        self.activation: Activation = network.activation
        self.output: Output = network.output
        self.negative_slope = 0.01 if network.activation == "leaky_relu" else 0.0
        widths = [in_features, *[network.width] * network.depth, out_features]
        # Torch's own initialisation, drawn anew below, must not stir the caller's random numbers.
        with torch.random.fork_rng(devices=[]):
            self.layers = nn.ModuleList(nn.Linear(rows, columns) for rows, columns in itertools.pairwise(widths))
        for index, layer in enumerate(self.linears):
            bound = 1 / math.sqrt(layer.in_features)  # PyTorch's default, for weights and biases alike
            weight_bound = bound
            if self.activation == "sine":
                weight_bound = 1 / layer.in_features if index == 0 else math.sqrt(6 / layer.in_features) / SINE_RATE
            nn.init.uniform_(layer.weight, -weight_bound, weight_bound, generator=generator)
            bias_bound = bound * (network.bias_spread if index == 0 else 1)
            nn.init.uniform_(layer.bias, -bias_bound, bias_bound, generator=generator)

    @property
    def linears(self) -> list[nn.Linear]:
        """The layers in order: hidden layers, then the output layer."""
        return [cast(nn.Linear, layer) for layer in self.layers]

    def activate(self, z: Float[Tensor, "n width"], overwrite: bool = False) -> Float[Tensor, "n width"]:
        """The hidden layers' activation; with `overwrite` z may be lost, which saves a tenth of a training step."""
        match self.activation:
            case "relu":
                return functional.relu(z, inplace=overwrite)
            case "leaky_relu":
                return functional.leaky_relu(z, self.negative_slope, inplace=overwrite)
            case "sine":
                return torch.sin(SINE_RATE * z)

    def forward(
        self, features: Float[Tensor, "n f"], hidden_dtype: torch.dtype = torch.float32
    ) -> Float[Tensor, "n c"]:
        layer_by_layer = functools.partial(self._layer_by_layer, features, hidden_dtype)
        if self.activation != "sine" and goes_in_blocks(features, self.linears, hidden_dtype):
            out = in_blocks(features, self.linears, self.negative_slope, hidden_dtype, layer_by_layer)
        else:
            out = layer_by_layer()
        return torch.sigmoid(out) if self.output == "sigmoid" else out

    def _layer_by_layer(self, features: Float[Tensor, "n f"], hidden_dtype: torch.dtype) -> Float[Tensor, "n c"]:
        """What the last layer gives, by torch's own operations on all rows at once."""
        first, *hidden, last = self.linears
        h = self.activate(first(features), overwrite=True)
        h = h.to(hidden_dtype) if hidden else h
        for layer in hidden:
            # the casts of the weights are part of the graph: gradients arrive at the fp32 master weights
            z = functional.linear(h, layer.weight.to(hidden_dtype), layer.bias.to(hidden_dtype))
            h = self.activate(z, overwrite=True)
        return last(h.float())

    def preactivations(self, features: Float[Tensor, "n f"]) -> Iterator[Float[Tensor, "n width"]]:
        """What each hidden layer's activation is given, one layer at a time, so that only one is held."""
        h = features
        for layer in self.linears[:-1]:
            z = layer(h)
            yield z
            h = self.activate(z)


class Field(nn.Module):
    """The trained function: coordinates -> encoding -> MLP -> values."""

    def __init__(self, encoding: EncodingModule, mlp: MLP, hidden_dtype: torch.dtype = torch.float32) -> None:
        """A field of these parts.

        Args:
            hidden_dtype: of the products between hidden layers. The first layer sees fp32 coordinates and the last
                gives fp32 values whatever it is.
        """
        super().__init__()
        self.encoding, self.mlp, self.hidden_dtype = encoding, mlp, hidden_dtype

    @property
    def device(self) -> torch.device:
        """Where its weights are."""
        return self.mlp.linears[0].weight.device

    def forward(self, x: Float[Tensor, "*batch d"]) -> Float[Tensor, "*batch c"]:
        """Values at coordinates."""
        values = self.mlp(self.encoding(x.reshape(-1, x.shape[-1])), self.hidden_dtype)
        return values.reshape(*x.shape[:-1], values.shape[-1])

    def in_precision(self, hidden_dtype: torch.dtype) -> "Field":
        """The field, with the same weights, and the products between hidden layers in that precision."""
        # itself where that is its own: a step of training asks each time
        return self if hidden_dtype == self.hidden_dtype else Field(self.encoding, self.mlp, hidden_dtype)

    def preactivations(self, x: Float[Tensor, "n d"]) -> Iterator[Float[Tensor, "n width"]]:
        """Pre-activations of the hidden layers at coordinates, in fp32, one layer at a time."""
        return self.mlp.preactivations(self.encoding(x))


def build(encoding: Encoding, network: Network, in_dim: int, out_dim: int, generator: torch.Generator) -> Field:
    """A field with PyTorch's default initialisation (SIREN's for `sine`), drawn from `generator`, on the CPU."""
    module = build_encoding(encoding, in_dim, generator)
    return Field(module, MLP(network, module.features, out_dim, generator))
