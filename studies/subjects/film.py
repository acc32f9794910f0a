"""What a camera that moves around a 3D scene sees of a field: colour, distance, normals and crease density."""

from collections.abc import Sequence

import numpy as np

from fieldlens.fields import Trainable
from fieldlens.render.camera import Camera, orbit_among
from fieldlens.render.colour import density_legend, distance_rgb, normals_rgb, to_rgb
from fieldlens.render.grid import CUBE_DIAGONAL
from fieldlens.render.panel import Tile, panel
from fieldlens.render.text import BACKGROUND
from fieldlens.scenes.pictures.area import fitted_size
from fieldlens.scenes.posed_view import PREVIEW_SIDE

from .creases import has_creases
from .found import Image
from .subject import Spatial

TURN = 48
"""Frames in which a turntable goes around once: 4 s of a video of training."""
TURN_MAP_PIXELS = 1250
"""Pixels of such a frame in which crease density is measured: half as many as of a view, as it is in every frame."""


class Film:
    """Frames of a scene's field along a row of cameras, which begins anew after the last.

    Args:
        cameras: in the world's coordinates, all of one size.
        map_pixels: in about how many of a frame's pixels crease density is measured, where that takes long; in all
            unless told.
    """

    def __init__(self, subject: Spatial, cameras: Sequence[Camera], map_pixels: int | None = None) -> None:
        self.subject, self.map_pixels = subject, map_pixels
        self.cameras = [subject.bounds.camera_to_unit(camera) for camera in cameras]
        away = [float(np.linalg.norm(camera.position - 0.5)) for camera in self.cameras]
        # the cube as any of the cameras sees it: one scale of distances for the whole film
        self._range = max(0.0, min(away) - CUBE_DIAGONAL / 2), max(away) + CUBE_DIAGONAL / 2

    def frame(self, field: Trainable, number: int, title: str) -> Image:
        """What the camera of frame `number`, from 0, sees of a field."""
        camera = self.cameras[number % len(self.cameras)]
        seen = self.subject.seen(field, camera, self.map_pixels)
        tiles = [
            Tile(to_rgb(seen.colour), self.subject.surface_caption),
            Tile(distance_rgb(seen.distance, *self._range), "distance (dark: far)"),
            Tile(normals_rgb(seen.normals, seen.opacity), "normals"),
        ]
        if has_creases(field):
            # those of a field that has diverged are blank: all frames of a film are of one size
            blank = np.full((camera.height, camera.width, 3), BACKGROUND, np.uint8)
            creases = blank if seen.creases is None else seen.creases
            tiles.append(Tile(creases, "crease density", legend=density_legend))
        return panel(tiles, title, columns=min(2, len(tiles)) if camera.width > camera.height else len(tiles))


def orbit_of(subject: Spatial, frames: int) -> list[Camera]:
    """Cameras that go around a scene once, in the world's coordinates.

    At the median distance, elevation and field of view of the subject's own cameras.
    """
    return orbit_among(subject.cameras(), subject.bounds.centre, frames)


def turntable(subject: Spatial) -> Film:
    """The film of a fit in progress: an orbit in `TURN` frames, as large as the frames of a view are."""
    cameras = orbit_of(subject, TURN)
    size = fitted_size(cameras[0].height, cameras[0].width, PREVIEW_SIDE)
    return Film(subject, [camera.resized(*size) for camera in cameras], TURN_MAP_PIXELS)
