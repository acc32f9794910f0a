"""What a report is made of: plain results, already measured and drawn; of networks, their plain arrays.

Pictures are RGB of 8 bits, channels last, as the screen shows them. They need not share one size: each is stretched
over the target's frame, so a snapshot drawn at half size still lies where it belongs. NaN and missing numbers are shown
as "n/a", infinite ones (the PSNR of an exact copy) as the sign for infinity.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from jaxtyping import Float, Int, UInt8

from fieldlens.analysis.detail.windows import Place
from fieldlens.fields.plain import PlainField
from fieldlens.render.scales import Scale
from fieldlens.report.images import LARGEST_SIDE
from fieldlens.report.words import PICTURE_WORDS, Words

Number = float | int | str | None


@dataclass(frozen=True)
class Frame:
    """The reconstruction as it stood at one recorded step."""

    step: int
    seconds: float
    """Training time up to this step; drawing and measuring are not counted."""
    psnr_db: float
    image: UInt8[np.ndarray, "h w 3"]


@dataclass(frozen=True)
class Overlay:
    """A map of the last snapshot, and of some before it, drawn over the picture with an opacity the reader chooses."""

    name: str
    """One word, the same in every run of a report: `density`, `error`, `missing`."""
    image: UInt8[np.ndarray, "h w 3"] | None
    """None while a fit goes on, where it is drawn when somebody looks at it."""
    caption: str
    legend: UInt8[np.ndarray, "legend_h legend_w 3"] | None = None
    """A drawn colour scale with its unit, shown beside the caption."""
    scale: Scale | None = None
    """What each colour stands for; None where that cannot be read off."""
    earlier: Sequence[tuple[int, UInt8[np.ndarray, "h1 w1 3"]]] = ()
    """The map of earlier steps, rising: the page shows the newest that is not after the step shown."""


@dataclass(frozen=True)
class Curves:
    """What was measured while the network trained; every list is as long as `step`, None where nothing was measured."""

    step: Sequence[int]
    psnr_db: Sequence[float | None]
    heldout_psnr_db: Sequence[float | None] = ()
    """Empty, or None throughout, when no pixels were held out."""
    energy_kept: Mapping[str, Sequence[float | None]] = field(default_factory=dict)
    """By octave of wavelengths (`2-4 px`), the reconstruction's energy over the target's: 1 where all is there. Of a
    signal the same of amplitudes, by frequency."""


@dataclass(frozen=True)
class Spectra:
    """What the end of a run has by frequency; all lists are as long as `frequency`, None where nothing is known."""

    frequency: Sequence[float]
    """Rising; in cycles per pixel, or of a signal in cycles over its length."""
    power_db: Mapping[str, Sequence[float | None]]
    """Power in dB of `target`, `reconstruction` and `residual`."""
    correlation: Sequence[float | None]
    """Ring correlation: 1 for the same detail, 0 for unrelated detail or none."""
    rounding_db: float | None = None
    """Power of rounding to 8 bits, below which there is no detail."""
    resolved: Mapping[str, float | None] = field(default_factory=dict)
    """Frequencies up to which detail is the right detail, by the threshold in words."""


@dataclass(frozen=True)
class Learnt:
    """When an octave or a frequency was there: first, and for good, by step; None for never."""

    label: str
    half_energy: tuple[int | None, int | None]
    """The steps with half of the target's energy, right detail or wrong."""
    half_error: tuple[int | None, int | None]
    """The steps with a relative error under one half."""


@dataclass(frozen=True)
class Series:
    """A statistic over training steps, with its interval where there is one."""

    label: str
    values: Sequence[float | None]
    low: Sequence[float | None]
    high: Sequence[float | None]


@dataclass(frozen=True)
class FigureFile:
    """A figure beside the report, which is linked and not shown."""

    title: str
    address: str
    """Where the file is, relative to the report."""
    note: str = ""
    """What has to be said beside it."""


@dataclass(frozen=True)
class ThroughTraining:
    """What the checkpoints of a run say: whether creases foretell what is missing, and what else was measured."""

    verdict: Sequence[str]
    step: Sequence[int]
    series: Sequence[Series]
    """The statistic of the verdict for the creases of each step; each as long as `step`."""
    figures: Sequence[FigureFile]


@dataclass(frozen=True)
class Exhibit:
    """A drawing of an analysis that was asked for, complete with its own scale."""

    title: str
    image: UInt8[np.ndarray, "picture_h picture_w 3"]
    caption: str


