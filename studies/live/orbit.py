"""A camera that a viewer moves around a 3D scene, and what the field shows it."""

import math

import numpy as np
from jaxtyping import UInt8

from fieldlens.fields import Trainable
from fieldlens.render.camera import Camera, looking_at, upwards
from fieldlens.render.colour import distance_rgb, normals_rgb, to_rgb
from fieldlens.render.grid import CUBE_DIAGONAL
from fieldlens.scenes.pictures.area import fitted_size
from fieldlens.studies.subjects.film import orbit_of
from fieldlens.studies.subjects.subject import Spatial

from .asked import View

SIDES = {"draft": 64, "fine": 256}
"""Pixels along the longer side of a picture, by the question's word."""

FEW_PIXELS = 16
"""In which creases are measured for a picture that does not show them."""


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

    @property
    def aspect(self) -> float:
        """Width over height of its pictures."""
        return self._first.width / self._first.height

    def camera(self, view: View) -> Camera:
        """The camera of a question, in the unit cube's coordinates."""
        azimuth, elevation = math.radians(view.azimuth), math.radians(view.elevation)
        level = math.cos(azimuth) * self._outwards + math.sin(azimuth) * self._ahead
        direction = math.cos(elevation) * level + math.sin(elevation) * self._up
        eye = self._centre + view.away * self._radius * direction
        size = fitted_size(self._first.height, self._first.width, SIDES[view.size])
        camera = self._first.resized(*size).at(looking_at(eye, self._centre, self._up))
        return self._subject.bounds.camera_to_unit(camera)

    def picture(self, field: Trainable, view: View) -> UInt8[np.ndarray, "h w 3"]:
        """What the field shows the camera."""
        camera = self.camera(view)
        seen = self._subject.seen(field, camera, FEW_PIXELS)
        match view.mode:
            case "colour":
                return to_rgb(seen.colour)
            case "distance":
                middle = float(np.linalg.norm(camera.position - 0.5))
                return distance_rgb(seen.distance, max(0.0, middle - CUBE_DIAGONAL / 2), middle + CUBE_DIAGONAL / 2)
            case "normals":
                return normals_rgb(seen.normals, seen.opacity)
