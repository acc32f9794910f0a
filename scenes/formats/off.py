"""OFF, as Geomview has it: comments anywhere, and COFF, NOFF, STOFF and their mixtures."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from jaxtyping import Float64

from .colours import Scaled, scaled
from .parsed import LIGHT_GREY, Faces, Parsed, damaged

_KEYWORD = re.compile(rb"(?P<texture>ST)?(?P<colour>C)?(?P<normal>N)?(?P<four>4)?(?P<any>n)?OFF")


def read_off(path: Path, data: bytes) -> Parsed:
    """The vertices, faces and colours of an OFF.

    Raises:
        InputError: where it is damaged, binary or not of three dimensions.
    """
    lines = _lines(data)
    first = next(lines, b"")
    keyword = _KEYWORD.match(first)
    rest = first[keyword.end() :].strip() if keyword else first
    if keyword and (keyword["four"] or keyword["any"]):
        raise damaged(path, f"{keyword[0].decode()} is not of three dimensions")
    if rest.upper().startswith(b"BINARY"):
        raise damaged(path, "binary OFF is not read; save it as text")
    try:
        counts = [int(word) for word in (rest or next(lines, b"")).split()]
        if len(counts) < 2 or min(counts[:2]) < 0:
            raise ValueError("it does not begin with the numbers of its vertices and faces")
        ahead = 3 if keyword and keyword["normal"] else 0
        vertices, colours = _vertices(lines, counts[0], ahead, coloured=bool(keyword and keyword["colour"]))
        faces, face_colours, notes = _faces(lines, counts[1])
    except (ValueError, OverflowError) as error:
        raise damaged(path, str(error)) from None
    if colours is not None and face_colours is not None:
        notes = ["colours of its faces are not used, as its vertices have some"]
        face_colours = None
    used = colours or face_colours or Scaled(np.empty((0, 3)))
    return Parsed(
        vertices,
        faces,
        colours.colours if colours else None,
        face_colours.colours if face_colours else None,
        (*notes, *used.notes),
    )


def _lines(data: bytes) -> Iterator[bytes]:
    """Lines without their comments; those with nothing else are left out."""
    for line in data.removeprefix(b"\xef\xbb\xbf").splitlines():
        if said := line.partition(b"#")[0].strip():
            yield said


def _vertices(
    lines: Iterator[bytes], count: int, ahead: int, *, coloured: bool
) -> tuple[Float64[np.ndarray, "n 3"], Scaled | None]:
    """Places and colours; `ahead` numbers, of normals, stand between the two."""
    places, colours = list[list[float]](), list[list[float]]()
    for number in range(count):
        words = next(lines, b"").split()
        if len(words) < (6 + ahead if coloured else 3):
            raise ValueError(f"its vertex {number} is {b' '.join(words)[:60].decode(errors='replace')!r}")
        places.append([float(word) for word in words[:3]])
        if coloured:
            colours.append([float(word) for word in words[3 + ahead : 6 + ahead]])
    vertices = np.array(places, np.float64).reshape(-1, 3)
    return vertices, scaled(np.array(colours)) if colours else None


def _faces(lines: Iterator[bytes], count: int) -> tuple[Faces, Scaled | None, list[str]]:
    """Faces, their colours where any has one, and what is not used."""
    sizes, corners, colours, maps = list[int](), list[int](), dict[int, list[float]](), 0
    for number in range(count):
        words = next(lines, b"").split()
        size = int(words[0]) if words else -1
        if not 0 <= size < len(words):
            raise ValueError(f"its face {number} is {b' '.join(words)[:60].decode(errors='replace')!r}")
        sizes.append(size)
        corners += [int(word) for word in words[1 : size + 1]]
        further = words[size + 1 :]
        if len(further) >= 3:
            colours[number] = [float(word) for word in further[:3]]
        maps += len(further) == 1
    notes = [f"{maps:,} of its faces have a colour by a number in a table, which is not used"] if maps else []
    faces = Faces(np.array(sizes, np.int64), np.array(corners, np.int64))
    if not colours:
        return faces, None, notes
    found = scaled(np.array(list(colours.values())))
    every = np.full((count, 3), LIGHT_GREY)
    every[list(colours)] = found.colours
    if len(colours) < count:
        notes.append(f"{count - len(colours):,} of its faces have no colour and are light grey")
    return faces, Scaled(every, found.notes), notes
