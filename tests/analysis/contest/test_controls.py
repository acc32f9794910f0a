"""What the target's detail is like: against moments of SciPy, waves of known direction, and windows without any."""

import numpy as np
import pytest
from scipy.stats import moment

from fieldlens.analysis.contest.controls import Controls, controls_of
from fieldlens.analysis.detail.bands import band_energies, band_picture, rounding_energies, spectrum
from fieldlens.analysis.detail.windows import window_energies, windows_of, windows_of_side
from fieldlens.configs.errors import InputError


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).uniform(size=(height, width))


def wave(wavelength: float, degrees: float, side: int = 128) -> np.ndarray:
    """A wave across a square picture, towards a direction, about 1/2 and of amplitude 1/4."""
    y, x = np.mgrid[:side, :side]
    along = x * np.cos(np.deg2rad(degrees)) + y * np.sin(np.deg2rad(degrees))
    return 0.5 + 0.25 * np.cos(2 * np.pi * along / wavelength)


def controls(picture: np.ndarray, label: str = "2-4 px", side: int = 32) -> Controls:
    height, width = picture.shape
    return controls_of(spectrum(picture), label, windows_of_side(height, width, side))


def inside(values: np.ndarray) -> np.ndarray:
    """Windows that do not touch the border, where a wave is mirrored and has two directions."""
    return values[1:-1, 1:-1]


def test_energies_are_those_of_four_octaves_in_the_windows_of_the_first() -> None:
    picture = noise(130, 77)
    found = controls(picture, "4-8 px")
    assert found.octaves == ("4-8 px", "8-16 px", "16-32 px", "32-64 px")
    areas = windows_of_side(130, 77, 32).areas
    totals = (found.energies * areas).sum((1, 2)) / areas.sum()
    np.testing.assert_allclose(totals, band_energies(picture)[1:5], rtol=1e-6)
    band, windows = band_picture(spectrum(picture), 1), windows_of(130, 77, 1)
    own = window_energies(band, band, windows, 0.0).target
    np.testing.assert_allclose(controls_of(spectrum(picture), "4-8 px", windows).energies[0], own, rtol=1e-12)


def test_a_small_picture_has_fewer_octaves_above() -> None:
    found = controls(noise(20, 32), "8-16 px", 16)
    assert found.octaves == ("8-16 px", "16+ px")
    assert found.names == ("energy in 8-16 px", "energy in 16+ px", "peakiness", "orientation coherence")
    assert found.columns.shape == (4, 2)


def test_peakiness_is_the_fourth_moment_over_the_squared_second_in_each_window() -> None:
    picture = noise(50, 41) ** 8
    windows = windows_of_side(50, 41, 16)
    found = controls_of(spectrum(picture), "2-4 px", windows).peakiness
    band = band_picture(spectrum(picture), 0)
    for row, column in np.ndindex(windows.shape):
        window = band[slice(*windows.row_edges[row : row + 2]), slice(*windows.column_edges[column : column + 2])]
        fourth, second = (moment(window.ravel(), order, center=0) for order in (4, 2))
        assert found[row, column] == pytest.approx(fourth / second**2, rel=1e-9)


def test_a_wave_is_less_peaked_than_noise_and_noise_less_than_a_dot_in_each_window() -> None:
    dots = np.zeros((128, 128))
    dots[16::32, 16::32] = 1
    assert inside(controls(wave(2.8, 20)).peakiness) == pytest.approx(1.5, abs=0.05)
    assert controls(np.random.default_rng(0).normal(size=(128, 128))).peakiness.mean() == pytest.approx(3, abs=0.1)
    assert controls(dots).peakiness.min() > 50


@pytest.mark.parametrize("degrees", [0, 20, 45, 90, 135])
@pytest.mark.parametrize(("label", "wavelength"), [("2-4 px", 2.2), ("2-4 px", 2.83), ("8-16 px", 11.3)])
def test_a_wave_has_one_direction_whichever_it_is(label: str, wavelength: float, degrees: float) -> None:
    assert inside(controls(wave(wavelength, degrees), label).orientation_coherence).min() > 0.97


@pytest.mark.parametrize("ratio", [0.0, 0.5, 1.0])
def test_two_waves_at_right_angles_leave_the_difference_of_their_energies(ratio: float) -> None:
    crossed = wave(2.83, 30) + ratio * wave(2.83, 120)
    found = inside(controls(crossed).orientation_coherence)
    np.testing.assert_allclose(found, (1 - ratio**2) / (1 + ratio**2), atol=0.03)


def test_coherence_is_that_of_the_eigenvalues_of_the_structure_tensor() -> None:
    """With differences of neighbours, which are nearly derivatives where waves are long."""
    picture = noise(96, 128)
    band, windows = band_picture(spectrum(picture), 3), windows_of_side(96, 128, 32)
    found = controls_of(spectrum(picture), "16-32 px", windows).orientation_coherence
    down, across = np.gradient(band)
    for row, column in np.ndindex(windows.shape):
        here = slice(*windows.row_edges[row : row + 2]), slice(*windows.column_edges[column : column + 2])
        gradients = np.stack([down[here].ravel(), across[here].ravel()])
        low, high = np.linalg.eigvalsh(gradients @ gradients.T)
        assert found[row, column] == pytest.approx((high - low) / (high + low), abs=0.05)


def test_flat_windows_tie_and_have_numbers() -> None:
    half = noise(128, 128)
    half[:, 64:] = 0.25
    found = controls(half)
    np.testing.assert_array_equal(found.peakiness[:, 3], 3)
    np.testing.assert_array_equal(found.orientation_coherence[:, 3], 0)
    np.testing.assert_array_equal(found.energies[0, :, 3], rounding_energies(128, 128)[0])
    assert (found.orientation_coherence[:, 0] > 0).all()
    for flat in (half, np.full((64, 64), 0.5), np.zeros((1, 1)), np.ones((1, 40))):
        assert np.isfinite(controls(flat, f"2{'+' if flat.size == 1 else '-4'} px").columns).all()


def test_values_of_another_range_have_its_rounding() -> None:
    picture, windows = noise(64, 64), windows_of_side(64, 64, 16)
    one, other = (controls_of(spectrum(peak * picture), "2-4 px", windows, peak) for peak in (1, 255))
    np.testing.assert_allclose(other.energies, one.energies * 255**2, rtol=1e-9)
    np.testing.assert_allclose(other.orientation_coherence, one.orientation_coherence, rtol=1e-6)


def test_an_octave_that_the_picture_has_not_is_refused() -> None:
    with pytest.raises(InputError, match=r"a picture of 64x48 has no octave 64-128 px; it has 2-4 px, .*32\+ px"):
        controls(noise(48, 64), "64-128 px")
    with pytest.raises(InputError, match="does not belong"):
        controls_of(spectrum(noise(48, 64)), "2-4 px", windows_of_side(48, 48, 16))
