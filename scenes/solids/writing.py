"""Meshes to files, whole or not at all."""

import json
import struct
from pathlib import Path

import numpy as np
from jaxtyping import Float64

from fieldlens.configs.errors import InputError, did_you_mean
from fieldlens.configs.files import write_bytes
from fieldlens.render.files import require_ending

from ..formats.colours import linear
from .mesh import Mesh
from .reading import Y_UP, up_of

WRITTEN_ENDINGS = (".ply", ".obj", ".glb", ".stl")
"""Endings of the mesh files that are written."""


def mesh_ending(path: Path) -> str:
    """The ending of a mesh's file, in lower case, asked before the mesh is made.

    Raises:
        InputError: where no mesh is written with it, or the file is a folder.
    """
    suffix = path.suffix.lower()
    if suffix not in WRITTEN_ENDINGS:
        raise InputError(
            f"a mesh is written as {', '.join(WRITTEN_ENDINGS)}, not as {path.name!r}"
            f"{did_you_mean(suffix, WRITTEN_ENDINGS)}"
        )
    return require_ending(path, WRITTEN_ENDINGS, "a mesh")


def write_mesh(path: str | Path, mesh: Mesh) -> tuple[str, ...]:
    """Write a mesh as PLY, OBJ, GLB or STL, whole or not at all; its folder is made where needed.

    Gives what the file does not hold as the mesh has it, in words: colours are lost in STL, and y is up in GLB, as glTF
    says, so that a mesh with another direction up is turned. The other formats name no direction up, and keep the axes;
    where `read_mesh` takes another for up, that is said. Coordinates are float32, those of OBJ text.

    Raises:
        InputError: for another ending, a mesh without triangles, and a file that cannot be written.
    """
    path = Path(path)
    suffix = mesh_ending(path)
    if not len(mesh.triangles):
        raise InputError(f"there is no surface to write to {str(path)!r}")
    write_bytes(path, {".ply": _ply, ".obj": _obj, ".glb": _glb, ".stl": _stl}[suffix](mesh))
    colourless = ["STL has no colours"] if suffix == ".stl" and mesh.colours is not None else []
    return (*colourless, *_of_up(suffix, mesh))


def _of_up(suffix: str, mesh: Mesh) -> list[str]:
    """What is to be said of the direction up in a file."""
    if mesh.up == up_of(suffix):
        return []
    if suffix != ".glb":
        axis = "y" if suffix in Y_UP else "z"
        return [
            f"the axes are the scene's; who takes {axis} for up in {suffix}, as `fieldlens fit` does, sees it turned"
        ]
    if mesh.up == (0, 0, 1):
        return ["y is up in GLB, as glTF says: what is at (x, y, z) is at (x, z, -y) there"]
    return ["y is up in GLB, as glTF says: the mesh is turned so"]


def _obj(mesh: Mesh) -> bytes:
    """An OBJ's text, vertices as "v x y z r g b", which most programs read though the format's old texts do not say."""
    rows = mesh.vertices if mesh.colours is None else np.hstack([mesh.vertices, mesh.colours])
    lines = [("v" + " %.9g" * rows.shape[1]) % tuple(row) for row in rows.tolist()]
    lines += [f"f {a} {b} {c}" for a, b, c in (mesh.triangles + 1).tolist()]
    return ("\n".join(lines) + "\n").encode()


def _ply(mesh: Mesh) -> bytes:
    """A binary PLY; colours are bytes, as most programs expect."""
    kinds: list[tuple] = [("xyz", "<f4", 3)]
    header = ["ply", "format binary_little_endian 1.0", f"element vertex {len(mesh.vertices)}"]
    header += [f"property float {axis}" for axis in "xyz"]
    if mesh.colours is not None:
        kinds.append(("rgb", "u1", 3))
        header += [f"property uchar {name}" for name in ("red", "green", "blue")]
    header += [f"element face {len(mesh.triangles)}", "property list uchar int vertex_indices", "end_header", ""]
    vertices = np.empty(len(mesh.vertices), kinds)
    vertices["xyz"] = mesh.vertices
    if mesh.colours is not None:
        vertices["rgb"] = (mesh.colours.clip(0, 1) * 255).round()
    faces = np.empty(len(mesh.triangles), [("count", "u1"), ("corners", "<i4", 3)])
    faces["count"], faces["corners"] = 3, mesh.triangles
    return "\n".join(header).encode() + vertices.tobytes() + faces.tobytes()


def _stl(mesh: Mesh) -> bytes:
    facets = np.zeros(len(mesh.triangles), [("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
    facets["normal"], facets["corners"] = mesh.normals, mesh.corners
    return bytes(80) + struct.pack("<I", len(facets)) + facets.tobytes()


def _glb(mesh: Mesh) -> bytes:
    """A GLB with y up and colours in shares of light, as glTF has both."""
    vertices = (mesh.vertices @ _to_y_up(np.array(mesh.up)).T).astype("<f4")
    arrays = [vertices, mesh.triangles.astype("<u4").reshape(-1)]
    if mesh.colours is not None:
        arrays.append(linear(mesh.colours).astype("<f4"))
    views, accessors, binary = [], [], b""
    for array in arrays:
        views.append({"buffer": 0, "byteOffset": len(binary), "byteLength": array.nbytes})
        vector = array.ndim == 2
        accessors.append(
            {
                "bufferView": len(accessors),
                "componentType": 5126 if vector else 5125,
                "count": len(array),
                "type": "VEC3" if vector else "SCALAR",
                "min": array.min(0).tolist() if vector else [int(array.min())],
                "max": array.max(0).tolist() if vector else [int(array.max())],
            }
        )
        binary += array.tobytes()
    attributes = {"POSITION": 0} if mesh.colours is None else {"POSITION": 0, "COLOR_0": 2}
    content = {
        "asset": {"version": "2.0", "generator": "fieldlens"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [{"attributes": attributes, "indices": 1}]}],
        "buffers": [{"byteLength": len(binary)}],
        "bufferViews": views,
        "accessors": accessors,
    }
    text = json.dumps(content).encode()
    text += b" " * (-len(text) % 4)  # both chunks end at multiples of four bytes; those of 32-bit numbers do
    chunks = struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", len(binary), b"BIN\0") + binary
    return b"glTF" + struct.pack("<II", 2, 12 + len(chunks)) + chunks


def _to_y_up(up: Float64[np.ndarray, "3"]) -> Float64[np.ndarray, "3 3"]:
    """The smallest rotation that turns a direction of length 1 to y.

    >>> (_to_y_up(np.array([0.0, 0.0, 1.0])) @ [1, 2, 3]).tolist()
    [1.0, 3.0, -2.0]
    """
    y = np.array([0.0, 1.0, 0.0])
    x1, x2, x3 = np.cross(up, y)
    if up[1] <= -1:
        return np.diag([1.0, -1.0, -1.0])
    across = np.array([[0, -x3, x2], [x3, 0, -x1], [-x2, x1, 0]])
    return np.eye(3) + across + across @ across / (1 + up[1])
