"""The questions that `analyze` asks of a finished run: what each can be asked of, what goes with it, who answers.

What a question needs is imported when it is asked, so that the command line can read the table at once.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from fieldlens.configs.errors import InputError

from ..subjects.kinds import KINDS, Kind

if TYPE_CHECKING:
    from fieldlens.studies.runs.answers import Answer

    from ..subjects.subject import Subject


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

    def check(self, subject: "Subject") -> None:
        """See that it can be asked of a subject.

        Raises:
            InputError: when it cannot.
        """
        if subject.kind not in self.kinds:
            asked_of = "pictures" if "picture" in self.kinds else "3D scenes"
            of = KINDS[subject.kind]
            raise InputError(f"{self.option} is for {asked_of}, and this run is of {of}; {self.instead}")

    @property
    def answer(self) -> "Callable[..., Answer]":
        """The function; what it needs is imported now."""
        module, name = self.function.split(".")
        return getattr(import_module(f".{module}", __package__), name)


QUESTIONS: Mapping[str, Question] = {
    "cells": Question(
        "--cells",
        ("picture", "points", "photographs", "solid"),
        ("step", "slice", "region", "max_cells"),
        "cells.draw_cells",
    ),
    "slice": Question(
        "--slice", ("photographs", "solid"), ("step", "slice"), "slices.draw_slice", instead="leave it out"
    ),
    "confusion": Question("--confusion", ("picture",), ("step",), "confusion.measure_confusion"),
    "kernel": Question("--kernel", ("picture",), ("step",), "kernel.measure_kernel"),
    "all_checkpoints": Question("--all-checkpoints", ("picture",), (), "all_checkpoints.measure_checkpoints"),
}
"""By the name of the option that asks it."""
