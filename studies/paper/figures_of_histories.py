"""Figures of what was measured of a study's fits over their steps, or at the end: each draws one and takes the runs."""

import itertools
from collections.abc import Callable

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fieldlens.configs.encoding import Encoding, Fourier
from fieldlens.studies.runs.charts import (
    COLOURS,
    Histories,
    charts,
    label_axes,
    legend_outside,
    part_label,
    plot_history,
)
from fieldlens.studies.runs.quantities import QUANTITIES

from .effects import DENSITY, NARROW, RANK, WIDE, midway
from .runs import LOOKED_AT, NOISE, Runs, Unit

FOUR_COLOURS = (*COLOURS[:2], *COLOURS[-2:])
"""Colours of narrow and wide raw coordinates, the coarse encoding and the fine one."""
MUON_COLOUR = "#762a83"
"""Of Muon where a colour stands for it: no encoding has it."""


def _of_each_encoding(runs: Runs) -> list[tuple[Encoding, Histories, str]]:
    """Encodings with their histories over units, and their colours."""
    encodings = runs.study.encodings
    histories = [[runs.history(unit, encoding) for unit in runs.units] for encoding in encodings]
    raw = [encoding for encoding in encodings if encoding in runs.study.raw]
    warm, cold = itertools.cycle(COLOURS[:4]), itertools.cycle(COLOURS[4:])
    colours = [next(warm) if encoding in raw else next(cold) for encoding in encodings]
    return list(zip(encodings, histories, colours, strict=True))


def over_steps(*quantities: str) -> Callable[[Runs], Figure]:
    """A chart for each quantity, with a line for each encoding."""

    def draw(runs: Runs) -> Figure:
        figure, axes = charts(len(quantities))
        for axis, quantity in zip(axes, quantities, strict=True):
            for encoding, histories, colour in _of_each_encoding(runs):
                plot_history(axis, histories, quantity, color=colour, label=str(encoding))
            label_axes(axis, quantity.removesuffix("__std"))
        legend_outside(figure, axes[0])
        return figure

    return draw


def by_layer(quantity: str) -> Callable[[Runs], Figure]:
    """A chart for narrow raw coordinates and one for the fine encoding, with a line for each layer."""

    def draw(runs: Runs) -> Figure:
        figure, axes = charts(2)
        for axis, encoding in zip(axes, (runs.study.raw[NARROW], runs.study.fine), strict=True):
            histories = [runs.history(unit, encoding) for unit in runs.units]
            for part in histories[0].parts(quantity):
                plot_history(axis, histories, f"{quantity}__{part}", label=part_label(part))
            label_axes(axis, quantity, f"{QUANTITIES[quantity].title}: {encoding}")
        legend_outside(figure, axes[0])
        return figure

    return draw


def bands(runs: Runs) -> Figure:
    """Error by octave, for wide raw coordinates, the coarse and the fine encoding."""
    study = runs.study
    figure, axes = charts(3, columns=3)
    for axis, encoding in zip(axes, (study.raw[WIDE], study.coarse, study.fine), strict=True):
        histories = [runs.history(unit, encoding) for unit in runs.units]
        shared = set.intersection(*(set(history.parts("error")) for history in histories))
        bands = [band for band in histories[0].parts("error") if band in shared]
        for band, colour in zip(bands, mpl.colormaps["viridis"](np.linspace(0, 0.9, len(bands))), strict=True):
            plot_history(axis, histories, f"error__{band}", color=colour, label=part_label(band))
        axis.axhline(0.25, color="black", linewidth=0.7, linestyle=":")
        label_axes(axis, "error", str(encoding))
    legend_outside(figure, axes[0])
    return figure


