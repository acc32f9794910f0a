"""Fields that show nothing are told from those that show something, and from each other."""

import numpy as np
import pytest

from fieldlens.analysis import SeenView, collapse

RANDOM = np.random.default_rng(0)


def seen(target: np.ndarray, drawn: np.ndarray, opacity: float) -> SeenView:
    return SeenView(target, drawn, {"coarea": None}, np.full(target.shape[:2], opacity, np.float32))


def scene(side: int = 12) -> np.ndarray:
    """A dark square on white."""
    target = np.ones((side, side, 3), np.float32)
    target[3:8, 4:9] = RANDOM.random((5, 5, 3), dtype=np.float32) / 2
    return target


@pytest.mark.parametrize(
    ("shown", "opacity", "word"), [(1.0, 0.0, "is empty"), (0.8, 1.0, "is opaque"), (0.85, 0.5, "one colour")]
)
def test_a_field_of_one_colour_has_collapsed(shown: float, opacity: float, word: str) -> None:
    target = scene()
    sentence = collapse([seen(target, np.full_like(target, shown), opacity)] * 3)
    assert sentence is not None
    assert word in sentence
    assert "--learning-rate" in sentence


def test_a_field_that_shows_something_has_not() -> None:
    target = scene()
    half = (target + target.mean((0, 1))) / 2
    assert collapse([seen(target, half, 0.3)]) is None
    assert collapse([seen(target, target, 0.3)]) is None


def test_one_view_of_several_that_is_shown_is_enough() -> None:
    target = scene()
    assert collapse([seen(target, target, 0.3), seen(target, np.ones_like(target), 0.0)]) is None


def test_views_of_one_tone_have_nothing_to_show() -> None:
    target = np.ones((4, 4, 3), np.float32)
    assert collapse([seen(target, target, 0.0)]) is None
