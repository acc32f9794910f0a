"""glTF 2.0 and GLB: the triangles of a scene, where its nodes put them, in the colours of vertices and materials.

Numbers of colours are linear in glTF and become those of a picture here. What is animated stands as it is stored.
"""

import base64
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float64, Int64
from scipy.spatial.transform import Rotation

from fieldlens.configs.errors import InputError
from fieldlens.configs.files import JsonObject, json_object, read_bytes

from .colours import srgb
from .parsed import LIGHT_GREY, Parsed, beside, damaged, triangle_faces, triangles_of_strip

MOST_NUMBERS = 2**28
"""Numbers in the largest accessor: one may be all zeros, of which the file holds no byte."""

_COMPONENTS = {5120: "i1", 5121: "u1", 5122: "i2", 5123: "u2", 5125: "u4", 5126: "f4"}
_WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT2": 4, "MAT3": 9, "MAT4": 16}
_HARMLESS = ("KHR_materials_", "KHR_texture_", "KHR_lights", "KHR_xmp", "EXT_texture_", "KHR_mesh_quantization")
"""Beginnings of the names of extensions that do not change where triangles are."""
_TRIANGLES, _STRIP, _FAN = 4, 5, 6


class _Part(NamedTuple):
    """The triangles of one primitive, where its node puts them."""

    vertices: Float64[np.ndarray, "n 3"]
    triangles: Int64[np.ndarray, "m 3"]
    light: Float64[np.ndarray, "n 3"] | None
    """Linear RGB of each vertex; None where the file gives no colour, or a texture alone does."""


def read_gltf(path: Path, data: bytes) -> Parsed:
    """The triangles and colours of a glTF or GLB file.

    Raises:
        InputError: where it is damaged, compressed by an extension, or names a file outside of its folder.
    """
    try:
        content, binary = _chunks(path, data) if data[:4] == b"glTF" else (data.removeprefix(b"\xef\xbb\xbf"), None)
        if not content.lstrip().startswith(b"{"):
            raise ValueError("it is neither GLB nor JSON")
        return _Reader(path, json_object(content, path), binary).parsed()
    except InputError:
        raise
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError, struct.error) as error:
        why = error.args[0] if type(error) is ValueError else "what it describes does not fit together"
        raise damaged(path, str(why)) from None


def _chunks(path: Path, data: bytes) -> tuple[bytes, bytes | None]:
    """The JSON of a GLB file, and its bytes where it has any."""
    version, length = struct.unpack_from("<II", data, 4)
    if version != 2:
        raise damaged(path, f"it is of version {version} of glTF, and version 2 is read")
    if length > len(data):
        raise ValueError("it ends before all that its header says is there")
    content, binary, at = None, None, 12
    while at + 8 <= length:
        size, kind = struct.unpack_from("<I4s", data, at)
        chunk, at = data[at + 8 : at + 8 + size], at + 8 + size
        if at > length:
            raise ValueError("it ends before all that its header says is there")
        if kind == b"JSON" and content is None:
            content = chunk
        elif kind == b"BIN\0" and binary is None:
            binary = chunk
    if content is None:
        raise ValueError("it has no JSON")
    return content, binary


