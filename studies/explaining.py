"""Why detail is missing, for one field: crease maps, bands, the explanation, and the files that hold them."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from analysis import (
    MIN_WINDOW_PX,
    Capacity,
    CapacityVerdict,
    Crossings,
    Density,
    Explanation,
    ReluNetwork,
    capacity,
    capacity_verdict,
    crease_density,
    crossings,
    explain,
    refined_crossings,
    relu_network,
)
from configs.files import write_json
from fields import Field, Trainable, position_of
from render.colour import density_rgb, error_rgb, missing_rgb
from render.files import write_npz, write_png
from scenes.scene import View

MAP_SIDE = 512
"""Density is sampled about this often along the longer side, and at least once in the smallest window."""
FRAME_MAP_SIDE = 256
"""The same for the density of a frame in progress."""
REFINED_SIDE = 64
"""Pixels along the longer side in which crossings are counted at sub-pixel steps."""

Progress = Callable[[float], None]


@dataclass(frozen=True, eq=False)
class Findings:
    """What the analysis of one field found; the maps are None for a field without creases (SIREN)."""

    explanation: Explanation
    density: Density | None
    pixels: Crossings | None
    """One sample a pixel."""
    refined: Crossings | None
    """Sub-pixel steps, in a lattice of pixels."""
    capacity: Capacity | None

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
        return capacity_verdict(refit.removed, refit.null_removed, refit.whole_removed, refit.windows.side)

    @property
    def dead_neurons(self) -> int | None:
        """Hidden neurons that are on at no pixel."""
        return None if self.pixels is None else int(self.pixels.dead.sum())

    def to_json(self) -> dict[str, Any]:
        """The explanation and what was measured of creases, as strict JSON."""
        return self.explanation.to_json() | {"capacity": self._capacity(), "creases": self._creases()}

    def _capacity(self) -> dict[str, Any] | None:
        if self.capacity is None:
            return None
        said = self.capacity_verdict
        words = {"sentence": said and said.sentence, "outcome": said and said.outcome}
        return words | self.capacity.to_json()

    def _creases(self) -> dict[str, Any] | None:
        if self.density is None or self.pixels is None or self.refined is None:
            return None
        directions = self.refined.per_pixel.sum(1).mean((1, 2))
        return {
            "crossings_per_pixel": self.crossings_per_pixel,
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
) -> Findings:
    """Measure the creases of a field over a view, and whether they go with what `drawn` is missing of `target`."""
    tell = progress or (lambda _share: None)
    density = pixels = refined = refit = None
    maps: dict[str, Float[np.ndarray, "rows columns"] | None] = {"coarea": None}
    network = creased(field)
    if network is not None and np.isfinite(drawn).all():  # a fit that has diverged has no maps to speak of
        side = max(view.height, view.width)
        stride = min(math.ceil(side / MAP_SIDE), MIN_WINDOW_PX)
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
            stride=min(math.ceil(side / REFINED_SIDE), MIN_WINDOW_PX),
            max_refine=32,
            progress=lambda share: tell(0.7 + 0.2 * share),
        )
        refit = capacity(network, target, drawn, progress=lambda share: tell(0.9 + 0.1 * share))
        assert density.bend is not None  # it was asked for
        maps = {
            "coarea": density.length.sum(0),
            "crossings": refined.mean_per_pixel,
            "bend": density.bend.sum(0),
        }
    explanation = explain(target, drawn, maps, seed=seed)
    tell(1.0)
    return Findings(explanation, density, pixels, refined, refit)


def primary_statistic(explanation: Explanation) -> dict[str, float | None] | None:
    """The statistic that decided and its interval, as run.json has it; None where it is not defined."""
    association = explanation.primary
    if association.estimate is None:
        return None
    interval = association.interval
    low, high = (None, None) if interval is None else (interval.low, interval.high)
    return {"value": association.estimate, "low": low, "high": high}


def creases_summary(findings: Findings) -> dict[str, Any]:
    """What run.json says of the explanation."""
    return {
        "crossings_per_pixel": findings.crossings_per_pixel,
        "dead_neurons": findings.dead_neurons,
        "explained_band": findings.explanation.band,
        "primary_statistic": primary_statistic(findings.explanation),
        "verdict": list(findings.explanation.verdict.sentences),
        "capacity": None if findings.capacity_verdict is None else findings.capacity_verdict.sentence,
    }


def has_creases(field: Trainable) -> bool:
    """Whether the activation has a kink."""
    return position_of(field).mlp.activation != "sine"


def creased(field: Trainable) -> ReluNetwork | None:
    """The network whose creases can be measured; None for a field without any, or one that has diverged."""
    network = relu_network(position_of(field)) if has_creases(field) else None
    return network if network is not None and network.is_finite else None


def density_picture(field: Field, view: View) -> UInt8[np.ndarray, "h w 3"] | None:
    """Crease density as frames in progress show it; None for a field without creases, or one that has diverged."""
    network = creased(field)
    if network is None:
        return None
    stride = math.ceil(max(view.height, view.width) / FRAME_MAP_SIDE)
    return _density_rgb(crease_density(network, view.height, view.width, stride=stride), view)


def _density_rgb(density: Density, view: View) -> UInt8[np.ndarray, "h w 3"]:
    """The map at the size of frames; blocks stay blocks."""
    return blocks(density_rgb(density.crossings_per_pixel), *view.preview)


def blocks(values: np.ndarray, height: int, width: int) -> np.ndarray:
    """Enlarged or reduced without blending neighbours."""
    return cv2.resize(values, (width, height), interpolation=cv2.INTER_NEAREST)


def write_missing(
    path: Path,
    explanation: Explanation,
    view: View,
    target: Float[np.ndarray, "h w c"],
    drawn: Float[np.ndarray, "h w c"],
) -> None:
    """Write the error and what is missing of the view's windows, as pictures and arrays, into the folder `path`."""
    height, width = view.preview
    write_png(path / "error.png", error_rgb(target, drawn, size=(height, width)))
    write_png(path / "missing.png", missing_rgb(blocks(explanation.missing_map(), height, width)))
    write_npz(
        path / "missing.npz",
        missing_fraction=explanation.energies.missing_fraction,
        signed_deficit=explanation.energies.signed_deficit,
        target_energy=explanation.energies.target,
        residual_energy=explanation.energies.residual,
        row_edges=explanation.windows.row_edges,
        column_edges=explanation.windows.column_edges,
        band=np.array(explanation.band),
        units=np.array("per window of the band; energies are mean squares of luma; edges of windows in pixels"),
    )


