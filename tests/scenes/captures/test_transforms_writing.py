"""Captures as Blender's folders: pictures that come back byte for byte, exact poses, and nothing half written."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fieldlens.configs.errors import InputError
from fieldlens.render.camera import looking_at, perspective
from fieldlens.scenes.captures import transforms_writing
from fieldlens.scenes.captures.capture import Bounds, Capture, Photograph
from fieldlens.scenes.captures.transforms_writing import straight, write_blender


def small_capture() -> Capture:
    """Three photographs of 4 x 6 random pixels."""
    generator = np.random.default_rng(0)

    def photograph(name: str) -> Photograph:
        alpha = generator.integers(0, 256, (4, 6, 1))
        colours = (generator.random((4, 6, 3)) * (alpha + 1)).astype(np.uint8)
        camera = perspective(4, 6, 0.7, looking_at(generator.standard_normal(3) + 3, (0.0, 0.0, 0.0)))
        return Photograph(name, camera, np.concatenate([colours, alpha.astype(np.uint8)], 2))

    train = [photograph("train/r_0.png"), photograph("train/r_1.png")]
    return Capture("small", train, [photograph("test/r_0.png")], Bounds((0.0, 0.0, 0.0), 2.0))


def premultiplied(pixels: np.ndarray) -> np.ndarray:
    """By whole numbers, rounded to the nearest."""
    colours, alpha = pixels[..., :3].astype(int), pixels[..., 3:].astype(int)
    return np.concatenate([(2 * colours * alpha + 255) // 510, alpha], -1).astype(np.uint8)


def test_all_premultiplied_bytes_come_back_from_straight_ones() -> None:
    alpha, colour = np.meshgrid(np.arange(256), np.arange(256), indexing="ij")
    possible = colour <= alpha
    pixels = np.stack([colour, colour // 2, 0 * colour, alpha], -1)[possible][None].astype(np.uint8)
    np.testing.assert_array_equal(premultiplied(straight(pixels)), pixels)


@given(st.integers(0, 255), st.integers(0, 255))
def test_a_picture_without_alpha_stays_as_it_is(red: int, blue: int) -> None:
    pixels = np.array([[[red, 7, blue]]], np.uint8)
    np.testing.assert_array_equal(straight(pixels), pixels)


def test_the_folder_holds_every_photograph_and_its_camera(tmp_path: Path) -> None:
    capture = small_capture()
    write_blender(capture, tmp_path / "new" / "scene")
    folder = tmp_path / "new" / "scene"
    for split, photographs in (("train", capture.train), ("test", capture.heldout)):
        written = json.loads((folder / f"transforms_{split}.json").read_text(encoding="utf-8"))
        assert written["camera_angle_x"] == pytest.approx(0.7, abs=1e-12)
        assert [frame["file_path"] for frame in written["frames"]] == [
            f"./{split}/r_{i}" for i in range(len(photographs))
        ]
        for frame, photograph in zip(written["frames"], photographs, strict=True):
            np.testing.assert_array_equal(frame["transform_matrix"], photograph.camera.pose)
            with Image.open(folder / f"{frame['file_path']}.png") as picture:
                assert picture.mode == "RGBA"
                np.testing.assert_array_equal(premultiplied(np.array(picture)), photograph.pixels)
    assert {path.name for path in folder.rglob("*")} == {
        "transforms_train.json", "transforms_test.json", "train", "test", "r_0.png", "r_1.png",
    }  # fmt: skip
    assert [path.name for path in folder.parent.iterdir()] == ["scene"]


def test_an_empty_folder_is_written_into_and_a_full_one_left_alone(tmp_path: Path) -> None:
    empty, full = tmp_path / "empty", tmp_path / "full"
    empty.mkdir()
    full.mkdir()
    (full / "mine.txt").write_text("mine")
    write_blender(small_capture(), empty)
    assert (empty / "transforms_train.json").is_file()
    with pytest.raises(InputError, match="is there already"):
        write_blender(small_capture(), full)
    with pytest.raises(InputError, match="is there already"):
        write_blender(small_capture(), full / "mine.txt")
    assert [path.name for path in full.iterdir()] == ["mine.txt"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "full"]


def test_a_writing_that_is_interrupted_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(path: Path, image: np.ndarray) -> None:
        if path.name == "r_1.png":
            raise KeyboardInterrupt

    monkeypatch.setattr(transforms_writing, "write_png", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_blender(small_capture(), tmp_path / "scene")
    assert list(tmp_path.iterdir()) == []


def test_where_no_folder_can_be_one_sentence_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"cannot write '.*scene'"):
        write_blender(small_capture(), tmp_path / "file" / "scene")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"focal": (8.0, 9.0)}, "not square"),
        ({"centre": (3.0, 2.5)}, "beside the middle"),
        ({"focal": (9.0, 9.0)}, "field of view"),
    ],
)
def test_cameras_that_the_layout_cannot_hold_are_refused(tmp_path: Path, change: dict, why: str) -> None:
    capture = small_capture()
    other = replace(capture.heldout[0], camera=replace(capture.heldout[0].camera, **change))
    with pytest.raises(ValueError, match=why):
        write_blender(replace(capture, heldout=[other]), tmp_path / "scene")
    assert list(tmp_path.iterdir()) == []
