"""A camera that a viewer moves around a 3D scene, or puts where one of its views was taken."""

import math
from dataclasses import replace
from typing import Literal, TypeAlias

import numpy as np
from jaxtyping import Float64, UInt8

from fieldlens.configs.errors import InputError
from fieldlens.configs.files import JsonObject
from fieldlens.render.camera import Camera, looking_at, upwards
from fieldlens.render.colour import distance_rgb, error_rgb, normals_rgb, to_rgb
from fieldlens.render.grid import CUBE_DIAGONAL
from fieldlens.scenes.pictures.area import fitted_size
from fieldlens.studies.subjects.film import orbit_of
from fieldlens.studies.subjects.subject import Eye, PlacedView, Spatial

from .asked import Photograph, Size, View

SIDES = {"draft": 64, "fine": 256}
"""Pixels along the longer side of a picture, by the question's word."""
STRIP = 32
"""Rows of a fine picture that are drawn at a time: a reader who moves on has no more than one drawn in vain."""

COARSEST_STEP = 1 / 32
"""Of a ray, in sides of the cube, however coarse the pixels."""

MAP_PIXELS = {"draft": 256, "fine": 4096}
"""Of a whole picture, about, in which creases are measured."""

FRUSTUM = 0.12
"""How far the picture of a camera is drawn from it, in distances of the orbit."""

Drawn: TypeAlias = UInt8[np.ndarray, "h w 3"]
Mode: TypeAlias = Literal["colour", "distance", "normals", "creases"]


class Orbit:
    """The sphere around the scene's middle that the camera moves on, at first where an orbit begins."""

    def __init__(self, subject: Spatial) -> None:
        self._subject = subject
        (self._first,) = orbit_of(subject, 1)
        self._centre, self._up = np.asarray(subject.bounds.centre), upwards(subject.cameras())
        away = self._first.position - self._centre
        self._radius = float(np.linalg.norm(away))
        self.elevation = math.degrees(math.asin(np.clip(away @ self._up / self._radius, -1, 1)))
        """Degrees above the horizon, where it is at first."""
        self._ahead = self._first.pose[:3, 0]
        """The camera's right: to there it moves first as its azimuth rises."""
        self._outwards = np.cross(self._ahead, self._up)

    def for_page(self) -> JsonObject:
        """What a page needs to move the camera and to draw those of the views: all in the unit cube's coordinates."""
        first = self._subject.bounds.camera_to_unit(self._first)
        radius = float(np.linalg.norm(first.position - 0.5))
        return {
            "elevation": self.elevation,
            "size": _size(first, "fine"),
            "strip": STRIP,
            "focal": first.focal[0] / first.width,
            "radius": radius,
            "axes": [axis.tolist() for axis in (self._outwards, self._ahead, self._up)],
            "views": [
                {
                    "name": view.name,
                    "size": _size(view.camera, "fine"),
                    "eye": view.camera.position.tolist(),
                    "corners": _corners(view.camera, FRUSTUM * radius).tolist(),
                }
                for view in self._subject.every_view
            ],
        }

    def camera(self, view: View) -> Camera:
        """The camera of a question, in the unit cube's coordinates."""
        azimuth, elevation = math.radians(view.azimuth), math.radians(view.elevation)
        level = math.cos(azimuth) * self._outwards + math.sin(azimuth) * self._ahead
        direction = math.cos(elevation) * level + math.sin(elevation) * self._up
        eye = self._centre + view.away * self._radius * direction
        camera = self._first.at(looking_at(eye, self._centre, self._up))
        return _sized(self._subject.bounds.camera_to_unit(camera), view.size)

    def picture(self, eye: Eye, view: View) -> Drawn:
        """What the camera shows an eye of the subject.

        Raises:
            InputError: for a strip beyond the picture, or creases of a field that has none.
        """
        camera = self.camera(view)
        return self._seen(eye, camera, _rows(camera, view.size, view.strip), view.size, view.mode)

    def photograph(self, eye: Eye, asked: Photograph) -> Drawn:
        """One of the scene's own views, always whole; what the field shows there; or the error between both.

        Raises:
            InputError: for a view that there is not, and as `picture` does.
        """
        view = self._view(asked.number)
        camera = _sized(view.camera, asked.size)
        if asked.mode == "photograph":
            return to_rgb(view.target(camera.height, camera.width))
        rows = _rows(camera, asked.size, asked.strip)
        if asked.mode != "error":
            return self._seen(eye, camera, rows, asked.size, asked.mode)
        target = view.target(camera.height, camera.width)[rows]
        seen = eye(_cropped(camera, rows), 0, least_step=_step_of_pixels(camera))
        return error_rgb(target, seen.colour)

    def _view(self, number: int) -> PlacedView:
        views = self._subject.every_view
        if number >= len(views):
            raise InputError(f"there are {len(views)} views, from 0, and none of number {number}")
        return views[number]

    def _seen(self, eye: Eye, camera: Camera, rows: slice, size: Size, mode: Mode) -> Drawn:
        """Some rows of what a camera sees."""
        part = _cropped(camera, rows)
        # of crease density a strip has its share
        most = max(1, MAP_PIXELS[size] * part.height // camera.height) if mode == "creases" else 0
        seen = eye(part, most, least_step=_step_of_pixels(camera))
        match mode:
            case "colour":
                return to_rgb(seen.colour)
            case "distance":
                middle = float(np.linalg.norm(camera.position - 0.5))
                return distance_rgb(seen.distance, max(0.0, middle - CUBE_DIAGONAL / 2), middle + CUBE_DIAGONAL / 2)
            case "normals":
                return normals_rgb(seen.normals, seen.opacity)
            case "creases":
                if seen.creases is None:
                    raise InputError("this field has no creases: sines have none, nor has a fit that has diverged")
                return seen.creases


def _size(camera: Camera, size: Size) -> tuple[int, int]:
    """Height and width of a picture."""
    return fitted_size(camera.height, camera.width, SIDES[size])


def _sized(camera: Camera, size: Size) -> Camera:
    return camera.resized(*_size(camera, size))


def _rows(camera: Camera, size: Size, strip: int) -> slice:
    """The rows of a strip; a draft is whole.

    Raises:
        InputError: for a strip beyond the picture.
    """
    rows = camera.height if size == "draft" else STRIP
    strips = math.ceil(camera.height / rows)
    if strip >= strips:
        raise InputError(f"a {size} picture has {strips} strips here, from 0, and none of number {strip}")
    return slice(strip * rows, min((strip + 1) * rows, camera.height))


def _cropped(camera: Camera, rows: slice) -> Camera:
    """The camera that sees some of the rows."""
    x, y = camera.centre
    return replace(camera, height=rows.stop - rows.start, centre=(x, y - rows.start))


def _step_of_pixels(camera: Camera) -> float:
    """How wide a pixel is at the cube's middle: along its ray nothing finer needs to be asked, in a draft."""
    return min(COARSEST_STEP, float(np.linalg.norm(camera.position - 0.5)) / camera.focal[0])


def _corners(camera: Camera, depth: float) -> Float64[np.ndarray, "4 3"]:
    """The corners of a camera's picture, drawn at a depth in front of it, one behind the other around it."""
    xy = np.array([(0, 0), (camera.width, 0), (camera.width, camera.height), (0, camera.height)], float)
    across, down = ((xy - np.array(camera.centre)) / np.array(camera.focal)).T
    own = np.stack([across, -down, -np.ones(4)], 1) * depth
    return camera.position + own @ camera.pose[:3, :3].T
