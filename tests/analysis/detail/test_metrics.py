"""PSNR and SSIM against scikit-image and against numbers worked out by hand."""

import math

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from fieldlens.analysis.detail import metrics, rows
from fieldlens.analysis.detail.metrics import MAX_PSNR_DB, psnr_db, ssim
from fieldlens.configs.errors import InputError


@pytest.fixture
def pair(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    target = rng.random((40, 33, 3), np.float32)
    return target, (target + 0.1 * rng.standard_normal(target.shape)).astype(np.float32)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_psnr_is_that_of_scikit_image_after_clipping(pair):
    target, reconstruction = pair
    expected = peak_signal_noise_ratio(target, np.clip(reconstruction, 0, 1), data_range=1)
    assert psnr_db(target, reconstruction) == pytest.approx(expected, abs=1e-5)


def test_psnr_does_not_depend_on_the_blocks_of_rows(pair, monkeypatch):
    whole = psnr_db(*pair)
    monkeypatch.setattr(rows, "BLOCK_NUMBERS", 700)
    assert psnr_db(*pair) == pytest.approx(whole, abs=1e-12)


def test_values_beyond_the_peak_count_as_the_peak():
    target = np.ones((3, 5, 1), np.float32)
    assert psnr_db(target, target + 7) == MAX_PSNR_DB


def test_an_exact_reconstruction_has_the_largest_psnr_and_not_infinity():
    assert psnr_db(np.zeros((1, 1, 1)), np.zeros((1, 1, 1))) == MAX_PSNR_DB


def test_only_masked_pixels_are_scored():
    target = np.zeros((4, 6, 3))
    reconstruction = np.zeros_like(target)
    reconstruction[:, 3:] = 0.01
    mask = np.zeros((4, 6), bool)
    mask[:, 3:] = True
    assert psnr_db(target, reconstruction, mask) == pytest.approx(40)
    assert psnr_db(target, reconstruction, ~mask) == MAX_PSNR_DB
    assert psnr_db(target, reconstruction) == pytest.approx(40 + 10 * math.log10(2))


def test_an_empty_mask_is_an_error_that_says_what_to_do():
    with pytest.raises(InputError, match="no pixel to score in a picture of 2x1"):
        psnr_db(np.zeros((1, 2, 3)), np.zeros((1, 2, 3)), np.zeros((1, 2), bool))


@pytest.mark.parametrize("measure", [psnr_db, ssim])
def test_scaling_values_and_peak_together_changes_nothing(pair, measure):
    target, reconstruction = pair
    scaled = measure(8 * target, 8 * reconstruction, peak=8.0)
    assert scaled == pytest.approx(measure(target, reconstruction), abs=1e-4)


def test_a_diverged_reconstruction_has_no_psnr(pair):
    target, reconstruction = pair
    reconstruction[3, 4, 1] = math.nan
    assert math.isnan(psnr_db(target, reconstruction))


@pytest.mark.parametrize("block", [10, 1000, 10**6])
def test_ssim_in_blocks_of_rows_is_that_of_the_whole_picture(pair, monkeypatch, block):
    target, reconstruction = pair
    expected = structural_similarity(
        target,
        np.clip(reconstruction, 0, 1),
        data_range=1.0,
        channel_axis=-1,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
    )
    monkeypatch.setattr(rows, "BLOCK_NUMBERS", block)
    assert ssim(target, reconstruction) == pytest.approx(expected, abs=1e-6)


def test_ssim_is_one_for_the_same_picture_and_less_for_another(pair):
    target, reconstruction = pair
    assert ssim(target, target) == pytest.approx(1)
    assert 0 < (ssim(target, reconstruction) or 0) < 1


@pytest.mark.parametrize(("shape", "defined"), [((11, 11, 1), True), ((10, 99, 1), False), ((1, 1, 3), False)])
def test_ssim_is_defined_where_its_window_fits(shape, defined):
    picture = np.full(shape, 0.5, np.float32)
    assert (ssim(picture, picture) is not None) == defined
    assert metrics.SSIM_RADIUS == 5
