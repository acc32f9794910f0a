"""Folders of posed photographs: both layouts come back as they were written, and whatever is wrong is one sentence."""

import copy
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from fieldlens.configs.errors import InputError
from fieldlens.render.camera import perspective
from fieldlens.scenes.captures import transforms
from fieldlens.scenes.captures.transforms import read_capture
from tests.support import picture_files
from tests.support.posed_scenes import (
    around,
    box,
    lego_like,
    nerfstudio,
    opaque,
    photographed,
    small_capture,
    sphere,
    write_blender,
    write_json,
    write_picture,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A nerfstudio folder of 9 pictures of 8x8."""
    return small_capture(tmp_path)


def changed(folder: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """The folder with something else in its file of cameras."""
    file = folder / "transforms.json"
    content = json.loads(file.read_text())
    change(content)
    write_json(file, content)
    return folder


# What is read ---------------------------------------------------------------------------------------------------------


def test_a_blender_scene_comes_back_as_it_was_written(tmp_path: Path) -> None:
    train, test = lego_like(5, 12), lego_like(3, 12)
    write_blender(tmp_path, "train", train)
    write_blender(tmp_path, "val", lego_like(2, 12))
    write_blender(tmp_path, "test", test)
    told: list[float] = []
    for path in (tmp_path, tmp_path / "transforms_train.json"):
        capture = read_capture(path, progress=told.append)
        assert capture.name == tmp_path.name
        for found, written in ((capture.train, train), (capture.heldout, test)):
            assert len(found) == len(written)
            for one, other in zip(found, written, strict=True):
                np.testing.assert_array_equal(one.pixels, other.pixels)
                np.testing.assert_allclose(one.camera.pose, other.camera.pose, atol=1e-12)
                assert one.camera.focal == pytest.approx(other.camera.focal)
                assert one.camera.centre == other.camera.centre
        assert capture.train[3].name == "train/r_3.png"
        assert "held out are the 3 views of transforms_test.json" in capture.notes
    assert told[:8] == [(number + 1) / 8 for number in range(8)]


def test_without_a_test_split_that_of_val_is_held_out(tmp_path: Path) -> None:
    write_blender(tmp_path, "train", opaque(lego_like(9, 8)))
    write_blender(tmp_path, "val", lego_like(2, 8))
    assert len(read_capture(tmp_path).heldout) == 2
    (tmp_path / "transforms_val.json").unlink()
    assert (len(read_capture(tmp_path).train), len(read_capture(tmp_path).heldout)) == (7, 2)


def test_every_eighth_view_by_name_is_held_out_whatever_their_order(folder: Path) -> None:
    changed(folder, lambda content: content["frames"].reverse())
    capture = read_capture(folder)
    assert [photograph.name[-9:] for photograph in capture.heldout] == ["00009.png", "00001.png"]
    assert len(capture.train) == 7
    changed(folder, lambda content: content["frames"].pop())
    changed(folder, lambda content: content["frames"].pop())
    assert read_capture(folder).heldout == [] or not read_capture(folder).heldout


def test_splits_that_the_file_names_are_kept(folder: Path) -> None:
    def name(content: dict[str, Any]) -> None:
        files = [frame["file_path"] for frame in content["frames"]]
        content["train_filenames"], content["val_filenames"] = files[:4], ["./" + files[5]]

    capture = read_capture(changed(folder, name))
    assert [photograph.name for photograph in capture.heldout] == ["images/frame_00006.png"]
    assert len(capture.train) == 4
    changed(folder, lambda content: content.pop("train_filenames"))
    assert len(read_capture(folder).train) == 8
    changed(folder, lambda content: content["val_filenames"].append("images/else.png"))
    with pytest.raises(InputError, match=r"'images/else\.png' of 'val_filenames' is the file of no frame"):
        read_capture(folder)


def test_intrinsics_of_a_frame_come_before_those_of_all(folder: Path) -> None:
    def own(content: dict[str, Any]) -> None:
        content["frames"][1] |= {"fl_x": 20.0, "fl_y": 21.0, "cx": 3.0}
        content["frames"][2] |= {"camera_angle_x": math.pi / 2}

    cameras = [photograph.camera for photograph in read_capture(changed(folder, own)).train]
    assert cameras[0].focal == (20.0, 21.0)
    assert cameras[0].centre == (3.0, 4.0)
    assert cameras[1].focal == pytest.approx((4.0, 4.0))
    assert cameras[2].focal == lego_like(9, 8)[0].camera.focal


def test_reduced_pictures_have_the_means_of_areas_and_cameras_that_see_as_much(tmp_path: Path) -> None:
    views = lego_like(3, 12, box((-0.7, -0.2, -0.4), (0.5, 0.3, 0.2)))
    write_blender(tmp_path, "train", views)
    for whole, reduced in zip(views, read_capture(tmp_path, max_side=4).train, strict=True):
        assert reduced.pixels.shape == (4, 4, 4)
        means = whole.pixels.reshape(4, 3, 4, 3, 4).mean((1, 3))
        np.testing.assert_allclose(reduced.pixels, means, atol=0.51)
        assert reduced.camera.focal == pytest.approx(np.array(whole.camera.focal) / 3)
        points = np.random.default_rng(0).uniform(-1, 1, (5, 3))
        np.testing.assert_allclose(3 * reduced.camera.project(points)[0], whole.camera.project(points)[0])
    with pytest.raises(InputError, match="--max-side must be at least 1"):
        read_capture(tmp_path, max_side=0)


def test_intrinsics_for_another_size_are_scaled_to_the_pictures(folder: Path) -> None:
    def doubled(content: dict[str, Any]) -> None:
        for key in ("w", "h", "fl_x", "fl_y", "cx", "cy"):
            content[key] *= 2

    before = read_capture(folder)
    after = read_capture(changed(folder, doubled))
    assert after.train[0].camera.focal == pytest.approx(before.train[0].camera.focal)
    assert after.train[0].camera.centre == before.train[0].camera.centre
    assert any("another size than w and h" in note for note in after.notes)


def test_alpha_is_premultiplied_and_masks_clear_what_they_leave_out(tmp_path: Path) -> None:
    content = nerfstudio(tmp_path, lego_like(2, 8))
    rgba = np.full((8, 8, 4), (200, 100, 0, 51), np.uint8)
    write_picture(tmp_path / "images/frame_00001.png", rgba)
    write_picture(tmp_path / "images/frame_00002.png", rgba[..., :3])
    mask = np.zeros((8, 8), np.uint8)
    mask[:5] = 255
    write_picture(tmp_path / "masks/2.png", mask)
    content["frames"][1]["mask_path"] = "masks/2.png"
    write_json(tmp_path / "transforms.json", content)
    first, second = read_capture(tmp_path).train
    assert (first.pixels == [40, 20, 0, 51]).all()
    assert (second.pixels[:5] == [200, 100, 0, 255]).all()
    assert (second.pixels[5:] == 0).all()


def test_pictures_of_16_bits_and_grey_ones_become_rgb_of_8_and_that_is_said(tmp_path: Path) -> None:
    content = nerfstudio(tmp_path, lego_like(3, 8))
    deep = np.arange(8 * 8 * 3, dtype=np.uint16).reshape(8, 8, 3) * 257
    (tmp_path / "images/frame_00001.png").write_bytes(picture_files.png16(deep))
    write_picture(tmp_path / "images/frame_00002.png", np.full((8, 8), 77, np.uint8))
    write_json(tmp_path / "transforms.json", content)
    capture = read_capture(tmp_path)
    np.testing.assert_array_equal(capture.train[0].pixels, deep // 257)
    assert (capture.train[1].pixels == [77, 77, 77]).all()
    assert "1 pictures: rounded to 8 bits" in capture.notes
    assert "1 pictures: grey written as RGB" in capture.notes


def test_an_orientation_tag_turns_nothing_for_cameras_are_of_the_stored_pixels(tmp_path: Path) -> None:
    views = [photographed(perspective(6, 10, 0.7, pose), sphere((0, 0, 0), 0.8)) for pose in around(3, 4.0)]
    content = nerfstudio(tmp_path, views)
    pixels = picture_files.noise(6, 10, 3)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(pixels).save(tmp_path / "images/frame_00001.png", exif=exif)
    write_json(tmp_path / "transforms.json", content)
    np.testing.assert_array_equal(read_capture(tmp_path).train[0].pixels, pixels)


def test_distortion_is_undone_and_the_camera_is_that_of_the_cropped_picture(folder: Path) -> None:
    capture = read_capture(changed(folder, lambda content: content.update(k1=2.0)))
    camera, pixels = capture.train[0].camera, capture.train[0].pixels
    assert (camera.height, camera.width) == pixels.shape[:2]
    assert camera.width < 8
    assert any("distortion undone, cropped from 8x8" in note for note in capture.notes)


def test_a_scale_in_all_matrices_is_divided_out_and_said(folder: Path) -> None:
    before = read_capture(folder)

    def scaled(content: dict[str, Any]) -> None:
        for frame in content["frames"]:
            matrix = np.array(frame["transform_matrix"])
            matrix[:3, :3] *= 0.37
            frame["transform_matrix"] = matrix.tolist()

    after = read_capture(changed(folder, scaled))
    for one, other in zip(before.train, after.train, strict=True):
        np.testing.assert_allclose(one.camera.pose, other.camera.pose, atol=1e-12)
    assert any("9 of 9 frames: the matrix has a scale" in note for note in after.notes)


def test_rotations_rounded_to_four_digits_become_exact(folder: Path) -> None:
    def rounded(content: dict[str, Any]) -> None:
        for frame in content["frames"]:
            frame["transform_matrix"] = np.round(frame["transform_matrix"], 4).tolist()

    for photograph in read_capture(changed(folder, rounded)).train:
        rotation = photograph.camera.pose[:3, :3]
        np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)


def test_views_that_come_twice_are_said(folder: Path) -> None:
    def twice(content: dict[str, Any]) -> None:
        content["frames"][2]["transform_matrix"] = content["frames"][1]["transform_matrix"]
        content["test_filenames"] = [content["frames"][3]["file_path"]]
        content["train_filenames"] = [frame["file_path"] for frame in content["frames"]]

    notes = read_capture(changed(folder, twice)).notes
    assert "1 of 9 training views are from the very place of another one" in notes
    assert any("1 of 1 held-out views are trained on too" in note for note in notes)


def test_what_is_not_used_is_said(folder: Path) -> None:
    extra = {"aabb_scale": 16, "ply_file_path": "sparse.ply", "applied_transform": [[1, 0, 0, 0]]}
    assert "not used: aabb_scale, ply_file_path" in read_capture(changed(folder, lambda c: c.update(extra))).notes


def test_backslashes_separate_folders_too(folder: Path) -> None:
    def windows(content: dict[str, Any]) -> None:
        for frame in content["frames"]:
            frame["file_path"] = frame["file_path"].replace("/", "\\")

    assert read_capture(changed(folder, windows)).train[0].name == "images/frame_00002.png"


# What is refused ------------------------------------------------------------------------------------------------------

_NINTH = r"^'.*/transforms\.json', frame 9 of 9 \('images/frame_00009\.png'\): "


def matrix(value: Any) -> Callable[[dict[str, Any]], object]:
    return lambda content: content["frames"][8].update(transform_matrix=value)


def entry(row: int, column: int, value: Any) -> Callable[[dict[str, Any]], object]:
    return lambda content: content["frames"][8]["transform_matrix"][row].__setitem__(column, value)


def mirrored(content: dict[str, Any]) -> None:
    for row in content["frames"][8]["transform_matrix"][:3]:
        row[0] = -row[0]


def stretched(content: dict[str, Any]) -> None:
    for row in content["frames"][8]["transform_matrix"][:3]:
        row[0] = 1.01 * row[0]


def ninth(**values: Any) -> Callable[[dict[str, Any]], object]:
    return lambda content: content["frames"][8].update(values)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (matrix(None), "'transform_matrix' is no list of 4 rows of 4 numbers"),
        (
            matrix([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]]),
            r"'transform_matrix' is no list .* \(give it the last row 0, 0, 0, 1\)",
        ),
        (matrix([[1, 0, 0]] * 4), "'transform_matrix' is no list of 4 rows"),
        (matrix([[0, 0, 0, 1]] * 4), "its matrix is singular"),
        (matrix([[0, 0, 0, 0]] * 3 + [[0, 0, 0, 1]]), "its matrix is singular"),
        (entry(0, 0, math.nan), "a value of its matrix is nan, no number that can be worked with"),
        (entry(0, 3, math.inf), "a value of its matrix is inf"),
        (entry(0, 3, 10**400), "a value of its matrix is huge"),
        (entry(0, 3, 1e200), "a value of its matrix is 1e\\+200"),
        (entry(0, 3, "1"), "a value of its matrix is no number"),
        (entry(0, 3, True), "a value of its matrix is no number"),
        (entry(3, 3, 2), "the last row of its matrix is not 0, 0, 0, 1"),
        (matrix([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [1, 2, 3, 1]]), "the last row .* has to be transposed"),
        (mirrored, "its matrix mirrors the world"),
        (stretched, "its matrix is not rigid"),
        (ninth(file_path="images/frame_00008.png"), "another frame has the same picture from another place"),
        (ninth(mask_path="masks/none.png"), r"its mask 'masks/none\.png' is not there"),
        (ninth(mask_path="transforms.json"), r"its mask: '.*/transforms\.json' is no picture that can be read"),
        (ninth(mask_path=3), "its mask is no name of a file"),
        (ninth(w=4), "the picture is 8x8 and the intrinsics are for 4x8, which has other proportions"),
        (ninth(w=0), "w and h are 0 and 8, no size of a picture"),
        (ninth(w=8.5), r"w and h are 8\.5 and 8, no size of a picture"),
        (ninth(fl_x=0.0), "a focal length of 0 pixels for a picture of 8x8 is that of no pinhole"),
        (ninth(fl_x="wide"), "'fl_x' is no number"),
        (ninth(camera_angle_x=39.6), r"'camera_angle_x' is 39\.6, no angle of a camera in radians"),
        (ninth(camera_model="OPENCV_FISHEYE"), "its camera model is 'OPENCV_FISHEYE'; pinhole cameras can be read"),
        (ninth(camera_model="EQUIRECTANGULAR"), "its camera model is 'EQUIRECTANGULAR'"),
        (ninth(camera_model=[1]), r"its camera model is \[1\]"),
        (ninth(is_fisheye=True), "'is_fisheye' says that its lens is no pinhole"),
        (ninth(k1=1e9), "its distortion cannot be undone: nothing is left of the picture"),
    ],
)
def test_what_is_wrong_with_a_frame_is_one_sentence_that_names_it(
    folder: Path, change: Callable[[dict[str, Any]], object], sentence: str
) -> None:
    changed(folder, change)
    with pytest.raises(InputError, match=_NINTH.replace("00009", "0000[89]") + sentence) as caught:
        read_capture(folder)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("named", "sentence"),
    [
        ("/etc/hostname", "lies outside of the folder; paths have to be relative"),
        ("../out.png", "lies outside of the folder"),
        ("images/../../out.png", "lies outside of the folder"),
        ("..\\out.png", "lies outside of the folder"),
        ("C:\\out.png", "lies outside of the folder"),
        ("//server/share/out.png", "lies outside of the folder"),
        ("images/none", r"is not there, nor with the ending of a picture \(\.png, "),
        ("images", "is a folder, not a file"),
        ("a" * 5000, "is not there"),
        ("images/\0.png", "is not there"),
        ("images/\ud800.png", "is not there"),
        (".", "lies outside"),
    ],
)
def test_pictures_that_are_not_there_or_not_in_the_folder_are_refused(folder: Path, named: str, sentence: str) -> None:
    write_picture(folder.parent / "out.png", np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(InputError, match=rf"transforms\.json', frame 9 of 9.*: its picture .* {sentence}"):
        read_capture(changed(folder, ninth(file_path=named)))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty"),
        (b"{", "is damaged: "),
        (b"\xff\xfe\xfd{}", "is damaged: "),
        (b"[" * 200_000, "is damaged: "),
        (b"[]", "is damaged: it holds no JSON object"),
        (b"{}", "has no list of 'frames'"),
        (b'{"frames": {}}', "has no list of 'frames'"),
        (b'{"frames": []}', "has no frames"),
        (b'{"frames": [3]}', "frame 1 of 1: it is no JSON object"),
        (b'{"frames": [{}]}', "frame 1 of 1: 'file_path' is no name of a file"),
        (b'{"frames": [{"file_path": 3}]}', "frame 1 of 1: 'file_path' is no name of a file"),
        (b'{"w": 1' + b"0" * 5000 + b"}", "is damaged: "),
    ],
)
def test_a_file_of_cameras_that_is_none_is_refused(tmp_path: Path, content: bytes, sentence: str) -> None:
    (tmp_path / "transforms.json").write_bytes(content)
    for path in (tmp_path, tmp_path / "transforms.json"):
        with pytest.raises(InputError, match=r"transforms\.json'.* " + sentence) as caught:
            read_capture(path)
        assert "\n" not in str(caught.value)


def test_a_folder_without_cameras_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none", tmp_path / "a\0b", tmp_path / ("a" * 5000)):
        with pytest.raises(InputError, match=r"has neither transforms_train\.json nor transforms\.json"):
            read_capture(path)


def test_damaged_pictures_are_refused_with_their_frame(folder: Path) -> None:
    picture = folder / "images/frame_00009.png"
    whole = picture.read_bytes()
    for content, sentence in (
        (b"", "is empty"),
        (b"Dear reader", "is no picture that can be read"),
        (whole[: len(whole) // 2], "cannot be decoded, so it is damaged or cut short"),
        (whole[:20], "cannot be decoded"),
    ):
        picture.write_bytes(content)
        with pytest.raises(InputError, match=_NINTH + r"'.*frame_00009\.png' .*" + sentence):
            read_capture(folder)


def test_a_frame_without_a_field_of_view_is_refused(folder: Path) -> None:
    with pytest.raises(InputError, match=r"frame 1 of 9 .* neither 'camera_angle_x' nor 'fl_x'"):
        read_capture(changed(folder, lambda content: content.pop("fl_x")))


def test_a_single_view_is_refused_also_where_it_comes_twice(folder: Path) -> None:
    def alone(content: dict[str, Any]) -> None:
        content["frames"] = content["frames"][:1]

    def again(content: dict[str, Any]) -> None:
        content["frames"] = content["frames"] * 3

    for change in (alone, again):
        with pytest.raises(InputError, match=r"\('images/frame_00001\.png'\): it is the only view to train on"):
            read_capture(changed(folder, change))


def test_cameras_that_look_away_are_refused_with_the_file_and_the_first_frame(folder: Path) -> None:
    def backwards(content: dict[str, Any]) -> None:
        for frame in content["frames"]:
            for row in frame["transform_matrix"][:3]:
                row[0], row[2] = -row[0], -row[2]

    with pytest.raises(InputError, match=r"transforms\.json': 7 of 7 cameras look away .* images/frame_00002\.png;"):
        read_capture(changed(folder, backwards))


def test_more_pixels_than_the_limit_are_refused_before_any_is_decoded(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transforms, "MAX_TOTAL", 5 * 64)
    with pytest.raises(InputError, match=r"frame 6 of 9 .*: with it the pictures have 384 pixels, more than the limit"):
        read_capture(folder)
    assert read_capture(folder, max_side=4).train[0].pixels.shape == (4, 4, 3)


def test_more_bytes_than_the_limit_are_refused_at_the_photograph_that_is_too_much(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = read_capture(folder).train[0].pixels.nbytes
    monkeypatch.setattr(transforms, "MAX_TOTAL_BYTES", 3 * size)
    with pytest.raises(InputError, match=rf"with it the pictures take {4 * size:,} bytes, more than the limit of"):
        read_capture(folder)


@pytest.mark.parametrize("unit", [b"[],", b'{"a":[0]},'])
def test_brackets_without_end_are_refused_before_they_are_taken_apart(tmp_path: Path, unit: bytes) -> None:
    (tmp_path / "transforms.json").write_bytes(b'{"frames": [' + unit * 4_000_000 + b"0]}")
    with pytest.raises(InputError, match=r"transforms\.json': it holds more than 4,000,000 values"):
        read_capture(tmp_path)
    (tmp_path / "transforms.json").write_bytes(b"[" * 70_000_000)
    with pytest.raises(InputError, match=r"transforms\.json': it has 70,000,000 bytes, more than the 67,108,864 "):
        read_capture(tmp_path)


def test_a_million_frames_are_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "transforms.json").write_bytes(b'{"frames": [' + b"{}," * 999_999 + b"{}]}")
    with pytest.raises(InputError, match=r"transforms\.json' has 1,000,000 frames, more than the limit of 20,000"):
        read_capture(tmp_path)


# Anything at all ------------------------------------------------------------------------------------------------------

_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.sampled_from([1e308, -1e308, 5e-324, 1e-300, 10**320, 1e11, 0, -1]),
    st.text(max_size=8),
    st.sampled_from(["../x", "/x", "images", "", ".", "OPENCV_FISHEYE", "images/frame_00001.png"]),
    st.lists(st.floats(), max_size=4),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)

_KEYS = st.sampled_from(
    [
        *("frames", "file_path", "mask_path", "transform_matrix", "w", "h", "fl_x", "fl_y", "cx", "cy", "camera_model"),
        *("distortion_params", "k", "k5", "mask_filename"),
        *("camera_angle_x", "camera_angle_y", "k1", "k2", "k3", "k4", "p1", "p2", "is_fisheye", "aabb_scale"),
        *("train_filenames", "test_filenames", "val_filenames"),
    ]
)


@pytest.fixture(scope="module")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("fuzzed")
    return folder, nerfstudio(folder, opaque(lego_like(3, 6)))


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_only_input_errors_come_of_any_change_to_a_file_of_cameras(
    shared_folder: tuple[Path, dict[str, Any]], data: st.DataObject
) -> None:
    folder, valid = shared_folder
    content = copy.deepcopy(valid)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.sampled_from(["top", "frame", "matrix"]))
        frames = content.get("frames")
        if place == "top" or not isinstance(frames, list) or not frames or not isinstance(frames[0], dict):
            content[data.draw(_KEYS)] = data.draw(_VALUES)
        elif place == "frame":
            frames[0][data.draw(_KEYS)] = data.draw(_VALUES)
        elif isinstance(frames[0].get("transform_matrix"), list):
            rows = copy.deepcopy(valid["frames"][0]["transform_matrix"])
            rows[data.draw(st.integers(0, 3))][data.draw(st.integers(0, 3))] = data.draw(_VALUES)
            frames[0]["transform_matrix"] = rows
    write_json(folder / "transforms.json", content)
    _reads_or_refuses(folder)


@settings(max_examples=100)
@given(st.integers(0, 10_000), st.binary(max_size=6), st.integers(0, 6))
def test_only_input_errors_come_of_any_bytes(
    shared_folder: tuple[Path, dict[str, Any]], start: int, new: bytes, length: int
) -> None:
    folder, valid = shared_folder
    text = json.dumps(valid).encode()
    start %= len(text)
    (folder / "transforms.json").write_bytes(text[:start] + new + text[start + length :])
    _reads_or_refuses(folder)


def _reads_or_refuses(folder: Path) -> None:
    try:
        capture = read_capture(folder)
    except InputError:
        return
    assert capture.bounds.side > 0
    assert np.isfinite(capture.bounds.centre).all()
