"""Masks: white keeps and black leaves out, whatever file says so; and what is not used is said."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fieldlens.configs.errors import InputError
from fieldlens.scenes.captures.transforms import read_capture
from tests.support import picture_files
from tests.support.posed_scenes import in_every_frame, small_capture, write_picture

MASKED = in_every_frame(mask_path="mask.png")


def halves(left: int, right: int, dtype: type = np.uint8) -> np.ndarray:
    """8x8, of one value on the left and another on the right."""
    return np.repeat(np.array([[left] * 4 + [right] * 4], dtype), 8, 0)


def kept(folder: Path) -> list[bool]:
    """Of each column, whether the first picture has it."""
    pixels = read_capture(folder).train[0].pixels
    assert pixels.shape[2] == 4
    return [bool(column.all()) for column in pixels[..., 3].T]


LEFT = [True] * 4 + [False] * 4


@pytest.mark.parametrize(
    "mask",
    [
        halves(255, 0),
        halves(128, 127),  # the halves of white and of black
        halves(255, 3),  # JPEG's ringing
        np.stack([halves(128, 20)] * 3, -1),
        np.stack([halves(0, 100), halves(200, 0), halves(0, 0)], -1),
        np.stack([halves(255, 0)] * 3 + [halves(255, 255)], -1),  # opaque all over
        np.stack([halves(0, 0)] * 3 + [halves(255, 0)], -1),  # in the alpha channel
        np.stack([halves(255, 255)] * 3 + [halves(200, 100)], -1),
        np.stack([halves(0, 255), halves(255, 0)], -1),  # grey + alpha
        halves(1, 0).astype(bool),
    ],
)
def test_a_mask_keeps_what_is_at_least_half_of_white_or_of_opaque(tmp_path: Path, mask: np.ndarray) -> None:
    small_capture(tmp_path, MASKED)
    write_picture(tmp_path / "mask.png", mask)
    assert kept(tmp_path) == LEFT


@pytest.mark.parametrize(("above", "below"), [(32768, 32767), (65535, 255)])
def test_the_half_of_16_bits_is_that_of_16_bits(tmp_path: Path, above: int, below: int) -> None:
    small_capture(tmp_path, MASKED)
    deep = np.stack([halves(above, below, np.uint16)] * 3, -1)
    (tmp_path / "mask.png").write_bytes(picture_files.png16(deep))
    assert kept(tmp_path) == LEFT


@pytest.mark.parametrize(
    ("mask", "note"),
    [
        (halves(255, 90), "its mask has greys (soft edges, or JPEG): from half of white on they count as kept"),
        (np.stack([halves(0, 0)] * 3 + [halves(255, 0)], -1), "the alpha channel of its mask counts, not its colours"),
        (
            np.stack([halves(255, 0), halves(0, 0), halves(0, 0)], -1),
            "its mask has colours: the brightest of red, green and blue counts",
        ),
    ],
)
def test_how_a_mask_was_read_is_said_where_that_is_not_plain(tmp_path: Path, mask: np.ndarray, note: str) -> None:
    small_capture(tmp_path, MASKED)
    write_picture(tmp_path / "mask.png", mask)
    notes = read_capture(tmp_path).notes
    assert f"all pictures: {note}" in notes
    write_picture(tmp_path / "mask.png", halves(255, 0))
    assert sum("mask" in one for one in read_capture(tmp_path).notes) == 1


@pytest.mark.parametrize(
    ("mask", "brightest"),
    [
        (halves(0, 0), "0 of 255"),
        (halves(1, 0), "1 of 255"),
        (np.stack([halves(255, 255), halves(0, 9)], -1), "9 of 255"),
    ],
)
def test_a_mask_that_leaves_nothing_is_refused_by_name(tmp_path: Path, mask: np.ndarray, brightest: str) -> None:
    small_capture(tmp_path, lambda content: content["frames"][3].update(mask_path="mask.png"))
    write_picture(tmp_path / "mask.png", mask)
    sentence = rf"frame 4 of 9 .*: its mask '.*/mask\.png' leaves nothing .* its brightest value is {brightest}"
    with pytest.raises(InputError, match=sentence):
        read_capture(tmp_path)


def test_pictures_of_which_nothing_is_seen_are_counted_and_refused_where_that_is_all(tmp_path: Path) -> None:
    small_capture(tmp_path)
    clear = np.zeros((8, 8, 4), np.uint8)
    write_picture(tmp_path / "images/frame_00002.png", clear)
    assert "1 pictures: nothing is seen in it, as its alpha is 0 all over" in read_capture(tmp_path).notes
    for number in range(2, 10):
        write_picture(tmp_path / f"images/frame_0000{number}.png", clear)
    with pytest.raises(InputError, match=r"nothing is seen in any of the 7 pictures to train on, as in images/frame_0"):
        read_capture(tmp_path)


@pytest.mark.parametrize(
    ("change", "note"),
    [
        (in_every_frame(mask_filename="mask.png"), "9 of 9 frames: the mask is named by 'mask_filename'"),
        (
            lambda content: content.update(mask_path="mask.png"),
            "9 of 9 frames: the mask is one for all frames, 'mask_path'",
        ),
    ],
)
def test_masks_by_other_keys_are_used_and_said(
    tmp_path: Path, change: Callable[[dict[str, Any]], object], note: str
) -> None:
    small_capture(tmp_path, change)
    write_picture(tmp_path / "mask.png", halves(255, 0))
    assert note in read_capture(tmp_path).notes
    assert kept(tmp_path) == LEFT


def test_a_frames_own_mask_comes_before_that_of_all_and_two_of_one_frame_are_refused(tmp_path: Path) -> None:
    def own(content: dict[str, Any]) -> None:
        content["mask_path"] = "all.png"
        content["frames"][1]["mask_path"] = "mask.png"

    small_capture(tmp_path, own)
    write_picture(tmp_path / "all.png", halves(0, 255))
    write_picture(tmp_path / "mask.png", halves(255, 0))
    assert kept(tmp_path) == LEFT
    small_capture(tmp_path, in_every_frame(mask_path="mask.png", mask_filename="all.png"))
    with pytest.raises(InputError, match="'mask_path' and 'mask_filename' name two masks"):
        read_capture(tmp_path)


def test_masks_that_no_key_names_are_said_in_the_note_of_what_is_not_used(tmp_path: Path) -> None:
    small_capture(tmp_path, in_every_frame(time=0.5))
    for number in (1, 2):
        write_picture(tmp_path / f"images/dynamic_mask_frame_0000{number}.png", halves(0, 255))
    write_picture(tmp_path / "masks/frame_00001.png", halves(0, 255))
    capture = read_capture(tmp_path)
    not_used = [note for note in capture.notes if "not used" in note]
    assert not_used == ["not used: time, 2 files images/dynamic_mask_*, the folder 'masks', which no 'mask_path' names"]
    assert capture.train[0].pixels.shape[2] == 3


def test_a_mask_of_another_size_is_refused(tmp_path: Path) -> None:
    small_capture(tmp_path, MASKED)
    write_picture(tmp_path / "mask.png", np.zeros((8, 9), np.uint8))
    with pytest.raises(InputError, match=r"frame 2 of 9 .*: its mask '.*' is 9x8 and the picture 8x8"):
        read_capture(tmp_path)


def test_the_mask_of_a_picture_that_is_turned_upright_is_of_the_upright_one(tmp_path: Path) -> None:
    small_capture(tmp_path, lambda content: content.update(w=8, h=6, mask_path="mask.png"))
    exif = Image.Exif()
    exif[0x0112] = 6
    for number in range(1, 10):
        stored = Image.fromarray(picture_files.noise(8, 6, 3))  # 6 wide and 8 high; upright 8 wide and 6 high
        stored.save(tmp_path / f"images/frame_0000{number}.png", exif=exif)
    write_picture(tmp_path / "mask.png", halves(255, 0)[:6])
    assert kept(tmp_path) == LEFT
