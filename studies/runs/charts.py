"""Charts in the style of the house, and one quantity of a run over its steps."""

import io
import math
import re
import textwrap
from collections.abc import Callable, Mapping, Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from fieldlens.analysis.patterns.distinct_patterns import SATURATED_SHARE

from .history import History
from .quantities import QUANTITIES, saturation_caveat

Histories = Sequence[History]
"""Histories of one role over the units of a study: all with the same steps."""

COLOURS = ("#b2182b", "#e08214", "#fdb863", "#dfc27d", "#80cdc1", "#35978f", "#4393c3", "#2166ac")
"""Colours of lines: warm ones for raw coordinates, cold ones for positional encodings, each from few to many."""

WIDTH, HEIGHT = 4.2, 3.0
"""Size of one chart, in inches."""


_DATELESS: Mapping[str, Mapping[str, None]] = {
    ".svg": {"Date": None},
    ".pdf": {"CreationDate": None},
    ".png": {"Software": None},
}

FIGURE_ENDINGS = tuple(_DATELESS)
"""What `figure_bytes` writes."""


def figure_files(draw: Callable[[], Figure], endings: Sequence[str] = FIGURE_ENDINGS) -> dict[str, bytes]:
    """A figure drawn once in the style of the house, as PDF, SVG or PNG without a date or random names, by ending."""
    with mpl.rc_context(
        # fonttype 42: letters stay letters in a PDF, as journals ask
        {"svg.hashsalt": "fieldlens", "pdf.fonttype": 42, "font.size": 8, "axes.titlesize": 9, "axes.grid": True}
    ):
        figure, files = draw(), dict[str, bytes]()
        for ending in endings:
            buffer = io.BytesIO()
            figure.savefig(buffer, format=ending[1:], metadata=dict(_DATELESS[ending]), dpi=200)
            files[ending] = buffer.getvalue()
        return files


def figure_bytes(draw: Callable[[], Figure], ending: str) -> bytes:
    """The same in one of these forms."""
    return figure_files(draw, (ending,))[ending]


def svg_of(draw: Callable[[], Figure]) -> bytes:
    """The same as SVG."""
    return figure_bytes(draw, ".svg")


def charts(count: int, columns: int = 2, *, first_wide: bool = False) -> tuple[Figure, list[Axes]]:
    """A figure of so many charts. It belongs to no window system.

    Args:
        first_wide: whether the first has a row for itself.
    """
    columns = min(count, columns)
    places = [*[0] * (columns if first_wide else 1), *range(1, count)]
    rows = math.ceil(len(places) / columns)
    filled = [*places, *["."] * (rows * columns - len(places))]  # a dot is a place without a chart
    figure = Figure(figsize=(WIDTH * columns, HEIGHT * rows), layout="constrained")
    axes = figure.subplot_mosaic([filled[row * columns : (row + 1) * columns] for row in range(rows)])
    return figure, [axes[number] for number in range(count)]


def plot_history(axis: Axes, histories: Histories, column: str, **style: object) -> None:
    """The mean of a column over units, and the range over them as a band."""
    steps = histories[0].steps
    values = np.stack([history[column] for history in histories])
    (line,) = axis.plot(steps, values.mean(0), marker=".", **style)  # type: ignore[arg-type]
    axis.fill_between(steps, values.min(0), values.max(0), color=line.get_color(), alpha=0.15, linewidth=0)


def legend_outside(figure: Figure, axis: Axes) -> None:
    """The legend of one chart, for all of them, below: never over what is drawn."""
    handles, labels = axis.get_legend_handles_labels()
    columns = max(1, int(figure.get_figwidth() * 16 / max(12, *map(len, labels))))
    figure.legend(handles, labels, loc="outside lower center", fontsize=6, ncols=min(len(labels), columns))


def part_label(part: str) -> str:
    """What stands after a column's double underscore, in words.

    >>> part_label("layer1"), part_label("2_4_px"), part_label("64+_px"), part_label("q05"), part_label("mean")
    ('layer 1', '2–4 px', '64+ px', '5 % quantile', 'mean')
    """
    if part.endswith("_px"):
        return part.removesuffix("_px").replace("_", "–") + " px"
    if part == "std":
        return "standard deviation"
    quantile = re.fullmatch(r"q(\d\d)", part)
    return f"{int(quantile[1])} % quantile" if quantile else re.sub(r"^layer(\d+)$", r"layer \1", part)


def step_axis(axis: Axes) -> None:
    """Steps across: logarithmic from 1 on, and before that the start, as a logarithmic axis has no zero."""
    axis.set_xscale("symlog", linthresh=1)
    axis.set_xlim(left=-0.1)
    axis.xaxis.set_major_formatter(FuncFormatter(lambda step, _: f"{step:,.0f}" if step >= 1 else "start"))
    axis.set_xlabel("step, logarithmic")


def label_axes(axis: Axes, quantity: str, title: str = "") -> None:
    """Steps across, on a logarithmic axis; the quantity up, after it has been plotted."""
    what = QUANTITIES[quantity]
    step_axis(axis)
    axis.set_ylabel(what.unit)
    axis.set_title(textwrap.fill(title or what.title, 50))
    if what.logarithmic:
        values = np.concatenate([np.asarray(line.get_ydata(), float) for line in axis.lines] or [np.ones(1)])
        above = values[values > 0]
        if (values <= 0).any() and len(above):  # a logarithmic axis has no place for these: linear up to the least
            axis.set_yscale("symlog", linthresh=float(above.min()))
        else:
            axis.set_yscale("log")


def history_figure(history: History, quantity: str) -> bytes:
    """One quantity of one run over its steps, with a line for each of its parts, as SVG.

    Counts of patterns that the number of samples holds down say so.
    """

    def draw() -> Figure:
        figure, (axis,) = charts(1)
        parts = history.parts(quantity)
        names = [f"{quantity}__{part}" for part in parts] or [quantity]
        for name, label in zip(names, [*parts] or [quantity], strict=True):
            axis.plot(history.steps, history[name], marker=".", label=part_label(label))
        label_axes(axis, quantity)
        caveat = saturation_caveat(history, quantity)
        if caveat is not None:
            crowded = history["unique_share"] > SATURATED_SHARE
            axis.plot(history.steps[crowded], history[quantity][crowded], "o", markerfacecolor="white", color="C0")
            axis.set_yscale("linear")  # or the axis would show the last pixels that still share a pattern
            axis.set_ylim(0, 1.05 * np.nanmax(history[quantity]))
            figure.supxlabel(textwrap.fill(caveat, 72), fontsize=6)
        if parts:
            legend_outside(figure, axis)
        return figure

    return svg_of(draw)
