"""Spectra of the end of a run, and when each octave or frequency was learnt: spectra.json, and what is reported."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from analysis import half_energy_step, half_error_step, radial_spectra, spectral_bias
from analysis.bands import rounding_variance
from analysis.fourier import LOOSE_CUTOFF, STRICT_CUTOFF, RadialSpectra, line_spectra, merged_rings
from report import Learnt, Spectra

from .metrics import Row

PER_OCTAVE = 8
"""Rings that share so small a part of an octave are joined: a chart would not tell them apart, and a file be long."""


def picture_spectra(target: Float[np.ndarray, "h w c"], drawn: Float[np.ndarray, "h w c"]) -> dict[str, Any]:
    """Radial spectra of a picture's luma as strict JSON: power a coefficient, null where nothing is defined."""
    spectra = radial_spectra(target, drawn)
    bias = spectral_bias(spectra)
    height, width, _ = target.shape
    return {
        **_spectra_json(spectra),
        "rounding": rounding_variance() / (height * width),
        "resolved_frequency": {
            "ring correlation 1/7": spectra.resolved_frequency(LOOSE_CUTOFF),
            "ring correlation 1/2": spectra.resolved_frequency(STRICT_CUTOFF),
        },
        "spectral_bias": None if bias is None else {"value": bias.value, "cut": bias.cut},
        "units": "frequencies in cycles per pixel; power: mean square of luma for each coefficient of the DCT",
    }


def signal_spectra(signal: Float[np.ndarray, " n"], drawn: Float[np.ndarray, " n"]) -> dict[str, Any]:
    """The same of a signal's discrete Fourier transform."""
    return {
        **_spectra_json(line_spectra(signal, drawn)),
        "units": "frequencies in cycles over the signal; power: mean square for each sine or cosine",
    }


def _spectra_json(spectra: RadialSpectra) -> dict[str, Any]:
    rings = merged_rings(spectra, PER_OCTAVE)
    energies = rings.energies
    return {
        "frequency": rings.frequency.tolist(),
        "target": _or_null(rings.power(energies.target)),
        "reconstruction": _or_null(rings.power(energies.reconstruction)),
        "residual": _or_null(rings.power(energies.residual)),
        "ring_correlation": _or_null(rings.ring_correlation),
    }


def _or_null(values: Float[np.ndarray, " rings"]) -> list[float | None]:
    return [float(value) if np.isfinite(value) else None for value in values]


def spectra_part(found: Mapping[str, Any]) -> Spectra:
    """What the report shows of spectra.json: powers in dB, and up to where detail is resolved."""
    return Spectra(
        frequency=found["frequency"],
        power_db={kind: list(map(_decibels, found[kind])) for kind in ("target", "reconstruction", "residual")},
        rounding_db=_decibels(found.get("rounding")),
        correlation=found["ring_correlation"],
        resolved=found.get("resolved_frequency", {}),
    )


def _decibels(power: float | None) -> float | None:
    return None if power is None or power <= 0 else float(10 * np.log10(power))


def learnt_parts(rows: Sequence[Row], labels: Sequence[str], *, of_signal: bool) -> list[Learnt]:
    """When each octave band, or each frequency of a signal, came to hold half of the target's energy and error."""
    steps = [row.step for row in rows]
    # an amplitude counts as an energy does: by its square
    kept = [[_squared(v) for v in row.amplitudes] if of_signal else row.energy_kept for row in rows]
    error = [row.amplitude_errors if of_signal else row.relative_error for row in rows]
    recorded = any(map(len, error))  # runs of earlier versions have none
    energies = half_energy_step(steps, _columns(kept, len(labels)))
    errors = half_error_step(steps, _columns(error, len(labels)))
    return [
        Learnt(label, (energy.first, energy.lasting), (error.first, error.lasting) if recorded else None)
        for label, energy, error in zip(labels, energies, errors, strict=True)
    ]


def _squared(value: float | None) -> float | None:
    return None if value is None else value**2


def _columns(rows: Sequence[Sequence[float | None]], count: int) -> Float[np.ndarray, "rows columns"]:
    """Rows filled up with NaN, which is what is not known."""
    return np.array([[*row, *[None] * count][:count] for row in rows], np.float64)
