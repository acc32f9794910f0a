"""What a closed mesh bounds: which points are inside, and the surface between these and the others."""

from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float32

from .facing import facing
from .mesh import Mesh
from .union import union_surface
from .winding import Winding


class Solid:
    """The solid that a closed mesh in the unit cube bounds; of parts that overlap it is the union."""

    def __init__(self, mesh: Mesh) -> None:
        self.mesh = mesh
        """All of its triangles, also those that lie within it."""
        self._facing = facing(mesh)
        self._winding = Winding(self._facing.mesh, odd=not self._facing.agrees)

    def inside(self, points: Float32[np.ndarray, "n 3"]) -> Bool[np.ndarray, " n"]:
        """Whether the solid holds each point."""
        return self._winding(points) != 0

    @cached_property
    def surface(self) -> Mesh:
        """Its surface: the mesh as it is where no triangle, and no part of one, lies within the solid."""
        if not self._facing.agrees:  # then every triangle divides inside from outside
            return self.mesh
        return union_surface(self._facing.mesh, self.inside) or self.mesh