def write_findings(
    path: Path,
    findings: Findings,
    view: View,
    target: Float[np.ndarray, "h w c"],
    drawn: Float[np.ndarray, "h w c"],
) -> None:
    """Write maps as arrays and pictures, and explain.json, into the folder `path`."""
    height, width = view.preview
    write_json(path / "explain.json", findings.to_json())
    write_missing(path, findings.explanation, view, target, drawn)
    if findings.capacity is not None:
        refit = findings.capacity
        remaining = refit.windows.spread(refit.remaining_share)
        write_png(path / "capacity.png", missing_rgb(blocks(remaining, height, width)))
        write_npz(
            path / "capacity.npz",
            residual_energy=refit.residual,
            remaining_energy=refit.remaining,
            cosine_waves_remaining_energy=refit.null_remaining,
            degrees_of_freedom=refit.freedom,
            limited=refit.limited,
            valid=refit.valid,
            row_edges=refit.windows.row_edges,
            column_edges=refit.windows.column_edges,
            patch_px=np.array(refit.patch_px or 0),
            units=np.array(
                "per window; energies are mean squares over pixels and channels, remaining ones at pixels not fitted; "
                "edges of windows in pixels; patch_px: side of the middle of each that was looked at, 0 for all"
            ),
        )
    if findings.density is not None and findings.refined is not None:
        density, refined = findings.density, findings.refined
        write_png(path / "density.png", _density_rgb(density, view))
        write_npz(
            path / "density.npz",
            length=density.length,
            bend=density.bend if density.bend is not None else np.zeros(0, np.float32),
            stride=np.array(density.stride),
            crossings=refined.per_pixel,
            crossings_stride=np.array(refined.stride),
            units=np.array(
                "length: crease length per area, pixels per square pixel (layers, rows, columns); "
                "bend: length times change of slope, value per square pixel (layers, rows, columns); "
                "crossings: per pixel, in x, y, diagonal, antidiagonal direction (4, layers, rows, columns); "
                "one row or column for every stride-th (crossings_stride-th) pixel"
            ),
        )
