"""The lens that a file of cameras says a picture was taken with, from whichever of its keys are there.

Focal lengths are `fl_x` and `fl_y` in pixels or `camera_angle_x` and `camera_angle_y` in radians, the principal point
is `cx` and `cy` in pixels, all of them for a picture of `w` x `h`. Distortion is `k1` to `k4`, `p1` and `p2`; or all
six in this order as nerfstudio's `distortion_params`; or COLMAP's `k` of its model SIMPLE_RADIAL, which is `k1`. A
frame's own keys come before those of the file. Numbers that no lens has are refused, those that few have are remarked.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fieldlens.configs.errors import InputError
from fieldlens.render.camera import focal_from_angle

from .lens import Lens
from .numbers import Remark, json_number

KEYS = frozenset(
    {"w", "h", "fl_x", "fl_y", "cx", "cy", "camera_angle_x", "camera_angle_y", "camera_model"}
    | {"k", "k1", "k2", "k3", "k4", "k5", "k6", "p1", "p2", "distortion_params"}
)
"""The keys of a file or a frame that are read here. Those of `OTHER_LENSES` are read too, to be refused."""

_ELSEWHERE = ("frames", "file_path", "transform_matrix")

_PINHOLES = ("SIMPLE_PINHOLE", "PINHOLE", "SIMPLE_RADIAL", "RADIAL", "OPENCV", "PERSPECTIVE")

_UNDISTORTED = ("SIMPLE_PINHOLE", "PINHOLE")

OTHER_LENSES = ("is_fisheye", "fisheye", "ftheta_p0", "latlong", "equirectangular", "orthographic")
"""Keys by which instant-ngp and others say that the lens is no pinhole, unless they are false."""

_SHORTEST, _LONGEST = 0.15, 1000.0
"""Focal lengths of a pinhole camera, as multiples of its picture's longer side: angles of view of 147 and 0.06 degrees.
Those in millimetres, or as shares of the width, are less."""

_LONG = 8.0
"""A focal length that only the longest lenses for birds and stars have: an angle of view of 7 degrees."""

_CENTRAL, _NEAR = 0.25, 1.0
"""How far a principal point may be from the picture's middle, as a share of the picture's side: without a word, and at
all, for pictures that were cut out of larger ones: half a picture outside."""

_UNITS = {
    "fl": "fl_x and fl_y are in pixels, not in millimetres and no shares of the width",
    "camera_angle": "camera_angle_x and camera_angle_y are in radians, from one edge of the picture to the other",
}

_SAME = 0.02
"""The share by which two numbers that say the same may differ."""

_SQUARE = 0.05
"""The share by which focal lengths along x and y may differ without a word: pixels are nearly always square."""


@dataclass(frozen=True)
class Intrinsics:
    """How a picture was taken."""

    lens: Lens
    """For the picture's own size, before any reduction."""
    upright: bool = False
    """Whether that is the size of the picture once it is turned as its orientation tag says."""
    remarks: tuple[Remark, ...] = ()


class _Given:
    """What a frame says, and for what it leaves out the file."""

    def __init__(self, where: str, content: Mapping[str, Any], entry: Mapping[str, Any]) -> None:
        self.where, self.content, self.entry = where, content, entry

    def value(self, name: str) -> Any:
        own = self.entry.get(name)
        return self.content.get(name) if own is None else own

    def number(self, name: str, default: float) -> float:
        value = self.value(name)
        return default if value is None else json_number(self.where, repr(name), value)


def intrinsics_of(
    where: str, content: Mapping[str, Any], entry: Mapping[str, Any], height: int, width: int
) -> Intrinsics:
    """The intrinsics of a frame whose picture has this size as it is stored.

    Principal points are taken as they are: nerfstudio and COLMAP have the left top corner at (0, 0) too.

    Raises:
        InputError: beginning with `where`, for numbers that no camera has, and for lenses that are no pinhole.
    """
    given = _Given(where, content, entry)
    model = _model(given)
    w, h = _named_size(given, height, width)
    if w < 1 or h < 1 or w % 1 or h % 1:
        raise InputError(f"{where}: w and h are {w:g} and {h:g}, no size of a picture")
    remarks: list[Remark] = []
    upright = not _alike(w, h, width, height) and _alike(w, h, height, width)
    if upright:
        height, width = width, height
    elif not _alike(w, h, width, height):
        raise InputError(
            f"{where}: the picture is {width}x{height} and the intrinsics are for {w:.0f}x{h:.0f}, which has other "
            "proportions; give w and h of the pictures as they are"
        )
    if (w, h) != (width, height):
        sizes = f"{width}x{height}, not {w:.0f}x{h:.0f}"
        remarks.append(Remark("the picture has another size than w and h, so intrinsics are scaled alike", sizes))
    by = width / w, height / h
    focal = _focal(given, (width, height), by, remarks)
    centre = _centre(given, (w, h), by, remarks)
    radial, tangential = _distortion(given)
    lens = Lens(height, width, focal, centre, radial, tangential)
    if lens.distorts and model in _UNDISTORTED:
        remarks.append(Remark("the camera model has no distortion; what the numbers say is undone all the same", model))
    if lens.distorts and max(height, width) >= 1 << 15:
        raise InputError(f"{where}: a picture of {width}x{height} is too large for its distortion to be undone")
    return Intrinsics(lens, upright, tuple(remarks))


