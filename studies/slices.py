"""A slice through the cube of a finished run's 3D scene: how dense creases are on it, and what the field has there."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import numpy as np
import torch
from jaxtyping import Float32, UInt8
from torch import Tensor

from analysis import Plane, crease_slice, per_diagonal, relu_network
from configs.errors import InputError
from configs.files import write_json
from configs.space import Slice
from fields import position_of
from render.colour import (
    area_density_legend,
    area_density_rgb,
    level_legend,
    level_rgb,
    opacity_legend,
    opacity_rgb,
)
from render.files import write_npz, write_png
from render.grid import Extent, draw
from render.lines import lines_over, zero_lines
from render.panel import Legend, Tile, panel
from scenes.posed import PosedScene
from scenes.shape import CLAMP, Shape
from scenes.signal import Signal

from .folder import RunFolder
from .posed import volume_density
from .redraw import Saved, analysis_path, open_run, refresh_report
from .reporter import Reporter, Silent

SIDE = 384
"""Pixels along the sides of a slice."""

LOGITS = 5.0
"""An occupancy is drawn up to this: 99.3 % sure."""

Values: TypeAlias = Float32[np.ndarray, "h w"]


@dataclass(frozen=True, eq=False)
class Section:
    """What the field of a 3D scene has on a plane through its cube."""

    plane: Plane
    """Its first edge is drawn to the right and its second down; each is as long as the cube's side."""
    quantity: str
    """What the values are, in a word, and `units` in full."""
    units: str
    caption: str
    legend: Legend
    function: Callable[[Tensor], Tensor]
    """Values (n, 1) at points (n, 3) of the cube."""
    picture: Callable[[Values], UInt8[np.ndarray, "h w 3"]]
    solid: Callable[[Values], Values]
    """How far there is something, 0 to 1."""

    def values(
        self,
        height: int,
        width: int,
        extent: Extent | None = None,
        *,
        device: torch.device,
        progress: Callable[[float], None] | None = None,
    ) -> Values:
        """The field's values at the centres of pixels of the plane, or of `extent` of it."""
        on_plane = draw(
            lambda x: self.function(self.plane.points(x)), height, width, extent, device=device, progress=progress
        )
        return on_plane[..., 0]


def plane_of(cut: Slice) -> Plane:
    """The plane of a slice with the cube's side along each edge, as it is drawn: the later of its axes points up.

    >>> plane_of(Slice("y", 0.25))
    Plane(origin=(0.0, 0.25, 1.0), u=(1.0, 0.0, 0.0), v=(0.0, 0.0, -1.0))
    """
    across, right, up = ("xyz".index(axis) for axis in (cut.axis, *_drawn_axes(cut)))
    corners = np.zeros((3, 3))
    origin, u, v = corners
    origin[across], origin[up], u[right], v[up] = cut.position, 1.0, 1.0, -1.0
    return Plane(*(tuple(edge.tolist()) for edge in (origin, u, v)))


def _drawn_axes(cut: Slice) -> tuple[str, str]:
    """The axes to the right and up."""
    right, up = "xyz".replace(cut.axis, "")
    return right, up


def section_of(saved: Saved, cut: Slice) -> Section:
    """A slice through the scene of a run.

    Raises:
        InputError: when it is of a picture or a signal.
    """
    plane, scene, field = plane_of(cut), saved.scene, saved.field
    if isinstance(scene, PosedScene):
        return Section(
            plane,
            quantity="density",
            units="density per side of the scene's cube, none where a ray finds its grid empty",
            caption="light that a step of a ray stops",
            legend=opacity_legend,
            function=lambda x: volume_density(field, x)[:, None],
            picture=lambda volume: opacity_rgb(_stopped(volume, scene.step_length)),
            solid=partial(_stopped, step_length=scene.step_length),
        )
    if isinstance(scene, Shape):
        distance = scene.kind == "sdf"
        reach = CLAMP if distance else LOGITS
        units = "signed distance in sides of the scene's cube" if distance else "logit of being outside"
        return Section(
            plane,
            quantity="level",
            units=f"{units}, negative inside",
            caption=f"{'signed distance' if distance else 'logit of being outside'}; white: the surface",
            legend=partial(level_legend, reach=reach, unit="sides" if distance else "logit"),
            function=scene.level(field),
            picture=lambda level: lines_over(level_rgb(level, reach), zero_lines(level), opacity=1.0),
            solid=lambda level: (level < 0).astype(np.float32),
        )
    kind = "signal" if isinstance(scene, Signal) else "picture"
    raise InputError(f"--slice is for 3D scenes, and this run is of a {kind}; leave it out")


