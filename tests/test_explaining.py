"""Crease maps and explanation of one field over pictures of unusual sizes."""

import numpy as np
import pytest

from analysis import MIN_WINDOW_PX
from scenes.picture import Picture
from studies.explaining import explain_field
from tests.small_fits import start


@pytest.mark.parametrize("size", [(40, 9000), (1, 9000), (1, 1), (5, 3)])
def test_maps_are_never_too_coarse_for_the_windows(size: tuple[int, int]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    picture, field = Picture("noise", pixels), start().field
    findings = explain_field(field, picture, picture.target(), picture.draw(field), seed=0)
    assert findings.density is not None
    assert findings.density.stride <= MIN_WINDOW_PX
    assert len(findings.explanation.verdict.sentences) == 2
    assert findings.crossings_per_pixel is not None
