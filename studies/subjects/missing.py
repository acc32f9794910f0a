"""What is missing of a view, as drawings, arrays and numbers: the same of all scenes that are seen as pictures."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

import numpy as np
from jaxtyping import Float

from fieldlens.analysis import (
    Capacity,
    Crossings,
    Density,
    Explanation,
    Leverage,
    LeverageStatistic,
    OctaveProgress,
    Speed,
    radial_spectra,
    spectral_bias,
)
from fieldlens.analysis.detail.bands import rounding_variance
from fieldlens.analysis.detail.reasons import REASONS, Reasons
from fieldlens.analysis.detail.spectra import (
    LOOSE_CUTOFF,
    STRICT_CUTOFF,
    RadialSpectra,
    SpectralBias,
    line_spectra,
    merged_rings,
)
from fieldlens.configs.files import JsonObject
from fieldlens.configs.records import INLINE, to_json
from fieldlens.render.colour import density_rgb, error_rgb, leverage_rgb, missing_rgb, speed_rgb, steps_rgb
from fieldlens.scenes.scene import View

from ..foresight.foresight import Foreseen
from .creases import blocks
from .found import Files, Image, Values

PER_OCTAVE = 8
"""Rings that share so small a part of an octave are joined: a chart would not tell them apart, and a file be long."""


def speed_picture(speed: Speed, view: View) -> Image:
    """Speeds at the size of frames."""
    return blocks(speed_rgb(speed.detail.spread(speed.per_energy)), *view.preview)


def leverage_picture(leverage: Leverage, view: View) -> Image:
    """Leverage at the size of frames."""
    return blocks(leverage_rgb(leverage.detail.spread(leverage.mean)), *view.preview)


def density_picture(density: Density, view: View) -> Image:
    """The map at the size of frames."""
    return blocks(density_rgb(density.crossings_per_pixel), *view.preview)


def speed_arrays(speeds: Sequence[Speed]) -> Mapping[str, np.ndarray]:
    """How fast each octave's detail is moved, window by window."""
    arrays = {
        f"{name} {speed.detail.label}": values
        for speed in speeds
        for name, values in (
            ("speed", speed.per_energy),
            ("push by layer", speed.by_layer),
            ("row edges", speed.detail.windows.row_edges),
            ("column edges", speed.detail.windows.column_edges),
        )
    }
    units = np.array("speed: squared luma per unit of a gradient step; NaN where nothing is to move, or was not asked")
    return arrays | {"units": units}


def speed_numbers(speeds: Sequence[Speed]) -> list[JsonObject]:
    """Of each octave the median speed, that of a tenth of the windows each, and what of all push each layer has."""
    numbers: list[JsonObject] = []
    for speed in speeds:
        there = speed.per_energy[np.isfinite(speed.per_energy)]
        low, middle, high = np.quantile(there, (0.1, 0.5, 0.9)).tolist() if len(there) else (None, None, None)
        by_layer = np.nansum(speed.by_layer, (1, 2))
        numbers.append(
            {
                "octave": speed.detail.label,
                "windows": len(there),
                "median": middle,
                "tenth_of_windows_below": low,
                "tenth_of_windows_above": high,
                "share_by_layer": (by_layer / by_layer.sum()).tolist() if by_layer.sum() > 0 else None,
            }
        )
    return numbers


def leverage_arrays(leverage: Leverage) -> Mapping[str, np.ndarray]:
    """How much of the explained octave's detail could be moved while everything else stands still, window by window."""
    windows = leverage.detail.windows
    return {
        "leverage_by_layer": leverage.by_layer,
        "row_edges": windows.row_edges,
        "column_edges": windows.column_edges,
        "octave": np.array(leverage.detail.label),
        "units": np.array("shares, of each layer alone; NaN where there is no detail, or the window was not asked"),
    }


def leverage_numbers(leverage: Leverage) -> JsonObject:
    """The median leverage, of all layers and of each."""
    there = leverage.by_layer[:, np.isfinite(leverage.mean)]
    return {
        "octave": leverage.detail.label,
        "median": float(np.median(there.mean(0))) if there.size else None,
        "median_by_layer": np.median(there, 1).tolist() if there.size else None,
    }


def primary_numbers(statistic: LeverageStatistic) -> JsonObject:
    """How leverage goes with what is missing."""
    return {"quantity": "leverage"} | to_json(statistic) | {"sentence": statistic.sentence}


