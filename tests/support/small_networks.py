"""Small networks: random ones, and ones whose creases are drawn on paper; their patterns as plain bits."""

import numpy as np
import torch
from jaxtyping import Bool

from fieldlens.analysis import ReluNetwork, relu_network
from fieldlens.analysis.networks.sampling import centre_chunks
from fieldlens.configs.encoding import parse_encoding
from fieldlens.configs.network import parse_network
from fieldlens.fields import Field, build


def field_of(encoding: str, network: str = "2x16", channels: int = 3, seed: int = 0, dim: int = 2) -> Field:
    """A field as it is built, but for a hash grid's table, which begins too close to zero to matter."""
    generator = torch.Generator().manual_seed(seed)
    field = build(parse_encoding(encoding), parse_network(network), dim, channels, generator)
    with torch.no_grad():
        for name, parameter in field.named_parameters():
            if name == "encoding.table":
                parameter.uniform_(-1, 1, generator=generator)
    return field


def network_of(encoding: str, network: str, seed: int = 0, dim: int = 2) -> ReluNetwork:
    """The network of such a field."""
    return relu_network(field_of(encoding, network, seed=seed, dim=dim))


def drawn(*layers: tuple[list[list[float]], list[float]], negative_slope: float = 0.0) -> ReluNetwork:
    """A network on the coordinates themselves, with weights and biases given layer by layer, the output's last."""

    def encode_with_tangents(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return x, torch.eye(x.shape[1]).expand(len(x), -1, -1)

    weights, biases = zip(*((torch.tensor(weight), torch.tensor(bias)) for weight, bias in layers), strict=True)
    return ReluNetwork(lambda x: x, encode_with_tangents, weights, biases, negative_slope)


def centres(height: int, width: int, stride: int = 1) -> torch.Tensor:
    """Pixel centres as image coordinates, row by row, fp32."""
    return torch.cat([x for _, x in centre_chunks(height, width, stride, 10_000, torch.device("cpu"))])


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
