"""A signal as a subject: curves with creases, amplitudes over training, what is missing of each frequency, and why."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float

from fieldlens.analysis import (
    Detail,
    LineCreases,
    Recovered,
    Speed,
    Step,
    amplitudes_recovered,
    detail_speed,
    explained_details,
    line_creases,
    loss_step,
    refined_line_creases,
    ssim,
)
from fieldlens.analysis.creases.crossings import starting_refinement
from fieldlens.analysis.detail.reasons import BENDS_PER_WAVE, reasons_of, reasons_sentences, worst_places
from fieldlens.analysis.detail.spectra import HALF
from fieldlens.analysis.detail.verdicts import NOTHING_MISSING, percent
from fieldlens.configs.files import JsonObject
from fieldlens.configs.records import to_json
from fieldlens.fields import Field
from fieldlens.fitting import Ending, Plan, TrainingState
from fieldlens.render.colour import density_legend, speed_legend, speed_rgb, steps_legend, steps_rgb
from fieldlens.render.curve import amplitudes_rgb, crease_density_rgb, curve_rgb, residual_rgb, strips_rgb
from fieldlens.render.panel import Tile, panel
from fieldlens.report import SIGNAL_WORDS
from fieldlens.scenes.load import Working
from fieldlens.scenes.scene import Function
from fieldlens.scenes.signal import Signal

from ..foresight.foresight import Foreseen, Foresight
from ..foresight.ways import OnPixels
from .creases import creased
from .drawing import DENSITY, PROGRESS, SPEED, DrawnMap, MapLook, map_tiles
from .found import Explained, Files, Finished, Image, Named, Observation, Row, Summary, Values
from .kinds import Kind
from .missing import progress_arrays, reasons_numbers, signal_spectra, speed_arrays, speed_numbers, steps_map
from .scoring import score
from .subject import Progress

TOO_LITTLE = "This signal is too short, or its parts are too unlike"


class SignalSubject:
    """A signal: the curve with its creases, the residual, the amplitudes recovered and the creases along the line."""

    kind: Kind = "signal"
    trains_on_points = True
    words = SIGNAL_WORDS
    notes: Sequence[str] = ()
    map_looks: Mapping[str, MapLook] = {
        DENSITY: MapLook("crease density", density_legend, " (px: samples)"),
        SPEED: MapLook("speed of detail by octave of samples", speed_legend),
        PROGRESS: MapLook("steps to mend half, by octave of samples", steps_legend),
    }

    def __init__(self, signal: Signal, hidden_dtype: torch.dtype = torch.float32) -> None:
        self.view, self.hidden_dtype = signal, hidden_dtype
        self.frequencies: Sequence[int] = signal.frequencies
        self._foresight = Foresight(signal, OnPixels(self._descent))

    def _descent(self, field: Field, target: Values) -> Step:
        return loss_step(field, target, counted=self.view.trained)

    def ending(self, field: Field) -> Ending:  # noqa: ARG002 (the work follows from the views)
        """Little: a line is drawn and measured in no time."""
        return Ending(frames=1.0, maps=4.0)

    def target(self) -> Image:
        """The signal's curve."""
        return curve_rgb(self.view.samples)

    def target_tile(self) -> Tile:
        """The signal's curve."""
        return Tile(self.target(), "target")

    def overview(self) -> None:
        """Nothing is drawn before training."""

    def prepare(self, working: Working) -> None:
        """Nothing takes long."""

    def observe(self, field: Field) -> Observation:
        """All samples."""
        return self._observed(field, field.in_precision(self.hidden_dtype))

    def finish(self, field: Field, progress: Progress) -> Finished:
        """All samples, in fp32."""
        found = self._observed(field, field, progress)
        similarity = ssim(self.view.target(), found.reconstruction)
        return Finished([found.reconstruction], found.picture, found.scores, similarity)

    def _observed(self, field: Field, function: Function, progress: Progress | None = None) -> Observation:
        """What a function shows that is the field or stands in for it, and the curve with the field's creases."""
        drawn, target = self.view.draw(function, device=field.device, progress=progress), self.view.target()
        recovered = amplitudes_recovered(self.view.samples, drawn[0, :, 0], self.frequencies)
        # to the digits of metrics.csv: a resumed fit draws the same
        share, error = (
            [float(f"{value:.6g}") for value in values] for values in (recovered.share, recovered.relative_error)
        )
        scores = replace(score(self.view, target, drawn), amplitudes=share, amplitude_errors=error)
        creases = _quick_creases(field, self.view)
        curve = curve_rgb(self.view.samples, drawn[0, :, 0], [] if creases is None else creases.by_layer)
        return Observation(drawn, curve, scores)

    def maps(self, state: TrainingState[Field], plan: Plan) -> Mapping[str, Image]:
        """Creases per sample along the line, by layer; the speed of the signal's detail and what the next step mends
        of it, by octave."""
        creases, pictures = _quick_creases(state.field, self.view), dict[str, Image]()
        if creases is not None:
            pictures[DENSITY] = crease_density_rgb(creases.per_sample(self.view.width))
        foreseen = self._foresight.foresee(state, plan, self.view.width)
        if foreseen is not None:
            pictures[SPEED] = _speeds_rgb(detail_speed(state.field, self._details))
            pictures[PROGRESS] = self._progress_rgb(foreseen)
        return pictures

    def _progress_rgb(self, foreseen: Foreseen) -> Image:
        """Steps until half of what is missing is mended, by window and octave, finest first."""
        octaves = {octave.label: octave for octave in foreseen.octaves()}
        steps = [steps_map(octaves[detail.label], detail.floor * detail.windows.areas)[0] for detail in self._details]
        return strips_rgb(steps_rgb(np.stack(steps)), _octaves(self._details))

    @cached_property
    def _details(self) -> Sequence[Detail]:
        """What the signal holds in each octave from the one that is explained on."""
        return explained_details(self.view.target())

    def frame(
        self,
        observation: Observation,
        title: str,
        maps: Mapping[str, DrawnMap],
        rows: Sequence[Row],
    ) -> Image:
        """Curve and residual, amplitudes so far, and maps."""
        drawn = observation.reconstruction
        shares = np.array([row.amplitudes for row in rows], np.float64)
        tiles = [
            Tile(observation.picture, "target (grey), reconstruction and its creases"),
            Tile(amplitudes_rgb([row.step for row in rows], self.frequencies, shares), "amplitude by cycles and step"),
            Tile(residual_rgb(self.view.samples, drawn[0, :, 0]), "reconstruction less target"),
        ]
        return panel([*tiles, *map_tiles(self.map_looks, maps)], title, columns=2)

    def explain(self, state: TrainingState[Field], plan: Plan, finished: Finished, *, progress: Progress) -> Explained:
        """Amplitude by frequency, whether there are creases enough to follow the fastest, and why detail is missing."""
        field = state.field
        target, drawn = self.view.target()[0, :, 0], finished.reconstructions[0][0, :, 0]
        recovered = amplitudes_recovered(target, drawn, self.frequencies)
        network = creased(field)
        creases = None if network is None else refined_line_creases(network, self.view.width)
        crossings = None if creases is None else len(creases.position)
        straight = field.encoding.config.is_affine and field.mlp.output == "linear"
        sentences = signal_verdict(self.frequencies, recovered, crossings, straight=straight)
        speeds, reasons, files = self._why(state, plan, creases)
        if reasons is not None:
            sentences += reasons["sentences"]
        files |= Files(
            pictures={"residual": residual_rgb(target, drawn)},
            numbers={
                "explain": {
                    "verdict": {"sentences": sentences},
                    "amplitude_over_target": self._named(recovered.share),
                    "relative_error": self._named(recovered.relative_error),
                    "creases": None if creases is None else self._numbers(creases),
                    "speed": speed_numbers(speeds),
                    "reasons": reasons,
                },
                "spectra": to_json(signal_spectra(target, drawn)),
            },
        )
        progress(1.0)
        return Explained(
            Summary(
                verdict=tuple(sentences),
                explained_band=f"{self.frequencies[-1]} cycles",
                crossings_per_pixel=None if crossings is None else crossings / self.view.width,
                dead_neurons=None if creases is None else int(creases.dead.sum()),
                amplitude_recovered=self._named(recovered.share),
            ),
            files if creases is None else files | self._crease_files(creases),
        )

    def _why(
        self, state: TrainingState[Field], plan: Plan, creases: LineCreases | None
    ) -> tuple[Sequence[Speed], JsonObject | None, Files]:
        """How fast the field moves the signal's detail, why a part of it is missing, and maps of both; nothing of a
        field that has diverged."""
        foreseen = self._foresight.foresee(state, plan, self.view.width)
        if foreseen is None:
            return [], None, Files()
        speeds = detail_speed(state.field, self._details)
        crossings = None if creases is None else creases.per_sample(self.view.width).sum(0, keepdims=True)
        in_windows = None if crossings is None else crossings.astype(np.float32)
        found = reasons_of(self._foresight.motion(state, foreseen, in_windows), seed=plan.seed)
        sentences = reasons_sentences(
            found,
            has_creases=creases is not None,
            encoding=state.field.encoding.config,
            optimizer=plan.optimizer,
            resolution=foreseen.resolution,
            too_little=TOO_LITTLE,
        )
        held, missing = self._details[0].energy.sum(), foreseen.octave.energy.sum()
        if missing < NOTHING_MISSING * held:  # nothing that a person would miss
            sentences = ()
        elif sentences:
            sentences = _where(foreseen, self.view.width), *sentences
        files = Files(
            pictures={SPEED: _speeds_rgb(speeds), PROGRESS: self._progress_rgb(foreseen)},
            arrays={SPEED: speed_arrays(speeds), PROGRESS: progress_arrays(foreseen, found)},
        )
        return speeds, reasons_numbers(foreseen, found, sentences), files

    def _crease_files(self, creases: LineCreases) -> Files:
        return Files(
            pictures={"density": crease_density_rgb(creases.per_sample(self.view.width))},
            arrays={
                "creases": {
                    "position": creases.position,
                    "layer": creases.layer,
                    "units": np.array(
                        "position: place in [0, 1] where a neuron switches; layer: its hidden layer, from 0"
                    ),
                }
            },
        )

    def _numbers(self, creases: LineCreases) -> JsonObject:
        crossings = len(creases.position)
        return {
            "crossings": crossings,
            "crossings_per_sample": crossings / self.view.width,
            "crossings_per_period_of_the_fastest_wave": crossings / self.frequencies[-1],
            "crossings_by_layer": list(map(len, creases.by_layer)),
            "dead_neurons_by_layer": creases.dead.tolist(),
            "steps_per_sample": creases.refine,
            "undercount_left": creases.undercount,
        }

    def _named(self, numbers: Float[np.ndarray, " frequencies"]) -> Named:
        pairs = zip(self.frequencies, numbers.tolist(), strict=True)
        return {f"{k} cycles": number if np.isfinite(number) else None for k, number in pairs}