def draw_slice(
    folder: RunFolder, cut: Slice, *, step: int | None = None, reporter: Reporter | None = None
) -> dict[str, Any]:
    """Measure how dense creases are on a slice through a run's 3D scene, and draw it beside what the field has there.

    Creases are those of the network of the position. Writes `slice.png`, `slice.npz` (by layer) and `slice.json` to
    the run's `analysis/`, or to `analysis/step<N>/` for a step that is not the newest.

    Returns:
        `path` of the drawing, `report` (None before the run's first end), a `summary` in words, and what slice.json
        says.

    Raises:
        InputError: for a run of a picture or signal, a field without creases or that has diverged, or as `open_run`
            does.
    """
    reporter = reporter or Silent()
    saved = open_run(folder, step, reporter)
    section = section_of(saved, cut)
    progress = partial(reporter.working, "measuring creases on the slice")
    density = per_diagonal(
        torch.from_numpy(
            crease_slice(relu_network(position_of(saved.field)), section.plane, SIDE, SIDE, progress=progress)
        )
    ).numpy()
    values = section.values(SIDE, SIDE, device=saved.device)
    solid = section.solid(values)
    path = analysis_path(folder, saved.step)
    right, up = _drawn_axes(cut)
    tiles = [
        Tile(area_density_rgb(density.sum(0)), "crease area per volume", area_density_legend),
        Tile(section.picture(values), section.caption, section.legend),
    ]
    write_png(path / "slice.png", panel(tiles, f"{cut}, step {saved.step}   {right} to the right, {up} up"))
    write_npz(
        path / "slice.npz",
        area_density=density,
        **{section.quantity: values},
        origin=np.array(section.plane.origin),
        u=np.array(section.plane.u),
        v=np.array(section.plane.v),
        units=np.array(
            "crease area per volume (layers, rows, columns), per diagonal of the scene's cube, at points origin + "
            f"(column + 0.5) / {SIDE} u + (row + 0.5) / {SIDE} v of the cube; {section.quantity}: {section.units}"
        ),
    )
    summary = {"step": saved.step, "slice": str(cut)} | _means(density, solid)
    write_json(path / "slice.json", summary)
    report = refresh_report(folder, saved.step)
    return {"path": str(path / "slice.png"), "report": report, "summary": _sentence(summary), **summary}


def _means(density: Float32[np.ndarray, "layers h w"], solid: Values) -> dict[str, Any]:
    """Mean density over the slice, and where the field is solid, weighted by how far it is."""
    by_layer = density.mean((1, 2), dtype=np.float64)
    share = float(solid.mean(dtype=np.float64))
    inside = float(np.average(density.sum(0), weights=solid)) if share > 0 else None
    return {
        "area_per_volume": float(by_layer.sum()),
        "area_per_volume_by_layer": by_layer.tolist(),
        "area_per_volume_solid": inside,
        "solid_share": share,
        "units": (
            "crease area per volume, per diagonal of the scene's cube; solid: inside a shape, or weighted by the light "
            "that a step of a ray stops"
        ),
    }


def _sentence(found: dict[str, Any]) -> str:
    inside = found["area_per_volume_solid"]
    where = "" if inside is None else f", {inside:,.0f} where the field is solid"
    return (
        f"on {found['slice']} the creases' area per volume is {found['area_per_volume']:,.0f} per diagonal of the "
        f"cube{where}, step {found['step']}"
    )


def _stopped(volume_density: Values, step_length: float) -> Values:
    """The share of the light that a step through a volume of that density stops."""
    return -np.expm1(-volume_density * np.float32(step_length))
