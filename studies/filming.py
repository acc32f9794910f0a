"""What a camera that moves around a 3D scene sees of a field: colour, distance, normals and crease density."""

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from jaxtyping import UInt8

from fields import Field, RadianceField
from render.camera import Camera, orbit_among
from render.colour import density_legend, density_rgb, distance_rgb, normals_rgb, to_rgb
from render.panel import Tile, panel
from render.text import BACKGROUND
from scenes.captures.capture import Bounds
from scenes.pictures.area import fitted_size
from scenes.posed import PosedScene
from scenes.posed_view import PREVIEW_SIDE, see
from scenes.shape import Shape, ShapeView

from .explaining import creased, has_creases
from .posed import crease_picture
from .shapes import surface_crossings

Image: TypeAlias = UInt8[np.ndarray, "_ _ 3"]

TURN = 48
"""Frames in which a turntable goes around once: 4 s of a video of training."""
TURN_MAP_PIXELS = 1250
"""Pixels of such a frame in which crease density is measured: half as many as of a view, as it is in every frame."""


class Film:
    """Frames of a scene's field along a row of cameras, which begins anew after the last.

    Args:
        cameras: in the world's coordinates, all of one size.
        map_pixels: in about how many of a frame's pixels the crease density of a radiance field is measured; in all
            unless told.
    """

    def __init__(self, scene: PosedScene | Shape, cameras: Sequence[Camera], map_pixels: int | None = None) -> None:
        self.scene, self.map_pixels = scene, map_pixels
        self.cameras = [_bounds(scene).camera_to_unit(camera) for camera in cameras]
        away = [float(np.linalg.norm(camera.position - 0.5)) for camera in self.cameras]
        # the cube as any of the cameras sees it: one scale of distances for the whole film
        self._range = max(0.0, min(away) - math.sqrt(3) / 2), max(away) + math.sqrt(3) / 2

    def frame(self, field: Any, number: int, title: str) -> Image:
        """What the camera of frame `number`, from 0, sees of a field."""
        camera = self.cameras[number % len(self.cameras)]
        if isinstance(self.scene, Shape):
            tiles = self._of_shape(self.scene, field, camera)
        else:
            tiles = self._of_photographs(self.scene, field, camera)
        return panel(tiles, title, columns=min(2, len(tiles)) if camera.width > camera.height else len(tiles))

    def _of_photographs(self, scene: PosedScene, field: RadianceField, camera: Camera) -> list[Tile]:
        seen = see(field, camera, scene.step_length, scene.views()[0].shown_over, device=field.device)
        tiles = [
            Tile(to_rgb(seen.colour), "colour"),
            Tile(distance_rgb(seen.distance, *self._range), "distance (dark: far)"),
            Tile(normals_rgb(camera.normals(seen.distance), seen.opacity), "normals"),
        ]
        if not has_creases(field):
            return tiles
        diverged = creased(field) is None
        creases = _blank(camera) if diverged else crease_picture(field, camera, scene.step_length, self.map_pixels)
        return [*tiles, Tile(creases, "crease density", legend=density_legend)]

    def _of_shape(self, shape: Shape, field: Field, camera: Camera) -> list[Tile]:
        seen = ShapeView("film", shape, camera).field_seen(field, device=field.device)
        tiles = [
            Tile(to_rgb(seen.colour), "surface"),
            Tile(distance_rgb(seen.distance(camera), *self._range), "distance (dark: far)"),
            Tile(normals_rgb(seen.normals, seen.met.astype(np.float32)), "normals"),
        ]
        if not has_creases(field):
            return tiles
        network = creased(field)
        creases = _blank(camera) if network is None else density_rgb(surface_crossings(network, camera, seen).sum(0))
        return [*tiles, Tile(creases, "crease density", legend=density_legend)]


def orbit_of(scene: PosedScene | Shape, frames: int) -> list[Camera]:
    """Cameras that go around a scene once, in the world's coordinates.

    At the median distance, elevation and field of view of the cameras that it was fitted from; of a shape, of those
    that see it from above.
    """
    bounds = _bounds(scene)
    if isinstance(scene, PosedScene):
        among = [photograph.camera for photograph in scene.capture.train]
    else:
        cameras = [view.camera for view in scene.views()]
        up = np.asarray(scene.mesh.up)
        among = [bounds.camera_to_world(camera) for camera in cameras if (camera.position - 0.5) @ up > 0]
    return orbit_among(among, bounds.centre, frames)


def turntable(scene: PosedScene | Shape) -> Film:
    """The film of a fit in progress: an orbit in `TURN` frames, as large as the frames of a view are."""
    cameras = orbit_of(scene, TURN)
    size = fitted_size(cameras[0].height, cameras[0].width, PREVIEW_SIDE)
    return Film(scene, [camera.resized(*size) for camera in cameras], TURN_MAP_PIXELS)


def _blank(camera: Camera) -> Image:
    """In place of the creases of a field that has diverged: all frames of a film are of one size."""
    return np.full((camera.height, camera.width, 3), BACKGROUND, np.uint8)


def _bounds(scene: PosedScene | Shape) -> Bounds:
    return scene.capture.bounds if isinstance(scene, PosedScene) else scene.bounds
