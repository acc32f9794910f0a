"""The samples of a TIFF's picture from the strips or tiles that they are packed in.

A tile is a strip of another width: segments of either kind are unpacked one below the other. Sizes come from the tags
alone, so that what inflates beyond them is never held.
"""

import io
import math
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Shaped, UInt8

from .by_pillow import pillow
from .tiff_tags import Directory

_NONE, _DEFLATE = 1, (8, 32946)

LOSSLESS = (_NONE, *_DEFLATE, 5, 32773, 34925, 50000)
"""Compressions of bytes, which need not know what these mean: none, deflate, LZW, PackBits, LZMA and Zstandard."""

_LARGEST_TILE = 1 << 24
"""Pixels of a tile that may be larger than its picture."""

_MOST_PACKED = 1 << 26
"""Bytes that a picture may take packed beyond twice what it takes unpacked."""


@dataclass(frozen=True)
class Strips:
    """Where the segments of a picture are, and of what size."""

    height: int
    width: int
    bands: int
    """Of the picture; with separate planes, each has segments of its own."""
    separate: bool
    rows: int
    columns: int
    """Of a segment; the last strip of a plane may have fewer rows."""
    tiled: bool
    compression: int
    predictor: int
    bits: int
    kind: str
    order: str
    offsets: tuple[int, ...]
    counts: tuple[int, ...]

    @classmethod
    def of(cls, directory: Directory, order: str, bits: int, kind: str) -> "Strips":
        """What the tags say; raises ValueError where they make no sense."""
        height, width, bands = directory.number(257), directory.number(256), directory.number(277, 1)
        tiled, compression = 322 in directory.tags, directory.number(259, 1)
        rows, columns = (
            (directory.number(323), directory.number(322)) if tiled else (directory.number(278, height), width)
        )
        rows = rows if tiled else min(rows, height)
        if rows < 1 or columns < 1 or rows * columns > max(4 * height * width, _LARGEST_TILE):
            raise ValueError("its strips or tiles make no sense")
        offsets = directory.tags.get(324 if tiled else 273, ())
        counts = directory.tags.get(325 if tiled else 279, ())
        predictor = directory.number(317, 1) if compression not in (_NONE, 32773) else 1
        separate = directory.number(284, 1) == 2 and bands > 1
        strips = cls(
            height,
            width,
            bands,
            separate,
            rows,
            columns,
            tiled,
            compression,
            predictor,
            bits,
            kind,
            order,
            offsets,
            counts,
        )
        if predictor not in (1, 2, 3) or (predictor == 2 and bits < 8) or (predictor == 3 and kind != "float"):
            raise ValueError(f"its predictor {predictor} makes no sense")
        if min(len(offsets), len(counts)) < strips.in_plane * (bands if separate else 1):
            raise ValueError("it has fewer strips than rows")
        return strips

    @property
    def down(self) -> int:
        return math.ceil(self.height / self.rows)

    @property
    def across(self) -> int:
        return math.ceil(self.width / self.columns)

    @property
    def in_plane(self) -> int:
        """Segments of a plane."""
        return self.down * self.across

    @property
    def together(self) -> int:
        """Bands that stand beside one another in a segment."""
        return 1 if self.separate else self.bands

    @property
    def row_bytes(self) -> int:
        """Of a segment."""
        return (self.columns * self.together * self.bits + 7) // 8

    @property
    def all_rows(self) -> int:
        """Of all segments of a plane, one below the other."""
        return self.in_plane * self.rows if self.tiled else self.height

    @property
    def size(self) -> int:
        """Bytes of all segments once they are unpacked; bits are unpacked to bytes."""
        unpacked = max(self.row_bytes, self.columns * self.together)
        return self.all_rows * unpacked * (self.bands if self.separate else 1)


def read_strips(file: io.BufferedIOBase, strips: Strips, bands: Sequence[int]) -> Shaped[np.ndarray, "h w b"]:
    """The samples of some bands, in the machine's order of bytes.

    Raises:
        ValueError, OSError: when the data is damaged or cut short.
    """
    if not strips.separate:
        whole = _plane(file, strips, 0)
        return whole if len(bands) == strips.bands else np.ascontiguousarray(whole[:, :, list(bands)])
    return np.concatenate([_plane(file, strips, band) for band in bands], axis=2)


