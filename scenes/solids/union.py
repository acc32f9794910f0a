"""The surface of a union: of solids that overlap, the parts of their triangles that are not within another.

Triangles that two solids pass through are halved until those at the line where the solids meet are small; each is then
kept or left out by which sides of its middle are inside.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64

from .edges import parts_of
from .mesh import Mesh, raycasting

FINEST = 1 / 512
"""Sides of the cube: triangles no longer than this are not halved, so the union's surface is known as well as this."""

MOST_PIECES = 2**20
"""Pieces that are halved at once; more stay as they are."""

ASIDE = 1e-5
"""Sides of the cube, by which points are off a triangle when either side of it is asked."""

MOST_PARTS = 2**11
"""Parts whose boxes are compared, all with all; of more, every one is taken to overlap another."""

INSET = 0.1
"""How far from the corners and sides of a triangle it is looked at, as a share of the way to its middle."""

Inside: TypeAlias = Callable[[Float32[np.ndarray, "n 3"]], Bool[np.ndarray, " n"]]

Corners: TypeAlias = Float64[np.ndarray, "k 3 3"]


def union_surface(mesh: Mesh, inside: Inside) -> Mesh | None:
    """The surface of the solid that a mesh in the unit cube bounds; None where all of the mesh is."""
    search = _Search(mesh)
    crossing = search.crossing
    touched = _touched(mesh, crossing)
    if not touched.any():
        return None
    parents = np.flatnonzero(touched)
    pieces, marked = mesh.corners[parents], crossing[parents]
    kept, dropped = [], False
    while True:
        halved = marked & (_lengths(pieces).max(1) > FINEST)
        if np.count_nonzero(halved) > MOST_PIECES:
            halved[:] = False
        within, asked = np.zeros(len(pieces), bool), ~halved  # those that are halved anyway need not be asked
        within[asked], mixed = _sides(pieces[asked], mesh.normals[parents[asked]], inside)
        if np.count_nonzero(halved) + np.count_nonzero(mixed) <= MOST_PIECES:
            halved[asked] = mixed
        dropped |= bool((within & ~halved).any())
        kept.append(pieces[~within & ~halved])
        if not halved.any():
            break
        pieces, parents = _halves(pieces[halved]), np.repeat(parents[halved], 2)
        marked = search.crossed(pieces, parents)
    if not dropped:
        return None
    corners = np.concatenate(kept)
    triangles = len(mesh.vertices) + np.arange(3 * len(corners)).reshape(-1, 3)
    return replace(
        mesh,
        vertices=np.vstack([mesh.vertices, corners.reshape(-1, 3)]),
        triangles=np.vstack([mesh.triangles[~touched], triangles]),
        colours=None,
    )


def _touched(mesh: Mesh, crossing: Bool[np.ndarray, " triangles"]) -> Bool[np.ndarray, " triangles"]:
    """Triangles of the parts that some pass through, or whose boxes overlap those of other parts."""
    parts = parts_of(mesh.edges)
    count = int(parts.max()) + 1
    touched = np.bincount(parts, crossing, count) > 0
    if count == 1 or count > MOST_PARTS:
        return (touched | (count > 1))[parts]
    low, high = np.full((count, 3), np.inf), np.full((count, 3), -np.inf)
    np.minimum.at(low, parts, mesh.corners.min(1) - ASIDE)
    np.maximum.at(high, parts, mesh.corners.max(1) + ASIDE)
    overlap = np.ones((count, count), bool)
    for axis in range(3):
        overlap &= (low[:, None, axis] <= high[None, :, axis]) & (low[None, :, axis] <= high[:, None, axis])
    return (touched | (overlap.sum(1) > 1))[parts]


def _sides(
    pieces: Corners, normals: Float64[np.ndarray, "k 3"], inside: Inside
) -> tuple[Bool[np.ndarray, " k"], Bool[np.ndarray, " k"]]:
    """Whether the middle of each piece lies within the solid, both its sides being inside; and whether other places on
    it say otherwise, which is asked of pieces that are long enough to be halved."""
    middles = pieces.mean(1)
    within = _within(middles, normals, inside)
    long = np.flatnonzero(_lengths(pieces).max(1) > FINEST)
    corners = pieces[long]
    places = np.concatenate([corners, (corners + np.roll(corners, -1, axis=1)) / 2], axis=1)
    places += INSET * (middles[long, None] - places)
    others = _within(places.reshape(-1, 3), np.repeat(normals[long], 6, axis=0), inside).reshape(-1, 6)
    mixed = np.zeros(len(pieces), bool)
    mixed[long] = (others != within[long, None]).any(1)
    return within, mixed


