"""The report's spectra: what a low pass leaves of a picture, and since when octaves are there."""

import json

import numpy as np
import pytest
from scipy.fft import dctn, idctn

from fieldlens.configs.records import from_json, to_json
from fieldlens.studies.runs.learnt import learnt_parts, spectra_part
from fieldlens.studies.subjects.found import Row
from fieldlens.studies.subjects.missing import SavedSpectra, picture_spectra, signal_spectra

NOISE = np.random.default_rng(0).uniform(0.3, 0.7, (96, 96)).astype(np.float32)


def low_passed(picture: np.ndarray, cut: float) -> np.ndarray:
    """Without the coefficients of the cosine transform above a frequency in cycles per pixel."""
    coefficients = np.asarray(dctn(picture, norm="ortho"))
    rows, columns = (np.arange(side) / (2 * side) for side in picture.shape)
    coefficients[np.hypot(rows[:, None], columns) > cut] = 0
    return np.asarray(idctn(coefficients, norm="ortho"), np.float32)


def as_written(spectra: SavedSpectra) -> SavedSpectra:
    """As a file of strict JSON has them."""
    return from_json(SavedSpectra, json.loads(json.dumps(to_json(spectra), allow_nan=False)))


def test_a_low_pass_is_resolved_up_to_its_cut_and_what_is_left_is_the_target_beyond():
    found = as_written(picture_spectra(NOISE[..., None], low_passed(NOISE, 0.2)[..., None]))
    assert to_json(found)["resolved_frequency"] == pytest.approx(
        {"ring correlation 1/7": 0.2, "ring correlation 1/2": 0.2}, abs=0.02
    )
    shown = spectra_part(found)
    beyond = np.array(shown.frequency) > 0.23
    target, residual = (np.array(shown.power_db[name], float) for name in ("target", "residual"))
    np.testing.assert_allclose(residual[beyond], target[beyond], atol=1e-3)
    assert residual[np.array(shown.frequency) < 0.18].max() < target.min() - 40


def test_white_noise_and_the_rounding_to_8_bits_are_as_loud_as_their_variances_say():
    shown = spectra_part(picture_spectra(NOISE[..., None], NOISE[..., None]))
    fine = np.array(shown.power_db["target"], float)[np.array(shown.frequency) > 0.2]
    per_coefficient = NOISE.var() / NOISE.size
    assert fine.mean() == pytest.approx(10 * np.log10(per_coefficient), abs=0.3)
    assert shown.rounding_db == pytest.approx(10 * np.log10((1 / 255) ** 2 / 12 / NOISE.size))


def test_a_drawing_that_is_not_finite_has_a_target_and_nothing_else():
    found = picture_spectra(NOISE[..., None], np.full_like(NOISE, np.nan)[..., None])
    shown = spectra_part(as_written(found))
    assert None not in shown.power_db["target"]
    assert set(shown.power_db["residual"]) == {None}


def test_a_signals_wave_is_one_peak_in_the_file():
    t = (np.arange(128) + 0.5) / 128
    wave = 0.5 + 0.25 * np.sin(2 * np.pi * 5 * t)
    found = signal_spectra(wave, 0.5 + 0.4 * (wave - 0.5))
    peak = found.frequency.index(5.0)
    assert found.target[peak] == pytest.approx(0.25**2 / 2 / 2)  # half the square, shared by sine and cosine
    assert found.residual[peak] == pytest.approx(0.6**2 * 0.25**2 / 2 / 2)
    assert not spectra_part(found).resolved


def row(step: int, kept: list[float | None], error: list[float | None], amplitudes: list[float] | None = None) -> Row:
    return Row(step, 0.0, None, 20.0, None, kept, error, amplitudes or (), error if amplitudes else ())


def test_octaves_are_there_from_the_step_that_halves_energy_or_error():
    rows = [
        row(0, [0.0, 0.1, None], [1.0, 0.9, None]),
        row(10, [0.1, 0.6, None], [0.9, 0.6, None]),
        row(20, [0.2, 0.4, None], [0.8, 0.4, None]),
        row(30, [0.3, 0.7, None], [0.7, 0.3, None]),
    ]
    fine, coarse, empty = learnt_parts(rows, ["2-4 px", "4-8 px", "8+ px"], in_cycles=False)
    assert (fine.half_energy, fine.half_error) == ((None, None), (None, None))
    assert (coarse.half_energy, coarse.half_error) == ((10, 30), (20, 20))
    assert (empty.half_energy, empty.half_error) == ((None, None), (None, None))


def test_an_amplitude_of_seven_tenths_is_not_yet_half_of_the_energy():
    rows = [row(0, [], [0.6], [0.7]), row(5, [], [0.4], [0.71])]
    (part,) = learnt_parts(rows, ["5 cycles"], in_cycles=True)
    assert (part.half_energy, part.half_error) == ((5, 5), (5, 5))
