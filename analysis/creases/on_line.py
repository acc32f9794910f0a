"""Creases of a field on a line: the places in [0, 1] at which its neurons switch.

A neuron switches where its pre-activation z, sampled along the line, changes sign; the place is found between the two
samples. With raw coordinates z is linear but for the creases of the layers before, elsewhere it is curved: some steps
of regula falsi (Illinois variant) close in on the root in either case. A neuron that switches twice between two
samples is missed, so samples are doubled until that changes next to nothing.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float, Float64, Int
from torch import Tensor

from ..networks.relu_network import ReluNetwork
from ..networks.sampling import chunk_points
from .crossings import starting_refinement


@dataclass(frozen=True)
class LineCreases:
    """The creases that the interval [0, 1] crosses, in rising order of place."""

    position: Float64[np.ndarray, " creases"]
    layer: Int[np.ndarray, " creases"]
    """Hidden layer of the neuron that switches, from 0."""
    dead: Int[np.ndarray, " layers"]
    """Neurons of each layer that are on at no sample."""
    refine: int
    """Steps that each sample of the signal was cut into."""
    undercount: float | None = None
    """Share of the creases that the last halving of the steps still found; None: not measured."""

    @property
    def by_layer(self) -> list[Float64[np.ndarray, " _"]]:
        """The places of each layer's creases."""
        return [self.position[self.layer == layer] for layer in range(len(self.dead))]

    def per_sample(self, samples: int) -> Int[np.ndarray, "layers samples"]:
        """Creases of each layer in each of equal parts of the line."""
        part = np.minimum((self.position * samples).astype(np.int64), samples - 1)
        counts = np.bincount(self.layer * samples + part, minlength=len(self.dead) * samples)
        return counts.reshape(len(self.dead), samples)


@torch.inference_mode()
def line_creases(network: ReluNetwork, samples: int, *, refine: int = 1, polish: int = 0) -> LineCreases:
    """The creases found at `refine` steps a sample.

    Args:
        network: of one input.
        polish: steps by which each place is improved on linear interpolation between two samples; 8 take it to the
            precision of fp32 where no other crease is as near as that.

    Raises:
        InputError: when the network has weights that are not finite.
    """
    network.require_finite()
    steps = samples * refine
    chunk = chunk_points(max(network.width_per_layer))
    found: list[_Brackets] = []
    ever_on = [torch.zeros(width, dtype=torch.bool, device=network.device) for width in network.width_per_layer]
    for first in range(0, steps, chunk):
        last = min(first + chunk, steps)
        x = torch.arange(first, last + 1, dtype=torch.float64, device=network.device) / steps
        for layer, z in enumerate(network.preactivations(x[:, None].float())):
            on = z > 0
            ever_on[layer] |= on.any(0)
            step, neuron = torch.nonzero(on[:-1] != on[1:], as_tuple=True)
            found.append(_Brackets.between(x, z, step, neuron, layer))
    brackets = _Brackets.joined(found)
    for _ in range(polish):
        brackets = _closed_in(network, brackets, chunk)
    position, order = torch.sort(brackets.root)
    dead = np.array([int((~on).sum()) for on in ever_on])
    return LineCreases(position.cpu().numpy(), brackets.layer[order].cpu().numpy(), dead, refine)


def refined_line_creases(
    network: ReluNetwork, samples: int, *, tolerance: float = 0.01, max_refine: int = 64
) -> LineCreases:
    """All creases: samples are doubled until that finds less than `tolerance` more, and each place is polished.

    `undercount` is what the last doubling still found.
    """
    refine = min(starting_refinement(network.highest_frequency, samples), max_refine)
    count = len(line_creases(network, samples, refine=refine).position)
    while True:
        finer = len(line_creases(network, samples, refine=2 * refine).position)
        undercount = max(0.0, 1 - count / finer) if finer else 0.0
        if undercount < tolerance or 4 * refine > max_refine:
            break
        refine, count = 2 * refine, finer
    return replace(line_creases(network, samples, refine=2 * refine, polish=8), undercount=undercount)


@dataclass(frozen=True)
class _Brackets:
    """For each crease two places and what its neuron computes there, of opposite signs; all on one device."""

    low: Float64[Tensor, " n"]
    high: Float64[Tensor, " n"]
    z_low: Float64[Tensor, " n"]
    z_high: Float64[Tensor, " n"]
    layer: Int[Tensor, " n"]
    neuron: Int[Tensor, " n"]

    @staticmethod
    def between(
        x: Float64[Tensor, " p"], z: Float[Tensor, "p width"], step: Tensor, neuron: Tensor, layer: int
    ) -> "_Brackets":
        here, there = z[step, neuron].double(), z[step + 1, neuron].double()
        return _Brackets(x[step], x[step + 1], here, there, torch.full_like(step, layer), neuron)

    @staticmethod
    def joined(parts: list["_Brackets"]) -> "_Brackets":
        return _Brackets(*(torch.cat([getattr(part, name) for part in parts]) for name in _Brackets.__match_args__))

    @property
    def root(self) -> Float64[Tensor, " n"]:
        """Where the straight line between the two crosses zero."""
        share = torch.nan_to_num(self.z_low / (self.z_low - self.z_high), nan=0.5).clamp(0, 1)
        return torch.lerp(self.low, self.high, share)


def _closed_in(network: ReluNetwork, brackets: _Brackets, chunk: int) -> _Brackets:
    """One step of the Illinois method: the end that stays counts half, so that it does not stay for good."""
    x = brackets.root
    z = torch.empty_like(x)
    for first in range(0, len(x), chunk):
        here = slice(first, first + chunk)
        for layer, all_z in enumerate(network.preactivations(x[here, None].float())):
            mine = torch.nonzero(brackets.layer[here] == layer)[:, 0]
            z[here][mine] = all_z[mine, brackets.neuron[here][mine]].double()
    below = (z > 0) == (brackets.z_low > 0)  # the root is between x and `high`
    return replace(
        brackets,
        low=torch.where(below, x, brackets.low),
        high=torch.where(below, brackets.high, x),
        z_low=torch.where(below, z, brackets.z_low / 2),
        z_high=torch.where(below, brackets.z_high / 2, z),
    )
