"""Surfaces as a camera sees them: the oracle of crease densities in pictures of space.

What a picture shows of a surface is a field of image coordinates, whose creases the analysis of pictures can count.
"""

from collections.abc import Callable
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fieldlens.analysis import ReluNetwork
from fieldlens.render.camera import Camera

Surface = Callable[[Float[Tensor, "n 3"], Float[Tensor, "n 3"]], tuple[Float[Tensor, "n 3"], Float[Tensor, "n 3"]]]
"""Where rays meet a surface, and its normals there, from their origins and directions."""


def plane_through(point: tuple[float, float, float], normal: tuple[float, float, float]) -> Surface:
    def meet(origins: Tensor, towards: Tensor) -> tuple[Tensor, Tensor]:
        n = origins.new_tensor(normal).expand_as(origins)
        t = ((origins.new_tensor(point) - origins) * n).sum(1) / (towards * n).sum(1)
        return origins + t[:, None] * towards, n

    return meet


def sphere(radius: float) -> Surface:
    def meet(origins: Tensor, towards: Tensor) -> tuple[Tensor, Tensor]:
        from_centre = origins - 0.5
        b = (from_centre * towards).sum(1)
        t = -b - (b**2 - from_centre.square().sum(1) + radius**2).sqrt()
        x = origins + t[:, None] * towards
        return x, x - 0.5

    return meet


def seen(
    camera: Camera, surface: Surface, xy: Float[Tensor, "n 2"]
) -> tuple[Float[Tensor, "n 3"], Float[Tensor, "n 3"]]:
    """The points of a surface at places in a camera's picture, and normals, by the equation of a pinhole in fp64."""
    pose = torch.from_numpy(camera.pose)
    (fx, fy), (cx, cy) = camera.focal, camera.centre
    own = torch.stack([(xy[:, 0] - cx) / fx, (cy - xy[:, 1]) / fy, -torch.ones_like(xy[:, 0])], 1).double()
    towards = nn.functional.normalize(own @ pose[:3, :3].T, dim=1)
    x, normals = surface(pose[:3, 3].expand_as(towards), towards)
    return x.float(), normals.float()


def picture_of(network: ReluNetwork, camera: Camera, surface: Surface) -> ReluNetwork:
    """What a picture shows on a surface, as a network of image coordinates."""
    scale = max(camera.height, camera.width)

    def encode(x: Tensor) -> Tensor:
        return network.encode(seen(camera, surface, x.double() * scale)[0])

    def encode_with_tangents(x: Tensor) -> tuple[Tensor, Tensor]:
        axes = torch.eye(2).unbind()
        value, tangents = zip(*(torch.func.jvp(encode, (x,), (axis.expand_as(x),)) for axis in axes), strict=True)
        return value[0], torch.stack(tangents, 1)

    return replace(network, encode=encode, encode_with_tangents=encode_with_tangents)
