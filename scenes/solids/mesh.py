"""Triangle meshes, and what is done to each that is read; all of it is said in the mesh's notes.

Open3D answers rays and distances. It takes two seconds to import and is imported where it is needed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Bool, Float64, Int64

from fieldlens.configs.errors import InputError

from ..captures.capture import Bounds
from .edges import Edges, count_edges, edges_of, same_rows

MESH_MARGIN = 0.1
"""Room between a mesh and its cube, on each side, as a share of the mesh's longest extent."""


@dataclass(frozen=True, eq=False)
class Mesh:
    """Triangles in space; seen from outside their corners run counter-clockwise."""

    vertices: Float64[np.ndarray, "n 3"]
    triangles: Int64[np.ndarray, "m 3"]
    """Three rows of `vertices` each."""
    colours: Float64[np.ndarray, "n 3"] | None = None
    """RGB in [0, 1] of each vertex, as a picture has it."""
    up: tuple[float, float, float] = (0.0, 0.0, 1.0)
    """The direction that is shown upwards."""
    name: str = "mesh"
    notes: tuple[str, ...] = ()
    """What the mesh is, and everything that was done to it, in words."""

    @property
    def corners(self) -> Float64[np.ndarray, "m 3 3"]:
        """The three corners of each triangle."""
        return self.vertices[self.triangles]

    @property
    def areas(self) -> Float64[np.ndarray, " m"]:
        """The area of each triangle."""
        return np.linalg.norm(self._crosses(), axis=1) / 2

    @property
    def normals(self) -> Float64[np.ndarray, "m 3"]:
        """The unit normal of each triangle, to the side from which its corners run counter-clockwise."""
        crosses = self._crosses()
        return crosses / np.maximum(np.linalg.norm(crosses, axis=1, keepdims=True), np.finfo(float).tiny)

    @property
    def volume(self) -> float:
        """Of the solid that a closed mesh bounds, by the divergence theorem; negative where triangles face inwards."""
        corners = self.corners - self.vertices.mean(0)
        return float(np.einsum("ij,ij->", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])) / 6)

    @property
    def diagonal(self) -> float:
        """Of the smallest box with sides along the axes that holds the mesh."""
        return float(np.linalg.norm(np.ptp(self.vertices, axis=0)))

    @property
    def vertex_normals(self) -> Float64[np.ndarray, "n 3"]:
        """Unit normals of the vertices, means of their triangles' by area; 0 for a vertex of no triangle."""
        sums = np.zeros_like(self.vertices)
        for corner in range(3):
            np.add.at(sums, self.triangles[:, corner], self._crosses())
        return sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), np.finfo(float).tiny)

    @cached_property
    def edges(self) -> Edges:
        """Its edges; of a million triangles they take seconds to find."""
        return edges_of(self.vertices, self.triangles)

    def bounds(self, margin: float = MESH_MARGIN) -> Bounds:
        """The cube around the mesh, whatever its units, with `margin` of the longest extent on both its sides."""
        low, high = self.vertices.min(0), self.vertices.max(0)
        x, y, z = ((low + high) / 2).tolist()
        return Bounds((x, y, z), float((high - low).max()) * (1 + 2 * margin))

    def in_unit_cube(self, bounds: Bounds) -> "Mesh":
        """The mesh as fields see it."""
        return replace(self, vertices=bounds.to_unit(self.vertices))

    def surface_points(
        self, count: int, generator: np.random.Generator
    ) -> tuple[Float64[np.ndarray, "count 3"], Int64[np.ndarray, " count"]]:
        """Points spread at random over the surface, as many on a triangle as it has area; and on which each lies."""
        area = np.cumsum(self.areas)
        chosen = np.searchsorted(area, generator.random(count) * area[-1], side="right").clip(max=len(area) - 1)
        u, v = generator.random((2, count, 1))
        u, v = np.where(u + v > 1, 1 - u, u), np.where(u + v > 1, 1 - v, v)  # the square, folded to a triangle
        a, b, c = self.corners[chosen].swapaxes(0, 1)
        return a + u * (b - a) + v * (c - a), chosen

    def reduced(self, triangles: int) -> "Mesh":
        """With about so many triangles at most, where they change its shape least: by the quadrics of Garland &
        Heckbert (1997). Vertices have no colours then."""
        if len(self.triangles) <= triangles:
            return replace(self, colours=None)
        import open3d as o3d

        whole = o3d.geometry.TriangleMesh(
            o3d.utility.Vector3dVector(self.vertices), o3d.utility.Vector3iVector(self.triangles.astype(np.int32))
        )
        found = whole.simplify_quadric_decimation(triangles)
        corners = np.asarray(found.triangles).astype(np.int64)
        return replace(self, vertices=np.asarray(found.vertices).copy(), triangles=corners, colours=None)

    def raycasting(self) -> Any:
        """Open3D's RaycastingScene of the mesh, which answers rays and distances in float32."""
        return raycasting(self.vertices, [self.triangles])

    def _crosses(self) -> Float64[np.ndarray, "m 3"]:
        a, b, c = self.corners.swapaxes(0, 1)
        return np.cross(b - a, c - a)


