"""Analytic solids photographed by our own cameras, and folders of such photographs, for tests."""

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, UInt8
from PIL import Image

from fieldlens.render.camera import Camera, Pose, angle_from_focal, looking_at, perspective
from fieldlens.scenes.captures.capture import Photograph

Hits = Callable[[Float[np.ndarray, "n 3"], Float[np.ndarray, "n 3"]], Bool[np.ndarray, " n"]]
"""Whether rays, by origin and direction, meet a solid."""


def sphere(centre: Sequence[float], radius: float) -> Hits:
    def hits(origins: np.ndarray, directions: np.ndarray) -> np.ndarray:
        towards = np.asarray(centre) - origins
        along = (towards * directions).sum(1)
        return (along > 0) & ((towards**2).sum(1) - along**2 < radius**2)

    return hits


def box(low: Sequence[float], high: Sequence[float]) -> Hits:
    def hits(origins: np.ndarray, directions: np.ndarray) -> np.ndarray:
        with np.errstate(divide="ignore"):
            near, far = (np.asarray(low) - origins) / directions, (np.asarray(high) - origins) / directions
        return np.minimum(near, far).max(1) < np.maximum(near, far).min(1)

    return hits


def around(count: int, radius: float, centre: Sequence[float] = (0.0, 0.0, 0.0)) -> list[Pose]:
    """Poses all around, above and below, that look at the centre: a spiral from pole to pole."""
    poses = []
    for number in range(count):
        z = 0.9 - 1.8 * (number + 0.5) / count
        turn, level = number * math.pi * (3 - math.sqrt(5)), math.sqrt(1 - z * z)
        direction = np.array([level * math.cos(turn), level * math.sin(turn), z])
        poses.append(looking_at(np.asarray(centre) + radius * direction, centre))
    return poses


def photographed(camera: Camera, *solids: Hits, name: str = "picture.png") -> Photograph:
    """RGBA: opaque and reddish where the ray through a pixel's centre meets one of the solids."""
    rays = camera.rays()
    origins, directions = rays.origins.double().numpy(), rays.directions.double().numpy()
    seen = np.any([solid(origins, directions) for solid in solids], axis=0).reshape(camera.height, camera.width)
    return Photograph(name, camera, np.array([200, 80, 40, 255], np.uint8) * seen[..., None].astype(np.uint8))


def lego_like(count: int = 12, side: int = 24, *solids: Hits) -> list[Photograph]:
    """Cameras as NeRF's synthetic scenes have them: 4.03 away, 0.691 wide."""
    cameras = [perspective(side, side, 0.691, pose) for pose in around(count, 4.03)]
    solids = solids or (sphere((0, 0, 0), 0.8),)
    return [photographed(camera, *solids, name=f"r_{number}.png") for number, camera in enumerate(cameras)]


def opaque(photographs: Sequence[Photograph]) -> list[Photograph]:
    """The same without their alpha channel."""
    return [replace(photograph, pixels=photograph.pixels[..., :3]) for photograph in photographs]


def write_picture(path: Path, pixels: UInt8[np.ndarray, "h w c"]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def write_blender(folder: Path, split: str, photographs: Sequence[Photograph]) -> Path:
    """A split as Blender's scenes have it, written key by key and not by the program."""
    frames = []
    for number, photograph in enumerate(photographs):
        write_picture(folder / split / f"r_{number}.png", photograph.pixels)
        matrix = photograph.camera.pose.tolist()
        frames.append({"file_path": f"./{split}/r_{number}", "rotation": 0.01, "transform_matrix": matrix})
    camera = photographs[0].camera
    angle = angle_from_focal(camera.focal[0], camera.width)
    return write_json(folder / f"transforms_{split}.json", {"camera_angle_x": angle, "frames": frames})


def nerfstudio(folder: Path, photographs: Sequence[Photograph], **more: Any) -> dict[str, Any]:
    """What a nerfstudio file of cameras says; the pictures are written, the file is not."""
    camera = photographs[0].camera
    frames = []
    for number, photograph in enumerate(photographs):
        name = f"images/frame_{number + 1:05}.png"
        write_picture(folder / name, photograph.pixels)
        frames.append({"file_path": name, "transform_matrix": photograph.camera.pose.tolist()})
    return {
        "w": camera.width,
        "h": camera.height,
        "fl_x": camera.focal[0],
        "fl_y": camera.focal[1],
        "cx": camera.centre[0],
        "cy": camera.centre[1],
        "camera_model": "OPENCV",
        "frames": frames,
        **more,
    }


def small_capture(
    folder: Path, change: Callable[[dict[str, Any]], object] = lambda content: None, count: int = 9
) -> Path:
    """A nerfstudio folder of pictures of 8x8 without alpha, with something else in its file of cameras."""
    content = nerfstudio(folder, opaque(lego_like(count, 8)))
    change(content)
    write_json(folder / "transforms.json", content)
    return folder


def in_every_frame(**values: Any) -> Callable[[dict[str, Any]], object]:
    """A change to a file of cameras: these keys in all of its frames."""
    return lambda content: [frame.update(values) for frame in content["frames"]]


def write_json(path: Path, content: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    return path
