"""The candidates: what is measured in each window of a fit's explained octave, and asked what is missing there."""

from dataclasses import dataclass
from itertools import islice, pairwise
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float

from fieldlens.analysis import (
    ReluNetwork,
    capacity,
    crease_bounds,
    crease_density,
    gate_overlap,
    kernel,
    nearest_crease,
    packed_patterns,
    refined_crossings,
    window_confusion,
)
from fieldlens.analysis.detail.bands import luma
from fieldlens.analysis.detail.octaves import Detail
from fieldlens.analysis.detail.windows import Windows, window_slopes
from fieldlens.analysis.gradients.confusion import at_pixels
from fieldlens.analysis.gradients.leverage import detail_leverage
from fieldlens.analysis.gradients.progress import octave_progress
from fieldlens.analysis.gradients.speed import detail_speed, wave_speed
from fieldlens.analysis.gradients.steps import loss_step, movement
from fieldlens.configs.errors import InputError
from fieldlens.fields import Field

from ..subjects.creases import creased

Maps = dict[str, Float[np.ndarray, "rows columns"]]
"""A number for each window, by candidate."""

STRIDE = 2
"""Pixels between those at which density and distance are measured, and whose gradients are compared: a window of the
finest octave has 64 of them. With all of its pixels, measuring would take longer than training."""
CROSSINGS_STRIDE, CROSSINGS_REFINE = 4, 4
"""Pixels between those in which crossings are counted at sub-pixel steps, and the most steps they are cut into."""


@dataclass(frozen=True)
class Candidate:
    """What may say where detail is missing."""

    name: str
    """Of its arrays."""
    title: str
    sign: Literal[-1, 1]
    """Of its correlation with what is missing, as its idea has it: -1 where more of it should leave less missing."""
    tautology: bool = False
    """Nearly the reconstruction itself: shown, and no candidate."""


DENSITY, SPEED, LEVERAGE, WAVES = "density", "speed", "leverage", "level_waves"
"""Names of those that claims speak of."""

CANDIDATES = (
    Candidate(DENSITY, "crease density (co-area)", -1),
    Candidate("crossings", "crossings (Crofton)", -1),
    Candidate("certified", "neurons certain to have a crease", -1),
    Candidate("distance", "distance to the nearest crease", 1),
    Candidate("overlap", "gate overlap", 1),
    Candidate("rank", "local rank of the kernel", -1),
    Candidate("confusion", "local confusion: mean cosine of gradients", 1),
    Candidate(SPEED, "speed of the target's detail", -1),
    Candidate(LEVERAGE, "leverage of the target's detail", -1),
    Candidate(WAVES, "speed of fine waves", -1),
    Candidate("push", "own push, of what is missing", -1),
    Candidate("help", "help of all else, of what is missing", -1),
    Candidate("capacity", "what a refit could not express", 1),
    Candidate("bend", "bend density", -1, tautology=True),
    Candidate("slope", "slope of the reconstruction", -1, tautology=True),
)
"""All candidates, in the order in which they are shown where nothing is known of them."""


@dataclass(frozen=True, eq=False)
class Moment:
    """A field at one moment of its fit, and the octave in which it is looked at."""

    field: Field
    target: Float[np.ndarray, "h w c"]
    drawn: Float[np.ndarray, "h w c"]
    detail: Detail
    """The target's octave, in its windows."""
    band: int
    """The octave's number, 0 for 2-4 px."""


def quantities_of(moment: Moment) -> Maps:
    """Every candidate in the windows of a moment; NaN all over where one has no meaning for such a field.

    A field of sines has no creases, and its kernel's candidates alone. A reconstruction that is not finite has none.
    """
    windows = moment.detail.windows
    nowhere = np.full(windows.shape, np.nan)
    found: Maps = {}
    if np.isfinite(moment.drawn).all():
        network = creased(moment.field)
        found = _of_gradients(moment) | ({} if network is None else _of_creases(network, moment))
        found["slope"] = window_slopes(luma(moment.drawn), windows)
    return {candidate.name: found.get(candidate.name, nowhere) for candidate in CANDIDATES}


