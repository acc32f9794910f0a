"""What stands in a TIFF, before any of it is decoded: its directories, one for each picture, and their tags.

Read here and not by a library, so that a preview is never taken for the picture, and that no tag costs more than its
use: files come from anywhere, and a tag may claim any number of values. After Adobe's TIFF 6.0 (1992), its Technical
Notes 1 (2002, trees of directories) and the DNG specification 1.7.
"""

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedIOBase

MOST_DIRECTORIES = 100
"""As many directories of a file are looked at."""

MOST_TAGS = 4096
"""In one directory."""

MOST_VALUES = 1 << 22
"""Of all tags together: one for each strip of a picture, and the bytes of its colour profile."""

NEW_SUBFILE_TYPE, OLD_SUBFILE_TYPE, SUB_DIRECTORIES = 254, 255, 330

_INTEGERS = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q", 7: "B"}
"""By the type of a tag, how its values are unpacked: bytes, words and offsets."""

_WANTED = frozenset(
    (*range(254, 260), 262, 266, 273, 274, *range(277, 280), 284, 317, 320, *range(322, 326), 330, 332, 338, 339)
) | {32997, 34675, 50706}


@dataclass(frozen=True)
class Directory:
    """One picture of a file, in its tags."""

    offset: int
    tags: dict[int, tuple[int, ...]]

    def number(self, tag: int, default: int = 0) -> int:
        """The first value of a tag."""
        return self.tags.get(tag, (default,))[0]

    @property
    def is_preview(self) -> bool:
        """A smaller copy of another picture in the file."""
        return bool(self.number(NEW_SUBFILE_TYPE) & 1) or self.number(OLD_SUBFILE_TYPE) == 2

    @property
    def is_mask(self) -> bool:
        """No picture, but where another one is transparent."""
        return bool(self.number(NEW_SUBFILE_TYPE) & 4)

    @property
    def area(self) -> int:
        """Pixels."""
        return self.number(256) * self.number(257)


@dataclass(frozen=True)
class Structure:
    """A file's directories, those of the chain first and each followed by those below it, and how they are written."""

    order: str
    """The order of bytes, as struct names it."""
    big: bool
    """Offsets have eight bytes (BigTIFF)."""
    directories: tuple[Directory, ...]


def read_structure(file: BufferedIOBase) -> Structure:
    """The directories of a TIFF, at most `MOST_DIRECTORIES`.

    Raises:
        ValueError: when it is damaged, saying how.
    """
    head = file.read(16)
    order = {b"II": "<", b"MM": ">"}[head[:2]]
    big = struct.unpack(order + "H", head[2:4])[0] == 43
    first = struct.unpack(order + ("Q" if big else "I"), head[8:16] if big else head[4:8])[0]
    return Structure(order, big, tuple(_Reader(file, order, big).directories(first)))


class _Reader:
    def __init__(self, file: BufferedIOBase, order: str, big: bool) -> None:
        self.file, self.order, self.big = file, order, big
        self.end = file.seek(0, os.SEEK_END)
        self.seen: set[int] = set()
        self.values_left = MOST_VALUES

    def directories(self, offset: int) -> Iterator[Directory]:
        """Those of a chain, each with those below it."""
        while offset and offset not in self.seen and len(self.seen) < MOST_DIRECTORIES:
            self.seen.add(offset)
            directory, following = self._directory(offset)
            yield directory
            for below in directory.tags.get(SUB_DIRECTORIES, ()):
                yield from self.directories(below)
            offset = following

    def _directory(self, offset: int) -> tuple[Directory, int]:
        """A directory, and where the next one is."""
        (count,) = self._unpack(offset, "Q" if self.big else "H")
        entry = "HHQ8s" if self.big else "HHI4s"
        start, size = offset + (8 if self.big else 2), struct.calcsize("=" + entry)
        if count > MOST_TAGS:
            raise ValueError(f"it has {count:,} tags for one picture")
        tags = {}
        for number in range(count):
            tag, kind, values, inline = self._unpack(start + number * size, entry)
            if tag in _WANTED and kind in _INTEGERS and values:
                tags.setdefault(tag, self._values(tag, kind, values, inline))
        (following,) = self._unpack(start + count * size, "Q" if self.big else "I")
        return Directory(offset, tags), following

    def _values(self, tag: int, kind: int, count: int, inline: bytes) -> tuple[int, ...]:
        self.values_left -= count
        if self.values_left < 0:
            raise ValueError(f"its tag {tag} has {count:,} values")
        code = f"{count}{_INTEGERS[kind]}"
        if struct.calcsize("=" + code) <= len(inline):
            return struct.unpack_from(self.order + code, inline)
        (at,) = struct.unpack(self.order + ("Q" if self.big else "I"), inline)
        return self._unpack(at, code)

    def _unpack(self, offset: int, code: str) -> tuple:
        size = struct.calcsize("=" + code)
        if offset + size > self.end:
            raise ValueError("it ends early")
        self.file.seek(offset)
        return struct.unpack(self.order + code, self.file.read(size))
