"""A camera that flies around a fitted scene: colour, distance, normals and crease density, as a video."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from configs.errors import InputError
from render.camera import Camera
from render.video import VideoWriter
from scenes.captures.camera_path import MAX_SIDE, CameraPath, read_camera_path, write_camera_path
from scenes.posed import PosedScene
from scenes.shape import Shape

from .filming import Film, orbit_of
from .folder import RunFolder
from .redraw import open_run
from .reporter import Reporter, Silent

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
    flight = CameraPath(orbit_of(scene, _checked(frames))) if path is None else read_camera_path(path)
    flight = replace(flight, cameras=_sized(flight.cameras, width))
    file = file or folder.path / "renders" / f"{'orbit' if path is None else path.stem}.mp4"
    beside = file.with_suffix(".json") if path is None else path
    film, count = Film(scene, flight.cameras), len(flight.cameras)
    title = f"{scene.name}   {saved.config.encoding}   step {saved.step}"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot write {str(file)!r}: {error.strerror}") from None
    with VideoWriter(file, flight.fps, hold_last_seconds=0.0) as video:
        for number in range(count):
            video.write(film.frame(saved.field, number, title))
            reporter.working("filming", (number + 1) / count)
    if path is None:
        write_camera_path(beside, flight)
    return {
        "path": str(file),
        "camera_path": str(beside),
        "frames": count,
        "height": flight.cameras[0].height,
        "width": flight.cameras[0].width,
        "fps": flight.fps,
        "step": saved.step,
    }


def _checked(frames: int | None) -> int:
    """The frames of an orbit, if it can have so many."""
    if frames is None or not 1 <= frames <= MAX_FRAMES:
        raise InputError(f"--orbit takes a number of frames, 1 to {MAX_FRAMES:,}, and got {frames}")
    return frames


def _sized(cameras: Sequence[Camera], width: int | None) -> list[Camera]:
    """The cameras with pictures so many pixels wide, of the same proportions."""
    if width is None:
        return list(cameras)
    height = max(1, round(width * cameras[0].height / cameras[0].width))
    if not 1 <= width <= MAX_SIDE or height > MAX_SIDE:
        raise InputError(f"--width is of the view in pixels, 1 to {MAX_SIDE} along both sides, and got {width}")
    return [camera.resized(height, width) for camera in cameras]
