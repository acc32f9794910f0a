"""Figures of a study: each of the paper's experiments drawn from the measurements of its fits, as SVG."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import matplotlib as mpl
import numpy as np
import torch
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from analysis import first_layer_inspheres, neuron_cosines, packed_patterns, relu_network
from configs.encoding import Encoding, Fourier
from configs.network import Network
from fitting import initial_state
from render.colour import to_rgb

from ..charts import COLOURS, Histories, charts, label_axes, legend_outside, part_label, plot_history, svg_of
from ..measuring import QUANTITIES
from ..redraw import open_run
from .effects import NARROW, WIDE, density_midway
from .runs import LOOKED_AT, NOISE, Runs, Unit

FOUR_COLOURS = (*COLOURS[:2], *COLOURS[-2:])
"""Of two raw and two positional encodings."""

INSPHERES = 40
"""Points around which a ball is sought: each takes a linear programme."""
SECTION_SIDE = 256
"""Points along the side of a plane of feature space."""


@dataclass(frozen=True)
class Drawing:
    """A figure of the study."""

    id: str
    title: str
    caption: str
    roles: tuple[str, ...]
    """Of the fits that it shows."""
    draw: Callable[[Runs], Figure]

    def svg(self, runs: Runs) -> bytes:
        """The figure; the same measurements give the same bytes."""
        return svg_of(partial(self.draw, runs))


def _of_each_encoding(runs: Runs) -> list[tuple[Encoding, Histories, str]]:
    """Encodings with their histories over units, and their colours."""
    encodings = runs.study.encodings
    histories = [[runs.history(unit, encoding) for unit in runs.units] for encoding in encodings]
    raw = [encoding for encoding in encodings if encoding in runs.study.raw]
    warm, cold = itertools.cycle(COLOURS[:4]), itertools.cycle(COLOURS[4:])
    colours = [next(warm) if encoding in raw else next(cold) for encoding in encodings]
    return list(zip(encodings, histories, colours, strict=True))


def _over_steps(*quantities: str) -> Callable[[Runs], Figure]:
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


def _by_layer(quantity: str) -> Callable[[Runs], Figure]:
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


def _bands(runs: Runs) -> Figure:
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


def _cosines(runs: Runs) -> Figure:
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


def _sizes(runs: Runs) -> Figure:
    """Hamming distance per neuron and in all, against the number of neurons."""
    study, units = runs.study, [Unit(NOISE, unit.seed) for unit in runs.units]
    neurons = [_neurons(network) for network in study.sizes]
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


def _one_octave(runs: Runs) -> Figure:
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


def _angles(runs: Runs) -> Figure:
    """Cosines between the neurons of each layer of one trained field."""
    study, unit = runs.study, runs.units[0]
    network = relu_network(open_run(runs.folder(runs.config(unit, study.fine))).field)
    layers = len(network.width_per_layer)
    figure, axes = charts(layers, columns=min(4, layers))
    for number, axis in enumerate(axes):
        axis.imshow(neuron_cosines(network, number), vmin=-1, vmax=1, cmap="RdBu_r", interpolation="none")
        axis.set_title(f"layer {number + 1}")
        axis.grid(visible=False)
    figure.colorbar(axes[0].images[0], ax=axes, label="cosine")
    return figure


def _inspheres(runs: Runs) -> Figure:
    """Radii of balls in first-layer cells around random points of feature space, before and after training."""
    study, unit = runs.study, runs.units[0]
    figure, (axis,) = charts(1)
    encodings = (*study.few, study.coarse, study.fine)
    for encoding, colour in zip(encodings, mpl.colormaps["viridis"](np.linspace(0, 0.9, len(encodings))), strict=True):
        config = runs.config(unit, encoding)
        trained = open_run(runs.folder(config))
        untrained = initial_state(config, trained.scene, trained.device).field
        for field, style in ((untrained, ":"), (trained.field, "-")):
            generator = torch.Generator().manual_seed(unit.seed)
            radii = np.sort(first_layer_inspheres(relu_network(field), INSPHERES, generator))
            share = (np.arange(len(radii)) + 0.5) / len(radii)
            axis.plot(radii, share, style, color=colour, label=str(encoding) if style == "-" else None)
    axis.set_xlabel("radius in feature space")
    axis.set_ylabel("share of points below")
    legend_outside(figure, axis)
    return figure


def _cross_sections(runs: Runs) -> Figure:
    """First-layer patterns on planes of feature space, each with a colour of its own."""
    study, unit = runs.study, runs.units[0]
    network = relu_network(open_run(runs.folder(runs.config(unit, study.fine))).field)
    features = network.weights[0].shape[1]
    figure, axes = charts(2)
    for axis, first, title in ((axes[0], 0, "first"), (axes[1], features - 2, "last")):
        plane = replace(network, encode=partial(_on_plane, first, features))
        patterns = packed_patterns(plane, SECTION_SIDE, SECTION_SIDE).layers[0]
        _, number = np.unique(patterns.reshape(SECTION_SIDE**2, -1), axis=0, return_inverse=True)
        colours = np.random.default_rng(0).uniform(0.25, 1, (number.max() + 1, 3))
        axis.imshow(colours[number].reshape(SECTION_SIDE, SECTION_SIDE, 3), extent=(-1, 1, 1, -1), interpolation="none")
        axis.set_title(f"{number.max() + 1:,} patterns on the {title} two features")
        axis.grid(visible=False)
    return figure


def _on_plane(first: int, features: int, x: Float[Tensor, "n 2"]) -> Float[Tensor, "n f"]:
    """Points of the unit square as features: two of them run from -1 to 1, the others are 0."""
    values = x.new_zeros(len(x), features)
    values[:, first : first + 2] = 2 * x - 1
    return values


def _doses(role: str) -> Callable[[Runs], Figure]:
    """What is missing and PSNR at the end over crease density midway, one line a unit."""

    def draw(runs: Runs) -> Figure:
        figure, axes = charts(2)
        for axis, response in zip(axes, ("missing", "psnr_db"), strict=True):
            for unit in runs.units:
                histories = runs.histories(unit, role)
                density = [density_midway(history) for history in histories]
                responses = [history[response][-1] for history in histories]
                axis.plot(density, responses, marker=".", label=f"{unit.picture} {unit.seed}")
            axis.set_xscale("log")
            axis.set_xlabel("crease density midway, px per square px")
            axis.set_ylabel(QUANTITIES[response].unit)
            axis.set_title(f"{QUANTITIES[response].title}, at the end")
        legend_outside(figure, axes[1])
        return figure

    return draw


def _signals(runs: Runs) -> Figure:
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
        for number, encoding in enumerate(study.of_signals):
            histories = [histories[number] for histories in by_unit]
            plot_history(axis, histories, column, color=FOUR_COLOURS[number % 4], label=str(encoding))
        label_axes(axis, column.removesuffix("__std"))
        if column.endswith("__std"):
            axis.set_ylabel("standard deviation")
    legend_outside(figure, axes[0])
    return figure


def _digits(runs: Runs) -> Figure:
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


def _encoding_distance(runs: Runs) -> Figure:
    """|g(x) - g(x + d)| of the fine encoding over shifts d: it depends on the shift alone."""
    octaves = runs.study.fine_octaves
    shift = np.linspace(-1, 1, 257)
    along = np.cos(2.0 ** np.arange(octaves)[:, None] * np.pi * shift).sum(0)
    distance = np.sqrt(np.maximum(4 * octaves - 2 * (along[:, None] + along[None, :]), 0))
    figure, (axis,) = charts(1)
    image = axis.imshow(distance, extent=(-1, 1, 1, -1), cmap="viridis")
    axis.set_xlabel("shift in x")
    axis.set_ylabel("shift in y")
    axis.grid(visible=False)
    figure.colorbar(image, ax=axis, label="distance of features")
    return figure


def _pictures(runs: Runs) -> Figure:
    """Each picture's first fits, beside the target."""
    firsts = list({unit.picture: unit for unit in reversed(runs.units)}.values())[::-1]
    study = runs.study
    encodings = study.compared
    columns = len(encodings) + 1
    figure = Figure(figsize=(1.7 * columns, 1.9 * len(firsts)), layout="constrained")
    axes = figure.subplots(len(firsts), columns, squeeze=False)
    for row, unit in zip(axes, firsts, strict=True):
        opened = [open_run(runs.folder(runs.config(unit, encoding))) for encoding in encodings]
        _show(row[0], opened[0].view.target(), "target")
        for axis, saved, encoding in zip(row[1:], opened, encodings, strict=True):
            _show(axis, saved.view.draw(saved.field, device=saved.device), str(encoding))
    return figure


