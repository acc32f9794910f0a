"""A camera that flies around a fitted scene: colour, distance, normals and crease density, as a video."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fieldlens.configs.errors import InputError, counted
from fieldlens.render.camera import Camera
from fieldlens.render.files import require_ending
from fieldlens.render.video import VideoWriter
from fieldlens.scenes.captures.camera_path import MAX_SIDE, CameraPath, read_camera_path, write_camera_path
from fieldlens.studies.runs.folder import RunFolder
from fieldlens.studies.runs.reporter import Reporter, Silent
from fieldlens.studies.runs.saved import NAME_A_FILE, open_run

from ..subjects.choice import spatial
from ..subjects.film import Film, orbit_of

MAX_FRAMES = 10_000


@dataclass(frozen=True)
class Filmed:
    """A film of a scene."""

    path: Path
    camera_path: Path
    frames: int
    height: int
    width: int
    """Of the view in pixels."""
    fps: float
    step: int

    @property
    def lines(self) -> list[str]:
        """How much there is, and where."""
        size = f"{counted(self.frames, 'frame')} of {self.width} x {self.height} px"
        return [f"{size} of step {self.step}  {self.path}", f"camera path  {self.camera_path}"]


def fly(
    folder: RunFolder,
    *,
    frames: int | None = None,
    path: Path | None = None,
    width: int | None = None,
    step: int | None = None,
    file: Path | None = None,
    reporter: Reporter | None = None,
) -> Filmed:
    """Film the scene of a run, on an orbit around its middle or along a camera path.

    An orbit has the median distance, elevation and field of view of the cameras that the scene was fitted from; as a
    camera path, it is written beside the video.

    Args:
        frames: of an orbit.
        path: a file with a camera path, instead of an orbit.
        width: of the view in pixels; by default that of the photographs, or what the path says.
        file: an MP4; by default `orbit.mp4`, or one with the path's name, in the run's `renders/`.

    Raises:
        InputError: for a run of a picture or signal, sizes that cannot be drawn, a path that cannot be read, a file
            that cannot be written, or as `open_run` does.
    """
    reporter = reporter or Silent()
    if file is not None:
        require_ending(file, (".mp4",), "a film")
    saved = open_run(folder, step, reporter, into=file.parent if file else folder.renders, otherwise=NAME_A_FILE)
    subject = spatial(saved.subject, "--orbit and --path are")
    flight = CameraPath(orbit_of(subject, _checked(frames))) if path is None else read_camera_path(path)
    flight = replace(flight, cameras=_sized(flight.cameras, width))
    file = file or folder.renders / f"{'orbit' if path is None else path.stem}.mp4"
    beside = file.with_suffix(".json") if path is None else path
    film, count = Film(subject, flight.cameras), len(flight.cameras)
    title = f"{saved.scene.name}   {saved.config.encoding}   step {saved.step}"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot write {str(file)!r}: {error.strerror}") from None
    with VideoWriter(file, flight.fps, hold_last_seconds=0.0) as video:
        for number in range(count):
            video.write(film.frame(saved.field, number, title))
            reporter.working("filming", (number + 1) / count)
        if path is None:
            write_camera_path(beside, flight)  # before the film has its name, which says that all is there
    first = flight.cameras[0]
    return Filmed(file, beside, count, first.height, first.width, flight.fps, saved.step)


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
