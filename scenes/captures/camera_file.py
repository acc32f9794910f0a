"""Files of cameras, `transforms*.json`: which pictures there are, and where and how each was taken.

Two dialects are read as one. Blender's scenes of NeRF (Mildenhall et al. 2020) have one `camera_angle_x` for all
frames, and file paths without an ending. nerfstudio and instant-ngp have intrinsics in pixels, for all frames or for
each, with distortion, and masks. In both, `transform_matrix` is camera-to-world with OpenGL's axes.

Everything is checked here, before any picture is decoded; of a picture, only the header is read. Whatever is wrong is
one sentence that names the file and the frame, and a key that is not read is named.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fieldlens.configs.errors import InputError
from fieldlens.configs.files import read_json
from fieldlens.render.camera import Pose

from ..pictures.reading import picture_size
from . import intrinsics, masks
from .intrinsics import intrinsics_of
from .lens import Lens
from .masks import mask_of, unused_masks
from .named_files import PICTURE_ENDINGS, AbsentError, NamedFiles, inside
from .numbers import Remark, counted, pose_of

MAX_FILE = 1 << 26
"""Bytes of the largest file of cameras that is read."""

MAX_FRAMES = 20_000
"""The most frames that one file of cameras may name: it takes a minute to read the headers of their pictures."""

_SPLITS = ("train", "val", "test")

_OF_LENSES_AND_MASKS = intrinsics.KEYS.union(intrinsics.OTHER_LENSES, masks.KEYS)
_OF_FILES = _OF_LENSES_AND_MASKS.union(["frames"], (f"{split}_filenames" for split in _SPLITS))
_OF_FRAMES = _OF_LENSES_AND_MASKS.union(["file_path", "transform_matrix"])
"""The keys that are read of a file, and of a frame."""

_HARMLESS = frozenset(
    ("rotation", "sharpness", "colmap_im_id", "camera_label", "applied_transform", "orientation_override")
)
"""Keys that say how a file was made, or how another program is to place the scene, and change nothing here."""

_MOST_NAMED = 12
"""Keys that are not used and are named all the same."""


@dataclass(frozen=True)
class Limits:
    """What pictures may cost."""

    total: int
    """The most pixels of all pictures together, once reduced to `side`."""
    pixels: int
    """The most pixels of one picture, before it is reduced."""
    side: int | None
    """The most pixels along a side, to which pictures are reduced."""


@dataclass(frozen=True, eq=False)
class FrameEntry:
    """One picture that a file of cameras names."""

    where: str
    """The file and the frame, to begin a sentence with."""
    named: tuple[str, ...]
    """The picture's file, from the folder of cameras, as the file of cameras has it."""
    name: str
    """The picture's file, from the folder of cameras, as it is there."""
    picture: Path
    mask: Path | None
    lens: Lens
    """The lens for the picture's own size, before any reduction."""
    upright: bool
    """Whether that size is the picture's once it is turned as its orientation tag says."""
    pose: Pose
    remarks: tuple[Remark, ...]


@dataclass(frozen=True, eq=False)
class CameraFile:
    """What one file of cameras says."""

    path: Path
    frames: tuple[FrameEntry, ...]
    """Those whose pictures are there."""
    splits: Mapping[str, tuple[FrameEntry, ...]]
    """Frames by split: those of train, val and test that the file names."""
    absent: tuple[str, ...]
    """The names of pictures that are not there, and were not to be trained on."""
    unused: tuple[str, ...]
    """Keys and files that are not used, in words."""
    notes: tuple[str, ...]


def read_camera_file(path: Path, limits: Limits, *, heldout: bool = False) -> CameraFile:
    """Read a file of cameras and the headers of the pictures that it names.

    Args:
        heldout: whether nothing of it is trained on. Such a file may have no frames, and pictures that are not there.

    Raises:
        InputError: for whatever is wrong with it, or with a picture's header.
    """
    content = read_json(path, MAX_FILE)
    listed = _listed(path, content, may_be_empty=heldout)
    files = NamedFiles(path.parent)
    named, absent = _pictures(path, content, listed, files, heldout=heldout)
    frames, total = [], 0
    for picture in named:
        frame = _frame(content, picture, files, limits.pixels)
        frames.append(frame)
        side = max(frame.lens.height, frame.lens.width)
        share = 1.0 if limits.side is None else min(1.0, limits.side / side)
        total += math.ceil(frame.lens.height * frame.lens.width * share**2)
        if total > limits.total:
            raise InputError(
                f"{frame.where}: with it the pictures have {total:,} pixels, more than the limit of {limits.total:,} "
                "for all together; reduce them with --max-side, or leave frames out"
            )
    masked = any(frame.mask for frame in frames)
    not_read = unused_masks(path.parent, files, (frame.picture for frame in frames), masked=masked)
    return CameraFile(
        path,
        tuple(frames),
        _splits(path, content, frames, absent),
        tuple("/".join(name) for name in absent),
        (*_unused_keys(content, listed), *not_read),
        tuple(counted([remark for frame in frames for remark in frame.remarks], len(frames))),
    )


