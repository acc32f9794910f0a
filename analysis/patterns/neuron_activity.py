"""Where in the picture each hidden neuron works: on how much of it, around which point, how far spread.

A neuron is on where its pre-activation is above zero. One that is on nowhere is dead, one that is on everywhere is
always on: neither makes a crease in the picture. `Crossings` counts the same at the corners of pixels, as a by-product,
and `neuron_states` at any points of a network's input, such as the occupied part of a volume. `neuron_activity` is for
use from Python: no command asks for it.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from fieldlens.configs.errors import InputError

from ..networks.relu_network import ReluNetwork
from ..networks.sampling import Progress, centre_chunks, chunk_points, map_shape, point_chunks
from .packed_patterns import as_words, count_on


@dataclass(frozen=True, eq=False)
class LayerActivity:
    """Where the neurons of one hidden layer are on, by the centres of every stride-th pixel of a picture."""

    on_share: Float[np.ndarray, " width"]
    """Share of the pixels at which each neuron is on."""
    centre: Float[np.ndarray, "width 2"]
    """Mean x and y of those pixels, in pixels; NaN for a dead neuron."""
    spread: Float[np.ndarray, "width 2"]
    """Standard deviation of their x and y, in pixels; NaN for a dead neuron. A neuron that is on in the whole of a
    picture of n columns has n / sqrt(12) in x."""
    on_count: Int[np.ndarray, "rows columns"]
    """How many of the layer's neurons are on at each pixel."""

    @property
    def dead(self) -> int:
        """Neurons that are on at no pixel."""
        return int((self.on_share == 0).sum())

    @property
    def always_on(self) -> int:
        """Neurons that are on at every pixel."""
        return int((self.on_share == 1).sum())

    @property
    def live(self) -> int:
        """Neurons that change sign in the picture."""
        return len(self.on_share) - self.dead - self.always_on


@torch.inference_mode()
def neuron_activity(
    network: ReluNetwork, height: int, width: int, *, stride: int = 1, progress: Progress | None = None
) -> tuple[LayerActivity, ...]:
    """Where each neuron of each hidden layer works in a picture of that size. Costs about two passes.

    Raises:
        InputError: when the network has weights that are not finite.
    """
    network.require_finite()
    shape = map_shape(height, width, stride)
    widths = network.width_per_layer
    counts = np.empty((len(widths), shape[0] * shape[1]), np.int64)
    moments = [torch.zeros(5, w, dtype=torch.float64, device=network.device) for w in widths]
    points = chunk_points(max(widths))
    for here, x in centre_chunks(height, width, stride, points, network.device, progress):
        # pixels' centres are halves, of which fp64 adds up squares without rounding
        px = (x.double() * (2 * max(height, width))).round() / 2
        powers = torch.cat([torch.ones_like(px[:, :1]), px, px.square()], 1).T
        for layer, z in enumerate(network.preactivations(x)):
            on = z > 0
            counts[layer, here] = count_on(as_words(on)).cpu().numpy()
            moments[layer] += powers @ on.double()
    return tuple(
        _layer_activity(moment.cpu().numpy(), count.reshape(shape))
        for moment, count in zip(moments, counts, strict=True)
    )


def _layer_activity(moments: Float[np.ndarray, "5 width"], count: Int[np.ndarray, "rows columns"]) -> LayerActivity:
    """A layer's activity: `moments` are the pixels at which each neuron is on, and the sums of their x, y, x^2, y^2."""
    pixels = moments[0]
    means = np.divide(moments[1:], pixels, out=np.full((4, len(pixels)), np.nan), where=pixels > 0)
    variance = means[2:] - means[:2] ** 2
    return LayerActivity(
        on_share=pixels / count.size,
        centre=means[:2].T,
        spread=np.sqrt(np.maximum(variance, 0)).T,
        on_count=count,
    )


@dataclass(frozen=True)
class NeuronStates:
    """How many neurons of each hidden layer change sign among some points, and how many do not."""

    dead: Int[np.ndarray, " layers"]
    """Neurons of each layer that are on at no point."""
    always_on: Int[np.ndarray, " layers"]
    """Neurons of each layer that are on at every point."""
    neurons: Int[np.ndarray, " layers"]
    """Neurons of each layer."""

    @property
    def live(self) -> Int[np.ndarray, " layers"]:
        """Neurons of each layer that change sign among the points: only these make creases between them."""
        return self.neurons - self.dead - self.always_on


class SignsSeen:
    """Which neurons have been on, and which off, at the points shown so far."""

    def __init__(self, network: ReluNetwork) -> None:
        widths = network.width_per_layer
        self._on = [torch.zeros(w, dtype=torch.bool, device=network.device) for w in widths]
        self._off = [torch.zeros(w, dtype=torch.bool, device=network.device) for w in widths]

    def show(self, layer: int, on: Bool[Tensor, "n width"]) -> None:
        """Take note of a hidden layer's neurons at some more points."""
        # the largest of bytes 0 and 1 is fast; any() and all() over the first axis are some 200 times slower
        self._on[layer] |= on.view(torch.uint8).amax(0).bool()
        self._off[layer] |= ~on.view(torch.uint8).amin(0).bool()

    @property
    def states(self) -> NeuronStates:
        """What has been seen, layer by layer."""
        return NeuronStates(
            dead=np.array([int((~on).sum()) for on in self._on]),
            always_on=np.array([int((~off).sum()) for off in self._off]),
            neurons=np.array([len(on) for on in self._on]),
        )


@torch.inference_mode()
def neuron_states(
    network: ReluNetwork, points: Float[Tensor, "n d"], *, progress: Progress | None = None
) -> NeuronStates:
    """Dead, always-on and live neurons over points of the network's input. Costs little more than a pass.

    A neuron that is on in a part of the volume between the points is called dead: take many, spread over all of it.

    Raises:
        InputError: when there are no points, or the network has weights that are not finite.
    """
    if not len(points):
        raise InputError("whether neurons are dead is asked over points, and there are none: nothing is occupied")
    network.require_finite()
    seen = SignsSeen(network)
    for _, x in point_chunks(points, chunk_points(max(network.width_per_layer)), network.device, progress):
        for layer, z in enumerate(network.preactivations(x)):
            seen.show(layer, z > 0)
    return seen.states
