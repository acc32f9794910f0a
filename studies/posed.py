"""Photographed scenes: how a radiance field is scored on rays and whole views, and how it is shown and explained."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from jaxtyping import Float, UInt8

from analysis import (
    MIN_WINDOW_PX,
    Explanation,
    ScreenDensity,
    SeenView,
    collapse,
    crease_area_density,
    explain_views,
    neuron_states,
    per_diagonal,
    psnr_db,
    relu_network,
    screen_density,
    ssim,
)
from configs.files import write_json
from fields import RadianceField
from fitting import Placement
from render.camera import Camera
from render.colour import density_rgb, distance_rgb
from render.files import write_npz, write_png
from render.panel import Tile
from render.volume import in_occupied
from scenes.posed import PosedScene, RayBatch
from scenes.posed_view import PosedView

from .explaining import blocks, creased, primary_statistic, write_missing
from .observe import Finished, Observation, Scores, band_scores
from .pixels import PixelLook
from .spectra import picture_spectra
from .views import write_views

FOLLOWED_RAYS = 1024
"""Training pixels, and as many held-out ones, of which a frame in progress says the PSNR."""
SCORED_RAYS = 16_384
"""Training pixels of which the end of a fit says the PSNR; held-out views are scored whole."""

MAP_PIXELS = 25_000
"""Pixels of all views together, about, in which crease density is measured at the end."""
MOST_STRIDE = 4
"""Between them: so a window of the explanation has 16 at least."""
SHOWN_PIXELS = 40_000
"""And of the view that is shown, for its map."""
FRAME_MAP_PIXELS = 2500
"""And in a frame in progress."""

OCCUPIED_POINTS = 65_536
"""Points of the occupied cells at which neurons and crease area are looked at."""

Image: TypeAlias = UInt8[np.ndarray, "_ _ 3"]
Values: TypeAlias = Float[np.ndarray, "_ _ _"]


class PosedObserver:
    """Draws the first held-out view, and scores rays spread over all photographs."""

    def __init__(self, scene: PosedScene, placement: Placement) -> None:
        self.scene, self.placement = scene, placement
        self.view = scene.views()[0]
        self.target = self.view.target(*self.view.preview)
        self._training = scene.training_probe(FOLLOWED_RAYS)
        self._heldout = scene.heldout_probe(FOLLOWED_RAYS)
        kind = "training and held-out" if self._heldout else "training"
        self.notes = [
            f"curves are of parts of the photographs: dB of {FOLLOWED_RAYS:,} {kind} pixels, bands of the view "
            f"{self.view.name}, which is the one in the frames"
        ]

    def observe(self, field: RadianceField) -> Observation:
        """The view that frames show, and scores of rays, in the precision that the field is trained in."""
        function = field.in_precision(self.placement.hidden_dtype)
        seen = self.view.see(function, *self.view.preview, device=self.placement.device)
        scores = Scores(
            self.psnr_db(field, self._training),
            None if self._heldout is None else self.psnr_db(field, self._heldout),
            *band_scores(self.target, seen.colour),
        )
        return Observation(seen.colour, scores, seen.distance)

    def finish(self, field: RadianceField, progress: Callable[[float], None]) -> Finished:
        """All views whole, in fp32; of the held-out PSNR and SSIM the means over views."""
        views = self.scene.views()
        drawn: list[Values] = []
        psnrs, ssims = [], []
        for number, view in enumerate(views):
            drawn.append(view.draw(field, device=self.placement.device))
            psnrs.append(psnr_db(view.target(), drawn[-1]))
            ssims.append(ssim(view.target(), drawn[-1]))
            progress((number + 1) / (len(views) + 1))
        training = self.psnr_db(field, self.scene.training_probe(SCORED_RAYS), torch.float32)
        progress(1.0)
        scores = Scores(
            training, float(np.mean(psnrs)) if self._heldout else None, *band_scores(self.view.target(), drawn[0])
        )
        similarities = [value for value in ssims if value is not None]
        similarity = float(np.mean(similarities)) if len(similarities) == len(views) else None
        return Finished(drawn, scores, similarity)

    @torch.inference_mode()
    def psnr_db(self, field: RadianceField, probe: RayBatch, precision: torch.dtype | None = None) -> float:
        """Of a field over rays, in the precision that it is trained in or another."""
        function = field.in_precision(precision or self.placement.hidden_dtype)
        drawn = [
            self.scene.predict(function, part.to(self.placement.device)).float().cpu()
            for part in probe.split(FOLLOWED_RAYS)
        ]
        return psnr_db(probe.values.numpy()[None], torch.cat(drawn).numpy()[None])


class PosedLook(PixelLook[PosedView]):
    """A held-out view beside what the field shows there, its error, its distance and the density of creases."""

    psnr_of = f"of {FOLLOWED_RAYS:,} pixels"
    energy_of = "of the view shown"

    def __init__(self, scene: PosedScene) -> None:
        self.scene = scene
        view = scene.views()[0]
        super().__init__(view, view.name)
        # the cube as the camera sees it: what distances are drawn on, whatever is in it
        middle = float(np.linalg.norm(self.view.camera.position - 0.5))
        self._range = max(0.0, middle - math.sqrt(3) / 2), middle + math.sqrt(3) / 2

    def density(self, field: RadianceField) -> Image | None:
        """Crossings per pixel of the view's picture, on the surfaces that it shows."""
        if creased(field) is None:
            return None
        camera = self.view.camera.resized(*self.view.preview)
        return crease_picture(field, camera, self.scene.step_length, FRAME_MAP_PIXELS)

    def further_tiles(self, observation: Observation) -> Sequence[Tile]:
        """The distance of what is seen."""
        assert observation.distance is not None  # a PosedObserver's have one
        return [Tile(distance_rgb(observation.distance, *self._range), "distance (dark: far)")]

    def explain(
        self,
        path: Path,
        field: RadianceField,
        drawn: Sequence[Values],
        *,
        seed: int,
        progress: Callable[[float], None],
    ) -> dict[str, Any]:
        """Crease maps and a sheet of all views, bands and the verdict, with views as the blocks that are resampled."""
        views = self.scene.views()
        # one for all: ranks set windows of different views against each other
        stride = min(MOST_STRIDE, _stride(sum(view.height * view.width for view in views), MAP_PIXELS))
        seen: list[SeenView] = []
        maps: list[ScreenDensity] = []
        for number, (view, colour) in enumerate(zip(views, drawn, strict=True)):
            if creased(field) is None:
                length, opacity = None, view.see(field, device=field.device).opacity
            else:
                maps.append(screen_density(field, view.camera, self.scene.step_length, stride=stride))
                length, opacity = maps[-1].crossings_per_pixel.sum(0) * np.float32(math.pi / 2), maps[-1].opacity
            seen.append(SeenView(view.target(), colour, {"coarea": length}, opacity))
            progress((number + 1) / len(views))
        explanation, collapsed = explain_views(seen, seed=seed), collapse(seen)
        creases = self._creases(field, maps) if maps else None
        self._write(path, explanation, self.view.target(), drawn[0])
        if maps:
            self._write_density(path, field)
        kind = "held-out views" if self.scene.capture.heldout else "training views, as none is held out"
        write_views(path, views, drawn, kind=kind, compared="photograph, reconstruction, error")
        write_json(path / "explain.json", explanation.to_json() | {"capacity": None, "creases": creases})
        return {
            "crossings_per_pixel": None if creases is None else creases["crossings_per_pixel"],
            "dead_neurons": None if creases is None else sum(creases["dead_neurons_by_layer"]),
            "explained_band": explanation.band,
            "primary_statistic": primary_statistic(explanation),
            "verdict": [*([collapsed] if collapsed else []), *explanation.verdict.sentences],
            "collapsed": collapsed is not None,
            "capacity": None,
        }

    def _creases(self, field: RadianceField, maps: Sequence[ScreenDensity]) -> dict[str, Any]:
        """What was measured of creases: in the pictures, and of neurons at points of the occupied cells."""
        points = _occupied_points(field, OCCUPIED_POINTS)
        states = neuron_states(relu_network(field.position), points)
        area = per_diagonal(crease_area_density(relu_network(field.position), points)).mean(1)
        shown = max(sum(float(density.opacity.sum()) for density in maps), 1.0)
        by_layer = np.sum([density.crossings_per_pixel.sum((1, 2)) for density in maps], axis=0) / shown
        return {
            "crossings_per_pixel": float(by_layer.sum()),
            "crossings_per_pixel_by_layer": by_layer.tolist(),
            "area_per_volume_by_layer": area.tolist(),
            "dead_neurons_by_layer": states.dead.tolist(),
            "always_on_neurons_by_layer": states.always_on.tolist(),
            "live_neurons_by_layer": states.live.tolist(),
            "units": (
                "crossings per pixel of the views' pictures, where they show the scene; crease area per volume, over "
                "the occupied cells, per diagonal of the scene's cube; neurons there of the network of positions"
            ),
        }

    def _write(self, path: Path, explanation: Explanation, target: Values, drawn: Values) -> None:
        """What is missing of the first view, as arrays and pictures, and its spectra."""
        write_missing(path, explanation, self.view, target, drawn)
        write_json(path / "spectra.json", picture_spectra(target, drawn))

    def _write_density(self, path: Path, field: RadianceField) -> None:
        """The creases of the first view, as an array and a picture."""
        stride = _stride(self.view.height * self.view.width, SHOWN_PIXELS)
        density = screen_density(field, self.view.camera, self.scene.step_length, stride=stride)
        write_png(path / "density.png", _density_rgb(density, *self.view.preview))
        write_npz(
            path / "density.npz",
            crossings=density.crossings_per_pixel,
            opacity=density.opacity,
            stride=np.array(stride),
            units=np.array(
                "crossings per pixel of the view's picture, mean over directions (layers, rows, columns); one row or "
                "column for every stride-th pixel"
            ),
        )


