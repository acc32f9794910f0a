"""The questions that `analyze` asks of a finished run: what each can be asked of, what goes with it, who answers.

What a question needs is imported when it is asked, so that the command line can read the table at once.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from configs.errors import InputError

from ..subjects.kinds import KINDS, Kind

if TYPE_CHECKING:
    from ..answers import Answer
    from ..folder import RunFolder
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
    answer: "Callable[..., Answer]"
    """Takes a run folder, the options, and a reporter."""
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


def _cells(folder: "RunFolder", *, slice: Any, **said: Any) -> "Answer":
    from .cells import draw_cells

    return draw_cells(folder, cut=slice, **said)


def _slice(folder: "RunFolder", *, slice: Any, **said: Any) -> "Answer":
    from .slices import draw_slice

    return draw_slice(folder, slice, **said)


def _confusion(folder: "RunFolder", **said: Any) -> "Answer":
    from .confusion import measure_confusion

    return measure_confusion(folder, **said)


def _kernel(folder: "RunFolder", **said: Any) -> "Answer":
    from .kernel import measure_kernel

    return measure_kernel(folder, **said)


def _all_checkpoints(folder: "RunFolder", **said: Any) -> "Answer":
    from .all_checkpoints import measure_checkpoints

    return measure_checkpoints(folder, **said)


QUESTIONS: Mapping[str, Question] = {
    "cells": Question("--cells", ("picture", "photographs", "solid"), ("step", "slice", "region", "max_cells"), _cells),
    "slice": Question("--slice", ("photographs", "solid"), ("step", "slice"), _slice, instead="leave it out"),
    "confusion": Question("--confusion", ("picture",), ("step",), _confusion),
    "kernel": Question("--kernel", ("picture",), ("step",), _kernel),
    "all_checkpoints": Question("--all-checkpoints", ("picture",), (), _all_checkpoints),
}
"""By the name of the option that asks it."""
