"""Triangle meshes: read from files that a person names, and written whole or not at all.

Whatever is done to a mesh is said in its notes, and whatever is wrong with its file is one sentence. Open3D reads PLY,
STL, OFF, GLB and GLTF; it takes two seconds to import and is imported where it is needed.
"""

import io
import itertools
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float64, Int64

from fieldlens.configs.errors import InputError, did_you_mean
from fieldlens.configs.files import read_bytes, write_text

from ..captures.capture import Bounds
from .edges import count_edges, same_rows

READ_ENDINGS = (".ply", ".obj", ".stl", ".off", ".glb", ".gltf")
"""Endings of the mesh files that are read."""

WRITTEN_ENDINGS = (".ply", ".obj", ".glb", ".stl")
"""Endings of the mesh files that are written."""

Y_UP = (".obj", ".glb", ".gltf")
"""Endings of mesh files whose y axis points up, as glTF has it and most programs write OBJ; in the others z does."""

MESH_MARGIN = 0.1
"""Room between a mesh and its cube, on each side, as a share of the mesh's longest extent."""

PARSED_SHARE = 0.55
"""The share, about, of the time to read a mesh in which its file is parsed; in the rest its triangles are cleaned."""

LINES_AT_ONCE = 2**14
"""Lines of an OBJ file that are read between two reports of progress."""


@dataclass(frozen=True, eq=False)
class Mesh:
    """Triangles in space; seen from outside their corners run counter-clockwise."""

    vertices: Float64[np.ndarray, "n 3"]
    triangles: Int64[np.ndarray, "m 3"]
    """Three rows of `vertices` each."""
    colours: Float64[np.ndarray, "n 3"] | None = None
    """RGB in [0, 1] of each vertex."""
    up: tuple[float, float, float] = (0.0, 0.0, 1.0)
    """The direction that is shown upwards."""
    name: str = "mesh"
    notes: tuple[str, ...] = ()
    """What the mesh is, and everything that was done to it, in words."""

    @property
    def corners(self) -> Float64[np.ndarray, "m 3 3"]:
        """The three corners of each triangle."""
        return self.vertices[self.triangles]

    @property
    def areas(self) -> Float64[np.ndarray, " m"]:
        """The area of each triangle."""
        return np.linalg.norm(self._crosses(), axis=1) / 2

    @property
    def normals(self) -> Float64[np.ndarray, "m 3"]:
        """The unit normal of each triangle, to the side from which its corners run counter-clockwise."""
        crosses = self._crosses()
        return crosses / np.maximum(np.linalg.norm(crosses, axis=1, keepdims=True), np.finfo(float).tiny)

    @property
    def volume(self) -> float:
        """Of the solid that a closed mesh bounds, by the divergence theorem; negative where triangles face inwards."""
        corners = self.corners - self.vertices.mean(0)
        return float(np.einsum("ij,ij->", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])) / 6)

    @property
    def diagonal(self) -> float:
        """Of the smallest box with sides along the axes that holds the mesh."""
        return float(np.linalg.norm(np.ptp(self.vertices, axis=0)))

    @property
    def vertex_normals(self) -> Float64[np.ndarray, "n 3"]:
        """Unit normals of the vertices, means of their triangles' by area; 0 for a vertex of no triangle."""
        sums = np.zeros_like(self.vertices)
        for corner in range(3):
            np.add.at(sums, self.triangles[:, corner], self._crosses())
        return sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), np.finfo(float).tiny)

    def bounds(self, margin: float = MESH_MARGIN) -> Bounds:
        """The cube around the mesh, whatever its units, with `margin` of the longest extent on both its sides."""
        low, high = self.vertices.min(0), self.vertices.max(0)
        x, y, z = ((low + high) / 2).tolist()
        return Bounds((x, y, z), float((high - low).max()) * (1 + 2 * margin))

    def in_unit_cube(self, bounds: Bounds) -> "Mesh":
        """The mesh as fields see it."""
        return replace(self, vertices=bounds.to_unit(self.vertices))

    def surface_points(
        self, count: int, generator: np.random.Generator
    ) -> tuple[Float64[np.ndarray, "count 3"], Int64[np.ndarray, " count"]]:
        """Points spread at random over the surface, as many on a triangle as it has area; and on which each lies."""
        area = np.cumsum(self.areas)
        chosen = np.searchsorted(area, generator.random(count) * area[-1], side="right").clip(max=len(area) - 1)
        u, v = generator.random((2, count, 1))
        u, v = np.where(u + v > 1, 1 - u, u), np.where(u + v > 1, 1 - v, v)  # the square, folded to a triangle
        a, b, c = self.corners[chosen].swapaxes(0, 1)
        return a + u * (b - a) + v * (c - a), chosen

    def raycasting(self) -> Any:
        """Open3D's RaycastingScene of the mesh, which answers rays and distances in float32."""
        import open3d as o3d

        scene = o3d.t.geometry.RaycastingScene()
        vertices = o3d.core.Tensor.from_numpy(np.ascontiguousarray(self.vertices, np.float32))
        scene.add_triangles(vertices, o3d.core.Tensor.from_numpy(np.ascontiguousarray(self.triangles, np.uint32)))
        return scene

    def _crosses(self) -> Float64[np.ndarray, "m 3"]:
        a, b, c = self.corners.swapaxes(0, 1)
        return np.cross(b - a, c - a)


