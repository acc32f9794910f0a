"""Whatever is seen as pixels of the plane: its maps in frames, and missing detail explained by windows."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TypeAlias

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
    Detail,
    Explanation,
    OctaveProgress,
    Speed,
    Step,
    band_labels,
    capacity,
    capacity_verdict,
    crease_density,
    crossings,
    detail_speed,
    explain,
    movement,
    octave_progress,
    refined_crossings,
)
from fieldlens.analysis.creases.fineness import fineness
from fieldlens.analysis.detail.bands import longest_wavelength
from fieldlens.analysis.detail.reasons import REASONS, Motion, Reasons, reasons_of, reasons_sentences, worst_places
from fieldlens.configs.errors import InputError
from fieldlens.configs.files import JsonObject
from fieldlens.fields import Field
from fieldlens.fitting import Ending, Plan, TrainingState, foreseen_change
from fieldlens.render.colour import speed_legend, steps_legend, steps_rgb
from fieldlens.scenes.pictures.area import area_average, fitted_size
from fieldlens.scenes.scene import View

from .creases import blocks, creased, is_finite
from .drawing import CREASE_DENSITY, DENSITY, PROGRESS, SPEED, MapLook
from .found import Explained, Files, Finished, Image, Statistic, Summary, Values
from .missing import (
    capacity_files,
    density_files,
    density_picture,
    details_asked,
    missing_files,
    speed_files,
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


Descent: TypeAlias = Callable[[Field, Values], Step]
"""Plain gradient descent's step at rate 1 for a field, given the target at the size that is looked at."""


@dataclass(frozen=True, eq=False)
class Foreseen:
    """What the next step of a fit does to the octave that is explained."""

    change: Step
    """Of the weights that are shown."""
    octave: OctaveProgress
    label: str
    """The octave's, in pixels of the picture."""
    longest_px: float
    """Its longest wavelength in pixels of the picture."""
    reduced_by: float
    """Pixels of the picture in one that was looked at."""
    floor: Float[np.ndarray, "rows columns"]
    """Energy of 8-bit rounding in each window."""


class Foresight:
    """Foresees the next step of fits of one view.

    A view that is larger than is looked at is reduced, and its octaves are of longer waves then.
    """

    def __init__(self, view: View, descent: Descent) -> None:
        self.view, self.descent = view, descent
        self._explained: dict[int, Detail | None] = {}

    def target(self, side: int) -> Values:
        """The view with its longer side at most so long."""
        return self.view.target(*fitted_size(self.view.height, self.view.width, side))

    def label(self, side: int) -> str | None:
        """The octave that is explained, in pixels of the picture; None where there is no detail."""
        detail = self._detail(side)
        return None if detail is None else self._in_picture(detail.label, side)

    def foresee(self, state: TrainingState[Field], plan: Plan, side: int) -> Foreseen | None:
        """None where there is no detail, or where the fit has diverged or is about to."""
        detail, field = self._detail(side), state.field
        if detail is None or not (is_finite(field) and is_finite(state.trained)):
            return None
        target = self.target(side)
        height, width, _ = target.shape
        try:
            gradient = self.descent(state.trained, target).scaled(-1).named(state.trained)
            change = Step.of_named(field, foreseen_change(state, plan, gradient))
            moved = movement(field, height, width, change)
        except InputError:  # what the weights make of the picture is not finite
            return None
        residual = target - self.view.draw(field, height, width, device=field.device)
        octave = next(one for one in octave_progress(residual, moved) if one.label == detail.label)
        band = band_labels(height, width).index(octave.label)
        longest = longest_wavelength(band) * self._reduced_by(side)
        floor = detail.floor * octave.windows.areas
        return Foreseen(change, octave, self._in_picture(octave.label, side), longest, self._reduced_by(side), floor)

    def reasons(
        self, state: TrainingState[Field], foreseen: Foreseen, crossings: Float[np.ndarray, "_ _"] | None, seed: int
    ) -> Reasons:
        """Why each window lacks detail.

        Its own push is by a plain gradient step of the shown weights, as long as lowers the loss by what the fit's own
        step does.

        Args:
            crossings: per pixel of the picture, all layers together, at any size; None for a network without creases.
        """
        field, octave = state.field, foreseen.octave
        windows, channels = octave.windows, self.view.channels
        plain = self.descent(field, self.target(max(octave.missing.shape)))
        (speed,) = detail_speed(field, [Detail(octave.missing, windows, octave.label)])
        rate = max(0.0, foreseen.change.along(plain))
        motion = Motion(
            windows=windows,
            longest_px=foreseen.longest_px,
            missing=octave.energy,
            floor=foreseen.floor,
            progress=octave.whole,
            own_push=octave.split(speed.push, rate, channels=channels).own,
            crossings=None if crossings is None else area_average(crossings[..., None], *windows.shape)[..., 0],
            steps=state.step,
        )
        return reasons_of(motion, seed=seed)

    def _detail(self, side: int) -> Detail | None:
        """What the target holds in the octave that is explained; every map of a fit asks for the same."""
        if side not in self._explained:
            self._explained[side] = next(iter(details_asked(self.target(side))), None)
        return self._explained[side]

    def _reduced_by(self, side: int) -> float:
        return max(1.0, max(self.view.height, self.view.width) / side)

    def _in_picture(self, label: str, side: int) -> str:
        by = self._reduced_by(side)
        return label if by == 1 else re.sub(r"\d+", lambda number: f"{by * int(number[0]):.3g}", label)


