"""Reading a picture from a file that a person names, or from an array.

Whatever is done to the picture is said in its notes, and whatever is wrong with the file is one sentence.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from jaxtyping import Shaped

from fieldlens.configs.errors import InputError
from fieldlens.configs.files import read_head

from .area import area_average, fitted_size, rows_at_once
from .decoded import Opened, as_stored, turned_note
from .decoding import open_picture, sniff
from .pixels import Pixels, unit_of
from .raw import is_called_raw, raw_photograph

T = TypeVar("T")

MAX_PIXELS = 100_000_000
"""The most pixels that are decoded unless a person asks for more: 300 MB of RGB."""

MAX_BYTES = 6 * MAX_PIXELS
"""The most bytes that these may take: RGB of 16 bits. Who asks for more pixels allows as much more."""

_COLOURS = {1: "grey", 2: "grey + alpha", 3: "RGB", 4: "RGBA"}


@dataclass(frozen=True)
class Reading:
    """A picture ready to be fitted, and what it is and what was done to it, in words."""

    pixels: Pixels
    notes: tuple[str, ...]


def read_picture(
    path: str | Path, *, max_pixels: int = MAX_PIXELS, max_side: int | None = None, upright: bool = True
) -> Reading:
    """The picture in a file: turned upright, alpha premultiplied, reduced to `max_side` where that is given.

    A camera's intrinsics are of the pixels as they are stored: who has them asks for a picture that is not `upright`.

    Integers keep their 8 or 16 bits, floats become float32, those below 0 become 0. Raises InputError, naming the file,
    for a missing, empty, damaged or unreadable one, for more than `max_pixels` pixels (known from the header, before
    anything is decoded) and for values that are no numbers.
    """
    path = Path(path)
    kind = _kind(path)
    opened = _undamaged(path, kind, lambda: open_picture(path, kind))
    _check_size(path, opened, max_pixels)
    decoded = _undamaged(path, kind, opened.decode)
    pixels = _stored(repr(str(path)), decoded.pixels)
    turned = turned_note(decoded.orientation)
    if turned and not upright:
        pixels, turned = as_stored(pixels, decoded.orientation), ("its orientation tag is not followed",)
    notes = [_describe(kind, pixels), *decoded.notes, *turned]
    return reduced(_fitted(pixels, notes, decoded.premultiplied), max_side)


def read_array(values: Any, *, max_side: int | None = None) -> Reading:
    """The picture in an array: (h, w) or (h, w, c) with channels last, straight alpha as the last of 2 or 4.

    It is taken as a file of the same numbers is: integers of 8 or 16 bits span [0, 1], floats are values themselves.

    Args:
        values: a NumPy array, or what `numpy.asarray` makes one of.

    Raises:
        InputError: for an array of another shape or type, an empty one, and values that are no numbers.
    """
    pixels = np.array(values)  # a copy: it is the person's own
    pixels = pixels[:, :, None] if pixels.ndim == 2 else pixels
    if pixels.ndim != 3 or not pixels.size:
        raise InputError(f"a picture is an array (height, width) or (height, width, channels), not {np.shape(values)}")
    if pixels.shape[2] not in _COLOURS and pixels.shape[0] in _COLOURS:
        raise InputError(
            f"the array {np.shape(values)} has its channels first; put them last, as numpy.moveaxis(array, 0, -1) does"
        )
    if pixels.dtype.kind != "f" and pixels.dtype not in (np.uint8, np.uint16):
        raise InputError(
            f"a picture is an array of floats from 0 to 1, uint8 or uint16, not of {pixels.dtype}; convert it"
        )
    pixels = _stored("the array", pixels)
    return reduced(_fitted(pixels, [_describe("array", pixels)], premultiplied=False), max_side)


def _fitted(pixels: Pixels, notes: list[str], premultiplied: bool) -> Reading:
    """A picture as it is fitted: without values below 0, its colours multiplied by alpha."""
    negative = np.count_nonzero(pixels < 0) if pixels.dtype.kind == "f" else 0
    if negative:  # no light is less than none: filters overshoot by such values, at edges
        pixels = np.maximum(pixels, 0)
        notes = [*notes, f"{negative:,} negative values ({100 * negative / pixels.size:.3g} %) set to 0"]
    if pixels.shape[2] in (2, 4):
        if not premultiplied:
            pixels = pixels if pixels.flags.writeable else pixels.copy()
            _premultiply(pixels)
        notes = [*notes, "colours multiplied by alpha"]
    return Reading(np.ascontiguousarray(pixels), tuple(notes))


def picture_size(path: Path, max_pixels: int = MAX_PIXELS) -> tuple[int, int]:
    """Height and width of the picture in a file as it is stored, from the file's header alone.

    Raises InputError as `read_picture` does.
    """
    kind = _kind(path)
    opened = _undamaged(path, kind, lambda: open_picture(path, kind))
    _check_size(path, opened, max_pixels)
    return opened.height, opened.width


def reduced(reading: Reading, max_side: int | None) -> Reading:
    """The picture with its longer side at most `max_side`, by area averaging, in the type it had; says so in a note."""
    height, width = reading.pixels.shape[:2]
    if max_side is None or max(height, width) <= max_side:
        return reading
    if max_side < 1:
        raise InputError(f"--max-side must be at least 1, got {max_side}")
    size = fitted_size(height, width, max_side)
    pixels, unit = reading.pixels, unit_of(reading.pixels.dtype)
    mean = area_average(pixels, *size)
    mean = np.rint(mean).astype(pixels.dtype) if unit > 1 else mean
    note = f"reduced from {width}x{height} to {size[1]}x{size[0]} by area averaging"
    return Reading(mean, (*reading.notes, note))


def premultiplied(pixels: Pixels) -> Pixels:
    """Colours times alpha, the last channel; integers are rounded to the nearest.

    >>> premultiplied(np.array([[[200, 100, 0, 51]]], dtype=np.uint8)).tolist()
    [[[40, 20, 0, 51]]]
    """
    result = np.array(pixels)
    _premultiply(result)
    return result


def _premultiply(pixels: Pixels) -> None:
    """The same in place: a large picture is held once."""
    top = np.uint32(unit_of(pixels.dtype))
    for rows in rows_at_once(pixels):
        colour, alpha = pixels[rows, :, :-1], pixels[rows, :, -1:]
        if pixels.dtype.kind == "u":
            pixels[rows, :, :-1] = (colour.astype(np.uint32) * alpha + top // 2) // top
        else:
            pixels[rows, :, :-1] = colour * alpha


def _kind(path: Path) -> str:
    """What the file is by its first bytes."""
    if not path.exists():
        raise InputError(f"there is no file {str(path)!r}")
    head = read_head(path, 512)
    if not head:
        raise InputError(f"{str(path)!r} is empty")
    kind = sniff(head)
    if kind is None:
        if is_called_raw(path):
            raise raw_photograph(path)
        looks = " (it looks like text)" if _is_text(head) else ""
        raise InputError(
            f"{str(path)!r} is no picture that can be read{looks}; give a PNG, JPEG, WebP, TIFF, BMP, GIF, AVIF or .hdr"
        )
    return kind


def _is_text(head: bytes) -> bool:
    return b"\0" not in head and all(byte >= 32 or byte in b"\t\n\r\f" for byte in head)


def _check_size(path: Path, opened: Opened, max_pixels: int) -> None:
    pixels = opened.height * opened.width
    if pixels == 0:
        raise InputError(f"{str(path)!r} has no pixels")
    if pixels > max_pixels:
        raise InputError(
            f"{str(path)!r} has {opened.width}x{opened.height} = {pixels:,} pixels, more than the limit of "
            f"{max_pixels:,}; if that is right, raise the limit with --max-pixels {pixels}"
        )
    if opened.size > MAX_BYTES * max(1, max_pixels / MAX_PIXELS):
        raise InputError(
            f"{str(path)!r} takes {opened.size:,} bytes once it is decoded, more than the limit of {MAX_BYTES:,}; if "
            f"that is right, raise the limit with --max-pixels {-(-opened.size * MAX_PIXELS // MAX_BYTES)}"
        )


def _undamaged(path: Path, kind: str, read: Callable[[], T]) -> T:
    """What `read` gives; any failure of a decoder but that of memory means that the file is damaged."""
    try:
        return read()
    except InputError:
        raise
    except MemoryError:
        raise InputError(
            f"there is not enough memory to decode {str(path)!r}; scale it down with another program"
        ) from None
    except Exception as problem:  # libraries raise a dozen types for bad bytes: OSError, SyntaxError, zlib.error, ...
        reason = (str(problem).splitlines() or [type(problem).__name__])[0][:120]
        raise InputError(
            f"{str(path)!r} is a {kind} file but cannot be decoded, so it is damaged or cut short ({reason})"
        ) from problem


def _stored(called: str, pixels: Shaped[np.ndarray, "h w c"]) -> Pixels:
    """The values as uint8, uint16 or float32, all of them numbers."""
    if pixels.shape[2] not in _COLOURS:
        raise InputError(f"{called} has {pixels.shape[2]} channels; 1 to 4 can be fitted")
    if pixels.dtype.kind == "f":
        with np.errstate(over="ignore"):  # what overflows is infinite, and refused for that
            pixels = pixels.astype(np.float32, copy=False)
        _check_finite(called, pixels)
    return pixels


def _check_finite(called: str, pixels: Shaped[np.ndarray, "h w c"]) -> None:
    bad = 0
    first = None
    for rows in rows_at_once(pixels):
        where = np.argwhere(~np.isfinite(pixels[rows]).all(axis=-1))
        bad += len(where)
        if first is None and len(where):
            first = rows.start + int(where[0, 0]), int(where[0, 1])
    if first is not None:
        raise InputError(
            f"{called} has NaN or infinite values in {bad} of its pixels, the first in row {first[0]}, column "
            f"{first[1]} (from 0); replace them by numbers"
        )


def _describe(kind: str, pixels: Pixels) -> str:
    """The file's picture in words, with its colour space and range."""
    height, width, channels = pixels.shape
    if pixels.dtype.kind == "u":
        depth = f"{8 * pixels.dtype.itemsize} bit, values as stored (sRGB unless a colour profile is named), in [0, 1]"
    else:
        depth = f"float, values as stored, from {pixels.min():.4g} to {pixels.max():.4g}"
    return f"{kind} of {width}x{height}, {_COLOURS[channels]}, {depth}"