def _within(
    points: Float64[np.ndarray, "n 3"], normals: Float64[np.ndarray, "n 3"], inside: Inside
) -> Bool[np.ndarray, " n"]:
    """Whether both sides of triangles are inside at points on them, or neither is."""
    front, back = (inside((points + side * ASIDE * normals).astype(np.float32)) for side in (1, -1))
    return front == back


def _lengths(pieces: Corners) -> Float64[np.ndarray, "k 3"]:
    """Of the side from each corner to the next."""
    return np.linalg.norm(np.roll(pieces, -1, axis=1) - pieces, axis=2)


def _halves(pieces: Corners) -> Float64[np.ndarray, "halves 3 3"]:
    """Both halves of each piece, cut through the middle of its longest side; they run the same way round."""
    first = _lengths(pieces).argmax(1)
    a, b, c = (np.take_along_axis(pieces, (first[:, None, None] + turn) % 3, axis=1)[:, 0] for turn in range(3))
    middle = (a + b) / 2
    return np.stack([np.stack([a, middle, c], 1), np.stack([middle, b, c], 1)], 1).reshape(-1, 3, 3)


class _Search:
    """Looks for sides of triangles that pass through other triangles, which have no corner in common with theirs."""

    def __init__(self, mesh: Mesh) -> None:
        edges = mesh.edges
        self._places = edges.directed[:, 0].reshape(-1, 3)
        """Of the three corners of each triangle, the same number for corners in one place."""
        runs = edges.order[np.flatnonzero(np.diff(edges.which[edges.order], prepend=-1))]  # each edge once
        self._sides, self._owners = mesh.vertices[edges.directed[runs]], edges.triangles[runs]
        self._scene = mesh.raycasting()
        which, hit = self._pierced(self._sides, self._owners, self._scene, np.arange(len(mesh.triangles)))
        self.crossing = np.zeros(len(mesh.triangles), bool)
        """Triangles that others pass through, or that pass through others."""
        self.crossing[hit] = True
        self.crossing[edges.triangles[np.isin(edges.which, edges.which[runs[which]])]] = True
        chosen = np.unique(which)
        self._sides, self._owners = self._sides[chosen], self._owners[chosen]

    def crossed(self, pieces: Corners, parents: Int64[np.ndarray, " k"]) -> Bool[np.ndarray, " k"]:
        """Which pieces of triangles others pass through, or pass through others."""
        found = np.zeros(len(pieces), bool)
        sides = np.stack([pieces, np.roll(pieces, -1, axis=1)], 2).reshape(-1, 2, 3)
        which, _ = self._pierced(sides, np.repeat(parents, 3), self._scene, np.arange(len(self._places)))
        found[which // 3] = True
        scene = raycasting(pieces.reshape(-1, 3), [np.arange(3 * len(pieces)).reshape(-1, 3)])
        found[self._pierced(self._sides, self._owners, scene, parents)[1]] = True
        return found

    def _pierced(
        self,
        sides: Float64[np.ndarray, "s 2 3"],
        owners: Int64[np.ndarray, " s"],
        scene: Any,
        parents: Int64[np.ndarray, " t"],
    ) -> tuple[Int64[np.ndarray, " hits"], Int64[np.ndarray, " hits"]]:
        """Sides, of triangles `owners`, and what they pass through in a scene of pieces of triangles `parents`."""
        if not len(sides):  # of no rays, Open3D's list of intersections ends the process
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        rays = np.hstack([sides[:, 0], sides[:, 1] - sides[:, 0]]).astype(np.float32)
        found = scene.list_intersections(rays)
        on = found["t_hit"].numpy() < 1
        which, hit = (found[name].numpy()[on].astype(np.int64) for name in ("ray_ids", "primitive_ids"))
        theirs, its = self._places[owners[which]], self._places[parents[hit]]
        apart = (theirs[:, :, None] != its[:, None, :]).all((1, 2))
        return which[apart], hit[apart]
