"""Where the scene lies that photographs show, as a cube; found from the cameras, and from silhouettes where there are.

Nothing here has a unit: a scene in millimetres gets a thousand times the cube of the same scene in metres.
"""

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64, Int64

from fieldlens.configs.errors import InputError
from fieldlens.render.camera import Camera

from .axes import LOOSELY, SURELY, nearest_to_axes, other_convention
from .capture import Bounds, Photograph
from .hull import cell_centres, visual_hull

PARALLEL = math.radians(2)
"""Axes that spread by less than this angle (root mean square) do not tell how far away they meet."""

ASSUMED_DISTANCE = 4.0
"""How far away a scene is taken to be where the axes do not tell, in radii of the cameras' places."""

HULL_MARGIN = 1.05
"""The cube's side as a multiple of the longest extent of what the silhouettes leave."""

LEAST_SEEN_SHARE = 0.5
"""A cell is a part of the scene only where at least this share of all views has it in the frame."""

ENOUGH = 8
"""Cameras that hardly look at one place by accident, when their matrices are read otherwise than they are meant."""

SETTLED_SHARE = 0.9
"""A cube is as small as it gets once another look shrinks its side to no less than this share of what it was."""

_COARSE, _FINE, _LOOKS = 32, 64, 4
"""Cells along the cube's side in the first look and in all others, and how many others there are at most."""


def scene_bounds(photographs: Sequence[Photograph]) -> tuple[Bounds, tuple[str, ...]]:
    """The cube that holds what the photographs show in common, and how it was found, in words.

    First by the cameras alone (`cameras_bounds`). Where pictures have alpha, their visual hull then makes it smaller.

    Raises InputError, naming a photograph, where cameras stand in one place or most look away.
    """
    bounds, notes = cameras_bounds(photographs)
    tightened = _tightened(photographs, bounds)
    if tightened is None:
        return bounds, notes
    return tightened, (*notes, "the bounds are those of what the silhouettes have in common")


def cameras_bounds(photographs: Sequence[Photograph]) -> tuple[Bounds, tuple[str, ...]]:
    """The cube around the point nearest to all optical axes, as wide as the diagonal of a picture there; and in words
    what was assumed for it.

    Half the width is the median over the cameras, and no more than the median distance: a wide lens sees more than the
    cameras surround. Raises InputError as `scene_bounds` does.
    """
    cameras = [photograph.camera for photograph in photographs]
    places = np.stack([camera.position for camera in cameras])
    middle = (places.min(0) + places.max(0)) / 2
    radius = float(np.linalg.norm(places - middle, axis=1).max())
    otherwise = other_convention(cameras, LOOSELY)
    if not radius > 1e-9 * max(float(np.abs(places).max()), 1e-9):
        raise InputError(
            f"all {len(cameras)} cameras stand in one place, as {photographs[0].name} does, so nothing tells how far "
            f"away the scene is; {otherwise or 'photographs from several places are needed'}"
        )
    forwards = np.stack([camera.forward for camera in cameras])
    # in units of the cameras' own spread, so that neither squares nor tolerances depend on the scene's unit
    nearest, spread = nearest_to_axes((places - middle) / radius, forwards)
    notes: tuple[str, ...] = ()
    onwards = forwards.mean(0)
    if spread < PARALLEL and np.linalg.norm(onwards) > 0.5:  # those that face each other meet half way
        nearest = ASSUMED_DISTANCE * onwards / np.linalg.norm(onwards)
        notes = (
            f"the cameras all look the same way, so the scene is taken to be {ASSUMED_DISTANCE * radius:.4g} units "
            "in front of them",
        )
    centre = middle + radius * nearest
    depths = np.array([camera.forward @ (centre - camera.position) for camera in cameras])
    notes = (*notes, *_doubts(photographs, depths, otherwise))
    before = [(camera, depth) for camera, depth in zip(cameras, depths, strict=True) if depth > 0]
    half = float(np.median([depth * min(1.0, _half_diagonal(camera)) for camera, depth in before]))
    x, y, z = (float(value) for value in centre)
    return Bounds((x, y, z), 2 * half), notes


def _doubts(
    photographs: Sequence[Photograph], depths: Float64[np.ndarray, " n"], otherwise: str | None
) -> tuple[str, ...]:
    """What makes the cameras doubtful that is no reason to refuse them, by the depth of the scene in front of each.

    Args:
        otherwise: how their matrices would make more sense, where they would.
    """
    away = depths <= 0
    said = (
        f"{np.count_nonzero(away)} of {len(depths)} cameras look away from where their axes come nearest to each other"
    )
    first = f"the first of them that of {photographs[int(np.argmax(away))].name}"
    if 2 * np.count_nonzero(away) > len(depths):
        around = "a scene has to be seen from around it (are the matrices camera-to-world, with OpenGL's axes?)"
        raise InputError(f"{said}, {first}; {otherwise or around}")
    doubts = [f"{said}, {first}"] if away.any() else []
    if otherwise is not None:
        doubts.append(f"the {len(depths)} cameras do not look at one place; {otherwise}")
        if len(depths) >= ENOUGH and other_convention([p.camera for p in photographs], SURELY) is not None:
            raise InputError(doubts[-1])
    return tuple(doubts)


def _half_diagonal(camera: Camera) -> float:
    """Half the diagonal of the picture at depth 1."""
    return math.hypot(camera.width / camera.focal[0], camera.height / camera.focal[1]) / 2


def _tightened(photographs: Sequence[Photograph], bounds: Bounds) -> Bounds | None:
    """The cube around what the silhouettes leave of twice the bounds; None where that is nothing, or no less than them.

    Cells that are in the frames of few views count as empty: shadows of the scene, which no other view cuts short.
    """
    found = Bounds(bounds.centre, 2 * bounds.side)
    for resolution in (_COARSE, *[_FINE] * _LOOKS):
        hull = visual_hull(photographs, found, resolution)
        if hull is None:
            return None
        cells = np.flatnonzero(hull)
        views = _views_of(photographs, found.to_world(cell_centres(cells, resolution)))
        cells = cells[views >= LEAST_SEEN_SHARE * len(photographs)]
        places = np.stack(np.unravel_index(cells, hull.shape), 1)
        if len(places) == 0:
            return None
        low, high = places.min(0) / resolution, (places.max(0) + 1) / resolution
        x, y, z = (float(value) for value in found.to_world((low + high)[None] / 2)[0])
        tighter = Bounds((x, y, z), HULL_MARGIN * float((high - low).max()) * found.side)
        settled = resolution == _FINE and tighter.side > SETTLED_SHARE * found.side
        found = min(found, tighter, key=lambda cube: cube.side)
        if settled:
            break
    return found if found.side < SETTLED_SHARE * bounds.side else None


def _views_of(photographs: Sequence[Photograph], points: Float64[np.ndarray, "n 3"]) -> Int64[np.ndarray, " n"]:
    """How many pictures have points in their frame."""
    count = np.zeros(len(points), np.int64)
    for camera in (photograph.camera for photograph in photographs):
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):  # points beside a camera
            xy, depth = camera.project(points)
            count += (depth > 0) & (xy >= 0).all(1) & (xy <= np.array([camera.width, camera.height])).all(1)
    return count