class RasterMaps:
    """The maps of whatever is seen as pixels of the plane, as frames show them."""

    def __init__(self, foresight: Foresight) -> None:
        self.foresight = foresight
        self._view = view = foresight.view
        self._explained = details_asked(view.target(), FRAME_MAP_SIDE**2)[:1]
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
    foreseen: Foreseen | None
    """What the next step does; None likewise."""
    reasons: Reasons | None
    """Why each window lacks detail; None likewise."""

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
        return capacity_verdict(refit.removed, refit.null_removed, refit.windows.side, refit.removed_error)

    @property
    def verdict(self) -> tuple[str, ...]:
        """What is missing and where; why; and what would help. Without reasons, whether it goes with few creases."""
        missing, creases = self.explanation.verdict.sentences
        if self.reasons is None or self.foreseen is None or not self.reasons.shares:
            return missing, creases
        octave = self.foreseen.octave
        where = f"Most is missing around {worst_places(octave.energy, octave.windows, self.foreseen.reduced_by)} px."
        return f"{missing} {where}", *reasons_sentences(self.reasons, has_creases=self.density is not None)

    @property
    def dead_neurons(self) -> int | None:
        """Hidden neurons that are on at no pixel."""
        return None if self.pixels is None else int(self.pixels.dead.sum())

    def summary(self) -> Summary:
        """What run.json says."""
        return Summary(
            verdict=self.verdict,
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
        return self.explanation.to_json() | found | {"reasons": self._reasons()}

    def _capacity(self) -> JsonObject | None:
        if self.capacity is None:
            return None
        said = self.capacity_verdict
        words = {"sentence": said and said.sentence, "outcome": said and said.outcome}
        return words | self.capacity.to_json()

    def _reasons(self) -> JsonObject | None:
        if self.reasons is None or self.foreseen is None:
            return None
        steps = self.reasons.steps_to_mend
        return {
            "octave": self.foreseen.label,
            "leading": self.reasons.leading,
            "shares": {reason: asdict(share) for reason, share in self.reasons.shares.items()},
            "steps_to_mend_half_of_what_is_on_its_way": steps if math.isfinite(steps) else None,
            "sentences": list(self.verdict),
        }

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
    foresight: Foresight,
    drawn: Float[np.ndarray, "h w c"],
    progress: Progress | None = None,
) -> PictureFindings:
    """Measure the creases of a state's field, whether they go with what `drawn` is missing, and why it is."""
    tell, field, view = progress or (lambda _share: None), state.field, foresight.view
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
        return PictureFindings(explanation, density, pixels, refined, refit, [], None, None)
    found = None if density is None else density.crossings_per_pixel
    reasons = foresight.reasons(state, foreseen, found, plan.seed)
    speeds = detail_speed(field, details_asked(target, LARGEST_SIDE**2))
    tell(1.0)
    return PictureFindings(explanation, density, pixels, refined, refit, speeds, foreseen, reasons)


def explain_raster(
    state: TrainingState[Field], plan: Plan, foresight: Foresight, finished: Finished, progress: Progress
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
        files |= speed_files(findings.speeds, view)
    if findings.foreseen is not None and findings.reasons is not None:
        files |= _progress_files(findings.foreseen, findings.reasons, view)
    if findings.capacity is not None:
        files |= capacity_files(findings.capacity, view)
    if findings.density is not None and findings.refined is not None:
        files |= density_files(findings.density, findings.refined, view)
    return files


def progress_picture(foreseen: Foreseen, view: View) -> Image:
    """Steps until half of what each window lacks is mended, at the size of frames."""
    octave = foreseen.octave
    steps = np.where(octave.energy > foreseen.floor, octave.steps_to_mend, np.nan)
    return blocks(steps_rgb(octave.windows.spread(steps)), *view.preview)


def _progress_files(foreseen: Foreseen, reasons: Reasons, view: View) -> Files:
    octave = foreseen.octave
    return Files(
        pictures={PROGRESS: progress_picture(foreseen, view)},
        arrays={
            PROGRESS: {
                "missing_energy": octave.energy,
                "progress": octave.whole,
                "steps_to_mend": octave.steps_to_mend,
                "reason": reasons.of_window,
                "row_edges": octave.windows.row_edges,
                "column_edges": octave.windows.column_edges,
                "octave": np.array(foreseen.label),
                "reasons": np.array(REASONS),
                "units": np.array(
                    "per window; energies are sums of squared luma, progress by how much the next step lowers them; "
                    "reason: its number in reasons, -1 where nothing is missing; edges in pixels of what was looked at"
                ),
            }
        },
    )