def raycasting(vertices: Float64[np.ndarray, "n 3"], geometries: Sequence[Int64[np.ndarray, "_ 3"]]) -> Any:
    """Open3D's RaycastingScene of several geometries on the same vertices."""
    import open3d as o3d

    scene = o3d.t.geometry.RaycastingScene()
    for triangles in geometries:
        used, corners = (
            (np.arange(len(vertices)), triangles) if len(geometries) == 1 else np.unique(triangles, return_inverse=True)
        )
        scene.add_triangles(
            o3d.core.Tensor.from_numpy(np.ascontiguousarray(vertices[used], np.float32)),
            o3d.core.Tensor.from_numpy(np.ascontiguousarray(corners.reshape(-1, 3), np.uint32)),
        )
    return scene


def cleaned(mesh: Mesh, origin: str) -> Mesh:
    """The mesh with equal vertices merged (where they have one colour), triangles without area and unused vertices
    dropped; the notes say what was done.

    Args:
        origin: the file, to name when something is wrong.

    Raises:
        InputError: when there are no triangles, some are of vertices that are not there, vertices are no numbers, or
            nothing with an area is left.
    """
    count = len(mesh.vertices)
    if not len(mesh.triangles):
        what = f"{count:,} points and no triangles" if count else "no triangles, or is damaged"
        raise InputError(f"{origin!r} holds {what}; give a mesh with a surface")
    check_corners(mesh.triangles, count, origin)
    notes = list(mesh.notes)
    used = np.unique(mesh.triangles)
    if not np.isfinite(mesh.vertices[used]).all():
        bad = np.count_nonzero(~np.isfinite(mesh.vertices[used]).all(1))
        raise InputError(f"{origin!r} has {bad:,} vertices that are no numbers (NaN or infinite)")
    if np.ptp(mesh.vertices[used], axis=0).max() > 1e30 or np.abs(mesh.vertices[used]).max() > 1e30:
        raise InputError(f"{origin!r} has vertices farther out than 1e30")
    if len(used) < count:
        notes.append(f"{count - len(used):,} vertices of no triangle dropped")
    vertices, colours = mesh.vertices[used], None if mesh.colours is None else mesh.colours[used]
    triangles = np.searchsorted(used, mesh.triangles)
    labels = same_rows(vertices if colours is None else np.hstack([vertices, colours]))
    kept, triangles = _first_of_each(labels, triangles)
    if len(kept) < len(vertices):
        notes.append(f"{len(vertices) - len(kept):,} repeated vertices merged")
    vertices, colours = vertices[kept], None if colours is None else colours[kept]
    flat = _without_area(vertices, triangles)
    if flat.all():
        raise InputError(f"all triangles of {origin!r} have area 0; give a mesh with a surface")
    if flat.any():
        # A triangle whose corners lie on a line may be all that joins two sides of a seam: it stays if it closes one.
        collapsed = (triangles == np.roll(triangles, 1, axis=1)).any(1)
        before = count_edges(edges_of(vertices, triangles[~collapsed])).open
        dropped = flat if count_edges(edges_of(vertices, triangles[~flat])).open <= before else collapsed
        if dropped.any():
            notes.append(f"{np.count_nonzero(dropped):,} triangles of area 0 dropped")
        if not dropped[flat].all():
            notes.append(f"{np.count_nonzero(flat & ~dropped):,} triangles of area 0 kept, which close seams")
        triangles = triangles[~dropped]
        used = np.unique(triangles)
        vertices, colours = vertices[used], None if colours is None else colours[used]
        triangles = np.searchsorted(used, triangles)
    coarseness = np.abs(vertices).max() * float(np.finfo(np.float32).eps) / np.ptp(vertices, axis=0).max()
    if coarseness > 1e-4:
        notes.append(
            f"so far from the origin that single precision keeps {coarseness:.1g} of its extent; move it to the origin"
        )
    notes.append(f"{len(triangles):,} triangles")
    return Mesh(vertices, triangles, colours, mesh.up, mesh.name, tuple(notes))


def check_corners(corners: Int64[np.ndarray, "..."], count: int, origin: str) -> None:
    """Make sure that corners are of vertices that are there.

    Raises:
        InputError: naming the file, and a vertex that is not.
    """
    odd = corners[(corners < 0) | (corners >= count)]
    if odd.size:
        raise InputError(f"{origin!r} has a triangle of vertex {odd.flat[0]}, counted from 0, and {count:,} vertices")


def _first_of_each(
    labels: Int64[np.ndarray, " n"], triangles: Int64[np.ndarray, "m 3"]
) -> tuple[Int64[np.ndarray, " kept"], Int64[np.ndarray, "m 3"]]:
    """Rows that stand for all with their label, in the order of the file, and the triangles in terms of them."""
    first = np.unique(labels, return_index=True)[1]
    kept = np.sort(first)
    return kept, np.searchsorted(kept, first[labels])[triangles]


def _without_area(vertices: Float64[np.ndarray, "n 3"], triangles: Int64[np.ndarray, "m 3"]) -> Bool[np.ndarray, " m"]:
    """Triangles with a corner twice or with all on a line, as far as the precision of their coordinates tells."""
    a, b, c = vertices[triangles].swapaxes(0, 1)
    cross = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    longest = np.maximum(np.linalg.norm(b - a, axis=1), np.linalg.norm(c - a, axis=1))
    return cross <= 1e-12 * longest**2
