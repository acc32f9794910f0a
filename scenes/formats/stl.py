"""STL: text and binary, told apart by what they hold, since binary ones may begin with the text's first word."""

import re
import struct
from pathlib import Path

import numpy as np

from .parsed import Parsed, damaged, triangle_faces

_HEADER, _FACET = 80 + 4, 50
_FACETS = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
_VERTEX = re.compile(rb"^[ \t]*vertex[ \t]+(\S+)[ \t]+(\S+)[ \t]+(\S+)[ \t]*$", re.IGNORECASE | re.MULTILINE)
_END = re.compile(rb"^[ \t]*endloop\b", re.IGNORECASE | re.MULTILINE)


def read_stl(path: Path, data: bytes) -> Parsed:
    """The triangles of an STL, each with corners of its own.

    Raises:
        InputError: where it is damaged.
    """
    corners, notes = _of_text(path, data) if _is_text(data) else _of_bytes(path, data)
    return Parsed(corners, triangle_faces(np.arange(len(corners)).reshape(-1, 3)), notes=notes)


def _is_text(data: bytes) -> bool:
    """Whether it is a text: these have no zero bytes, and the number of facets in a binary one has some."""
    return data.lstrip()[:5].lower() == b"solid" and b"\0" not in data[:512]


def _of_text(path: Path, data: bytes) -> tuple[np.ndarray, tuple[str, ...]]:
    text = re.sub(rb"\r\n?", b"\n", data)
    words = _VERTEX.findall(text)
    try:
        corners = np.array(words, "S").astype(np.float64).reshape(-1, 3)
    except ValueError:
        raise damaged(path, "a vertex of it is no number") from None
    loops = len(_END.findall(text))
    if len(corners) != 3 * loops:
        raise damaged(path, f"it has {len(corners):,} vertices in {loops:,} facets")
    return corners, ()


def _of_bytes(path: Path, data: bytes) -> tuple[np.ndarray, tuple[str, ...]]:
    if len(data) < _HEADER:
        raise damaged(path, "it is shorter than the header of an STL")
    (count,) = struct.unpack_from("<I", data, 80)
    end = _HEADER + _FACET * count
    if end > len(data):
        there = (len(data) - _HEADER) // _FACET
        raise damaged(path, f"it says that it has {count:,} triangles, and has {there:,}")
    facets, notes = np.frombuffer(data[_HEADER:end], _FACETS), list[str]()
    if end < len(data):
        notes.append(f"{len(data) - end:,} bytes after its triangles are passed over")
    if b"COLOR=" in data[:80] or (facets["attribute"] != 0).any():
        notes.append("its attributes, which may be colours, are not used")
    return facets["corners"].reshape(-1, 3).astype(np.float64), tuple(notes)
