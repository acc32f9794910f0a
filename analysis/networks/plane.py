"""A network seen on a plane through its input, as a network of two coordinates.

On the plane a ReLU network is a ReLU network, so that all that is measured in an image can be measured on a cut through
a volume, or on a window of a picture seen from near by: crossings, densities, cells.
"""

import copy
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from fieldlens.configs.errors import InputError

from .relu_network import Encode, EncodeWithTangents, ReluNetwork


@dataclass(frozen=True)
class Plane:
    """The points origin + s u + t v of a network's input; (s, t) are the coordinates on it."""

    origin: tuple[float, ...]
    u: tuple[float, ...]
    v: tuple[float, ...]

    def __post_init__(self) -> None:
        if not len(self.origin) == len(self.u) == len(self.v):
            raise InputError(f"origin, u and v of a plane have as many coordinates each; got {self}")
        if not np.isfinite([self.origin, self.u, self.v]).all() or np.linalg.matrix_rank([self.u, self.v]) < 2:
            raise InputError(f"u and v of a plane must be finite and point in different directions; got {self}")

    def points(self, x: Float[Tensor, "n 2"]) -> Float[Tensor, "n d"]:
        """Where points of the plane lie in the network's input."""
        return x @ self.axes(x) + x.new_tensor(self.origin)

    def axes(self, like: Tensor) -> Float[Tensor, "2 d"]:
        """u and v, on the device and of the type of another tensor."""
        return like.new_tensor([self.u, self.v])


def on_plane(network: ReluNetwork, plane: Plane) -> ReluNetwork:
    """The network on a plane through its input, as one of the plane's two coordinates.

    Raises:
        InputError: for a hash grid, whose lines would not be those of the plane's coordinates.
    """
    if network.grid_resolutions:
        raise InputError("a hash grid's own lines run along its axes, so its networks are not looked at on a plane")
    largest = float(np.linalg.norm([plane.u, plane.v], ord=2))
    return replace(
        network,
        encode=_EncodeOnPlane(network.encode, plane),
        encode_with_tangents=_EncodeOnPlaneWithTangents(network.encode_with_tangents, plane),
        # a wave's cycles per unit of the plane: exact where a coordinate runs along the wave, else more than there are
        highest_frequency=network.highest_frequency * largest,
        # those along oblique axes hold mixed derivatives, which no encoding gives
        encode_second_derivatives=None,
    )


@dataclass(frozen=True)
class _EncodeOnPlane:
    encode: Encode
    plane: Plane

    def __call__(self, x: Float[Tensor, "n 2"]) -> Float[Tensor, "n f"]:
        return self.encode(self.plane.points(x))


@dataclass(frozen=True)
class _EncodeOnPlaneWithTangents:
    encode_with_tangents: EncodeWithTangents
    plane: Plane

    def __call__(self, x: Float[Tensor, "n 2"]) -> tuple[Float[Tensor, "n f"], Float[Tensor, "n 2 f"]]:
        value, tangents = self.encode_with_tangents(self.plane.points(x))
        return value, self.plane.axes(x) @ tangents


def in_double(encode: Encode) -> Encode:
    """An encoding that takes points in float64 and answers in float64.

    A module works in float64 throughout; of a function that is not known to, what it says in float32 is taken.
    """
    match encode:
        case _EncodeOnPlane(inner, plane):
            return _EncodeOnPlane(in_double(inner), plane)
        case nn.Module():
            module = copy.deepcopy(encode).double()
            return lambda x: module(x).double()
        case _:
            return lambda x: encode(x.to(torch.float32)).double()
