"""What a camera that moves around a 3D scene sees of a field: colour, distance, normals and crease density.

As frames of a film, and at the end of a fit as sheets of pictures, one for each of these.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fieldlens.configs.records import read_json_as, to_json
from fieldlens.fields import Trainable
from fieldlens.render.camera import Camera, angle_from_focal, orbit_among, upwards
from fieldlens.render.colour import density_legend, distance_rgb, normals_rgb, to_rgb
from fieldlens.render.files import read_png
from fieldlens.render.grid import CUBE_DIAGONAL
from fieldlens.render.panel import Tile, panel
from fieldlens.render.text import BACKGROUND
from fieldlens.scenes.pictures.area import fitted_size
from fieldlens.scenes.posed_view import PREVIEW_SIDE

from .creases import has_creases
from .found import Files, Image, Progress
from .subject import Eye, Sighting, Spatial

TURN = 48
"""Frames in which a turntable goes around once: 4 s of a video of training."""
TURN_MAP_PIXELS = 1250
"""Pixels of such a frame in which crease density is measured: half as many as of a view, as it is in every frame."""

AROUND = 24
"""Pictures of the orbit that a report holds: 15 degrees lie between two of them."""
AROUND_COLUMNS = 6
"""Pictures in a row of their sheet."""
COLOUR, DISTANCE, NORMALS, CREASES = MODES = ("colour", "distance", "normals", "creases")
"""What a picture of the orbit shows; a sheet for each."""


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

    def sighting(self, eye: Eye, number: int) -> Sighting:
        """What an eye of the subject sees from the camera of frame `number`, from 0."""
        return eye(self.cameras[number % len(self.cameras)], self.map_pixels)

    def pictures(self, seen: Sighting, *, creased: bool) -> Mapping[str, Image]:
        """What was seen, by `MODES`.

        Args:
            creased: whether the field may have creases. Those of one that has diverged are blank, so that all frames of
                a film are of one size.
        """
        drawn = {
            COLOUR: to_rgb(seen.colour),
            DISTANCE: distance_rgb(seen.distance, *self._range),
            NORMALS: normals_rgb(seen.normals, seen.opacity),
        }
        if creased:
            blank = np.full((*seen.distance.shape, 3), BACKGROUND, np.uint8)
            drawn[CREASES] = blank if seen.creases is None else seen.creases
        return drawn

    def frame(self, field: Trainable, number: int, title: str) -> Image:
        """The same as a frame of a film."""
        drawn = self.pictures(self.sighting(self.subject.eye(field), number), creased=has_creases(field))
        captions = {COLOUR: self.subject.surface_caption, DISTANCE: "distance (dark: far)", CREASES: "crease density"}
        tiles = [
            Tile(picture, captions.get(mode, mode), legend=density_legend if mode == CREASES else None)
            for mode, picture in drawn.items()
        ]
        height, width, _ = drawn[COLOUR].shape
        return panel(tiles, title, columns=min(2, len(tiles)) if width > height else len(tiles))


def orbit_of(subject: Spatial, frames: int) -> list[Camera]:
    """Cameras that go around a scene once, in the world's coordinates.

    At the median distance, elevation and field of view of the subject's own cameras.
    """
    return orbit_among(subject.cameras(), subject.bounds.centre, frames)


def turntable(subject: Spatial, frames: int = TURN) -> Film:
    """The film of a fit in progress: an orbit in so many frames, as large as the frames of a view are."""
    cameras = orbit_of(subject, frames)
    size = fitted_size(cameras[0].height, cameras[0].width, PREVIEW_SIDE)
    return Film(subject, [camera.resized(*size) for camera in cameras], TURN_MAP_PIXELS)


@dataclass(frozen=True)
class SeenAround:
    """Pictures of a field from cameras that go around it once, row by row on a sheet for each mode: around.json."""

    pictures: int
    columns: int
    height: int
    width: int
    """Of each picture in pixels."""
    modes: Sequence[str]
    """Those of `MODES` that there is a sheet of: around_MODE.png."""
    eye: Sequence[float]
    """Where the first camera is, in the unit cube, into whose middle all look."""
    up: Sequence[float]
    """The direction that is upwards."""
    angle: float
    """Of the cameras' view from top to bottom, in radians."""


def around_sheet(mode: str) -> str:
    """The name of a mode's sheet, without its ending."""
    return f"around_{mode}"


def around(subject: Spatial, field: Trainable, progress: Progress) -> Files:
    """An orbit around a field at the end of its fit, which a report shows picture by picture."""
    film = turntable(subject, AROUND)
    eye, creased, sheets = subject.eye(field), has_creases(field), dict[str, list[Image]]()
    for number in range(AROUND):
        for mode, picture in film.pictures(film.sighting(eye, number), creased=creased).items():
            sheets.setdefault(mode, []).append(picture)
        progress((number + 1) / AROUND)
    camera = film.cameras[0]
    x, y, z = camera.position.tolist()
    angle = angle_from_focal(camera.focal[1], camera.height)
    up = upwards(film.cameras).tolist()
    found = SeenAround(AROUND, AROUND_COLUMNS, camera.height, camera.width, [*sheets], [x, y, z], up, angle)
    drawn = {around_sheet(mode): _rows(pictures) for mode, pictures in sheets.items()}
    return Files(pictures=drawn, numbers={"around": to_json(found)})


def _rows(pictures: Sequence[Image]) -> Image:
    rows = [np.hstack(pictures[at : at + AROUND_COLUMNS]) for at in range(0, len(pictures), AROUND_COLUMNS)]
    return np.vstack(rows)


@dataclass(frozen=True, eq=False)
class AroundSheets:
    """What was seen from around, as it is kept."""

    seen: SeenAround
    sheets: Mapping[str, Image]
    """By mode."""

    def picture(self, mode: str, number: int) -> Image:
        """One picture, by its number from 0; blank in a mode that there is no sheet of."""
        seen = self.seen
        if mode not in self.sheets:
            return np.full((seen.height, seen.width, 3), BACKGROUND, np.uint8)
        row, column = divmod(number, seen.columns)
        top, left = row * seen.height, column * seen.width
        return self.sheets[mode][top : top + seen.height, left : left + seen.width]


def read_around(folder: Path) -> AroundSheets | None:
    """What was seen from around, in the folder of an explanation; None where there is none.

    Raises:
        InputError: when a file is missing or damaged.
    """
    file = folder / "around.json"
    if not file.exists():
        return None
    seen = read_json_as(file, SeenAround)
    return AroundSheets(seen, {mode: read_png(folder / f"{around_sheet(mode)}.png") for mode in seen.modes})
