"""What claims are measured by: one number of the fits of one unit of a study, in the words of `claims`."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from fieldlens.analysis import count_cells, relu_network, surrogate_cells
from fieldlens.analysis.detail.spectra import half_error_step
from fieldlens.analysis.detail.statistics import rank_correlation
from fieldlens.analysis.partition.exact_cells import is_affine
from fieldlens.analysis.patterns.distinct_patterns import SATURATED_SHARE
from fieldlens.configs.encoding import Encoding
from fieldlens.configs.errors import InputError
from fieldlens.studies.runs.history import History
from fieldlens.studies.runs.saved import open_run

from .runs import EPOCH, Runs, Unit

DOUBLINGS = "powers of two"
"""The unit of ratios, which are logarithms: 1 is twice as much."""
WINDOWS_ALONG = 16
"""Side of the windows in which cells are counted: this often into the picture's longer side."""
LEAST_CHANGE = 0.1
"""The least fall or rise of a quantity that is called one, in powers of two: 7 %."""
DENSITY, RANK = "crease_length", "stable_rank"
"""Columns that are asked, midway, what they say of the end."""
DOSES = ("raw", "biases", "revived")
"""Roles whose fits are doses of crease density."""
NARROW, WIDE = 0, 1
"""Which of a study's raw coordinates are on [0, 1], and which on [-1, 1]."""


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
    def muon(self) -> History:
        """As `narrow`, moved by Muon."""
        return self("raw, muon")[0]

    @property
    def fine_muon(self) -> History:
        """As `fine`, moved by Muon."""
        return self("fine, muon")[0]

    @property
    def searched(self) -> History:
        """As `narrow`, by Adam at the study's `adam_rate`."""
        return self("raw, searched")[0]

    @property
    def fine_searched(self) -> History:
        """As `fine`, by Adam at the study's `adam_rate`."""
        return self("fine, searched")[0]

    @property
    def digits(self) -> History:
        """Digits instead of a picture."""
        return self("digits")[0]

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
"""What claims take: a number of one unit's fits; None where it is not defined."""


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


def at_first(history: History, column: str) -> float:
    """A column before training."""
    return float(history[column][0])


def at_last(history: History, column: str) -> float:
    """A column at the end."""
    return float(history[column][-1])


def _spread(history: History, where: str, step: int | None = None) -> float:
    """Standard deviation of the cosines of local or global pairs, at a step or at the end."""
    return history.at(f"confusion_{where}__std", step or int(history.steps[-1]))


def _least(history: History, column: str) -> float:
    """The least value of a column after step 0."""
    return float(np.min(history[column][1:]))


def bands_in_order(fits: Fits) -> float | None:
    """Rank correlation of an octave's wavelength with how early its error falls to a half, at its least over fits."""
    orders = [_band_order(history) for history in fits.four]
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


def least_global_over_local(fits: Fits) -> float:
    """Global over local Hamming distance, at its least over steps and the four encodings."""
    return min(float(np.min(times(h["hamming_global"], h["hamming_local"]))) for h in fits.four)


def least_local_spread(fits: Fits) -> float:
    """Local less global spread of cosines at the end, at its least over the four encodings."""
    return min(_spread(h, "local") - _spread(h, "global") for h in fits.four)


def monotone(values: Float[np.ndarray, " steps"]) -> float | None:
    """Rank correlation with time."""
    return rank_correlation(np.arange(len(values), dtype=np.float64), values)


def decline(values: Float[np.ndarray, " steps"]) -> float:
    """How far below its highest the last value is, as a share of it."""
    return float(1 - values[-1] / values.max())


def _unsaturated(histories: Sequence[History]) -> list[Float[np.ndarray, " later"]] | None:
    """Distinct patterns from step 32 on, at the times at which all counts can be compared; None if there is none."""
    shares = np.stack([history.since("unique_share", EPOCH) for history in histories])
    comparable = (shares <= SATURATED_SHARE).all(0)
    if not comparable.any():
        return None
    return [history.since("patterns", EPOCH)[comparable] for history in histories]


def least_step_in_cells(fits: Fits) -> float | None:
    """From narrow to wide raw to few octaves, in the number of cells of the trained fields."""
    study = fits.runs.study
    counts = [cells_in_windows(fits, encoding) for encoding in (study.raw[NARROW], study.raw[WIDE], *study.few)]
    return None if None in counts else rising([count for count in counts if count is not None])


def cells_in_windows(fits: Fits, encoding: Encoding) -> float | None:
    """Cells of a trained field in nine windows of the picture, each a sixteenth of its longer side.

    Exact for raw coordinates, refined until they change by less than 2 % under an encoding; None where they do not
    settle or are too many.
    """
    saved = open_run(fits.runs.folder(fits.runs.config(fits.unit, encoding)))
    network, view = relu_network(saved.field), saved.view
    longer = max(view.height, view.width)
    half, count = 0.5 / WINDOWS_ALONG, 0
    for x, y in itertools.product(np.array([1, 3, 5]) / 6, repeat=2):
        middle = x * view.width / longer, y * view.height / longer
        window = middle[0] - half, middle[1] - half, middle[0] + half, middle[1] + half
        try:
            cells = count_cells(network, window) if is_affine(network) else surrogate_cells(network, window).counts
        except InputError:
            return None
        count += cells.count
    return float(count)


