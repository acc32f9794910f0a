"""Interventions on crease density at an equal number of steps: how does missing detail respond to the dose?

Going together within one picture is no cause. Here density is changed from outside, and nothing else that can be held:
seeds, data and their order, network, steps and learning rate are the same for all doses. What an intervention changes
besides density, it changes too: a wider interval also scales gradients, so a response is evidence, not proof.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product
from typing import Any

import numpy as np
import torch

from analysis import crease_density, explain, psnr_db
from analysis.statistics import rank_correlation
from configs.encoding import Encoding, Raw
from configs.network import Network
from configs.rates import default_learning_rate
from configs.run import FitConfig, Training
from fields.interventions import spread_biases
from fitting import fit, initial_state, place
from fitting.revive import revive
from render.grid import pixel_centres
from scenes.picture import Picture

from .explaining import creased
from .reporter import Reporter, Silent

INTERVALS = (0.0, 1.0, 2.0, 3.0)
"""Raw coordinates in [0, 1] for 0, else in [-i, i]: the doses of Lazzari & Liu's dead-neuron experiment."""
BIAS_FACTORS = (0.0, 0.5, 1.0, 2.0, 4.0)


@dataclass(frozen=True)
class Dose:
    """One way to fit."""

    name: str
    encoding: Encoding
    bias_factor: float = 1.0
    """Of the first layer's biases, before the first step."""
    revive_at: tuple[int, ...] = ()
    """Steps before which dead neurons are revived."""


def interval_doses(intervals: Sequence[float] = INTERVALS) -> list[Dose]:
    """Raw coordinates in wider and wider intervals.

    >>> [dose.name for dose in interval_doses()]
    ['raw:0..1', 'raw:-1..1', 'raw:-2..2', 'raw:-3..3']
    """
    encodings = [Raw((-side, side) if side else (0.0, 1.0)) for side in intervals]
    return [Dose(str(encoding), encoding) for encoding in encodings]


def bias_doses(encoding: Encoding, factors: Sequence[float] = BIAS_FACTORS) -> list[Dose]:
    """First-layer biases drawn closer together or further apart."""
    return [Dose(f"biases x {factor:g}", encoding, bias_factor=factor) for factor in factors]


def revival_doses(encoding: Encoding, steps: int) -> list[Dose]:
    """Dead neurons left alone, revived once at an eighth of the fit, and at an eighth, a quarter and three eighths."""
    eighth = steps // 8
    return [
        Dose("never revived", encoding),
        Dose("revived once", encoding, revive_at=(eighth,)),
        Dose("revived three times", encoding, revive_at=(eighth, 2 * eighth, 3 * eighth)),
    ]


@dataclass(frozen=True)
class Response:
    """One fit."""

    dose: str
    seed: int
    density_midway: float | None
    """Co-area density, mean over the picture, in crossings per pixel, after half of the steps; None for a fit that had
    diverged by then."""
    density: float | None
    """The same at the end."""
    missing: float | None
    """Residual over target energy in the explained band, at the end; None for a fit that diverged."""
    psnr_db: float | None
    revived: int
    """Neurons revived on the way."""


@dataclass(frozen=True)
class DoseResponse:
    """Fits of one picture that differ in dose and seed and in nothing else."""

    rows: tuple[Response, ...]
    band: str
    """The finest octave that holds a hundredth of the target's variance."""
    steps: int
    rank_correlation: float | None
    """Of midway density with missing fraction, over the doses of a seed; mean over seeds. Negative: less is missing
    under doses that made creases denser. None where it is undefined for every seed."""
    rank_correlation_by_seed: tuple[float | None, ...]
    slope: float | None
    """Missing fraction goes with this power of midway density, over the doses of a seed (least squares on logarithms,
    a level for each seed)."""

    def to_json(self) -> dict[str, Any]:
        """All of it, for strict JSON."""
        return asdict(self)


