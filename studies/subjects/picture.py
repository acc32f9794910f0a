"""A picture as a subject: pixels with maps of creases, missing detail explained by windows."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property

import torch

from fieldlens.analysis import Step, loss_step, ssim
from fieldlens.fields import Field
from fieldlens.fitting import Ending, Plan, TrainingState
from fieldlens.render.colour import to_rgb
from fieldlens.render.panel import Tile
from fieldlens.report import PICTURE_WORDS
from fieldlens.scenes.load import Working
from fieldlens.scenes.picture import Picture

from ..foresight.foresight import Foresight
from ..foresight.ways import OnPixels
from .drawing import DrawnMap, MapLook, frame_of, map_tiles
from .found import Explained, Finished, Image, Observation, Row, Values
from .kinds import Kind
from .raster import RasterMaps, explain_raster, raster_ending
from .scoring import CROP_SIDE, SCORED_PIXELS, Probe, is_large, score
from .subject import Progress


class PictureSubject:
    """A picture: target, reconstruction, error and crease density side by side.

    A picture no larger than its preview is drawn whole, and scored whole. A larger one is drawn smaller; its PSNR is
    over a fixed sample of its training pixels, and the rest over a crop from its middle. `notes` say so.
    """

    kind: Kind = "picture"
    trains_on_points = True
    frequencies: Sequence[int] = ()

    def __init__(self, picture: Picture, hidden_dtype: torch.dtype = torch.float32) -> None:
        self.view, self.hidden_dtype = picture, hidden_dtype
        self.words = PICTURE_WORDS
        self.notes: Sequence[str] = ()
        self._target_caption = "target"
        if is_large(picture):
            height, width = picture.preview
            psnr_of, energy_of = f"of {SCORED_PIXELS:,} training pixels", f"of the middle {CROP_SIDE} px"
            self.words = replace(self.words, psnr_of=psnr_of, energy_of=energy_of)
            self._target_caption = f"target, reduced to {width} x {height} px"
            self.notes = [
                f"frames in progress are reduced to {width} x {height} px, and curves are of parts of the picture: dB "
                f"{psnr_of}, bands and held-out dB {energy_of}"
            ]

    def ending(self, field: Field) -> Ending:
        """The picture drawn whole, and its explanation."""
        return raster_ending(field, self.view)

    def target(self) -> Image:
        """The whole picture."""
        return to_rgb(self.view.target())

    def target_tile(self) -> Tile:
        """The picture as frames in progress show it."""
        return Tile(to_rgb(self._preview), self._target_caption)

    def overview(self) -> None:
        """Nothing is drawn before training."""

    def prepare(self, working: Working) -> None:
        """Nothing takes long."""

    def observe(self, field: Field) -> Observation:
        """The field as it stands, drawn at the preview's size."""
        function = field.in_precision(self.hidden_dtype)
        drawn = self.view.draw(function, *self.view.preview, device=field.device)
        large = is_large(self.view)
        scores = self._sampled.score(function, field.device) if large else score(self.view, self._preview, drawn)
        return Observation(drawn, to_rgb(drawn), scores)

    def finish(self, field: Field, progress: Progress) -> Finished:
        """The field whole, in fp32."""
        drawn, target = self.view.draw(field, device=field.device, progress=progress), self.view.target()
        return Finished([drawn], to_rgb(drawn), score(self.view, target, drawn), ssim(target, drawn))

    @property
    def map_looks(self) -> Mapping[str, MapLook]:
        """Of crossings per pixel, the speed of detail, and what the next step does."""
        return self.raster.looks

    def maps(self, state: TrainingState[Field], plan: Plan) -> Mapping[str, Image]:
        """Crossings per pixel, the speed of detail, and what the next step does."""
        return self.raster.pictures(state, plan)

    def frame(
        self,
        observation: Observation,
        title: str,
        maps: Mapping[str, DrawnMap],
        rows: Sequence[Row],  # noqa: ARG002 (the report has the curves)
    ) -> Image:
        """Target, reconstruction, error and maps."""
        drawn = Tile(observation.picture, "reconstruction")
        error = self._preview, observation.reconstruction
        return frame_of(self.target_tile(), drawn, error, title, map_tiles(self.map_looks, maps))

    def explain(self, state: TrainingState[Field], plan: Plan, finished: Finished, *, progress: Progress) -> Explained:
        """Crease maps, bands and the verdict."""
        return explain_raster(state, plan, self.raster.foresight, finished, progress)

    @cached_property
    def _preview(self) -> Values:
        return self.view.target(*self.view.preview)

    @cached_property
    def raster(self) -> RasterMaps:
        """What is measured of pixels of the plane."""
        return RasterMaps(Foresight(self.view, OnPixels(self._descent)))

    def _descent(self, field: Field, target: Values) -> Step:
        whole = target.shape[:2] == (self.view.height, self.view.width)
        return loss_step(field, target, counted=self.view.trained if whole else None)

    @cached_property
    def _sampled(self) -> Probe:
        return Probe(self.view, self.view)
