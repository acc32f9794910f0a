"""Spectra: energy is counted once, frequencies lie where they are known to, and steps are those that were crossed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldlens.analysis.detail import rows
from fieldlens.analysis.detail.bands import octave_bands
from fieldlens.analysis.detail.spectra import (
    RadialSpectra,
    Reached,
    amplitudes_recovered,
    bands_over_training,
    half_energy_step,
    half_error_step,
    line_spectra,
    line_spectrum,
    merged_rings,
    power_law_slope,
    radial_spectra,
    spectral_bias,
)
from fieldlens.configs.errors import InputError
from fieldlens.scenes.builtin import band_limited_noise, zone_plate


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((height, width, 1), np.float32)


def low_passed(picture: np.ndarray, cut: float) -> np.ndarray:
    """Without what lies above `cut` cycles per pixel, by a mask on the FFT of it and its mirror images."""
    height, width, _ = picture.shape
    mirrored = np.block([[picture[..., 0], picture[:, ::-1, 0]], [picture[::-1, :, 0], picture[::-1, ::-1, 0]]])
    frequency = np.hypot(np.fft.fftfreq(2 * height)[:, None], np.fft.fftfreq(2 * width))
    return np.fft.ifft2(np.fft.fft2(mirrored) * (frequency < cut)).real[:height, :width, None].astype(np.float32)


def spectra_of(picture: np.ndarray) -> RadialSpectra:
    return radial_spectra(picture, np.zeros_like(picture))


@given(st.integers(1, 40), st.integers(1, 40))
def test_energies_of_the_rings_add_up_to_the_variance(height, width):
    picture, other = noise(height, width), noise(height, width, 1)
    energies = radial_spectra(picture, other).energies
    for energy, values in ((energies.target, picture), (energies.reconstruction, other)):
        assert energy.sum() == pytest.approx(values.var(dtype=np.float64), rel=1e-4, abs=1e-12)
    assert energies.residual.sum() == pytest.approx((picture - other).var(dtype=np.float64), rel=1e-4, abs=1e-12)


@given(st.integers(2, 60), st.integers(2, 60), st.integers(1, 12))
def test_joined_rings_keep_all_energies_and_coefficients(height, width, per_octave):
    spectra = radial_spectra(noise(height, width), noise(height, width, 1))
    joined = merged_rings(spectra, per_octave)
    for name in ("target", "reconstruction", "residual", "cross", "floor"):
        assert getattr(joined.energies, name).sum() == pytest.approx(getattr(spectra.energies, name).sum())
    assert joined.coefficients.sum() == spectra.coefficients.sum()
    assert (np.diff(joined.frequency) > 0).all()
    octaves = np.log2(spectra.frequency[-1] / spectra.frequency[0])
    assert len(joined.frequency) <= per_octave * octaves + 1


def test_rings_of_an_octave_are_as_many_as_asked_for():
    joined = merged_rings(spectra_of(noise(256, 256)), 4)
    octave = (joined.frequency >= 0.25) & (joined.frequency < 0.5)
    assert octave.sum() == 4


@given(st.integers(4, 60))
def test_energies_of_a_signals_frequencies_add_up_to_the_variance(count):
    random = np.random.default_rng(count)
    signal, other = random.uniform(0, 1, count), random.uniform(0, 1, count)
    energies = line_spectra(signal, other).energies
    assert energies.target.sum() == pytest.approx(signal.var())
    assert energies.residual.sum() == pytest.approx((signal - other).var())
    covariance = ((signal - signal.mean()) * (other - other.mean())).mean()
    assert energies.cross.sum() == pytest.approx(covariance)


@given(st.integers(1, 40), st.integers(1, 40))
def test_every_coefficient_but_the_mean_is_in_one_ring(height, width):
    spectra = spectra_of(noise(height, width))
    assert spectra.coefficients.sum() == height * width - 1
    assert (spectra.coefficients >= 0).all()


def test_rings_do_not_depend_on_how_many_rows_are_gone_through_at_once(monkeypatch):
    picture, other = noise(30, 47), noise(30, 47, 1)
    whole = radial_spectra(picture, other)
    monkeypatch.setattr(rows, "BLOCK_NUMBERS", 100)
    np.testing.assert_allclose(radial_spectra(picture, other).energies.cross, whole.energies.cross, atol=1e-15)


@pytest.mark.parametrize("shape", [(64, 64), (40, 96), (97, 33)])
@pytest.mark.parametrize("axis", [0, 1])
def test_a_wave_lies_in_the_ring_of_its_frequency(shape, axis):
    half_waves = 21
    position = (np.arange(shape[axis]) + 0.5) / shape[axis]
    wave = np.moveaxis(
        np.broadcast_to(np.cos(np.pi * half_waves * position), shape[::-1] if axis == 0 else shape), -1, axis
    )
    spectra = spectra_of((0.5 + 0.4 * wave)[..., None].astype(np.float32))
    ring = np.argmax(spectra.energies.target)
    assert spectra.energies.target[ring] / spectra.energies.target.sum() > 0.999
    frequency = half_waves / (2 * shape[axis])
    assert abs(spectra.frequency[ring] - frequency) <= 0.5 / max(shape) + 1e-9


def test_the_power_of_white_noise_is_flat():
    spectra = spectra_of(noise(256, 200))
    power = spectra.power(spectra.energies.target)
    many = spectra.coefficients > 400
    assert many.sum() > 50
    np.testing.assert_allclose(power[many] * 256 * 200, 1 / 12, rtol=0.25)
    slope = power_law_slope(spectra.frequency, power, 0.02, 0.5)
    assert slope is not None
    assert abs(slope) < 0.03


def test_the_zone_plate_has_at_each_radius_the_energy_of_its_pixels_of_that_frequency():
    # a pixel at (x, y) from the centre has the frequency (x / N, y / N): the share of energy up to a frequency f is
    # that of the pixels within f N of the centre
    spectra = spectra_of(zone_plate())
    offset = np.arange(512) + 0.5 - 256
    radius = np.hypot(offset[:, None], offset) / 512
    energy = np.cumsum(spectra.energies.target) / spectra.energies.target.sum()
    for f in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6):
        up_to = int(f * 512)
        assert energy[up_to - 1] == pytest.approx((radius < f).mean(), abs=0.02)


@pytest.mark.parametrize("cut", [0.1, 0.25, 0.4])
def test_a_zone_plate_that_ends_at_a_radius_has_its_cut_at_that_frequency(cut):
    offset = np.arange(512) + 0.5 - 256
    # the disc fades out over 16 px: an edge would have a spectrum of its own, and this one ends 1/16 from the cut
    disc = np.clip((cut * 512 - np.hypot(offset[:, None], offset)) / 16 + 0.5, 0, 1)[..., None]
    spectra = spectra_of((0.5 + disc * (zone_plate() - 0.5)).astype(np.float32))
    power = spectra.power(spectra.energies.target)
    inside = power[spectra.frequency < cut - 0.03].mean()
    beyond = power[spectra.frequency > cut + 1 / 16]
    assert beyond.max() < 0.01 * inside
    half = spectra.frequency[np.flatnonzero(power > 0.25 * inside)[-1]]
    assert half == pytest.approx(cut, abs=0.02)


def test_equal_energy_in_each_octave_is_a_slope_of_minus_two():
    spectra = spectra_of(band_limited_noise())
    power = spectra.power(spectra.energies.target)
    slope = power_law_slope(spectra.frequency, power, 1 / 100, 1 / 5)
    assert slope == pytest.approx(-2, abs=0.1)


def test_a_slope_needs_three_rings():
    f = np.arange(1.0, 10.0)
    assert power_law_slope(f, 1 / f, 3, 4) is None
    assert power_law_slope(f, np.zeros(9), 1, 9) is None


@pytest.mark.parametrize("shape", [(64, 64), (65, 40), (1, 80), (3, 50)])
def test_a_picture_correlates_with_itself_and_with_a_paler_copy(shape):
    picture = noise(*shape)
    for copy in (picture, 0.5 + 0.3 * (picture - 0.5)):
        spectra = radial_spectra(picture, copy)
        held = spectra.coefficients > 0
        np.testing.assert_allclose(spectra.ring_correlation[held], 1, atol=1e-4)
        assert spectra.resolved_frequency() == spectra.frequency[held][-1]


def test_independent_noise_does_not_correlate():
    spectra = radial_spectra(noise(200, 256), noise(200, 256, 1))
    spread = spectra.ring_correlation * np.sqrt(np.maximum(spectra.coefficients, 1))
    assert spread.std() == pytest.approx(1, abs=0.2)  # as of independent numbers: one over the root of their count
    assert np.abs(spread).max() < 4.5


@pytest.mark.parametrize("shape", [(128, 128), (90, 141)])
@pytest.mark.parametrize("cut", [0.1, 0.23])
def test_a_low_passed_copy_is_resolved_up_to_the_pass_frequency(shape, cut):
    picture = 0.3 + 0.4 * noise(*shape)
    spectra = radial_spectra(picture, low_passed(picture, cut))
    for threshold in (1 / 7, 0.5):
        assert spectra.resolved_frequency(threshold) == pytest.approx(cut, abs=2 / max(shape))
    error = spectra.relative_error
    np.testing.assert_allclose(error[spectra.frequency < cut - 1 / max(shape)], 0, atol=1e-3)
    np.testing.assert_allclose(error[spectra.frequency > cut + 1 / max(shape)], 1, atol=1e-3)


def test_nothing_is_resolved_of_a_picture_that_is_not_there():
    assert radial_spectra(noise(40, 40), noise(40, 40) * 0 + 0.5).resolved_frequency() == 0
    one_tone = np.full((40, 30, 3), 0.25, np.float32)
    spectra = radial_spectra(one_tone, noise(40, 30).repeat(3, -1))
    assert spectra.resolved_frequency() is None
    assert np.isnan(spectra.relative_error).all()
    assert spectral_bias(spectra) is None
    assert spectra_of(np.zeros((1, 1, 1), np.float32)).resolved_frequency() is None


def test_the_bias_is_one_where_only_fine_error_is_left_and_minus_one_where_only_coarse():
    picture = 0.3 + 0.4 * noise(96, 64)
    blurred = low_passed(picture, 0.2)
    high = spectral_bias(radial_spectra(picture, blurred), cut=0.2)
    low = spectral_bias(radial_spectra(picture, picture - blurred + 0.5), cut=0.2)
    assert high is not None
    assert low is not None
    assert high.value == pytest.approx(1, abs=0.03)
    assert high.cut == 0.2
    assert low.value == pytest.approx(-1, abs=0.03)


def test_an_error_in_proportion_to_the_target_has_no_bias():
    picture = zone_plate()
    bias = spectral_bias(radial_spectra(picture, 0.5 + 0.4 * (picture - 0.5)))
    assert bias is not None
    assert bias.value == pytest.approx(0, abs=0.01)
    # half of the pixels of a square lie within this of its centre, and with them half of the zone plate's energy
    assert bias.cut == pytest.approx(1 / np.sqrt(2 * np.pi), abs=0.005)


def test_steps_are_the_first_that_holds_and_the_first_that_holds_for_good():
    steps = [0, 10, 20, 40]
    kept = [[0.6, 0.1, None, 0.5], [0.4, 0.2, None, 0.5], [0.7, 0.3, None, 0.5], [0.8, 0.4, None, 0.5]]
    never = Reached(None, None)
    assert half_energy_step(steps, kept) == (Reached(0, 20), never, never, Reached(0, 0))
    assert half_error_step(steps, np.array([[0.6], [0.4], [0.4], [0.6]])) == (Reached(10, None),)
    with pytest.raises(InputError, match="4 steps"):
        half_energy_step(steps, kept[:2])


def test_bands_arrive_in_the_order_in_which_they_are_added():
    picture = noise(64, 64)
    bands = list(octave_bands(picture[..., 0]))
    # put the bands back one at a time, coarsest first: each has a part of its neighbours', so filter once more
    drawn, steps = [np.full((64, 64, 1), picture.mean(), np.float32)], [0]
    for step, band in enumerate(reversed(range(len(bands))), start=1):
        drawn.append(drawn[-1] + list(octave_bands(bands[band]))[band][..., None])
        steps.append(step)
    over = bands_over_training(picture, drawn)
    assert over.kept.shape == over.relative_error.shape == (len(bands) + 1, len(bands))
    reached = [-1 if when.lasting is None else when.lasting for when in half_error_step(steps, over.relative_error)]
    assert reached == sorted(reached, reverse=True)
    assert min(reached) > 0
    assert [when.first for when in half_energy_step(steps, over.kept)][-1] == 1


@pytest.mark.parametrize("n", [64, 65])
def test_a_line_is_the_sum_of_its_waves(n):
    samples = np.random.default_rng(0).random(n)
    amplitudes = line_spectrum(samples)
    t = (np.arange(n) + 0.5) / n
    k = np.arange(1, len(amplitudes))[:, None]
    waves = np.abs(amplitudes[1:, None]) * np.sin(2 * np.pi * k * t + np.angle(amplitudes[1:, None]))
    np.testing.assert_allclose(amplitudes[0].real + waves.sum(0), samples, atol=1e-12)


def test_amplitudes_are_recovered_in_share_and_error():
    t = (np.arange(200) + 0.5) / 200
    signal = np.sin(2 * np.pi * 5 * t + 1) + 0.5 * np.sin(2 * np.pi * 20 * t)
    other = 0.25 * np.sin(2 * np.pi * 5 * t + 1) + 0.5 * np.sin(2 * np.pi * 20 * t + np.pi)
    found = amplitudes_recovered(signal, other, [5, 20, 7])
    np.testing.assert_allclose(found.share, [0.25, 1, np.nan], atol=1e-12)
    np.testing.assert_allclose(found.relative_error, [0.75, 2, np.nan], atol=1e-12)
    with pytest.raises(InputError, match="1 to 99 cycles"):
        amplitudes_recovered(signal, other, [100])


def test_a_reconstruction_that_is_not_finite_is_not_called_unrelated() -> None:
    target = np.random.default_rng(0).random((32, 32, 1)).astype(np.float32)
    broken = target.copy()
    broken[3, 4] = np.nan
    found = radial_spectra(target, broken)
    assert np.isnan(found.ring_correlation).all()
    assert found.resolved_frequency() is None
