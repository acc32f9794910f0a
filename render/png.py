"""PNG files, checked: every chunk against its checksum, and the pixels against theirs, before a decoder sees them.

Decoders differ in what they overlook. Pillow reads over a wrong checksum of a chunk of pixels, libpng over that of a
text, and other pixels than were written come out. The format is that of the W3C's recommendation, third edition.
"""

import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BufferedIOBase

SIGNATURE = b"\x89PNG\r\n\x1a\n"

CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""Samples of a pixel, by colour type: grey, RGB, palette, grey + alpha, RGBA."""

_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}

_KEPT = (b"IHDR", b"PLTE", b"tRNS", b"IEND", b"eXIf", b"iCCP", b"sRGB", b"gAMA", b"acTL")

_TEXTS = (b"tEXt", b"zTXt", b"iTXt")

_TEXTS_WITH_ORIENTATION = (b"Raw profile type exif\0", b"XML:com.adobe.xmp\0")

_PASSES = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
"""Of an interlaced picture: the first row and column of each pass, and the steps between its rows and columns."""

_PIECE = 1 << 20
"""Bytes that are read or inflated at a time."""

_LARGEST_KEPT = 1 << 20
"""Bytes of the largest chunk that is kept, of those that are no pixels: those of texts may have any number."""

_SLACK = 1 << 16
"""Bytes beyond its last row that a picture's data may have: some writers leave a few."""


@dataclass(frozen=True)
class PngHeader:
    """What a PNG begins with."""

    width: int
    height: int
    depth: int
    """Bits of a sample."""
    colour_type: int
    interlaced: bool

    @property
    def channels(self) -> int:
        """Samples of a pixel."""
        return CHANNELS[self.colour_type]

    @property
    def data_bytes(self) -> int:
        """Bytes of all rows, each with its filter type, as they are compressed."""
        sizes = [(self.height, self.width)]
        if self.interlaced:
            sizes = [
                (-(-(self.height - top) // down), -(-(self.width - left) // across))
                for top, left, down, across in _PASSES
                if self.height > top and self.width > left
            ]
        return sum(rows * (1 + (columns * self.channels * self.depth + 7) // 8) for rows, columns in sizes)


@dataclass(frozen=True)
class CheckedPng:
    """A PNG that is whole."""

    header: PngHeader
    chunks: dict[bytes, bytes]
    """Data by the kind of chunk, those of pixels joined. Of others, the first of some kinds, where it is small."""

    def file(self, *kinds: bytes) -> bytes:
        """A PNG's bytes with nothing but what all decoders need, and the chunks of other `kinds`, which come first."""
        wanted = (b"IHDR", *kinds, b"PLTE", b"IDAT", b"IEND")
        return SIGNATURE + b"".join(_chunk(kind, self.chunks[kind]) for kind in wanted if kind in self.chunks)


def read_png_header(file: BufferedIOBase) -> PngHeader:
    """The header, from the first 33 bytes.

    Raises:
        ValueError: when it is damaged, saying how.
    """
    if file.read(8) != SIGNATURE:
        raise ValueError("it does not begin as a PNG does")
    return _header(*next(_chunks(file), (b"", b"")))


def checked_png(file: BufferedIOBase) -> CheckedPng:
    """The whole file, all of it checked.

    Memory is that of the compressed pixels: texts of any length are read past, and the pixels are inflated in pieces.

    Raises:
        ValueError: when it is damaged or cut short, saying how.
    """
    header = read_png_header(file)
    file.seek(len(SIGNATURE))
    pixels, chunks = _Pixels(header.data_bytes), {}
    for kind, data in _chunks(file):
        if kind == b"IDAT":
            pixels.take(data)
        elif kind in _KEPT or (kind in _TEXTS and data.startswith(_TEXTS_WITH_ORIENTATION)):
            chunks.setdefault(kind, data)
        elif kind not in _TEXTS and kind[:1].isupper():
            raise ValueError(f"it cannot be read without its chunk {kind.decode('latin-1')!r}, which is unknown")
    palette = len(chunks.get(b"PLTE", b""))
    if palette % 3 or palette > 768 or (header.colour_type == 3 and not palette):
        raise ValueError("its palette makes no sense")
    return CheckedPng(header, {**chunks, b"IDAT": pixels.whole()})


def _header(kind: bytes, data: bytes) -> PngHeader:
    if kind != b"IHDR" or len(data) != 13:
        raise ValueError("it does not begin with a header")
    width, height, depth, colour_type, compression, filters, interlace = struct.unpack(">IIBBBBB", data)
    if depth not in _DEPTHS.get(colour_type, ()) or compression or filters or interlace > 1:
        raise ValueError("its header makes no sense")
    return PngHeader(width, height, depth, colour_type, bool(interlace))


def _chunks(file: BufferedIOBase) -> Iterator[tuple[bytes, bytes]]:
    """Kind and data of each chunk up to the last, checked; no data where it is large and no pixels."""
    kind = b""
    while kind != b"IEND":
        start = file.read(8)
        if len(start) < 8:
            raise ValueError("it is cut short")
        length, kind = int.from_bytes(start[:4]), start[4:]
        keep = kind == b"IDAT" or length <= _LARGEST_KEPT
        checksum, pieces = zlib.crc32(kind), []
        while length:
            piece = file.read(min(length, _PIECE))
            if not piece:
                raise ValueError("it is cut short")
            length -= len(piece)
            checksum = zlib.crc32(piece, checksum)
            if keep:
                pieces.append(piece)
        if file.read(4) != checksum.to_bytes(4):
            raise ValueError(f"the checksum of a chunk {kind.decode('latin-1')!r} does not match")
        if keep:
            yield kind, b"".join(pieces)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4) + kind + data + zlib.crc32(data, zlib.crc32(kind)).to_bytes(4)


class _Pixels:
    """The compressed pixels, checked against their own checksum, which stands at their end."""

    def __init__(self, expected: int) -> None:
        self.expected, self.inflated, self.stream, self.data = expected, 0, zlib.decompressobj(), bytearray()

    def take(self, data: bytes) -> None:
        """Some more of them, inflated in pieces, only to be counted and checked."""
        if self.stream.eof:  # what comes behind the end is nobody's
            return
        self.data += data
        for start in range(0, len(data), _PIECE):  # what is left over is copied each time, so it had better be little
            piece = data[start : start + _PIECE]
            while piece and not self.stream.eof:
                self._count(lambda piece=piece: self.stream.decompress(piece, _PIECE))
                piece = self.stream.unconsumed_tail
        if len(self.data) > 2 * self.expected + _PIECE:
            raise ValueError("it holds more than its width and height say")

    def whole(self) -> bytes:
        """All of them, once there are no more."""
        self._count(self.stream.flush)
        if self.inflated < self.expected or not self.stream.eof:
            raise ValueError("its pixels end early")
        return bytes(self.data)

    def _count(self, inflate: Callable[[], bytes]) -> None:
        try:
            self.inflated += len(inflate())
        except zlib.error as problem:
            raise ValueError(f"its pixels do not inflate ({problem})") from None
        if self.inflated > self.expected + _SLACK:
            raise ValueError("it holds more than its width and height say")
