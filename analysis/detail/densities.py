"""Densities of creases by name, and Crofton's formula between the two units they come in."""

import math
from collections.abc import Mapping

import numpy as np
from jaxtyping import Float, Float32

COAREA = "coarea"
"""Crease length per area, in pixels per square pixel, by the co-area formula. The density that decides a verdict."""

CROSSINGS = "crossings"
"""Creases met per pixel of length, counted by comparing patterns; mean over directions."""

BEND = "bend"
"""The density that is nearly the reconstruction itself: its second derivative, or, under an encoding, the part of it
that creases make. With the reconstruction's slope and its detail in the band, it is a tautology as an explanation."""

CROSSINGS_PER_LENGTH = 2 / math.pi
"""Crossings per pixel, mean over directions, for each pixel of crease length per square pixel (Crofton's formula)."""

LENGTH_PER_CROSSING = math.pi / 2
"""Pixels of crease length per square pixel for each crossing per pixel: the inverse."""

Maps = Mapping[str, Float[np.ndarray, "_ _"] | None]
"""Densities by name, at the picture's size or of every stride-th pixel; None where a network has no creases."""


def length_per_area(crossings: Float32[np.ndarray, "layers h w"]) -> Float32[np.ndarray, "h w"]:
    """Crease length per area of a picture, all layers together, of crossings per pixel: a map of `COAREA`."""
    return crossings.sum(0) * np.float32(LENGTH_PER_CROSSING)
