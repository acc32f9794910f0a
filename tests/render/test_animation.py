"""Animations play all frames, hold the last, begin anew, and are no larger than was asked."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageSequence

from fieldlens.render.animation import ANIMATED_ENDINGS, animation

FRAMES = [np.random.default_rng(seed).integers(0, 256, (60, 80, 3), dtype=np.uint8) for seed in range(5)]
"""Noise: the hardest to make small."""


@pytest.mark.parametrize("ending", ANIMATED_ENDINGS)
def test_all_frames_are_there_and_the_last_is_held(ending: str) -> None:
    data, size = animation(FRAMES, ending, at_most=1_000_000, fps=10, hold_last_seconds=1.5)
    read = Image.open(BytesIO(data))
    assert size == (60, 80) == read.size[::-1]
    durations = []
    for frame in ImageSequence.Iterator(read):
        frame.load()
        durations.append(frame.info["duration"])
    assert durations == [100, 100, 100, 100, 1600]
    assert read.info["loop"] == 0


@pytest.mark.parametrize("ending", ANIMATED_ENDINGS)
@pytest.mark.parametrize("share", [0.6, 0.2])
def test_it_is_reduced_to_what_may_be_sent(ending: str, share: float) -> None:
    whole, _ = animation(FRAMES, ending, at_most=1_000_000)
    data, size = animation(FRAMES, ending, at_most=round(share * len(whole)))
    assert 0.4 * share * len(whole) < len(data) <= share * len(whole)
    assert size[0] < 60
    assert size[0] / size[1] == pytest.approx(60 / 80, rel=0.1)


def test_what_cannot_be_made_so_small_is_refused() -> None:
    with pytest.raises(ValueError, match="do not fit into 10 bytes"):
        animation(FRAMES, ".gif", at_most=10)
