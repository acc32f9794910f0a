"""The frame of a step, of all scenes that are seen as pictures."""

from collections.abc import Sequence

from render.colour import density_legend, error_rgb
from render.panel import Tile, panel

from .found import Image, Values
from .subject import DrawnDensity


def frame_of(
    target_tile: Tile,
    drawn_tile: Tile,
    error: tuple[Values, Values],
    title: str,
    density: DrawnDensity | None,
    further: Sequence[Tile] = (),
) -> Image:
    """Target, reconstruction, error, what else there is and, with the step it was drawn at, crease density.

    Args:
        error: the target and the reconstruction, of one size, whose difference is drawn.
    """
    tiles = [target_tile, drawn_tile, Tile(error_rgb(*error), "error"), *further]
    if density is not None:
        step, picture = density
        tiles.append(Tile(picture, f"crease density, step {step}", legend=density_legend))
    return panel(tiles, title, columns=len(tiles))
