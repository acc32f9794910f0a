"""A fitted scene for other programs: its surface as a mesh, and the depth of its held-out views."""

import shlex
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
import torch
from jaxtyping import Float64

from fieldlens.analysis import crease_area_density, extract_surface, per_diagonal, relu_network
from fieldlens.configs.errors import InputError, counted
from fieldlens.configs.files import require_new, whole_folder, write_json
from fieldlens.fields import position_of
from fieldlens.render.camera import Camera, upwards
from fieldlens.render.colour import area_density_rgb
from fieldlens.render.files import write_grey16_png, write_npz
from fieldlens.render.grid import CUBE_DIAGONAL
from fieldlens.scenes.solids.mesh import Mesh
from fieldlens.scenes.solids.writing import mesh_ending, write_mesh
from fieldlens.studies.runs.folder import RunFolder
from fieldlens.studies.runs.reporter import Reporter, Silent
from fieldlens.studies.runs.saved import Saved, open_run

from ..subjects.choice import photographed, spatial
from ..subjects.creases import creased

Colours: TypeAlias = Literal["field", "density"]
"""What a mesh's vertices show: the field's colour, or the density of creases."""

COVERED = 0.5
"""Pixels that stop less of the light than this have no depth: what they see is mostly background."""

COUNTS = 2**16 - 1
"""The largest number of a 16-bit PNG."""


@dataclass(frozen=True)
class MeshExported:
    """The surface of a scene as a mesh in a file."""

    path: Path
    vertices: int
    triangles: int
    level: float | None
    """The density at the surface; None of a shape."""
    density_per_diagonal: tuple[float, float] | None
    """The ends of the scale of colours, where they are of crease density."""
    notes: tuple[str, ...]
    """What the file's format has no place for, or has otherwise."""
    step: int

    @property
    def remarks(self) -> list[str]:
        """What is worth knowing beside the result."""
        if self.density_per_diagonal is None:
            return list(self.notes)
        low, high = self.density_per_diagonal
        scale = f"{low:.3g} to {high:.3g} per diagonal of the cube"
        return [*self.notes, f"colours are crease area per volume, {scale}"]

    @property
    def lines(self) -> list[str]:
        """How much there is, and where."""
        at = "" if self.level is None else f", where the density is {self.level:.4g} per side of the cube"
        return [f"{counted(self.triangles, 'triangle')} of step {self.step}{at}  {self.path}"]


@dataclass(frozen=True)
class DepthExported:
    """The depth of held-out views in a folder."""

    path: Path
    views: int
    world_units_per_count: float
    step: int

    @property
    def lines(self) -> list[str]:
        """How much there is, and where."""
        unit = f"a count is {self.world_units_per_count:.4g} of the world's units"
        return [f"depth of {counted(self.views, 'view')} of step {self.step}, {unit}  {self.path}"]


def export_mesh(
    folder: RunFolder,
    file: Path,
    *,
    resolution: int = 128,
    level: float | None = None,
    colour: Colours = "field",
    step: int | None = None,
    reporter: Reporter | None = None,
) -> MeshExported:
    """Write the surface of a 3D scene as a mesh, in the world's coordinates.

    Of a radiance field it is where the density is `level`; by default where `HALVING` steps of a ray stop half of its
    light. Vertices have the colour that is seen when one looks straight at the surface there. Of a shape
    it is the zero level, without colours of its own.

    Args:
        file: PLY, OBJ, GLB or STL.
        resolution: cells along a side of the scene's cube.
        level: density per side of the scene's cube.
        colour: `density`: crease area per volume at the vertices, within half a cell, per diagonal of the cube, on a
            logarithmic scale between the 2nd and the 98th percentile.

    Raises:
        InputError: for another ending, a run of a picture or signal, a level or resolution that gives no surface, a
            field without creases, a file that cannot be written, or as `open_run` does.
    """
    reporter = reporter or Silent()
    if mesh_ending(file) == ".stl" and colour == "density":
        raise InputError(f"--colour density has no place in an STL; name {file.name!r} .ply, .obj or .glb")
    saved = open_run(folder, step, reporter, into=file.parent, otherwise="name another --mesh")
    subject = spatial(saved.subject, "--mesh is")
    at = subject.level(saved.field, level)
    if colour == "density" and creased(saved.field) is None:
        raise InputError("--colour density is for ReLU networks, and this run's field has no creases")
    surface = extract_surface(
        at.function, resolution, partial(reporter.working, "extracting the surface"), device=saved.device
    )
    if not len(surface.triangles):
        lower = f" of density {at.volume_density or 0:.4g}; choose a lower --level, or"
        hint = ";" if at.volume_density is None else lower
        raise InputError(
            f"the field of step {saved.step} has no surface{hint} train it further with `fieldlens fit --resume "
            f"{shlex.quote(str(folder.path))} --steps {10 * max(saved.step, 100)}`"
        )
    limits = None
    if colour == "density":
        colours, limits = _crease_colours(saved, surface, 1 / (2 * resolution))
        surface = replace(surface, colours=colours)
    elif (seen := subject.colours(saved.field, surface)) is not None:
        surface = replace(surface, colours=seen)
    vertices = subject.bounds.to_world(surface.vertices)
    x, y, z = (upwards(subject.cameras()) + 0.0).tolist()  # + 0.0: no -0.0
    notes = write_mesh(file, replace(surface, vertices=vertices, up=(x, y, z)))
    found = len(surface.vertices), len(surface.triangles), at.volume_density
    return MeshExported(file, *found, limits, tuple(notes), saved.step)


