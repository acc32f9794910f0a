"""Files of cameras, `transforms*.json`: which pictures there are, and where and how each was taken.

Two dialects are read as one. Blender's scenes of NeRF (Mildenhall et al. 2020) have one `camera_angle_x` for all
frames, and file paths without an ending. nerfstudio and instant-ngp have intrinsics in pixels, for all frames or for
each, with distortion, and masks. In both, `transform_matrix` is camera-to-world with OpenGL's axes.

Everything is checked here, before any picture is decoded; of a picture, only the header is read. Whatever is wrong is
one sentence that names the file and the frame.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import Any

import numpy as np

from fieldlens.configs.errors import InputError
from fieldlens.configs.files import read_json
from fieldlens.render.camera import Pose, focal_from_angle

from ..pictures.reading import picture_size
from .lens import Lens

RIGID_TOLERANCE = 1e-3
"""How far the axes of a pose may be from length 1 and from right angles: files have as few as four digits."""

LARGEST_COORDINATE = 1e12
"""The largest coordinate of a camera, in whatever unit: the 16 digits of a number have to leave some for the scene."""

MAX_FILE = 1 << 28
"""Bytes of the largest file of cameras that is read."""

MAX_FRAMES = 20_000
"""The most frames that one file of cameras may name: it takes a minute to read the headers of their pictures."""

_ENDINGS = ("", ".png", ".jpg", ".jpeg", ".webp", ".PNG", ".JPG", ".JPEG", ".tif", ".tiff", ".exr", ".bmp", ".avif")

_PINHOLES = ("SIMPLE_PINHOLE", "PINHOLE", "SIMPLE_RADIAL", "RADIAL", "OPENCV", "PERSPECTIVE")

_NOT_USED = ("applied_scale", "aabb_scale", "scale", "offset", "ply_file_path", "depth_file_path")


@dataclass(frozen=True, eq=False)
class FrameEntry:
    """One picture that a file of cameras names."""

    where: str
    """The file and the frame, to begin a sentence with."""
    name: str
    """The picture's file, from the folder of cameras."""
    picture: Path
    mask: Path | None
    lens: Lens
    """The lens for the picture's own size, before any reduction."""
    pose: Pose


@dataclass(frozen=True, eq=False)
class CameraFile:
    """What one file of cameras says."""

    path: Path
    frames: tuple[FrameEntry, ...]
    splits: Mapping[str, tuple[FrameEntry, ...]]
    """Frames by split: those of train, val and test that the file names."""
    notes: tuple[str, ...]


def read_camera_file(path: Path, max_total: int, max_side: int | None) -> CameraFile:
    """Read a file of cameras and the headers of the pictures that it names.

    Args:
        max_total: the most pixels that all pictures may have together, once reduced to `max_side`.

    Raises:
        InputError: for whatever is wrong with it, or with a picture's header.
    """
    content = _content(path)
    listed = content.get("frames")
    if not isinstance(listed, list):
        raise InputError(f"{str(path)!r} has no list of 'frames'; it is no file of cameras")
    if not listed:
        raise InputError(f"{str(path)!r} has no frames: its list of them is empty")
    if len(listed) > MAX_FRAMES:
        raise InputError(
            f"{str(path)!r} has {len(listed):,} frames, more than the limit of {MAX_FRAMES:,}; leave some out"
        )
    frames, scaled, resized, total = [], 0, 0, 0
    for number, entry in enumerate(listed, 1):
        where = f"{str(path)!r}, frame {number} of {len(listed)}"
        if not isinstance(entry, dict):
            raise InputError(f"{where}: it is no JSON object")
        where, picture = _picture(path, where, entry)
        pose, was_scaled = _pose(where, entry.get("transform_matrix"))
        lens, was_resized = _lens(where, content, entry, *_size(where, picture))
        mask = entry.get("mask_path")
        frames.append(
            FrameEntry(
                where,
                picture.relative_to(path.parent).as_posix(),
                picture,
                None if mask is None else _found(path.parent, f"{where}: its mask", mask, endings=("",)),
                lens,
                pose,
            )
        )
        scaled, resized = scaled + was_scaled, resized + was_resized
        side = max(lens.height, lens.width)
        share = 1.0 if max_side is None else min(1.0, max_side / side)
        total += math.ceil(lens.height * lens.width * share**2)
        if total > max_total:
            raise InputError(
                f"{where}: with it the pictures have {total:,} pixels, more than the limit of {max_total:,} for all "
                "together; reduce them with --max-side, or leave frames out"
            )
    notes = []
    if scaled:
        notes.append(f"{scaled} of {len(frames)} matrices have a scale besides their rotation, which is divided out")
    if resized:
        notes.append(f"{resized} of {len(frames)} pictures have another size than w and h; intrinsics are scaled alike")
    unused = [key for key in _NOT_USED if key in content or any(key in entry for entry in listed)]
    if unused:
        notes.append(f"not used: {', '.join(unused)}")
    return CameraFile(path, tuple(frames), _splits(path, content, frames), tuple(notes))