def signal_verdict(
    frequencies: Sequence[int], recovered: Recovered, crossings: int | None, *, straight: bool
) -> list[str]:
    """What is there of each frequency, what is not, and whether creases are too few for the fastest.

    Args:
        crossings: creases on the line; None for a field without any kind of crease.
        straight: whether the field is straight between creases (raw coordinates, linear output).
    """
    if not np.isfinite(recovered.share).all():
        return ["The fit has diverged: there is nothing to explain."]
    shares = [f"{percent(share)} at {k}" for k, share in zip(frequencies, recovered.share, strict=True)]
    sentences = [f"Of the signal's waves the reconstruction has {_and(shares)} cycles, in amplitude."]
    wrong = [str(k) for k, error in zip(frequencies, recovered.relative_error, strict=True) if error >= HALF]
    if wrong:
        sentences.append(f"At {_and(wrong)} cycles the error is at least half as large as the signal's wave.")
    else:
        sentences.append("At every frequency the error is less than half as large as the signal's wave.")
    if crossings is None:
        return [*sentences, "The network is smooth and has no creases."]
    per_period = crossings / frequencies[-1]
    count = f"Along the signal there are {crossings:,} creases, {per_period:.3g} for each period of the fastest wave."
    if not straight:
        limit = "The curve bends between them as well, so their number sets no limit."
    elif per_period < BENDS_PER_WAVE:
        limit = f"Between them the curve is straight, and a wave takes {BENDS_PER_WAVE} a period: these are too few."
    else:
        limit = f"Between them the curve is straight, and a wave takes {BENDS_PER_WAVE} a period: there are enough."
    return [*sentences, f"{count} {limit}"]


