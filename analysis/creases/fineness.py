"""How finely the creases of a picture are measured at the end of a fit: as finely as a bound on the work allows.

It follows from the size of the picture and that of the network and from nothing that is timed, so that a fit gives the
same numbers on any machine.
"""

import math
from dataclasses import dataclass

from ..detail.windows import MIN_WINDOW_PX
from ..networks.sampling import map_shape

MAP_SIDE = 512
"""Density is sampled about this often along the longer side, and at least once in the smallest window."""
REFINED_SIDE = 64
"""Pixels along the longer side in which crossings are counted at sub-pixel steps."""
MOST_REFINEMENT = 32
"""Steps that a pixel is cut into, at most."""
MAP_WORK = MAP_SIDE**2 * 600_000
"""Multiplications of one pass over the points of a map, at most: 512 x 512 points of 8 layers of 256 neurons."""
REFINED_WORK = (REFINED_SIDE * MOST_REFINEMENT) ** 2 * 240_000
"""Multiplications of one pass over all sub-pixel steps, at most: all of them of 4 layers of 256 neurons."""


@dataclass(frozen=True)
class Fineness:
    """Where creases are measured."""

    map_stride: int
    """Pixels between those of maps of density."""
    refined_stride: int
    """Pixels between those in which crossings are counted at sub-pixel steps."""
    max_refine: int
    """Steps that such a pixel is cut into, at most; a power of two. What that misses, `Crossings.undercount` says."""


def fineness(multiplications: int, height: int, width: int) -> Fineness:
    """How finely a picture of that size is measured.

    Windows of the explanation need a sample each, so that strides end at their side; from there on the work does grow
    with the picture, by 4 % of its pixels.

    Args:
        multiplications: of one pass of the network for one point.

    >>> fineness(53_000, 512, 768)
    Fineness(map_stride=2, refined_stride=12, max_refine=32)
    """
    side = max(height, width)
    refined_stride = min(math.ceil(side / REFINED_SIDE), MIN_WINDOW_PX)
    affordable = math.isqrt(REFINED_WORK // (math.prod(map_shape(height, width, refined_stride)) * multiplications))
    return Fineness(
        map_stride=min(
            max(math.ceil(side / MAP_SIDE), math.ceil(math.sqrt(height * width * multiplications / MAP_WORK))),
            MIN_WINDOW_PX,
        ),
        refined_stride=refined_stride,
        max_refine=min(MOST_REFINEMENT, 1 << max(0, affordable.bit_length() - 1)),
    )
