"""What the paper's study fits, pictures and their controls, each with what is measured of its fields."""

from collections.abc import Callable
from dataclasses import dataclass

import torch

from fieldlens.analysis import global_pairs, local_pairs
from fieldlens.analysis.gradients.point_gradients import squared_error
from fieldlens.configs.run import FitConfig
from fieldlens.configs.signal import is_signal, parse_signal
from fieldlens.fields import Field
from fieldlens.scenes.digits import NAME as DIGITS
from fieldlens.scenes.digits import cross_entropy, digits
from fieldlens.scenes.load import load
from fieldlens.scenes.scene import Scene
from fieldlens.scenes.signal import Signal, sum_of_sines
from fieldlens.studies.runs.history import History
from fieldlens.studies.runs.quantities import LOCAL, PAIRS, Measures, has_every_quantity, measure

from .points import POINT_QUANTITIES, measure_points, near_and_far

NEIGHBOURS = 25
"""How many nearest and how many farthest digits each of some digits is paired with: as many as the authors take."""


@dataclass(frozen=True)
class Fitted:
    """A scene that a study fits, and what is measured of its fields."""

    scene: Scene
    measure: Callable[[Field], Measures]
    """Measures a field at any moment of its fit; what is drawn at random is drawn alike each time."""


def is_picture(scene: str) -> bool:
    """Whether a scene of a study, by its word, is a picture, and not one of its controls."""
    return scene != DIGITS and not is_signal(scene)


def is_complete(config: FitConfig, history: History) -> bool:
    """Whether a history has every quantity that is measured now of a ReLU network, and no other."""
    if not is_picture(config.scene):
        return set(history.quantities) == POINT_QUANTITIES
    return has_every_quantity(history, heldout=config.target.holdout != "none")


def fitted_of(config: FitConfig, quadrant_gap: float = 0.0) -> Fitted:
    """What a configuration of a study fits.

    Args:
        quadrant_gap: of Hamming distances in pictures, as a share of the longer side.
    """
    generator = torch.Generator().manual_seed(config.seed)
    if config.scene == DIGITS:
        control = digits()
        pairs = near_and_far(control.images, PAIRS // NEIGHBOURS, NEIGHBOURS, generator)
        return Fitted(
            control, lambda field: measure_points(field, control.images, control.classes, pairs, cross_entropy)
        )
    if is_signal(config.scene):
        return _signal(sum_of_sines(parse_signal(config.scene), config.seed), generator)
    scene = load(config.scene, config.target, seed=config.seed)
    view = scene.views()[0]
    return Fitted(scene, lambda field: measure(field, view, seed=config.seed, quadrant_gap=quadrant_gap))


def _signal(scene: Signal, generator: torch.Generator) -> Fitted:
    n = scene.width
    reach = max(1, round(LOCAL * n / 2))
    pairs = {
        "local": local_pairs(1, n, PAIRS, reach, generator),
        "global": global_pairs(1, n, PAIRS, 2 * reach, generator),
    }
    points = (torch.arange(n)[:, None] + 0.5) / n
    values = torch.from_numpy(scene.samples)[:, None]
    return Fitted(scene, lambda field: measure_points(field, points, values, pairs, squared_error))
