"""What is measured of fields over points that make no picture: samples of a signal, digits.

Of the study's quantities these are what needs only pairs of points, near ones and far ones: Hamming distances and the
confusion of gradients; and what is counted: dead neurons, and the loss.
"""

from collections.abc import Mapping

import torch
from jaxtyping import Float, Int
from torch import Tensor

from fieldlens.analysis import confusion
from fieldlens.analysis.gradients.pairs import Pairs
from fieldlens.analysis.gradients.point_gradients import Loss
from fieldlens.fields import Field
from fieldlens.studies.runs.quantities import Measures, cosine_columns

from ..subjects.creases import creased

POINT_QUANTITIES = frozenset({"loss", "dead", "hamming_local", "hamming_global", "confusion_local", "confusion_global"})
"""Names of the quantities that `measure_points` gives for a ReLU field."""


def measure_points(
    field: Field,
    points: Float[Tensor, "n d"],
    values: Float[Tensor, "n c"],
    pairs: Mapping[str, Pairs],
    loss: Loss,
) -> Measures:
    """Measure a ReLU field over points.

    Args:
        pairs: of points, by the name of the quantities' end: `local`, `global`.
        loss: of each point.
    """
    device = field.device
    points, values = points.to(device), values.to(device)
    with torch.inference_mode():
        measures = {"loss": float(loss(field(points), values).mean())}
        network = creased(field)
        patterns = [] if network is None else [z > 0 for z in network.preactivations(points)]
    for layer, on in enumerate(patterns, start=1):
        measures[f"dead__layer{layer}"] = float((~on.any(0)).sum())
        for name, (first, second) in pairs.items():
            measures[f"hamming_{name}__layer{layer}"] = float((on[first] != on[second]).sum(1).double().mean())
    for name, some in pairs.items():
        measures |= cosine_columns(f"confusion_{name}", confusion(field, points, values, pairs=some, loss=loss))
    return measures


def near_and_far(
    points: Float[Tensor, "n d"], centres: int, neighbours: int, generator: torch.Generator
) -> dict[str, Pairs]:
    """Pairs of some points, drawn at random, with their nearest and with their farthest neighbours."""
    chosen: Int[Tensor, " centres"] = torch.randperm(len(points), generator=generator)[:centres]
    order = torch.cdist(points[chosen], points).scatter(1, chosen[:, None], -1.0).argsort(1)  # itself comes first
    first = chosen.repeat_interleave(neighbours)
    return {
        "local": (first, order[:, 1 : 1 + neighbours].flatten()),
        "global": (first, order[:, -neighbours:].flatten()),
    }
