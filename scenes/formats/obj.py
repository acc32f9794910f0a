"""OBJ: vertices, their colours, faces, and the colours of the materials in the file beside it."""

import re
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
from jaxtyping import Float64

from fieldlens.configs.errors import InputError
from fieldlens.configs.files import read_bytes

from .colours import scaled
from .parsed import LIGHT_GREY, Faces, Parsed, beside

LINES_AT_ONCE = 2**14
"""Lines that are read between two reports of progress."""

LARGEST_INDEX = 2**62
"""Numbers of vertices beyond it are no numbers of vertices."""

_NAMING = re.compile(rb"\s*(?:usemtl|newmtl|mtllib)\s+\S+(?:\s+[^\s#]\S*)*")
"""A line that names something, up to its comment."""

_LEFT_OUT = {b"l": "lines", b"p": "points", b"curv": "curves", b"curv2": "curves", b"surf": "free-form surfaces"}


class _Read:
    """What has been read so far; places, sizes and corners in a row."""

    def __init__(self) -> None:
        self.places = array("d")
        self.colours = array("d")  # NaN of a vertex that has none
        self.sizes, self.corners = array("q"), array("q")
        self.materials = array("q")  # the number in `names` of each face's
        self.names = [""]
        self.libraries = list[str]()
        self.left_out = set[str]()

    def take(self, key: bytes, words: list[bytes], line: bytes) -> None:
        """Take one line; raises ValueError where it is damaged."""
        if key == b"v":
            numbers = [float(word) for word in words]
            if len(numbers) < 3:
                raise ValueError
            self.places.extend(numbers[:3])
            self.colours.extend(numbers[3:6] if len(numbers) >= 6 else (np.nan, np.nan, np.nan))
        elif key == b"f":
            count = len(self.places) // 3
            self.sizes.append(len(words))
            self.corners.extend(_index(word, count) for word in words)
            self.materials.append(len(self.names) - 1)
        elif key == b"usemtl":
            self.names.append(_named(line))
        elif key == b"mtllib":
            self.libraries.append(_named(line))
        elif key in _LEFT_OUT:
            self.left_out.add(_LEFT_OUT[key])


def read_obj(path: Path, data: bytes, progress: Callable[[float], None]) -> Parsed:
    """The vertices, faces and colours of an OBJ.

    Raises:
        InputError: naming the line that is damaged.
    """
    read = _Read()
    for number, line, share in _lines(data):
        if number % LINES_AT_ONCE == 0:
            progress(share)
        key, *words = line.split() or [b""]
        try:
            read.take(key, words, line)
        except ValueError:
            shown = line.strip()[:60].decode(errors="replace")
            raise InputError(f"line {number} of {str(path)!r} is damaged: {shown!r}") from None
    vertices = np.array(read.places).reshape(-1, 3)
    faces = Faces(np.array(read.sizes, np.int64), np.array(read.corners, np.int64))
    notes = [f"its {what} are left out" for what in sorted(read.left_out)]
    if b"\n#MRGB" in data:
        notes.append("colours painted by ZBrush (#MRGB) are not used")
    colours, of_vertices = _vertex_colours(np.array(read.colours).reshape(-1, 3))
    used = [read.names[number] for number in sorted(set(read.materials)) if read.names[number]]
    if colours is not None or not used:
        of_materials = ["its materials are not used, as its vertices have colours"] if used else []
        return Parsed(vertices, faces, colours, notes=(*notes, *of_vertices, *of_materials))
    materials, of_materials = _materials(path, read.libraries, set(used))
    face_colours = None
    if any(material.colour for material in materials.values()):
        each = [materials.get(name, _Material()).colour or (LIGHT_GREY,) * 3 for name in read.names]
        face_colours = np.array(each)[np.array(read.materials)]
    return Parsed(vertices, faces, None, face_colours, (*notes, *of_materials))


