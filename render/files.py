"""Pictures and arrays as files, written whole or not at all, and read only once all of them has been checked."""

import math
import os
import zipfile
from collections.abc import Collection
from io import BufferedIOBase, BytesIO
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8, UInt16
from PIL import Image

from fieldlens.configs.errors import InputError
from fieldlens.configs.files import open_file, read_bytes, write_bytes
from fieldlens.configs.manifest import verify_file

from .png import checked_png

MOST_ARRAYS = 64
"""In a file of arrays that is read."""

_END_OF_ZIP, _MOST_COMMENT, _DIRECTORY = b"PK\5\6", 1 << 16, 1 << 16
"""How the last record of a zip file begins, bytes of the longest comment in it, and of the largest list of members."""


def write_png(path: Path, image: UInt8[np.ndarray, "h w 3"] | UInt8[np.ndarray, "h w 4"]) -> None:
    """Write an RGB picture, or one with straight alpha, as PNG."""
    write_bytes(path, png_bytes(image))


PICTURE_ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff")
"""What `write_picture` writes."""

_HOW = {
    ".jpg": [cv2.IMWRITE_JPEG_QUALITY, 95],
    ".jpeg": [cv2.IMWRITE_JPEG_QUALITY, 95],
    ".webp": [cv2.IMWRITE_WEBP_QUALITY, 101],  # beyond 100: without loss
}


def require_ending(file: Path, endings: Collection[str], what: str) -> str:
    """The ending of a file to be written, in lower case, asked before the work that it is for.

    Args:
        what: is written, such as "a drawing".

    Raises:
        InputError: where it is none of `endings`, or the file is a folder.
    """
    ending = file.suffix.lower()
    if ending not in endings:
        raise InputError(f"{what} is written as {', '.join(endings)}, not as {file.name!r}; name one of these endings")
    if file.is_dir():
        raise InputError(f"{str(file)!r} is a folder; name a file in it, such as {str(file / file.name)!r}")
    return ending


def write_picture(path: Path, image: UInt8[np.ndarray, "h w 3"] | UInt8[np.ndarray, "h w 4"]) -> None:
    """Write an RGB picture, or one with straight alpha, as what the file's ending says.

    JPEG is at quality 95, everything else without loss.

    Raises:
        InputError: for an ending that is not written, and for a picture that such a file cannot hold.
    """
    ending = require_ending(path, PICTURE_ENDINGS, "a picture")
    height, width, channels = image.shape
    if channels == 4 and ending in (".jpg", ".jpeg"):
        raise InputError(f"{str(path)!r} cannot hold the picture's transparency; name it .png, .webp or .tiff")
    largest = {".jpg": 65_500, ".jpeg": 65_500, ".webp": 16_383}.get(ending)
    if largest is not None and max(height, width) > largest:
        raise InputError(f"{str(path)!r} cannot hold more than {largest:,} pixels along a side; name it .png or .tiff")
    if ending in (".tif", ".tiff"):
        write_bytes(path, _tiff_bytes(image))
    else:
        write_bytes(path, cv2.imencode(ending, _to_opencv(image), _HOW.get(ending, []))[1].tobytes())


def _tiff_bytes(image: UInt8[np.ndarray, "h w c"]) -> bytes:
    """A TIFF's bytes by Pillow: OpenCV does not say that the fourth band is alpha, and then it is none to a reader."""
    buffer = BytesIO()
    Image.fromarray(image).save(buffer, "TIFF", compression="tiff_lzw")
    return buffer.getvalue()


def write_grey16_png(path: Path, values: UInt16[np.ndarray, "h w"]) -> None:
    """Write numbers of 16 bits as a grey PNG."""
    write_bytes(path, cv2.imencode(".png", values)[1].tobytes())


