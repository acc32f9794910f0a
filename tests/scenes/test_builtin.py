"""The built-in pictures: complete, and with the spectra that their descriptions claim."""

import socket
from pathlib import Path

import numpy as np
import pytest
import skimage.data

from fieldlens.scenes import BUILTINS, builtin


@pytest.mark.parametrize("name", BUILTINS)
def test_each_builtin_is_as_large_as_it_says_and_spans_0_to_1_without_a_network(name, monkeypatch) -> None:
    monkeypatch.setattr(socket, "socket", lambda *args, **kwargs: pytest.fail("opened a connection"))
    entry = BUILTINS[name]
    reading = entry.make()
    assert reading.pixels.shape[:2] == (entry.height, entry.width)
    assert entry.name == name
    assert entry.description
    assert entry.credit
    assert reading.notes
    if reading.pixels.dtype == np.float32:
        assert 0 <= reading.pixels.min() < 0.05
        assert 0.95 < reading.pixels.max() <= 1


@pytest.mark.parametrize("name", BUILTINS)
def test_making_a_builtin_twice_gives_the_same(name) -> None:
    np.testing.assert_array_equal(BUILTINS[name].make().pixels, BUILTINS[name].make().pixels)


def test_every_builtin_is_credited() -> None:
    text = Path(builtin.__file__).with_name("CREDITS.md").read_text(encoding="utf-8")
    for name in BUILTINS:
        assert f"`{name}`" in text


@pytest.mark.parametrize(
    ("name", "read", "left", "top"),
    [
        ("cell", skimage.data.cell, 150, 171),
        ("hubble", skimage.data.hubble_deep_field, 250, 200),
        ("retina", skimage.data.retina, 100, 350),
    ],
)
def test_crops_are_the_pixels_of_their_file_from_a_corner_on_and_say_so(name, read, left, top) -> None:
    reading, whole = BUILTINS[name].make(), read()
    side = len(reading.pixels)
    expected = whole.reshape(*whole.shape[:2], -1)[top : top + side, left : left + side].astype(int)
    assert np.abs(reading.pixels.astype(int) - expected).max() <= 2  # decoders of JPEG round differently
    assert reading.notes[-1] == f"{side}x{side} of it, from {left}, {top}"


def spectrum(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Energy at each frequency of the whole picture without its mean, with the frequencies (cycles per pixel)."""
    energy = np.abs(np.fft.fft2(picture - picture.mean())) ** 2
    return energy, *np.meshgrid(np.fft.fftfreq(picture.shape[0]), np.fft.fftfreq(picture.shape[1]), indexing="ij")


def peak_frequency(patch: np.ndarray) -> tuple[float, float]:
    """The strongest frequency (|fy|, |fx|) of a windowed patch, to a 256th of a cycle per pixel."""
    window = np.hanning(len(patch))[:, None] * np.hanning(len(patch))
    energy = np.abs(np.fft.fft2((patch - patch.mean()) * window, (256, 256)))
    y, x = np.unravel_index(energy.argmax(), energy.shape)
    return abs(float(np.fft.fftfreq(256)[y])), abs(float(np.fft.fftfreq(256)[x]))


@pytest.mark.parametrize(("row", "column"), [(256, 384), (384, 256), (352, 160), (96, 96)])
def test_the_zone_plate_is_a_map_of_its_own_frequencies(row, column) -> None:
    picture = builtin.zone_plate()[..., 0]
    frequency = peak_frequency(picture[row - 16 : row + 16, column - 16 : column + 16])
    np.testing.assert_allclose(frequency, (abs(row - 256) / 512, abs(column - 256) / 512), atol=0.008)


@pytest.mark.parametrize("radius", [40, 80, 160, 240])
def test_the_siemens_star_has_64_periods_round_every_circle(radius) -> None:
    picture = builtin.siemens_star()[..., 0]
    angle = np.arange(4096) * 2 * np.pi / 4096
    rows = np.floor(256 + radius * np.sin(angle)).astype(int)
    columns = np.floor(256 + radius * np.cos(angle)).astype(int)
    energy = np.abs(np.fft.rfft(picture[rows, columns] - 0.5))
    assert energy.argmax() == 64


def test_the_siemens_star_is_grey_where_pixels_cannot_hold_its_spokes() -> None:
    picture = builtin.siemens_star()[..., 0]
    y, x = np.mgrid[0:512, 0:512] - 255.5
    unresolved = 64 / (2 * np.pi * np.hypot(x, y)) > 0.5
    assert (picture[unresolved] == 0.5).all()
    assert picture[~unresolved].std() > 0.3


def test_the_noise_has_equal_energy_in_every_octave_of_its_band_and_none_outside() -> None:
    energy, fy, fx = spectrum(builtin.band_limited_noise()[..., 0].astype(np.float64))
    frequency = np.hypot(fy, fx)
    octaves = [energy[(frequency >= 2.0**-k) & (frequency < 2.0 ** (1 - k))].sum() for k in range(3, 8)]
    assert energy[(frequency > 1 / 4) | (frequency < 1 / 128)].sum() < 1e-6 * sum(octaves)
    # The lowest octaves are discs of few grid points, so their area is only roughly that of a disc.
    np.testing.assert_allclose(octaves, np.mean(octaves), rtol=0.1)


def test_the_text_is_sharp_black_on_white_down_to_small_type() -> None:
    picture = builtin.text_chart()[..., 0]
    assert (picture[:8] == 255).all()
    assert set(np.unique(picture)) >= {0, 255}
    ink = (picture < 128).any(axis=1)
    lines = np.flatnonzero(np.diff(ink.astype(int)) == 1)
    assert len(lines) >= 12
    assert np.diff(lines).max() > 4 * np.diff(lines).min()
