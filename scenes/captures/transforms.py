"""Folders of photographs with cameras, as Blender's scenes of NeRF and nerfstudio lay them out.

A folder has either `transforms_train.json`, with `transforms_test.json` and `transforms_val.json` beside it, or one
`transforms.json`. What these files hold, and what is refused, is said in `fieldlens.scenes.captures.camera_file`.
"""

import os
import shlex
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from fieldlens.configs.errors import InputError, counted
from fieldlens.render.camera import Camera

from ..pictures.area import area_average, fitted_size
from ..pictures.pixels import Pixels, unit_of
from ..pictures.reading import MAX_PIXELS, Reading, read_picture
from .bounds import scene_bounds
from .camera_file import CameraFile, FrameEntry, Limits, read_camera_file
from .capture import Capture, Photograph
from .lens import Lens, Straightening
from .masks import masked, read_mask

MAX_TOTAL_BYTES = 2_400_000_000
"""The most bytes that all photographs of a folder may take together: RGBA of 16 bits."""

MAX_TOTAL = 300_000_000
"""The most pixels of all photographs together: 1.2 GB of RGBA, 468 pictures of 800x800."""

HOLDOUT_EVERY = 8
"""One view in so many, by the names of their files, is held out where no file says which (Mildenhall et al. 2019)."""

LONE, TRAIN, TEST, VAL = "transforms.json", "transforms_train.json", "transforms_test.json", "transforms_val.json"

