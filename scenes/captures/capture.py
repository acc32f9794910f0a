"""Photographs of a scene from known places: what loaders and demo scenes give, and radiance fields are fitted to."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, UInt8

from fieldlens.configs.errors import counted
from fieldlens.render.camera import Camera
from fieldlens.render.overview import cameras_overview

from ..pictures.area import area_average, fitted_size


@dataclass(frozen=True, eq=False)
class Photograph:
    """A picture and the camera that took it."""

    name: str
    """The name that the file of cameras has for it, such as train/r_0.png."""
    camera: Camera
    pixels: UInt8[np.ndarray, "h w c"]
    """RGB, or RGBA with alpha premultiplied."""

    def reduced(self, max_side: int) -> "Photograph":
        """The same by area averaging, with its longer side at most that many pixels."""
        size = fitted_size(self.camera.height, self.camera.width, max_side)
        pixels = np.round(area_average(self.pixels, *size)).astype(np.uint8)
        return Photograph(self.name, self.camera.resized(*size), pixels)


@dataclass(frozen=True)
class Bounds:
    """A cube of the world outside of which nothing is modelled; fields see it as the unit cube [0, 1]^3."""

    centre: tuple[float, float, float]
    side: float

    def to_unit(self, points: Float64[np.ndarray, "n 3"]) -> Float64[np.ndarray, "n 3"]:
        """Points of the world in the unit cube's coordinates.

        >>> Bounds((1.0, 0.0, 0.0), side=2.0).to_unit(np.array([[2.0, 0.0, -1.0]])).tolist()
        [[1.0, 0.5, 0.0]]
        """
        return (points - np.array(self.centre)) / self.side + 0.5

    def to_world(self, points: Float64[np.ndarray, "n 3"]) -> Float64[np.ndarray, "n 3"]:
        """The inverse of `to_unit`."""
        return (points - 0.5) * self.side + np.array(self.centre)

    def camera_to_unit(self, camera: Camera) -> Camera:
        """The camera that sees the unit cube as this one sees the bounds; distances are divided by the side."""
        pose = camera.pose.copy()
        pose[:3, 3] = self.to_unit(camera.position[None])[0]
        return camera.at(pose)

    def camera_to_world(self, camera: Camera) -> Camera:
        """The inverse of `camera_to_unit`."""
        pose = camera.pose.copy()
        pose[:3, 3] = self.to_world(camera.position[None])[0]
        return camera.at(pose)


@dataclass(frozen=True, eq=False)
class Capture:
    """All photographs of a scene, those that are trained on and those held out, and where the scene lies."""

    name: str
    train: Sequence[Photograph]
    heldout: Sequence[Photograph]
    bounds: Bounds
    notes: tuple[str, ...] = ()
    """What the photographs are, and everything that was done to them, in words."""


def overview(capture: Capture) -> UInt8[np.ndarray, "h w 3"]:
    """All cameras around the cube of the scene, and some of the photographs: what is looked at before training."""
    photographs = [*capture.train, *capture.heldout]
    return cameras_overview(
        [photograph.camera for photograph in capture.train],
        [photograph.camera for photograph in capture.heldout],
        capture.bounds.centre,
        capture.bounds.side,
        [(photograph.name, photograph.pixels) for photograph in photographs],
        f"{capture.name}: {counted(len(photographs), 'camera')}",
    )
