"""What a question found of a finished run, as types.

Those with a `caption` are drawn: `analysis/<name>.json` holds one, and the report reads it back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Generic, Protocol, TypeAlias, TypeVar, runtime_checkable

from fieldlens.analysis.detail.verdicts import percent
from fieldlens.analysis.gradients.confusion import ConfusionSummary
from fieldlens.configs.errors import counted
from fieldlens.configs.files import JsonObject
from fieldlens.configs.records import IF_ANY, INLINE, fields_of, with_before

Windows: TypeAlias = Sequence[Sequence[float | None]]
"""Numbers of windows, row by row; None where there is none."""


@runtime_checkable
class Answer(Protocol):
    """What a verb tells of what it found; a program gets it as `configs.records.to_json` has it."""

    @property
    def lines(self) -> list[str]:
        """For a person."""
        ...


@dataclass(frozen=True)
class Areas:
    """How large cells are."""

    mean: float
    quantile_05: float
    median: float
    quantile_95: float
    largest: float


@dataclass(frozen=True)
class Interpolation:
    """How far the cells under an encoding are those of the encoding interpolated on a mesh."""

    pitch: float
    unit: str
    """Of the pitch."""
    tolerance: float
    change: float
    """By what share halving the pitch last changed the number of cells."""
    cells_per_pitch: Sequence[int]


@dataclass(frozen=True)
class CellsFound:
    """The cells in a region."""

    title: ClassVar[str] = "Cells"
    step: int
    slice: str | None = field(metadata=IF_ANY)
    """Of a 3D scene, the word of what they lie on."""
    region: Sequence[float]
    """Left, top, width and height, as shares of the picture or slice."""
    cells: int
    cells_per_layer: Sequence[int]
    crease_length_per_layer: Sequence[float]
    crease_length_per_area: float
    area: Areas
    units: str
    exact: bool
    interpolation: Interpolation | None = field(default=None, metadata=IF_ANY)

    @property
    def sentence(self) -> str:
        """How many there are, and how far their number is exact."""
        on = "" if self.slice is None else f" on {self.slice}"
        sentence = f"{counted(self.cells, 'cell')}{on} at step {self.step}"
        if (mesh := self.interpolation) is None:
            return sentence
        return (
            f"{sentence}. The encoding was replaced by flat pieces of {mesh.pitch:.3g} {mesh.unit}; when these were "
            f"last halved, the number changed by {percent(mesh.change)} (up to {percent(mesh.tolerance)} is accepted)"
        )

    @property
    def caption(self) -> str:
        """What the report says of the drawing."""
        where = "" if self.slice is None else f"where {self.slice}, "
        region = " ".join(f"{share:g}" for share in self.region)
        return (
            f"{counted(self.cells, 'cell')} {where}in the region {region} (left, top, width, height as shares of the "
            f"{'picture' if self.slice is None else 'slice'}). Within a cell the same neurons are on. The lines "
            "between cells are creases, in the colours of their layers."
        )


@dataclass(frozen=True)
class SliceFound:
    """How dense creases are on a slice, as area per volume and per diagonal of the scene's cube."""

    title: ClassVar[str] = "A slice through the cube"
    step: int
    slice: str
    area_per_volume: float
    area_per_volume_by_layer: Sequence[float]
    area_per_volume_solid: float | None
    """Where the field is solid; None where it is nowhere."""
    solid_share: float
    units: str = (
        "crease area per volume, per diagonal of the scene's cube; solid: inside a shape, or weighted by the light "
        "that a step of a ray stops"
    )

    @property
    def sentence(self) -> str:
        """The means over the slice and over what is solid."""
        inside = self.area_per_volume_solid
        where = "" if inside is None else f", {inside:,.0f} where the field is solid"
        return (
            f"how dense creases are where {self.slice}: {self.area_per_volume:,.0f}{where}, at step {self.step} (their "
            "area per volume, with the cube's diagonal as the unit of length)"
        )

    @property
    def caption(self) -> str:
        """What the report says of the drawing."""
        return (
            f"How dense creases are where {self.slice}, beside what the field has there: their area per volume, with "
            f"the cube's diagonal as the unit of length, {self.area_per_volume:,.0f} on average. They are those of the "
            "network that takes positions."
        )


@dataclass(frozen=True)
class NeighbourConfusion:
    """The map of pixels' confusion with their neighbours, in a few numbers."""

    mean: float | None
    distance_px: int
    stride: int


