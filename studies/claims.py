"""What Lazzari & Liu (arXiv 2301.05816) say, and what is said of it, as measurements on the fits of a study.

A1-A15 are the paper's statements, C1-C4 those that its own figures contradict or that its measure cannot carry, N1-N4
are about density in image space, which the paper does not measure. Raw coordinates "narrow" are on [0, 1], "wide" on
[-1, 1]; "coarse" and "fine" are the study's two positional encodings. Ratios are in powers of two: 1 is twice as much.
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from analysis.fourier import half_error_step
from analysis.statistics import rank_correlation

from .judging import Claim, Part
from .over_training import History
from .study import EPOCH, LOOKED_AT, Runs, Unit

OCTAVES = "powers of two"
UNSATURATED = 0.6
"""Counts of patterns are not compared where more pixels than this share have one of their own."""
ENOUGH = 0.1
"""A fall or a rise is one from this on, in powers of two: 7 %."""
NARROW, WIDE = 0, 1


@dataclass(frozen=True)
class Fits:
    """The fits of one unit of a study, as claims see them."""

    runs: Runs
    unit: Unit

    def __call__(self, role: str) -> list[History]:
        return self.runs.histories(self.unit, role)

    @property
    def narrow(self) -> History:
        """Raw coordinates on the narrowest interval."""
        return self("raw")[NARROW]

    @property
    def wide(self) -> History:
        """Raw coordinates on the next one."""
        return self("raw")[WIDE]

    @property
    def coarse(self) -> History:
        """The encoding that does not reach the finest detail."""
        return self("coarse")[0]

    @property
    def fine(self) -> History:
        """The encoding that does."""
        return self("fine")[0]

    @property
    def four(self) -> tuple[History, ...]:
        """Narrow, wide, coarse, fine."""
        return self.narrow, self.wide, self.coarse, self.fine

    @property
    def width(self) -> int:
        """Neurons of a layer."""
        return self.runs.study.network.width

    @property
    def neurons(self) -> int:
        """Neurons of all hidden layers."""
        return self.width * self.runs.study.network.depth


Measure = Callable[[Fits], float | None]


def times(more: float | Float[np.ndarray, " n"], less: float | Float[np.ndarray, " n"]) -> Float[np.ndarray, "*n"]:
    """How many powers of two one number is above another; one is added to counts by whoever has zeros.

    >>> float(times(8.0, 2.0))
    2.0
    """
    with np.errstate(divide="ignore", invalid="ignore"):  # a zero has no ratio: judges leave out what is not finite
        return np.asarray(np.log2(np.asarray(more, np.float64)) - np.log2(np.asarray(less, np.float64)))


def rising(values: Sequence[float] | Sequence[Float[np.ndarray, " steps"]]) -> float:
    """The smallest ratio from one to the next: above 0 if all rise (at every step, for curves)."""
    return min(float(np.min(times(after, before))) for before, after in itertools.pairwise(values))


def _start(history: History, column: str) -> float:
    return float(history[column][0])


def _end(history: History, column: str) -> float:
    return float(history[column][-1])


def _spread(history: History, where: str, step: int | None = None) -> float:
    return history.at(f"confusion_{where}__std", step or int(history.steps[-1]))


def _trained(history: History, column: str) -> Float[np.ndarray, " steps"]:
    """A column without step 0."""
    return history[column][1:]


def _bands_in_order(fits: Fits) -> float | None:
    """Rank correlation of an octave's wavelength with how early its error falls to a half, at its least over fits."""
    orders = [_band_order(history) for history in (fits.wide, fits.coarse, fits.fine)]
    known = [order for order in orders if order is not None]
    return min(known, default=None)


def _band_order(history: History) -> float | None:
    errors = list(history.parts("error").values())  # shortest waves first
    if len(errors) < 3:
        return None
    reached = half_error_step(history.steps.tolist(), np.sqrt(np.stack(errors, axis=1)))
    never = 2.0 * history.steps[-1]
    when = np.array([never if band.lasting is None else band.lasting for band in reached], np.float64)
    return rank_correlation(-np.arange(len(errors), dtype=np.float64), when)


def _least_global_over_local(fits: Fits) -> float:
    return min(float(np.min(times(h["hamming_global"], h["hamming_local"]))) for h in fits.four)


def _least_local_spread(fits: Fits) -> float:
    return min(_spread(h, "local") - _spread(h, "global") for h in fits.four)


def _monotone(values: Float[np.ndarray, " steps"]) -> float | None:
    """Rank correlation with time."""
    return rank_correlation(np.arange(len(values), dtype=np.float64), values)


