"""Folders of photographs with cameras, as Blender's scenes of NeRF and nerfstudio lay them out.

A folder has either `transforms_train.json`, with `transforms_test.json` and `transforms_val.json` beside it, or one
`transforms.json`. What these files hold, and what is refused, is said in `fieldlens.scenes.captures.camera_file`.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Shaped, UInt8

from fieldlens.configs.errors import InputError
from fieldlens.render.camera import Camera

from ..pictures.area import area_average, fitted_size
from ..pictures.pixels import Pixels, unit_of
from ..pictures.reading import Reading, read_picture
from .bounds import scene_bounds
from .camera_file import CameraFile, FrameEntry, read_camera_file
from .capture import Capture, Photograph
from .lens import Lens, Straightening

MAX_TOTAL = 300_000_000
"""The most pixels of all photographs together: 1.2 GB of RGBA, 468 pictures of 800x800."""

HOLDOUT_EVERY = 8
"""One view in so many, by the names of their files, is held out where no file says which (Mildenhall et al. 2019)."""

LONE, TRAIN, TEST, VAL = "transforms.json", "transforms_train.json", "transforms_test.json", "transforms_val.json"


def read_capture(
    path: Path, *, max_side: int | None = None, progress: Callable[[float], None] | None = None
) -> Capture:
    """The photographs and cameras of a folder, or those that one of its files of cameras names.

    Held out are the frames of `transforms_test.json` (or those that `test_filenames` lists), else those of val, else
    every eighth of the training frames where there are at least eight, else none.

    Pictures become RGB or RGBA of 8 bits with alpha premultiplied, without their lens's distortion, and are then
    reduced to `max_side`, as the intrinsics are; cameras keep their poses. Pixels are taken as they are stored,
    whatever an orientation tag says, for so do the programs that find cameras. What a mask leaves out (0 in it) gets
    alpha 0. nerfstudio ignores such pixels; here they count as empty, as those around an object that was cut out do,
    which is what nearly all masks are for. What a picture without distortion would show beyond the photograph's edge
    is cropped, since alpha 0 would say that nothing is there.

    Args:
        progress: told the share that is done, from 0 to 1.

    Raises:
        InputError: for anything wrong with the folder or a file in it; nothing in it is executed, and no other folder's
            file is read.
    """
    if max_side is not None and max_side < 1:
        raise InputError(f"--max-side must be at least 1, got {max_side}")
    file = _camera_file(path)
    train, heldout, notes = _split(file, max_side)
    _check_views(file, train, heldout)
    loaded = _Pictures(max_side)
    photographs: list[Photograph] = []
    for frame in (*train, *heldout):
        photographs.append(loaded.photograph(frame))
        if progress is not None:
            progress(len(photographs) / (len(train) + len(heldout)))
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
    if _is_file(path):
        return path
    for name in (TRAIN, LONE):
        if _is_file(path / name):
            return path / name
    raise InputError(f"{str(path)!r} is no folder of posed photographs: it has neither {TRAIN} nor {LONE}")


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name too long, or with a zero byte in it
        return False


def _split(file: Path, max_side: int | None) -> tuple[Sequence[FrameEntry], Sequence[FrameEntry], list[str]]:
    """Frames to train on and frames held out, and in words how that was decided."""
    first = read_camera_file(file, MAX_TOTAL, max_side)
    notes = [*first.notes]
    if file.name == TRAIN:
        left = MAX_TOTAL - _pixels(first.frames, max_side)
        for name in (TEST, VAL):
            if _is_file(file.with_name(name)):
                other = read_camera_file(file.with_name(name), left, max_side)
                notes += [note for note in other.notes if note not in notes]
                return first.frames, other.frames, [*notes, f"held out are the {len(other.frames)} views of {name}"]
    train, heldout = _named_splits(first)
    if heldout:
        return train, heldout, [*notes, f"held out are the {len(heldout)} views that {file.name} names for it"]
    if len(train) < HOLDOUT_EVERY:
        return train, (), [*notes, f"nothing is held out of {len(train)} views; that takes at least {HOLDOUT_EVERY}"]
    chosen = set(map(id, sorted(train, key=lambda frame: frame.name)[::HOLDOUT_EVERY]))
    heldout = [frame for frame in train if id(frame) in chosen]
    train = [frame for frame in train if id(frame) not in chosen]
    return train, heldout, [*notes, f"held out is every {HOLDOUT_EVERY}th view by name, {len(heldout)} in all"]


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

    def __init__(self, max_side: int | None) -> None:
        self._max_side = max_side
        self._done = Counter[str]()
        self._count = 0
        self._straightening: tuple[Lens, Straightening] | None = None  # frames in a row mostly share a lens

    def photograph(self, frame: FrameEntry) -> Photograph:
        """The picture as it is fitted, and its camera."""
        reading = _read(frame)
        pixels, lens, done = reading.pixels, frame.lens, [*reading.notes]
        if frame.mask is not None:
            pixels = _masked(pixels, _mask(frame, *pixels.shape[:2]))
            done.append("what its mask leaves out counts as empty (alpha 0)")
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


def _read(frame: FrameEntry) -> Reading:
    try:
        reading = read_picture(frame.picture, upright=False)
    except InputError as problem:
        raise InputError(f"{frame.where}: {problem}") from None
    height, width = reading.pixels.shape[:2]
    if (height, width) != (frame.lens.height, frame.lens.width):
        raise InputError(
            f"{frame.where}: the picture is {width}x{height} where its header says "
            f"{frame.lens.width}x{frame.lens.height}; write it anew"
        )
    return reading


def _mask(frame: FrameEntry, height: int, width: int) -> Bool[np.ndarray, "h w"]:
    """True where the mask keeps the picture: where it is anything but black."""
    assert frame.mask is not None
    try:
        values = read_picture(frame.mask, upright=False).pixels
    except InputError as problem:
        raise InputError(f"{frame.where}: its mask: {problem}") from None
    if values.shape[:2] != (height, width):
        raise InputError(
            f"{frame.where}: its mask {str(frame.mask)!r} is {values.shape[1]}x{values.shape[0]} and the picture "
            f"{width}x{height}; they have to be of one size"
        )
    colours = values[..., :-1] if values.shape[2] in (2, 4) else values
    return np.any(colours > 0, axis=-1)


def _masked(pixels: Pixels, kept: Bool[np.ndarray, "h w"]) -> Shaped[np.ndarray, "h w channels"]:
    """The picture with an alpha channel, and 0 all over where it is not kept."""
    if pixels.shape[2] in (1, 3):
        opaque = np.full_like(pixels[..., :1], unit_of(pixels.dtype))
        pixels = np.concatenate([pixels, opaque], -1)
    return np.where(kept[..., None], pixels, pixels.dtype.type(0))


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
