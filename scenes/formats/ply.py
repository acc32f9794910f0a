"""PLY: text and binary of either byte order, with whatever other elements and properties a file has.

A text is read as if it were binary with doubles for all of its numbers, so that both have one reader.
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

import numpy as np
from jaxtyping import Int64

from .colours import Scaled, scaled
from .parsed import Faces, Parsed, damaged, triangle_faces, triangles_of_strip

_TYPES = {
    "char": "i1",
    "uchar": "u1",
    "short": "i2",
    "ushort": "u2",
    "int": "i4",
    "uint": "u4",
    "float": "f4",
    "double": "f8",
    "int8": "i1",
    "uint8": "u1",
    "int16": "i2",
    "uint16": "u2",
    "int32": "i4",
    "uint32": "u4",
    "float32": "f4",
    "float64": "f8",
    "int64": "i8",
    "uint64": "u8",
}
_ORDERS = {"ascii": "=", "binary_little_endian": "<", "binary_big_endian": ">"}
_PACKED = {"i1": "b", "u1": "B", "i2": "h", "u2": "H", "i4": "i", "u4": "I", "f4": "f", "f8": "d", "i8": "q", "u8": "Q"}
"""The types as the module struct writes them."""
_RED_GREEN_BLUE = (("red", "green", "blue"), ("r", "g", "b"), ("diffuse_red", "diffuse_green", "diffuse_blue"))
_INDICES = ("vertex_indices", "vertex_index")


@dataclass(frozen=True)
class _Property:
    name: str
    type: str
    """Of a number, or of those in a list."""
    count_type: str | None = None
    """The type of a list's length; None of a single number."""
    meant: str = ""
    """The type that the header says, where another one is read."""


@dataclass(frozen=True)
class _Element:
    name: str
    count: int
    properties: list[_Property]


_Column: TypeAlias = np.ndarray | Faces
"""A number of each row, or a list of each."""
_Rows: TypeAlias = dict[str, _Column]


def read_ply(path: Path, data: bytes) -> Parsed:
    """The vertices, faces and colours of a PLY.

    Raises:
        InputError: where it is damaged.
    """
    try:
        form, elements, comments, start = _header(data)
        order, body = _ORDERS[form], memoryview(data)[start:]
        if form == "ascii":
            elements = [_of_doubles(element) for element in elements]
            body = memoryview(np.fromstring(bytes(body), sep=" ").tobytes())
        held = _held(elements, body, order)
        return _parsed(held, [line for line in comments if line.lower().startswith("texturefile")])
    except (ValueError, KeyError, OverflowError, struct.error) as error:
        raise damaged(path, error.args[0] if type(error) is ValueError else "its header is odd") from None


def _header(data: bytes) -> tuple[str, list[_Element], list[str], int]:
    """Its format, elements and comments, and where the header ends."""
    end = re.search(rb"(?:^|[\r\n])[ \t]*end_header[ \t]*(?:\r\n|\n|\r)", data[: 2**20])
    if not data.startswith(b"ply") or end is None:
        raise ValueError("it has no header of a PLY")
    form, elements, comments = "", list[_Element](), list[str]()
    for line in re.split(r"[\r\n]+", data[: end.start()].decode("latin-1"))[1:]:
        match line.split():
            case ["format", name, *_]:
                form = name
            case ["comment" | "obj_info", *words]:
                comments.append(" ".join(words))
            case ["element", name, count]:
                elements.append(_Element(name, int(count), []))
            case ["property", "list", count_type, kind, name] if elements:
                elements[-1].properties.append(_Property(name, _TYPES[kind], _TYPES[count_type]))
            case ["property", kind, name] if elements:
                elements[-1].properties.append(_Property(name, _TYPES[kind]))
            case []:
                pass
            case _:
                raise ValueError(f"its header has the line {line[:60]!r}")
    if form not in _ORDERS or any(element.count < 0 for element in elements):
        raise ValueError("its header is odd")
    return form, elements, comments, end.end()


def _of_doubles(element: _Element) -> _Element:
    """An element whose numbers, and lengths of lists, are all read as doubles."""
    doubles = [
        replace(part, type="f8", count_type=part.count_type and "f8", meant=part.type) for part in element.properties
    ]
    return replace(element, properties=doubles)


def _held(elements: list[_Element], body: memoryview, order: str) -> dict[str, _Rows]:
    """What all elements hold, by their names and those of their properties."""
    held, start = dict[str, _Rows](), 0
    for element in elements:
        least = sum(np.dtype(part.count_type or part.type).itemsize for part in element.properties)
        if element.count * max(least, 1) > len(body) - start:
            raise ValueError("it ends before all that its header says is there")
        rows, start = _even_rows(element, body, start, order) or _uneven_rows(element, body, start, order)
        held[element.name] = rows
    return held