def png_bytes(image: UInt8[np.ndarray, "h w 3"] | UInt8[np.ndarray, "h w 4"]) -> bytes:
    """An RGB picture, or one with straight alpha, as a PNG's bytes."""
    return cv2.imencode(".png", _to_opencv(image))[1].tobytes()


def _to_opencv(image: UInt8[np.ndarray, "h w c"]) -> UInt8[np.ndarray, "h w c"]:
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2BGR if image.shape[2] == 3 else cv2.COLOR_RGBA2BGRA))


def read_png(path: Path) -> UInt8[np.ndarray, "h w 3"]:
    """Read a picture that `write_png` wrote, as RGB.

    Raises:
        InputError: when the file is missing or damaged.
    """
    data = read_bytes(path)
    try:
        whole = np.frombuffer(checked_png(BytesIO(data)).file(), np.uint8)
        image = cv2.imdecode(whole, cv2.IMREAD_COLOR)
    except ValueError:
        image = None
    if image is None:
        raise InputError(f"{str(path)!r} is damaged; delete it, and the run can be drawn again")
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def write_npz(path: Path, **arrays: np.ndarray) -> None:
    """Write arrays compressed; none may need pickle."""
    buffer = BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    write_bytes(path, buffer.getvalue())


def read_npz(path: Path, at_most: int) -> dict[str, np.ndarray]:
    """The arrays of a file that `numpy.savez` wrote; none is unpickled.

    What they take is known from their headers before any is read, and the checksum of each is verified; as is the file
    as a whole, where its folder has a manifest.

    Args:
        at_most: bytes of all arrays together.

    Raises:
        InputError: when the file cannot be read, or its arrays take more.
        ValueError: when it is damaged or no such file, saying how.
    """
    with open_file(path) as file:
        try:
            verify_file(path, file)
            _check_directory(file)
            with zipfile.ZipFile(file) as archive:
                members = archive.infolist()
                taken = sum(_declared_bytes(archive, member) for member in members)
                if taken > at_most:
                    raise InputError(
                        f"cannot read {str(path)!r}: its arrays take {taken:,} bytes, more than the {at_most:,} that "
                        "are read of such a file"
                    )
                return {member.filename.removesuffix(".npy"): _array(archive, member) for member in members}
        except InputError:
            raise
        except MemoryError:
            raise InputError(f"there is not enough memory to read {str(path)!r}") from None
        except Exception as problem:  # zip, zlib and numpy each fail in their own ways on damaged bytes
            raise ValueError(str(problem).partition("\n")[0] or type(problem).__name__) from None


def _check_directory(file: BufferedIOBase) -> None:
    """Refuse a list of members that is longer than any of ours, which would be read as a whole."""
    file.seek(-min(file.seek(0, os.SEEK_END), _MOST_COMMENT + 22), os.SEEK_END)
    tail = file.read()
    end = tail.rfind(_END_OF_ZIP)
    if end < 0:
        raise ValueError("it is no zip file")
    if int.from_bytes(tail[end + 12 : end + 16], "little") > _DIRECTORY:
        raise ValueError("it holds too many arrays")


def _declared_bytes(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> int:
    """What an array takes once it is read."""
    if len(archive.filelist) > MOST_ARRAYS:
        raise ValueError("it holds too many arrays")
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):  # others inflate without a limit
        raise ValueError(f"its array {member.filename!r} is compressed in another way than numpy does it")
    with archive.open(member) as stream:
        version = np.lib.format.read_magic(stream)
        read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}[version]
        shape, _, dtype = read(stream)
    if dtype.hasobject or any(side < 0 for side in shape):
        raise ValueError(f"its array {member.filename!r} holds no numbers")
    return math.prod(shape) * max(dtype.itemsize, 1)


def _array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> np.ndarray:
    with archive.open(member) as stream:
        array = np.lib.format.read_array(stream, allow_pickle=False)
        if stream.read(1):  # the checksum is looked at where the data ends, and not before
            raise ValueError(f"its array {member.filename!r} goes on after its end")
    return array
