"""Scattered data as a subject: scored at its points, seen and explained as a raster."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property

import torch

from fieldlens.analysis import Step, loss_step_at, psnr_db, ssim
from fieldlens.fields import Field
from fieldlens.fitting import Ending, Plan, TrainingState
from fieldlens.render.colour import to_rgb
from fieldlens.render.panel import Tile
from fieldlens.report import PICTURE_WORDS
from fieldlens.scenes.load import Working
from fieldlens.scenes.points import Points
from fieldlens.scenes.scene import Function

from ..foresight.foresight import Foresight
from ..foresight.ways import OnPixels
from .drawing import DrawnMap, MapLook, frame_of, map_tiles
from .found import Explained, Finished, Image, Observation, Row, Scores, Values
from .kinds import Kind
from .raster import RasterMaps, explain_raster, raster_ending
from .scoring import band_scores, values_at
from .subject import Progress


class PointsSubject:
    """Points: their raster, the field drawn over it, the error and crease density side by side."""

    kind: Kind = "points"
    trains_on_points = True
    words = replace(PICTURE_WORDS, psnr_of="of the points", energy_of="of the raster")
    frequencies: Sequence[int] = ()

    def __init__(self, points: Points, hidden_dtype: torch.dtype = torch.float32) -> None:
        self.points, self.hidden_dtype = points, hidden_dtype
        self.view = points.raster
        self.notes: Sequence[str] = [
            f"frames and maps show a raster of {self.view.width} x {self.view.height} px, in which a pixel has the "
            "value of the nearest point; dB are of the points themselves"
        ]

    def ending(self, field: Field) -> Ending:
        """The raster drawn whole, and its explanation."""
        return raster_ending(field, self.view)

    def target(self) -> Image:
        """The raster."""
        return to_rgb(self._target)

    def target_tile(self) -> Tile:
        """The raster, as frames show it."""
        return Tile(self.target(), "points, each pixel as the nearest")

    def overview(self) -> None:
        """Nothing is drawn before training."""

    def prepare(self, working: Working) -> None:
        """Nothing takes long."""

    def observe(self, field: Field) -> Observation:
        """The field as it stands, over the raster and at the points."""
        function = field.in_precision(self.hidden_dtype)
        drawn = self.view.draw(function, device=field.device)
        return Observation(drawn, to_rgb(drawn), self._score(function, field.device, drawn))

    def finish(self, field: Field, progress: Progress) -> Finished:
        """The same in fp32."""
        drawn = self.view.draw(field, device=field.device, progress=progress)
        return Finished([drawn], to_rgb(drawn), self._score(field, field.device, drawn), ssim(self._target, drawn))

    def _score(self, function: Function, device: torch.device, drawn: Values) -> Scores:
        found = values_at(function, torch.from_numpy(self.points.coordinates), device)[None]
        values, heldout = self.points.values[None], self.points.heldout[None]
        held = psnr_db(values, found, heldout) if heldout.any() else None
        return Scores(psnr_db(values, found, ~heldout), held, *band_scores(self._target, drawn))

    @property
    def map_looks(self) -> Mapping[str, MapLook]:
        """Of crossings per pixel of the raster, the speed of its detail, and what the next step does."""
        return self.raster.looks

    def maps(self, state: TrainingState[Field], plan: Plan) -> Mapping[str, Image]:
        """Crossings per pixel of the raster, the speed of its detail, and what the next step does."""
        return self.raster.pictures(state, plan)

    def frame(
        self,
        observation: Observation,
        title: str,
        maps: Mapping[str, DrawnMap],
        rows: Sequence[Row],  # noqa: ARG002 (the report has the curves)
    ) -> Image:
        """Raster, reconstruction, error and maps."""
        drawn = Tile(observation.picture, "reconstruction")
        error = self._target, observation.reconstruction
        return frame_of(self.target_tile(), drawn, error, title, map_tiles(self.map_looks, maps))

    def explain(self, state: TrainingState[Field], plan: Plan, finished: Finished, *, progress: Progress) -> Explained:
        """As of a picture, the raster."""
        return explain_raster(state, plan, self.raster.foresight, finished, progress)

    @cached_property
    def raster(self) -> RasterMaps:
        """What is measured of pixels of the plane."""
        return RasterMaps(Foresight(self.view, OnPixels(self._descent)))

    def _descent(self, field: Field, target: Values) -> Step:  # noqa: ARG002 (the loss is of the points, not the raster)
        there = ~self.points.heldout
        coordinates, values = (torch.from_numpy(part[there]) for part in (self.points.coordinates, self.points.values))
        return loss_step_at(field, coordinates, values)

    @cached_property
    def _target(self) -> Values:
        return self.view.target()
