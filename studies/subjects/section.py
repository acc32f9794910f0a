"""A plane through the cube of a 3D scene, and what a field has on it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor

from fieldlens.analysis import Plane
from fieldlens.configs.space import Slice
from fieldlens.render.grid import Extent, draw
from fieldlens.render.panel import Legend

from .found import Image, Progress


@dataclass(frozen=True, eq=False)
class Section:
    """What the field of a 3D scene has on a plane through its cube."""

    plane: Plane
    """Its first edge is drawn to the right and its second down; each is as long as the cube's side."""
    quantity: str
    """What the values are, in a word, and `units` in full."""
    units: str
    caption: str
    legend: Legend
    function: Callable[[Tensor], Tensor]
    """Values (n, 1) at points (n, 3) of the cube."""
    picture: Callable[[Float32[np.ndarray, "_ _"]], Image]
    solid: Callable[[Float32[np.ndarray, "_ _"]], Float32[np.ndarray, "_ _"]]
    """How far there is something, 0 to 1."""

    def values(
        self,
        height: int,
        width: int,
        extent: Extent | None = None,
        *,
        device: torch.device,
        progress: Progress | None = None,
    ) -> Float32[np.ndarray, "h w"]:
        """The field's values at the centres of pixels of the plane, or of `extent` of it."""
        on_plane = draw(
            lambda x: self.function(self.plane.points(x)), height, width, extent, device=device, progress=progress
        )
        return on_plane[..., 0]


def plane_of(cut: Slice) -> Plane:
    """The plane of a slice with the cube's side along each edge, as it is drawn: the later of its axes points up.

    >>> plane_of(Slice("y", 0.25))
    Plane(origin=(0.0, 0.25, 1.0), u=(1.0, 0.0, 0.0), v=(0.0, 0.0, -1.0))
    """
    across, right, up = ("xyz".index(axis) for axis in (cut.axis, *drawn_axes(cut)))
    corners = np.zeros((3, 3))
    origin, u, v = corners
    origin[across], origin[up], u[right], v[up] = cut.position, 1.0, 1.0, -1.0
    return Plane(*(tuple(edge.tolist()) for edge in (origin, u, v)))


def drawn_axes(cut: Slice) -> tuple[str, str]:
    """The axes to the right and up.

    >>> drawn_axes(Slice("y", 0.25))
    ('x', 'z')
    """
    right, up = "xyz".replace(cut.axis, "")
    return right, up