def least_growth(fits: Fits) -> float | None:
    """From one step to the next, narrow and wide raw, while the count can be compared."""
    counts = [_unsaturated([history]) for history in (fits.narrow, fits.wide)]
    return min((rising(list(each[0])) for each in counts if each is not None and len(each[0]) > 1), default=None)


def fewer_dead(fits: Fits, index: int) -> float:
    """Least step down in dead neurons from one interval to the next wider one, at an index of steps."""
    return rising([history["dead"][index] + 1 for history in reversed(fits("raw"))])


def early_death(fits: Fits) -> float | None:
    """Of the narrow network's neurons that die in training, the share dead after 50 epochs; None if none dies."""
    before, after = at_first(fits.narrow, "dead"), at_last(fits.narrow, "dead")
    return (fits.narrow.at("dead", 50 * EPOCH) - before) / (after - before) if after > before else None


def off_random(fits: Fits) -> float:
    """How far the fine encoding's first layer is from random patterns, at its most."""
    return float(np.max(np.abs(fits.fine["hamming_global__layer1"] / (fits.width / 2) - 1)))


def deep_cosines(history: History) -> list[float]:
    """Mean cosine between the neurons of each layer but the first, at the end."""
    return [float(values[-1]) for values in list(history.parts("row_cosine").values())[1:]]


def fall(role: str, column: str) -> Measure:
    """A measure: how far one role's column falls from its start to its least value in training."""
    return lambda fits: float(times(at_first(getattr(fits, role), column), _least(getattr(fits, role), column)))


def rise(role: str, column: str) -> Measure:
    """A measure: how far one role's column rises from its least value in training to the end."""
    return lambda fits: float(times(at_last(getattr(fits, role), column), _least(getattr(fits, role), column)))


def per_neuron(fits: Fits, role: str, column: str) -> list[float]:
    """A column at the end over the number of neurons, for each of the study's sizes."""
    neurons = [network.width * network.depth for network in fits.runs.study.sizes]
    return [at_last(history, column) / n for history, n in zip(fits(role), neurons, strict=True)]


def gain_in_patterns(fits: Fits) -> float | None:
    """Distinct patterns at the last step at which they compare, fine over coarse."""
    counts = _unsaturated([fits.coarse, fits.fine])
    return None if counts is None else float(times(counts[1], counts[0])[-1])


def change_with_size(fits: Fits) -> float:
    """How far local Hamming distance per neuron is apart in the smallest and the largest network, raw."""
    first, *_, last = per_neuron(fits, "sizes, raw", "hamming_local")
    return abs(float(times(last, first)))


def off_prediction(fits: Fits) -> float:
    """How far crease density before training is from the growth that the encoding's mean slope foresees."""
    coarse, fine = fits.runs.study.coarse_octaves, fits.runs.study.fine_octaves
    measured = times(at_first(fits.fine, "crease_length"), at_first(fits.coarse, "crease_length"))
    return abs(float(measured - times(feature_slope(fine), feature_slope(coarse))))


def feature_slope(octaves: int) -> float:
    """Root mean square slope of the sines and cosines of so many octaves, up to a constant: sqrt((4^L - 1) / L).

    A neuron of the first layer draws its weights alike for all features, so that its slope in the picture, and with it
    the density of its creases, goes by the mean of 4^l over the octaves l = 0 .. L-1, which is (4^L - 1) / (3 L).

    >>> feature_slope(1)
    1.7320508075688772
    """
    return float(np.sqrt((4.0**octaves - 1) / octaves))


def ratio(column: str, more: str, less: str, when: Callable[[History, str], float] = at_last) -> Measure:
    """A measure: one role's column over another's."""
    return lambda fits: float(times(when(getattr(fits, more), column), when(getattr(fits, less), column)))


def difference(column: str, more: str, less: str) -> Measure:
    """A measure: one role's column at the end less another's."""
    return lambda fits: at_last(getattr(fits, more), column) - at_last(getattr(fits, less), column)


def wider(where: str, more: str, less: str, step: int | None = None) -> Measure:
    """A measure: the spread of one role's cosines less another's."""
    return lambda fits: _spread(getattr(fits, more), where, step) - _spread(getattr(fits, less), where, step)


def midway(history: History, column: str) -> float:
    """A column after half of the steps."""
    return history.at(column, max(1, int(history.steps[-1]) // 2))


def density_midway(history: History) -> float:
    """Crease density after half of the steps: the dose of an intervention."""
    return midway(history, DENSITY)


def with_dose(role: str, column: str) -> Measure:
    """A measure: rank correlation of crease density midway with a column at the end, over the fits of a role."""

    def measure(fits: Fits) -> float | None:
        doses, responses = np.array([(density_midway(h), at_last(h, column)) for h in fits(role)]).T
        return rank_correlation(doses, responses) if np.isfinite([doses, responses]).all() else None

    return measure


def against_none(role: str, effect: Callable[[History, History], float]) -> Measure:
    """A measure: an effect of the largest dose of a role, its last fit, against none, its first."""
    return lambda fits: effect(fits(role)[-1], fits(role)[0])
