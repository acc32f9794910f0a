"""The optical axes of cameras: where they come nearest to each other, and whether matrices are what they should be.

Matrices may be meant in four ways: camera-to-world or its inverse, with OpenGL's axes (y up, looking along -z), as they
are taken, or with OpenCV's (y down, looking along +z). Around a scene, cameras all look at it in one of these, and in
the others stand in a heap, or look away. So the right one can be told where the cameras go around.
"""

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64

from fieldlens.render.camera import Camera

_ROUNDS = 20
"""Least-squares fits, one after the other, in search of the point nearest to all axes."""

_AROUND = math.radians(15)
"""Axes that spread by at least this angle go around a scene; those of cameras that look the same way do not."""

LOOSELY, SURELY = 0.4, 0.25
"""How far an axis may pass by what its camera looks at, as a share of how far away that is: so that one may ask, and so
that one knows."""

_NEARER = 2.0
"""How many times as near to it, or as far from it, as the others a camera may be."""

_MOST = 0.95
"""The share of all cameras that have to look at one place: one gone astray does not count."""


def nearest_to_axes(
    places: Float64[np.ndarray, "n 3"], forwards: Float64[np.ndarray, "n 3"]
) -> tuple[Float64[np.ndarray, "3"], float]:
    """The point with the least sum of distances to lines, and by what angle the lines spread, in radians.

    A sum of distances and not of their squares, so that a camera gone astray pulls no more than any other. It is found
    by least squares, again and again, in which lines weigh the less the further away they were (Weiszfeld 1937).
    Distances should be of the order of 1. The spread is that around the common direction, as the root of the mean of
    sin^2: 0 for parallel lines, for which the point nearest to the origin of all nearest ones is given.

    >>> point, spread = nearest_to_axes(np.array([[1.0, 0, 5], [0, 2, 5]]), np.array([[1.0, 0, 0], [0, 1, 0]]))
    >>> point.round(6).tolist()
    [0.0, 0.0, 5.0]
    """
    across = np.eye(3) - forwards[:, :, None] * forwards[:, None, :]  # (I - d d^T)(x - p) leads to x from the line
    feet = (across @ places[:, :, None])[..., 0]
    least = float(np.linalg.eigvalsh(across.mean(0))[0])
    weights, point = np.ones(len(places)), np.zeros(3)
    for _ in range(_ROUNDS):
        matrix = (weights[:, None, None] * across).sum(0) / weights.sum()
        point = np.linalg.pinv(matrix, rcond=1e-12, hermitian=True) @ (weights @ feet / weights.sum())
        weights = 1 / np.maximum(np.linalg.norm(across @ point - feet, axis=1), 1e-9)
    return point, math.asin(math.sqrt(min(max(least, 0.0), 1.0)))


def other_convention(cameras: Sequence[Camera], passing: float) -> str | None:
    """How matrices would make sense that make none as they are, and what to do then; None where they do as they are.

    Where they make sense in no way, or the cameras do not go around anything, nothing is said either.

    Args:
        passing: how far axes may pass by what cameras look at, such as `LOOSELY` or `SURELY`.
    """
    poses = np.stack([camera.pose for camera in cameras])
    if _look_at_one_place(poses, passing):
        return None
    turned, inverse = np.diag([1.0, -1.0, -1.0, 1.0]), np.linalg.inv(poses)
    for otherwise, read, remedy in (
        (inverse, "world-to-camera matrices", "invert them, since 'transform_matrix' is camera-to-world"),
        (poses @ turned, "matrices with OpenCV's axes (y down, looking along +z)", "negate their 2nd and 3rd columns"),
        (
            inverse @ turned,
            "world-to-camera matrices with OpenCV's axes (y down, looking along +z), as COLMAP has them",
            "invert them, then negate their 2nd and 3rd columns",
        ),
    ):
        if _look_at_one_place(otherwise, passing):
            return f"read as {read}, they would all look at one place: {remedy}"
    return None


def _look_at_one_place(poses: Float64[np.ndarray, "n 4 4"], passing: float) -> bool:
    """Whether nearly all cameras look at one place, and from around it."""
    places, forwards = poses[:, :3, 3], -poses[:, :3, 2]
    middle = (places.min(0) + places.max(0)) / 2
    radius = float(np.linalg.norm(places - middle, axis=1).max())
    if not radius > 1e-9 * max(float(np.abs(places).max()), 1e-9):
        return False
    places = (places - middle) / radius
    point, spread = nearest_to_axes(places, forwards)
    depths = ((point - places) * forwards).sum(1)
    missed = np.linalg.norm(point - places - depths[:, None] * forwards, axis=1)
    usual = float(np.median(depths))
    at_it = (missed < passing * depths) & (depths > usual / _NEARER) & (depths < usual * _NEARER)
    return spread >= _AROUND and float(np.mean(at_it)) >= _MOST
