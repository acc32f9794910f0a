"""How a study tells a person where it is. The command line draws it; a script may ignore it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable


@dataclass(frozen=True)
class Moment:
    """Where a fit is."""

    label: str
    """The encoding's word."""
    step: int
    seconds: float
    psnr_db: float | None
    """Of the newest frame; None before the first."""
    steps_per_s: float
    done: float
    """The share of the run that is over, 0 to 1, by whichever limit is nearest; 0 when nothing limits it."""
    artefact: Path | None
    """The newest frame's file."""
    drawn_step: int | None
    """The newest frame's step, which may be long before this one."""
    picture: Path | None = None
    """The newest reconstruction's file, of which the frame is a larger drawing."""
    left: float | None = None
    """Seconds that everything still takes, report and all; None where that cannot be said yet."""


@runtime_checkable
class Reporter(Protocol):
    """Is told what happens."""

    def say(self, sentence: str) -> None:
        """A sentence worth reading."""

    def fitting(self, moment: Moment) -> None:
        """A fit goes on; comes about twice a second."""

    def working(self, task: str, done: float) -> None:
        """Something else goes on: drawing, measuring, writing; `done` is 0 to 1."""


class Silent:
    """A reporter that tells nobody."""

    def say(self, sentence: str) -> None:
        """Nothing."""

    def fitting(self, moment: Moment) -> None:
        """Nothing."""

    def working(self, task: str, done: float) -> None:
        """Nothing."""
