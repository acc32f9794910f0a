"""The questions that `analyze` asks of a finished run: what each can be asked of, what goes with it, who answers.

What a question needs is imported when it is asked, so that the command line can read the table at once.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Literal, TypeAlias

from configs.errors import InputError

if TYPE_CHECKING:
    from scenes.scene import Scene

    from ..found import Answer

Kind: TypeAlias = Literal["picture", "signal", "photographs", "solid"]

KINDS: Mapping[Kind, str] = {
    "picture": "a picture",
    "signal": "a signal",
    "photographs": "a 3D scene",
    "solid": "a 3D scene",
}
"""What a run can be of, in words."""


@dataclass(frozen=True)
class Question:
    """What can be asked of a run."""

    option: str
    """As a person types it."""
    kinds: tuple[Kind, ...]
    """What it can be asked of."""
    options: tuple[str, ...]
    """What else may be said with it."""
    function: str
    """Of a module here: it takes a run folder, the options and a reporter, and gives an `Answer`."""
    instead: str = "its frames and report show what it has"
    """What to do where it cannot be asked."""

    def check(self, scene: "Scene") -> None:
        """See that it can be asked of a scene.

        Raises:
            InputError: when it cannot.
        """
        kind = kind_of(scene)
        if kind not in self.kinds:
            asked_of = "pictures" if "picture" in self.kinds else "3D scenes"
            raise InputError(f"{self.option} is for {asked_of}, and this run is of {KINDS[kind]}; {self.instead}")

    @property
    def answer(self) -> "Callable[..., Answer]":
        """The function; what it needs is imported now."""
        module, name = self.function.split(".")
        return getattr(import_module(f".{module}", __package__), name)


def kind_of(scene: "Scene") -> Kind:
    """What a scene is."""
    from scenes.picture import Picture
    from scenes.posed import PosedScene
    from scenes.shape import Shape
    from scenes.signal import Signal

    match scene:
        case Picture():
            return "picture"
        case Signal():
            return "signal"
        case PosedScene():
            return "photographs"
        case Shape():
            return "solid"
    raise TypeError(f"{type(scene).__name__} is a new kind of scene")


QUESTIONS: Mapping[str, Question] = {
    "cells": Question(
        "--cells", ("picture", "photographs", "solid"), ("step", "slice", "region", "max_cells"), "cells.draw_cells"
    ),
    "slice": Question(
        "--slice", ("photographs", "solid"), ("step", "slice"), "slices.draw_slice", instead="leave it out"
    ),
    "confusion": Question("--confusion", ("picture",), ("step",), "confusion.measure_confusion"),
    "kernel": Question("--kernel", ("picture",), ("step",), "kernel.measure_kernel"),
    "all_checkpoints": Question("--all-checkpoints", ("picture",), (), "all_checkpoints.measure_checkpoints"),
}
"""By the name of the option that asks it."""
