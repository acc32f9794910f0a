"""Which choices of a fit have an effect on which kind of scene.

Any other is refused: whoever makes a choice believes that it does something.
"""

import dataclasses
from collections.abc import Collection, Mapping
from typing import Any, Literal, TypeAlias

from fieldlens.configs.errors import InputError

Sort: TypeAlias = Literal[
    "picture", "built-in picture", "array", "signal", "points", "photographs", "demo", "mesh", "photographed mesh"
]
"""What a word for a scene names; an array is given by a program."""

SORTS: Mapping[Sort, str] = {
    "picture": "a picture",
    "built-in picture": "a built-in picture",
    "array": "a picture in an array",
    "signal": "a signal",
    "points": "a file of points",
    "photographs": "of photographs with their cameras",
    "demo": "a built-in 3D scene",
    "mesh": "a mesh fitted as a shape",
    "photographed mesh": "a mesh fitted as a radiance field",
}
"""Each as a sentence names it."""

_GRIDDED, _RAYS = ("holdout",), ("direction", "background", "grid", "samples", "turntable")
_IN_THE_UNIT_INTERVAL, _OF_POINTS = ("sigmoid",), ("revive_at",)
_FLAT = (*_IN_THE_UNIT_INTERVAL, *_OF_POINTS)

TAKES: Mapping[Sort, Collection[str]] = {
    "picture": (*_GRIDDED, *_FLAT, "max_side", "max_pixels"),
    "built-in picture": (*_GRIDDED, *_FLAT, "max_side"),
    "array": (*_GRIDDED, *_FLAT, "max_side"),
    "signal": (*_GRIDDED, *_FLAT),
    "points": _FLAT,
    "photographs": (*_RAYS, "kind", "max_side", "max_pixels"),
    "demo": (*_RAYS, "kind", "max_side"),
    "mesh": (*_OF_POINTS, "kind", "turntable"),
    "photographed mesh": (*_RAYS, "kind", "max_side"),
}
"""The choices that each takes, of those in `FOR`; all others are for every scene."""

FOR: Mapping[str, str] = {
    "max_side": "pictures and photographs",
    "max_pixels": "pictures and photographs in files",
    "holdout": "pictures and signals",
    "kind": "3D scenes",
    "direction": "3D scenes fitted as radiance fields",
    "background": "3D scenes fitted as radiance fields",
    "grid": "3D scenes fitted as radiance fields",
    "samples": "3D scenes fitted as radiance fields",
    "turntable": "3D scenes",
    "revive_at": "scenes that are trained on points, which say what neurons are dead",
    "sigmoid": "pictures, signals and points, whose values are from 0 to 1",
}
"""What each choice is for."""

_INSTEAD: Mapping[tuple[Sort, str], str] = {
    ("signal", "max_side"): "give a signal's samples in its word, as in signal:5,10,samples=200",
    ("signal", "samples"): "give a signal's samples in its word, as in signal:5,10,samples=200",
    ("points", "holdout"): "the file says which points are held out (`heldout`)",
    ("photographs", "holdout"): "whole views are held out, as their folder says",
    ("demo", "holdout"): "whole views are held out",
    ("photographed mesh", "holdout"): "whole views are held out",
}


def changed(choices: Any) -> list[str]:
    """The names of a dataclass's fields that are not as they are by default.

    >>> from fieldlens.configs.run import Target
    >>> changed(Target(max_side=64))
    ['max_side']
    """
    before = type(choices)()
    names = [field.name for field in dataclasses.fields(choices)]
    return [name for name in names if getattr(choices, name) != getattr(before, name)]


def refuse_unused(word: str, sort: Sort, made: Collection[str]) -> None:
    """See that all choices that were made have an effect on what `word` names.

    Raises:
        InputError: for the first that has none, with what it is for.
    """
    for name in made:
        if name in FOR and name not in TAKES[sort]:
            choice = "a sigmoid output" if name == "sigmoid" else f"--{name.replace('_', '-')}"
            instead = _INSTEAD.get((sort, name), "leave it out")
            if sort == "mesh" and name in TAKES["photographed mesh"]:
                instead = "leave it out, or fit photographs of the mesh with --kind radiance"
            raise InputError(f"{choice} is for {FOR[name]}, and {word!r} is {SORTS[sort]}: {instead}")