PICTURES = frozenset((".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".heic", ".exr"))
"""Endings of what a person calls photographs, told by their names alone."""


def read_capture(
    path: Path,
    *,
    max_side: int | None = None,
    max_pixels: int = MAX_PIXELS,
    progress: Callable[[float], None] | None = None,
) -> Capture:
    """The photographs and cameras of a folder, or those that one of its files of cameras names.

    Held out are the frames of `transforms_test.json` (or those that `test_filenames` lists), else those of val, else
    every eighth of the training frames where there are at least eight, else none.

    Pictures become RGB or RGBA of 8 bits with alpha premultiplied, without their lens's distortion, and are then
    reduced to `max_side`, as the intrinsics are; cameras keep their poses. Pixels are taken as they are stored,
    whatever an orientation tag says, for so do the programs that find cameras; unless w and h are those of the picture
    turned upright. What a mask leaves out (what is below half of white in it) gets alpha 0. nerfstudio ignores such
    pixels; here they count as empty, as those around an object that was cut out do, which is what nearly all masks are
    for. What a picture without distortion would show beyond the photograph's edge is cropped, since alpha 0 would say
    that nothing is there.

    Args:
        max_pixels: the most that one picture may have, before it is reduced.
        progress: told the share that is done, from 0 to 1.

    Raises:
        InputError: for anything wrong with the folder or a file in it; nothing in it is executed. Names in it do not
            lead out of the folder; symbolic links in it may, as whoever made them wants.
    """
    if max_side is not None and max_side < 1:
        raise InputError(f"--max-side must be at least 1, got {max_side}")
    file = _camera_file(path)
    train, heldout, notes = _split(file, Limits(MAX_TOTAL, max_pixels, max_side))
    _check_views(file, train, heldout)
    loaded = _Pictures(max_side, max_pixels)
    photographs: list[Photograph] = []
    held = 0
    for frame in (*train, *heldout):
        photographs.append(loaded.photograph(frame))
        held += photographs[-1].pixels.nbytes
        if held > MAX_TOTAL_BYTES:
            raise InputError(
                f"{frame.where}: with it the pictures take {held:,} bytes, more than the limit of {MAX_TOTAL_BYTES:,} "
                "for all together; reduce them with --max-side, or leave frames out"
            )
        if progress is not None:
            progress(len(photographs) / (len(train) + len(heldout)))
    _check_seen(file, photographs[: len(train)])
    notes = [*notes, *_repeated(train, heldout), *loaded.notes()]
    try:
        bounds, found = scene_bounds(photographs[: len(train)])
    except InputError as problem:
        raise InputError(f"{str(file)!r}: {problem}") from None
    name = _printable(file.resolve().parent.name) or "scene"
    return Capture(name, photographs[: len(train)], photographs[len(train) :], bounds, (*notes, *found))


# Files of cameras -----------------------------------------------------------------------------------------------------


def _camera_file(path: Path) -> Path:
    """The file of cameras to begin with."""
    if not os.path.isdir(path) and _is_file(path):
        return path
    for name in (TRAIN, LONE):
        if _is_file(path / name):
            return path / name
    raise InputError(
        f"{str(path)!r} is no folder of posed photographs: it has neither {TRAIN} nor {LONE}{_without_cameras(path)}"
    )


def _without_cameras(path: Path) -> str:
    """What can be done with photographs that have no cameras; nothing where there is none."""
    try:
        pictures = sorted(file for file in path.iterdir() if file.suffix.lower() in PICTURES)
    except (OSError, ValueError):  # of a name that no file can have
        return ""
    if not pictures:
        return ""
    return (
        f". Fit its {counted(len(pictures), 'picture')} one by one, as in `fieldlens fit "
        f"{shlex.quote(str(pictures[0]))}`; or find their cameras first, for a 3D scene: nerfstudio's "
        f"`ns-process-data images --data {shlex.quote(str(path))} --output-dir posed` does it by COLMAP"
    )


def _is_file(path: Path) -> bool:
    """Whether a regular file is there. Raises InputError where something else is: it is not passed over."""
    try:
        if path.is_file():
            return True
        is_there = path.exists() or path.is_symlink()
    except PermissionError as problem:
        raise InputError(f"cannot read {str(path)!r}: {problem.strerror}") from None
    except (OSError, ValueError):
        return False
    if is_there:
        raise InputError(f"{str(path)!r} is no regular file, nor a link to one, so no cameras can be read from it")
    return False


def _split(file: Path, limits: Limits) -> tuple[Sequence[FrameEntry], Sequence[FrameEntry], list[str]]:
    """Frames to train on and frames held out, and in words how that was decided."""
    first = read_camera_file(file, limits)
    if file.name != TRAIN:
        train, heldout, notes = _split_by_itself(first)
        return train, heldout, [*first.notes, *_not_used(file, first), *notes]
    left = replace(limits, total=limits.total - _pixels(first.frames, limits.side))
    files, notes = [first], []
    for name in (TEST, VAL):
        if not _is_file(file.with_name(name)):
            continue
        other = read_camera_file(file.with_name(name), left, heldout=True)
        files.append(other)
        notes += _left_out(other) if other.frames or other.absent else [f"{name} has no frames"]
        if other.frames:
            train, heldout = first.frames, other.frames
            notes.append(f"held out are the {len(heldout)} views of {name}")
            break
    else:
        train, heldout, by_itself = _split_by_itself(first)
        notes += by_itself
    said = dict.fromkeys(note for read in files for note in read.notes)
    return train, heldout, [*said, *_not_used(file, *files), *notes]


def _split_by_itself(file: CameraFile) -> tuple[Sequence[FrameEntry], Sequence[FrameEntry], list[str]]:
    """The frames of one file, split as it says itself, or by names."""
    train, heldout = _named_splits(file)
    notes = _left_out(file)
    if heldout:
        return train, heldout, [*notes, f"held out are the {len(heldout)} views that {file.path.name} names for it"]
    if len(train) < HOLDOUT_EVERY:
        return train, (), [*notes, f"nothing is held out of {len(train)} views; that takes at least {HOLDOUT_EVERY}"]
    chosen = set(map(id, sorted(train, key=lambda frame: frame.name)[::HOLDOUT_EVERY]))
    heldout = [frame for frame in train if id(frame) in chosen]
    train = [frame for frame in train if id(frame) not in chosen]
    return train, heldout, [*notes, f"held out is every {HOLDOUT_EVERY}th view by name, {len(heldout)} in all"]


def _left_out(file: CameraFile) -> list[str]:
    """What is said of pictures that are not there and were not to be trained on."""
    if not file.absent:
        return []
    count = len(file.absent)
    which = f"all {count}" if not file.frames else str(count)
    return [f"{which} pictures that {file.path.name} names to hold out are not there, {file.absent[0]} first"]


def _not_used(first: Path, *files: CameraFile) -> list[str]:
    """One note of what is not used of all files together, and of the files of cameras beside the first."""
    unused = dict.fromkeys(part for file in files for part in file.unused)
    if first.name in (TRAIN, LONE):
        known = {first.name, *(file.path.name for file in files)}
        others = (name for name in (TRAIN, LONE, TEST, VAL) if name not in known and _is_file(first.with_name(name)))
        unused |= dict.fromkeys(f"the file {name}" for name in others)
    return [f"not used: {', '.join(unused)}"] if unused else []


def _named_splits(file: CameraFile) -> tuple[Sequence[FrameEntry], Sequence[FrameEntry]]:
    heldout = file.splits.get("test") or file.splits.get("val") or ()
    spoken_for = {id(frame) for split in ("val", "test") for frame in file.splits.get(split, ())}
    rest = [frame for frame in file.frames if id(frame) not in spoken_for]
    return file.splits.get("train", rest), heldout


def _pixels(frames: Iterable[FrameEntry], max_side: int | None) -> int:
    sizes = (fitted_size(frame.lens.height, frame.lens.width, max_side or 1 << 62) for frame in frames)
    return sum(height * width for height, width in sizes)


def _check_views(file: Path, train: Sequence[FrameEntry], heldout: Sequence[FrameEntry]) -> None:
    if not train:
        raise InputError(f"{str(file)!r} leaves no frame to train on")
    if len({frame.pose.tobytes() for frame in train}) < 2:
        raise InputError(
            f"{train[-1].where}: it is the only view to train on, and from one view nothing tells how far away things "
            "are; photographs from several places are needed"
        )
    by_picture: dict[Path, FrameEntry] = {}
    for frame in (*train, *heldout):
        other = by_picture.setdefault(frame.picture, frame)
        if not np.array_equal(other.pose, frame.pose):
            raise InputError(
                f"{frame.where}: another frame has the same picture from another place, so one of them is wrong"
            )


def _check_seen(file: Path, train: Sequence[Photograph]) -> None:
    if not any(photograph.pixels.shape[2] == 3 or photograph.pixels[..., 3].any() for photograph in train):
        raise InputError(
            f"{str(file)!r}: nothing is seen in any of the {len(train)} pictures to train on, as in {train[0].name}: "
            "their alpha is 0 all over; save them without alpha, or give other masks"
        )


def _repeated(train: Sequence[FrameEntry], heldout: Sequence[FrameEntry]) -> list[str]:
    """What is said of views that come more than once."""
    notes = []
    repeated = len(train) - len({frame.pose.tobytes() for frame in train})
    if repeated:
        notes.append(f"{repeated} of {len(train)} training views are from the very place of another one")
    known = {frame.picture for frame in train}
    both = sum(frame.picture in known for frame in heldout)
    if both:
        notes.append(f"{both} of {len(heldout)} held-out views are trained on too, so their scores prove little")
    return notes


# Pictures -------------------------------------------------------------------------------------------------------------


class _Pictures:
    """Decodes pictures one after the other, and keeps count of what was done to them."""

    def __init__(self, max_side: int | None, max_pixels: int) -> None:
        self._max_side, self._max_pixels = max_side, max_pixels
        self._done = Counter[str]()
        self._count = 0
        self._straightening: tuple[Lens, Straightening] | None = None  # frames in a row mostly share a lens

    def photograph(self, frame: FrameEntry) -> Photograph:
        """The picture as it is fitted, and its camera."""
        reading = _read(frame, self._max_pixels)
        pixels, lens, done = reading.pixels, frame.lens, [*reading.notes]
        if frame.mask is not None:
            kept, read = read_mask(frame.where, frame.mask, *pixels.shape[:2], upright=frame.upright)
            pixels = masked(pixels, kept)
            done += ["what its mask leaves out counts as empty (alpha 0)", *read]
        if lens.distorts:
            straighten = self._straighten(frame)
            pixels, lens = straighten(pixels), straighten.lens
            cropped = (
                f", cropped from {frame.lens.width}x{frame.lens.height} to what it shows, {lens.width}x{lens.height}"
            )
            done.append("distortion undone" + (cropped if straighten.crops else ""))
        camera = Camera(lens.height, lens.width, lens.focal, lens.centre, frame.pose)
        if self._max_side is not None and max(lens.height, lens.width) > self._max_side:
            camera = camera.resized(*fitted_size(lens.height, lens.width, self._max_side))
            done.append(f"reduced to {camera.width}x{camera.height} by area averaging")
        pixels, converted = _rgb_of_8_bits(pixels, camera.height, camera.width)
        if pixels.shape[2] == 4 and not pixels[..., 3].any():
            done.append("nothing is seen in it, as its alpha is 0 all over")
        self._done.update([*done, *converted])
        self._count += 1
        return Photograph(_printable(frame.name), camera, pixels)

    def notes(self) -> list[str]:
        """What the pictures are and what was done, and to how many of them."""
        return [
            f"{'all' if count == self._count else count} pictures: {note}" if self._count > 1 else note
            for note, count in self._done.items()
        ]

    def _straighten(self, frame: FrameEntry) -> Straightening:
        if self._straightening is None or self._straightening[0] != frame.lens:
            try:
                self._straightening = frame.lens, Straightening(frame.lens)
            except ValueError as problem:
                raise InputError(f"{frame.where}: its distortion cannot be undone: {problem}") from None
        return self._straightening[1]


def _read(frame: FrameEntry, max_pixels: int) -> Reading:
    try:
        reading = read_picture(frame.picture, max_pixels=max_pixels, upright=frame.upright)
    except InputError as problem:
        raise InputError(f"{frame.where}: {problem}") from None
    height, width = reading.pixels.shape[:2]
    if (height, width) == (frame.lens.height, frame.lens.width):
        return reading
    if frame.upright and (width, height) == (frame.lens.height, frame.lens.width):
        raise InputError(
            f"{frame.where}: the picture is {width}x{height}, w and h are those of one on its side, and no orientation "
            "tag says that it is to be turned; give w and h of the pictures as they are"
        )
    raise InputError(
        f"{frame.where}: the picture is {width}x{height} where its header says "
        f"{frame.lens.width}x{frame.lens.height}; write it anew"
    )


def _rgb_of_8_bits(
    pixels: Pixels, height: int, width: int
) -> tuple[UInt8[np.ndarray, "height width channels"], list[str]]:
    """The picture at its final size as RGB or RGBA, 8 bits a value, and what of that was a change."""
    notes = []
    if pixels.dtype != np.uint8:
        notes.append("rounded to 8 bits")
        if pixels.max() > unit_of(pixels.dtype):
            notes.append("values above 1 cut to 1")
    if pixels.dtype != np.uint8 or pixels.shape[:2] != (height, width):
        values = area_average(pixels, height, width, unit_of(pixels.dtype))
        pixels = np.rint(255 * np.clip(values, 0, 1)).astype(np.uint8)
    if pixels.shape[2] < 3:
        notes.append("grey written as RGB")
        pixels = pixels[..., [0, 0, 0] + [1] * (pixels.shape[2] - 1)]
    return np.ascontiguousarray(pixels), notes


def _printable(name: str) -> str:
    """The name of a file, bytes that are no text shown as the replacement character."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
