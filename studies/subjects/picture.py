"""A picture as a subject: pixels with maps of creases, missing detail explained by windows."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float

from fieldlens.analysis import (
    BEND,
    COAREA,
    CROSSINGS,
    Capacity,
    CapacityVerdict,
    Crossings,
    Density,
    Explanation,
    Speed,
    capacity,
    capacity_verdict,
    crease_density,
    crossings,
    detail_speed,
    explain,
    refined_crossings,
    ssim,
)
from fieldlens.analysis.creases.fineness import fineness
from fieldlens.configs.files import JsonObject
from fieldlens.fields import Field
from fieldlens.fitting import Ending
from fieldlens.render.colour import to_rgb
from fieldlens.render.panel import Tile
from fieldlens.report import PICTURE_WORDS
from fieldlens.scenes.load import Working
from fieldlens.scenes.picture import Picture
from fieldlens.scenes.scene import View

from .creases import creased, is_finite
from .drawing import CREASE_DENSITY, DENSITY, SPEED, DrawnMap, MapLook, frame_of, map_tiles
from .found import Explained, Files, Finished, Image, Observation, Row, Statistic, Summary, Values
from .kinds import Kind
from .missing import (
    capacity_files,
    density_files,
    density_picture,
    details_asked,
    missing_files,
    speed_files,
    speed_look,
    speed_numbers,
    speed_picture,
)
from .scoring import CROP_SIDE, SCORED_PIXELS, Probe, is_large, score
from .subject import Progress

FRAME_MAP_SIDE = 256
"""Maps of a frame in progress are sampled about this often along the longer side, or as many pixels' windows asked."""
SPEED_PIXELS = 512**2
"""At the end windows of about as many pixels are asked how fast their detail is moved, in each octave."""
OTHER_MAPS = 6
"""Maps in progress that take as long as counting crossings and refitting output layers."""


class RasterMaps:
    """The maps of whatever is seen as pixels of the plane, as frames show them."""

    def __init__(self, view: View, target: Values) -> None:
        self._view = view
        self._explained = details_asked(target, FRAME_MAP_SIDE**2)[:1]
        self.looks = dict(CREASE_DENSITY)
        if self._explained:
            self.looks[SPEED] = speed_look(*self._explained)

    def pictures(self, field: Field) -> Mapping[str, Image]:
        """Crossings per pixel, of a field with creases; and how fast it moves its target's detail.

        None of a field that has diverged.
        """
        view, network, pictures = self._view, creased(field), dict[str, Image]()
        if network is not None:
            density = crease_density(network, view.height, view.width, stride=_frame_stride(view))
            pictures[DENSITY] = density_picture(density, view)
        if self._explained and is_finite(field):
            pictures[SPEED] = speed_picture(*detail_speed(field, self._explained), view)
        return pictures


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
        """Of crossings per pixel and the speed of detail."""
        return self._maps.looks

    def maps(self, field: Field) -> Mapping[str, Image]:
        """Crossings per pixel and the speed of detail."""
        return self._maps.pictures(field)

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

    def explain(self, field: Field, finished: Finished, *, seed: int, progress: Progress) -> Explained:
        """Crease maps, bands and the verdict."""
        return explain_raster(field, self.view, self.view.target(), finished, seed=seed, progress=progress)

    @cached_property
    def _preview(self) -> Values:
        return self.view.target(*self.view.preview)

    @cached_property
    def _maps(self) -> RasterMaps:
        return RasterMaps(self.view, self.view.target())

    @cached_property
    def _sampled(self) -> Probe:
        return Probe(self.view, self.view)


@dataclass(frozen=True, eq=False)
class PictureFindings:
    """What the analysis of one field found; the maps are None for a field without creases (SIREN)."""

    explanation: Explanation
    density: Density | None
    pixels: Crossings | None
    """One sample a pixel."""
    refined: Crossings | None
    """Sub-pixel steps, in a lattice of pixels."""
    capacity: Capacity | None
    speeds: Sequence[Speed]
    """Of each octave from the explained one on; none of a field that has diverged, or where there is no detail."""

    @property
    def crossings_per_pixel(self) -> float | None:
        """Mean over picture and directions, counted finely enough."""
        return None if self.refined is None else float(self.refined.mean_per_pixel.mean())

    @property
    def capacity_verdict(self) -> CapacityVerdict | None:
        """Whether the creases could express what is missing; None where nothing is, or the field has none."""
        refit = self.capacity
        if self.explanation.verdict.creases == "nothing to explain" or refit is None:
            return None
        if refit.removed is None or refit.null_removed is None:
            return None
        return capacity_verdict(
            refit.removed, refit.null_removed, refit.whole_removed, refit.windows.side, refit.removed_error
        )

    @property
    def dead_neurons(self) -> int | None:
        """Hidden neurons that are on at no pixel."""
        return None if self.pixels is None else int(self.pixels.dead.sum())

    def summary(self) -> Summary:
        """What run.json says."""
        return Summary(
            verdict=self.explanation.verdict.sentences,
            explained_band=self.explanation.band,
            crossings_per_pixel=self.crossings_per_pixel,
            crossings_standard_error=None if self.refined is None else self.refined.standard_error,
            dead_neurons=self.dead_neurons,
            primary_statistic=Statistic.primary(self.explanation),
            capacity=None if self.capacity_verdict is None else self.capacity_verdict.sentence,
        )

    def to_json(self) -> JsonObject:
        """The explanation and what was measured of creases, as strict JSON."""
        found = {"capacity": self._capacity(), "creases": self._creases(), "speed": speed_numbers(self.speeds)}
        return self.explanation.to_json() | found

    def _capacity(self) -> JsonObject | None:
        if self.capacity is None:
            return None
        said = self.capacity_verdict
        words = {"sentence": said and said.sentence, "outcome": said and said.outcome}
        return words | self.capacity.to_json()

    def _creases(self) -> JsonObject | None:
        if self.density is None or self.pixels is None or self.refined is None:
            return None
        directions = self.refined.per_pixel.sum(1).mean((1, 2))
        return {
            "crossings_per_pixel": self.crossings_per_pixel,
            "crossings_per_pixel_standard_error": self.refined.standard_error,
            "measured_pixels": self.refined.mean_per_pixel.size,
            "crossings_per_pixel_by_direction": dict(
                zip(("x", "y", "diagonal", "antidiagonal"), map(float, directions), strict=True)
            ),
            "steps_per_pixel": self.refined.refine,
            "undercount_left": self.refined.undercount,
            "one_sample_a_pixel_finds": float(self.pixels.mean_per_pixel.mean()),
            "crofton_length_per_area_by_layer": self.refined.crofton.mean((1, 2)).tolist(),
            "coarea_length_per_area_by_layer": self.density.length.mean((1, 2)).tolist(),
            "bend_by_layer": None if self.density.bend is None else self.density.bend.mean((1, 2)).tolist(),
            "grid_length_per_area": self.density.grid_length,
            "dead_neurons_by_layer": self.pixels.dead.tolist(),
            "always_on_neurons_by_layer": self.pixels.always_on.tolist(),
            "live_neurons_by_layer": self.pixels.live.tolist(),
            "units": "crossings per pixel; lengths in pixels per square pixel; pixels are those of the picture",
        }


