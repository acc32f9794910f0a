"""What is read off a colour is the number that was drawn with it."""

from collections.abc import Callable

import numpy as np
import pytest

from fieldlens.render.colour import density_rgb, error_rgb, leverage_rgb, missing_rgb, speed_rgb, steps_rgb
from fieldlens.render.scales import (
    Scale,
    density_scale,
    error_scale,
    leverage_scale,
    missing_scale,
    speed_scale,
    steps_scale,
)


def errors_rgb(values: np.ndarray) -> np.ndarray:
    """Grey pictures that differ by so much."""
    return error_rgb(np.full((1, values.size, 3), 0.6), 0.6 - values.reshape(1, -1, 1).repeat(3, 2))


Draw = Callable[[np.ndarray], np.ndarray]
SCALES: list[tuple[Scale, Draw, bool]] = [
    (density_scale("crossings / px"), density_rgb, True),
    (speed_scale(""), speed_rgb, True),
    (leverage_scale(""), leverage_rgb, True),
    (steps_scale("steps"), steps_rgb, True),
    (error_scale(""), errors_rgb, False),
    (missing_scale(""), missing_rgb, False),
]


@pytest.mark.parametrize(("scale", "draw", "logarithmic"), SCALES)
def test_any_number_that_is_drawn_is_read_back_within_a_colour_of_the_scale(
    scale: Scale, draw: Draw, logarithmic: bool
) -> None:
    low, high = float(scale.values.min()), float(scale.values.max())
    shares = np.random.default_rng(0).random(50)
    values = low * (high / low) ** shares if logarithmic else low + (high - low) * shares
    drawn = draw(values[None]).reshape(-1, 1, 3).astype(int)
    read = scale.values[np.abs(drawn - scale.colours.astype(int)).sum(2).argmin(1)]
    if logarithmic:
        np.testing.assert_allclose(np.log(read), np.log(values), atol=2 * np.log(high / low) / 255)
    else:
        np.testing.assert_allclose(read, values, atol=2 * (high - low) / 255)


@pytest.mark.parametrize("scale", [scale for scale, _, _ in SCALES])
def test_a_colour_that_is_no_number_is_none_of_the_scale(scale: Scale) -> None:
    for colour in scale.apart:
        assert np.linalg.norm(scale.colours.astype(float) - colour, axis=1).min() > 5


def test_numbers_are_read_with_two_digits_and_the_ends_as_bounds() -> None:
    words = density_scale("crossings / px").words()
    assert (words[0], words[-1]) == ("at most 0.1 crossings / px", "at least 100 crossings / px")
    assert all(word.endswith(" crossings / px") for word in words)
    assert error_scale("").words()[0] == "0", "no error is less"
    assert steps_scale("steps").words()[-1] == "at least 100,000 steps"
