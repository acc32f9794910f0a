"""Figures of the contest: the league of candidates, the chain from density to missing detail, and the forecast."""

from collections.abc import Callable, Sequence
from itertools import product

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.stats import rankdata

from fieldlens.analysis.contest.league import Standing
from fieldlens.analysis.detail.verdicts import percent
from fieldlens.configs.encoding import Encoding
from fieldlens.studies.contest.quantities import CANDIDATES, DENSITY, LEVERAGE, SPEED
from fieldlens.studies.contest.runs import ContestRuns
from fieldlens.studies.contest.scores import When, league_of, missing_at_end
from fieldlens.studies.contest.table import WindowTable
from fieldlens.studies.runs.charts import COLOURS, HEIGHT, WIDTH, charts, legend_outside

from .figures import Drawing

POINTS = 300
"""Windows of each encoding in a scatter chart, at most: drawn at random, the same ones each time."""


def league(runs: ContestRuns) -> Figure:
    """Each candidate's partial rank correlation, median over pictures with its interval, at the end and early."""
    encodings = runs.contest.encodings
    columns = min(3, len(encodings))
    rows = -(-len(encodings) // columns)
    figure = Figure(figsize=(WIDTH * columns, 1.2 * HEIGHT * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False, sharey=True).ravel().tolist()
    for axis, encoding in zip(axes, encodings, strict=False):
        for when, marker, below in ((When.END, "o", -0.15), (When.EARLY, "D", 0.15)):
            standings = {standing.quantity: standing for standing in league_of(runs, encoding, when)}
            for place, candidate in enumerate(CANDIDATES):
                if candidate.name in standings:
                    colour = "0.6" if candidate.tautology else COLOURS[-1] if when is When.END else COLOURS[1]
                    _dot(axis, place + below, standings[candidate.name], marker, colour)
        axis.axvline(0, color="0.3", linewidth=0.8)
        axis.set_yticks(range(len(CANDIDATES)), [candidate.title for candidate in CANDIDATES])
        axis.set_ylim(len(CANDIDATES) - 0.5, -0.5)
        axis.set_xlim(-1, 1)
        axis.set_xticks([-1, -0.5, 0, 0.5, 1])
        axis.set_title(str(encoding))
        axis.set_xlabel("partial rank correlation with missing detail")
    for axis in axes[len(encodings) :]:
        axis.set_axis_off()
    return figure


def _dot(axis: Axes, place: float, standing: Standing, marker: str, colour: str) -> None:
    found = standing.correlation
    if found is None:
        return
    axis.plot(found.median, place, marker, color=colour, markersize=4)
    if found.interval is not None:
        axis.plot([found.interval.low, found.interval.high], [place, place], color=colour, linewidth=1.2)


def chain(runs: ContestRuns) -> Figure:
    """Density, speed and what is missing, two by two: windows by their ranks in their fit, given the controls."""
    figure, axes = charts(3, columns=3)
    links = (
        (axes[0], "crease density", "speed of detail", _density, _speed),
        (axes[1], "speed of detail", "missing detail", _speed, _missing),
        (axes[2], "crease density", "missing detail", _density, _missing),
    )
    encodings = runs.contest.encodings
    for axis, across, up, first, second in links:
        for encoding, colour in zip(encodings, _colours(encodings), strict=True):
            points = [_left(table, first(table), second(table)) for table in _tables(runs, encoding)]
            x, y = np.concatenate([np.zeros((2, 0)), *points], 1)
            chosen = np.random.default_rng(0).permutation(x.size)[:POINTS]
            axis.plot(x[chosen], y[chosen], ".", color=colour, alpha=0.5, markersize=3, label=str(encoding))
        axis.set_xlabel(f"{across}, rank given the controls")
        axis.set_ylabel(f"{up}, rank given the controls")
    legend_outside(figure, axes[0])
    return figure


def forecast(runs: ContestRuns) -> Figure:
    """Steps that mend half of what is missing of the octave: foretold, and those that it took."""
    figure, (axis,) = charts(1)
    encodings = runs.contest.encodings
    for encoding, colour in zip(encodings, _colours(encodings), strict=True):
        tables = _tables(runs, encoding)
        foretold = np.concatenate([table.foretold for table in tables])
        happened = np.concatenate([table.happened() for table in tables])
        left = np.concatenate([table.steps_left() for table in tables])
        seen = np.isfinite(happened)
        axis.plot(happened[seen], foretold[seen], ".", color=colour, alpha=0.6, label=str(encoding))
        axis.plot(left[~seen], foretold[~seen], ">", color=colour, alpha=0.4, markersize=3)
    ends = np.array([1.0, max(2.0, runs.contest.last_step)])
    for factor, style in ((1, "-"), (2, ":"), (0.5, ":")):
        axis.plot(ends, factor * ends, style, color="0.3", linewidth=0.8)
    axis.set_xscale("log")
    axis.set_yscale("log")
    axis.set_xlabel("steps that it took")
    axis.set_ylabel("steps foretold")
    legend_outside(figure, axis)
    return figure


def league_rows(runs: ContestRuns) -> list[list[str]]:
    """The league as a table: a row for each encoding, moment and candidate, the strongest correlation first.

    Of each the median over pictures with its interval, in how many pictures the sign is what its idea has it, and the
    median gain of R^2 on blocks that the regression did not see.
    """
    rows = []
    for encoding, when in product(runs.contest.encodings, (When.END, When.EARLY)):
        for standing in league_of(runs, encoding, when):
            candidate, found, gain = BY_NAME[standing.quantity], standing.correlation, standing.gain
            if found is None:
                continue
            share = found.below_zero if candidate.sign < 0 else 1 - found.below_zero
            rows.append(
                [
                    str(encoding),
                    "at the end" if when is When.END else "early",
                    candidate.title + (" (a tautology)" if candidate.tautology else ""),
                    _correlation(standing),
                    f"{round(share * found.pictures)} of {found.pictures}",
                    "n/a" if gain is None else f"{gain.median:+.3f}",
                ]
            )
    return rows


def optimizer_rows(runs: ContestRuns) -> list[list[str]]:
    """What is missing at the end under each encoding by each optimizer alone, and what says best where."""
    rows = []
    for encoding, optimizer in product(runs.contest.encodings, runs.contest.optimizers):
        missing = missing_at_end(runs, encoding, optimizer)
        standings = {each.quantity: each for each in league_of(runs, encoding, When.END, optimizer)}
        found = [_correlation(standings[name]) if name in standings else "n/a" for name in BY_OPTIMIZER]
        rows.append([str(encoding), str(optimizer), "n/a" if missing is None else percent(missing), *found])
    return rows


def _correlation(standing: Standing) -> str:
    found = standing.correlation
    if found is None:
        return "n/a"
    interval = "" if found.interval is None else f" [{found.interval.low:+.2f}, {found.interval.high:+.2f}]"
    return f"{found.median:+.2f}{interval}"


BY_NAME = {candidate.name: candidate for candidate in CANDIDATES}

BY_OPTIMIZER = (LEVERAGE, SPEED, DENSITY)
"""The candidates that `optimizer_rows` tells of."""

OPTIMIZER_HEADS = ("encoding", "optimizer", "missing", *(BY_NAME[name].title for name in BY_OPTIMIZER))
"""Of the columns of `optimizer_rows`."""

LEAGUE_HEADS = ("encoding", "measured", "candidate", "partial rank correlation", "sign as thought", "gain of R²")
"""Of the columns of `league_rows`."""

Column = Callable[[WindowTable], Float[np.ndarray, " n"]]


def _tables(runs: ContestRuns, encoding: Encoding) -> list[WindowTable]:
    return [runs.table(config) for name in runs.contest.pictures for config in runs.of_picture(name, encoding)]


def _colours(encodings: Sequence[Encoding]) -> list[str]:
    return [COLOURS[round(place)] for place in np.linspace(0, len(COLOURS) - 1, len(encodings))]


def _density(table: WindowTable) -> Float[np.ndarray, " n"]:
    return table.quantities[DENSITY][When.END]


def _speed(table: WindowTable) -> Float[np.ndarray, " n"]:
    return table.quantities[SPEED][When.END]


def _missing(table: WindowTable) -> Float[np.ndarray, " n"]:
    return np.maximum(table.residual[When.END], table.rounding)


def _left(
    table: WindowTable, first: Float[np.ndarray, " n"], second: Float[np.ndarray, " n"]
) -> Float[np.ndarray, "2 judged"]:
    """What is left of the ranks of two numbers of windows, from -1/2 to 1/2, once those of the controls are taken out:
    what the partial rank correlation is the correlation of."""
    judged = np.isfinite(first) & np.isfinite(second)
    ranks = [rankdata(values[judged]) for values in (first, second, *table.controls)]
    if not judged.any():
        return np.zeros((2, 0))
    x = np.stack([np.ones(int(judged.sum())), *ranks[2:]], 1)
    both = np.stack(ranks[:2], 1)
    return ((both - x @ np.linalg.lstsq(x, both, rcond=None)[0]) / len(x)).T


CONTEST_DRAWINGS: tuple[Drawing[ContestRuns], ...] = (
    Drawing(
        "X1",
        "The league",
        "Partial rank correlation of each candidate with what is missing at the end, among windows whose detail is "
        "alike: median over pictures with its interval. Blue dots: measured at the end; orange diamonds: measured at a "
        "tenth of the steps; grey: nearly the reconstruction itself, and no candidate.",
        (),
        league,
    ),
    Drawing(
        "X2",
        "Creases, speed, missing detail",
        "Windows of all fits at the end, each by its rank in its own fit once the ranks of the controls are taken out.",
        (),
        chain,
    ),
    Drawing(
        "X3",
        "Steps foretold",
        "Until half of what was missing of the octave is mended, foretold by one step at a tenth and at a third of "
        "each fit. Between the dotted lines it is right within a factor of two. Triangles stand where a fit ended "
        "before as much was mended.",
        (),
        forecast,
    ),
)
"""The contest's, by the claims that they go with."""
