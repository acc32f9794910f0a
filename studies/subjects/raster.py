"""Whatever is seen as pixels of the plane: its maps in frames, and missing detail explained by windows."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
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
    Leverage,
    LeverageStatistic,
    Speed,
    capacity,
    capacity_verdict,
    crease_density,
    crossings,
    detail_leverage,
    detail_speed,
    explain,
    explained_details,
    leverage_statistic,
    refined_crossings,
)
from fieldlens.analysis.creases.fineness import fineness
from fieldlens.analysis.detail.reasons import Reasons, reasons_of, reasons_sentences, worst_places
from fieldlens.analysis.detail.windows import Place
from fieldlens.configs.encoding import Encoding
from fieldlens.configs.files import JsonObject
from fieldlens.configs.optimizer import Optimizer
from fieldlens.fields import Field
from fieldlens.fitting import Ending, Plan, TrainingState
from fieldlens.render.colour import speed_legend, steps_legend
from fieldlens.scenes.scene import View

from ..foresight.foresight import Foreseen, Foresight
from .creases import creased
from .drawing import CREASE_DENSITY, DENSITY, LEVERAGE, PROGRESS, SPEED, MapLook
from .found import WORST_PLACES, Explained, Files, Finished, Image, Statistic, Summary, Values
from .missing import (
    capacity_files,
    density_files,
    density_picture,
    leverage_arrays,
    leverage_numbers,
    leverage_picture,
    missing_files,
    primary_numbers,
    progress_arrays,
    progress_picture,
    reasons_numbers,
    speed_arrays,
    speed_numbers,
    speed_picture,
)
from .scoring import CROP_SIDE, SCORED_PIXELS, is_large
from .subject import Progress

FRAME_MAP_SIDE = 256
"""Maps of a frame in progress are sampled about this often along the longer side, or as many pixels' windows asked."""
LARGEST_SIDE = 512
"""At the end the next step is foreseen at most at this size, and windows of as many pixels are asked for speeds."""
OTHER_MAPS = 6
"""Maps in progress that take as long as counting crossings and refitting output layers."""


class RasterMaps:
    """The maps of whatever is seen as pixels of the plane, as frames show them."""

    def __init__(self, foresight: Foresight[Field]) -> None:
        self.foresight = foresight
        self._view = view = foresight.view
        self._explained = explained_details(view.target(), FRAME_MAP_SIDE**2)[:1]
        self.looks = dict(CREASE_DENSITY)
        if self._explained:
            self.looks[SPEED] = MapLook(f"speed of {self._explained[0].label} detail", speed_legend)
        if (label := foresight.label(FRAME_MAP_SIDE)) is not None:
            self.looks[PROGRESS] = MapLook(f"steps to mend half, {label}", steps_legend)

    def pictures(self, state: TrainingState[Field], plan: Plan) -> Mapping[str, Image]:
        """Crossings per pixel, of a field with creases; how fast it moves its target's detail; and how many steps mend
        half of what is missing of it.

        None of a field that has diverged.
        """
        field, view = state.field, self._view
        network, pictures = creased(field), dict[str, Image]()
        if network is not None:
            density = crease_density(network, view.height, view.width, stride=_frame_stride(view))
            pictures[DENSITY] = density_picture(density, view)
        foreseen = self.foresight.foresee(state, plan, FRAME_MAP_SIDE)
        if foreseen is not None:
            (speed,) = detail_speed(field, self._explained)
            pictures[SPEED] = speed_picture(speed, view)
            pictures[PROGRESS] = progress_picture(foreseen, view)
        return pictures

    def windows(self, state: TrainingState[Field], plan: Plan) -> "WindowMotion | None":
        """How fast each window's detail can be moved, and what the next step does to it; None as for `pictures`."""
        foreseen = self.foresight.foresee(state, plan, FRAME_MAP_SIDE)
        speed = None if foreseen is None else self.foresight.speed(state.field, FRAME_MAP_SIDE)
        return None if foreseen is None or speed is None else WindowMotion(speed, foreseen)


