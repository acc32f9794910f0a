"""Polygons cut into triangles, whatever their format: small ones by a fan where one fills them, large convex ones by
cutting off every other corner, all others by clipping ears.

A corner is an ear where the triangle of it and its neighbours lies within the polygon, and so can be cut off (Meisters,
"Polygons have ears", 1975). A polygon that is not flat is looked at along its mean normal.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float64, Int64

from .parsed import Faces

MOST_CORNERS = 2**13
"""Corners of the largest polygon whose ears are clipped: the time goes with their square, and is some seconds here."""

MOST_OF_A_FAN = 32
"""Corners of the largest polygon of which fans are tried, one from each corner."""

FLAT = 1e-9
"""Triangles of a fan have more than this share of their polygon's area: what is less may be one turned inside out."""

ROUNDING = 1e-3
"""Radians that all corners of a convex polygon together may turn beyond one full turn, for the rounding of places."""


class Cut(NamedTuple):
    """Triangles of polygons."""

    triangles: Int64[np.ndarray, "m 3"]
    """Numbers of vertices."""
    faces: Int64[np.ndarray, " m"]
    """The polygon that each is of."""
    notes: tuple[str, ...]


def cut(vertices: Float64[np.ndarray, "n 3"], faces: Faces) -> Cut:
    """Polygons as triangles that run the same way round; those of fewer than three corners are left out.

    >>> square = np.array([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]])
    >>> cut(square, Faces(np.array([4]), np.arange(4))).triangles.tolist()
    [[0, 1, 2], [0, 2, 3]]

    Args:
        faces: of vertices that are there.

    Raises:
        ValueError: for one of more than `MOST_CORNERS` that is not convex.
    """
    starts = np.cumsum(faces.sizes) - faces.sizes
    triangles, owners, crossing = [np.empty((0, 3), np.int64)], [np.empty(0, np.int64)], 0
    for size in np.unique(faces.sizes[faces.sizes >= 3]).tolist():
        which = np.flatnonzero(faces.sizes == size)
        polygons = faces.corners[starts[which, None] + np.arange(size)]
        if size == 3:
            triangles.append(polygons)
            owners.append(which)
            continue
        easy, filled = _fans(vertices, polygons) if size <= MOST_OF_A_FAN else _halved(vertices, polygons)
        triangles.append(easy[filled].reshape(-1, 3))
        owners.append(np.repeat(which[filled], size - 2))
        for polygon, number in zip(polygons[~filled], which[~filled], strict=True):
            if size > MOST_CORNERS:
                raise ValueError(
                    f"it has a polygon of {size:,} corners that is not convex, and those are cut into triangles up to "
                    f"{MOST_CORNERS:,} corners; let a modelling program do it"
                )
            clipped, simple = _clipped(_flattened(vertices[polygon]))
            triangles.append(polygon[clipped])
            owners.append(np.full(size - 2, number))
            crossing += not simple
    few = int(np.count_nonzero(faces.sizes < 3))
    notes = [f"{few:,} faces of fewer than three corners left out"] if few else []
    if crossing:
        notes.append(f"{crossing:,} polygons cross themselves, and may have triangles outside of them")
    order = np.argsort(np.concatenate(owners), kind="stable")
    return Cut(np.concatenate(triangles)[order], np.concatenate(owners)[order], tuple(notes))


def _fans(
    vertices: Float64[np.ndarray, "n 3"], polygons: Int64[np.ndarray, "m k"]
) -> tuple[Int64[np.ndarray, "m t 3"], Bool[np.ndarray, " m"]]:
    """The fan of each polygon whose smallest triangle is largest, and whether it fills the polygon."""
    count, size = polygons.shape
    corners = vertices[polygons]
    normals = np.cross(corners - corners[:, :1], np.roll(corners, -1, axis=1) - corners[:, :1]).sum(1)
    area = np.linalg.norm(normals, axis=1)
    normals /= np.maximum(area, np.finfo(float).tiny)[:, None]
    best, chosen = np.full(count, -np.inf), np.zeros(count, np.int64)
    for start in range(size):
        turned = np.roll(corners, -start, axis=1)
        arms = turned[:, 1:] - turned[:, :1]
        least = np.einsum("mkc,mc->mk", np.cross(arms[:, :-1], arms[:, 1:]), normals).min(1)
        better = least > best * (1 + 1e-9 * np.sign(best))  # of equal ones the first, whatever the rounding
        best, chosen = np.where(better, least, best), np.where(better, start, chosen)
    turned = np.take_along_axis(polygons, (np.arange(size) + chosen[:, None]) % size, axis=1)
    first = np.broadcast_to(turned[:, :1], (count, size - 2))
    fans = np.stack([first, turned[:, 1:-1], turned[:, 2:]], -1)
    # a place that is no number is for those who clean the mesh to refuse, and any fan will do
    return fans, ~(best <= FLAT * area)


