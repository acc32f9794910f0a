"""The figures of a study: each of the paper's experiments, which fits it shows, and what draws it, as SVG."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from matplotlib.figure import Figure

from fieldlens.studies.runs.charts import svg_of

from . import figures_of_fields as of_fields
from . import figures_of_histories as of_histories
from .runs import Runs

Source = TypeVar("Source")


@dataclass(frozen=True)
class Drawing(Generic[Source]):
    """A figure of the study."""

    id: str
    title: str
    caption: str
    roles: tuple[str, ...]
    """Roles of the fits that the figure shows."""
    draw: Callable[[Source], Figure]

    def svg(self, runs: Source) -> bytes:
        """The figure; the same measurements give the same bytes."""
        return svg_of(partial(self.draw, runs))


FOUR_ENCODINGS = ("raw", "coarse", "fine")
"""Roles of figures of narrow and wide raw coordinates and the two encodings that claims compare."""
ALL_ENCODINGS = ("raw", "few", "coarse", "fine")
"""Roles of figures with a line for each encoding that pictures are fitted under."""
OVER_BOTH = " Above over crease density midway, below over stable rank midway."
"""Of captions of doses."""

DRAWINGS: tuple[Drawing[Runs], ...] = (
    Drawing(
        "pictures", "What is fitted", "The first fit of each picture, at the end.", FOUR_ENCODINGS, of_fields.pictures
    ),
    Drawing(
        "A1",
        "Errors by octave",
        "Energy of the residual over that of the target, by octave of wavelengths. At the dotted line the error is "
        "half as large as the detail.",
        FOUR_ENCODINGS,
        of_histories.bands,
    ),
    Drawing(
        "E1",
        "Distinct patterns",
        "Counted at pixel centres: where every pixel has its own, the count says nothing.",
        ALL_ENCODINGS,
        of_histories.over_steps("patterns", "unique_share"),
    ),
    Drawing(
        "E2",
        "Hamming distance",
        "Mean over pairs of pixels, exact.",
        ALL_ENCODINGS,
        of_histories.over_steps("hamming_local", "hamming_opposite"),
    ),
    Drawing(
        "E3",
        "Hamming distance by layer",
        "Over all pairs of pixels.",
        FOUR_ENCODINGS,
        of_histories.by_layer("hamming_global"),
    ),
    Drawing(
        "E4",
        "Gradient confusion",
        "Cosines of the loss gradients of pairs: 5, 25, 50, 75 and 95 %.",
        FOUR_ENCODINGS,
        of_histories.cosines,
    ),
    Drawing(
        "E5",
        "Dead and always-on neurons",
        "Of all hidden neurons, over the picture's pixels.",
        ALL_ENCODINGS,
        of_histories.over_steps("dead", "always_on"),
    ),
    Drawing(
        "E6",
        "Spectral norms",
        "Their product bounds the slope by much: the slope stands beside it.",
        ALL_ENCODINGS,
        of_histories.over_steps("norm_product", "slope"),
    ),
    Drawing(
        "E7",
        "Distances to creases",
        "The authors' measure, in spaces of features and activations, and the distance "
        "in the picture: they order encodings the other way round.",
        ALL_ENCODINGS,
        of_histories.over_steps("narrowness", "crease_distance"),
    ),
    Drawing(
        "E8",
        "Balls in the first layer's cells",
        "Around random points of feature space, as the authors take them, not around encoded pixels. Dotted before "
        "training, drawn out after it; first fit of each encoding.",
        ("few", "coarse", "fine"),
        of_fields.inspheres,
    ),
    Drawing(
        "E9",
        "Angles between neurons",
        "Cosines of weight rows, the fine encoding's first fit at its end.",
        ("fine",),
        of_fields.angles,
    ),
    Drawing(
        "E10",
        "Cross sections of feature space",
        "First-layer patterns of the fine encoding's first fit where two features run from -1 to 1, the others are 0; "
        "no pixel is encoded to such points.",
        ("fine",),
        of_fields.cross_sections,
    ),
    Drawing(
        "E11",
        "A signal of one dimension",
        "A sum of sines: Hamming distance, and the standard deviation of the cosines of gradients, of samples near to "
        "each other and far apart.",
        ("signals",),
        of_histories.signals,
    ),
    Drawing("E12", "Size of the network", "Fits of random pixels.", ("sizes, raw", "sizes, fine"), of_histories.sizes),
    Drawing(
        "E13",
        "One frequency",
        "Fits of random pixels by the largest network.",
        ("sizes, raw", "sizes, fine", "one octave"),
        of_histories.one_octave,
    ),
    Drawing(
        "E14",
        "Distance of features",
        "Of two points a shift apart, under the fine encoding.",
        (),
        of_fields.encoding_distance,
    ),
    Drawing(
        "E15",
        "Adam and Muon",
        "Narrow raw coordinates and the fine encoding; stable rank is the mean over matrices between hidden layers.",
        ("raw", "fine", "raw, muon", "fine, muon"),
        of_histories.optimizers,
    ),
    Drawing(
        "N1",
        "Density of creases",
        "Length per area in the picture, and how much the field bends at them.",
        ALL_ENCODINGS,
        of_histories.over_steps("crease_length", "bend"),
    ),
    Drawing(
        "N4",
        "Intervals as doses of density",
        "Raw coordinates on wider and wider intervals; each line one picture and seed." + OVER_BOTH,
        ("raw",),
        of_histories.doses("raw"),
    ),
    Drawing(
        "N5",
        "Spread biases as doses of density",
        "Wide raw coordinates with first-layer biases that start closer together or further apart." + OVER_BOTH,
        ("biases",),
        of_histories.doses("biases"),
    ),
    Drawing(
        "N6",
        "Revived neurons as doses of density",
        "Narrow raw coordinates with dead neurons left alone, and revived at eighths of the fit." + OVER_BOTH,
        ("revived",),
        of_histories.doses("revived"),
    ),
    Drawing(
        "N10",
        "Held-out pixels",
        "Narrow raw coordinates and the fine encoding, trained on a quarter of the pixels: even rows and columns.",
        ("held out, raw", "held out, fine"),
        of_histories.held_out,
    ),
    Drawing(
        "N12",
        "Density or rank",
        "What is missing of the explained octave, and PSNR, at the end, over what each dose had midway. Each point is "
        "one fit; a fit that is a dose of two kinds is drawn as the first of them." + OVER_BOTH,
        ("raw", "biases", "revived", "raw, muon"),
        of_histories.density_and_rank,
    ),
    Drawing(
        "A16",
        "Many dimensions",
        "Spread of the cosines of gradients: pixels near to each other and far apart under narrow raw coordinates, and "
        "handwritten digits with their nearest and farthest.",
        ("raw", "digits"),
        of_histories.digits,
    ),
    Drawing(
        "detail",
        "Detail",
        "Energy of the residual over that of the target in the finest octave that holds a hundredth of the target's, "
        "and the frequency up to which Fourier rings of the two correlate by 1/7 or more.",
        ALL_ENCODINGS,
        of_histories.over_steps("missing", "resolved"),
    ),
    Drawing(
        "bending",
        "Bends between creases",
        "Encodings bend between creases as well; and how many neurons change sign near a pixel (Humayun et al. 2024).",
        ALL_ENCODINGS,
        of_histories.over_steps("smooth_share", "complexity"),
    ),
    Drawing(
        "rank",
        "Stable rank",
        "Mean over the matrices between hidden layers: in how many directions they map with about the same strength.",
        ALL_ENCODINGS,
        of_histories.over_steps("stable_rank"),
    ),
    Drawing(
        "kernel",
        "The neural tangent kernel",
        "In how many directions the field moves, and how much of the residual lies along the leading tenth of them.",
        ALL_ENCODINGS,
        of_histories.over_steps("kernel_rank", "kernel_alignment"),
    ),
)
"""All figures, each named by the paper's experiment where it is one of them, or by the claim that it goes with."""
