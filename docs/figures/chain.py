"""The chain of docs/explain.md, link by link: what is missing, creases, speed, progress, and why it stays missing."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import NullFormatter

from fieldlens.analysis import Detail, Speed, detail_speed, loss_step, octave_details
from fieldlens.analysis.detail.bands import Energies, band_picture, luma, spectrum
from fieldlens.analysis.detail.explain import explained_band
from fieldlens.analysis.detail.reasons import REASONS, Reasons, reasons_of
from fieldlens.analysis.detail.statistics import rank_correlation
from fieldlens.analysis.detail.windows import window_energies
from fieldlens.fields import Field
from fieldlens.render.colour import DENSITY_RANGE, MISSING_RANGE, SPEED_RANGE, STEPS_RANGE
from fieldlens.studies.foresight.foresight import Foreseen, Foresight
from fieldlens.studies.foresight.ways import OnPixels

from .fits import Fit, Fits
from .layout import WIDTH, Scale, colour_of, frame, show, target_tile

SCENE = "astronaut"
"""What all of the chain is shown of."""
EARLY = 100
"""The step at which it is foretold what is missing at the end."""

REASON_COLOURS = ("#e8d36b", "#e67828", "#3b5bdb", "#7d5ba6")
"""Of the reasons, in their order."""
NO_REASON = "#d8d8d8"
WORSE = "#e67828"
"""Of windows that the step takes further from the target."""

Windowed = Float[np.ndarray, "rows columns"]


@dataclass(frozen=True, eq=False)
class Moment:
    """What is measured of a fit at one of its steps, in the windows of the octave that is explained."""

    fit: Fit

    @cached_property
    def detail(self) -> Detail:
        """The target's."""
        return octave_details(self.fit.target)[self._band]

    @cached_property
    def drawn(self) -> Float[np.ndarray, "h w"]:
        """The octave of the reconstruction."""
        return band_picture(spectrum(luma(self.fit.drawn)), self._band)

    @cached_property
    def energies(self) -> Energies:
        """Of the target, of the reconstruction and of what is missing."""
        detail = self.detail
        return window_energies(detail.values, self.drawn, detail.windows, detail.floor)

    @cached_property
    def crossings(self) -> Windowed:
        """Per pixel."""
        return self.detail.windows.mean_of_map(self.fit.density.crossings_per_pixel)

    @cached_property
    def speed(self) -> Windowed:
        """Of the target's detail."""
        (found,) = detail_speed(self.fit.saved.field, [self.detail])
        return found.per_energy

    @cached_property
    def foreseen(self) -> Foreseen:
        """What the fit's next step does."""
        saved = self.fit.saved
        found = self._foresight.foresee(saved.state, saved.plan, max(self.fit.size))
        assert found is not None  # the fit has not diverged
        return found

    @cached_property
    def reasons(self) -> Reasons:
        """Why each window lacks detail."""
        crossings = self.fit.density.crossings_per_pixel
        return reasons_of(self._foresight.motion(self.fit.saved.state, self.foreseen, crossings), seed=0)

    @cached_property
    def of_missing(self) -> Speed:
        """The speed of what is missing."""
        octave = self.foreseen.octave
        (found,) = detail_speed(self.fit.saved.field, [Detail(octave.missing, octave.windows, octave.label)])
        return found

    @property
    def mended(self) -> Windowed:
        """The share of what each window lacks that the next step mends; NaN where no more than rounding is missing."""
        octave = self.foreseen.octave
        return np.where(octave.energy > self.foreseen.floor, octave.whole / octave.energy, np.nan)

    @cached_property
    def _foresight(self) -> Foresight[Field]:
        return Foresight(self.fit.view, OnPixels(loss_step))

    @property
    def _band(self) -> int:
        return explained_band(self.fit.target)


def missing(fits: Fits) -> Figure:
    """The octave of the target and of both reconstructions, and what is missing of it by window."""
    moments = [Moment(fit) for fit in fits.short(SCENE)]
    detail, size = moments[0].detail, moments[0].fit.size
    figure = Figure(figsize=(WIDTH, 4.1), layout="constrained")
    above, below = figure.subplots(2, 3)
    reach = float(np.quantile(np.abs(detail.values), 0.995))
    octaves = [(f"{one.fit.name}: its {detail.label} detail", one.drawn) for one in moments]
    scale = Scale("luma", Normalize(-reach, reach), "gray")
    show(above.tolist(), [(f"target: its {detail.label} detail", detail.values), *octaves], scale, size)
    tiles = [(f"{one.fit.name}: missing", one.energies.missing_fraction) for one in moments]
    show(
        below.tolist(),
        [target_tile(moments[0].fit), *tiles],
        Scale("missing", Normalize(*MISSING_RANGE), "magma"),
        size,
    )
    return figure


def creases_to_speed(fits: Fits) -> Figure:
    """Crossings and the speed of the target's detail."""
    figure, rows = _rows_of_links(fits)
    for one, (left, middle, right) in rows:
        label = one.detail.label
        _map(left, one, "crossings per px", one.crossings, Scale("crossings / px", LogNorm(*DENSITY_RANGE, clip=True)))
        _map(
            middle,
            one,
            f"speed of {label} detail",
            one.speed,
            Scale("speed", LogNorm(*SPEED_RANGE, clip=True), "inferno"),
        )
        _scatter(right, one, one.crossings, one.speed)
        right.set(xlabel="crossings per px", ylabel="speed")
    return figure


