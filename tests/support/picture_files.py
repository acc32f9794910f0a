"""Picture files for tests, made byte by byte or by a library other than the one that should read them."""

import io
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
from PIL import Image


def noise(*shape: int, dtype: type = np.uint8) -> np.ndarray:
    """Random values over the whole range of an integer type, or from 0 to 4 for floats; the same each time."""
    rng = np.random.default_rng(0)
    if np.issubdtype(dtype, np.floating):
        return (4 * rng.random(shape)).astype(dtype)
    return rng.integers(0, np.iinfo(dtype).max, shape, dtype=dtype, endpoint=True)


def smooth(height: int, width: int, channels: int = 3) -> np.ndarray:
    """A gentle slope of 8 bits, which survives lossy compression; each channel goes another way."""
    y, x = np.mgrid[0:height, 0:width] / max(height, width)
    planes = [0.8 * x + 0.1, 0.8 * y + 0.1, 0.4 * (x + y) + 0.1, 0.9 - 0.3 * x]
    return np.rint(255 * np.stack(planes[:channels], axis=-1)).astype(np.uint8)


def png(width: int, height: int, depth: int, colour_type: int, rows: bytes, *extra: tuple[bytes, bytes]) -> bytes:
    """A PNG of raw bytes as its specification lays them out; `rows` start with their filter type."""

    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)
    chunks = [(b"IHDR", header), *extra, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*part) for part in chunks)


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png16(values: np.ndarray) -> bytes:
    """A PNG of 16 bits with 1 to 4 channels."""
    height, width, channels = values.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    return png(width, height, 16, {1: 0, 2: 4, 3: 2, 4: 6}[channels], rows)


def tiff(tags: Mapping[int, int | list[int]], data: bytes, *, following: int = 0) -> bytes:
    """A TIFF of one picture, by its specification: a directory, long values, and data that is its only strip.

    Values are words of four bytes, a colour map's of two. `following` is where the next directory is.
    """
    values = dict(sorted({**tags, 273: 0, 279: len(data)}.items()))
    after = 8 + 2 + 12 * len(values) + 4
    start = after + sum(2 * len(value) for value in values.values() if isinstance(value, list))
    directory, lists = b"", b""
    for tag, value in values.items():
        if isinstance(value, list):
            directory += struct.pack("<HHII", tag, 3, len(value), after + len(lists))
            lists += struct.pack(f"<{len(value)}H", *value)
        else:
            directory += struct.pack("<HHII", tag, 4, 1, start if tag == 273 else value)
    head = struct.pack("<2sHIH", b"II", 42, 8, len(values))
    return head + directory + struct.pack("<I", following) + lists + data


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def every_kind() -> dict[str, bytes]:
    """A file of 40 x 50 pixels of each kind that is read."""
    colour, deep = Image.fromarray(noise(40, 50, 3)), noise(40, 50, 3, dtype=np.uint16)
    kinds = {kind: encoded(colour, kind) for kind in ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF", "AVIF")}
    kinds["PNG16"] = png16(deep)
    kinds["TIFF16"] = cv2.imencode(".tiff", deep, [cv2.IMWRITE_TIFF_COMPRESSION, 1])[1].tobytes()
    kinds["TIFF16-lzw"] = cv2.imencode(".tiff", deep, [cv2.IMWRITE_TIFF_COMPRESSION, 5])[1].tobytes()
    kinds["HDR"] = cv2.imencode(".hdr", deep.astype(np.float32))[1].tobytes()
    return kinds
