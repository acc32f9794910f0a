"""A slice through the cube of a finished run's 3D scene: how dense creases are on it, and what the field has there."""

from functools import partial

import numpy as np
import torch
from jaxtyping import Float32

from fieldlens.analysis import crease_slice, per_diagonal, relu_network
from fieldlens.configs.files import write_json
from fieldlens.configs.records import to_json
from fieldlens.configs.space import Slice
from fieldlens.fields import position_of
from fieldlens.render.colour import area_density_legend, area_density_rgb
from fieldlens.render.files import write_npz, write_png
from fieldlens.render.panel import Tile, panel
from fieldlens.studies.runs.answers import Drawn, SliceFound
from fieldlens.studies.runs.folder import RunFolder
from fieldlens.studies.runs.reporter import Reporter, Silent
from fieldlens.studies.runs.saved import analysis_path, open_run, refresh_report

from ..subjects.choice import spatial
from ..subjects.subject import drawn_axes

SIDE = 384
"""Pixels along the sides of a slice."""


def draw_slice(
    folder: RunFolder, slice: Slice, *, step: int | None = None, reporter: Reporter | None = None
) -> Drawn[SliceFound]:
    """Measure how dense creases are on a slice through a run's 3D scene, and draw it beside what the field has there.

    Creases are those of the network of the position. Writes `slice.png`, `slice.npz` (by layer) and `slice.json` to
    the run's `analysis/`, or to `analysis/step<N>/` for a step that is not the newest.

    Raises:
        InputError: for a run of a picture or signal, a field without creases or that has diverged, or as `open_run`
            does.
    """
    reporter = reporter or Silent()
    saved = open_run(folder, step, reporter, into=folder.analysis)
    section = spatial(saved.subject, "--slice is").section(saved.field, slice)
    progress = partial(reporter.working, "measuring creases on the slice")
    density = per_diagonal(
        torch.from_numpy(
            crease_slice(relu_network(position_of(saved.field)), section.plane, SIDE, SIDE, progress=progress)
        )
    ).numpy()
    values = section.values(SIDE, SIDE, device=saved.device)
    solid = section.solid(values)
    path = analysis_path(folder, saved.step)
    right, up = drawn_axes(slice)
    tiles = [
        Tile(area_density_rgb(density.sum(0)), "crease area per volume", area_density_legend),
        Tile(section.picture(values), section.caption, section.legend),
    ]
    write_png(path / "slice.png", panel(tiles, f"{slice}, step {saved.step}   {right} to the right, {up} up"))
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
    found = _means(density, solid, saved.step, slice)
    write_json(path / "slice.json", to_json(found))
    return Drawn(path / "slice.png", refresh_report(folder, saved.step, reporter), found)


def _means(
    density: Float32[np.ndarray, "layers h w"], solid: Float32[np.ndarray, "h w"], step: int, cut: Slice
) -> SliceFound:
    """Mean density over the slice, and where the field is solid, weighted by how far it is."""
    by_layer = density.mean((1, 2), dtype=np.float64)
    share = float(solid.mean(dtype=np.float64))
    inside = float(np.average(density.sum(0), weights=solid)) if share > 0 else None
    return SliceFound(step, str(cut), float(by_layer.sum()), by_layer.tolist(), inside, share)
