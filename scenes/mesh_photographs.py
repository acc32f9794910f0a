"""A person's mesh photographed from all sides, as the demo scenes are, to be fitted as a radiance field.

For the photographs the mesh is turned upright, moved and scaled into the unit sphere; the cameras are then put where
they would have stood around the mesh as it is, so that a field, and whatever is exported of it, lies where the mesh
does. A mesh may be open: both sides of its triangles are seen.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from jaxtyping import Float64, Int64

from fieldlens.render.camera import Pose

from .captures.capture import Capture, Photograph
from .demos import HELDOUT_PHOTOS, PHOTO_SIDE, TRAIN_PHOTOS, photographs
from .formats.parsed import LIGHT_GREY
from .solids.mesh import Mesh
from .solids.surfaces import Colour, Surface, uniform

GREY = uniform(LIGHT_GREY, LIGHT_GREY, LIGHT_GREY)
"""The colour of a mesh that has none of its own."""


def photographed_mesh(
    mesh: Mesh,
    side: int = PHOTO_SIDE,
    train: int = TRAIN_PHOTOS,
    heldout: int = HELDOUT_PHOTOS,
    progress: Callable[[float], None] = lambda _share: None,
) -> Capture:
    """Photographs of a mesh in its vertices' colours, or light grey where it has none; RGBA.

    Args:
        side: of each photograph, in pixels.
        progress: is told the share that is done.
    """
    middle = (mesh.vertices.min(0) + mesh.vertices.max(0)) / 2
    radius = float(np.linalg.norm(mesh.vertices - middle, axis=1).max())
    upright = _upright(mesh.up)
    vertices = (mesh.vertices - middle) @ upright.T / radius
    colour = GREY if mesh.colours is None else _between(vertices, mesh.triangles, mesh.colours)
    taken = photographs(mesh.name, [Surface(vertices, mesh.triangles, None, colour)], side, train, heldout, progress)

    def back(photograph: Photograph) -> Photograph:
        return replace(
            photograph, camera=photograph.camera.at(_placed(photograph.camera.pose, middle, radius, upright))
        )

    coloured = "in light grey" if mesh.colours is None else "in its vertices' colours"
    return Capture(
        mesh.name,
        [back(photograph) for photograph in taken.train],
        [back(photograph) for photograph in taken.heldout],
        mesh.bounds(),
        (*mesh.notes, *taken.notes, f"the mesh is photographed {coloured}"),
    )


def _upright(up: tuple[float, float, float]) -> Float64[np.ndarray, "3 3"]:
    """The rotation that turns `up`, one of the axes, to z: rows are the new axes."""
    axis = int(np.argmax(np.abs(up)))
    z = np.eye(3)[axis] * np.sign(up[axis])
    x = np.eye(3)[(axis + 1) % 3]
    return np.stack([x, np.cross(z, x), z])


def _placed(pose: Pose, middle: Float64[np.ndarray, "3"], radius: float, upright: Float64[np.ndarray, "3 3"]) -> Pose:
    """A pose around the unit sphere as one around the mesh."""
    placed = np.eye(4)
    placed[:3, :3] = upright.T @ pose[:3, :3]
    placed[:3, 3] = radius * (upright.T @ pose[:3, 3]) + middle
    return placed


def _between(
    vertices: Float64[np.ndarray, "n 3"], triangles: Int64[np.ndarray, "m 3"], colours: Float64[np.ndarray, "n 3"]
) -> Colour:
    """The colours of vertices, and between them by barycentric coordinates."""

    def colour(points: Float64[np.ndarray, "k 3"], chosen: Int64[np.ndarray, " k"]) -> Float64[np.ndarray, "k 3"]:
        corners = triangles[chosen]
        a, b, c = vertices[corners].swapaxes(0, 1)
        whole = np.cross(b - a, c - a)
        area = np.maximum((whole**2).sum(1), np.finfo(float).tiny)
        second = (np.cross(points - a, c - a) * whole).sum(1) / area
        third = (np.cross(b - a, points - a) * whole).sum(1) / area
        weights = np.stack([1 - second - third, second, third], 1).clip(0, 1)  # rounding puts points a little outside
        return np.einsum("kv,kvc->kc", weights / weights.sum(1, keepdims=True), colours[corners])

    return colour