@dataclass(frozen=True, eq=False)
class WindowMotion:
    """Of the octave that is explained, window by window: both have the same windows."""

    speed: Speed
    foreseen: Foreseen

    def at(self, down: float, across: float) -> tuple[float, float]:
        """Of the window around a place: its speed, and the steps that mend half of what it lacks.

        NaN where it holds no detail, or lacks none; infinite steps where they make it worse.

        Args:
            down, across: from the top and the left of the view, as shares of its sides.
        """
        windows = self.foreseen.octave.windows
        window = tuple(
            min(int(np.searchsorted(edges, share * edges[-1], "right")) - 1, len(edges) - 2)
            for edges, share in ((windows.row_edges, down), (windows.column_edges, across))
        )
        octave = self.foreseen.octave
        lacks = octave.energy[window] > self.foreseen.floor[window]
        return float(self.speed.per_energy[window]), float(octave.steps_to_mend[window]) if lacks else math.nan


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
    leverage: Leverage | None
    """Of the explained octave; None likewise."""
    statistic: LeverageStatistic | None
    """How it goes with what is missing; None likewise."""
    foreseen: Foreseen | None
    """What the next step does; None likewise."""
    reasons: Reasons | None
    """Why each window lacks detail; None likewise."""
    encoding: Encoding
    optimizer: Optimizer
    """With both, what would help."""

    @property
    def crossings_per_pixel(self) -> float | None:
        """Mean over picture and directions, counted finely enough."""
        return None if self.refined is None else float(self.refined.mean_per_pixel.mean())

    @property
    def nothing_to_explain(self) -> bool:
        """Next to nothing is missing, or what is cannot be measured."""
        return self.explanation.verdict.creases == "nothing to explain"

    @property
    def capacity_verdict(self) -> CapacityVerdict | None:
        """Whether the creases could express what is missing; None where nothing is, or the field has none."""
        refit = self.capacity
        if self.nothing_to_explain or refit is None:
            return None
        if refit.removed is None or refit.null_removed is None:
            return None
        return capacity_verdict(refit.removed, refit.null_removed, refit.windows.side, refit.removed_error)

    @property
    def verdict(self) -> tuple[str, ...]:
        """What is missing, why, and what would help. Without reasons, whether it goes with few creases."""
        missing, creases = self.explanation.verdict.sentences
        if self.nothing_to_explain or not (self.foreseen and self.reasons and self.reasons.shares):
            return missing, creases
        why = reasons_sentences(
            self.reasons,
            has_creases=self.density is not None,
            encoding=self.encoding,
            optimizer=self.optimizer,
            resolution=self.foreseen.resolution,
        )
        goes_with = None if self.statistic is None else self.statistic.sentence
        return missing, *why, *([goes_with] if goes_with else [])

    @property
    def worst_places(self) -> tuple[Place, ...]:
        """Where most is missing; none where nothing is."""
        if self.nothing_to_explain or not (self.foreseen and self.reasons and self.reasons.shares):
            return ()
        octave = self.foreseen.octave
        return worst_places(octave.energy, octave.windows, self.foreseen.reduced_by, most=WORST_PLACES)

    @property
    def dead_neurons(self) -> int | None:
        """Hidden neurons that are on at no pixel."""
        return None if self.pixels is None else int(self.pixels.dead.sum())

    def summary(self) -> Summary:
        """What run.json says."""
        against_creases, statistic = Statistic.against_creases(self.explanation), None
        if self.statistic is not None:
            statistic = Statistic.of(self.statistic.correlation, self.statistic.interval, "leverage")
        return Summary(
            verdict=self.verdict,
            worst_places=self.worst_places,
            explained_band=self.explanation.band,
            crossings_per_pixel=self.crossings_per_pixel,
            crossings_standard_error=None if self.refined is None else self.refined.standard_error,
            dead_neurons=self.dead_neurons,
            primary_statistic=against_creases if statistic is None else statistic,
            crease_statistic=None if statistic is None else against_creases,
            capacity=None if self.capacity_verdict is None else self.capacity_verdict.sentence,
        )

    def to_json(self) -> JsonObject:
        """The explanation and what was measured of creases, as strict JSON."""
        found = {"capacity": self._capacity(), "creases": self._creases(), "speed": speed_numbers(self.speeds)}
        explained, reasons = self.explanation.to_json(), None
        if self.leverage is not None:
            explained |= {"leverage": leverage_numbers(self.leverage)}
        if self.statistic is not None and self.statistic.correlation is not None:
            explained |= {"against_creases": explained["primary"], "primary": primary_numbers(self.statistic)}
        if self.reasons is not None and self.foreseen is not None:
            reasons = reasons_numbers(self.foreseen, self.reasons, self.verdict)
        return explained | found | {"reasons": reasons}

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
    state: TrainingState[Field],
    plan: Plan,
    foresight: Foresight[Field],
    drawn: Float[np.ndarray, "h w c"],
    progress: Progress | None = None,
) -> PictureFindings:
    """Measure the creases of a state's field, whether they go with what `drawn` is missing, and why it is."""
    tell, field, view = progress or (lambda _share: None), state.field, foresight.view
    made_by = field.encoding.config, plan.optimizer
    target = view.target()
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
    explanation = explain(target, drawn, maps, seed=plan.seed)
    foreseen = foresight.foresee(state, plan, LARGEST_SIDE)
    if foreseen is None:
        return PictureFindings(explanation, density, pixels, refined, refit, [], None, None, None, None, *made_by)
    found = None if density is None else density.crossings_per_pixel
    reasons = reasons_of(foresight.motion(state, foreseen, found), seed=plan.seed)
    speeds = detail_speed(field, explained_details(target, LARGEST_SIDE**2))
    (leverage,) = detail_leverage(field, explained_details(target, FRAME_MAP_SIDE**2)[:1])
    statistic = leverage_statistic(leverage.mean, leverage.detail, target, drawn, seed=plan.seed)
    tell(1.0)
    return PictureFindings(
        explanation, density, pixels, refined, refit, speeds, leverage, statistic, foreseen, reasons, *made_by
    )


def explain_raster(
    state: TrainingState[Field], plan: Plan, foresight: Foresight[Field], finished: Finished, progress: Progress
) -> Explained:
    """Crease maps, bands and the verdict, of whatever is seen as pixels of the plane."""
    drawn = finished.reconstructions[0]
    findings = explain_field(state, plan, foresight, drawn, progress)
    return Explained(findings.summary(), findings_files(findings, foresight.view, foresight.view.target(), drawn))


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
        pictures = {SPEED: speed_picture(findings.speeds[0], view)}
        files |= Files(pictures=pictures, arrays={SPEED: speed_arrays(findings.speeds)})
    if findings.leverage is not None:
        pictures = {LEVERAGE: leverage_picture(findings.leverage, view)}
        files |= Files(pictures=pictures, arrays={LEVERAGE: leverage_arrays(findings.leverage)})
    if findings.foreseen is not None and findings.reasons is not None:
        files |= Files(
            pictures={PROGRESS: progress_picture(findings.foreseen, view)},
            arrays={PROGRESS: progress_arrays(findings.foreseen, findings.reasons)},
        )
    if findings.capacity is not None:
        files |= capacity_files(findings.capacity, view)
    if findings.density is not None and findings.refined is not None:
        files |= density_files(findings.density, findings.refined, view)
    return files
