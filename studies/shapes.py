"""Shapes: a field's surface beside the mesh, how far apart they are, and the creases on it."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from jaxtyping import Float, Float32, UInt8

from analysis import COAREA, ReluNetwork, SeenView, explain_views, footprint_density, length_per_area
from analysis.creases.surface import compare_surfaces, extract_surface, iou
from configs.files import write_json
from fields import Field
from render.camera import Camera
from render.colour import density_rgb
from render.files import write_png
from scenes.shape import Seen, Shape, ShapeView

from .explaining import creased, primary_statistic, write_missing
from .pixels import PixelLook
from .spectra import picture_spectra
from .views import write_views

CELLS = 96
"""Along a side of the cube, in which the field's surface is extracted to be compared with the mesh."""
TRACING = 0.8
"""Of the time that an explanation takes goes to drawing views, about; the rest to comparing surfaces."""
COMPARED = 50_000
"""Points on either surface that are compared, and points of the cube that are inside or not."""

Image: TypeAlias = UInt8[np.ndarray, "_ _ 3"]
Values: TypeAlias = Float[np.ndarray, "_ _ _"]


class ShapeLook(PixelLook[ShapeView]):
    """The mesh, the field's surface shaded alike, its error and its crease density, from one side."""

    psnr_of = "of the shaded view"
    energy_of = "of the shaded view"

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        super().__init__(shape.views()[0], "mesh", "surface of the field")

    def density(self, field: Field) -> Image | None:
        """Crossings per pixel on the field's surface; 0 beside it."""
        network = creased(field)
        if network is None:
            return None
        seen = self.view.field_seen(field, device=field.device)
        return density_rgb(surface_crossings(network, self.view.camera, seen).sum(0))

    def explain(
        self,
        path: Path,
        field: Field,
        drawn: Sequence[Values],
        *,
        seed: int,
        progress: Callable[[float], None],
    ) -> dict[str, Any]:
        """Creases on the surface, bands of the shaded views, the verdict, and how far the surface is from the mesh."""
        views, network = self.shape.views(), creased(field)
        seen: list[SeenView] = []
        maps: list[Float32[np.ndarray, "layers h w"]] = []
        for number, view in enumerate(views):
            surface, length = view.field_seen(field, device=field.device), None
            if network is not None:
                maps.append(surface_crossings(network, view.camera, surface))
                length = length_per_area(maps[-1])
            seen.append(SeenView(view.target(), surface.colour, {COAREA: length}, surface.met.astype(np.float32)))
            progress(TRACING * (number + 1) / len(views))
        explanation = explain_views(seen, seed=seed)
        shown = max(sum(float(view.opacity.sum()) for view in seen), 1.0)
        by_layer = np.sum([crossings.sum((1, 2)) for crossings in maps], axis=0) / shown if maps else None
        write_missing(path, explanation, self.view, self.view.target(), drawn[0])
        write_json(path / "spectra.json", picture_spectra(self.view.target(), drawn[0]))
        write_views(
            path,
            views,
            [one.reconstruction for one in seen],
            kind="views",
            compared="mesh, surface of the field, error",
        )
        for crossings in maps[:1]:
            write_png(path / "density.png", density_rgb(crossings.sum(0)))
        agreement = self._agreement(field, seed, lambda share: progress(TRACING + (1 - TRACING) * share))
        creases_found = (
            None
            if by_layer is None
            else {
                "crossings_per_pixel": float(by_layer.sum()),
                "crossings_per_pixel_by_layer": by_layer.tolist(),
                "units": "crossings per pixel of the views' pictures, on the surface of the field",
            }
        )
        write_json(
            path / "explain.json",
            explanation.to_json() | {"capacity": None, "creases": creases_found, "surface": agreement},
        )
        return {
            "crossings_per_pixel": None if by_layer is None else float(by_layer.sum()),
            "dead_neurons": None,
            "explained_band": explanation.band,
            "primary_statistic": primary_statistic(explanation),
            "verdict": [*_agreement_sentences(agreement), *explanation.verdict.sentences],
            "capacity": None,
            **agreement,
        }

    def _agreement(self, field: Field, seed: int, progress: Callable[[float], None]) -> dict[str, float | None]:
        """IoU, Chamfer distance (share of the diagonal) and normal consistency; None where there is no surface."""
        level = self.shape.level(field)
        overlap = iou(level, self.shape.unit_mesh, COMPARED, seed, device=field.device)
        surface = extract_surface(level, CELLS, progress, device=field.device)
        if not len(surface.triangles):
            return {"iou": overlap, "chamfer": None, "normal_consistency": None}
        found = compare_surfaces(surface, self.shape.unit_mesh, COMPARED, seed)
        return {"iou": overlap, "chamfer": found.chamfer, "normal_consistency": found.normal_consistency}


def surface_crossings(network: ReluNetwork, camera: Camera, seen: Seen) -> Float32[np.ndarray, "layers h w"]:
    """Creases per pixel on a surface as a camera in the unit cube's coordinates sees it, by layer; 0 beside it."""
    rays, met = camera.rays(), torch.from_numpy(seen.met.ravel())
    distance = torch.from_numpy(seen.distance(camera).ravel())[met, None]
    points = rays.origins[met] + distance * rays.directions[met]
    footprint = camera.footprint(points, torch.from_numpy(seen.normals[seen.met]))
    found = footprint_density(network, points, footprint.across, footprint.down)
    crossings = np.zeros((len(found), *seen.met.shape), np.float32)
    crossings[:, seen.met] = found.cpu().numpy()
    return crossings


def _agreement_sentences(agreement: dict[str, float | None]) -> list[str]:
    if agreement["chamfer"] is None:
        return ["The field has no surface in the cube: more steps, or another learning rate, may give it one."]
    return [
        f"Field and mesh share {agreement['iou']:.3f} of the volume that either fills (IoU); their surfaces are "
        f"{100 * agreement['chamfer']:.2g} % of the diagonal apart (Chamfer), and their normals agree to "
        f"{agreement['normal_consistency']:.3f} (1: all)."
    ]