def explain_field(
    field: Field,
    view: View,
    target: Float[np.ndarray, "h w c"],
    drawn: Float[np.ndarray, "h w c"],
    *,
    seed: int,
    progress: Progress | None = None,
) -> PictureFindings:
    """Measure the creases of a field over a view, and whether they go with what `drawn` is missing of `target`."""
    tell = progress or (lambda _share: None)
    density = pixels = refined = refit = None
    maps: dict[str, Float[np.ndarray, "rows columns"] | None] = {COAREA: None}
    network = creased(field)
    if network is not None and np.isfinite(drawn).all():  # a fit that has diverged has no maps to speak of
        sampling = fineness(network.multiplications, view.height, view.width)
        stride = sampling.map_stride
        density = crease_density(
            network, view.height, view.width, stride=stride, bend=True, progress=lambda share: tell(0.5 * share)
        )
        pixels = crossings(
            network, view.height, view.width, stride=stride, progress=lambda share: tell(0.5 + 0.2 * share)
        )
        refined = refined_crossings(
            network,
            view.height,
            view.width,
            stride=sampling.refined_stride,
            max_refine=sampling.max_refine,
            progress=lambda share: tell(0.7 + 0.2 * share),
        )
        refit = capacity(network, target, drawn, progress=lambda share: tell(0.9 + 0.05 * share))
        assert density.bend is not None  # it was asked for
        maps = {COAREA: density.length.sum(0), CROSSINGS: refined.mean_per_pixel, BEND: density.bend.sum(0)}
    explanation = explain(target, drawn, maps, seed=seed)
    details = details_asked(target, SPEED_PIXELS) if is_finite(field) else []
    speeds = detail_speed(field, details, progress=lambda share: tell(0.95 + 0.05 * share))
    tell(1.0)
    return PictureFindings(explanation, density, pixels, refined, refit, speeds)


def explain_raster(
    field: Field, view: View, target: Values, finished: Finished, *, seed: int, progress: Progress
) -> Explained:
    """Crease maps, bands and the verdict, of whatever is seen as pixels of the plane."""
    drawn = finished.reconstructions[0]
    findings = explain_field(field, view, target, drawn, seed=seed, progress=progress)
    return Explained(findings.summary(), findings_files(findings, view, target, drawn))


def raster_ending(field: Field, view: View) -> Ending:
    """The work of drawing and explaining a view of the plane whole, counted in frames and maps in progress.

    Energies by band, SSIM and scores take about half as long as drawing does. The bend doubles the cost of a map.
    """
    in_progress = math.prod(view.preview) + (SCORED_PIXELS + CROP_SIDE**2 if is_large(view) else 0)
    network = creased(field)
    stride = 1 if network is None else fineness(network.multiplications, view.height, view.width).map_stride
    finer = (_frame_stride(view) / stride) ** 2
    return Ending(frames=1.5 * view.height * view.width / in_progress, maps=2 * finer + OTHER_MAPS)


def _frame_stride(view: View) -> int:
    return math.ceil(max(view.height, view.width) / FRAME_MAP_SIDE)


def findings_files(findings: PictureFindings, view: View, target: Values, drawn: Values) -> Files:
    """Maps as arrays and pictures, and the numbers of explain.json."""
    files = missing_files(findings.explanation, view, target, drawn) | Files(numbers={"explain": findings.to_json()})
    if findings.speeds:
        files |= speed_files(findings.speeds, view)
    if findings.capacity is not None:
        files |= capacity_files(findings.capacity, view)
    if findings.density is not None and findings.refined is not None:
        files |= density_files(findings.density, findings.refined, view)
    return files
