"""A camera that flies around a fitted scene: colour, distance, normals and crease density, as a video."""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from analysis import screen_density
from configs.errors import InputError
from fields import Field, RadianceField
from render.camera import Camera, orbit_among
from render.colour import density_legend, density_rgb, distance_rgb, normals_rgb, to_rgb
from render.panel import Tile, panel
from render.video import VideoWriter
from scenes.camera_path import MAX_SIDE, CameraPath, read_camera_path, write_camera_path
from scenes.capture import Bounds
from scenes.posed import PosedScene, see
from scenes.shape import Shape, ShapeView

from .explaining import creased
from .folder import RunFolder
from .redraw import Saved, open_run
from .reporter import Reporter, Silent
from .shapes import surface_crossings

MAX_FRAMES = 10_000


def fly(
    folder: RunFolder,
    *,
    frames: int | None = None,
    path: Path | None = None,
    width: int | None = None,
    step: int | None = None,
    file: Path | None = None,
    reporter: Reporter | None = None,
) -> dict[str, Any]:
    """Film the scene of a run, on an orbit around its middle or along a camera path.

    An orbit has the median distance, elevation and field of view of the cameras that the scene was fitted from; as a
    camera path, it is written beside the video.

    Args:
        frames: of an orbit.
        path: a file with a camera path, instead of an orbit.
        width: of the view in pixels; by default that of the photographs, or what the path says.
        file: an MP4; by default `orbit.mp4`, or one with the path's name, in the run's `renders/`.

    Returns:
        `path` of the video, `camera_path`, `frames`, `height` and `width` of the view, `fps` and `step`.

    Raises:
        InputError: for a run of a picture or signal, sizes that cannot be drawn, a path that cannot be read, a file
            that cannot be written, or as `open_run` does.
    """
    reporter = reporter or Silent()
    saved = open_run(folder, step, reporter)
    scene = saved.scene
    if not isinstance(scene, PosedScene | Shape):
        raise InputError("--orbit and --path are for 3D scenes, and this run is of a picture or a signal")
    bounds = scene.capture.bounds if isinstance(scene, PosedScene) else scene.bounds
    flight = _orbit(scene, bounds, frames) if path is None else read_camera_path(path)
    flight = replace(flight, cameras=_sized(flight.cameras, width))
    file = file or folder.path / "renders" / f"{'orbit' if path is None else path.stem}.mp4"
    beside = file.with_suffix(".json") if path is None else path
    cameras = [bounds.camera_to_unit(camera) for camera in flight.cameras]
    away = [float(np.linalg.norm(camera.position - 0.5)) for camera in cameras]
    limits = max(0.0, min(away) - math.sqrt(3) / 2), max(away) + math.sqrt(3) / 2
    title = f"{scene.name}   {saved.config.encoding}   step {saved.step}"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot write {str(file)!r}: {error.strerror}") from None
    with VideoWriter(file, flight.fps, hold_last_seconds=0.0) as video:
        for number, camera in enumerate(cameras, 1):
            tiles = _tiles(saved, camera, limits)
            video.write(panel(tiles, title, columns=min(2, len(tiles)) if camera.width > camera.height else len(tiles)))
            reporter.working("filming", number / len(cameras))
    if path is None:
        write_camera_path(beside, flight)
    return {
        "path": str(file),
        "camera_path": str(beside),
        "frames": len(cameras),
        "height": cameras[0].height,
        "width": cameras[0].width,
        "fps": flight.fps,
        "step": saved.step,
    }


def _orbit(scene: PosedScene | Shape, bounds: Bounds, frames: int | None) -> CameraPath:
    if frames is None or not 1 <= frames <= MAX_FRAMES:
        raise InputError(f"--orbit takes a number of frames, 1 to {MAX_FRAMES:,}, and got {frames}")
    if isinstance(scene, PosedScene):
        among = [photograph.camera for photograph in scene.capture.train]
    else:
        among = [bounds.camera_to_world(view.camera) for view in scene.views()]
    return CameraPath(orbit_among(among, bounds.centre, frames))


def _sized(cameras: Sequence[Camera], width: int | None) -> list[Camera]:
    """The cameras with pictures so many pixels wide, of the same proportions."""
    if width is None:
        return list(cameras)
    height = max(1, round(width * cameras[0].height / cameras[0].width))
    if not 1 <= width <= MAX_SIDE or height > MAX_SIDE:
        raise InputError(f"--width is of the view in pixels, 1 to {MAX_SIDE} along both sides, and got {width}")
    return [camera.resized(height, width) for camera in cameras]


def _tiles(saved: Saved, camera: Camera, limits: tuple[float, float]) -> list[Tile]:
    """What a camera in the unit cube's coordinates sees of a field."""
    if isinstance(saved.scene, Shape):
        return _of_shape(saved.scene, saved.field, camera, limits, saved.device)
    assert isinstance(saved.scene, PosedScene)
    assert isinstance(saved.field, RadianceField)  # a posed scene builds no other
    field, scene = saved.field, saved.scene
    background = 0.0 if scene.space.background == "black" else 1.0
    seen = see(field, camera, scene.step, background, device=saved.device)
    tiles = [
        Tile(to_rgb(seen.colour), "colour"),
        Tile(distance_rgb(seen.distance, *limits), "distance (dark: far)"),
        Tile(normals_rgb(camera.normals(seen.distance), seen.opacity), "normals"),
    ]
    if creased(field) is not None:
        crossings = screen_density(field, camera, scene.step).crossings_per_pixel.sum(0)
        tiles.append(Tile(density_rgb(crossings), "crease density", legend=density_legend))
    return tiles


def _of_shape(
    shape: Shape, field: Field, camera: Camera, limits: tuple[float, float], device: torch.device
) -> list[Tile]:
    seen = ShapeView("flight", shape, camera).field_seen(field, device=device)
    tiles = [
        Tile(to_rgb(seen.colour), "surface"),
        Tile(distance_rgb(seen.distance(camera), *limits), "distance (dark: far)"),
        Tile(normals_rgb(seen.normals, seen.met.astype(np.float32)), "normals"),
    ]
    network = creased(field)
    if network is not None:
        crossings = surface_crossings(network, camera, seen).sum(0)
        tiles.append(Tile(density_rgb(crossings), "crease density", legend=density_legend))
    return tiles