def progress_arrays(foreseen: Foreseen, reasons: Reasons) -> Mapping[str, np.ndarray]:
    """What the next step does to each window of the octave that is explained, and why that is what it does."""
    octave = foreseen.octave
    return {
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


def steps_map(octave: OctaveProgress, floor: Float[np.ndarray, "rows columns"]) -> Float[np.ndarray, "h w"]:
    """Steps until half of what each window lacks is mended; NaN where no more than the floor is missing."""
    return octave.windows.spread(np.where(octave.energy > floor, octave.steps_to_mend, np.nan))


def progress_picture(foreseen: Foreseen, view: View) -> Image:
    """Steps until half of what each window lacks is mended, at the size of frames."""
    return blocks(steps_rgb(steps_map(foreseen.octave, foreseen.floor)), *view.preview)


def reasons_numbers(foreseen: Foreseen, reasons: Reasons, sentences: Sequence[str]) -> JsonObject:
    """What explain.json says of the reasons."""
    steps = reasons.steps_to_mend
    return {
        "octave": foreseen.label,
        "leading": reasons.leading,
        "shares": {reason: asdict(share) for reason, share in reasons.shares.items()},
        "steps_to_mend_half_of_what_is_on_its_way": steps if math.isfinite(steps) else None,
        "sentences": list(sentences),
    }


def missing_files(explanation: Explanation, view: View, target: Values, drawn: Values) -> Files:
    """The error, what is missing of the view's windows, and spectra."""
    height, width = view.preview
    return Files(
        pictures={
            "error": error_rgb(target, drawn, size=(height, width)),
            "missing": missing_rgb(blocks(explanation.missing_map(), height, width)),
        },
        arrays={
            "missing": {
                "missing_fraction": explanation.energies.missing_fraction,
                "signed_deficit": explanation.energies.signed_deficit,
                "target_energy": explanation.energies.target,
                "residual_energy": explanation.energies.residual,
                "row_edges": explanation.windows.row_edges,
                "column_edges": explanation.windows.column_edges,
                "band": np.array(explanation.band),
                "units": np.array(
                    "per window of the band; energies are mean squares of luma; edges of windows in pixels"
                ),
            }
        },
        numbers={"spectra": to_json(picture_spectra(target, drawn))},
    )


def capacity_files(refit: Capacity, view: View) -> Files:
    """What refits of the output layer leave of the error, in their windows."""
    remaining = refit.windows.spread(refit.remaining_share)
    return Files(
        pictures={"capacity": missing_rgb(blocks(remaining, *view.preview))},
        arrays={
            "capacity": {
                "residual_energy": refit.residual,
                "remaining_energy": refit.remaining,
                "cosine_waves_remaining_energy": refit.null_remaining,
                "degrees_of_freedom": refit.freedom,
                "limited": refit.limited,
                "valid": refit.valid,
                "row_edges": refit.windows.row_edges,
                "column_edges": refit.windows.column_edges,
                "patch_px": np.array(refit.patch_px or 0),
                "units": np.array(
                    "per window; energies are mean squares over pixels and channels, remaining ones at pixels not "
                    "fitted; edges of windows in pixels; patch_px: side of the middle of each that was looked at, 0 "
                    "for all"
                ),
            }
        },
    )


def density_files(density: Density, refined: Crossings, view: View) -> Files:
    """The density of creases."""
    return Files(
        pictures={"density": density_picture(density, view)},
        arrays={
            "density": {
                "length": density.length,
                "bend": density.bend if density.bend is not None else np.zeros(0, np.float32),
                "stride": np.array(density.stride),
                "crossings": refined.per_pixel,
                "crossings_stride": np.array(refined.stride),
                "units": np.array(
                    "length: crease length per area, pixels per square pixel (layers, rows, columns); "
                    "bend: length times change of slope, value per square pixel (layers, rows, columns); "
                    "crossings: per pixel, in x, y, diagonal, antidiagonal direction (4, layers, rows, columns); "
                    "one row or column for every stride-th (crossings_stride-th) pixel"
                ),
            }
        },
    )


@dataclass(frozen=True)
class PictureSpectra:
    """What spectra.json says of pictures alone."""

    rounding: float
    """Power of rounding to 8 bits."""
    resolved_frequency: Mapping[str, float | None]
    """By the threshold in words."""
    spectral_bias: SpectralBias | None


@dataclass(frozen=True, eq=False)
class SavedSpectra:
    """The spectra of a target and a reconstruction, ring by ring: spectra.json. None where nothing is defined."""

    frequency: list[float]
    """Rising."""
    target: list[float | None]
    """Power of a coefficient, as of the two that follow."""
    reconstruction: list[float | None]
    residual: list[float | None]
    ring_correlation: list[float | None]
    of_picture: PictureSpectra | None = field(metadata=INLINE)
    units: str


def picture_spectra(target: Values, drawn: Values) -> SavedSpectra:
    """Radial spectra of a picture's luma."""
    spectra = radial_spectra(target, drawn)
    height, width, _ = target.shape
    return SavedSpectra(
        **_rings(spectra),
        of_picture=PictureSpectra(
            rounding=rounding_variance() / (height * width),
            resolved_frequency={
                "ring correlation 1/7": spectra.resolved_frequency(LOOSE_CUTOFF),
                "ring correlation 1/2": spectra.resolved_frequency(STRICT_CUTOFF),
            },
            spectral_bias=spectral_bias(spectra),
        ),
        units="frequencies in cycles per pixel; power: mean square of luma for each coefficient of the DCT",
    )


def signal_spectra(signal: Float[np.ndarray, " n"], drawn: Float[np.ndarray, " n"]) -> SavedSpectra:
    """The same of a signal's discrete Fourier transform."""
    return SavedSpectra(
        **_rings(line_spectra(signal, drawn)),
        of_picture=None,
        units="frequencies in cycles over the signal; power: mean square for each sine or cosine",
    )


def _rings(spectra: RadialSpectra) -> JsonObject:
    rings = merged_rings(spectra, PER_OCTAVE)
    energies = rings.energies
    return {
        "frequency": rings.frequency.tolist(),
        "target": _or_none(rings.power(energies.target)),
        "reconstruction": _or_none(rings.power(energies.reconstruction)),
        "residual": _or_none(rings.power(energies.residual)),
        "ring_correlation": _or_none(rings.ring_correlation),
    }


def _or_none(values: Float[np.ndarray, " rings"]) -> list[float | None]:
    return [float(value) if np.isfinite(value) else None for value in values]
