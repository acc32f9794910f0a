"""The kinds of scenes, each of which has a subject of its own."""

from collections.abc import Mapping
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["picture", "signal", "photographs", "solid", "points"]

KINDS: Mapping[Kind, str] = {
    "picture": "a picture",
    "signal": "a signal",
    "photographs": "a 3D scene",
    "solid": "a 3D scene",
    "points": "scattered points",
}
"""Each kind as a sentence names what a run is of."""