def _halved(
    vertices: Float64[np.ndarray, "n 3"], polygons: Int64[np.ndarray, "m k"]
) -> tuple[Int64[np.ndarray, "m t 3"], Bool[np.ndarray, " m"]]:
    """Polygons with every other corner cut off until none is left, and which of them are convex.

    Of all closed lines, convex ones alone turn by no more than a full turn (Fenchel 1929).
    """
    edges = np.roll(vertices[polygons], -1, axis=1) - vertices[polygons]
    following = np.roll(edges, -1, axis=1)
    turns = np.arctan2(np.linalg.norm(np.cross(edges, following), axis=2), (edges * following).sum(2))
    parts = []
    while (size := polygons.shape[1]) >= 3:
        odd = np.arange(1, size, 2)
        parts.append(np.stack([polygons[:, odd - 1], polygons[:, odd], polygons[:, (odd + 1) % size]], -1))
        polygons = polygons[:, ::2]
    return np.concatenate(parts, axis=1), turns.sum(1) <= 2 * np.pi + ROUNDING


def _flattened(corners: Float64[np.ndarray, "k 3"]) -> Float64[np.ndarray, "k 2"]:
    """A polygon in the plane across its mean normal (Newell's), in which it runs counter-clockwise."""
    around = corners - corners.mean(0)
    normal = np.cross(around, np.roll(around, -1, axis=0)).sum(0)
    length = np.linalg.norm(normal)
    normal = normal / length if length > 0 else np.array([0.0, 0.0, 1.0])
    right = np.cross(np.eye(3)[np.argmin(np.abs(normal))], normal)
    right /= np.linalg.norm(right)
    return np.stack([around @ right, around @ np.cross(normal, right)], -1)


def _clipped(points: Float64[np.ndarray, "k 2"]) -> tuple[Int64[np.ndarray, "t 3"], bool]:
    """A polygon's triangles by its corners' numbers, and whether an ear was found every time.

    Only corners that turn inwards can lie within an ear. Where there is none, as polygons that cross themselves may
    have it, the next corner is cut off all the same: the polygon's edges then still have a triangle each.
    """
    count = len(points)
    before, after = np.roll(np.arange(count), 1), np.roll(np.arange(count), -1)
    turns = _turn(points[before], points, points[after])
    least = 1e-12 * float(np.ptp(points, axis=0).max()) ** 2
    inwards = turns <= least
    triangles, simple, corner, tried = [], True, 0, 0
    for left in range(count, 3, -1):
        while tried < left and not _is_ear(points, int(before[corner]), corner, int(after[corner]), inwards, least):
            corner, tried = int(after[corner]), tried + 1
        if tried == left:
            simple = False
        previous, following = int(before[corner]), int(after[corner])
        triangles.append((previous, corner, following))
        after[previous], before[following] = following, previous
        inwards[corner] = False
        changed = np.array([previous, following])
        inwards[changed] = _turn(points[before[changed]], points[changed], points[after[changed]]) <= least
        # go on one further: ears next to each other would make a fan of slivers
        corner, tried = int(after[following]), 0
    triangles.append((int(before[corner]), corner, int(after[corner])))
    return np.array(triangles, np.int64), simple


def _turn(
    a: Float64[np.ndarray, "k 2"], b: Float64[np.ndarray, "k 2"], c: Float64[np.ndarray, "k 2"]
) -> Float64[np.ndarray, " k"]:
    """Twice the signed area of triangles, positive where a, b and c run counter-clockwise."""
    (ax, ay), (bx, by), (cx, cy) = a.T, b.T, c.T
    return (bx - ax) * (cy - by) - (by - ay) * (cx - bx)


def _is_ear(
    points: Float64[np.ndarray, "k 2"], a: int, b: int, c: int, inwards: Bool[np.ndarray, " k"], least: float
) -> bool:
    """Whether the triangle of a corner b and its neighbours turns outwards and holds no corner that turns inwards."""
    if inwards[b]:
        return False
    others, corners = points[inwards], points[[a, b, c]]
    edges = np.roll(corners, -1, axis=0) - corners
    (edge_x, edge_y), (from_x, from_y) = edges.T[:, :, None], corners.T[:, :, None]
    within = (edge_x * (others[:, 1] - from_y) - edge_y * (others[:, 0] - from_x) >= -least).all(0)
    # a corner in the same place as one of the triangle's own, as a bridge to a hole has it, is not within
    return not within.any() or not (others[within][:, None] != corners).any(2).all(1).any()
