"""How often a closed mesh runs round a point, outwards: its winding number, 0 outside of all.

Along any ray from the point it is how often the ray leaves the mesh less how often it enters. Solids that overlap or
lie within each other are a union by it, and a shell that faces inwards leaves a hollow.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int64

from .edges import parts_of
from .mesh import Mesh, raycasting

RAYS, MORE_RAYS = 2, 9
"""Rays from every point, and those that are added where the first do not agree; then the median counts. One alone may
run through an edge, where a surface is met twice or not at all."""

ASKED_AT_ONCE = 2**13
"""Points whose rays are followed at once, so that what they meet takes little memory also in a stack of sheets."""


MOST_PARTS = 2**12
"""Parts that are told apart, as every geometry costs time: of more, those whose numbers differ by it share one."""


@dataclass(frozen=True, eq=False)
class Without:
    """A shell for each point that does not count for it."""

    shells: Int64[np.ndarray, " triangles"]
    own: Int64[np.ndarray, " points"]


class Winding:
    """The winding number of a mesh, which is asked for many points.

    Of surfaces that a ray meets in one place, Open3D tells one of each geometry: that is right for an edge that two
    triangles share, and wrong where solids touch. What may touch is therefore in a geometry of its own.

    Args:
        odd: surfaces are counted whichever way they face, and 1 stands for an odd number: for triangles that do not
            agree on which side is out.
    """

    def __init__(self, mesh: Mesh, *, odd: bool = False) -> None:
        layers = _layers(mesh)
        self._order = np.argsort(layers, kind="stable")
        self._starts = np.searchsorted(layers[self._order], np.arange(int(layers.max()) + 1))
        self._scene = raycasting(mesh.vertices, np.split(mesh.triangles[self._order], self._starts[1:]))
        self._normals, self._odd = mesh.normals, odd
        directions = np.random.default_rng(0).normal(size=(RAYS + MORE_RAYS, 3))
        self._directions = directions / np.linalg.norm(directions, axis=1, keepdims=True)

    def __call__(self, points: Float32[np.ndarray, "n 3"], without: Without | None = None) -> Int64[np.ndarray, " n"]:
        """How often the mesh runs round each point."""
        numbers = np.empty(len(points), np.int64)
        for start in range(0, len(points), ASKED_AT_ONCE):
            part = np.arange(start, min(start + ASKED_AT_ONCE, len(points)))
            first = self._along(range(RAYS), points, part, without)
            numbers[part] = first[0]
            unsure = (first != first[0]).any(0)
            if unsure.any():
                more = self._along(range(RAYS, RAYS + MORE_RAYS), points, part[unsure], without)
                numbers[part[unsure]] = np.median(np.vstack([first[:, unsure], more]), axis=0).astype(np.int64)
        return numbers

    def _along(
        self,
        rays: range,
        points: Float32[np.ndarray, "n 3"],
        chosen: Int64[np.ndarray, " k"],
        without: Without | None,
    ) -> Int64[np.ndarray, "rays k"]:
        """The winding numbers of chosen points by each of some rays."""
        found = np.empty((len(rays), len(chosen)), np.int64)
        for row, ray in enumerate(rays):
            direction = self._directions[ray]
            lines = np.hstack([points[chosen], np.tile(direction.astype(np.float32), (len(chosen), 1))])
            hits = self._scene.list_intersections(lines)
            within, whose = (hits[name].numpy().astype(np.int64) for name in ("primitive_ids", "ray_ids"))
            triangles = self._order[self._starts[hits["geometry_ids"].numpy()] + within]
            leaves = np.where(self._normals[triangles] @ direction > 0, 1.0, -1.0)
            if without is not None:
                leaves[without.shells[triangles] == without.own[chosen[whose]]] = 0
            found[row] = np.bincount(whose, leaves, len(chosen)).round()
        return found % 2 if self._odd else found


def _layers(mesh: Mesh) -> Int64[np.ndarray, " triangles"]:
    """Numbers of layers, in each of which no two triangles touch but those that share an edge: by the part that they
    belong to, and by the axis and side that they face."""
    parts = parts_of(mesh.edges) % MOST_PARTS
    axis = np.abs(mesh.normals).argmax(1)
    side = np.take_along_axis(mesh.normals, axis[:, None], axis=1)[:, 0] > 0
    return np.unique(6 * parts + 2 * axis + side, return_inverse=True)[1]
