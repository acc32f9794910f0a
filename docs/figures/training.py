"""Frequencies, signals, and quantities over training."""

import matplotlib as mpl
import numpy as np
from jaxtyping import UInt8
from matplotlib.figure import Figure

from fieldlens.analysis import (
    bands_over_training,
    radial_spectra,
)
from fieldlens.analysis.detail.bands import band_labels
from fieldlens.analysis.detail.spectra import LOOSE_CUTOFF, STRICT_CUTOFF
from fieldlens.render.panel import Tile, panel
from fieldlens.scenes.signal import Signal
from fieldlens.studies.questions.all_checkpoints import measure_checkpoints
from fieldlens.studies.runs.charts import label_axes, plot_history
from fieldlens.studies.runs.history import read_history
from fieldlens.studies.subjects.signal import SignalSubject

from .fits import Fits
from .layout import WIDTH, colour_of, row_of_charts


def spectra(fits: Fits) -> Figure:
    """Power, and ring correlation with its two thresholds."""
    figure, (power, alike) = row_of_charts(2)
    for fit in fits.picture:
        found = radial_spectra(fit.target, fit.drawn)
        if fit.name == "raw":
            power.plot(found.frequency, found.power(found.energies.target), color="0.5", label="target")
        power.plot(found.frequency, found.power(found.energies.reconstruction), color=colour_of(fit), label=fit.name)
        resolved = found.resolved_frequency()
        end = "all" if resolved is None else f"{resolved:.3f}"
        alike.plot(
            found.frequency, found.ring_correlation, color=colour_of(fit), label=f"{fit.name}: resolved to {end}"
        )
    for threshold, name in ((LOOSE_CUTOFF, "1/7"), (STRICT_CUTOFF, "1/2")):
        alike.axhline(threshold, color="0.5", linestyle=":")
        alike.annotate(name, (0.004, threshold), (0, 2), textcoords="offset points", fontsize=6)
    power.set(xscale="log", yscale="log", title="power", ylabel="energy per coefficient")
    alike.set(xscale="log", title="ring correlation", ylabel="correlation with the target", ylim=(-0.1, 1.05))
    for axis in (power, alike):
        axis.set_xlabel("cycles per px")
        axis.legend(fontsize=6)
    return figure


def bands(fits: Fits) -> Figure:
    """Relative error by octave over training."""
    figure, axes = row_of_charts(2)
    for axis, fit in zip(axes, fits.picture, strict=True):
        error = bands_over_training(fit.target, (fit.at(step).drawn for step in fit.steps)).relative_error
        labels = band_labels(*fit.size)
        colours = mpl.colormaps["viridis"](np.linspace(0, 0.9, len(labels)))
        for band, (label, colour) in enumerate(zip(labels, colours, strict=True)):
            axis.plot(fit.steps, error[:, band], marker=".", color=colour, label=label)
        axis.axhline(0.5, color="black", linewidth=0.7, linestyle=":")
        axis.set_xscale("symlog", linthresh=1)
        axis.set(
            title=f"{fit.name}: error by octave",
            xlabel="step",
            ylabel="|F − Y| / |Y|",
            ylim=(0, 1.3),
            xlim=(-0.2, None),
        )
    axes[0].legend(fontsize=6, ncols=2)
    return figure


def signals(fits: Fits) -> UInt8[np.ndarray, "h w 3"]:
    """Curves as the program draws them."""
    tiles = []
    for fit in fits.signal:
        assert isinstance(fit.view, Signal)  # the scene is one
        image = SignalSubject(fit.view).observe(fit.saved.field).picture
        tiles.append(Tile(image, f"{fit.name}: target (grey), reconstruction, creases by layer"))
    return panel(tiles, f"A sum of sines of 5, 10, 20 and 40 cycles after {fits.steps} steps", columns=2)


def over_training(fits: Fits) -> Figure:
    """Four quantities over the steps of the fit."""
    quantities = ("unique_share", "hamming_local", "crossings", "kernel_rank")
    figure = Figure(figsize=(WIDTH, 4.6), layout="constrained")
    axes = figure.subplots(2, 2).ravel().tolist()
    for fit in fits.picture:
        measure_checkpoints(fit.folder)
        history = read_history(fit.folder.history_file)
        for axis, quantity in zip(axes, quantities, strict=True):
            plot_history(axis, [history], quantity, color=colour_of(fit), label=fit.name)
            label_axes(axis, quantity)
    axes[0].legend(fontsize=6)
    return figure
