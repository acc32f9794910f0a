"""Intrinsics: whichever keys say them they are one lens, and numbers that no camera has are refused or remarked."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fieldlens.configs.errors import InputError
from fieldlens.scenes.captures.intrinsics import Intrinsics, intrinsics_of
from fieldlens.scenes.captures.transforms import read_capture
from tests.support.posed_scenes import small_capture

PLAIN = {"w": 48, "h": 32, "fl_x": 50.0, "fl_y": 50.0, "cx": 24.0, "cy": 16.0}


def taken(content: dict[str, Any], entry: dict[str, Any] | None = None) -> Intrinsics:
    """The intrinsics of a picture of 48x32."""
    return intrinsics_of("here", content, entry or {}, 32, 48)


def remarks(content: dict[str, Any], entry: dict[str, Any] | None = None) -> str:
    return "; ".join(remark.text for remark in taken(content, entry).remarks)


# Distortion -----------------------------------------------------------------------------------------------------------


def test_a_list_of_coefficients_is_the_six_by_their_names() -> None:
    names = ("k1", "k2", "k3", "k4", "p1", "p2")
    values = [-0.2, 0.1, 0.03, -0.004, 0.002, -0.001]
    listed = taken(PLAIN | {"distortion_params": values}).lens
    assert listed == taken(PLAIN | dict(zip(names, values, strict=True))).lens
    assert listed.radial == (-0.2, 0.1, 0.03, -0.004)
    assert listed.tangential == (0.002, -0.001)


def test_colmaps_k_of_a_simple_radial_lens_is_k1() -> None:
    content = PLAIN | {"camera_model": "SIMPLE_RADIAL"}
    assert taken(content | {"k": -0.1}).lens == taken(content | {"k1": -0.1}).lens
    assert taken(content | {"k": -0.1}).lens.distorts


def test_the_coefficients_of_a_frame_come_before_those_of_the_file_however_they_are_written() -> None:
    assert not taken(PLAIN | {"k1": 0.1}, {"distortion_params": [0.0] * 6}).lens.distorts
    assert taken(PLAIN | {"distortion_params": [0.1, 0.2, 0, 0, 0, 0]}, {"k1": 0.3}).lens.radial == (0.3, 0.2, 0, 0)
    assert taken(PLAIN | {"k1": 0.1}, {"k": 0.2}).lens.radial[0] == 0.2


def test_distortion_in_a_list_bends_the_picture_back(tmp_path: Path) -> None:
    small_capture(tmp_path, lambda content: content.update(distortion_params=[2.0, 0, 0, 0, 0, 0]))
    capture = read_capture(tmp_path)
    assert capture.train[0].camera.width < 8
    assert any("distortion undone" in note for note in capture.notes)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"distortion_params": [0.1, 0.2, 0.0, 0.0]},
            "'distortion_params' has 4 numbers; nerfstudio's are the six k1, k2",
        ),
        ({"distortion_params": 0.1}, "'distortion_params' is no list"),
        ({"distortion_params": ["0"] * 6}, "a value of 'distortion_params' is no number"),
        ({"distortion_params": [0.1] * 6, "k1": 0.2}, "'distortion_params' has other numbers than k1 to p2"),
        ({"k": 0.1, "k1": 0.2}, "'k' and 'k1' are 0.1 and 0.2, and mean the same"),
        ({"k5": 0.1}, "'k5' and 'k6' are of a lens with six radial coefficients"),
        ({"k6": -0.1, "camera_model": "OPENCV"}, "'k5' and 'k6' are of a lens"),
        ({"camera_model": "FULL_OPENCV"}, "its camera model is 'FULL_OPENCV'"),
        ({"camera_model": "SIMPLE_RADIAL_FISHEYE"}, "its camera model is 'SIMPLE_RADIAL_FISHEYE'"),
        ({"is_fisheye": True}, "'is_fisheye' says that its lens is no pinhole"),
        ({"ftheta_p0": 0.1}, "'ftheta_p0' says that its lens is no pinhole"),
        ({"latlong": True}, "'latlong' says that its lens is no pinhole"),
    ],
)
def test_distortion_that_cannot_be_undone_or_is_said_twice_is_refused(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError, match=f"^here: {sentence}"):
        taken(PLAIN | change)


def test_coefficients_of_a_model_without_any_are_undone_and_that_is_said() -> None:
    found = taken(PLAIN | {"camera_model": "PINHOLE", "k1": 0.1})
    assert found.lens.distorts
    assert "the camera model has no distortion" in found.remarks[0].text
    assert remarks(PLAIN | {"camera_model": "OPENCV", "k1": 0.1}) == ""


# Focal lengths --------------------------------------------------------------------------------------------------------


def test_the_files_focal_length_along_y_stands_beside_a_frames_along_x() -> None:
    found = taken({"fl_y": 60.0}, {"fl_x": 50.0})
    assert found.lens.focal == (50.0, 60.0)
    assert "pixels are not square" in found.remarks[0].text
    assert taken({"fl_y": 60.0, "fl_x": 70.0}, {"fl_x": 50.0}).lens.focal == (50.0, 60.0)
    assert taken({"fl_y": 60.0, "fl_x": 70.0}, {"fl_y": 65.0}).lens.focal == (70.0, 65.0)


def test_a_frames_own_angle_takes_the_place_of_the_files_pixels_along_both_axes() -> None:
    found = taken(PLAIN, {"camera_angle_x": math.pi / 2})
    assert found.lens.focal == pytest.approx((24.0, 24.0))
    angles = {"camera_angle_x": 1.0, "camera_angle_y": math.pi / 2}
    assert taken(angles, {"camera_angle_x": math.pi / 2}).lens.focal == pytest.approx((24.0, 16.0))


def test_two_focal_lengths_that_disagree_are_said_and_that_in_pixels_is_taken() -> None:
    agreeing = {"camera_angle_x": 2 * math.atan(24 / 50), "camera_angle_y": 2 * math.atan(16 / 50)}
    assert remarks(PLAIN | agreeing) == ""
    found = taken(PLAIN | {"camera_angle_x": 0.5})
    assert found.lens.focal == (50.0, 50.0)
    assert "fl_x and camera_angle_x are not of the same angle of view; fl_x is taken" in found.remarks[0].text


@pytest.mark.parametrize("focal", [0.0, -50.0, 1e-9, 4.0, 1.04, 1e6])
def test_focal_lengths_that_no_pinhole_has_are_refused(focal: float) -> None:
    for entry in ({"fl_x": focal}, {"fl_x": 50.0, "fl_y": focal}):
        with pytest.raises(
            InputError, match=r"^here: a focal length of .* pixels for a picture of 48x32 is that of no"
        ):
            taken({}, entry)


@pytest.mark.parametrize("angle", [1e-5, 3.0])
def test_angles_that_no_pinhole_has_are_refused(angle: float) -> None:
    with pytest.raises(
        InputError, match="is that of no pinhole camera; camera_angle_x and camera_angle_y are in radians"
    ):
        taken({"camera_angle_x": angle})


@pytest.mark.parametrize("value", [math.nan, math.inf, "50", None, [50.0], True])
def test_focal_lengths_that_are_no_numbers_are_refused(value: Any) -> None:
    with pytest.raises(InputError, match=r"^here: (there is neither|'fl_x' is)"):
        taken({"fl_x": value})


def test_a_focal_length_of_larger_pictures_is_doubted() -> None:
    assert "the angle of view is below 7 degrees; if fl_x and fl_y are for larger" in remarks({"fl_x": 500.0})
    assert remarks({"fl_x": 300.0}) == ""


# Principal points and sizes -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"cx": 240.0, "cy": 160.0},
            r"its principal point \(cx, cy\) is far outside of the picture \(240, 160 in 48x32\)",
        ),
        ({"cx": 24.0, "cy": -40.0}, r"its principal point \(cx, cy\) is far outside"),
        (
            {"cx": 0.5, "cy": 0.5},
            "cx and cy are 0.5 and 0.5, in the picture's corner; they are in pixels, and no shares",
        ),
        ({"cx": 0, "cy": 0}, "cx and cy are 0 and 0, in the picture's corner"),
        ({"cx": math.nan}, "'cx' is nan"),
    ],
)
def test_principal_points_that_cannot_be_are_refused(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError, match=f"^here: {sentence}"):
        taken(PLAIN | change)


def test_principal_points_beside_the_middle_are_taken_and_said() -> None:
    assert remarks(PLAIN | {"cx": 30.0, "cy": 12.0}) == ""
    found = taken(PLAIN | {"cx": 60.0})  # of a picture cut out of a larger one
    assert found.lens.centre == (60.0, 16.0)
    assert "the principal point (cx, cy) is far from the picture's middle" in found.remarks[0].text
    assert "far from the picture's middle" in remarks(PLAIN | {"cx": 0.5})


def test_intrinsics_for_another_size_are_scaled_and_that_is_said() -> None:
    found = taken({"w": 480, "h": 320, "fl_x": 500.0, "cx": 250.0, "cy": 160.0})
    assert found.lens.focal == pytest.approx((50.0, 50.0))
    assert found.lens.centre == pytest.approx((25.0, 16.0))
    assert found.remarks[0].text.startswith("the picture has another size than w and h")
    assert found.remarks[0].example == "48x32, not 480x320"


def test_of_a_width_or_a_height_alone_the_other_follows() -> None:
    both = taken({"w": 96, "h": 64, "fl_x": 100.0})
    assert taken({"w": 96, "fl_x": 100.0}) == taken({"h": 64, "fl_x": 100.0}) == both


def test_a_file_whose_focal_length_has_another_name_is_refused_with_the_keys_that_it_has() -> None:
    with pytest.raises(InputError, match=r"field of view is not known \(not read: 'focal, fx'\)"):
        taken({"w": 48, "fx": 50.0, "frames": []}, {"file_path": "a", "focal": 3})


def test_intrinsics_of_the_picture_on_its_side_are_of_the_upright_one() -> None:
    found = taken({"w": 32, "h": 48, "fl_x": 50.0, "cx": 15.0})
    assert found.upright
    assert (found.lens.width, found.lens.height) == (32, 48)
    assert found.lens.centre == (15.0, 24.0)
    assert not taken(PLAIN).upright


def test_what_is_remarked_of_many_frames_is_one_note_with_the_first_of_them(tmp_path: Path) -> None:
    def change(content: dict[str, Any]) -> None:
        for number, frame in enumerate(content["frames"]):
            frame["fl_y"] = 15.0 + number

    (note,) = [note for note in read_capture(small_capture(tmp_path, change)).notes if "square" in note]
    assert note.startswith(
        "9 of 9 frames: focal lengths along x and y differ, so pixels are not square (the first: 11."
    )


@pytest.mark.parametrize(
    "change", [lambda c: c["frames"][2].update(fl_x=0.1), lambda c: c["frames"][2].update(distortion_params=[1.0])]
)
def test_what_is_wrong_names_file_and_frame(tmp_path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    with pytest.raises(InputError, match=r"^'.*/transforms\.json', frame 3 of 9 \('images/frame_00003\.png'\): "):
        read_capture(small_capture(tmp_path, change))