@dataclass
class _Reader:
    path: Path
    content: JsonObject
    binary: bytes | None

    def __post_init__(self) -> None:
        self.buffers: dict[int, bytes] = {}
        self.notes: dict[str, None] = {}  # in the order in which they are found, each once

    def parsed(self) -> Parsed:
        """All primitives of the scene as one mesh."""
        version = str(self.content["asset"]["version"])
        if not version.startswith("2."):
            raise ValueError(f"it is of version {version[:20]} of glTF, and version 2 is read")
        for name in self.content.get("extensionsRequired", []):
            if not str(name).startswith(_HARMLESS):
                raise ValueError(f"it needs the extension {str(name)[:60]!r}, which is not read; save it without")
        for name in self.content.get("extensionsUsed", []):
            if not str(name).startswith(_HARMLESS):
                self._note(f"its extension {str(name)[:60]!r} is not used")
        if self.content.get("animations"):
            self._note("its animations are not used")
        parts = [part for mesh, matrix in self._placed() for part in self._parts(mesh, matrix)]
        starts = np.cumsum([0, *(len(part.vertices) for part in parts)])
        vertices = np.concatenate([np.empty((0, 3)), *(part.vertices for part in parts)])
        triangles = [part.triangles + start for part, start in zip(parts, starts, strict=False)]
        faces = triangle_faces(np.concatenate([np.empty((0, 3), np.int64), *triangles]))
        colours = None
        if any(part.light is not None for part in parts):
            without = sum(part.light is None for part in parts)
            if without:
                self._note(f"{without:,} of its {len(parts):,} parts have no colour and are light grey")
            grey = [np.full(part.vertices.shape, LIGHT_GREY) for part in parts]
            colours = np.concatenate(
                [plain if part.light is None else srgb(part.light) for part, plain in zip(parts, grey, strict=True)]
            )
        return Parsed(vertices, faces, colours, notes=tuple(self.notes))

    def _note(self, note: str) -> None:
        self.notes[note] = None

    def _placed(self) -> Iterator[tuple[JsonObject, Float64[np.ndarray, "4 4"]]]:
        """The meshes of the scene, and the matrices that put them there."""
        nodes, scenes = self.content.get("nodes", []), self.content.get("scenes", [])
        if scenes:
            waiting = list(_at(scenes, self.content.get("scene", 0)).get("nodes", []))
            if len(scenes) > 1:
                self._note(f"the first shown of its {len(scenes)} scenes is used")
        else:
            below = {child for node in nodes for child in node.get("children", [])}
            waiting = [number for number in range(len(nodes)) if number not in below]
        if not nodes:  # a library of meshes, which no node places
            yield from ((mesh, np.eye(4)) for mesh in self.content.get("meshes", []))
        stack, seen = [(number, np.eye(4)) for number in reversed(waiting)], set[int]()
        while stack:
            number, above = stack.pop()
            node = _at(nodes, number)
            if number in seen:
                raise ValueError(f"its node {number} is in two places")
            seen.add(number)
            matrix = above @ _matrix(node)
            stack += [(child, matrix) for child in reversed(node.get("children", []))]
            if "mesh" in node:
                if "skin" in node:
                    self._note("its skeleton is not used: the mesh is as it was before it was posed")
                yield _at(self.content["meshes"], node["mesh"]), matrix

    def _parts(self, mesh: JsonObject, matrix: Float64[np.ndarray, "4 4"]) -> Iterator[_Part]:
        for primitive in mesh["primitives"]:
            mode = primitive.get("mode", _TRIANGLES)
            if mode not in (_TRIANGLES, _STRIP, _FAN):
                self._note("its points and lines are left out")
                continue
            if "KHR_draco_mesh_compression" in primitive.get("extensions", {}):
                raise ValueError("it is compressed by Draco, which is not read; save it without")
            if primitive.get("targets"):
                self._note("its morph targets are not used")
            attributes = primitive["attributes"]
            positions = self._accessor(attributes["POSITION"])
            if positions.shape[1] != 3:
                raise ValueError("its positions are not of three coordinates")
            vertices = positions @ matrix[:3, :3].T + matrix[:3, 3]
            if "indices" in primitive:
                corners = self._accessor(primitive["indices"])[:, 0].astype(np.int64)
            else:
                corners = np.arange(len(vertices))
            triangles = _triangles(corners, mode)
            with np.errstate(invalid="ignore"):  # of numbers that are none, which whoever cleans the mesh refuses
                is_reflection = np.linalg.det(matrix[:3, :3]) < 0
            if is_reflection:  # it turns triangles inside out
                triangles = triangles[:, ::-1]
            yield _Part(vertices, triangles, self._light(primitive, len(vertices)))

    def _light(self, primitive: JsonObject, count: int) -> Float64[np.ndarray, "n 3"] | None:
        """Linear RGB of a primitive's vertices: their own times their material's."""
        attributes = primitive["attributes"]
        number = primitive.get("material")
        material = {} if number is None else _at(self.content["materials"], number)
        surface = material.get("pbrMetallicRoughness", {})
        older = material.get("extensions", {}).get("KHR_materials_pbrSpecularGlossiness", {})
        factor = np.array(surface.get("baseColorFactor", older.get("diffuseFactor", [1, 1, 1, 1])), np.float64)[:3]
        if factor.shape != (3,):
            raise ValueError("a material of it has no colour of three numbers")
        textured = "baseColorTexture" in surface or "diffuseTexture" in older
        if textured:
            self._note("its textures are not used; what has no other colour is light grey")
        if any(name.startswith("COLOR_") and name != "COLOR_0" for name in attributes):
            self._note("of several colours of its vertices the first is used")
        if "COLOR_0" not in attributes:
            return None if textured or (factor == 1).all() else np.tile(factor, (count, 1))
        own = self._accessor(attributes["COLOR_0"])
        if own.shape[1] not in (3, 4) or len(own) != count:
            raise ValueError("colours of its vertices are not what these have")
        return own[:, :3] * factor

    def _accessor(self, number: int) -> Float64[np.ndarray, "n k"]:
        """The numbers of an accessor, integers that stand for shares as shares."""
        accessor = _at(self.content["accessors"], number)
        count, width = int(accessor["count"]), _WIDTHS[accessor["type"]]
        kind = np.dtype("<" + _COMPONENTS[accessor["componentType"]])
        if not 0 <= count <= MOST_NUMBERS // width:
            raise ValueError(f"it has a list of {count:,} vertices or numbers, more than are read")
        if "bufferView" in accessor:
            values = self._view(accessor["bufferView"], int(accessor.get("byteOffset", 0)), kind, count, width)
        else:
            values = np.zeros((count, width), kind)
        if sparse := accessor.get("sparse"):
            changed, places, new = int(sparse["count"]), sparse["indices"], sparse["values"]
            kind_of_places = np.dtype("<" + _COMPONENTS[places["componentType"]])
            at = self._view(places["bufferView"], int(places.get("byteOffset", 0)), kind_of_places, changed, 1)[:, 0]
            values = values.copy()
            values[at] = self._view(new["bufferView"], int(new.get("byteOffset", 0)), kind, changed, width)
        if accessor.get("normalized") and kind.kind in "iu":
            return np.maximum(values / np.iinfo(kind).max, -1.0)
        return values.astype(np.float64)

    def _view(self, number: int, offset: int, kind: np.dtype, count: int, width: int) -> np.ndarray:
        """Rows of numbers in a buffer."""
        view = _at(self.content["bufferViews"], number)
        start, length, row = int(view.get("byteOffset", 0)), int(view["byteLength"]), kind.itemsize * width
        stride = int(view.get("byteStride", row))
        data = self._buffer(view["buffer"])
        if min(start, offset, length, count) < 0 or stride < row or start + length > len(data):
            raise ValueError("a part of its buffer is not there")
        if count and offset + stride * (count - 1) + row > length:
            raise ValueError("a list of it is longer than its buffer")
        if not count:
            return np.empty((0, width), kind)
        return np.ndarray((count, width), kind, data, start + offset, (stride, kind.itemsize))

    def _buffer(self, number: int) -> bytes:
        if number in self.buffers:
            return self.buffers[number]
        buffer = _at(self.content["buffers"], number)
        uri = buffer.get("uri")
        if uri is None:
            data = self.binary
            if data is None or number != 0:
                raise ValueError("it names no file for its buffer")
        elif uri.startswith("data:"):
            head, _, text = uri.partition(",")
            if not head.endswith(";base64"):
                raise ValueError("a buffer of it is not base64")
            data = base64.b64decode(text, validate=True)
        else:
            data = read_bytes(beside(self.path, uri))
        if len(data) < int(buffer["byteLength"]):
            raise ValueError("its buffer is shorter than it says")
        self.buffers[number] = data
        return data