def cosines(runs: Runs) -> Figure:
    """Quantiles of the cosines of gradients, local and global, when the authors look and at the end."""
    study = runs.study
    encodings = study.compared
    last = study.training.steps or 1
    times = [step for step in LOOKED_AT if step < last] + [last]
    figure, axes = charts(2 * len(times), columns=max(2, len(times)))
    for axis, (where, step) in zip(axes, itertools.product(("local", "global"), times), strict=True):
        for place, (encoding, colour) in enumerate(zip(encodings, FOUR_COLOURS, strict=True)):
            low, quarter, middle, three, high = (
                _mean_at(runs, encoding, f"confusion_{where}__q{level}", step)
                for level in ("05", "25", "50", "75", "95")
            )
            axis.plot([place, place], [low, high], color=colour)
            axis.plot([place, place], [quarter, three], color=colour, linewidth=7, solid_capstyle="butt")
            axis.plot([place], [middle], marker="_", color="white", markersize=9)
        axis.set_xticks(range(len(encodings)), [str(encoding) for encoding in encodings], fontsize=6)
        axis.set_ylim(-1.05, 1.05)
        axis.set_title(f"{where} pairs, after {step:,} steps")
    axes[0].set_ylabel("cosine of gradients")
    return figure


def _mean_at(runs: Runs, encoding: Encoding, column: str, step: int) -> float:
    """The mean over units at the measured step that is nearest."""
    histories = [runs.history(unit, encoding) for unit in runs.units]
    return float(np.mean([history.at(column, step) for history in histories]))


def sizes(runs: Runs) -> Figure:
    """Hamming distance per neuron and in all, against the number of neurons."""
    study, units = runs.study, [Unit(NOISE, unit.seed) for unit in runs.units]
    neurons = [network.width * network.depth for network in study.sizes]
    figure, axes = charts(2)
    for encoding, colour in ((study.raw[NARROW], COLOURS[0]), (study.fine, COLOURS[-1])):
        for column, style in (("hamming_local", ":"), ("hamming_global", "-")):
            ends = [np.mean([runs.history(u, encoding, n)[column][-1] for u in units]) for n in study.sizes]
            label = f"{encoding}, {column.removeprefix('hamming_')}"
            axes[0].plot(neurons, ends, style, marker=".", color=colour, label=label)
            axes[1].plot(neurons, np.divide(ends, neurons), style, marker=".", color=colour)
    axes[0].set_title("Hamming distance at the end")
    axes[1].set_title("the same per neuron")
    for axis in axes:
        axis.set_xlabel("neurons")
        axis.set_xscale("log")
        axis.set_yscale("log")
    legend_outside(figure, axes[0])
    return figure


def one_octave(runs: Runs) -> Figure:
    """Distinct patterns of random pixels under an encoding of one frequency."""
    study = runs.study
    figure, (axis,) = charts(1)
    units = [Unit(NOISE, unit.seed) for unit in runs.units]
    for encoding, colour in ((Fourier(1), COLOURS[4]), (study.fine, COLOURS[-1]), (study.raw[NARROW], COLOURS[0])):
        histories = [runs.history(unit, encoding, study.sizes[-1]) for unit in units]
        plot_history(axis, histories, "unique_share", color=colour, label=str(encoding))
    label_axes(axis, "unique_share")
    legend_outside(figure, axis)
    return figure


def doses(role: str) -> Callable[[Runs], Figure]:
    """What is missing and PSNR at the end over crease density midway and over stable rank midway, one line a unit."""

    def draw(runs: Runs) -> Figure:
        figure, axes = charts(4)
        for axis, (dose, response) in zip(
            axes, itertools.product((DENSITY, RANK), ("missing", "psnr_db")), strict=True
        ):
            for unit in runs.units:
                histories = runs.histories(unit, role)
                amounts = [midway(history, dose) for history in histories]
                responses = [history[response][-1] for history in histories]
                axis.plot(amounts, responses, marker=".", label=f"{unit.picture} {unit.seed}")
            _label_dose(axis, dose, response)
        legend_outside(figure, axes[1])
        return figure

    return draw


def _label_dose(axis: Axes, dose: str, response: str) -> None:
    unit = QUANTITIES[dose].unit
    axis.set_xscale("log")
    axis.set_xlabel(f"{QUANTITIES[dose].title} midway" + f", {unit}" * bool(unit))
    axis.set_ylabel(QUANTITIES[response].unit)
    axis.set_title(f"{QUANTITIES[response].title}, at the end")


