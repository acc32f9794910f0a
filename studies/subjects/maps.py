"""Maps that are drawn now and then while a fit goes on: their names, and how frames show the newest of each."""

from collections.abc import Mapping
from dataclasses import dataclass

from fieldlens.render.colour import density_legend
from fieldlens.render.panel import Legend, Tile

from .found import Image

DENSITY = "density"
MAPS = (DENSITY,)
"""Names of all maps, in the order in which they stand."""


@dataclass(frozen=True)
class MapLook:
    """What is written under a map."""

    caption: str
    legend: Legend
    note: str = ""
    """What has to be said beside the step that it is of."""


@dataclass(frozen=True, eq=False)
class DrawnMap:
    """A map as frames show it, and the step that it is of."""

    step: int
    picture: Image


CREASE_DENSITY: Mapping[str, MapLook] = {DENSITY: MapLook("crease density", density_legend)}
"""Crossings per pixel, of what has no other map."""


def map_tiles(looks: Mapping[str, MapLook], drawn: Mapping[str, DrawnMap]) -> list[Tile]:
    """A tile of each map that was drawn, in the order of their looks."""
    return [
        Tile(drawn[name].picture, f"{look.caption}, step {drawn[name].step}{look.note}", legend=look.legend)
        for name, look in looks.items()
        if name in drawn
    ]