@dataclass(frozen=True)
class WindowsFound:
    """Confusion within windows, row by row."""

    window_px: int
    stride: int
    cosine: Windows
    strength: Windows
    eta: Windows
    zero_gradient_pairs: Sequence[Sequence[int]]


@dataclass(frozen=True)
class ConfusionFound:
    """How pixels' loss gradients lie to each other."""

    title: ClassVar[str] = "Gradient confusion"
    step: int
    radius_px: int
    near: ConfusionSummary = field(metadata={"key": "local"})
    """Of pairs up to `radius_px` apart."""
    far: ConfusionSummary = field(metadata={"key": "global"})
    """Of pairs farther apart."""
    map: NeighbourConfusion
    windows: WindowsFound
    units: str = "cosines of two pixels' loss gradients; eta in squared units of the gradient; windows row by row"

    @property
    def sentence(self) -> str:
        """How many near pixels hinder each other."""
        cosine = self.near.cosine
        return (
            f"of pairs of pixels up to {self.radius_px} px apart, {percent(cosine.negative_share)} hinder each other "
            f"(mean cosine of their gradients {cosine.mean:.2f}), at step {self.step}"
        )

    @property
    def caption(self) -> str:
        """What the report says of the drawing."""
        return (
            "The cosine of two pixels' loss gradients. 1: a step for one is a step for the other. -1: it undoes the "
            f"other's. Below 0 they hinder each other: {percent(self.near.cosine.negative_share)} of pairs up to "
            f"{self.radius_px} px apart do, and {percent(self.far.cosine.negative_share)} of those farther apart."
        )


@dataclass(frozen=True)
class Lengths:
    """How far a step for a pixel reaches, in pixels."""

    level: float
    """What the normalised kernel falls to there."""
    median_x: float | None
    median_y: float | None
    stride: int


@dataclass(frozen=True)
class KernelAgreement:
    """Of what an earlier kernel says is quick to learn with what went first."""

    from_step: int
    rank_correlation: float | None
    directions: int


@dataclass(frozen=True)
class KernelFound:
    """The neural tangent kernel on pixels of a picture."""

    title: ClassVar[str] = "The neural tangent kernel"
    step: int
    pixels: int
    entropy_rank: float
    participation_ratio: float
    eigenvalue_sum: float
    leading_eigenvalues: Sequence[float]
    alignment: Mapping[str, float]
    """By how many leading eigenvectors."""
    correlation_length: Lengths
    rate_agreement: KernelAgreement | None
    """None without an earlier checkpoint."""
    units: str = "luma; lengths in pixels; alignment: share of the residual along so many leading eigenvectors"

    @property
    def sentence(self) -> str:
        """In how many directions the field moves."""
        return (
            f"steps move the picture in about {self.entropy_rank:.1f} independent directions (effective rank of "
            f"{self.pixels} pixels), at step {self.step}"
        )

    @property
    def caption(self) -> str:
        """What the report says of the drawing."""
        return (
            "How far a step for one pixel reaches: the distance at which its effect (the normalised kernel) has fallen "
            f"to {self.correlation_length.level:g}. Green: it has not within 64 px, or up to the picture's end. Steps "
            f"move the picture in about {self.entropy_rank:.3g} independent directions (effective rank of "
            f"{self.pixels:,} pixels)."
        )


Found: TypeAlias = CellsFound | SliceFound | ConfusionFound | KernelFound
Numbers = TypeVar("Numbers", bound=Found)

DRAWN: Mapping[str, type[Found]] = {
    "cells": CellsFound,
    "slice": SliceFound,
    "confusion": ConfusionFound,
    "kernel": KernelFound,
}
"""What a person may ask for and the report shows, by the name of its files in `analysis/`."""


@dataclass(frozen=True)
class Drawn(Generic[Numbers]):
    """A drawing of what was found of a run."""

    path: Path
    report: Path | None
    """None before the run's first end."""
    found: Numbers = field(metadata=INLINE)

    @property
    def lines(self) -> list[str]:
        """What was found, where its drawing is, and the report that shows it."""
        report = [] if self.report is None else [f"report  {self.report}"]
        return [self.found.sentence, f"drawing {self.path}", *report]

    def to_json(self) -> JsonObject:
        """As one object; only cells come without their sentence."""
        plain = fields_of(self)
        if isinstance(self.found, CellsFound):
            return plain
        return with_before(plain, "step", {"summary": self.found.sentence})
