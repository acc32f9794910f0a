"""What a viewer of a fit may ask for: each is made of plain values that are checked here, and names no file."""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, Literal, TypeAlias

from fieldlens.configs.errors import InputError
from fieldlens.configs.records import Choices, from_hand, within


@dataclass(frozen=True)
class Command(Choices):
    """Something that is done to the fit."""

    do: Literal["pause", "resume", "step", "snapshot", "stop"]


@dataclass(frozen=True)
class LearningRate(Choices):
    """Another learning rate from the next step on."""

    rate: float = field(metadata=within(0, 1e30, above=True))


@dataclass(frozen=True)
class TargetPsnr(Choices):
    """Other dB at which the fit ends, or none."""

    psnr_db: float | None = field(metadata=within(-1000, 1000))


@dataclass(frozen=True)
class Place(Choices):
    """A place of the picture, about which everything is to be told."""

    x: float = field(metadata=within(0, 1))
    """From the left, as a share of the width."""
    y: float = field(metadata=within(0, 1))
    """From above, as a share of the height."""


@dataclass(frozen=True)
class View(Choices):
    """What a camera sees that is moved around a 3D scene."""

    azimuth: float = field(metadata=within(-36_000, 36_000))
    """Degrees around the scene from where the camera is at first."""
    elevation: float = field(metadata=within(-89, 89))
    """Degrees above the horizon."""
    away: float = field(metadata=within(0, 4, above=True))
    """Its distance from the scene's middle, in distances of the scene's own cameras."""
    mode: Literal["colour", "distance", "normals"] = "colour"
    size: Literal["draft", "fine"] = "draft"


Question: TypeAlias = Command | LearningRate | TargetPsnr | Place | View


def question_of(kind: str, values: Mapping[str, Any]) -> Question:
    """The question of a kind, `do`, `learning_rate`, `target_psnr_db`, `at` or `view`, from values as they were sent.

    Raises:
        InputError: for another kind, and for values that do not fit.
    """
    kinds = {"do": Command, "learning_rate": LearningRate, "target_psnr_db": TargetPsnr, "at": Place, "view": View}
    if kind not in kinds:
        raise InputError(f"nothing that is called so can be asked; there are {', '.join(kinds)}")
    missing = [part.name for part in fields(kinds[kind]) if part.default is MISSING and part.name not in values]
    if missing:
        raise InputError(f"{kind} needs {' and '.join(missing)}")
    return from_hand(kinds[kind], dict(values))