def density_and_rank(runs: Runs) -> Figure:
    """What is missing and PSNR at the end over crease density midway and over stable rank midway, one point a fit."""
    figure, axes = charts(4)
    kinds = {
        "raw": ("intervals", ".", COLOURS[0]),
        "biases": ("spread biases", "^", COLOURS[2]),
        "revived": ("revived neurons", "s", COLOURS[5]),
        "raw, muon": ("Muon", "D", MUON_COLOUR),
    }
    for axis, (dose, response) in zip(axes, itertools.product((DENSITY, RANK), ("missing", "psnr_db")), strict=True):
        drawn: set[int] = set()  # a fit may play two roles, and is drawn in the first
        for role, (label, marker, colour) in kinds.items():
            every = [history for unit in runs.units for history in runs.histories(unit, role)]
            new = [history for history in every if id(history) not in drawn]
            drawn.update(map(id, new))
            amounts, responses = [midway(h, dose) for h in new], [h[response][-1] for h in new]
            axis.plot(amounts, responses, marker, markersize=4, color=colour, label=label)
        _label_dose(axis, dose, response)
    legend_outside(figure, axes[0])
    return figure


def optimizers(runs: Runs) -> Figure:
    """PSNR, crossings, stable rank and dead neurons, by Adam and by Muon, narrow raw and fine."""
    figure, axes = charts(4)
    study = runs.study
    for axis, quantity in zip(axes, ("psnr_db", "crossings", RANK, "dead"), strict=True):
        for encoding, moved, colour in (
            (study.raw[NARROW], "raw, muon", COLOURS[0]),
            (study.fine, "fine, muon", COLOURS[-1]),
        ):
            adam = [runs.history(unit, encoding) for unit in runs.units]
            muon = [runs.histories(unit, moved)[0] for unit in runs.units]
            plot_history(axis, adam, quantity, color=colour, label=f"{encoding} {study.optimizer}")
            plot_history(axis, muon, quantity, color=colour, linestyle="--", label=f"{encoding} {study.muon}")
        label_axes(axis, quantity)
    legend_outside(figure, axes[0])
    return figure


def held_out(runs: Runs) -> Figure:
    """PSNR of trained pixels and of those held out, by Adam and by Muon."""
    study = runs.study
    figure, axes = charts(2)
    names = [str(study.optimizer), str(study.muon)]
    for axis, role, encoding in zip(axes, ("raw", "fine"), (study.raw[NARROW], study.fine), strict=True):
        by_unit = [runs.histories(unit, f"held out, {role}") for unit in runs.units]
        for histories, name, colour in zip(zip(*by_unit, strict=True), names, ("0.35", MUON_COLOUR), strict=True):
            plot_history(axis, histories, "psnr_db", color=colour, label=f"{name}, trained")
            plot_history(axis, histories, "heldout_psnr_db", color=colour, linestyle=":", label=f"{name}, held out")
        label_axes(axis, "psnr_db", str(encoding))
    legend_outside(figure, axes[0])
    return figure


def signals(runs: Runs) -> Figure:
    """Hamming distance and the spread of cosines, of near and far samples of a signal."""
    study = runs.study
    by_unit = [runs.histories(unit, "signals") for unit in runs.units]
    figure, axes = charts(4)
    columns = [
        f"{quantity}_{where}{end}"
        for quantity, end in (("hamming", ""), ("confusion", "__std"))
        for where in ("local", "global")
    ]
    for axis, column in zip(axes, columns, strict=True):
        for number, encoding in enumerate(study.signal_encodings):
            histories = [histories[number] for histories in by_unit]
            plot_history(axis, histories, column, color=FOUR_COLOURS[number % 4], label=str(encoding))
        label_axes(axis, column.removesuffix("__std"))
        if column.endswith("__std"):
            axis.set_ylabel("standard deviation")
    legend_outside(figure, axes[0])
    return figure


def digits(runs: Runs) -> Figure:
    """Spread of the cosines of near and of far digits, beside those of pixels under narrow raw coordinates."""
    raw = [runs.histories(unit, "raw")[NARROW] for unit in runs.units]
    digits = [runs.histories(unit, "digits")[0] for unit in runs.units]
    figure, axes = charts(2)
    for axis, where in zip(axes, ("local", "global"), strict=True):
        for histories, colour, label in ((raw, COLOURS[0], "pixels"), (digits, COLOURS[-1], "digits")):
            plot_history(axis, histories, f"confusion_{where}__std", color=colour, label=label)
        label_axes(axis, f"confusion_{where}")
        axis.set_ylabel("standard deviation")
    legend_outside(figure, axes[0])
    return figure