def _model(given: _Given) -> str:
    for name in OTHER_LENSES:
        if given.value(name) not in (None, False, 0):
            raise InputError(f"{given.where}: {name!r} says that its lens is no pinhole; such cameras cannot be read")
    model = given.value("camera_model") or "PINHOLE"
    if not isinstance(model, str) or model.upper() not in _PINHOLES:
        raise InputError(
            f"{given.where}: its camera model is {model!r:.40}; pinhole cameras can be read, with OPENCV's distortion "
            "or not"
        )
    return model.upper() if given.value("camera_model") else ""


def _named_size(given: _Given, height: int, width: int) -> tuple[float, float]:
    """Width and height that intrinsics are for; of one alone, in the proportions of the picture."""
    if given.value("w") is None and given.value("h") is not None:
        h = given.number("h", height)
        return float(round(h * width / height)), h
    w = given.number("w", width)
    return w, given.number("h", round(w * height / width))


def _alike(w: float, h: float, width: int, height: int) -> bool:
    """Whether two sizes have the same proportions, but for a pixel of rounding."""
    return abs(w * height - h * width) <= max(w, h)


# Focal lengths --------------------------------------------------------------------------------------------------------


def _focal(given: _Given, size: tuple[int, int], by: tuple[float, float], remarks: list[Remark]) -> tuple[float, float]:
    """Focal lengths along x and y in pixels of the picture."""
    where = given.where
    own = [_from_one(where, given.entry, axis, size, by, remarks) for axis in (0, 1)]
    common = [_from_one(where, given.content, axis, size, by, remarks) for axis in (0, 1)]
    along_x, along_y = own[0] or common[0], own[1]
    if along_x is None:
        others = sorted(key for key in {**given.content, **given.entry} if key not in KEYS and key not in _ELSEWHERE)
        unread = f" (not read: {', '.join(others)[:100]!r})" if others else ""
        raise InputError(
            f"{where}: there is neither 'camera_angle_x' nor 'fl_x', so its field of view is not known{unread}"
        )
    x, kind = along_x
    if along_y is None and common[1] is not None and (own[0] is None or common[1][1] == kind):
        along_y = common[1]  # a frame that has its own angle in place of the file's pixels has that along both axes
    y = x if along_y is None else along_y[0]
    longer = max(size)
    for focal in (x, y):
        if not _SHORTEST <= focal / longer <= _LONGEST:
            raise InputError(
                f"{where}: a focal length of {focal:.4g} pixels for a picture of {size[0]}x{size[1]} is that of no "
                f"pinhole camera; {_UNITS[kind]}"
            )
    if max(x, y) / longer > _LONG:
        remarks.append(
            Remark(
                "the angle of view is below 7 degrees; if fl_x and fl_y are for larger pictures, give their w and h",
                f"a focal length of {max(x, y):.4g} for {size[0]}x{size[1]}",
            )
        )
    if abs(x - y) > _SQUARE * max(x, y):
        remarks.append(Remark("focal lengths along x and y differ, so pixels are not square", f"{x:.4g}, {y:.4g}"))
    return x, y