def _listed(path: Path, content: Mapping[str, Any], *, may_be_empty: bool) -> list[Any]:
    """The frames as they stand in the file."""
    listed = content.get("frames")
    if not isinstance(listed, list):
        raise InputError(f"{str(path)!r} has no list of 'frames'; it is no file of cameras")
    if not listed and not may_be_empty:
        raise InputError(f"{str(path)!r} has no frames: its list of them is empty")
    if len(listed) > MAX_FRAMES:
        raise InputError(
            f"{str(path)!r} has {len(listed):,} frames, more than the limit of {MAX_FRAMES:,}; leave some out"
        )
    return listed


def _unused_keys(content: Mapping[str, Any], listed: Sequence[Mapping[str, Any]]) -> list[str]:
    """The keys of the file and of its frames that are not read and might matter."""
    unused: dict[str, None] = {}
    for source, read in ((content, _OF_FILES), *((entry, _OF_FRAMES) for entry in listed)):
        unused |= {key: None for key in source.keys() - read - _HARMLESS if source[key] is not None}
    names = [f"{key:.40}" if key.isprintable() else f"{key!r:.40}" for key in sorted(unused)]
    more = len(names) - _MOST_NAMED
    return [*names[:_MOST_NAMED], f"{more} more keys"] if more > 1 else names


# Frames ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Picture:
    """A frame whose picture is there; the rest of it is not looked at yet."""

    where: str
    named: tuple[str, ...]
    file: Path
    entry: Mapping[str, Any]


def _pictures(
    path: Path, content: Mapping[str, Any], listed: Sequence[Any], files: NamedFiles, *, heldout: bool
) -> tuple[list[_Picture], list[tuple[str, ...]]]:
    """The frames whose pictures are there, and the names of those that are not and need not be.

    Those that are trained on have to be. All are looked for before one is refused, so that the sentence has a number.
    """
    needed = _needed(path, content)
    found: list[_Picture] = []
    absent: list[tuple[str, ...]] = []
    missing: list[AbsentError] = []
    for number, entry in enumerate(listed, 1):
        where = f"{str(path)!r}, frame {number} of {len(listed)}"
        if not isinstance(entry, dict):
            raise InputError(f"{where}: it is no JSON object")
        name = entry.get("file_path")
        if not isinstance(name, str) or not name:
            raise InputError(f"{where}: 'file_path' is no name of a file")
        where, parts = f"{where} ({name!r:.200})", inside(name) or ()
        try:
            found.append(_Picture(where, parts, files.find(f"{where}: its picture", name, PICTURE_ENDINGS), entry))
        except AbsentError as problem:
            if heldout or not needed(parts):
                absent.append(parts)
            else:
                missing.append(problem)
    if missing:
        count = f"; {len(missing)} of {len(listed)} pictures are not there" if len(missing) > 1 else ""
        raise InputError(f"{missing[0]}{count}")
    return found, absent


def _frame(content: Mapping[str, Any], picture: _Picture, files: NamedFiles, max_pixels: int) -> FrameEntry:
    where, entry = picture.where, picture.entry
    pose, of_pose = pose_of(where, entry.get("transform_matrix"))
    try:
        height, width = picture_size(picture.file, max_pixels)
    except InputError as problem:
        raise InputError(f"{where}: {problem}") from None
    taken = intrinsics_of(where, content, entry, height, width)
    mask, of_mask = mask_of(where, files, content, entry)
    name = picture.file.relative_to(files.folder).as_posix()
    spelled = "/".join(picture.named)
    of_name = () if name.startswith(spelled) else (Remark("the picture is spelled otherwise", f"{name!r} is there"),)
    remarks = (*of_name, *of_pose, *taken.remarks, *of_mask)
    return FrameEntry(where, picture.named, name, picture.file, mask, taken.lens, taken.upright, pose, remarks)


# Splits ---------------------------------------------------------------------------------------------------------------


def _needed(path: Path, content: Mapping[str, Any]) -> Callable[[tuple[str, ...]], bool]:
    """Whether a picture of that name is to be trained on, by what the file says of its splits."""
    names = {split: set(_names(path, content, split)) for split in _SPLITS}
    if content.get("train_filenames") is not None:
        return lambda name: name in names["train"]
    return lambda name: name not in names["val"] | names["test"]


def _splits(
    path: Path, content: Mapping[str, Any], frames: Sequence[FrameEntry], absent: Sequence[tuple[str, ...]]
) -> dict[str, tuple[FrameEntry, ...]]:
    """The frames of the splits that the file names, by what it calls their files, without those that are absent."""
    by_name, left_out = {frame.named: frame for frame in frames}, set(absent)
    splits = {}
    for split in _SPLITS:
        if content.get(f"{split}_filenames") is None:
            continue
        names = _names(path, content, split)
        for name in names:
            if name not in by_name and name not in left_out:
                raise InputError(
                    f"{str(path)!r}: {'/'.join(name)!r:.100} of '{split}_filenames' is the file of no frame"
                )
        splits[split] = tuple(by_name[name] for name in names if name in by_name)
    return splits


def _names(path: Path, content: Mapping[str, Any], split: str) -> list[tuple[str, ...]]:
    """The files that the file lists for a split."""
    listed = content.get(f"{split}_filenames")
    if listed is None:
        return []
    if not isinstance(listed, list):
        raise InputError(f"{str(path)!r}: '{split}_filenames' is no list")
    parts = [inside(name) if isinstance(name, str) else None for name in listed]
    for name, named in zip(listed, parts, strict=True):
        if named is None:
            raise InputError(f"{str(path)!r}: {name!r:.100} of '{split}_filenames' is the file of no frame")
    return [named for named in parts if named is not None]
