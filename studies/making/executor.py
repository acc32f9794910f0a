"""Whoever makes the fits of a study, and what became of each.

A fit may lose its process: killed, out of memory, or on a machine that is gone. It is then begun again, by another
process where there is one. `Make` decides what that means: a fit that keeps checkpoints goes on from its last one, and
one that is whole or not there at all is made anew.
"""

import errno
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias, runtime_checkable

import torch

from fieldlens.configs.run import FitConfig
from fieldlens.fitting import Controls

Make: TypeAlias = Callable[[FitConfig, Path, Controls], str | None]
"""Makes a fit in a folder of its own below the study's and says what it was; None where it was stopped. Other processes
are sent it: it is a function of a module, or a `partial` of one."""

Reads: TypeAlias = Callable[[FitConfig], Sequence[Path]]
"""The files below a study's folder that a fit is made from."""

MOST_LOSSES = 3
"""How often a fit is begun again. One that is lost once more is given up."""


@dataclass(frozen=True)
class Work:
    """How the fits of a study are made, and where."""

    make: Make
    folder: Path
    """The study's. On a machine that does not see it, another folder takes its place, and what is made comes back."""
    reads: Reads | None = None
    """What a fit needs of that folder, which is then sent there; None where it needs nothing."""


@dataclass(frozen=True)
class Outcome:
    """What became of a fit."""

    config: FitConfig
    made: str | None
    """What it was; None where it was given up."""
    losses: tuple[str, ...] = ()
    """Why it was lost, for each time that it was."""


Outcomes: TypeAlias = Generator[Outcome, None, None]


@runtime_checkable
class Executor(Protocol):
    """Makes fits."""

    def outcomes(self, configs: Sequence[FitConfig], work: Work, controls: Controls) -> Outcomes:
        """Make fits, those in front first, and yield what became of each once that is known.

        Told to stop, it ends early, after what is being made has ended. Closed, it ends what it began.

        Raises:
            InputError: what `work.make` raises, or where there is nobody to make fits.
        """
        ...


class LostError(Exception):
    """A fit was lost with what made it, through no fault of its own; it may be begun again."""


def made(config: FitConfig, make: Make, folder: Path, controls: Controls) -> str | None:
    """What a fit was that is made now, below a study's folder; None where it was stopped.

    Raises:
        LostError: when memory ran out.
    """
    try:
        return make(config, folder, controls)
    except (MemoryError, RuntimeError, OSError) as error:
        if _is_want_of_memory(error):
            raise LostError("memory ran out") from error
        raise


def _is_want_of_memory(error: Exception) -> bool:
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    # of processors, torch says it in words alone
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or "can't allocate memory" in str(error)
