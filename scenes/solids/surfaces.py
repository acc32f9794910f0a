"""Surfaces of triangles with colours that are functions of the point: what demo scenes are made of.

Colour is albedo, the share of light that is thrown back, in [0, 1]. It is asked for at the exact point, so patterns are
as sharp as their formula and independent of how finely the surface is cut into triangles. All solids are closed, and
their triangles run anticlockwise as seen from outside.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float64, Int64
from scipy.spatial.transform import Rotation

from fieldlens.render.camera import Vector

PointArray = Float64[np.ndarray, "k 3"]
Triangles = Int64[np.ndarray, " k"]
Rgb = Float64[np.ndarray, "k 3"]

Colour = Callable[[PointArray, Triangles], Rgb]
"""From points and the numbers of the triangles they lie on to albedo, RGB in [0, 1]."""


@dataclass(frozen=True, eq=False)
class Surface:
    """A mesh of triangles with a colour."""

    vertices: Float64[np.ndarray, "v 3"]
    triangles: Int64[np.ndarray, "t 3"]
    """Numbers of the three vertices of each triangle."""
    normals: Float64[np.ndarray, "v 3"] | None
    """Normals of length 1 at the vertices, interpolated between them; None where triangles are flat."""
    colour: Colour


def joined(surfaces: Sequence[Surface]) -> Surface:
    """Several surfaces as one, in the first one's colour; all have normals or none has."""
    starts = np.cumsum([0, *(len(surface.vertices) for surface in surfaces)])
    normals = [surface.normals for surface in surfaces if surface.normals is not None]
    return Surface(
        np.concatenate([surface.vertices for surface in surfaces]),
        np.concatenate([surface.triangles + start for surface, start in zip(surfaces, starts, strict=False)]),
        np.concatenate(normals) if normals else None,
        surfaces[0].colour,
    )


def sphere(centre: Vector, radius: float, colour: Colour, rings: int = 64) -> Surface:
    """A sphere; its vertices lie on it."""
    angles = np.linspace(-math.pi / 2, math.pi / 2, rings + 1)
    normals = np.stack([np.cos(angles), np.sin(angles)], 1)
    return _placed([_Profile(radius * normals, normals)], 2 * rings, centre, (0, 0, 1), colour)


def torus(centre: Vector, axis: Vector, ring: float, tube: float, colour: Colour, rings: int = 64) -> Surface:
    """A torus about an axis: a tube with a radius of `tube`, bent to a ring with a radius of `ring`."""
    angles = np.arange(rings + 1) % rings * (2 * math.pi / rings)
    normals = np.stack([np.cos(angles), np.sin(angles)], 1)
    return _placed([_Profile(np.array([ring, 0.0]) + tube * normals, normals)], 2 * rings, centre, axis, colour)


def cone(base: Vector, tip: Vector, base_radius: float, tip_radius: float, colour: Colour, sides: int = 128) -> Surface:
    """A cone from `base` to `tip`, cut off where the tip has a radius; a cylinder or a wire where both are equal."""
    start, axis = np.asarray(base, np.float64), np.asarray(tip, np.float64) - np.asarray(base, np.float64)
    length = float(np.linalg.norm(axis))
    slant = math.hypot(length, base_radius - tip_radius)
    outwards = [length / slant, (base_radius - tip_radius) / slant]
    profiles = [
        _Profile(np.array([[0.0, 0.0], [base_radius, 0.0]]), np.array([[0.0, -1.0]] * 2)),
        _Profile(np.array([[base_radius, 0.0], [tip_radius, length]]), np.array([outwards] * 2)),
        _Profile(np.array([[tip_radius, length], [0.0, length]]), np.array([[0.0, 1.0]] * 2)),
    ]
    return _placed(profiles, sides, start, axis, colour)


def box(centre: Vector, sides: Vector, colour: Colour) -> Surface:
    """A box along the world's axes."""
    corners = np.array([[x, y, z] for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.5, 0.5)])
    faces = np.array([[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]])
    triangles = np.concatenate([faces[:, [0, 1, 2]], faces[:, [0, 2, 3]]])
    return Surface(corners * np.asarray(sides, np.float64) + np.asarray(centre, np.float64), triangles, None, colour)


