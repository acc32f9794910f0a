"""Signals: curves with creases, amplitudes over training, and what is missing of each frequency."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from jaxtyping import Float, UInt8

from analysis import (
    LineCreases,
    Recovered,
    amplitudes_recovered,
    line_creases,
    refined_line_creases,
)
from analysis.creases.crossings import starting_refinement
from analysis.detail.spectra import HALF
from analysis.detail.verdicts import percent
from configs.encoding import Raw
from configs.files import write_json
from fields import Field
from render.colour import density_legend
from render.curve import amplitudes_rgb, crease_density_rgb, curve_rgb, residual_rgb
from render.files import write_npz, write_png
from render.panel import Tile, panel
from scenes.signal import Signal

from .explaining import creased
from .metrics import Row
from .observe import Observation
from .spectra import signal_spectra

KNOTS_PER_PERIOD = 2
"""Bends that a curve of straight pieces needs in each period of a wave to follow it at all: one at each extreme."""

Image: TypeAlias = UInt8[np.ndarray, "_ _ 3"]
Values: TypeAlias = Float[np.ndarray, "1 _ 1"]


class SignalLook:
    """The curve with its creases, the residual, the amplitudes recovered and the density of creases along the line."""

    def __init__(self, view: Signal) -> None:
        self.view = view
        self.frequencies: Sequence[int] = view.frequencies

    psnr_of = ""
    energy_of = ""

    def recovered(self, drawn: Values) -> tuple[Sequence[float], Sequence[float]]:
        """Shares of the signal's amplitudes and errors, to the digits of metrics.csv: a resumed fit draws the same."""
        found = self._recovered(drawn)
        share, error = ([float(f"{v:.6g}") for v in values] for values in (found.share, found.relative_error))
        return share, error

    def target(self) -> Image:
        """The signal's curve."""
        return curve_rgb(self.view.samples)

    def target_tile(self) -> Tile:
        """The signal's curve."""
        return Tile(self.target(), "target")

    def reconstruction(self, field: Field, drawn: Values) -> Image:
        """The reconstruction over the signal, with its creases."""
        creases = _quick_creases(field, self.view)
        return curve_rgb(self.view.samples, drawn[0, :, 0], [] if creases is None else creases.by_layer)

    def density(self, field: Field) -> Image | None:
        """Creases per sample along the line, by layer."""
        creases = _quick_creases(field, self.view)
        return None if creases is None else crease_density_rgb(creases.per_sample(self.view.width))

    def frame(
        self,
        field: Field,
        observation: Observation,
        title: str,
        density: tuple[int, Image] | None,
        rows: Sequence[Row],
    ) -> Image:
        """Curve and residual, amplitudes so far and, with the step it was drawn at, crease density."""
        drawn = observation.reconstruction
        shares = np.array([row.amplitudes for row in rows], np.float64)
        tiles = [
            Tile(self.reconstruction(field, drawn), "target (grey), reconstruction and its creases"),
            Tile(amplitudes_rgb([row.step for row in rows], self.frequencies, shares), "amplitude by cycles and step"),
            Tile(residual_rgb(self.view.samples, drawn[0, :, 0]), "reconstruction less target"),
        ]
        if density is not None:
            step, strips = density
            tiles.append(Tile(strips, f"crease density, step {step} (px: samples)", legend=density_legend))
        return panel(tiles, title, columns=2)

    def explain(
        self,
        path: Path,
        field: Field,
        drawn: Sequence[Values],
        *,
        seed: int,  # noqa: ARG002 (nothing is resampled)
        progress: Callable[[float], None],
    ) -> dict[str, Any]:
        """Amplitude by frequency, and whether there are creases enough to follow the fastest."""
        target = self.view.target()
        recovered = amplitudes_recovered(target[0, :, 0], drawn[0][0, :, 0], self.frequencies)
        network = creased(field)
        creases = None if network is None else refined_line_creases(network, self.view.width)
        crossings = None if creases is None else len(creases.position)
        straight = isinstance(field.encoding.config, Raw) and field.mlp.output == "linear"
        sentences = verdict(self.frequencies, recovered, crossings, straight=straight)
        write_png(path / "residual.png", residual_rgb(target[0, :, 0], drawn[0][0, :, 0]))
        if creases is not None:
            self._write_creases(path, creases)
        explanation = {
            "verdict": {"sentences": sentences},
            "amplitude_over_target": self._named(recovered.share),
            "relative_error": self._named(recovered.relative_error),
            "creases": None if creases is None else self._numbers(creases),
        }
        write_json(path / "explain.json", explanation)
        write_json(path / "spectra.json", signal_spectra(target[0, :, 0], drawn[0][0, :, 0]))
        progress(1.0)
        return {
            "crossings_per_pixel": None if crossings is None else crossings / self.view.width,
            "dead_neurons": None if creases is None else int(creases.dead.sum()),
            "explained_band": f"{self.frequencies[-1]} cycles",
            "primary_statistic": None,
            "amplitude_recovered": self._named(recovered.share),
            "verdict": sentences,
            "capacity": None,
        }

    def _write_creases(self, path: Path, creases: LineCreases) -> None:
        write_png(path / "density.png", crease_density_rgb(creases.per_sample(self.view.width)))
        write_npz(
            path / "creases.npz",
            position=creases.position,
            layer=creases.layer,
            units=np.array("position: place in [0, 1] where a neuron switches; layer: its hidden layer, from 0"),
        )

    def _numbers(self, creases: LineCreases) -> dict[str, Any]:
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

    def _recovered(self, drawn: Values) -> Recovered:
        return amplitudes_recovered(self.view.samples, drawn[0, :, 0], self.frequencies)

    def _named(self, numbers: Float[np.ndarray, " frequencies"]) -> Mapping[str, float | None]:
        pairs = zip(self.frequencies, numbers.tolist(), strict=True)
        return {f"{k} cycles": number if np.isfinite(number) else None for k, number in pairs}


