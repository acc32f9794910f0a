"""What a subject finds: at a moment of a fit, at its end, and when what is missing is explained."""

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
from jaxtyping import Float, UInt8

from fieldlens.analysis import Explanation
from fieldlens.analysis.creases.surface import SurfaceAgreement
from fieldlens.analysis.detail.statistics import Interval
from fieldlens.analysis.detail.windows import Place
from fieldlens.configs.files import JsonObject, remove, write_json
from fieldlens.configs.records import IF_ANY, INLINE
from fieldlens.render.files import write_npz, write_png

Image: TypeAlias = UInt8[np.ndarray, "_ _ 3"]
"""A drawing, as a screen shows it."""
Values: TypeAlias = Float[np.ndarray, "_ _ _"]
"""What a field gives at the pixels of a view: rows, columns, channels."""
Progress: TypeAlias = Callable[[float], None]
"""Is told the share of a piece of work that is done, 0 to 1."""
Against: TypeAlias = Literal["creases", "leverage"]
"""What a statistic sets errors against, window by window."""
Named: TypeAlias = Mapping[str, float | None]
"""Numbers by the name of a band or a frequency; None where there is nothing to divide by."""


TOLD_PLACES = 3
"""How many of the worst places are told in a sentence; a page has more to go to."""
WORST_PLACES = 10
"""How many places are found, in which most is missing."""


@dataclass(frozen=True)
class Scores:
    """How close a drawing is to its target."""

    psnr_db: float
    heldout_psnr_db: float | None
    energy_kept: Named
    """By octave band, shortest waves first; None for bands without energy."""
    relative_error: Named
    """|F - Y| / |Y| by octave band: 0 exact, 1 as bad as leaving it out; None for bands without energy."""
    amplitudes: Sequence[float] = ()
    """Of a signal's frequencies, as shares of the signal's own."""
    amplitude_errors: Sequence[float] = ()
    """|F_k - Y_k| / |Y_k| of a signal's frequencies."""


@dataclass(frozen=True, eq=False)
class Observation:
    """What a field gives at one moment."""

    reconstruction: Values
    picture: Image
    """The reconstruction, as report and comparison show it."""
    scores: Scores
    distance: Float[np.ndarray, "_ _"] | None = None
    """Of photographs: of what is seen, from the camera, in sides of the scene's cube; NaN where nothing is."""


@dataclass(frozen=True, eq=False)
class Finished:
    """What a field gives at the end, drawn whole."""

    reconstructions: Sequence[Values]
    """Of each view; of a solid, the first alone."""
    picture: Image
    """The first of them, as report and comparison show it."""
    scores: Scores
    ssim: float | None
    """None where a view is too small for it."""


@dataclass(frozen=True)
class Row:
    """One recorded step; None where nothing was measured."""

    step: int
    seconds: float
    loss: float | None
    psnr_db: float
    heldout_psnr_db: float | None
    energy_kept: Sequence[float | None]
    relative_error: Sequence[float | None] = ()
    """By octave band, as `energy_kept` is."""
    amplitudes: Sequence[float | None] = ()
    """Of a signal's frequencies, as shares of the signal's own."""
    amplitude_errors: Sequence[float | None] = ()
    """|F_k - Y_k| / |Y_k| of a signal's frequencies."""


@dataclass(frozen=True)
class Statistic:
    """A number with its interval, where there is one."""

    value: float
    low: float | None
    high: float | None
    against: Against = field(default="creases", metadata={"before": "creases"})
    """What errors were set against."""

    @classmethod
    def of(cls, value: float | None, interval: Interval | None, against: Against) -> "Statistic | None":
        """A number and its interval; None where it is not defined."""
        if value is None:
            return None
        low, high = (None, None) if interval is None else (interval.low, interval.high)
        return cls(value, low, high, against)

    @classmethod
    def against_creases(cls, explanation: Explanation) -> "Statistic | None":
        """How crease density goes with what is missing; None where that is not defined."""
        return cls.of(explanation.primary.estimate, explanation.primary.interval, "creases")


