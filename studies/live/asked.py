"""What a viewer of a fit may ask for: each is made of plain values that are checked here, and names no file."""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, Literal, TypeAlias

from fieldlens.configs.errors import InputError
from fieldlens.configs.records import Choices, from_hand, within

Size: TypeAlias = Literal["draft", "fine"]
"""Of a picture that a camera sees: small and at once, or as large as a page shows it, and in strips."""

COUNTED = within(0, 1_000_000)
"""Whatever is counted from 0; whether there are so many is for whoever answers."""


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
    run: int = field(default=0, metadata=COUNTED)
    """Which of the runs on the page is asked, from 0."""


@dataclass(frozen=True)
class Motion(Place):
    """The same place, about which is to be told what takes as long as a map: how its detail moves."""


@dataclass(frozen=True)
class Map(Choices):
    """A map over the picture, as the field has it now."""

    name: str
    run: int = field(default=0, metadata=COUNTED)
    """Which of the runs on the page is asked, from 0."""


@dataclass(frozen=True)
class View(Choices):
    """What a camera sees that is moved around a 3D scene."""

    azimuth: float = field(metadata=within(-36_000, 36_000))
    """Degrees around the scene from where the camera is at first."""
    elevation: float = field(metadata=within(-89, 89))
    """Degrees above the horizon."""
    away: float = field(metadata=within(0.01, 4))
    """Its distance from the scene's middle, in distances of the scene's own cameras."""
    mode: Literal["colour", "distance", "normals", "creases"] = "colour"
    size: Size = "draft"
    strip: int = field(default=0, metadata=COUNTED)
    """Of a fine picture, which of its strips, from 0 at the top."""
    run: int = field(default=0, metadata=COUNTED)
    """Which of the runs on the page is asked, from 0."""


@dataclass(frozen=True)
class Photograph(Choices):
    """What one of the scene's own views shows, or the field from the same place; the error is known there alone."""

    number: int = field(metadata=COUNTED)
    """Of the view, from 0, among those that the page names."""
    mode: Literal["photograph", "colour", "distance", "normals", "creases", "error"] = "photograph"
    size: Size = "draft"
    strip: int = field(default=0, metadata=COUNTED)
    """Of a fine picture, which of its strips, from 0 at the top."""
    run: int = field(default=0, metadata=COUNTED)
    """Which of the runs on the page is asked, from 0."""


Look: TypeAlias = Place | Motion | Map | View | Photograph
"""What is asked of a field where it stands, and changes nothing."""

Question: TypeAlias = Command | LearningRate | TargetPsnr | Look

LOOKS: Mapping[str, type[Look]] = {"at": Place, "motion": Motion, "drawn": Map, "view": View, "photograph": Photograph}
"""By the last part of the address at which it is asked."""
DEEDS: Mapping[str, type[Question]] = {"do": Command, "learning_rate": LearningRate, "target_psnr_db": TargetPsnr}
"""Likewise, what changes something."""


def question_of(kind: str, values: Mapping[str, Any]) -> Question:
    """The question of a kind, a key of `LOOKS` or `DEEDS`, from values as they were sent.

    Raises:
        InputError: for another kind, and for values that do not fit.
    """
    kinds = {**DEEDS, **LOOKS}
    if kind not in kinds:
        raise InputError(f"nothing that is called so can be asked; there are {', '.join(kinds)}")
    missing = [part.name for part in fields(kinds[kind]) if part.default is MISSING and part.name not in values]
    if missing:
        raise InputError(f"{kind} needs {' and '.join(missing)}")
    return from_hand(kinds[kind], dict(values))