def speed_to_progress(fits: Fits) -> Figure:
    """The speed of what is missing, and the share of it that the next step mends."""
    figure, rows = _rows_of_links(fits)
    for one, (left, middle, right) in rows:
        speed, mended = one.of_missing.per_energy, one.mended
        reach = 0.03
        _map(left, one, "speed of what is missing", speed, Scale("speed", LogNorm(*SPEED_RANGE, clip=True), "inferno"))
        _map(middle, one, "share mended by the next step", mended, Scale("share", Normalize(-reach, reach), "PuOr"))
        _scatter(right, one, speed, np.abs(mended))
        worse = mended < 0
        right.plot(speed[worse], -mended[worse], ".", color=WORSE, markersize=3, label="made worse")
        right.legend(fontsize=6, loc="lower right")
        right.set(xlabel="speed of what is missing", ylabel="share changed by the step")
    return figure


def progress_to_missing(fits: Fits) -> Figure:
    """The steps that were foretold early, and what is left at the end of what was missing then."""
    figure, rows = _rows_of_links(fits)
    early = [Moment(fit) for fit in fits.short(SCENE, EARLY)]
    for before, (one, (left, middle, right)) in zip(early, rows, strict=True):
        octave, end = before.foreseen.octave, one.fit.saved.step
        there = octave.energy > before.foreseen.floor
        steps = np.where(there, octave.steps_to_mend, np.nan)
        share = np.where(there, one.energies.residual / before.energies.residual, np.nan)
        title = f"steps to mend half, at step {EARLY}"
        _map(left, one, title, steps, Scale("steps", LogNorm(*STEPS_RANGE, clip=True), "viridis_r"))
        scale = Scale("share left", LogNorm(0.1, 10, clip=True), "PuOr_r")
        _map(middle, one, f"left of it at step {end}", share, scale)
        _scatter(right, one, np.minimum(steps, STEPS_RANGE[1]), share)
        right.set(xlabel=title, ylabel=f"left of it at step {end}")
        right.axhline(1, color="black", linewidth=0.7)
    return figure


def reasons(fits: Fits) -> Figure:
    """Why each window lacks detail, and the shares of what is missing."""
    moments = [Moment(fit) for fit in fits.short(SCENE)]
    figure = Figure(figsize=(WIDTH, 2.7), layout="constrained")
    *left, shares = figure.subplots(1, 3)
    height, width = moments[0].fit.size
    colours = ListedColormap([NO_REASON, *REASON_COLOURS])
    for one, axis in zip(moments, left, strict=True):
        numbers = one.detail.windows.spread(one.reasons.of_window.astype(float))
        axis.imshow(numbers, cmap=colours, vmin=-1.5, vmax=3.5, extent=(0, width, height, 0), interpolation="nearest")
        frame(axis, f"{one.fit.name}: why detail is missing")
    for row, one in enumerate(moments):
        before = 0.0
        for reason, colour in zip(REASONS, REASON_COLOURS, strict=True):
            share = one.reasons.shares[reason].share
            shares.barh(row, share, left=before, color=colour, height=0.5)
            if share > 0.08:
                shares.text(before + share / 2, row, f"{share:.0%}", ha="center", va="center", fontsize=6)
            before += share
    shares.set_yticks(range(len(moments)), [one.fit.name for one in moments])
    shares.set(ylim=(1.6, -1.1), xlim=(0, 1), xlabel="share of what is missing")
    named = zip((*REASONS, "nothing missing"), (*REASON_COLOURS, NO_REASON), strict=True)
    shares.legend(
        handles=[Patch(color=colour, label=name) for name, colour in named], fontsize=6, ncols=2, loc="upper center"
    )
    return figure


def _rows_of_links(fits: Fits) -> tuple[Figure, list[tuple[Moment, list[Axes]]]]:
    """A row of two maps and a chart for each of the pair."""
    figure = Figure(figsize=(WIDTH, 4.6), layout="constrained")
    rows = figure.subplots(2, 3).tolist()
    for *_, chart in rows:
        chart.set(xscale="log", yscale="log")
        for side in (chart.xaxis, chart.yaxis):
            side.set_minor_formatter(NullFormatter())  # numbers of less than a decade would stand on each other
    return figure, list(zip([Moment(fit) for fit in fits.short(SCENE)], rows, strict=True))


def _map(axis: Axes, one: Moment, title: str, values: Windowed, scale: Scale) -> None:
    """A number of each window; grey where there is none."""
    axis.set_facecolor(NO_REASON)
    shown = np.where(np.isposinf(values), STEPS_RANGE[1], values)
    show([axis], [(f"{one.fit.name}: {title}", one.detail.windows.spread(shown))], scale, one.fit.size)


def _scatter(axis: Axes, one: Moment, across: Windowed, up: Windowed) -> None:
    """A dot for each window, and how far their ranks agree."""
    there = np.isfinite(across) & np.isfinite(up)
    agreed = rank_correlation(across[there], up[there])
    axis.plot(across[there], up[there], ".", color=colour_of(one.fit), markersize=3)
    axis.set_title(f"{one.fit.name}: rank correlation {agreed or 0:+.2f}")