def _where(foreseen: Foreseen, samples: int) -> str:
    """Where along the line the most is missing of the octave that is explained, in a sentence."""
    octave = foreseen.octave
    worst = worst_places(octave.energy, octave.windows)
    places = [f"{(place.left + place.side / 2) / samples:.2f}" for place in worst]
    waves = foreseen.label.replace("+ px", " samples and more").replace("px", "samples")
    return f"Of waves of {waves} most is missing around x = {_and(places)} (the signal goes from 0 to 1)."


def _speeds_rgb(speeds: Sequence[Speed]) -> Image:
    """The speed of each octave's detail by window, finest first."""
    along = np.stack([speed.detail.windows.spread(speed.per_energy)[0] for speed in speeds])
    return strips_rgb(speed_rgb(along), _octaves([speed.detail for speed in speeds]))


def _octaves(details: Sequence[Detail]) -> list[str]:
    """Wavelengths of octaves, in samples."""
    return [detail.label.removesuffix(" px") for detail in details]


def _and(words: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def _quick_creases(field: Field, view: Signal) -> LineCreases | None:
    """As frames show them: between samples by linear interpolation, which is as fine as the eye sees."""
    network = creased(field)
    if network is None:
        return None
    return line_creases(network, view.width, refine=starting_refinement(network.highest_frequency, view.width))
