"""Folders of photographs with cameras, and camera paths: numbers that no camera has, names that lead elsewhere."""

import copy
import json
import math
import os
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from PIL import Image

from fieldlens.scenes.captures.camera_path import read_camera_path
from fieldlens.scenes.load import load
from fieldlens.scenes.posed import PosedScene
from tests.support.picture_files import encoded, noise, png

from .case import EITHER, REFUSED, Case, Kind, spoilt

VIEWS = 8
HUGE = 10**40
ALL = [7, 1]
"""Photographs to train on and held out, of those that are whole."""
DEEP = b"[" * 100_000

Change = Callable[[dict[str, Any]], object]


def read(path: Path) -> Any:
    """How many photographs are trained on and held out."""
    scene = load(str(path))
    assert isinstance(scene, PosedScene)
    return [len(scene.capture.train), len(scene.capture.heldout)]


@lru_cache
def _pictures() -> dict[str, bytes]:
    drawn = [Image.fromarray(noise(6, 8, 3) // (number + 1)) for number in range(VIEWS)]
    return {f"images/{number}.png": encoded(picture, "PNG") for number, picture in enumerate(drawn)}


def _content() -> dict[str, Any]:
    """Cameras on a circle that look at its middle."""
    frames = []
    for number, name in enumerate(_pictures()):
        turn = 2 * math.pi * number / VIEWS
        back = np.array([math.cos(turn), math.sin(turn), 0.0])
        right = np.array([-math.sin(turn), math.cos(turn), 0.0])
        pose = np.eye(4)
        pose[:3] = np.stack([right, np.array([0.0, 0.0, 1.0]), back, 4 * back], 1)
        frames.append({"file_path": name, "transform_matrix": pose.tolist()})
    return {"fl_x": 9.0, "fl_y": 9.0, "cx": 4, "cy": 3, "w": 8, "h": 6, "frames": frames}


def capture(
    name: str,
    change: Change = lambda _content: None,
    ends: Any = REFUSED,
    files: Mapping[str, bytes] = MappingProxyType({}),
) -> Case:
    """A folder whose file of cameras is changed, with other files beside its own."""
    content = _content()
    change(content)
    return Case(name, {"transforms.json": json.dumps(content).encode(), **_pictures(), **files}, ends)


def _in_first(**values: Any) -> Change:
    return lambda content: content["frames"][0].update(values)


def _in_all(**values: Any) -> Change:
    return lambda content: [frame.update(values) for frame in content["frames"]]


def _in_file(**values: Any) -> Change:
    return lambda content: content.update(values)


def _without(key: str) -> Change:
    return lambda content: content.pop(key)


def cases() -> Iterator[Case]:
    """All of them."""
    yield capture("good_capture", ends=ALL)
    pose = _content()["frames"][0]["transform_matrix"]
    matrices: dict[str, Any] = {
        "of_three_rows": pose[:2],
        "of_words": [["a"] * 4] * 4,
        "of_none": None,
        "of_no_numbers": [[float("nan")] * 4] * 4,
        "of_infinite_numbers": [[math.inf] * 4] * 4,
        "of_huge_numbers": [[HUGE] * 4] * 4,
        "of_zeros": [[0.0] * 4] * 4,
        "that_shears": [[1, 5, 0, 0], [0, 1, 0, 0], [0, 0, 1, 4], [0, 0, 0, 1]],
        "that_mirrors": [[-value for value in pose[0]], *pose[1:]],
        "with_an_odd_last_row": [*pose[:3], [1, 2, 3, 4]],
        "of_lists_in_lists": [[[1]]] * 4,
    }
    for name, matrix in matrices.items():
        yield capture(f"matrix_{name}", _in_first(transform_matrix=matrix))
    for key, values in {
        "fl_x": (0, -9, math.nan, math.inf, HUGE, "nine", None, [9], True),
        "cx": (-900, 900, math.nan, "four"),
        "w": (0, -8, 10**9, 8.5, "eight"),
        "k1": (math.nan, 1e9, "much"),
        "camera_model": ("EQUIRECTANGULAR", 5, "unknown"),
    }.items():
        for number, value in enumerate(values):
            ends = EITHER if value in (None, True, "unknown", 1e9, 5) else REFUSED
            yield capture(f"{key}_{number}", _in_file(**{key: value}), ends)
    for name, file in {
        "from_elsewhere": "../../../../../../etc/passwd",
        "from_the_root": "/etc/passwd",
        "from_the_net": "http://127.0.0.1:9/a.png",
        "that_is_not_there": "images/none.png",
        "that_is_a_folder": "images",
        "without_a_name": "",
        "with_a_zero_in_its_name": "images/\0.png",
        "longer_than_a_name_can_be": "a" * 5000,
        "a_number": 5,
        "a_list": ["images/0.png"],
    }.items():
        yield capture(f"picture_{name}", _in_first(file_path=file))
    yield capture("picture_that_is_text", files={"images/0.png": b"no picture"})
    yield capture("picture_that_is_empty", files={"images/0.png": b""})
    yield capture("picture_that_is_a_bomb", files={"images/0.png": png(30_000, 30_000, 8, 0, bytes(100))})
    yield capture(
        "picture_of_another_size", files={"images/0.png": encoded(Image.new("RGB", (5, 5)), "PNG")}, ends=EITHER
    )
    yield capture("mask_that_is_not_there", _in_all(mask_path="masks/none.png"))
    yield capture("mask_that_is_text", _in_all(mask_path="m.png"), files={"m.png": b"no mask"})
    yield capture(
        "mask_of_nothing", _in_all(mask_path="m.png"), files={"m.png": encoded(Image.new("L", (8, 6)), "PNG")}
    )
    yield capture(
        "mask_of_another_size", _in_all(mask_path="m.png"), files={"m.png": encoded(Image.new("L", (9, 9), 255), "PNG")}
    )
    yield capture("no_frames", _in_file(frames=[]))
    yield capture("frames_of_none", _in_file(frames=None))
    yield capture("frames_of_words", _in_file(frames=["a", "b"]))
    yield capture("frames_as_a_group", _in_file(frames={"a": 1}))
    yield capture("frames_without_matrices", lambda content: [f.pop("transform_matrix") for f in content["frames"]])
    yield capture("frames_all_alike", lambda content: _in_all(**content["frames"][0])(content))
    yield capture("frames_by_the_hundred_thousand", lambda content: content.update(frames=content["frames"] * 20_000))
    yield capture("one_frame", lambda content: content.update(frames=content["frames"][:1]), EITHER)
    yield capture("no_focal_length", lambda content: [content.pop(key) for key in ("fl_x", "fl_y")])
    yield capture("focal_length_by_angle_0", lambda content: content.update(fl_x=None, camera_angle_x=0.0))
    yield capture(
        "focal_length_by_half_a_turn",
        lambda content: [content.pop("fl_x"), content.pop("fl_y"), content.update(camera_angle_x=math.pi)],
    )
    yield capture("test_names_that_are_none", _in_file(test_filenames=["x.png"]), EITHER)
    yield capture(
        "test_names_of_all", lambda content: content.update(test_filenames=[f["file_path"] for f in content["frames"]])
    )
    yield capture("points_from_elsewhere", _in_file(ply_file_path="../../../../etc/passwd"), EITHER)
    for name, text in {
        "empty": b"",
        "cut": json.dumps(_content()).encode()[:900],
        "deep": b'{"frames":' + DEEP,
        "a_list": b"[]",
        "in_wide_letters": json.dumps(_content()).encode("utf-16"),
        "of_noise": noise(500).tobytes(),
        "a_page": b"<!doctype html>",
        "of_values_by_the_million": b'{"frames":[' + b"{}," * 3_000_000 + b"{}]}",
    }.items():
        ends = EITHER if name == "in_wide_letters" else REFUSED
        yield Case(f"cameras_{name}", {"transforms.json": text, **_pictures()}, ends)
    yield Case("pictures_without_cameras", _pictures())
    yield Case("empty_folder", os.mkdir)
    yield Case("cameras_of_a_pipe", lambda path: [os.mkdir(path), os.mkfifo(path / "transforms.json")])
    for case in spoilt("cameras.json", json.dumps(_content()).encode(), EITHER):
        yield Case(case.name.replace(".", "_"), {"transforms.json": _bytes(case), **_pictures()}, case.ends)
    blender = {**_content(), "camera_angle_x": 0.8}
    for key in ("fl_x", "fl_y", "cx", "cy", "w", "h"):
        blender.pop(key)
    test = copy.deepcopy(blender)
    for frame in test["frames"]:
        frame["file_path"] = f"test/{frame['file_path']}"
    files = {"transforms_train.json": json.dumps(blender).encode(), "transforms_test.json": json.dumps(test).encode()}
    yield Case("test_split_without_its_pictures", {**files, **_pictures()}, ALL)


def _bytes(case: Case) -> bytes:
    assert isinstance(case.content, bytes)
    return case.content


CAPTURES = Kind("captures", read, cases)


def read_path(path: Path) -> Any:
    """How many frames the camera goes through."""
    return len(read_camera_path(path).cameras)


def _path(**changes: Any) -> bytes:
    pose = _content()["frames"][0]["transform_matrix"]
    frame = {"camera_to_world": [value for row in pose for value in row], "fov": 50.0, "aspect": 1.0}
    frame |= {key.removeprefix("frame_"): value for key, value in changes.items() if key.startswith("frame_")}
    whole = {
        "camera_type": "perspective",
        "render_height": 40,
        "render_width": 60,
        "camera_path": [frame] * 3,
        "fps": 24,
    }
    return json.dumps(whole | {key: value for key, value in changes.items() if not key.startswith("frame_")}).encode()


def path_cases() -> Iterator[Case]:
    """Of camera paths."""
    yield Case("good_path.json", _path(), 3)
    yield from spoilt("text_path.json", _path())
    for key, values in {
        "frame_fov": (0, 180, -5, math.nan, "wide", None),
        "frame_camera_to_world": ([1.0] * 15, [math.nan] * 16, [0.0] * 16, ["a"] * 16, 5, [HUGE] * 16),
        "render_height": (0, -4, 40.5, 10**9, "tall", math.nan),
        "fps": (-1, 1e9, "fast", math.nan, HUGE),
        "camera_path": ([], None, [5], {"a": 1}),
        "camera_type": ("equirectangular", 7),
    }.items():
        for number, value in enumerate(values):
            yield Case(f"{key}_{number}.json", _path(**{key: value}))


PATHS = Kind("camera_paths", read_path, path_cases)
