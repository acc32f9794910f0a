"""Meshes with closed forms, for tests."""

import itertools
import math

import numpy as np

from fieldlens.scenes.solids.mesh import Mesh


def icosphere(radius: float = 1.0, halvings: int = 3, centre: tuple[float, float, float] = (0, 0, 0)) -> Mesh:
    """A sphere of 20 * 4^halvings triangles with corners on it, which face outwards."""
    golden = (1 + 5**0.5) / 2
    corners = [(s, t * golden, 0) for s, t in itertools.product((-1, 1), repeat=2)]
    corners = [np.roll(corner, turn) for turn in range(3) for corner in corners]
    vertices = np.array(corners) / math.hypot(1, golden)
    near = np.linalg.norm(vertices[:, None] - vertices, axis=-1) < 1.1
    triangles = np.array([t for t in itertools.combinations(range(12), 3) if all(near[a, b] for a, b in pairs(t))])
    for _ in range(halvings):
        a, b, c = vertices[triangles].swapaxes(0, 1)
        ab, bc, ca = (both / np.linalg.norm(both, axis=1, keepdims=True) for both in (a + b, b + c, c + a))
        parts = np.stack([[a, ab, ca], [b, bc, ab], [c, ca, bc], [ab, bc, ca]]).swapaxes(1, 2).reshape(-1, 3)
        # + 0.0 makes -0.0 the 0.0 that it is equal to, in bytes
        _, first, which = np.unique(parts.round(9) + 0.0, axis=0, return_index=True, return_inverse=True)
        vertices, triangles = parts[first], which.reshape(-1, 3)
    a, b, c = vertices[triangles].swapaxes(0, 1)
    inwards = (np.cross(b - a, c - a) * a).sum(1) < 0
    triangles[inwards] = triangles[inwards][:, ::-1]
    return Mesh(radius * vertices + np.array(centre), triangles.astype(np.int64), name="sphere")


def pairs(triangle: tuple[int, ...]) -> list[tuple[int, int]]:
    """The sides of a triangle."""
    return list(itertools.combinations(triangle, 2))


def box(low: tuple[float, float, float] = (0, 0, 0), high: tuple[float, float, float] = (1, 1, 1)) -> Mesh:
    """Twelve triangles that face outwards."""
    vertices = np.array(list(itertools.product(*zip(low, high, strict=True))), np.float64)  # z changes fastest
    quads = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    triangles = [t for a, b, c, d in quads for t in ((a, b, c), (a, c, d))]
    return Mesh(vertices, np.array(triangles, np.int64), name="box")


def joined(*meshes: Mesh) -> Mesh:
    """All triangles in one mesh."""
    starts = np.cumsum([0, *(len(mesh.vertices) for mesh in meshes)])
    triangles = [mesh.triangles + start for mesh, start in zip(meshes, starts, strict=False)]
    return Mesh(np.vstack([mesh.vertices for mesh in meshes]), np.vstack(triangles))
