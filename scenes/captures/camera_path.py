"""Camera paths as nerfstudio's viewer writes them and `ns-render camera-path` reads them: JSON, one camera a frame.

A frame's `camera_to_world` is 16 numbers, row by row, with OpenGL's axes; its `fov` is the vertical field of view in
degrees. Cameras look through the middles of their pictures, whose pixels are square, and all are of one size. Positions
are in the world of the photographs that a scene was fitted to.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fieldlens.configs.errors import InputError
from fieldlens.configs.files import read_json, write_json
from fieldlens.render.camera import Camera, angle_from_focal, focal_from_angle

from .camera_file import MAX_FRAMES
from .numbers import json_number, rigid

FPS = 24.0
"""Frames per second of a film whose camera path says nothing of time."""

MAX_SIDE = 8192
"""The most pixels along a side of a film's frame."""


@dataclass(frozen=True, eq=False)
class CameraPath:
    """What a camera sees that moves through the world."""

    cameras: Sequence[Camera]
    """One camera for each frame of the film, all of one size."""
    fps: float = FPS


def write_camera_path(file: Path, path: CameraPath) -> None:
    """Write a path, whole or not at all.

    Raises:
        InputError: when the file cannot be written.
    """
    first = path.cameras[0]
    frames = [
        {
            "camera_to_world": camera.pose.flatten().tolist(),
            "fov": math.degrees(angle_from_focal(camera.focal[1], camera.height)),
            "aspect": camera.width / camera.height,
        }
        for camera in path.cameras
    ]
    content = {
        "camera_type": "perspective",
        "render_height": first.height,
        "render_width": first.width,
        "camera_path": frames,
        "fps": path.fps,
        "seconds": len(frames) / path.fps,
    }
    write_json(file, content)


def read_camera_path(file: Path) -> CameraPath:
    """Read a path.

    Raises:
        InputError: naming the file, and the frame, for whatever is wrong with it.
    """
    content, named = read_json(file), repr(str(file))
    listed = content.get("camera_path")
    if not isinstance(listed, list) or not 1 <= len(listed) <= MAX_FRAMES:
        raise InputError(f"{named} has no list of 1 to {MAX_FRAMES:,} frames called 'camera_path'")
    if content.get("camera_type", "perspective") != "perspective":
        raise InputError(f"{named} is for a camera of type {content['camera_type']!r:.40}; perspective can be drawn")
    height, width = (_side(named, name, content.get(name)) for name in ("render_height", "render_width"))
    cameras = [
        _camera(f"{named}, frame {number} of {len(listed)}", entry, height, width)
        for number, entry in enumerate(listed, 1)
    ]
    return CameraPath(cameras, _fps(named, content, len(cameras)))


def _camera(where: str, entry: Any, height: int, width: int) -> Camera:
    matrix = entry.get("camera_to_world") if isinstance(entry, dict) else None
    if not isinstance(matrix, list) or len(matrix) != 16:
        raise InputError(f"{where}: 'camera_to_world' is no list of 16 numbers")
    fov = json_number(where, "'fov'", entry.get("fov"))
    if not 0 < fov < 180:
        raise InputError(f"{where}: 'fov' is {fov:g}, no vertical angle of a camera in degrees (0 to 180)")
    pose, _ = rigid(where, matrix)
    focal = focal_from_angle(math.radians(fov), height)
    return Camera(height, width, (focal, focal), (width / 2, height / 2), pose)


def _side(named: str, name: str, value: Any) -> int:
    side = json_number(named, repr(name), value)
    if side % 1 or not 1 <= side <= MAX_SIDE:
        raise InputError(f"{named}: {name!r} is {side:g}, no whole number of pixels from 1 to {MAX_SIDE}")
    return int(side)


def _fps(named: str, content: dict[str, Any], frames: int) -> float:
    """Frames per second, by themselves or from the seconds that the path takes."""
    given = {name: json_number(named, repr(name), content[name]) for name in ("fps", "seconds") if content.get(name)}
    fps = given.get("fps", frames / given["seconds"] if given.get("seconds") else FPS)
    if not 0.1 <= fps <= 240:
        raise InputError(f"{named} asks for {fps:g} frames per second; a video has 0.1 to 240")
    return fps