def _even_rows(element: _Element, body: memoryview, start: int, order: str) -> tuple[_Rows, int] | None:
    """What an element holds, and where the next one begins; None where its lists are not all as long as its first."""
    layout, at = [], start
    for number, part in enumerate(element.properties):
        if part.count_type is not None:
            layout.append((f"count {number}", order + part.count_type))
            count = int(struct.unpack_from(order + _PACKED[part.count_type], body, at)[0]) if element.count else 0
            if not 0 <= count <= len(body):
                raise ValueError("a list of it has a length that cannot be")
            layout.append((f"{number}", order + part.type, (count,)))
        else:
            layout.append((f"{number}", order + part.type))
        at = start + np.dtype(layout).itemsize
    row = np.dtype(layout)
    end = start + element.count * row.itemsize
    if end > len(body):
        return None
    table = np.frombuffer(body[start:end], row)
    rows = _Rows()
    for number, part in enumerate(element.properties):
        column = table[f"{number}"]
        if part.count_type is not None:
            if (table[f"count {number}"] != column.shape[1]).any():
                return None
            rows[part.name] = Faces(np.full(len(column), column.shape[1]), _whole(part, column.reshape(-1)))
        else:
            rows[part.name] = column.astype(part.meant or part.type)
    return rows, end


def _uneven_rows(element: _Element, body: memoryview, start: int, order: str) -> tuple[_Rows, int]:
    """What an element holds whose lists are of different lengths, row by row, and where the next one begins."""
    counted = [
        (struct.Struct(order + _PACKED[part.count_type]) if part.count_type else None, np.dtype(part.type).itemsize)
        for part in element.properties
    ]
    starts, sizes = (np.empty((element.count, len(counted)), np.int64) for _ in range(2))
    at = start
    for row in range(element.count):
        for number, (count_of, itemsize) in enumerate(counted):
            size = 1
            if count_of:
                if at + count_of.size > len(body):
                    raise ValueError("it ends before all that its header says is there")
                size = int(count_of.unpack_from(body, at)[0])
                at += count_of.size
            if size < 0 or at + size * itemsize > len(body):
                raise ValueError("it ends before all that its header says is there")
            starts[row, number], sizes[row, number] = at, size
            at += size * itemsize
    rows, raw = _Rows(), np.frombuffer(body, np.uint8)
    for number, part in enumerate(element.properties):
        kind, many = np.dtype(order + part.type), sizes[:, number]
        items = np.arange(many.sum()) - np.repeat(np.cumsum(many) - many, many)  # numbers within their lists
        places = (np.repeat(starts[:, number], many) + items * kind.itemsize)[:, None] + np.arange(kind.itemsize)
        values = raw[places].view(kind)[:, 0]
        plain = part.count_type is None
        rows[part.name] = values.astype(part.meant or part.type) if plain else Faces(many, _whole(part, values))
    return rows, at


def _whole(part: _Property, values: np.ndarray) -> Int64[np.ndarray, " k"]:
    """The numbers of lists as whole ones; of lists that are no corners, which nobody reads, whatever comes of it."""
    with np.errstate(invalid="ignore"):
        if part.name in _INDICES and values.dtype.kind == "f" and not (np.abs(values) < 2.0**53).all():
            raise ValueError("its faces have corners that cannot be")
        if part.name in _INDICES and (values % 1 != 0).any():
            raise ValueError("its faces have corners that are no whole numbers")
        return values.astype(np.int64)


def _parsed(held: dict[str, _Rows], textures: list[str]) -> Parsed:
    vertex, face = held.get("vertex", _Rows()), held.get("face", _Rows())
    if not {"x", "y", "z"} <= vertex.keys():
        raise ValueError("its vertices have no x, y and z")
    vertices = np.stack([vertex[axis] for axis in "xyz"], -1).astype(np.float64)
    faces, notes = _faces(face, held.get("tristrips", _Rows())), list[str]()
    of_vertices, of_faces = _colours(vertex), _colours(face)
    if of_vertices is not None and of_faces is not None:
        notes.append("colours of its faces are not used, as its vertices have some")
    used = of_vertices or of_faces or Scaled(np.empty((0, 3)))
    if textures:
        notes.append("its texture is not used")
    return Parsed(
        vertices,
        faces,
        used.colours if of_vertices else None,
        used.colours if of_faces and not of_vertices else None,
        (*notes, *used.notes),
    )


def _faces(face: _Rows, strips: _Rows) -> Faces:
    for name in _INDICES:
        if isinstance(listed := face.get(name), Faces):
            return listed
        if isinstance(listed := strips.get(name), Faces):
            found = [triangles_of_strip(strip) for strip in _runs(listed.corners)]
            return triangle_faces(np.concatenate([np.empty((0, 3), np.int64), *found]))
    return triangle_faces(np.empty((0, 3), np.int64))


def _runs(corners: Int64[np.ndarray, " k"]) -> Iterator[Int64[np.ndarray, " m"]]:
    """The strips in a row of them, which -1 ends."""
    for strip in np.split(corners, np.flatnonzero(corners < 0)):
        yield strip[strip >= 0]


def _colours(rows: _Rows) -> Scaled | None:
    for names in _RED_GREEN_BLUE:
        if set(names) <= rows.keys():
            return scaled(np.stack([rows[name] for name in names], -1))
    return None