def _plane(file: io.BufferedIOBase, strips: Strips, plane: int) -> Shaped[np.ndarray, "h w b"]:
    numbers = range(plane * strips.in_plane, (plane + 1) * strips.in_plane)
    most = 2 * strips.rows * strips.row_bytes + 1024  # no packing takes more, whatever a file says
    counts = [min(strips.counts[number], most) for number in numbers]
    if sum(counts) > 2 * strips.size + _MOST_PACKED:
        raise ValueError("its strips take more packed than unpacked")
    segments = [_segment(file, strips.offsets[number], count) for number, count in zip(numbers, counts, strict=True)]
    samples = _samples(strips, _unpacked(strips, segments))
    if strips.tiled:
        down, across, bands = strips.down, strips.across, strips.together
        grid = samples.reshape(down, across, strips.rows, strips.columns, bands).swapaxes(1, 2)
        samples = grid.reshape(down * strips.rows, across * strips.columns, bands)
    return samples[: strips.height, : strips.width]


def _segment(file: io.BufferedIOBase, offset: int, count: int) -> bytes:
    """A segment's bytes as they are packed."""
    if not offset or not count:
        raise ValueError("some of its strips are not there")
    file.seek(offset)
    data = file.read(count)
    if not data:
        raise ValueError("it is cut short")
    return data


def _unpacked(strips: Strips, segments: list[bytes]) -> UInt8[np.ndarray, "rows bytes"]:
    """Rows of bytes, those of all segments one below the other."""
    whole = strips.rows * strips.row_bytes
    sizes = [whole] * len(segments)
    if not strips.tiled:
        sizes[-1] = (strips.height - strips.rows * (strips.down - 1)) * strips.row_bytes
    if strips.compression == _NONE:
        segments = [data[:size] for data, size in zip(segments, sizes, strict=True)]
    elif strips.compression in _DEFLATE:
        segments = [_inflated(data, size) for data, size in zip(segments, sizes, strict=True)]
    else:
        return _by_libtiff(strips, segments)
    if any(len(data) < size for data, size in zip(segments, sizes, strict=True)):
        raise ValueError("some of its strips end early")
    return np.frombuffer(b"".join(segments), np.uint8).reshape(strips.all_rows, strips.row_bytes)


def _inflated(data: bytes, size: int) -> bytes:
    """The first `size` bytes, with a look at what follows: a checksum, as a rule."""
    stream = zlib.decompressobj()
    inflated = stream.decompress(data, size)
    stream.decompress(stream.unconsumed_tail, 1 << 16)
    return inflated


def _by_libtiff(strips: Strips, segments: list[bytes]) -> UInt8[np.ndarray, "rows bytes"]:
    """Segments unpacked by libtiff, as those of a grey picture of 8 bits in a file that is made for it."""
    count, sizes = len(segments), [len(data) for data in segments]
    arrays = 8 + 2 + 9 * 12 + 4
    start = arrays + 8 * count
    offsets = [start + before for before in np.cumsum([0, *sizes[:-1]]).tolist()]
    tags = [
        (256, 4, 1, strips.row_bytes),
        (257, 4, 1, strips.all_rows),
        (258, 4, 1, 8),
        (259, 4, 1, strips.compression),
        (262, 4, 1, 1),
        (273, 4, count, arrays if count > 1 else start),
        (277, 4, 1, 1),
        (278, 4, 1, strips.rows),
        (279, 4, count, arrays + 4 * count if count > 1 else sizes[0]),
    ]
    head = struct.pack("<2sHIH", b"II", 42, 8, len(tags)) + b"".join(struct.pack("<HHII", *tag) for tag in tags)
    lists = struct.pack(f"<I{count}I{count}I", 0, *offsets, *sizes)
    with pillow(io.BytesIO(b"".join([head, lists, *segments])), "TIFF") as image:
        return np.asarray(image)


def _samples(strips: Strips, rows: UInt8[np.ndarray, "rows bytes"]) -> Shaped[np.ndarray, "rows columns b"]:
    """Numbers from bytes, with the predictor undone: what is stored are differences then."""
    shape = len(rows), strips.columns, strips.together
    if strips.bits < 8:
        bits = np.unpackbits(rows, axis=1)[:, : strips.columns * strips.bits].reshape(*shape, strips.bits)
        return np.packbits(bits, axis=3)[..., 0] >> np.uint8(8 - strips.bits)
    item = strips.bits // 8
    if strips.predictor == 3:  # Adobe's Technical Note 3 (2005): planes of bytes, the highest first
        summed = np.cumsum(rows.reshape(len(rows), -1, strips.together), axis=1, dtype=np.uint8)
        planes = summed.reshape(len(rows), item, -1)
        rows, order = np.ascontiguousarray(np.moveaxis(planes, 1, 2)).reshape(len(rows), -1), ">"
    else:
        order = strips.order
    numbers = rows.view(f"{order}u{item}").astype(f"=u{item}", copy=False).reshape(shape)
    if strips.predictor == 2:
        numbers = np.cumsum(numbers, axis=1, dtype=numbers.dtype)
    return numbers.view(f"=f{item}") if strips.kind == "float" else numbers