def _lines(data: bytes) -> Iterator[tuple[int, bytes, float]]:
    """Lines by their numbers, without comments and with those that go on after a backslash; and the share read.

    The names of materials and their files may have a # in them: there, a comment begins with one after a space.
    """
    lines = data.removeprefix(b"\xef\xbb\xbf").splitlines()
    said, begun = b"", 0
    for number, line in enumerate(chain(lines, [b""]), 1):
        text, hash_sign, _ = line.partition(b"#")
        if hash_sign and (named := _NAMING.match(line)):
            text = named[0]
        begun = begun or number
        if not hash_sign and text.rstrip().endswith(b"\\"):
            said += text.rstrip()[:-1] + b" "
            continue
        yield begun, said + text, min(1.0, number / max(1, len(lines)))
        said, begun = b"", 0


def _index(word: bytes, count: int) -> int:
    """The vertex of a corner such as 3/1/2, counted from 0; negative numbers count from the newest vertex back."""
    index = int(word.partition(b"/")[0])
    if abs(index) > LARGEST_INDEX:
        raise ValueError
    return index - 1 if index > 0 else count + index if index < 0 else -1


def _named(line: bytes) -> str:
    """What follows a line's first word; names may have spaces."""
    return b" ".join(line.split(maxsplit=1)[1:]).strip().decode(errors="surrogateescape")


def _vertex_colours(given: Float64[np.ndarray, "n 3"]) -> tuple[Float64[np.ndarray, "n 3"] | None, list[str]]:
    """Colours of vertices, where any has one, and what is assumed of them."""
    has = np.isfinite(given).all(axis=1)
    if not has.any():
        return None, []
    found = scaled(given[has])
    colours = np.full(given.shape, LIGHT_GREY)
    colours[has] = found.colours
    without = len(given) - int(np.count_nonzero(has))
    return colours, [*found.notes, *([f"{without:,} vertices have no colour and are light grey"] if without else [])]


@dataclass(frozen=True)
class _Material:
    colour: tuple[float, float, float] | None = None
    """Its Kd, as a picture has it; None where it has none, or a texture that would change it."""
    textured: bool = False


def _materials(path: Path, libraries: list[str], used: set[str]) -> tuple[dict[str, _Material], list[str]]:
    """The materials of the files that an OBJ names, and what is not used of them."""
    materials, notes = dict[str, _Material](), list[str]()
    for name in libraries:
        try:
            materials |= _library(read_bytes(_library_file(path, name)))
        except InputError as refusal:
            notes.append(f"its materials are not used: {refusal}")
    if not libraries:
        notes.append("its materials are not used: it names no file of them")
    missing = used - materials.keys()
    if missing and not notes:
        notes.append(f"{len(missing):,} of its materials are not in their file; what is of them is light grey")
    if any(materials[name].textured for name in used & materials.keys()):
        notes.append("its textures are not used; what has one is light grey")
    return {name: material for name, material in materials.items() if name in used}, notes


def _library_file(path: Path, name: str) -> Path:
    """The file of materials; a name with spaces may also be several names, of which the first is taken."""
    whole = beside(path, name)
    first = beside(path, name.split()[0]) if name.split() else whole
    return whole if whole.is_file() or not first.is_file() else first


def _library(data: bytes) -> dict[str, _Material]:
    """Materials by their names; a line of them that is damaged is passed over."""
    materials, name = dict[str, _Material](), ""
    for _, line, _ in _lines(data):
        key, *words = line.split() or [b""]
        if key == b"newmtl":
            name = _named(line)
            materials[name] = _Material()
        elif key == b"Kd" and not materials.get(name, _Material()).textured:
            try:
                red, green, blue = (float(word) for word in (words * 3)[:3] if len(words) in (1, 3))
            except ValueError:
                continue
            materials[name] = _Material((red, green, blue))
        elif key.lower() == b"map_kd":
            materials[name] = _Material(textured=True)
    return materials