def read_mesh(path: str | Path, progress: Callable[[float], None] = lambda _share: None) -> Mesh:
    """The mesh in a file: equal vertices merged, triangles without area and vertices of none dropped.

    Args:
        progress: is told the share that is done; how far Open3D has read is known only at its end.

    Raises:
        InputError: naming the file, when it is missing, empty, damaged or of another kind, has no triangles, has
            triangles of vertices that are not there, or vertices that are no numbers.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if not path.exists():
        raise InputError(f"there is no file {str(path)!r}")
    if not path.is_file():
        raise InputError(f"{str(path)!r} is {'a folder' if path.is_dir() else 'no regular file'}; name a mesh's file")
    if suffix not in READ_ENDINGS:
        raise InputError(f"{str(path)!r} does not end like a mesh's file{did_you_mean(suffix, READ_ENDINGS)}")
    if path.stat().st_size == 0:
        raise InputError(f"{str(path)!r} is empty")
    progress(0.0)
    if suffix == ".obj":
        vertices, triangles, colours = _read_obj(path, lambda share: progress(PARSED_SHARE * share))
    else:
        vertices, triangles, colours = _read_by_open3d(path)
        progress(PARSED_SHARE)
    kind = suffix[1:].upper()
    up = (0.0, 1.0, 0.0) if suffix in Y_UP else (0.0, 0.0, 1.0)
    mesh = Mesh(vertices, triangles, colours, up, path.stem, (f"{kind}, {len(vertices):,} vertices",))
    mesh = cleaned(mesh, str(path))
    progress(1.0)
    return mesh


def cleaned(mesh: Mesh, origin: str) -> Mesh:
    """The mesh with equal vertices merged (where they have one colour), triangles without area and unused vertices
    dropped; the notes say what was done.

    Args:
        origin: the file, to name when something is wrong.

    Raises:
        InputError: when there are no triangles, some are of vertices that are not there, vertices are no numbers, or
            nothing with an area is left.
    """
    count = len(mesh.vertices)
    if not len(mesh.triangles):
        what = f"{count:,} points and no triangles" if count else "no triangles, or is damaged"
        raise InputError(f"{origin!r} holds {what}; give a mesh with a surface")
    least, most = mesh.triangles.min(), mesh.triangles.max()
    if least < 0 or most >= count:
        odd = least if least < 0 else most
        raise InputError(f"{origin!r} has a triangle of vertex {odd}, counted from 0, and {count:,} vertices")
    notes = list(mesh.notes)
    used = np.unique(mesh.triangles)
    if not np.isfinite(mesh.vertices[used]).all():
        bad = np.count_nonzero(~np.isfinite(mesh.vertices[used]).all(1))
        raise InputError(f"{origin!r} has {bad:,} vertices that are no numbers (NaN or infinite)")
    if np.ptp(mesh.vertices[used], axis=0).max() > 1e30 or np.abs(mesh.vertices[used]).max() > 1e30:
        raise InputError(f"{origin!r} has vertices farther out than 1e30")
    if len(used) < count:
        notes.append(f"{count - len(used):,} vertices of no triangle dropped")
    vertices, colours = mesh.vertices[used], None if mesh.colours is None else mesh.colours[used]
    triangles = np.searchsorted(used, mesh.triangles)
    labels = same_rows(vertices if colours is None else np.hstack([vertices, colours]))
    kept, triangles = _first_of_each(labels, triangles)
    if len(kept) < len(vertices):
        notes.append(f"{len(vertices) - len(kept):,} repeated vertices merged")
    vertices, colours = vertices[kept], None if colours is None else colours[kept]
    flat = _without_area(vertices, triangles)
    if flat.all():
        raise InputError(f"all triangles of {origin!r} have area 0; give a mesh with a surface")
    if flat.any():
        # A triangle whose corners lie on a line may be all that joins two sides of a seam: it stays if it closes one.
        collapsed = (triangles == np.roll(triangles, 1, axis=1)).any(1)
        before = count_edges(vertices, triangles[~collapsed]).open
        dropped = flat if count_edges(vertices, triangles[~flat]).open <= before else collapsed
        if dropped.any():
            notes.append(f"{np.count_nonzero(dropped):,} triangles of area 0 dropped")
        if not dropped[flat].all():
            notes.append(f"{np.count_nonzero(flat & ~dropped):,} triangles of area 0 kept, which close seams")
        triangles = triangles[~dropped]
        used = np.unique(triangles)
        vertices, colours = vertices[used], None if colours is None else colours[used]
        triangles = np.searchsorted(used, triangles)
    coarseness = np.abs(vertices).max() * float(np.finfo(np.float32).eps) / np.ptp(vertices, axis=0).max()
    if coarseness > 1e-4:
        notes.append(
            f"so far from the origin that single precision keeps {coarseness:.1g} of its extent; move it to the origin"
        )
    notes.append(f"{len(triangles):,} triangles")
    return Mesh(vertices, triangles, colours, mesh.up, mesh.name, tuple(notes))


def _first_of_each(
    labels: Int64[np.ndarray, " n"], triangles: Int64[np.ndarray, "m 3"]
) -> tuple[Int64[np.ndarray, " kept"], Int64[np.ndarray, "m 3"]]:
    """Rows that stand for all with their label, in the order of the file, and the triangles in terms of them."""
    first = np.unique(labels, return_index=True)[1]
    kept = np.sort(first)
    return kept, np.searchsorted(kept, first[labels])[triangles]


def _without_area(vertices: Float64[np.ndarray, "n 3"], triangles: Int64[np.ndarray, "m 3"]) -> Bool[np.ndarray, " m"]:
    """Triangles with a corner twice or with all on a line, as far as the precision of their coordinates tells."""
    a, b, c = vertices[triangles].swapaxes(0, 1)
    cross = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    longest = np.maximum(np.linalg.norm(b - a, axis=1), np.linalg.norm(c - a, axis=1))
    return cross <= 1e-12 * longest**2


def _read_obj(
    path: Path, progress: Callable[[float], None]
) -> tuple[Float64[np.ndarray, "n 3"], Int64[np.ndarray, "m 3"], Float64[np.ndarray, "n 3"] | None]:
    """Vertices, their colours and faces of an OBJ, polygons as fans; all else (textures, lines, curves) is passed over.

    Not by Open3D 0.20: its reader ends the process on some damaged files, makes triangles with invented vertices of
    lines, and refuses numbers such as .5.
    """
    vertices: list[list[float]] = []
    triangles: list[tuple[int, int, int]] = []
    content = read_bytes(path)
    lines = io.BytesIO(content)
    for number, line in enumerate(lines, 1):
        if number % LINES_AT_ONCE == 0:
            progress(lines.tell() / len(content))
        key, *words = line.split() or [b""]
        try:
            if key == b"v":
                vertices.append([float(word) for word in words])
                if len(words) < 3:
                    raise ValueError
            elif key == b"f":
                corners = [_obj_index(word, len(vertices)) for word in words]
                triangles += [(corners[0], *pair) for pair in itertools.pairwise(corners[1:])]
        except ValueError:
            shown = line.strip()[:60].decode(errors="replace")
            raise InputError(f"line {number} of {str(path)!r} is damaged: {shown!r}") from None
    points = np.array([values[:3] for values in vertices], np.float64).reshape(-1, 3)
    coloured = bool(vertices) and all(len(values) >= 6 for values in vertices)
    colours = np.array([values[3:6] for values in vertices], np.float64).clip(0, 1) if coloured else None
    return points, np.array(triangles, np.int64).reshape(-1, 3), colours


def _obj_index(word: bytes, count: int) -> int:
    """The vertex of a corner such as 3/1/2, counted from 0; negative numbers count from the newest vertex back."""
    index = int(word.partition(b"/")[0])
    return index - 1 if index > 0 else count + index if index < 0 else -1


_OPEN3D_READS = """
import io, os, sys
out = os.dup(1)
os.dup2(2, 1)  # what the reader says of a damaged file is for nobody
import numpy as np, open3d as o3d
mesh = o3d.t.io.read_triangle_mesh(sys.argv[1])
arrays = {"vertices": mesh.vertex["positions"].numpy()} if "positions" in mesh.vertex else {}
if "colors" in mesh.vertex:
    arrays["colours"] = mesh.vertex["colors"].numpy()