def _content(path: Path) -> dict[str, Any]:
    try:
        size = path.stat().st_size
    except (OSError, ValueError) as problem:
        raise InputError(f"cannot read {str(path)!r}: {getattr(problem, 'strerror', None) or problem}") from None
    if size == 0:
        raise InputError(f"{str(path)!r} is empty")
    if size > MAX_FILE:
        raise InputError(f"{str(path)!r} has {size:,} bytes, more than any file of cameras that can be fitted")
    return read_json(path)


# Pictures -------------------------------------------------------------------------------------------------------------


def _picture(path: Path, where: str, entry: dict[str, Any]) -> tuple[str, Path]:
    """The picture's file, and the place in words with its name."""
    named = entry.get("file_path")
    if not isinstance(named, str) or not named:
        raise InputError(f"{where}: 'file_path' is no name of a file")
    return f"{where} ({named!r})", _found(path.parent, f"{where}: its picture", named, _ENDINGS)


def _found(folder: Path, what: str, named: Any, endings: tuple[str, ...]) -> Path:
    """The file in the folder that has the name, without or with one of the endings."""
    if not isinstance(named, str) or not named:
        raise InputError(f"{what} is no name of a file")
    inside = _inside(named)
    if inside is None:
        raise InputError(f"{what} {named!r} lies outside of the folder; paths have to be relative and stay inside")
    for ending in endings:
        file = folder.joinpath(*inside[:-1], inside[-1] + ending)
        try:
            if file.is_file():
                return file
        except (OSError, ValueError):  # a name too long, or one that no file can have
            break
    tried = f", nor with the ending of a picture ({', '.join(endings[1:5])}, ...)" if len(endings) > 1 else ""
    raise InputError(f"{what} {named!r} is not there{tried}")


def _inside(named: str) -> tuple[str, ...] | None:
    """The parts of a relative path, without dots; None where it leaves the folder, be it only for a moment.

    A backslash separates folders too: files of cameras come from Windows as well.

    >>> _inside("./train/r_0"), _inside("images\\\\a.png"), _inside("../a.png"), _inside("C:/a.png")
    (('train', 'r_0'), ('images', 'a.png'), None, None)
    """
    path = PureWindowsPath(named)
    if path.anchor:
        return None
    parts: list[str] = []
    for part in path.parts:
        if part != "..":
            parts.append(part)
        elif not parts:
            return None
        else:
            parts.pop()
    return tuple(parts) or None


def _size(where: str, picture: Path) -> tuple[int, int]:
    try:
        return picture_size(picture)
    except InputError as problem:
        raise InputError(f"{where}: {problem}") from None


# Numbers --------------------------------------------------------------------------------------------------------------