def turned(surface: Surface, rotation: Rotation) -> Surface:
    """The surface turned about the origin; its colours stay where they are in the world."""
    normals = None if surface.normals is None else rotation.apply(surface.normals)
    return replace(surface, vertices=rotation.apply(surface.vertices), normals=normals)


def moved(surface: Surface, by: Vector) -> Surface:
    """The surface elsewhere; its colours stay where they are in the world."""
    return replace(surface, vertices=surface.vertices + np.asarray(by, np.float64))


def uniform(*rgb: float) -> Colour:
    """One colour everywhere."""
    return lambda points, _triangles: np.tile(np.array(rgb, np.float64), (len(points), 1))


def alternating(phases: Callable[[PointArray], Float64[np.ndarray, "k d"]], first: Colour, second: Colour) -> Colour:
    """Stripes (of one phase) or checks (of two): each period of a phase is half in the one colour, half in the other.

    >>> stripes = alternating(lambda points: points[:, :1], uniform(0, 0, 0), uniform(1, 1, 1))
    >>> stripes(np.array([[0.1, 0, 0], [0.6, 0, 0], [1.1, 0, 0]]), np.zeros(3, int))[:, 0].tolist()
    [0.0, 1.0, 0.0]

    Args:
        phases: of points, in periods.
    """

    def colour(points: PointArray, triangles: Triangles) -> Rgb:
        odd = np.floor(2 * phases(points)).sum(1, keepdims=True) % 2 > 0
        return np.where(odd, second(points, triangles), first(points, triangles))

    return colour


def longitude(points: PointArray) -> Float64[np.ndarray, " k"]:
    """Their angles about the z axis, from x towards y, in radians from -pi to pi."""
    return np.arctan2(points[:, 1], points[:, 0])


def latitude(points: PointArray) -> Float64[np.ndarray, " k"]:
    """Their angles above the plane z = 0 as seen from the origin, in radians from -pi / 2 to pi / 2."""
    return np.arctan2(points[:, 2], np.hypot(points[:, 0], points[:, 1]))


@dataclass(frozen=True, eq=False)
class _Profile:
    """A line that turns about an axis: points as (distance from the axis, height), and its normals there."""

    points: Float64[np.ndarray, "n 2"]
    normals: Float64[np.ndarray, "n 2"]


def _placed(profiles: Sequence[_Profile], sides: int, start: Vector, axis: Vector, colour: Colour) -> Surface:
    """Profiles turned about an axis that begins at `start`; they run so that outside is on their right."""
    about_z = joined([_revolved(profile, sides, colour) for profile in profiles])
    axis = np.asarray(axis, np.float64)
    towards = Rotation.align_vectors(axis[None] / np.linalg.norm(axis), np.array([[0.0, 0.0, 1.0]]))[0]
    return moved(turned(about_z, towards), start)


def _revolved(profile: _Profile, sides: int, colour: Colour) -> Surface:
    """A profile turned about the z axis; where it closes, its vertices lie exactly on each other."""
    angles = np.arange(sides + 1) % sides * (2 * math.pi / sides)
    around = np.stack([np.cos(angles), np.sin(angles)], 1)
    rows, columns = np.meshgrid(np.arange(len(profile.points) - 1), np.arange(sides), indexing="ij")
    first = (rows * (sides + 1) + columns).ravel()
    below, above = np.stack([first, first + 1]), np.stack([first, first + 1]) + sides + 1
    triangles = np.concatenate([np.stack([*below, above[1]], 1), np.stack([below[0], above[1], above[0]], 1)])
    vertices, normals = _circles(profile.points, around), _circles(profile.normals, around)
    corners = vertices[triangles]
    areas = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    return Surface(vertices, triangles[areas > 1e-12], normals, colour)  # on the axis, every other triangle is a line


def _circles(line: Float64[np.ndarray, "n 2"], around: Float64[np.ndarray, "s 2"]) -> Float64[np.ndarray, "m 3"]:
    across = line[:, None, :1] * around
    heights = np.broadcast_to(line[:, None, 1:], (*across.shape[:2], 1))
    return np.concatenate([across, heights], -1).reshape(-1, 3)
