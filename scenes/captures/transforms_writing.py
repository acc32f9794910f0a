"""Captures as folders of pictures and cameras, in the layout of Blender's synthetic scenes."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from fieldlens.configs.files import whole_folder, write_json
from fieldlens.render.camera import Camera, angle_from_focal
from fieldlens.render.files import write_png

from .capture import Capture, Photograph


def write_blender(capture: Capture, folder: Path) -> None:
    """Write `transforms_train.json`, `transforms_test.json` and the pictures that they name, with straight alpha.

    Poses are camera-to-world with OpenGL's axes; a picture's path is without its ending, as those scenes have it. The
    folder appears whole or not at all.

    Raises:
        InputError: when the folder is there already and not empty, or cannot be written.
        ValueError: for cameras that this layout cannot hold: not all of one field of view, pixels that are not square,
            an axis that is not in the picture's middle.
    """
    splits = {"train": capture.train, "test": capture.heldout}
    angle = _angle_x([photograph.camera for photographs in splits.values() for photograph in photographs])
    with whole_folder(folder) as partial:
        for split, photographs in splits.items():
            for photograph in photographs:
                write_png(partial / photograph.name, straight(photograph.pixels))
            frames = [_frame(photograph) for photograph in photographs]
            write_json(partial / f"transforms_{split}.json", {"camera_angle_x": angle, "frames": frames})


def straight(pixels: UInt8[np.ndarray, "h w c"]) -> UInt8[np.ndarray, "h w c"]:
    """Colours as they are beneath their alpha, from premultiplied ones; black where nothing is covered.

    Premultiplied again and rounded they are what they were, byte for byte. A picture without alpha is left as it is.
    """
    if pixels.shape[2] == 3:
        return pixels
    share = np.maximum(pixels[..., 3:], 1) / 255.0
    colours = np.minimum(np.round(pixels[..., :3] / share), 255).astype(np.uint8)
    return np.concatenate([colours, pixels[..., 3:]], 2)


def _frame(photograph: Photograph) -> dict[str, Any]:
    return {
        "file_path": f"./{photograph.name.removesuffix('.png')}",
        "transform_matrix": photograph.camera.pose.tolist(),
    }


def _angle_x(cameras: Sequence[Camera]) -> float:
    """The field of view that all cameras have in common."""
    angles = [angle_from_focal(camera.focal[0], camera.width) for camera in cameras]
    for camera in cameras:
        middle = (camera.width / 2, camera.height / 2)
        if not np.allclose([*camera.focal, *camera.centre], [camera.focal[0], camera.focal[0], *middle]):
            raise ValueError("write_blender: a camera has pixels that are not square, or an axis beside the middle")
    if not np.allclose(angles, angles[0]):
        raise ValueError("write_blender: cameras differ in their field of view")
    return angles[0]