def json_number(where: str, name: str, value: Any) -> float:
    """A JSON number that is finite and no larger than anything real."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(f"{where}: {name} is no number")
    if not abs(value) <= LARGEST_COORDINATE:  # an int of a thousand digits compares as well; NaN does not
        raise InputError(f"{where}: {name} is {_shown(value)}, no number that can be worked with")
    return float(value)


def _shown(value: float) -> str:
    return f"{value:.4g}" if isinstance(value, float) else "huge"


def _pose(where: str, matrix: Any) -> tuple[Pose, bool]:
    """The matrix with an exact rotation, and whether it had a scale as well."""
    is_list = isinstance(matrix, list) and all(isinstance(row, list) for row in matrix)
    if not is_list or [len(row) for row in matrix] != [4] * 4:
        raise InputError(f"{where}: 'transform_matrix' is no list of 4 rows of 4 numbers")
    return rigid(where, [value for row in matrix for value in row])


def rigid(where: str, values: Sequence[Any]) -> tuple[Pose, bool]:
    """The pose that 16 values of a file say, row by row, with an exact rotation; and whether it had a scale as well.

    Raises:
        InputError: beginning with `where`, when they are no numbers or no rigid matrix.
    """
    pose = np.array([json_number(where, "a value of its matrix", value) for value in values]).reshape(4, 4)
    if np.abs(pose[3] - [0, 0, 0, 1]).max() > 1e-6:
        raise InputError(f"{where}: the last row of its matrix is not 0, 0, 0, 1")
    left, lengths, right = np.linalg.svd(pose[:3, :3])
    scale = float(lengths.mean())
    if not lengths[2] > 1e-6 * lengths[0] or scale < 1 / LARGEST_COORDINATE:
        raise InputError(f"{where}: its matrix is singular")
    if np.abs(lengths / scale - 1).max() > RIGID_TOLERANCE:
        raise InputError(
            f"{where}: its matrix is not rigid, as its axes are not at right angles to each other or not of one length"
        )
    if np.linalg.det(left @ right) < 0:
        raise InputError(f"{where}: its matrix mirrors the world, so an axis of it has the wrong sign")
    pose[:3, :3] = left @ right  # the nearest rotation
    pose[3] = [0, 0, 0, 1]
    return pose, abs(scale - 1) > RIGID_TOLERANCE


def _lens(
    where: str, content: Mapping[str, Any], entry: Mapping[str, Any], height: int, width: int
) -> tuple[Lens, bool]:
    """The intrinsics at the picture's own size, and whether the file has them for another; the frame's own come first.

    Principal points are taken as they are: nerfstudio and COLMAP have the left top corner at (0, 0) too.
    """

    def given(name: str) -> Any:
        return entry.get(name, content.get(name))

    def number(name: str, default: float) -> float:
        value = given(name)
        return default if value is None else json_number(where, repr(name), value)

    model = "FISHEYE" if given("is_fisheye") else given("camera_model") or "PINHOLE"
    if not isinstance(model, str) or model.upper() not in _PINHOLES:
        raise InputError(
            f"{where}: its camera model is {model!r:.40}; pinhole cameras can be read, with OPENCV's distortion or not"
        )
    w, h = number("w", width), number("h", height)
    if w < 1 or h < 1 or w % 1 or h % 1:
        raise InputError(f"{where}: w and h are {w:g} and {h:g}, no size of a picture")
    if abs(w * height - h * width) > max(w, h):  # more than a pixel of rounding off the same proportions
        raise InputError(
            f"{where}: the picture is {width}x{height} and the intrinsics are for {w:.0f}x{h:.0f}, which has other "
            "proportions; give w and h of the pictures as they are"
        )
    x_by, y_by = width / w, height / h
    source = entry if any(key in entry for key in ("fl_x", "camera_angle_x")) else content
    fx = _focal(where, source, "x", width, x_by)
    if fx is None:
        raise InputError(f"{where}: there is neither 'camera_angle_x' nor 'fl_x', so its field of view is not known")
    fy = _focal(where, source, "y", height, y_by)
    fy = fx if fy is None else fy
    for focal in (fx, fy):
        if not 0.01 <= focal / max(height, width) <= 1e5:
            raise InputError(
                f"{where}: a focal length of {focal:.4g} pixels for a picture of {width}x{height} is that of no pinhole"
            )
    lens = Lens(
        height,
        width,
        (fx, fy),
        (number("cx", w / 2) * x_by, number("cy", h / 2) * y_by),
        (number("k1", 0), number("k2", 0), number("k3", 0), number("k4", 0)),
        (number("p1", 0), number("p2", 0)),
    )
    if lens.distorts and max(height, width) >= 1 << 15:
        raise InputError(f"{where}: a picture of {width}x{height} is too large for its distortion to be undone")
    return lens, (w, h) != (width, height)


def _focal(where: str, source: Mapping[str, Any], axis: str, pixels: int, scale: float) -> float | None:
    """The focal length along an axis in pixels of the picture, from pixels or from an angle; None where neither is."""
    if source.get(f"fl_{axis}") is not None:
        return scale * json_number(where, f"'fl_{axis}'", source[f"fl_{axis}"])
    name = f"camera_angle_{axis}"
    if source.get(name) is None:
        return None
    angle = json_number(where, repr(name), source[name])
    if not 0 < angle < math.pi:
        raise InputError(f"{where}: {name!r} is {angle:.4g}, no angle of a camera in radians (0 to {math.pi:.4g})")
    return focal_from_angle(angle, pixels)


# Splits ---------------------------------------------------------------------------------------------------------------


def _splits(path: Path, content: dict[str, Any], frames: list[FrameEntry]) -> dict[str, tuple[FrameEntry, ...]]:
    """The frames of the splits that the file names, by what it calls their files."""
    listed = [_inside(entry["file_path"]) for entry in content["frames"]]
    by_file = dict(zip(listed, frames, strict=True))
    splits = {}
    for split in ("train", "val", "test"):
        names = content.get(f"{split}_filenames")
        if names is None:
            continue
        if not isinstance(names, list):
            raise InputError(f"{str(path)!r}: '{split}_filenames' is no list")
        chosen = []
        for name in names:
            frame = by_file.get(_inside(name)) if isinstance(name, str) else None
            if frame is None:
                raise InputError(f"{str(path)!r}: {name!r:.100} of '{split}_filenames' is the file of no frame")
            chosen.append(frame)
        splits[split] = tuple(chosen)
    return splits