def _at(items: list[Any], number: object) -> Any:
    """An item by its number; negative ones, which Python counts from the end, are none."""
    if type(number) is not int or not 0 <= number < len(items):
        raise ValueError(f"it has no number {str(number)[:20]} of {len(items)}")
    return items[number]


def _matrix(node: JsonObject) -> Float64[np.ndarray, "4 4"]:
    """Where a node puts what is below it: a matrix by columns, or a shift, a turn and a scale."""
    if "matrix" in node:
        return np.array(node["matrix"], np.float64).reshape(4, 4).T
    matrix = np.eye(4)
    turn = Rotation.from_quat(node.get("rotation", [0, 0, 0, 1])).as_matrix()
    matrix[:3, :3] = turn * np.array(node.get("scale", [1, 1, 1]), np.float64)
    matrix[:3, 3] = node.get("translation", [0, 0, 0])
    return matrix


def _triangles(corners: Int64[np.ndarray, " k"], mode: int) -> Int64[np.ndarray, "m 3"]:
    if mode == _STRIP:
        return triangles_of_strip(corners)
    if mode == _FAN:
        rest = np.stack([corners[1:-1], corners[2:]], -1) if len(corners) > 2 else np.empty((0, 2), np.int64)
        return np.hstack([np.broadcast_to(corners[:1, None], (len(rest), 1)), rest])
    if len(corners) % 3:
        raise ValueError("its triangles do not have three corners each")
    return corners.reshape(-1, 3)
