"""A fitted scene for other programs: its surface as a mesh, and the depth of its held-out views."""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor

from analysis import crease_area_density, extract_surface, per_diagonal, relu_network
from configs.errors import InputError
from configs.files import require_new, whole_folder, write_json
from fields import RadianceField, position_of
from render.camera import Camera
from render.colour import area_density_rgb
from render.files import write_grey16_png, write_npz
from scenes.posed import PosedScene
from scenes.posed_view import CHUNK
from scenes.shape import Shape
from scenes.solids.mesh import Mesh, mesh_ending, write_mesh

from .explaining import creased
from .folder import RunFolder
from .posed import volume_density
from .redraw import Saved, open_run
from .reporter import Reporter, Silent

Colours: TypeAlias = Literal["field", "density"]
"""What a mesh's vertices show: the field's colour, or the density of creases."""

HALVING = 4
"""Steps of a ray in which a density of the default level stops half of the light. At higher levels more of the inside
of solids is hollow and thin wires break, at lower ones wires are thick; docs/benchmarks.md, "export", has distances."""

COVERED = 0.5
"""Pixels that stop less of the light than this have no depth: what they see is mostly background."""

COUNTS = 2**16 - 1
"""The largest number of a 16-bit PNG."""

EMPTIEST = 1e-3
"""Densities below this share of the level, and those of empty cells, are taken for it: logarithms end there."""


def export_mesh(
    folder: RunFolder,
    file: Path,
    *,
    resolution: int = 128,
    level: float | None = None,
    colour: Colours = "field",
    step: int | None = None,
    reporter: Reporter | None = None,
) -> dict[str, Any]:
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

    Returns:
        `path`, `vertices`, `triangles`, `level` (None for a shape), `density_per_diagonal` (the ends of the colour
        scale, or None), `notes` and `step`.

    Raises:
        InputError: for another ending, a run of a picture or signal, a level or resolution that gives no surface, a
            field without creases, a file that cannot be written, or as `open_run` does.
    """
    reporter = reporter or Silent()
    mesh_ending(file)
    saved = open_run(folder, step, reporter)
    scene = saved.scene
    if isinstance(scene, PosedScene):
        level = math.log(2) / (HALVING * scene.step_length) if level is None else level
        if not (math.isfinite(level) and level > 0):
            raise InputError(f"--level is a density per side of the scene's cube, above 0, and got {level:g}")
        function, bounds = outside_of(saved.field, level), scene.capture.bounds
    elif isinstance(scene, Shape):
        if level is not None:
            raise InputError("--level is for radiance fields; the surface of a shape is where it is zero")
        function, bounds = scene.level(saved.field), scene.bounds
    else:
        raise InputError("a mesh is exported of a 3D scene, and this run is of a picture or a signal")
    if colour == "density" and creased(saved.field) is None:
        raise InputError("--colour density is for ReLU networks, and this run's field has no creases")
    surface = extract_surface(
        function, resolution, lambda done: reporter.working("extracting the surface", done), device=saved.device
    )
    if not len(surface.triangles):
        hint = "" if level is None else f" of density {level:.4g}; choose another --level"
        raise InputError(f"the field of step {saved.step} has no surface{hint}")
    limits = None
    if colour == "density":
        colours, limits = _crease_colours(saved, surface, 1 / (2 * resolution))
        surface = replace(surface, colours=colours)
    elif isinstance(scene, PosedScene):
        surface = replace(surface, colours=_seen_colours(saved.field, surface, saved.device))
    notes = write_mesh(file, replace(surface, vertices=bounds.to_world(surface.vertices)))
    return {
        "path": str(file),
        "vertices": len(surface.vertices),
        "triangles": len(surface.triangles),
        "level": level,
        "density_per_diagonal": limits,
        "notes": list(notes),
        "step": saved.step,
    }


def export_depth(
    folder: RunFolder, into: Path, *, step: int | None = None, reporter: Reporter | None = None
) -> dict[str, Any]:
    """Write the depth of a radiance field in its held-out views: a 16-bit PNG and an npz for each, and depth.json.

    A PNG's number times `world_units_per_count` of depth.json is the depth along the camera's axis in the world's
    units, 0 where there is none. An npz has `distance` (along the ray) and `depth` in the world's units, NaN where
    there is none, `opacity`, and the camera: `focal`, `centre` (pixels) and `camera_to_world` (OpenGL's axes). There is
    none where less than half of the light is stopped.

    Args:
        into: a folder that is new or empty; it appears whole or not at all.

    Returns:
        `path`, `views`, `world_units_per_count` and `step`.

    Raises:
        InputError: for a run that is not of photographs, a folder that is there or cannot be written, or as `open_run`
            does.
    """
    reporter = reporter or Silent()
    require_new(into)
    saved = open_run(folder, step, reporter)
    if not isinstance(saved.scene, PosedScene):
        raise InputError("depth is exported of a radiance field, and this run is of something else")
    bounds, views, listed = saved.scene.capture.bounds, saved.scene.every_view, []
    farthest = max(float(np.linalg.norm(view.camera.position - 0.5)) for view in views) + math.sqrt(3) / 2
    unit = farthest * bounds.side / COUNTS
    with whole_folder(into) as partial:
        for number, view in enumerate(views, 1):
            seen = view.see(saved.field, device=saved.device)
            camera = bounds.camera_to_world(view.camera)
            distance = np.where(seen.opacity >= COVERED, seen.distance * bounds.side, np.nan)
            depth = distance * _cosines(camera)
            name = f"{number:04d}"
            write_grey16_png(partial / f"{name}.png", np.nan_to_num(np.round(depth / unit)).astype(np.uint16))
            write_npz(
                partial / f"{name}.npz",
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
        write_json(partial / "depth.json", content)
    return {"path": str(into), "views": len(views), "world_units_per_count": unit, "step": saved.step}


def outside_of(field: RadianceField, level: float) -> Callable[[Tensor], Tensor]:
    """Below 0 where the density, as rays meet it, is above the level.

    The logarithm of the density is nearer to a line between two corners of a grid than the density is.
    """

    def function(x: Float[Tensor, "n 3"]) -> Float[Tensor, "n 1"]:
        return -(volume_density(field, x) / level).clamp(min=EMPTIEST).log()[:, None]

    return function


@torch.inference_mode()
def _seen_colours(field: RadianceField, surface: Mesh, device: torch.device) -> Float64[np.ndarray, "n 3"]:
    """The colours of vertices, each looked at against its normal."""
    points = torch.from_numpy(surface.vertices).float().split(CHUNK)
    inwards = torch.from_numpy(-surface.vertex_normals).float().split(CHUNK)
    colours = [field.radiance(x.to(device), d.to(device))[0].cpu() for x, d in zip(points, inwards, strict=True)]
    return torch.cat(colours).double().numpy().clip(0, 1)


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