@dataclass(frozen=True)
class SolidAgreement:
    """How close a field's surface is to the mesh; None where the field has no surface."""

    iou: float
    """Of the volume that either fills, the share that both do."""
    chamfer: float | None
    """Mean distance between the surfaces, as a share of the cube's diagonal."""
    normal_consistency: float | None
    """1 where all normals agree."""

    @classmethod
    def of(cls, overlap: float, surfaces: SurfaceAgreement | None) -> "SolidAgreement":
        """From what was measured of volumes and of surfaces."""
        if surfaces is None:
            return cls(overlap, None, None)
        return cls(overlap, surfaces.chamfer, surfaces.normal_consistency)


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What run.json says of an explanation."""

    crossings_per_pixel: float | None
    """Creases met in a step of a pixel, or of a sample; None for a field without creases."""
    crossings_standard_error: float | None = field(default=None, metadata=IF_ANY)
    """Of that mean, where some pixels stand for all; 0 where all were measured."""
    dead_neurons: int | None
    """Hidden neurons that are on nowhere; None where that is not asked, or the field has no creases."""
    explained_band: str | None
    """The octave of wavelengths, or the frequency, that the verdict speaks of; None where nothing was explained."""
    primary_statistic: Statistic | None = None
    """How what says best where detail is missing goes with it: leverage, or crease density where that is not known."""
    crease_statistic: Statistic | None = field(default=None, metadata=IF_ANY)
    """How crease density does, where leverage is known."""
    amplitude_recovered: Named | None = field(default=None, metadata=IF_ANY)
    """Of a signal, by its frequencies."""
    verdict: tuple[str, ...]
    """In sentences."""
    worst_places: tuple[Place, ...] = field(default=(), metadata=IF_ANY)
    """Squares of the picture in which most is missing, most first."""
    worst_in: str | None = field(default=None, metadata=IF_ANY)
    """Of a 3D scene: the view that they are places of."""
    collapsed: bool | None = field(default=None, metadata=IF_ANY)
    """Of photographs: whether the field shows one colour and no more."""
    capacity: str | None = None
    """Whether the creases could express what is missing, in a sentence."""
    agreement: SolidAgreement | None = field(default=None, metadata=INLINE)
    """Of a solid."""

    @property
    def sentences(self) -> list[str]:
        """The verdict, with where most is missing, and after it whether the creases could express what is missing."""
        first, *others = self.verdict
        places = "; ".join(place.label for place in self.worst_places[:TOLD_PLACES])
        where = f"Most is missing around {places} px{f' of {self.worst_in}' if self.worst_in else ''}."
        return [
            f"{first} {where}" if self.worst_places else first,
            *others,
            *([self.capacity] if self.capacity else []),
        ]


@dataclass(frozen=True, eq=False)
class Files:
    """Drawings, arrays and numbers to be written into one folder, each by its name there without an ending."""

    pictures: Mapping[str, Image] = field(default_factory=dict)
    arrays: Mapping[str, Mapping[str, np.ndarray]] = field(default_factory=dict)
    numbers: Mapping[str, JsonObject] = field(default_factory=dict)

    def __or__(self, other: "Files") -> "Files":
        """All files of both."""
        return Files(
            {**self.pictures, **other.pictures}, {**self.arrays, **other.arrays}, {**self.numbers, **other.numbers}
        )


@dataclass(frozen=True, eq=False)
class Explained:
    """What was found of missing detail: for people and run.json, and the maps and numbers behind it."""

    summary: Summary
    files: Files


def unexplained(run: Path, scores: Scores, frequencies: Sequence[int]) -> Explained:
    """What stands for an explanation that was left out: the command that makes it, and what scores say of a signal."""
    command = f"fieldlens analyze {shlex.quote(str(run))}"
    left_out = f"What is missing was not explained, as --quick asks; `{command}` does it."
    shares = {
        f"{k} cycles": share
        for k, share in zip(frequencies, scores.amplitudes, strict=True)
        if np.isfinite(share)  # there is none of a fit that has diverged
    }
    summary = Summary(
        crossings_per_pixel=None,
        dead_neurons=None,
        explained_band=None,
        amplitude_recovered=shares or None,
        verdict=(left_out,),
    )
    return Explained(summary, Files())


EXPLAINED = (
    *("explain", "error", "missing", "spectra", "views", "residual"),
    *("density", "speed", "leverage", "progress", "capacity", "creases"),
    *("around", "around_colour", "around_distance", "around_normals", "around_creases", "surface"),
)
"""Files of an explanation by their names. Not all fields have all: one that has diverged has no creases any more."""


def write_explained(path: Path, explained: Explained) -> None:
    """Write what was found into the folder `path`: `explain.json`, maps as pictures and as arrays.

    Files of an explanation that an earlier sitting left go where there are none now.

    Raises:
        InputError: when a file cannot be written.
    """
    kinds = {".png": explained.files.pictures, ".npz": explained.files.arrays, ".json": explained.files.numbers}
    for name in EXPLAINED:
        for ending, files in kinds.items():
            if name not in files:
                remove(path / f"{name}{ending}")
    for name, picture in explained.files.pictures.items():
        write_png(path / f"{name}.png", picture)
    for name, arrays in explained.files.arrays.items():
        write_npz(path / f"{name}.npz", **arrays)
    for name, numbers in explained.files.numbers.items():
        write_json(path / f"{name}.json", numbers)
