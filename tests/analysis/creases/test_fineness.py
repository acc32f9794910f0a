"""How finely a picture is measured: whole where it is small, and never for more than a bound on the work."""

import math

import numpy as np
import pytest

from fieldlens.analysis.creases.crossings import Crossings
from fieldlens.analysis.creases.fineness import MAP_WORK, REFINED_WORK, Fineness, fineness

DEFAULT, WIDE, HUGE = 54_000, 470_000, 7_500_000
"""Multiplications of layers 4x128, 8x256 and 8x1024."""


@pytest.mark.parametrize("network", [DEFAULT, WIDE])
@pytest.mark.parametrize("size", [(24, 32), (512, 512), (300, 451)])
def test_small_pictures_are_measured_at_every_pixel(network: int, size: tuple[int, int]) -> None:
    assert fineness(network, *size).map_stride == 1


def test_strides_grow_with_the_picture_and_with_the_network() -> None:
    assert fineness(DEFAULT, 512, 768) == Fineness(map_stride=2, refined_stride=12, max_refine=32)
    assert fineness(DEFAULT, 3000, 4000) == Fineness(map_stride=8, refined_stride=16, max_refine=16)
    assert fineness(HUGE, 512, 768).map_stride > 2
    assert fineness(HUGE, 512, 768).max_refine < 32


@pytest.mark.parametrize("network", [DEFAULT, WIDE, HUGE])
@pytest.mark.parametrize("side", [64, 513, 1024, 2000, 4097, 8000])
def test_work_is_bounded_until_windows_would_hold_no_sample(network: int, side: int) -> None:
    found = fineness(network, side, side)
    samples = math.ceil(side / found.map_stride) ** 2
    assert samples * network <= 1.2 * MAP_WORK or found.map_stride == 16
    assert 1 <= found.map_stride <= 16
    refined = math.ceil(side / found.refined_stride) ** 2 * found.max_refine**2
    assert refined * network <= REFINED_WORK or found.max_refine == 1
    assert found.max_refine in (1, 2, 4, 8, 16, 32)


def measured(values: np.ndarray, stride: int) -> Crossings:
    neurons = np.array([8])
    return Crossings(np.tile(values.astype(np.float32), (4, 1, 1, 1)), neurons * 0, neurons * 0, neurons, stride, 1)


def test_the_standard_error_is_the_spread_of_means_over_samples_of_the_pixels() -> None:
    rng = np.random.default_rng(0)
    picture = rng.exponential(size=(64, 64))
    draws = [rng.choice(picture.ravel(), 256, replace=False).reshape(16, 16) for _ in range(400)]
    spread = np.std([draw.mean() for draw in draws])
    assert np.mean([measured(draw, 4).standard_error for draw in draws]) == pytest.approx(spread, rel=0.1)
    assert measured(picture, 1).standard_error == 0.0
