"""Pictures by name: found where the name is spelled otherwise, else what is there instead is in the sentence."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fieldlens.configs.errors import InputError
from fieldlens.scenes.captures.named_files import PICTURE_ENDINGS, AbsentError, NamedFiles
from fieldlens.scenes.captures.transforms import read_capture
from tests.support import picture_files
from tests.support.posed_scenes import lego_like, opaque, small_capture, write_blender, write_json, write_picture


def found(folder: Path, named: str) -> str:
    return NamedFiles(folder).find("it", named, PICTURE_ENDINGS).relative_to(folder).as_posix()


@pytest.fixture
def named(tmp_path: Path) -> Path:
    """A folder of empty files."""
    for name in ("train/r_0.png", "train/r_1.JPG", "Train2/IMG.JPEG", "train/a.jpg", "train/A.JPG", "train/v1.5.webp"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


@pytest.mark.parametrize(
    ("name", "there"),
    [
        ("train/r_0.png", "train/r_0.png"),
        ("./train/r_0", "train/r_0.png"),
        ("train/r_1.jpg", "train/r_1.JPG"),
        ("train/r_1", "train/r_1.JPG"),
        ("TRAIN2\\img", "Train2/IMG.JPEG"),
        ("train/A.JPG", "train/A.JPG"),
        ("train/v1.5", "train/v1.5.webp"),
    ],
)
def test_endings_and_capital_letters_may_differ(named: Path, name: str, there: str) -> None:
    assert found(named, name) == there


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("train/r_0.jpg", "it 'train/r_0.jpg' is not there; there is 'train/r_0.png'"),
        ("train/A.jpg", "is not there; there is 'train/"),  # a.jpg and A.JPG: either might be meant
        ("images/r_0.png", "is not there; there is no folder 'images/'"),
        ("train/zzz", "is not there, nor with .*; its folder holds 'A.JPG' and 4 more"),
    ],
)
def test_what_is_not_there_is_said_with_what_is(named: Path, name: str, sentence: str) -> None:
    with pytest.raises(AbsentError, match=sentence):
        found(named, name)


def test_folders_and_pipes_are_no_files_and_said_to_be_none(named: Path) -> None:
    os.mkfifo(named / "pipe.png")
    for name, sentence in (
        ("train", "it 'train' is a folder"),
        ("pipe", "there is 'pipe.png'"),
        ("pipe.png", "is no regular"),
    ):
        with pytest.raises(InputError, match=sentence):
            found(named, name)


def test_links_out_of_the_folder_are_followed_and_those_to_nothing_are_named(tmp_path: Path) -> None:
    disk, folder = tmp_path / "disk", tmp_path / "capture"
    small_capture(folder)
    before = read_capture(folder)
    shutil.move(folder / "images", disk)
    (folder / "images").symlink_to(disk)
    (disk / "frame_00009.png").rename(tmp_path / "ninth")
    (disk / "frame_00009.png").symlink_to(tmp_path / "ninth")
    after = read_capture(folder)
    for one, other in zip(before.train, after.train, strict=True):
        np.testing.assert_array_equal(one.pixels, other.pixels)
    (tmp_path / "ninth").unlink()
    with pytest.raises(
        InputError, match=r"frame 9 of 9 .*: its picture .* is a symbolic link to '.*ninth', which is not"
    ):
        read_capture(folder)
    (disk / "frame_00009.png").unlink()
    (disk / "frame_00009.png").symlink_to("/dev/zero")
    with pytest.raises(InputError, match=r"frame 9 of 9 .*: its picture 'images/frame_00009\.png' is no regular file"):
        read_capture(folder)


def test_a_file_of_cameras_that_is_no_regular_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "transforms.json")
    for path in (tmp_path, tmp_path / "transforms.json"):
        with pytest.raises(InputError, match=r"transforms\.json' is no regular file"):
            read_capture(path)
    write_blender(tmp_path, "train", lego_like(2, 8))
    (tmp_path / "transforms_test.json").symlink_to(tmp_path / "none.json")
    with pytest.raises(InputError, match=r"transforms_test\.json' is no regular file, nor a link to one"):
        read_capture(tmp_path)


def test_capture_with_pictures_in_capital_letters_is_read_and_that_is_said(tmp_path: Path) -> None:
    small_capture(tmp_path)
    for picture in (tmp_path / "images").iterdir():
        picture.rename(picture.with_suffix(".PNG"))
    capture = read_capture(tmp_path)
    assert capture.train[0].name == "images/frame_00002.PNG"
    assert any(note.startswith("9 of 9 frames: the picture is spelled otherwise (the first:") for note in capture.notes)


# Pictures that are not there ------------------------------------------------------------------------------------------


def test_a_test_split_without_its_pictures_is_left_out_and_training_views_are_held_out(tmp_path: Path) -> None:
    write_blender(tmp_path, "train", opaque(lego_like(9, 8)))
    write_blender(tmp_path, "test", lego_like(3, 8))
    shutil.rmtree(tmp_path / "test")
    capture = read_capture(tmp_path)
    assert (len(capture.train), len(capture.heldout)) == (7, 2)
    assert "all 3 pictures that transforms_test.json names to hold out are not there, test/r_0 first" in capture.notes
    assert "held out is every 8th view by name, 2 in all" in capture.notes
    write_blender(tmp_path, "val", lego_like(2, 8))
    capture = read_capture(tmp_path)
    assert (len(capture.train), len(capture.heldout)) == (9, 2)
    assert "held out are the 2 views of transforms_val.json" in capture.notes


def test_of_a_test_split_what_is_there_is_held_out(tmp_path: Path) -> None:
    write_blender(tmp_path, "train", opaque(lego_like(3, 8)))
    write_blender(tmp_path, "test", lego_like(4, 8))
    (tmp_path / "test/r_1.png").unlink()
    capture = read_capture(tmp_path)
    assert [photograph.name for photograph in capture.heldout] == ["test/r_0.png", "test/r_2.png", "test/r_3.png"]
    assert "1 pictures that transforms_test.json names to hold out are not there, test/r_1 first" in capture.notes


def test_a_test_split_without_frames_is_said_and_no_reason_to_refuse(tmp_path: Path) -> None:
    write_blender(tmp_path, "train", opaque(lego_like(3, 8)))
    write_json(tmp_path / "transforms_test.json", {"camera_angle_x": 0.7, "frames": []})
    capture = read_capture(tmp_path)
    assert not capture.heldout
    assert "transforms_test.json has no frames" in capture.notes


def test_pictures_that_one_file_names_to_hold_out_need_not_be_there_either(tmp_path: Path) -> None:
    def split(content: dict[str, Any]) -> None:
        content["test_filenames"] = [frame["file_path"] for frame in content["frames"][:3]]

    small_capture(tmp_path, split)
    (tmp_path / "images/frame_00002.png").unlink()
    capture = read_capture(tmp_path)
    assert (len(capture.train), len(capture.heldout)) == (6, 2)
    assert any(
        "1 pictures that transforms.json names to hold out are not there, images/frame_00002" in note
        for note in capture.notes
    )


def test_pictures_to_train_on_that_are_not_there_are_refused_with_their_number(tmp_path: Path) -> None:
    small_capture(tmp_path)
    for number in (3, 5, 6):
        (tmp_path / f"images/frame_0000{number}.png").unlink()
    with pytest.raises(InputError, match=r"frame 3 of 9 .* is not there.*; 3 of 9 pictures are not there$"):
        read_capture(tmp_path)


def test_files_of_cameras_that_are_not_read_are_said(tmp_path: Path) -> None:
    small_capture(tmp_path)
    write_blender(tmp_path, "test", lego_like(2, 8))
    assert "not used: the file transforms_test.json" in read_capture(tmp_path).notes
    write_blender(tmp_path, "train", lego_like(2, 8))
    write_blender(tmp_path, "val", lego_like(2, 8))
    notes = read_capture(tmp_path).notes
    assert "not used: the file transforms.json, the file transforms_val.json" in notes


def test_keys_of_both_splits_that_are_not_used_are_in_one_note(tmp_path: Path) -> None:
    for split, key in (("train", "aabb_scale"), ("test", "depth_file_path")):
        file = write_blender(tmp_path, split, lego_like(2, 8))
        write_json(file, json.loads(file.read_text()) | {key: 1, "sharpness": 3, "scale": None})
    assert [note for note in read_capture(tmp_path).notes if "not used" in note] == [
        "not used: aabb_scale, depth_file_path"
    ]


def test_many_keys_that_are_not_used_are_counted(tmp_path: Path) -> None:
    def strange(content: dict[str, Any]) -> None:
        content |= {f"key{number:02}\n": number for number in range(30)}

    (note,) = [note for note in read_capture(small_capture(tmp_path, strange)).notes if "not used" in note]
    assert note.startswith(r"not used: 'key00\n', 'key01\n'")
    assert note.endswith("18 more keys")


# Orientation tags -----------------------------------------------------------------------------------------------------


def portraits(folder: Path, change: Callable[[dict[str, Any]], object], tag: int = 6) -> list[np.ndarray]:
    """A capture of pictures 6 wide and 10 high as they are stored, with an orientation tag."""
    exif = Image.Exif()
    exif[0x0112] = tag
    small_capture(folder, change, count=3)
    stored = [picture_files.noise(10, 6, 3) for _ in range(3)]
    for number, pixels in enumerate(stored, 1):
        Image.fromarray(pixels).save(folder / f"images/frame_0000{number}.png", exif=exif)
    return stored


def test_a_picture_is_turned_upright_where_w_and_h_are_those_of_the_upright_one(tmp_path: Path) -> None:
    stored = portraits(tmp_path, lambda content: content.update(w=20, h=12, fl_x=20, fl_y=20, cx=12, cy=6))
    capture = read_capture(tmp_path)
    np.testing.assert_array_equal(capture.train[0].pixels, np.rot90(stored[0], -1))
    assert capture.train[0].camera.focal == (10.0, 10.0)
    assert capture.train[0].camera.centre == (6.0, 3.0)
    assert "all pictures: turned upright as its orientation tag (6) says" in capture.notes


def test_a_picture_on_its_side_without_a_tag_to_turn_it_is_refused(tmp_path: Path) -> None:
    portraits(tmp_path, lambda content: content.update(w=10, h=6, cx=5, cy=3), tag=1)
    with pytest.raises(
        InputError, match="the picture is 6x10, w and h are those of one on its side, and no orientation"
    ):
        read_capture(tmp_path)


def test_masks_are_found_as_pictures_are_but_with_their_endings(tmp_path: Path) -> None:
    small_capture(tmp_path, lambda content: content.update(mask_path="Masks/a.png"))
    write_picture(tmp_path / "masks/A.PNG", np.full((8, 8), 255, np.uint8))
    assert read_capture(tmp_path).train[0].pixels.shape[2] == 4
    small_capture(tmp_path, lambda content: content.update(mask_path="masks/A"))
    with pytest.raises(InputError, match=r"its mask 'masks/A' is not there; there is 'masks/A\.PNG'"):
        read_capture(tmp_path)
