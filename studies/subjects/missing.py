"""What is missing of a view, as drawings, arrays and numbers: the same of all scenes that are seen as pictures."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from fieldlens.analysis import Explanation, radial_spectra, spectral_bias
from fieldlens.analysis.detail.bands import rounding_variance
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
from fieldlens.render.colour import error_rgb, missing_rgb
from fieldlens.scenes.scene import View

from .creases import blocks
from .found import Files, Values

PER_OCTAVE = 8
"""Rings that share so small a part of an octave are joined: a chart would not tell them apart, and a file be long."""


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