def export_depth(
    folder: RunFolder, into: Path, *, step: int | None = None, reporter: Reporter | None = None
) -> DepthExported:
    """Write the depth of a radiance field in its held-out views: a 16-bit PNG and an npz for each, and depth.json.

    A PNG's number times `world_units_per_count` of depth.json is the depth along the camera's axis in the world's
    units, 0 where there is none. An npz has `distance` (along the ray) and `depth` in the world's units, NaN where
    there is none, `opacity`, and the camera: `focal`, `centre` (pixels) and `camera_to_world` (OpenGL's axes). There is
    none where less than half of the light is stopped.

    Args:
        into: a folder that is new or empty; it appears whole or not at all.

    Raises:
        InputError: for a run that is not of photographs, a folder that is there or cannot be written, or as `open_run`
            does.
    """
    reporter = reporter or Silent()
    require_new(into)
    saved = open_run(folder, step, reporter, into=into.parent, otherwise="name another --depth")
    subject, listed = photographed(saved.subject, "--depth is"), []
    bounds, views = subject.bounds, subject.every_view
    farthest = max(float(np.linalg.norm(view.camera.position - 0.5)) for view in views) + CUBE_DIAGONAL / 2
    unit = farthest * bounds.side / COUNTS
    with whole_folder(into) as unfinished:
        for number, view in enumerate(views, 1):
            seen = view.see(saved.field, device=saved.device)
            camera = bounds.camera_to_world(view.camera)
            distance = np.where(seen.opacity >= COVERED, seen.distance * bounds.side, np.nan)
            depth = distance * _cosines(camera)
            name = f"{number:04d}"
            write_grey16_png(unfinished / f"{name}.png", np.nan_to_num(np.round(depth / unit)).astype(np.uint16))
            write_npz(
                unfinished / f"{name}.npz",
                distance=distance.astype(np.float32),
                depth=depth.astype(np.float32),
                opacity=seen.opacity,
                focal=np.array(camera.focal),
                centre=np.array(camera.centre),
                camera_to_world=camera.pose,
            )
            listed.append({"view": view.name, "png": f"{name}.png", "npz": f"{name}.npz"})
            reporter.working("drawing depth", number / len(views))
        content = {
            "world_units_per_count": unit,
            "nothing": 0,
            "depth": "along the camera's axis",
            "step": saved.step,
            "views": listed,
        }
        write_json(unfinished / "depth.json", content)
    return DepthExported(into, len(views), unit, saved.step)


def _crease_colours(
    saved: Saved, surface: Mesh, half_width: float
) -> tuple[Float64[np.ndarray, "n 3"], tuple[float, float]]:
    """Crease area per volume at vertices as colours, and the ends of their scale, per diagonal of the cube."""
    points = torch.from_numpy(surface.vertices).float().to(saved.device)
    network = relu_network(position_of(saved.field))
    density = per_diagonal(crease_area_density(network, points, half_width=half_width)).sum(0).cpu().numpy()
    low, high = (float(value) for value in np.percentile(density, (2, 98)))
    low = max(low, 1e-3)
    limits = low, max(high, 2 * low)
    return area_density_rgb(density[None], limits)[0] / 255, limits


def _cosines(camera: Camera) -> Float64[np.ndarray, "h w"]:
    """Of the angles between pixels' rays and the camera's axis."""
    along = camera.rays().directions.numpy().astype(np.float64) @ camera.forward
    return along.reshape(camera.height, camera.width)
