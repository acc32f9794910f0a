"""Meshes from files that a person names: whatever is wrong with one is one sentence.

All formats are read here, in this process: no number of a file is believed before the file is known to hold what it
counts, and nothing of a file is run.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from jaxtyping import Float64, Int64

from fieldlens.configs.errors import InputError, did_you_mean
from fieldlens.configs.files import read_bytes

from ..formats.gltf import read_gltf
from ..formats.obj import read_obj
from ..formats.off import read_off
from ..formats.parsed import Parsed, damaged
from ..formats.ply import read_ply
from ..formats.polygons import cut
from ..formats.stl import read_stl
from .mesh import Mesh, check_corners, cleaned

READ_ENDINGS = (".ply", ".obj", ".stl", ".off", ".glb", ".gltf")
"""Endings of the mesh files that are read."""

Y_UP = (".obj", ".glb", ".gltf")
"""Endings of mesh files whose y axis points up, as glTF has it and most programs write OBJ; in the others z does."""

PARSED_SHARE = 0.55
"""The share, about, of the time to read a mesh in which its file is parsed; in the rest its triangles are cleaned."""


def up_of(suffix: str) -> tuple[float, float, float]:
    """The direction that is taken for up in mesh files of an ending."""
    return (0.0, 1.0, 0.0) if suffix in Y_UP else (0.0, 0.0, 1.0)


def read_mesh(path: str | Path, progress: Callable[[float], None] = lambda _share: None) -> Mesh:
    """The mesh in a file: polygons cut into triangles, equal vertices merged, triangles without area and vertices of
    none dropped.

    Args:
        progress: is told the share that is done.

    Raises:
        InputError: naming the file, when it is missing, empty, damaged or of another kind, has no triangles, has
            triangles of vertices that are not there, or vertices that are no numbers.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if not path.exists():
        raise InputError(f"there is no file {str(path)!r}")
    if path.is_dir():
        raise InputError(f"{str(path)!r} is a folder; name a mesh's file")
    if suffix not in READ_ENDINGS:
        raise InputError(f"{str(path)!r} does not end like a mesh's file{did_you_mean(suffix, READ_ENDINGS)}")
    data = read_bytes(path)
    if not data:
        raise InputError(f"{str(path)!r} is empty")
    progress(0.0)
    parsed = _parsed(path, suffix, data, lambda share: progress(PARSED_SHARE * share))
    progress(PARSED_SHARE)
    check_corners(parsed.faces.corners, len(parsed.vertices), str(path))
    try:
        triangles, faces, notes = cut(parsed.vertices, parsed.faces)
    except ValueError as error:
        raise damaged(path, str(error)) from None
    vertices, colours = parsed.vertices, parsed.colours
    read = f"{suffix[1:].upper()}, {len(vertices):,} vertices"
    if parsed.face_colours is not None:
        vertices, triangles, colours = _each_its_own(vertices, triangles, parsed.face_colours[faces])
    up = up_of(suffix)
    if colours is not None:
        colours = colours.clip(0, 1)
    mesh = cleaned(Mesh(vertices, triangles, colours, up, path.stem, (read, *parsed.notes, *notes)), str(path))
    progress(1.0)
    return mesh


def _parsed(path: Path, suffix: str, data: bytes, progress: Callable[[float], None]) -> Parsed:
    match suffix:
        case ".ply":
            return read_ply(path, data)
        case ".obj":
            return read_obj(path, data, progress)
        case ".stl":
            return read_stl(path, data)
        case ".off":
            return read_off(path, data)
        case _:
            return read_gltf(path, data)


def _each_its_own(
    vertices: Float64[np.ndarray, "n 3"], triangles: Int64[np.ndarray, "m 3"], colours: Float64[np.ndarray, "m 3"]
) -> tuple[Float64[np.ndarray, "k 3"], Int64[np.ndarray, "m 3"], Float64[np.ndarray, "k 3"]]:
    """Triangles of one colour each, by corners that belong to one triangle alone; cleaning merges those that agree."""
    return vertices[triangles.reshape(-1)], np.arange(triangles.size).reshape(-1, 3), np.repeat(colours, 3, axis=0)