def dose_response(
    picture: Picture,
    doses: Sequence[Dose],
    *,
    seeds: Sequence[int] = (0, 1, 2),
    steps: int = 300,
    network: Network | None = None,
    training: Training | None = None,
    reporter: Reporter | None = None,
) -> DoseResponse:
    """Fit a picture once for each dose and seed, and relate density to missing detail over the doses of each seed.

    Density halfway is what is related to detail missing at the end: it is there first. The learning rate is that of
    `training`, else the default of the first dose's encoding, for all doses.

    Args:
        training: batch size, schedule and precision; `steps` takes the place of its limits.
    """
    reporter, network = reporter or Silent(), network or Network()
    choices = training or Training(batch_size=4096)
    rate = choices.learning_rate or default_learning_rate(doses[0].encoding, network)
    choices = replace(choices, steps=steps, seconds=None, target_psnr=None, plateau=None, learning_rate=rate)
    runs = list(product(seeds, doses))
    rows, band = [], ""
    for number, (seed, dose) in enumerate(runs):
        reporter.working("dose response", number / len(runs))
        config = FitConfig(encoding=dose.encoding, network=network, seed=seed, training=choices)
        row, band = _respond(picture, dose, config)
        rows.append(row)
    by_seed = tuple(_correlation([row for row in rows if row.seed == seed]) for seed in seeds)
    defined = [value for value in by_seed if value is not None]
    return DoseResponse(
        tuple(rows), band, steps, float(np.mean(defined)) if defined else None, by_seed, _slope(rows, seeds)
    )


def _respond(picture: Picture, dose: Dose, config: FitConfig) -> tuple[Response, str]:
    """One fit, and the label of the band in which detail is missing."""
    training = config.training
    assert training.steps is not None  # dose_response sees to both
    assert training.learning_rate is not None
    placement = place(training, config.network)
    state = initial_state(config, picture.in_dim, picture.out_dim, placement.device)
    spread_biases(state.field, dose.bias_factor)
    pixels = pixel_centres(picture.height, picture.width).flatten(0, 1).to(placement.device)
    draws = torch.Generator().manual_seed(config.seed)
    midway, density_midway, revived = training.steps // 2, None, 0
    stops = sorted({midway, *dose.revive_at})
    for snapshot in fit(state, picture, training, placement, training.learning_rate, stops):
        if snapshot.scheduled and snapshot.step in dose.revive_at:
            revived += revive(state, pixels, draws)
        if snapshot.scheduled and snapshot.step == midway:
            density_midway = _density(state.field, picture)
    target, drawn = picture.target(), picture.draw(state.field, device=placement.device)
    found = explain(target, drawn, {"coarea": None})
    missing = next(band.missing for band in found.bands if band.label == found.band)
    psnr = psnr_db(target, drawn) if np.isfinite(drawn).all() else None
    density = _density(state.field, picture)
    return Response(dose.name, config.seed, density_midway, density, missing, psnr, revived), found.band


def _density(field: Any, picture: Picture) -> float | None:
    network = creased(field)
    if network is None:
        return None
    return float(crease_density(network, picture.height, picture.width).crossings_per_pixel.mean())


def _measured(rows: Sequence[Response]) -> Iterator[tuple[float, float]]:
    """Midway density and missing fraction of the fits that have both, above zero."""
    for row in rows:
        if row.missing and row.density_midway:
            yield row.density_midway, row.missing


def _correlation(rows: Sequence[Response]) -> float | None:
    pairs = np.array(list(_measured(rows)))
    return rank_correlation(pairs[:, 0], pairs[:, 1]) if len(pairs) > 1 else None


def _slope(rows: Sequence[Response], seeds: Sequence[int]) -> float | None:
    """Least squares of log missing on log density with a level for each seed."""
    products = squares = 0.0
    for seed in seeds:
        pairs = np.log(np.array(list(_measured([row for row in rows if row.seed == seed]))).reshape(-1, 2))
        if len(pairs):
            density, missing = (pairs - pairs.mean(0)).T
            products, squares = products + float(density @ missing), squares + float(density @ density)
    return products / squares if squares > 0 else None