def _decline(values: Float[np.ndarray, " steps"]) -> float:
    """How far below its highest the last value is, as a share of it."""
    return float(1 - values[-1] / values.max())


def _unsaturated(histories: Sequence[History]) -> list[Float[np.ndarray, " later"]] | None:
    """Distinct patterns from step 32 on, at the times at which all counts can be compared; None if there is none."""
    shares = np.stack([history.since("unique_share", EPOCH) for history in histories])
    comparable = (shares <= UNSATURATED).all(0)
    if not comparable.any():
        return None
    return [history.since("patterns", EPOCH)[comparable] for history in histories]


def _least_step_in_patterns(fits: Fits) -> float | None:
    counts = _unsaturated([fits.narrow, fits.wide, *fits("few")])
    return None if counts is None else rising(counts)


def _least_growth(fits: Fits) -> float | None:
    counts = [_unsaturated([history]) for history in (fits.narrow, fits.wide)]
    return min((rising(list(each[0])) for each in counts if each is not None and len(each[0]) > 1), default=None)


def _fewer_dead(fits: Fits, index: int) -> float:
    return rising([history["dead"][index] + 1 for history in reversed(fits("raw"))])


def _early_death(fits: Fits) -> float | None:
    start, end = _start(fits.narrow, "dead"), _end(fits.narrow, "dead")
    return (fits.narrow.at("dead", 50 * EPOCH) - start) / (end - start) if end > start else None


def _off_random(fits: Fits) -> float:
    """How far the fine encoding's first layer is from random patterns, at its most."""
    return float(np.max(np.abs(fits.fine["hamming_global__layer1"] / (fits.width / 2) - 1)))


def _deep_cosines(history: History) -> list[float]:
    return [float(values[-1]) for values in list(history.parts("row_cosine").values())[1:]]


def _rise_after_fall(history: History, column: str) -> tuple[float, float]:
    """How far a column falls from its start to its least value in training, and rises from there to the end."""
    least = float(np.min(_trained(history, column)))
    return float(times(_start(history, column), least)), float(times(_end(history, column), least))


def _per_neuron(fits: Fits, role: str, column: str) -> list[float]:
    neurons = [network.width * network.depth for network in fits.runs.study.sizes]
    return [_end(history, column) / n for history, n in zip(fits(role), neurons, strict=True)]


def _gain_in_patterns(fits: Fits) -> float | None:
    counts = _unsaturated([fits.coarse, fits.fine])
    return None if counts is None else float(times(counts[1], counts[0])[-1])


def _change_with_size(fits: Fits) -> float:
    first, *_, last = _per_neuron(fits, "sizes, raw", "hamming_local")
    return abs(float(times(last, first)))


def _off_prediction(fits: Fits) -> float:
    """How far crease density before training is from the growth that the encoding's mean slope foresees."""
    coarse, fine = fits.runs.study.coarse_octaves, fits.runs.study.fine_octaves
    measured = times(_start(fits.fine, "crease_length"), _start(fits.coarse, "crease_length"))
    return abs(float(measured - times(feature_slope(fine), feature_slope(coarse))))


def feature_slope(octaves: int) -> float:
    """Root mean square slope of the sines and cosines of so many octaves, up to a constant: sqrt((4^L - 1) / L).

    A neuron of the first layer draws its weights alike for all features, so that its slope in the picture, and with it
    the density of its creases, goes by the mean of 4^l over the octaves l = 0 .. L-1, which is (4^L - 1) / (3 L).

    >>> feature_slope(1)
    1.7320508075688772
    """
    return float(np.sqrt((4.0**octaves - 1) / octaves))


def _ratio(column: str, more: str, less: str, when: Callable[[History, str], float] = _end) -> Measure:
    return lambda fits: float(times(when(getattr(fits, more), column), when(getattr(fits, less), column)))


def _difference(column: str, more: str, less: str) -> Measure:
    return lambda fits: _end(getattr(fits, more), column) - _end(getattr(fits, less), column)


def _wider(where: str, more: str, less: str, step: int | None = None) -> Measure:
    return lambda fits: _spread(getattr(fits, more), where, step) - _spread(getattr(fits, less), where, step)


def dose_and_response(history: History) -> tuple[float, float]:
    """Crease density midway, in the logarithm of the step, and PSNR at the end."""
    return history.at("crease_length", round(float(history.steps[-1]) ** 0.5)), _end(history, "psnr_db")


def _more_with_more(fits: Fits) -> float | None:
    dose, response = np.array([dose_and_response(history) for history in fits("raw")]).T
    return rank_correlation(dose, response)


