"""The visual hull: the largest solid that silhouettes leave possible, on a grid of cells.

Laurentini, "The visual hull concept for silhouette-based image understanding", PAMI 1994. The grid cuts the unit cube
of the bounds into r x r x r cells; cell [i, j, k] spans x in [i/r, (i+1)/r], y by j and z by k.
"""

import math
from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Float64, Int32, Int64

from fieldlens.render.camera import Camera
from fieldlens.render.grid import CUBE_DIAGONAL

from .capture import Bounds, Photograph

_CHUNK = 32768
"""Cells of the grid that are projected into a view at a time, so few that they stay in cache."""

_GOLDEN = (math.sqrt(5) - 1) / 2
"""Golden section: its multiples modulo 1 put views in an order in which neighbours are far apart."""

_SAMPLED = 1.0
"""Pixels around a cell's footprint that have to be empty too: a renderer with one ray a pixel may just miss an edge."""


def visual_hull(photographs: Sequence[Photograph], bounds: Bounds, resolution: int) -> Bool[np.ndarray, "r r r"] | None:
    """True at the cells that may hold something; None where no picture has alpha.

    A cell is carved away where some view has alpha 0 all over the cell's footprint, that of the ball around it, and
    half-transparent pixels are as good as opaque ones. A view says nothing of cells that reach out of its frame, or
    behind its camera. So no cell that holds a part of the scene is carved, as long as what is seen has alpha above 0.
    """
    views = [photograph for photograph in photographs if photograph.pixels.shape[2] == 4]
    if not views:
        return None
    kept = np.arange(resolution**3)
    centres = cell_centres(kept, resolution).T.astype(np.float32, order="C")
    radius = CUBE_DIAGONAL / 2 / resolution
    # neighbours in a capture look alike: those from other sides carve more, and leave less to be looked at
    for view in (views[number] for number in np.argsort(np.arange(len(views)) * _GOLDEN % 1)):
        camera, sums = bounds.camera_to_unit(view.camera), _summed(view.pixels[:, :, 3] > 0)
        empty = np.zeros(len(kept), bool)
        for start in range(0, len(kept), _CHUNK):
            here = slice(start, start + _CHUNK)
            empty[here] = _is_empty(camera, sums, centres[:, here], radius)
        kept, centres = kept[~empty], centres[:, ~empty]
    hull = np.zeros(resolution**3, bool)
    hull[kept] = True
    return hull.reshape((resolution,) * 3)


def cell_centres(cells: Int64[np.ndarray, " n"], resolution: int) -> Float64[np.ndarray, "n 3"]:
    """Points of the unit cube in the middle of cells, which are given by their place in the grid laid flat.

    >>> cell_centres(np.array([0, 1, 6]), 2).tolist()
    [[0.25, 0.25, 0.25], [0.25, 0.25, 0.75], [0.75, 0.75, 0.25]]
    """
    return (np.stack(np.unravel_index(cells, (resolution,) * 3), 1) + 0.5) / resolution


def _summed(seen: Bool[np.ndarray, "h w"]) -> Int32[np.ndarray, "_ _"]:
    """How many pixels are seen above and left of each corner of a pixel (a summed-area table; Crow 1984)."""
    return cv2.integral(seen.astype(np.uint8))


def _is_empty(
    camera: Camera, sums: Int32[np.ndarray, "_ _"], centres: Float32[np.ndarray, "3 n"], radius: float
) -> Bool[np.ndarray, " n"]:
    """Whether the picture says that there is nothing in balls around points.

    A point of the ball is (X + dx, Y + dy, z + dz) in the camera's axes. It projects away from the centre by
    f |dx - (X / z) dz| / (z + dz), which is at most f radius sqrt(1 + (X / z)^2) / (z - radius) along x, and so along
    y.
    """
    to_camera = camera.pose[:3, :3].T
    # as `Camera.project` does, but in half the time
    x, y, back = to_camera.astype(np.float32) @ centres - (to_camera @ camera.position).astype(np.float32)[:, None]
    said = -back > radius
    sides = []
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):  # far points and those beside the camera
        nearer, reach = -1 / back, radius / (-back - radius)
        for slope, focal, centre, size in (
            (x * nearer, camera.focal[0], camera.centre[0], camera.width),
            (-y * nearer, camera.focal[1], camera.centre[1], camera.height),
        ):
            at, half = slope * focal + centre, np.sqrt(slope * slope + 1) * reach * focal
            low, high = at - half, at + half
            said &= (low >= 0) & (high <= size)
            sides.append((low, high, size))
    (left, right), (top, bottom) = (
        (
            np.maximum(low[said] - _SAMPLED, 0).astype(np.intp),  # rounds downwards
            np.minimum(np.ceil(high[said] + _SAMPLED), size).astype(np.intp),
        )
        for low, high, size in sides
    )
    empty = np.zeros(len(back), bool)
    empty[said] = sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left] == 0
    return empty