def _of_gradients(moment: Moment) -> Maps:
    field, windows = moment.field, moment.detail.windows
    height, width, _ = moment.target.shape
    moved = movement(field, height, width, loss_step(field, moment.target))  # a plain step's, at rate 1
    progress = next(islice(octave_progress(moment.target - moment.drawn, moved), moment.band, None))
    speed, missing = detail_speed(field, [moment.detail, Detail(progress.missing, windows, progress.label)])
    split = progress.split(missing.push, rate=1, channels=moment.target.shape[2])
    there = progress.energy > 0
    return {
        SPEED: speed.per_energy,
        LEVERAGE: detail_leverage(field, [moment.detail])[0].mean,
        "push": np.divide(split.own, progress.energy, out=np.full(windows.shape, np.nan), where=there),
        "help": np.divide(split.help, progress.energy, out=np.full(windows.shape, np.nan), where=there),
        WAVES: wave_speed(field, height, width, moment.band),
        "confusion": window_confusion(field, moment.target, window_px=windows.side, stride=STRIDE).cosine,
        "rank": _local_ranks(field, moment.target, windows),
    }


def _of_creases(network: ReluNetwork, moment: Moment) -> Maps:
    windows = moment.detail.windows
    height, width, _ = moment.target.shape
    density = crease_density(network, height, width, stride=STRIDE, bend=True)
    assert density.bend is not None  # it was asked for
    crossed = refined_crossings(network, height, width, stride=CROSSINGS_STRIDE, max_refine=CROSSINGS_REFINE)
    nearest = nearest_crease(network, height, width, stride=STRIDE).px
    # where nothing tells of a crease it is farther than the picture is large
    distance = np.minimum(nearest, max(height, width))
    overlap = gate_overlap(packed_patterns(network, height, width), windows).within
    refit = capacity(network, moment.target, moment.drawn)
    return {
        DENSITY: windows.mean_of_map(density.length.sum(0)),
        "bend": windows.mean_of_map(density.bend.sum(0)),
        "crossings": windows.mean_of_map(crossed.mean_per_pixel),
        "distance": windows.mean_of_map(distance),
        "overlap": overlap.mean(0),
        "capacity": windows.mean_of_map(refit.windows.spread(refit.remaining_share)),
        **_certified(network, height, width, windows),
    }


def _certified(network: ReluNetwork, height: int, width: int, windows: Windows) -> Maps:
    """How many neurons are certain to have a crease in a window, of all layers; nothing where no bounds are known.

    Tiles have the windows' nominal side; where windows are larger, each has the mean over its pixels' tiles.
    """
    try:
        bounds = crease_bounds(network, height, width, tile_px=windows.side)
    except InputError:  # a hash grid's features are no waves
        return {}
    by_pixel = np.kron(bounds.lower.sum(0), np.ones((windows.side, windows.side)))
    return {"certified": windows.mean_of_map(by_pixel[:height, :width])}


def _local_ranks(
    field: Field, target: Float[np.ndarray, "h w c"], windows: Windows
) -> Float[np.ndarray, "rows columns"]:
    """Entropy rank of the kernel of luma on the pixels of each window, of every `STRIDE`-th row and column."""
    width = target.shape[1]
    ranks = np.empty(windows.shape)
    for row, (top, bottom) in enumerate(pairwise(windows.row_edges.tolist())):
        for column, (left, right) in enumerate(pairwise(windows.column_edges.tolist())):
            down, across = torch.arange(top, bottom, STRIDE), torch.arange(left, right, STRIDE)
            points, _ = at_pixels(field, target, (down[:, None] * width + across).flatten())
            ranks[row, column] = kernel(field, points, "luma").entropy_rank
    return ranks