def verdict(frequencies: Sequence[int], recovered: Recovered, crossings: int | None, *, straight: bool) -> list[str]:
    """What is there of each frequency, what is not, and whether creases are too few for the fastest.

    Args:
        crossings: creases on the line; None for a field without any kind of crease.
        straight: whether the field is straight between creases (raw coordinates, linear output).
    """
    if not np.isfinite(recovered.share).all():
        return ["The fit has diverged: there is nothing to explain."]
    shares = [f"{percent(share)} at {k}" for k, share in zip(frequencies, recovered.share, strict=True)]
    sentences = [f"Of the signal's amplitude there is {_and(shares)} cycles."]
    wrong = [str(k) for k, error in zip(frequencies, recovered.relative_error, strict=True) if error >= HALF]
    if wrong:
        sentences.append(f"At {_and(wrong)} cycles the error is half of the signal's amplitude or more.")
    else:
        sentences.append("At no frequency is the error as much as half of the signal's amplitude.")
    if crossings is None:
        return [*sentences, "The network is smooth and has no creases."]
    per_period = crossings / frequencies[-1]
    count = f"The line crosses {crossings:,} creases, {per_period:.3g} for each period of the fastest wave"
    if not straight:
        limit = "as the field bends between them as well, their number sets no limit."
    elif per_period < KNOTS_PER_PERIOD:
        limit = f"the field is straight between them, and a wave takes {KNOTS_PER_PERIOD} a period: these are too few."
    else:
        limit = f"the field is straight between them, and a wave takes {KNOTS_PER_PERIOD} a period: by number they do."
    return [*sentences, f"{count}; {limit}"]


def _and(words: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def _quick_creases(field: Field, view: Signal) -> LineCreases | None:
    """As frames show them: between samples by linear interpolation, which is as fine as the eye sees."""
    network = creased(field)
    if network is None:
        return None
    return line_creases(network, view.width, refine=starting_refinement(network.highest_frequency, view.width))