@dataclass(frozen=True, eq=False)
class Around:
    """What is seen of a 3D scene from cameras that go around it once."""

    pictures: int
    columns: int
    """Pictures in a row of a sheet; the first is at its left top."""
    height: int
    width: int
    """Of each picture in pixels."""
    sheets: Mapping[str, UInt8[np.ndarray, "sheet_h sheet_w 3"]]
    """By what they show, such as `colour`."""
    eye: Sequence[float]
    """Where the first camera is, in the scene's unit cube, into whose middle all look."""
    up: Sequence[float]
    """The direction that is upwards, an axis of that cube."""
    angle: float
    """Of the cameras' view from top to bottom, in radians."""


@dataclass(frozen=True, eq=False)
class Surface:
    """The surface of a 3D scene, which a browser turns."""

    vertices: Float[np.ndarray, "n 3"]
    """In the scene's unit cube."""
    normals: Float[np.ndarray, "n 3"]
    """Of length 1, to the outside."""
    colours: UInt8[np.ndarray, "n 3"]
    triangles: Int[np.ndarray, "m 3"]


@dataclass(frozen=True)
class KeptNetwork:
    """A network that the page carries, for its microscope."""

    step: int
    field: PlainField
    precision: Literal["float16", "float32"] = "float32"
    """In which its weights are written."""


@dataclass(frozen=True)
class RunPart:
    """One trained field: its pictures, its curves, its numbers and what they say."""

    label: str
    """The encoding's word, such as `fourier:8`."""
    network: str
    frames: Sequence[Frame]
    """Snapshots in the order of their steps."""
    final: UInt8[np.ndarray, "h w 3"]
    """The last snapshot at full size; it stands in for the last frame."""
    overlays: Sequence[Overlay]
    curves: Curves
    numbers: Mapping[str, Number]
    """One row of the table, under the names of `run.json`; `fieldlens.report.table` knows their headings and units."""
    verdict: Sequence[str]
    explanation: Mapping[str, object]
    """The statistics behind the verdict, as in `explain.json`: tables in a foldable."""
    spectra: Spectra | None = None
    """None where none were taken."""
    learnt: Sequence[Learnt] = ()
    """When each octave, shortest waves first, or each of a signal's frequencies was there."""
    through_training: ThroughTraining | None = None
    """None unless the checkpoints were measured."""
    views: Exhibit | None = None
    """All views of a 3D scene on one sheet, each with its PSNR; None for what is no 3D scene."""
    around: Around | None = None
    """Of a 3D scene: what is seen from all around."""
    surface: Surface | None = None
    """Of a 3D scene that has one."""
    pictures: Sequence[Exhibit] = ()
    """Drawings of analyses that were asked for besides, below the verdict."""
    networks: Sequence[KeptNetwork] = ()
    """Of two coordinates, by step; the last is the one that the rest of the page speaks of."""
    no_network: str = ""
    """A sentence on why the page carries none, where it might have."""
    worst: Sequence[Place] = ()
    """Where most detail is missing, the worst first: pictures and microscope fly there."""


@dataclass(frozen=True)
class Chapter:
    """An answer to one question, with what shows it."""

    heading: str
    sentences: Sequence[str]
    map: str | None = None
    """The map of the picture that shows it, by the name of its overlay."""
    places: Sequence[Place] = ()
    """Where to look, worst first."""


@dataclass(frozen=True)
class Film:
    """A video beside the report."""

    title: str
    address: str
    """Where the file is, relative to the report."""
    data: bytes | None
    """The file, as part of the page; None where it is too large, and the page has a link to it."""


@dataclass(frozen=True)
class Report:
    """One scene, fitted once or several times under one protocol."""

    title: str
    lead: str
    """The sentence that opens the page."""
    target: UInt8[np.ndarray, "h w 3"]
    runs: Sequence[RunPart]
    protocol: Mapping[str, str]
    """Every choice that made these numbers, by the name a person would type."""
    notes: Sequence[str] = ()
    """What was done to the picture, and warnings, in words."""
    words: Words = PICTURE_WORDS
    """What the page calls the parts of what is fitted."""
    chapters: Sequence[Chapter] = ()
    """What the lead leaves open, in the order in which a person asks."""
    films: Sequence[Film] = ()
    """Videos in the report's own folder."""
    largest_side: int = LARGEST_SIDE
    """Pixels of the longer side, to which the page reduces larger pictures."""
