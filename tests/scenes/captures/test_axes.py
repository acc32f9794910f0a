"""Optical axes: the point nearest to them, and by what angle they spread."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldlens.scenes.captures.axes import nearest_to_axes


@settings(max_examples=30)
@given(st.lists(st.floats(-3, 3), min_size=3, max_size=3), st.integers(2, 9), st.integers(0, 1000))
def test_axes_that_meet_in_a_point_have_it_as_their_nearest(point: list[float], count: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    forwards = generator.normal(size=(count, 3))
    forwards /= np.linalg.norm(forwards, axis=1)[:, None]
    places = np.array(point) - generator.uniform(1, 5, (count, 1)) * forwards
    found, spread = nearest_to_axes(places, forwards)
    np.testing.assert_allclose(found, point, atol=1e-6 / spread**2)


def test_the_spread_of_two_axes_is_half_the_angle_between_them() -> None:
    angle = 0.3
    forwards = np.array([[math.cos(angle), math.sin(angle), 0], [math.cos(angle), -math.sin(angle), 0]])
    _, spread = nearest_to_axes(np.eye(3)[:2], forwards)
    assert spread == pytest.approx(angle)
