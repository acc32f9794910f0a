"""The built-in 3D scenes, from simple to hard for a network that prefers low frequencies.

Each lies within the unit sphere about the origin, z up. Cameras stand at one distance all around, and see that sphere
with a little room to spare: at 100 x 100 pixels, a pixel in the middle of the picture is `pixel_size(100)` = 0.0215
wide at the origin, which is what "px" means below. All photographs are computed, see `photography`.

What a camera sees exactly is `Studio(DEMOS[name].surfaces()).ground_truth(camera)`.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float64, Int64, UInt8
from scipy.spatial.transform import Rotation

from fieldlens.render.camera import Camera, looking_at, perspective

from .captures.capture import Bounds, Capture, Photograph
from .solids.crane import crane
from .solids.surfaces import (
    Surface,
    alternating,
    box,
    cone,
    joined,
    latitude,
    longitude,
    sphere,
    torus,
    turned,
    uniform,
)

CAMERA_DISTANCE = 4.0
"""Distance of every camera from the origin."""

ANGLE_X = 2 * math.asin(1.04 / CAMERA_DISTANCE)
"""Horizontal and vertical field of view of every camera in radians: it takes in a sphere with a radius of 1.04."""

BOUNDS = Bounds((0.0, 0.0, 0.0), side=2.0)
"""The cube that every built-in scene is modelled in."""

PHOTO_SIDE, TRAIN_PHOTOS, HELDOUT_PHOTOS = 100, 100, 20
"""Pixels along a side of each photograph, and how many photographs there are to train on and held out."""

TEAPOT = Path(__file__).with_name("meshes") / "teapot.npz"


@dataclass(frozen=True)
class Demo:
    """A 3D scene that comes with the program."""

    name: str
    description: str
    credit: str
    surfaces: Callable[[], Sequence[Surface]]


def solids() -> list[Surface]:
    """A cube with another solid on each of its faces, each in one colour: all detail is at edges and outlines."""
    half = 0.3
    red_box = box((0.0, 0.0, half + 0.2), (0.4, 0.4, 0.4), uniform(0.80, 0.26, 0.22))
    return [
        box((0.0, 0.0, 0.0), (2 * half, 2 * half, 2 * half), uniform(0.88, 0.86, 0.82)),
        sphere((half + 0.3, 0.0, 0.0), 0.34, uniform(0.20, 0.42, 0.73)),
        cone((-half, 0.0, 0.0), (-0.95, 0.0, 0.0), 0.3, 0.0, uniform(0.27, 0.60, 0.40)),
        torus((0.0, half + 0.14, 0.0), (0.0, 1.0, 0.0), 0.22, 0.14, uniform(0.60, 0.38, 0.66)),
        cone((0.0, -half, 0.0), (0.0, -0.9, 0.0), 0.2, 0.2, uniform(0.91, 0.73, 0.25)),
        turned(red_box, Rotation.from_rotvec([0.0, 0.0, math.pi / 4])),
        cone((0.0, 0.0, -half), (0.0, 0.0, -0.85), 0.14, 0.34, uniform(0.93, 0.52, 0.22)),
    ]


def checker() -> list[Surface]:
    """A torus of 24 x 8 checks, tilted about a sphere of 12 x 6: edges between colours, 8 px apart and more."""
    tilt, ring, tube = Rotation.from_euler("xy", [25.0, 15.0], degrees=True), 0.70, 0.27

    def on_torus(points: Float64[np.ndarray, "k 3"]) -> Float64[np.ndarray, "k 2"]:
        own = tilt.inv().apply(points)
        through = np.arctan2(own[:, 2], np.hypot(own[:, 0], own[:, 1]) - ring)
        return np.stack([12 * longitude(own), 4 * through], 1) / (2 * math.pi)

    def on_sphere(points: Float64[np.ndarray, "k 3"]) -> Float64[np.ndarray, "k 2"]:
        return np.stack([6 * longitude(points), 6 * latitude(points)], 1) / (2 * math.pi)

    teal, red = uniform(0.10, 0.38, 0.45), uniform(0.78, 0.22, 0.18)
    axis = tilt.apply([0.0, 0.0, 1.0])
    return [
        torus((0.0, 0.0, 0.0), axis, ring, tube, alternating(on_torus, uniform(0.94, 0.91, 0.83), teal)),
        sphere((0.0, 0.0, 0.0), 0.37, alternating(on_sphere, uniform(0.96, 0.93, 0.87), red)),
    ]


def lattice() -> list[Surface]:
    """48 wires that cross at 4 x 4 x 4 points, 1.9 px thick at the origin: outlines everywhere, behind one another."""
    half, radius = 0.56, 0.02

    def colour(points: Float64[np.ndarray, "k 3"], _triangles: Int64[np.ndarray, " k"]) -> Float64[np.ndarray, "k 3"]:
        return np.clip(0.05 + 0.85 * (points / half + 1) / 2, 0, 1)  # red along x, green along y, blue along z

    places = np.linspace(-half, half, 4)
    wires = [
        cone(
            np.insert([a, b], axis, -half - radius), np.insert([a, b], axis, half + radius), radius, radius, colour, 16
        )
        for axis in range(3)
        for a in places
        for b in places
    ]
    return [joined(wires)]


def teapot() -> list[Surface]:
    """The Utah teapot in wavy stripes, a dark and a light one in 0.12 or 5.6 px, from the knob to the bottom."""
    with np.load(TEAPOT, allow_pickle=False) as mesh:
        vertices, normals, triangles = (mesh[name] for name in ("vertices", "normals", "triangles"))
    vertices = vertices.astype(np.float64)
    vertices -= (vertices.min(0) + vertices.max(0)) / 2
    vertices /= np.linalg.norm(vertices, axis=1).max()

    def stripes(points: Float64[np.ndarray, "k 3"]) -> Float64[np.ndarray, "k 1"]:
        # By latitude, not by height, so that they are as fine on the flat lid as on the belly, 0.55 from the middle.
        wave = 0.06 * np.hypot(points[:, 0], points[:, 1]) * np.sin(6 * longitude(points))
        return (0.55 * latitude(points) + wave)[:, None] / 0.12

    def dark(points: Float64[np.ndarray, "k 3"], _triangles: Int64[np.ndarray, " k"]) -> Float64[np.ndarray, "k 3"]:
        height = np.clip(points[:, 2:] / 0.9 + 0.5, 0, 1)
        return (1 - height) * np.array([0.03, 0.30, 0.50]) + height * np.array([0.90, 0.32, 0.18])

    colour = alternating(stripes, dark, uniform(0.97, 0.94, 0.86))
    return [Surface(vertices, triangles.astype(np.int64), normals.astype(np.float64), colour)]


_COMPUTED = "generated by this program"

_ALL = (
    Demo("solids", "seven solids, each in one colour", _COMPUTED, solids),
    Demo("checker", "a checkered torus about a checkered sphere", _COMPUTED, checker),
    Demo("teapot", "the Utah teapot in fine wavy stripes", "mesh by Martin Newell; public domain", teapot),
    Demo("lattice", "48 thin wires that cross in a cube", _COMPUTED, lattice),
    Demo("crane", "a toy crane of bricks, tracks, thin bars and ropes, each in patterns", _COMPUTED, crane),
)

DEMOS: dict[str, Demo] = {demo.name: demo for demo in _ALL}
"""The built-in 3D scenes by name, the simplest first."""


def pixel_size(side: int = PHOTO_SIDE) -> float:
    """How wide a pixel in the middle of a picture of so many pixels is, at the origin.

    >>> round(pixel_size(100), 4)
    0.0215
    """
    return 2 * CAMERA_DISTANCE * math.tan(ANGLE_X / 2) / side


def cameras(count: int, side: int = PHOTO_SIDE) -> list[Camera]:
    """Cameras evenly spread over all directions, on a spiral from the top to the bottom that turns by the golden angle.

    Source: R. Swinbank and R. J. Purser, "Fibonacci grids: a novel approach to global modelling", 2006.
    """
    numbers = np.arange(count)
    turn, height = numbers * math.pi * (3 - math.sqrt(5)), 1 - (2 * numbers + 1) / count
    level = np.sqrt(1 - height**2)
    eyes = CAMERA_DISTANCE * np.stack([level * np.cos(turn), level * np.sin(turn), height], 1)
    return [perspective(side, side, ANGLE_X, looking_at(eye, (0.0, 0.0, 0.0))) for eye in eyes]


def photographed(
    demo: Demo,
    side: int = PHOTO_SIDE,
    train: int = TRAIN_PHOTOS,
    heldout: int = HELDOUT_PHOTOS,
    progress: Callable[[float], None] = lambda _share: None,
) -> Capture:
    """All photographs of a scene, RGBA; those held out lie evenly among those that are trained on.

    Args:
        side: of each photograph, in pixels.
        progress: is told the share that is done.
    """
    return photographs(demo.name, demo.surfaces(), side, train, heldout, progress)


def photographs(
    name: str,
    surfaces: Sequence[Surface],
    side: int = PHOTO_SIDE,
    train: int = TRAIN_PHOTOS,
    heldout: int = HELDOUT_PHOTOS,
    progress: Callable[[float], None] = lambda _share: None,
) -> Capture:
    """Photographs of any surfaces within the unit sphere, as those of a demo scene."""
    from .solids.photography import Studio  # imports Open3D, which takes seconds

    studio, everywhere = Studio(surfaces), cameras(train + heldout, side)
    spared = {round((number + 0.5) * len(everywhere) / heldout - 0.5) for number in range(heldout)}
    split: dict[str, list[Photograph]] = {"train": [], "test": []}
    for number, camera in enumerate(everywhere):
        kind = split["test" if number in spared else "train"]
        pixels = np.round(255 * studio.photograph(camera)).astype(np.uint8)
        kind.append(Photograph(f"{'test' if number in spared else 'train'}/r_{len(kind)}.png", camera, pixels))
        progress((number + 1) / len(everywhere))
    note = f"{train + heldout} photographs by ray casting, {side}x{side}, RGBA, 8 bit"
    return Capture(name, split["train"], split["test"], BOUNDS, (note,))


def thumbnail(demo: Demo, side: int = 256) -> UInt8[np.ndarray, "h w 3"]:
    """The scene from in front and a little above, on white."""
    from .solids.photography import Studio

    azimuth, elevation = math.radians(-60), math.radians(25)
    level = CAMERA_DISTANCE * math.cos(elevation)
    eye = (level * math.cos(azimuth), level * math.sin(azimuth), CAMERA_DISTANCE * math.sin(elevation))
    camera = perspective(side, side, ANGLE_X, looking_at(eye, (0.0, 0.0, 0.0)))
    picture = Studio(demo.surfaces()).photograph(camera)
    return np.round(255 * (picture[..., :3] + 1 - picture[..., 3:])).astype(np.uint8)
