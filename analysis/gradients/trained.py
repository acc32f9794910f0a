"""What gradients by the parameters need to know of a network: its layers, smooth ones too, whatever they came as."""

from dataclasses import dataclass
from typing import TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor

from fieldlens.configs.errors import InputError
from fieldlens.fields import Field
from fieldlens.fields.encodings import EncodingModule, LearntTable
from fieldlens.fields.field import SINE_RATE

from ..networks.relu_network import Encode, ReluNetwork

Network: TypeAlias = Field | ReluNetwork
"""A field of this project, or what `relu_network` made of a network trained elsewhere."""


@dataclass(frozen=True, eq=False)
class Trained:
    """The layers of a network and what stands before, between and behind them."""

    encode: Encode
    dim: int
    """How many coordinates it takes."""
    weights: tuple[Float[Tensor, "_ _"], ...]
    """(outputs, inputs) of each layer, the output layer last."""
    biases: tuple[Float[Tensor, " _"], ...]
    without_bias: frozenset[int]
    """Layers whose bias is no parameter but stands as zeros in `biases`."""
    sine: bool
    """Whether the activation is SIREN's, not (leaky) ReLU."""
    negative_slope: float
    sigmoid_output: bool

    @property
    def learnt_table(self) -> LearntTable | None:
        """What of `encode` is trained; None where nothing is, or it is not an encoding of ours."""
        return self.encode.learnt_table() if isinstance(self.encode, EncodingModule) else None

    @property
    def outputs(self) -> int:
        """How many channels the network has."""
        return len(self.biases[-1])

    @property
    def device(self) -> torch.device:
        """Where the tensors are, and where points must be."""
        return self.weights[0].device

    def activate_(self, z: Float[Tensor, "n width"], slope: Float[Tensor, "n width"]) -> None:
        """Turn z into h where it stands, and write dh/dz to `slope`: at z = 0 that of z < 0, as autograd has it."""
        if self.sine:
            z.mul_(SINE_RATE)
            torch.cos(z, out=slope).mul_(SINE_RATE)
            z.sin_()
            return
        # a comparison written as floats is four times as fast as one written as booleans
        torch.gt(z, 0, out=slope)
        if self.negative_slope:
            slope.mul_(1 - self.negative_slope).add_(self.negative_slope)
        z.mul_(slope)


def trained(network: Network) -> Trained:
    """The layers of a network of either kind."""
    if isinstance(network, ReluNetwork):
        return Trained(
            network.encode,
            network.dim,
            network.weights,
            network.biases,
            network.without_bias,
            sine=False,
            negative_slope=network.negative_slope,
            sigmoid_output=network.sigmoid_output,
        )
    mlp = network.mlp
    return Trained(
        network.encoding,
        network.encoding.dim,
        tuple(linear.weight for linear in mlp.linears),
        tuple(linear.bias for linear in mlp.linears),
        frozenset(),
        sine=mlp.activation == "sine",
        negative_slope=mlp.negative_slope,
        sigmoid_output=mlp.output == "sigmoid",
    )


def of_pictures(network: Network, height: int, what: str) -> Trained:
    """The layers of a network that is asked at the pixels of a picture: of two coordinates, or along one row, of one.

    Args:
        height: of the picture, in pixels.
        what: is asked, for the sentence.

    Raises:
        InputError: for a network of other coordinates, or with no channels that a picture has.
    """
    layers = trained(network)
    if (layers.dim != 2 and (layers.dim, height) != (1, 1)) or not 1 <= layers.outputs <= 4:
        raise InputError(
            f"{what} is of pictures: of networks from 2 coordinates, or from 1 along a single row of pixels, to 1 to 4 "
            f"channels, and this one goes from {layers.dim} to {layers.outputs}"
        )
    return layers