def _from_one(
    where: str,
    source: Mapping[str, Any],
    axis: int,
    size: tuple[int, int],
    by: tuple[float, float],
    remarks: list[Remark],
) -> tuple[float, str] | None:
    """A focal length in pixels of the picture, and by which kind of key a frame or a file says it; None where none."""
    in_pixels, as_angle = (f"{kind}_{'xy'[axis]}" for kind in ("fl", "camera_angle"))
    found = []
    if source.get(in_pixels) is not None:
        found.append((by[axis] * json_number(where, repr(in_pixels), source[in_pixels]), "fl"))
    if source.get(as_angle) is not None:
        angle = json_number(where, repr(as_angle), source[as_angle])
        if not 0 < angle < math.pi:
            raise InputError(
                f"{where}: {as_angle!r} is {angle:.4g}, no angle of a camera in radians (0 to {math.pi:.4g})"
            )
        found.append((focal_from_angle(angle, size[axis]), "camera_angle"))
    if len(found) == 2 and abs(found[0][0] - found[1][0]) > _SAME * abs(found[1][0]):
        text = f"{in_pixels} and {as_angle} are not of the same angle of view; {in_pixels} is taken"
        remarks.append(Remark(text, f"{found[0][0]:.4g} and {found[1][0]:.4g} pixels"))
    return found[0] if found else None


# Principal points -----------------------------------------------------------------------------------------------------


def _centre(
    given: _Given, of: tuple[float, float], by: tuple[float, float], remarks: list[Remark]
) -> tuple[float, float]:
    """The principal point in pixels of the picture; the file's numbers are for one of the size `of`."""
    named = given.number("cx", of[0] / 2), given.number("cy", of[1] / 2)
    said = f"{named[0]:.4g}, {named[1]:.4g} in {of[0]:.0f}x{of[1]:.0f}"
    off = max(abs(at / side - 0.5) for at, side in zip(named, of, strict=True))
    both = given.value("cx") is not None and given.value("cy") is not None
    if both and min(of) > 4 and all(0 <= at <= 1 for at in named):
        raise InputError(
            f"{given.where}: cx and cy are {named[0]:g} and {named[1]:g}, in the picture's corner; they are in pixels, "
            "and no shares of its width and height"
        )
    if off > _NEAR:
        raise InputError(
            f"{given.where}: its principal point (cx, cy) is far outside of the picture ({said}); where intrinsics are "
            "for larger pictures, give their size as w and h"
        )
    if off > _CENTRAL:
        remarks.append(Remark("the principal point (cx, cy) is far from the picture's middle", said))
    return named[0] * by[0], named[1] * by[1]


# Distortion -----------------------------------------------------------------------------------------------------------

_IN_ORDER = ("k1", "k2", "k3", "k4", "p1", "p2")


def _distortion(given: _Given) -> tuple[tuple[float, float, float, float], tuple[float, float]]:
    """Radial and tangential coefficients, the frame's before the file's."""
    said = _coefficients(given.where, given.content) | _coefficients(given.where, given.entry)
    k1, k2, k3, k4, p1, p2 = (said.get(name, 0.0) for name in _IN_ORDER)
    return (k1, k2, k3, k4), (p1, p2)


def _coefficients(where: str, source: Mapping[str, Any]) -> dict[str, float]:
    """Those that a frame or a file says, by their names in `_IN_ORDER`."""
    said = {
        name: json_number(where, repr(name), source[name])
        for name in (*_IN_ORDER, "k", "k5", "k6")
        if source.get(name) is not None
    }
    if any([said.pop("k5", 0.0), said.pop("k6", 0.0)]):
        raise InputError(
            f"{where}: 'k5' and 'k6' are of a lens with six radial coefficients, which cannot be undone; k1 to k4 can"
        )
    if "k" in said:
        single = said.pop("k")
        if said.get("k1", single) != single:
            raise InputError(f"{where}: 'k' and 'k1' are {single:g} and {said['k1']:g}, and mean the same of a lens")
        said["k1"] = single
    listed = _listed(where, source.get("distortion_params"))
    if any(said.get(name, value) != value for name, value in listed.items()):
        raise InputError(f"{where}: 'distortion_params' has other numbers than k1 to p2, which mean the same of a lens")
    return said | listed


def _listed(where: str, values: Any) -> dict[str, float]:
    """The coefficients of `distortion_params` by name."""
    if values is None:
        return {}
    if not isinstance(values, list):
        raise InputError(f"{where}: 'distortion_params' is no list of numbers")
    numbers = [json_number(where, "a value of 'distortion_params'", value) for value in values]
    if not any(numbers):
        return dict.fromkeys(_IN_ORDER, 0.0) if numbers else {}
    if len(numbers) != len(_IN_ORDER):
        raise InputError(
            f"{where}: 'distortion_params' has {len(numbers)} numbers; nerfstudio's are the six "
            f"{', '.join(_IN_ORDER)}, in this order"
        )
    return dict(zip(_IN_ORDER, numbers, strict=True))
