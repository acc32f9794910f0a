"""The charts of a sweep: intervals of means, of paired differences, and curves with a band over pictures and seeds."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fieldlens.configs.errors import InputError
from fieldlens.studies.runs.charts import WIDTH, charts, legend_outside, part_label, step_axis
from fieldlens.studies.runs.metrics import Metrics, band_names
from fieldlens.studies.subjects.found import Row

from .plan import Method
from .scores import HELD_OUT, Scores
from .table import percent_of

COLOURS = ("#c2571a", "#0f6f86", "#7a4aa0", "#4d7c2a", "#a82f60", "#8a6d00")
"""Of methods: those that `report.css` gives to runs on paper."""

ROW = 0.32
"""Height of a method's line in a chart of intervals, in inches."""

Draw = Callable[[], Figure]


def drawings(scores: Scores) -> Mapping[str, tuple[str, str, Draw]]:
    """What is drawn, by the name of its file: title, caption, and what draws it."""
    judged = "PSNR of held-out pixels" if scores.judged_by == HELD_OUT else "PSNR"
    pair = percent_of(scores.pair_level)
    found: dict[str, tuple[str, str, Draw]] = {
        "means": (
            judged,
            "Each method's mean with its 95 % interval, and small the mean of each picture.",
            lambda: _means(scores),
        )
    }
    if len(scores.methods) > 1:
        first = scores.methods[0].label
        found["differences"] = (
            f"Paired differences to {first}",
            f"On the same picture with the same seed, with their {pair} interval; small the mean of each picture. An "
            "interval that leaves 0 out decides.",
            lambda: _differences(scores),
        )
    found["curves"] = (
        "PSNR through training",
        "Means over pictures and seeds; the band is what all fits span, but those that diverged. Over steps, and over "
        "seconds of training.",
        lambda: _curves(scores),
    )
    if _most_bands(scores):
        found["energy"] = (
            "Energy kept through training",
            "How much of the energy of the two finest octaves of wavelengths is there: means over pictures and seeds, "
            "and what all fits span, but those that diverged.",
            lambda: _energy(scores),
        )
    return found


def _means(scores: Scores) -> Figure:
    figure, axis = _rows(len(scores.methods))
    for number, method in enumerate(scores.methods):
        found = scores.mean(method, scores.judged_by)
        each = [scores.mean(method, scores.judged_by, picture) for picture in scores.pictures]
        if found is not None:
            _interval(axis, number, found.mean, found.low, found.high, [one.mean for one in each if one is not None])
    _method_axis(axis, scores.methods, "dB")
    return figure


def _differences(scores: Scores) -> Figure:
    first, *others = scores.methods
    figure, axis = _rows(len(others))
    axis.axvline(0, color="0.4", linewidth=0.8)
    for number, method in enumerate(others, 1):
        found = scores.difference(method, first)
        each = [scores.difference(method, first, picture=picture) for picture in scores.pictures]
        if found is not None:
            _interval(axis, number, found.mean, found.low, found.high, [one.mean for one in each if one is not None])
    _method_axis(axis, scores.methods, f"dB more than {first.label}", since=1)
    return figure


def _rows(count: int) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(1.5 * WIDTH, 0.7 + ROW * count), layout="constrained")
    return figure, figure.subplots()


def _interval(axis: Axes, row: int, mean: float, low: float | None, high: float | None, each: Sequence[float]) -> None:
    colour = COLOURS[row % len(COLOURS)]
    axis.plot(each, [row] * len(each), "|", color=colour, alpha=0.5)
    if low is not None and high is not None:
        axis.plot([low, high], [row, row], color=colour, linewidth=2)
    axis.plot([mean], [row], "o", color=colour)


def _method_axis(axis: Axes, methods: Sequence[Method], unit: str, since: int = 0) -> None:
    """Methods downwards, in their order."""
    axis.set_yticks(range(since, len(methods)), [method.label for method in methods[since:]])
    axis.set_ylim(len(methods) - 0.5, since - 0.5)
    axis.set_xlabel(unit)


def _curves(scores: Scores) -> Figure:
    figure, (over_steps, over_time) = charts(2)
    for number, method in enumerate(scores.methods):
        rows = _rows_of(scores, method)
        steps, values = _aligned(rows, lambda row: row.psnr_db)
        seconds = np.nanmean(_aligned(rows, lambda row: row.seconds)[1], 0) if rows else []
        _band(over_steps, steps, values, number, method.label)
        _band(over_time, seconds, values, number, method.label)
    step_axis(over_steps)
    over_time.set_xlabel("seconds of training, mean over fits")
    for axis in (over_steps, over_time):
        axis.set_ylabel("PSNR, dB")
    legend_outside(figure, over_steps)
    return figure


def _energy(scores: Scores) -> Figure:
    bands = min(2, _most_bands(scores))
    figure, axes = charts(bands)
    for band, axis in enumerate(axes):
        for number, method in enumerate(scores.methods):
            steps, values = _aligned(_rows_of(scores, method), lambda row, at=band: _at(row.energy_kept, at))
            _band(axis, steps, values, number, method.label)
        step_axis(axis)
        axis.axhline(1, color="0.6", linewidth=0.6)
        axis.set_ylim(bottom=0)
        axis.set_ylabel("energy kept, as a share")
        axis.set_title(part_label(band_names(_most_bands(scores))[band]))
    legend_outside(figure, axes[0])
    return figure


def _band(axis: Axes, across: Sequence[float] | np.ndarray, values: np.ndarray, number: int, label: str) -> None:
    """A line for the mean, and a band for what all fits span."""
    if not values.size:
        return
    colour = COLOURS[number % len(COLOURS)]
    axis.plot(across, values.mean(0), color=colour, label=label)
    axis.fill_between(across, values.min(0), values.max(0), color=colour, alpha=0.15, linewidth=0)


def _rows_of(scores: Scores, method: Method) -> list[list[Row]]:
    """The recorded steps of each fit by a method; one that diverged, which is in no mean, and one whose curves are
    damaged have none."""
    found = []
    for finding in scores.of(method):
        if finding.number(scores.judged_by) is None:
            continue
        metrics = Metrics(finding.folder.metrics_file)
        try:
            metrics.read()
        except InputError:
            continue
        found.append(metrics.rows)
    return [rows for rows in found if rows]


def _aligned(fits: Sequence[Sequence[Row]], value: Callable[[Row], float | None]) -> tuple[list[int], np.ndarray]:
    """Steps that all fits have recorded, and a line of values for each fit that has them all."""
    if not fits:
        return [], np.empty((0, 0))
    steps = sorted(set.intersection(*({row.step for row in rows} for rows in fits)))
    lines = [[by_step[step] for step in steps] for rows in fits if (by_step := {row.step: value(row) for row in rows})]
    whole = [line for line in lines if all(one is not None and np.isfinite(one) for one in line)]
    return steps, np.array(whole, float) if whole else np.empty((0, 0))


def _most_bands(scores: Scores) -> int:
    return max((len(one.record.energy_kept) for one in scores.findings), default=0)


def _at(values: Sequence[float | None], number: int) -> float | None:
    return values[number] if number < len(values) else None
