"""Small networks, random and by hand, and their patterns as plain bits."""

import numpy as np
import torch
from jaxtyping import Bool

from analysis import ReluNetwork, relu_network
from configs.encoding import parse_encoding
from configs.network import parse_network
from fields import build


def network_of(encoding: str, network: str, seed: int) -> ReluNetwork:
    return relu_network(
        build(parse_encoding(encoding), parse_network(network), 2, 3, torch.Generator().manual_seed(seed))
    )


def hand_made(*layers: tuple[list[list[float]], list[float]]) -> ReluNetwork:
    """A network on the coordinates themselves, with weights and biases given layer by layer."""

    def encode_with_tangents(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return x, torch.eye(2).expand(len(x), 2, 2)

    weights = tuple(torch.tensor(weight) for weight, _ in layers)
    biases = tuple(torch.tensor(bias) for _, bias in layers)
    return ReluNetwork(lambda x: x, encode_with_tangents, weights, biases)


def pattern_bits(network: ReluNetwork, height: int, width: int) -> list[Bool[np.ndarray, "h w neurons"]]:
    """Which neurons of each hidden layer are on at pixel centres, all pixels in one batch."""
    y, x = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    h = network.encode(torch.stack([x, y], -1).flatten(0, 1) / max(height, width))
    bits = []
    for weight, bias in zip(network.weights[:-1], network.biases[:-1], strict=True):
        z = torch.addmm(bias, h, weight.T)
        bits.append((z > 0).view(height, width, -1).numpy())
        h = torch.where(z > 0, z, network.negative_slope * z)
    return bits