def crease_picture(field: RadianceField, camera: Camera, step_length: float, most: int | None = None) -> Image:
    """The crossings per pixel that a camera in the unit cube's coordinates sees, as a picture of its size.

    Args:
        step_length: between samples of a ray, in sides of the cube.
        most: about so many of its pixels are looked at; all unless told.
    """
    stride = 1 if most is None else _stride(camera.height * camera.width, most)
    return _density_rgb(screen_density(field, camera, step_length, stride=stride), camera.height, camera.width)


def volume_density(field: RadianceField, x: Float[torch.Tensor, "n 3"]) -> Float[torch.Tensor, " n"]:
    """The density per side of the cube as rays meet it: none in empty cells."""
    return torch.where(in_occupied(field.occupied, x), field.density(x), 0.0)


def _stride(pixels: int, most: int) -> int:
    """Between the pixels to look at, so that there are about so many; at most a window's side, so that each has one."""
    return min(MIN_WINDOW_PX, math.ceil(math.sqrt(pixels / most)))


def _density_rgb(seen: ScreenDensity, height: int, width: int) -> Image:
    """The map as a picture of that size."""
    return blocks(density_rgb(seen.crossings_per_pixel.sum(0)), height, width)


def _occupied_points(field: RadianceField, count: int) -> Float[torch.Tensor, "n 3"]:
    """Points evenly spread over the occupied cells, in a fixed order."""
    cells = field.occupied.nonzero()
    if not len(cells):  # nothing is left: anywhere is as good
        cells = torch.zeros(1, 3, dtype=torch.long, device=cells.device)
    chosen = cells[torch.linspace(0, len(cells) - 1, count, device=cells.device).long()]
    inside = torch.rand(count, 3, generator=torch.Generator().manual_seed(0)).to(cells.device)
    return (chosen + inside) / field.occupancy.resolution
