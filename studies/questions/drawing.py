"""What drawings of a run's pixels share."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import UInt8

from fieldlens.render.panel import Legend, Tile, panel
from fieldlens.render.text import BACKGROUND


def with_legend(tiles: Sequence[Tile], title: str, legend: Legend) -> UInt8[np.ndarray, "h w 3"]:
    """Tiles beside each other, and below them the scale that all of them have."""
    drawn = panel(tiles, title, min_side=384)
    height, width = max(24, drawn.shape[1] // 30), drawn.shape[1]
    margin = height // 2
    strip = np.full((height + margin, width, 3), BACKGROUND, np.uint8)
    strip[:height, margin : width - margin] = legend(height, width - 2 * margin)
    return np.vstack([drawn, strip])