def _show(axis: Axes, picture: Float[np.ndarray, "h w c"], title: str) -> None:
    axis.imshow(to_rgb(picture), interpolation="none")
    axis.set_title(title)
    axis.set_axis_off()


def _neurons(network: Network) -> int:
    return network.width * network.depth


PICTURED = ("raw", "coarse", "fine")
EVERY = ("raw", "few", "coarse", "fine")

DRAWINGS: tuple[Drawing, ...] = (
    Drawing("pictures", "What is fitted", "The first fit of each picture, at the end.", PICTURED, _pictures),
    Drawing(
        "A1",
        "Errors by octave",
        "Energy of the residual over that of the target, by octave of wavelengths. At the dotted line the error is "
        "half as large as the detail.",
        PICTURED,
        _bands,
    ),
    Drawing(
        "E1",
        "Distinct patterns",
        "Counted at pixel centres: where every pixel has its own, the count says nothing.",
        EVERY,
        _over_steps("patterns", "unique_share"),
    ),
    Drawing(
        "E2",
        "Hamming distance",
        "Mean over pairs of pixels, exact.",
        EVERY,
        _over_steps("hamming_local", "hamming_opposite"),
    ),
    Drawing("E3", "Hamming distance by layer", "Over all pairs of pixels.", PICTURED, _by_layer("hamming_global")),
    Drawing(
        "E4",
        "Gradient confusion",
        "Cosines of the loss gradients of pairs: 5, 25, 50, 75 and 95 %.",
        PICTURED,
        _cosines,
    ),
    Drawing(
        "E5",
        "Dead and always-on neurons",
        "Of all hidden neurons, over the picture's pixels.",
        EVERY,
        _over_steps("dead", "always_on"),
    ),
    Drawing(
        "E6",
        "Spectral norms",
        "Their product bounds the slope by much: the slope stands beside it.",
        EVERY,
        _over_steps("norm_product", "slope"),
    ),
    Drawing(
        "E7",
        "Distances to creases",
        "The authors' measure, in spaces of features and activations, and the distance "
        "in the picture: they order encodings the other way round.",
        EVERY,
        _over_steps("narrowness", "crease_distance"),
    ),
    Drawing(
        "E8",
        "Balls in the first layer's cells",
        "Around random points of feature space, as the authors take them, not around encoded pixels. Dotted before "
        "training, drawn out after it; first fit of each encoding.",
        ("few", "coarse", "fine"),
        _inspheres,
    ),
    Drawing(
        "E9",
        "Angles between neurons",
        "Cosines of weight rows, the fine encoding's first fit at its end.",
        ("fine",),
        _angles,
    ),
    Drawing(
        "E10",
        "Cross sections of feature space",
        "First-layer patterns of the fine encoding's first fit where two features run from -1 to 1, the others are 0; "
        "no pixel is encoded to such points.",
        ("fine",),
        _cross_sections,
    ),
    Drawing(
        "E11",
        "A signal of one dimension",
        "A sum of sines: Hamming distance, and the standard deviation of the cosines of gradients, of samples near to "
        "each other and far apart.",
        ("signals",),
        _signals,
    ),
    Drawing("E12", "Size of the network", "Fits of random pixels.", ("sizes, raw", "sizes, fine"), _sizes),
    Drawing(
        "E13",
        "One frequency",
        "Fits of random pixels by the largest network.",
        ("sizes, raw", "sizes, fine", "one octave"),
        _one_octave,
    ),
    Drawing(
        "E14", "Distance of features", "Of two points a shift apart, under the fine encoding.", (), _encoding_distance
    ),
    Drawing(
        "N1",
        "Density of creases",
        "Length per area in the picture, and how much the field bends at them.",
        EVERY,
        _over_steps("crease_length", "bend"),
    ),
    Drawing(
        "N4",
        "Intervals as doses of density",
        "Raw coordinates on wider and wider intervals; each line one picture and seed.",
        ("raw",),
        _doses("raw"),
    ),
    Drawing(
        "N5",
        "Spread biases as doses of density",
        "Wide raw coordinates with first-layer biases that start closer together or further apart.",
        ("biases",),
        _doses("biases"),
    ),
    Drawing(
        "N6",
        "Revived neurons as doses of density",
        "Narrow raw coordinates with dead neurons left alone, and revived at eighths of the fit.",
        ("revived",),
        _doses("revived"),
    ),
    Drawing(
        "A16",
        "Many dimensions",
        "Spread of the cosines of gradients: pixels near to each other and far apart under narrow raw coordinates, and "
        "handwritten digits with their nearest and farthest.",
        ("raw", "digits"),
        _digits,
    ),
    Drawing(
        "detail",
        "Detail",
        "Energy of the residual over that of the target in the finest octave that holds a hundredth of the target's, "
        "and the frequency up to which Fourier rings of the two correlate by 1/7 or more.",
        EVERY,
        _over_steps("missing", "resolved"),
    ),
    Drawing(
        "bending",
        "Bends between creases",
        "Encodings bend between creases as well; and how many neurons change sign near a pixel (Humayun et al. 2024).",
        EVERY,
        _over_steps("smooth_share", "complexity"),
    ),
    Drawing(
        "kernel",
        "The neural tangent kernel",
        "In how many directions the field moves, and how much of the residual lies along the leading tenth of them.",
        EVERY,
        _over_steps("kernel_rank", "kernel_alignment"),
    ),
)
"""By the paper's experiment where it is one of them."""
