"""What a mesh's file says, before it is cleaned, and the files beside it that it names."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

import numpy as np
from jaxtyping import Float64, Int64

from fieldlens.configs.errors import InputError

LIGHT_GREY = 0.75
"""The colour, in each channel, of what has none of its own."""


class Faces(NamedTuple):
    """Polygons: how many corners each has, and the vertices of all corners in a row, counted from 0."""

    sizes: Int64[np.ndarray, " faces"]
    corners: Int64[np.ndarray, " corners"]


@dataclass(frozen=True, eq=False)
class Parsed:
    """A mesh as its file has it."""

    vertices: Float64[np.ndarray, "n 3"]
    faces: Faces
    colours: Float64[np.ndarray, "n 3"] | None = None
    """RGB of each vertex as a picture has it (sRGB), in [0, 1]."""
    face_colours: Float64[np.ndarray, "faces 3"] | None = None
    """RGB of each face, likewise; only where vertices have none."""
    notes: tuple[str, ...] = ()
    """What of the file is not used, and how its numbers are taken."""


def damaged(path: Path, why: str) -> InputError:
    """What to say of a file that is not what its ending says."""
    return InputError(f"{str(path)!r} is no mesh that can be read, or is damaged: {why}")


def triangle_faces(triangles: Int64[np.ndarray, "m 3"]) -> Faces:
    """Triangles as polygons."""
    return Faces(np.full(len(triangles), 3, np.int64), triangles.reshape(-1).astype(np.int64))


def triangles_of_strip(strip: Int64[np.ndarray, " k"]) -> Int64[np.ndarray, "m 3"]:
    """The triangles of a strip, each of its last three vertices; every other one runs the other way round.

    >>> triangles_of_strip(np.array([0, 1, 2, 3])).tolist()
    [[0, 1, 2], [2, 1, 3]]
    """
    triangles = np.stack([strip[:-2], strip[1:-1], strip[2:]], -1) if len(strip) > 2 else np.empty((0, 3), np.int64)
    triangles[1::2] = triangles[1::2][:, [1, 0, 2]]
    return triangles.astype(np.int64)


def beside(path: Path, named: str) -> Path:
    """The file that a mesh's file names, which lies in its folder or below.

    Links that a person has put there are followed: only what the mesh's file says is not trusted.

    Raises:
        InputError: for a place elsewhere: on the net, absolute, or out of the folder by `..`.
    """
    name = unquote(named)
    if "://" in name or name.startswith("//"):
        raise InputError(f"{str(path)!r} names {named[:80]!r}, which is no file beside it; download it first")
    place = Path(name)
    if place.is_absolute() or ".." in place.parts:
        raise InputError(f"{str(path)!r} names {named[:80]!r}, which lies outside of its folder and is not read")
    return path.parent / place
