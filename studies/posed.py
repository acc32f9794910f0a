"""Photographed scenes: how a radiance field is scored on rays and whole views, and how it is shown and explained."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from jaxtyping import Float, UInt8

from analysis import psnr_db, ssim
from fields import Field
from fitting import Placement
from render.colour import distance_rgb, error_rgb, to_rgb
from render.panel import Tile, panel
from scenes.posed import PosedScene, PosedView
from scenes.scene import Batch

from .metrics import Row
from .observe import Finished, Observation, Scores, band_scores

FOLLOWED_RAYS = 4096
"""Training pixels, and as many held-out ones, of which a frame in progress says the PSNR."""
SCORED_RAYS = 65_536
"""Training pixels of which the end of a fit says the PSNR; held-out views are scored whole."""

Image: TypeAlias = UInt8[np.ndarray, "_ _ 3"]
Values: TypeAlias = Float[np.ndarray, "_ _ _"]


class PosedObserver:
    """Draws the first held-out view, and scores rays spread over all photographs."""

    def __init__(self, scene: PosedScene, placement: Placement) -> None:
        self.scene, self.placement = scene, placement
        self.view = scene.views()[0]
        self.target = self.view.target(*self.view.preview)
        self._training = scene.probe(FOLLOWED_RAYS, heldout=False)
        self._heldout = scene.probe(FOLLOWED_RAYS, heldout=True)
        kind = "training and held-out" if self._heldout else "training"
        self.notes = [
            f"curves are of parts of the photographs: dB of {FOLLOWED_RAYS:,} {kind} pixels, bands of the view "
            f"{self.view.name}, which is the one in the frames"
        ]

    def observe(self, field: Field) -> Observation:
        """The view that frames show, and scores of rays, in the precision that the field is trained in."""
        seen = self.view.see(self._function(field), *self.view.preview, device=self.placement.device)
        scores = Scores(
            self._psnr_db(field, self._training),
            None if self._heldout is None else self._psnr_db(field, self._heldout),
            *band_scores(self.target, seen.colour),
        )
        return Observation(seen.colour, scores, seen.distance)

    def finish(self, field: Field, progress: Callable[[float], None]) -> Finished:
        """All views whole, in fp32; of the held-out PSNR and SSIM the means over views."""
        views = self.scene.views()
        first, psnrs, ssims = None, [], []
        for number, view in enumerate(views):
            drawn, target = view.draw(field, device=self.placement.device), view.target()
            first = drawn if first is None else first
            psnrs.append(psnr_db(target, drawn))
            ssims.append(ssim(target, drawn))
            progress((number + 1) / (len(views) + 1))
        assert first is not None  # a scene has at least one view
        training = self._psnr_db(field, self.scene.probe(SCORED_RAYS, heldout=False), torch.float32)
        progress(1.0)
        scores = Scores(
            training, float(np.mean(psnrs)) if self._heldout else None, *band_scores(self.view.target(), first)
        )
        similarities = [value for value in ssims if value is not None]
        similarity = float(np.mean(similarities)) if len(similarities) == len(views) else None
        return Finished(first, scores, similarity)

    @torch.inference_mode()
    def _psnr_db(self, field: Field, probe: Batch | None, precision: torch.dtype | None = None) -> float:
        assert probe is not None
        function = field.in_precision(precision or self.placement.hidden_dtype)
        parts = zip(probe.coordinates.split(FOLLOWED_RAYS), probe.values.split(FOLLOWED_RAYS), strict=True)
        drawn = [
            self.scene.predict(function, Batch(rays, values).to(self.placement.device)).float().cpu()
            for rays, values in parts
        ]
        return psnr_db(probe.values.numpy()[None], torch.cat(drawn).numpy()[None])

    def _function(self, field: Field) -> Any:
        return field.in_precision(self.placement.hidden_dtype)


class PosedLook:
    """A held-out view beside what the field shows there, its error, its distance and the density of creases."""

    frequencies: Sequence[int] = ()
    psnr_of = f"of {FOLLOWED_RAYS:,} pixels"
    energy_of = "of the view shown"

    def __init__(self, scene: PosedScene) -> None:
        self.scene = scene
        self.view: PosedView = scene.views()[0]
        # the cube as the camera sees it: what distances are drawn on, whatever is in it
        middle = float(np.linalg.norm(self.view.camera.position - 0.5))
        self._range = max(0.0, middle - math.sqrt(3) / 2), middle + math.sqrt(3) / 2

    def recovered(self, drawn: Values) -> tuple[Sequence[float], Sequence[float]]:  # noqa: ARG002 (a scene has none)
        """None: a scene follows octave bands of a view."""
        return (), ()

    def target(self) -> Image:
        """The photograph of the first view."""
        return to_rgb(self.view.target())

    def target_tile(self) -> Tile:
        """The photograph as frames in progress show it."""
        return Tile(to_rgb(self.view.target(*self.view.preview)), self.view.name)

    def reconstruction(self, field: Field, drawn: Values) -> Image:  # noqa: ARG002 (a map shows its creases)
        """The drawing itself."""
        return to_rgb(drawn)

    def density(self, field: Field) -> Image | None:
        """Crossings per pixel of the view's picture, on the surfaces that it shows."""
        return None

    def frame(
        self,
        field: Field,
        observation: Observation,
        title: str,
        density: tuple[int, Image] | None,
        rows: Sequence[Row],  # noqa: ARG002 (the report has a scene's curves)
    ) -> Image:
        """Photograph, reconstruction, error, distance and, with the step it was drawn at, crease density."""
        assert observation.distance is not None  # a PosedObserver's have one
        tiles = [
            self.target_tile(),
            Tile(self.reconstruction(field, observation.reconstruction), "reconstruction"),
            Tile(error_rgb(self.view.target(*self.view.preview), observation.reconstruction), "error"),
            Tile(distance_rgb(observation.distance, *self._range), "distance (dark: far)"),
        ]
        if density is not None:
            step, picture = density
            tiles.append(Tile(picture, f"crease density, step {step}", legend=True))
        return panel(tiles, title, columns=len(tiles))

    def explain(
        self,
        path: Path,
        field: Field,
        drawn: Values,
        *,
        seed: int,
        progress: Callable[[float], None],
    ) -> dict[str, Any]:
        """Crease maps of the held-out views, bands and the verdict, with views as the blocks that are resampled."""
        from analysis import explain

        from .explaining import Findings, creases_summary, write_findings

        target = self.view.target()
        findings = Findings(explain(target, drawn, {"coarea": None}, seed=seed), None, None, None, None)
        write_findings(path, findings, self.view, target, drawn)
        progress(1.0)
        return creases_summary(findings)
