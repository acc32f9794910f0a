"""Octave bands: waves land where they belong, energy is counted once, and nothing depends on streaming."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldlens.analysis.detail import rows
from fieldlens.analysis.detail.bands import (
    Energies,
    band_energies,
    band_labels,
    band_picture,
    compare_bands,
    energy_kept,
    luma,
    octave_bands,
    rounding_energies,
    rounding_variance,
    spectrum,
)


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((height, width), np.float32)


def wave(size: int, wavelength: float) -> np.ndarray:
    """A wave along x that is one of the cosines of the DCT if the wavelength divides twice the size."""
    x = np.arange(size, dtype=np.float32) + 0.5
    return np.tile(0.5 + 0.25 * np.cos(2 * np.pi * x / wavelength), (size, 1))


@given(st.integers(1, 40), st.integers(1, 40))
def test_energies_of_the_bands_add_up_to_the_variance(height, width):
    picture = noise(height, width)
    assert band_energies(picture).sum() == pytest.approx(picture.var(dtype=np.float64), rel=1e-4, abs=1e-12)


@pytest.mark.parametrize("shape", [(64, 64), (33, 70), (1, 50), (1, 1)])
def test_energy_in_the_spectrum_is_energy_in_the_picture_of_the_band(shape):
    picture = noise(*shape)
    in_space = [np.square(band, dtype=np.float64).mean() for band in octave_bands(picture)]
    np.testing.assert_allclose(in_space, band_energies(picture), rtol=1e-4, atol=1e-12)


def test_filtering_each_band_twice_and_adding_gives_the_picture_back():
    picture = noise(48, 37)
    twice = [band_picture(spectrum(band), b) for b, band in enumerate(octave_bands(picture))]
    np.testing.assert_allclose(sum(twice), picture - picture.mean(), atol=2e-6)


@pytest.mark.parametrize("band", range(4))
def test_a_wave_at_the_centre_of_an_octave_lies_in_that_band_alone(band):
    size = 17 * 2**band
    energies = band_energies(wave(size, 2 * size / 12))  # a cosine of the DCT, as 17/12 is nearly sqrt(2)
    assert energies[band] / energies.sum() > 0.999


def test_a_wave_on_the_border_of_two_octaves_is_shared_in_halves():
    energies = band_energies(wave(64, 8))
    assert energies[1] / energies.sum() == pytest.approx(0.5, abs=1e-3)
    assert energies[2] / energies.sum() == pytest.approx(0.5, abs=1e-3)


def test_the_finest_checks_are_in_band_zero_and_slow_ramps_in_the_last():
    checks = np.indices((32, 32)).sum(0).astype(np.float32) % 2
    assert band_energies(checks)[0] == pytest.approx(checks.var(), rel=1e-3)
    half_wave = wave(32, 64)
    assert band_energies(half_wave)[-1] == pytest.approx(half_wave.var(), rel=1e-5)


def test_a_ramp_has_no_fine_detail_because_borders_are_mirrored():
    ramp = np.tile(np.linspace(0, 1, 128, dtype=np.float32), (128, 1))
    assert band_energies(ramp)[0] < 1e-5 * ramp.var()


def test_an_edge_leaks_little_energy_past_the_windows_beside_it():
    edge = np.zeros((128, 128), np.float32)
    edge[:, 64:] = 1
    columns = np.square(next(octave_bands(edge))).mean(0)
    assert columns[:40].sum() < 1e-3 * columns.sum()


def test_bands_do_not_depend_on_the_blocks_of_rows(monkeypatch):
    picture = noise(40, 30)
    whole = band_energies(picture), band_picture(spectrum(picture), 1)
    monkeypatch.setattr(rows, "BLOCK_NUMBERS", 70)
    np.testing.assert_allclose(band_energies(picture), whole[0], rtol=1e-12)
    np.testing.assert_array_equal(band_picture(spectrum(picture), 1), whole[1])


@pytest.mark.parametrize(
    ("side", "last"), [(1, "2+ px"), (7, "2+ px"), (8, "4+ px"), (256, "128+ px"), (4096, "2048+ px")]
)
def test_bands_go_up_to_half_the_longer_side(side, last):
    labels = band_labels(1, side)
    assert labels[-1] == last
    assert len(labels) == len(band_energies(noise(1, side)))


def test_luma_weighs_colours_leaves_alpha_out_and_clips_to_the_peak():
    colour = np.array([[[0.2, 0.4, 9.0, 0.3]]], np.float32)
    assert luma(colour)[0, 0] == pytest.approx(0.2126 * 0.2 + 0.7152 * 0.4 + 0.0722)
    assert luma(colour[..., :3], peak=10.0)[0, 0] == pytest.approx(0.2126 * 0.2 + 0.7152 * 0.4 + 0.0722 * 9)
    assert luma(colour[..., :2])[0, 0] == pytest.approx(0.2)
    assert luma(-colour[..., :1])[0, 0] == 0


def test_grey_and_the_same_grey_as_rgb_have_one_luma():
    grey = noise(9, 8)[..., None]
    np.testing.assert_allclose(luma(grey), luma(np.repeat(grey, 3, -1)), atol=1e-6)


def test_rounding_to_8_bits_costs_the_energy_that_is_stated():
    picture = noise(256, 256)
    rounded = (np.round(picture * 255) / 255).astype(np.float32)
    expected = rounding_energies(256, 256)
    assert expected.sum() == pytest.approx(rounding_variance())
    np.testing.assert_allclose(band_energies(rounded - picture)[:4], expected[:4], rtol=0.15)


def test_residual_energy_follows_from_the_other_three():
    e = compare_bands(spectrum(noise(30, 50)), spectrum(noise(30, 50, seed=1)))
    np.testing.assert_allclose(e.residual, e.target + e.reconstruction - 2 * e.cross, rtol=1e-6)


def test_half_the_contrast_keeps_a_quarter_of_the_energy_of_every_band():
    target = noise(64, 64)[..., None]
    kept = energy_kept(target, 0.5 + 0.5 * (target - 0.5))
    assert list(kept) == list(band_labels(64, 64))
    assert list(kept.values()) == pytest.approx([0.25] * len(kept), rel=1e-4)


def test_a_band_without_energy_has_no_share_that_could_be_kept():
    flat = np.full((32, 32, 3), 0.5, np.float32)
    assert set(energy_kept(flat, noise(32, 32)[..., None].repeat(3, -1)).values()) == {None}


def test_ratios_by_hand():
    e = Energies(
        *(np.array(v) for v in ([4.0, 0.0, 4.0], [1.0, 0.0, 4.0], [1.0, 0.0, 16.0], [2.0, 0.0, -4.0])), floor=0.5
    )
    np.testing.assert_array_equal(e.missing_fraction, [0.25, 0, 4])
    np.testing.assert_array_equal(e.kept, [0.25, np.nan, 1])
    np.testing.assert_array_equal(e.signed_deficit, [0.75, 0, 0])
    np.testing.assert_array_equal(e.coherence, [1, np.nan, -1])