if "indices" in mesh.triangle:
    arrays["triangles"] = mesh.triangle["indices"].numpy()
with open(out, "wb") as pipe:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    pipe.write(buffer.getvalue())
"""


def _read_by_open3d(
    path: Path,
) -> tuple[Float64[np.ndarray, "n 3"], Int64[np.ndarray, "m 3"], Float64[np.ndarray, "n 3"] | None]:
    """What Open3D reads, in a process of its own: some damaged PLY files end the process that reads them."""
    damaged = InputError(f"{str(path)!r} is no mesh that can be read, or is damaged")
    run = subprocess.run([sys.executable, "-c", _OPEN3D_READS, os.fspath(path)], capture_output=True, check=False)
    if run.returncode != 0 or not run.stdout:
        raise damaged
    arrays = np.load(io.BytesIO(run.stdout), allow_pickle=False)
    if "vertices" not in arrays:
        raise damaged
    vertices = arrays["vertices"].astype(np.float64)
    triangles = arrays["triangles"].astype(np.int64) if "triangles" in arrays else np.empty((0, 3), np.int64)
    if "colours" not in arrays:
        return vertices, triangles, None
    colours = arrays["colours"].astype(np.float64)[:, :3]
    # OFF's colours come as they are written, in 0..255
    return vertices, triangles, (colours / (255 if colours.max(initial=0) > 1 else 1)).clip(0, 1)


def mesh_ending(path: Path) -> str:
    """The ending of a mesh's file, in lower case, asked before the mesh is made.

    Raises:
        InputError: where no mesh is written with it.
    """
    suffix = path.suffix.lower()
    if suffix not in WRITTEN_ENDINGS:
        raise InputError(
            f"a mesh is written as {', '.join(WRITTEN_ENDINGS)}, not as {path.name!r}"
            f"{did_you_mean(suffix, WRITTEN_ENDINGS)}"
        )
    return suffix


def write_mesh(path: str | Path, mesh: Mesh) -> tuple[str, ...]:
    """Write a mesh as PLY, OBJ, GLB or STL, whole or not at all; its folder is made where needed.

    Gives what the file does not hold, in words: colours are lost in STL. Coordinates are float32, those of OBJ text.

    Raises:
        InputError: for another ending, a mesh without triangles, and a file that cannot be written.
    """
    path = Path(path)
    suffix = mesh_ending(path)
    if not len(mesh.triangles):
        raise InputError(f"there is no surface to write to {str(path)!r}")
    if suffix == ".obj":
        write_text(path, _obj(mesh))
    else:
        _write_by_open3d(path, mesh)
    return ("STL has no colours",) if suffix == ".stl" and mesh.colours is not None else ()


def _obj(mesh: Mesh) -> str:
    """An OBJ's text, vertices as "v x y z r g b", which most programs read though the format's old texts do not say."""
    rows = mesh.vertices if mesh.colours is None else np.hstack([mesh.vertices, mesh.colours])
    lines = [("v" + " %.9g" * rows.shape[1]) % tuple(row) for row in rows.tolist()]
    lines += [f"f {a} {b} {c}" for a, b, c in (mesh.triangles + 1).tolist()]
    return "\n".join(lines) + "\n"


def _write_by_open3d(path: Path, mesh: Mesh) -> None:
    import open3d as o3d

    colours = None if path.suffix.lower() == ".stl" else mesh.colours
    written = o3d.t.geometry.TriangleMesh(
        o3d.core.Tensor.from_numpy(mesh.vertices.astype(np.float32)), o3d.core.Tensor.from_numpy(mesh.triangles)
    )
    if colours is not None:
        written.vertex.colors = o3d.core.Tensor.from_numpy(colours.astype(np.float32))
    partial = path.with_name(f".{path.stem}.partial{path.suffix.lower()}")  # the ending is what Open3D goes by
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.touch()  # says why where it cannot be written, which Open3D does not
        with o3d.utility.VerbosityContextManager(o3d.utility.VerbosityLevel.Error):
            whole = o3d.t.io.write_triangle_mesh(partial, written)
        if not whole:
            raise InputError(f"cannot write {str(path)!r}: Open3D could not write it whole")
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(partial, path)
    except OSError as error:
        raise InputError(f"cannot write {str(path)!r}: {error.strerror}") from None
    finally:
        with suppress(OSError):
            partial.unlink()
