"""Spectra of the end of a run, and when each octave or frequency was learnt, as the report shows them."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from fieldlens.analysis import half_energy_step, half_error_step
from fieldlens.report import Learnt, Spectra
from fieldlens.studies.subjects.found import Row
from fieldlens.studies.subjects.missing import SavedSpectra


def spectra_part(found: SavedSpectra) -> Spectra:
    """Powers in dB, and up to where detail is resolved."""
    powers = {"target": found.target, "reconstruction": found.reconstruction, "residual": found.residual}
    return Spectra(
        frequency=found.frequency,
        power_db={kind: list(map(_decibels, power)) for kind, power in powers.items()},
        rounding_db=_decibels(found.of_picture and found.of_picture.rounding),
        correlation=found.ring_correlation,
        resolved=found.of_picture.resolved_frequency if found.of_picture else {},
    )


def _decibels(power: float | None) -> float | None:
    return None if power is None or power <= 0 else float(10 * np.log10(power))


def learnt_parts(rows: Sequence[Row], labels: Sequence[str], *, in_cycles: bool) -> list[Learnt]:
    """When each octave band, or each frequency of a signal, came to hold half of the target's energy and error."""
    steps = [row.step for row in rows]
    # an amplitude counts as an energy does: by its square
    kept = [[_squared(v) for v in row.amplitudes] if in_cycles else row.energy_kept for row in rows]
    error = [row.amplitude_errors if in_cycles else row.relative_error for row in rows]
    energies = half_energy_step(steps, _columns(kept, len(labels)))
    errors = half_error_step(steps, _columns(error, len(labels)))
    return [
        Learnt(label, (energy.first, energy.lasting), (error.first, error.lasting))
        for label, energy, error in zip(labels, energies, errors, strict=True)
    ]


def _squared(value: float | None) -> float | None:
    return None if value is None else value**2


def _columns(rows: Sequence[Sequence[float | None]], count: int) -> Float[np.ndarray, "rows columns"]:
    """Rows filled up with NaN, which is what is not known."""
    return np.array([[*row, *[None] * count][:count] for row in rows], np.float64)