RAW, BOTH = ("raw",), ("raw", "coarse", "fine")

CLAIMS: tuple[Claim[Fits], ...] = (
    Claim(
        "A1",
        "Low frequencies are fitted before high ones, under any encoding.",
        "figures; Rahaman et al. 2019",
        BOTH,
        (
            Part(
                "rank correlation of wavelength with how early the error is under a half, at its least",
                "",
                0,
                _bands_in_order,
            ),
        ),
    ),
    Claim(
        "A2",
        "Raw coordinates leave high frequencies unfitted where positional encoding fits them.",
        "19.3 to 25.6 dB (Tancik et al. 2020)",
        ("raw", "fine"),
        (
            Part(
                "PSNR of fine over the better of narrow and wide raw",
                "dB",
                3,
                lambda fits: _end(fits.fine, "psnr_db") - max(_end(h, "psnr_db") for h in (fits.narrow, fits.wide)),
            ),
        ),
    ),
    Claim(
        "A3",
        "Local gradient confusion is wider for raw coordinates than for positional encoding.",
        "half widths about 0.95 to 0.25 at epoch 15, 0.5 to 0.2 at epoch 1000 (from figures)",
        ("raw", "fine"),
        tuple(
            Part(
                f"spread of local cosines after {step:,} steps, narrow raw over fine",
                "",
                0,
                _wider("local", "narrow", "fine", step),
                least_steps=step,
            )
            for step in LOOKED_AT
        ),
    ),
    Claim(
        "A4",
        "Local Hamming distance: narrow raw below wide raw below coarse below fine, at all times.",
        "70, 87, 280, 325 of 2048 at epoch 1000 (from figures)",
        BOTH,
        (
            Part(
                "least step up in this order, at any time",
                OCTAVES,
                0,
                lambda fits: rising([history["hamming_local"] for history in fits.four]),
            ),
        ),
    ),
    Claim(
        "A5",
        "Patterns differ less, and gradients are more confused, between near pixels than between far ones.",
        "figures",
        BOTH,
        (
            Part("global over local Hamming distance, at its least", OCTAVES, 0, _least_global_over_local),
            Part(
                "local over global spread of cosines at the end, at its least",
                "",
                0,
                _least_local_spread,
            ),
        ),
    ),
    Claim(
        "A6",
        "Global Hamming distance rises throughout for raw coordinates; with many octaves it peaks and declines.",
        "155 to 460; 405, 590 at its peak, 450 (from figures)",
        ("raw", "fine"),
        (
            Part(
                "rank correlation of step and Hamming distance of opposite quadrants from step 320 on, narrow raw",
                "",
                0.9,
                lambda fits: _monotone(fits.narrow.since("hamming_opposite", 10 * EPOCH)),
                least_steps=100 * EPOCH,
            ),
            Part(
                "decline from the peak, fine",
                "share of the peak",
                0.2,
                lambda fits: _decline(fits.fine["hamming_opposite"]),
                least_steps=300 * EPOCH,
            ),
        ),
    ),
    Claim(
        "A7",
        "Distinct patterns: narrow raw, wide raw, one octave, two, many, in rising order, and not falling in training.",
        "197k, 219k, 236k, 252k, 262k of 262,144 at epoch 1000 (from figures)",
        ("raw", "few", "fine"),
        (
            Part(
                "least step up from narrow raw to few octaves, from step 32 on",
                OCTAVES,
                0,
                _least_step_in_patterns,
            ),
            Part(
                "fine over few octaves, at its least",
                OCTAVES,
                -0.01,
                lambda fits: rising([fits("few")[-1].since("patterns", EPOCH), fits.fine.since("patterns", EPOCH)]),
            ),
            Part(
                "least growth from one time to the next from step 32 on, raw (5 % less is let pass)",
                OCTAVES,
                -0.07,
                _least_growth,
            ),
        ),
    ),
    Claim(
        "A8",
        "Raw coordinates on narrow intervals leave neurons dead, and training kills more of them early.",
        "632, 329, 189, 151 of 2048 at first; 1075, 867, 772, 742 at the end",
        RAW,
        (
            Part("least step down in dead neurons, narrow to wide, at first", OCTAVES, 0, lambda f: _fewer_dead(f, 0)),
            Part("the same at the end", OCTAVES, 0, lambda fits: _fewer_dead(fits, -1)),
            Part(
                "dead at the end, narrow raw",
                "share of neurons",
                0.45,
                lambda fits: _end(fits.narrow, "dead") / fits.neurons,
                least_steps=50 * EPOCH,
            ),
            Part("of those that die, dead after 1,600 steps", "share", 0.5, _early_death, least_steps=500 * EPOCH),
        ),
    ),
    Claim(
        "A9",
        "What positional encoding adds sits in the first layer: its patterns are nearly random there.",
        "217-243 of 256; raw 67-110 (from figures)",
        ("raw", "fine"),
        (
            Part(
                "closeness to random patterns, fine, layer 1, at its least",
                "1 is random",
                0.85,
                lambda f: 1 - _off_random(f),
            ),
            Part(
                "margin of narrow raw below 120 of 512 neurons, layer 1, at its least",
                "share of neurons",
                0,
                lambda fits: 120 / 512 - float(np.max(fits.narrow["hamming_global__layer1"])) / fits.width,
            ),
        ),
    ),
    Claim(
        "A10",
        "Raw coordinates need larger weights: products of spectral norms fall from raw to coarse to fine.",
        "530k and 657k, 418k, 205k at epoch 1000 (from figures)",
        BOTH,
        (
            Part("narrow raw over coarse", OCTAVES, 0, _ratio("norm_product", "narrow", "coarse")),
            Part("wide raw over coarse", OCTAVES, 0, _ratio("norm_product", "wide", "coarse")),
            Part("coarse over fine", OCTAVES, 0, _ratio("norm_product", "coarse", "fine")),
        ),
    ),
    Claim(
        "A11",
        "In training the neurons of deeper layers turn the same way, with more octaves more so.",
        "figures",
        ("coarse", "fine"),
        (
            Part("least mean cosine of a deeper layer, fine", "", 0, lambda fits: min(_deep_cosines(fits.fine))),
            Part(
                "last layer over second, fine",
                "",
                0,
                lambda fits: _deep_cosines(fits.fine)[-1] - _deep_cosines(fits.fine)[0],
            ),
            Part(
                "mean over deeper layers, fine over coarse",
                "",
                0,
                lambda fits: float(np.mean(_deep_cosines(fits.fine)) - np.mean(_deep_cosines(fits.coarse))),
            ),
        ),
    ),
    Claim(
        "A12",
        "By the authors' measure regions first shrink, then grow, and end wider with more octaves.",
        "4.8e-4, 1.8e-4 to 2.8e-4, 4.1e-4 (4 octaves) to 6.3e-4 (20) (from figures)",
        ("coarse", "fine"),
        (
            Part(
                "the measure falls, fine",
                OCTAVES,
                ENOUGH,
                lambda fits: _rise_after_fall(fits.fine, "narrowness")[0],
                least_steps=200 * EPOCH,
            ),
            Part(
                "and rises again, fine",
                OCTAVES,
                ENOUGH,
                lambda fits: _rise_after_fall(fits.fine, "narrowness")[1],
                least_steps=500 * EPOCH,
            ),
            Part(
                "the measure at the end, fine over coarse",
                OCTAVES,
                0,
                _ratio("narrowness", "fine", "coarse"),
                least_steps=1000 * EPOCH,
            ),
        ),
    ),
    Claim(
        "A12b",
        "In image space more octaves have nearer creases, before training.",
        "not measured; the opposite of A12's order",
        ("coarse", "fine"),
        (
            Part(
                "distance to the nearest crease in image space at first, coarse over fine",
                OCTAVES,
                0,
                _ratio("crease_distance", "coarse", "fine", _start),
            ),
        ),
    ),
    Claim(
        "A13",
        "An encoding of one frequency leaves random pixels with shared patterns.",
        "fewer than 4096 of 4096",
        ("one octave",),
        (
            Part(
                "pixels whose pattern another has as well, at its least",
                "share of pixels",
                0.01,
                lambda fits: 1 - float(np.max(fits("one octave")[0]["unique_share"])),
            ),
        ),
    ),
    Claim(
        "A14",
        "Larger networks have more Hamming distance but less of it per neuron; local distance per neuron is much less "
        "for raw coordinates, and hardly changes with size.",
        "figures",
        ("sizes, raw", "sizes, fine"),
        (
            Part(
                "least step up with size, global, fine",
                OCTAVES,
                0,
                lambda fits: rising([_end(h, "hamming_global") for h in fits("sizes, fine")]),
            ),
            Part(
                "least step down with size, global per neuron, fine",
                OCTAVES,
                0,
                lambda fits: rising(_per_neuron(fits, "sizes, fine", "hamming_global")[::-1]),
            ),
            Part(
                "local per neuron, fine over narrow raw, at its least over sizes",
                OCTAVES,
                1,
                lambda fits: min(
                    float(times(fine, raw))
                    for fine, raw in zip(
                        _per_neuron(fits, "sizes, fine", "hamming_local"),
                        _per_neuron(fits, "sizes, raw", "hamming_local"),
                        strict=True,
                    )
                ),
            ),
            Part(
                "minus the change of local per neuron from the smallest to the largest, narrow raw",
                OCTAVES,
                -0.5,
                lambda fits: -_change_with_size(fits),
            ),
        ),
    ),
    Claim(
        "A15",
        "Denser coordinates make it harder: the same picture on half the interval has less local Hamming distance, "
        "more local confusion, and is fitted less.",
        "70 and 87 of 2048 at epoch 1000 (from figures)",
        RAW,
        (
            Part("local Hamming distance, wide over narrow", OCTAVES, 0, _ratio("hamming_local", "wide", "narrow")),
            Part(
                "spread of local cosines at the end, narrow over wide",
                "",
                0,
                _wider("local", "narrow", "wide"),
                least_steps=100 * EPOCH,
            ),
            Part("PSNR, wide over narrow", "dB", 0, _difference("psnr_db", "wide", "narrow")),
        ),
    ),
    Claim(
        "C1",
        "At the end of training raw coordinates have less global Hamming distance than many octaves.",
        "contradicted by the authors' figures: 460 and 450 at epoch 1000",
        ("raw", "fine"),
        (
            Part(
                "Hamming distance of opposite quadrants at the end, fine over narrow raw",
                OCTAVES,
                0,
                _ratio("hamming_opposite", "fine", "narrow"),
                least_steps=1000 * EPOCH,
            ),
        ),
    ),
    Claim(
        "C2",
        "At the end of training raw coordinates have more global gradient confusion than many octaves.",
        "contradicted by the authors' figures: half widths 0.02 and 0.1 to 0.25 at epoch 1000",
        ("raw", "fine"),
        (
            Part(
                "spread of global cosines at the end, narrow raw over fine",
                "",
                0,
                _wider("global", "narrow", "fine"),
                least_steps=1000 * EPOCH,
            ),
        ),
    ),
    Claim(
        "C3",
        "More octaves put more regions to use, counted as distinct patterns of pixels.",
        "262,144 of 262,144: every pixel has its own, so that the count says nothing",
        ("coarse", "fine"),
        (Part("distinct patterns, fine over coarse, where at most 60 % are unique", OCTAVES, 0, _gain_in_patterns),),
    ),
    Claim(
        "C4",
        "Regions around pixels are wider with more octaves, in image space.",
        "holds by the authors' measure only, which is in no image space",
        ("coarse", "fine"),
        (
            Part(
                "distance to the nearest crease at the end, fine over coarse",
                OCTAVES,
                0,
                _ratio("crease_distance", "fine", "coarse"),
            ),
        ),
    ),
    Claim(
        "N1",
        "Under raw coordinates crease density first falls below that of the untrained network, then grows again.",
        "not in the paper; its first counts of patterns suggest it",
        RAW,
        (
            Part(
                "fall of crease density to its least, narrow raw",
                OCTAVES,
                ENOUGH,
                lambda fits: _rise_after_fall(fits.narrow, "crease_length")[0],
            ),
            Part(
                "rise from there to the end",
                OCTAVES,
                ENOUGH,
                lambda fits: _rise_after_fall(fits.narrow, "crease_length")[1],
            ),
        ),
    ),
    Claim(
        "N2",
        "In an untrained network crease density grows with the octaves L like sqrt((4^L - 1) / L).",
        "not in the paper",
        ("coarse", "fine"),
        (Part("minus the distance from that growth, coarse to fine", OCTAVES, -0.2, lambda f: -_off_prediction(f)),),
    ),
    Claim(
        "N3",
        "Within a trained network of raw coordinates creases bend more where there is more detail, and more is missing "
        "where creases are few.",
        "not in the paper; an open question",
        RAW,
        (
            Part(
                "rank correlation of bend density with the target's energy, wide raw",
                "",
                0,
                lambda fits: _end(fits.wide, "bend_detail"),
            ),
            Part(
                "minus the partial rank correlation of crease density with missing detail, wide raw",
                "",
                0,
                lambda fits: -_end(fits.wide, "crease_missing"),
            ),
        ),
    ),
    Claim(
        "N4",
        "Raw coordinates on intervals that give more creases midway are fitted better at an equal number of steps.",
        "not in the paper; a dose and its response, though a wider interval changes more than the density",
        RAW,
        (Part("rank correlation over intervals of density midway and PSNR at the end", "", 0, _more_with_more),),
    ),
)
"""In the order of their names."""
