"""Volume rendering: a function of points and directions, seen along rays through the unit cube.

    T(t) = exp(-integral of the density up to t),    colour = integral of T(t) density(t) colour(t) dt

by the quadrature of Max (1995) and NeRF (Mildenhall et al. 2020, eq. 3): a ray is cut into steps of equal length, one
sample in each, and a sample's density is that of its whole step. Only samples in occupied cells of a grid are kept;
they are packed, those of a ray behind one another from near to far, and seen by the function in rounds, so that a ray
that is opaque already costs nothing more. Densities are per unit length of the cube.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from .camera import Rays

Radiance: TypeAlias = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""Points (m, 3) in the unit cube and directions (m, 3) of length 1 -> colours (m, c) and densities (m,), at least 0."""

FIRST_ROUND = 4
"""Samples of a ray that are seen before it is asked whether light still comes through; each later round has twice
as many."""

OPAQUE = 1e-3
"""A ray is followed no further once it lets no more than this share of the light through."""


@dataclass(frozen=True, eq=False)
class Samples:
    """Samples on rays, packed: those of a ray behind one another, from near to far."""

    ray: Int[Tensor, " m"]
    """The number of the ray that each sample is on, rising."""
    distance: Float[Tensor, " m"]
    """Distance of each sample along its ray."""
    step_length: float
    """Length of the piece of its ray that each sample stands for."""

    def chosen(self, which: Tensor) -> "Samples":
        """Those at the given indices, or where a mask is true."""
        return Samples(self.ray[which], self.distance[which], self.step_length)

    def points(self, rays: Rays) -> Float[Tensor, "m 3"]:
        """Where they are."""
        return torch.addcmul(rays.origins[self.ray], rays.directions[self.ray], self.distance[:, None])


@dataclass(frozen=True, eq=False)
class Rendering:
    """What rays see, without a background."""

    colour: Float[Tensor, "n c"]
    """Light that comes from the volume; what is behind it adds (1 - opacity) times its own."""
    opacity: Float[Tensor, " n"]
    """Share of the light from behind that the volume stops, 0 to 1."""
    distance: Float[Tensor, " n"]
    """Mean distance along the ray of what is seen, weighted as colours are; NaN where nothing is."""
    samples: Samples
    """The samples at which the function was asked."""
    weights: Float[Tensor, " m"]
    """How much each sample contributes to its ray's colour; those of a ray sum to its opacity."""

    def over(self, background: Float[Tensor, "*n c"]) -> Float[Tensor, "n c"]:
        """The colour in front of a background, one for all rays or one for each."""
        return self.colour + (1 - self.opacity)[:, None] * background

    def accumulated(self, values: Float[Tensor, "m c"]) -> Float[Tensor, "n c"]:
        """Other values of the samples, weighted and summed along the rays as the colours are."""
        return accumulate(self.weights, values, self.samples.ray, len(self.opacity))


def render_rays(
    radiance: Radiance,
    rays: Rays,
    occupied: Bool[Tensor, "r r r"],
    step_length: float,
    offset: Float[Tensor, " n"] | float = 0.5,
    opaque: float = OPAQUE,
) -> Rendering:
    """What `rays` see of the unit cube.

    Args:
        occupied: the cells in which there may be something, x first; elsewhere the density is taken for zero.
        step_length: the distance between samples of a ray.
        offset: where in its step a sample stands, 0 to 1: the middle, or one number for each ray (drawn at random in
            training, which makes the samples stratified).
        opaque: a ray is not followed once it lets less light through than this; 0 follows all to their ends.
    """
    samples = march(rays, occupied, step_length, offset)
    parts = list(_rounds(radiance, rays, samples, opaque))
    order = torch.cat([which for which, _, _ in parts])
    colour, density = torch.cat([colour for _, colour, _ in parts]), torch.cat([part for _, _, part in parts])
    if len(parts) > 1:
        order, back = order.sort()
        colour, density = colour[back], density[back]
    seen = samples.chosen(order)
    weights = weights_from_density(density, seen.ray, step_length)
    n = len(rays.origins)
    opacity = accumulate(weights, weights.new_ones(len(weights), 1), seen.ray, n)[:, 0]
    distance = accumulate(weights, seen.distance[:, None], seen.ray, n)[:, 0] / opacity
    return Rendering(accumulate(weights, colour, seen.ray, n), opacity, distance, seen, weights)


def _rounds(
    radiance: Radiance, rays: Rays, samples: Samples, opaque: float
) -> Iterator[tuple[Int[Tensor, " k"], Float[Tensor, "k c"], Float[Tensor, " k"]]]:
    """Samples' indices, colours and densities, a round at a time; there is one round even if there is no sample."""
    limit = -math.log(opaque) if opaque > 0 else math.inf
    optical_depth = rays.origins.new_zeros(len(rays.origins))
    rank = _rank(samples.ray, len(rays.origins))
    waiting = torch.arange(len(rank), device=rank.device)
    end, size = FIRST_ROUND, FIRST_ROUND
    while True:
        due = rank[waiting] < end if opaque > 0 else torch.ones_like(waiting, dtype=torch.bool)
        now, waiting = waiting[due], waiting[~due]
        round_samples = samples.chosen(now)
        colour, density = radiance(round_samples.points(rays), rays.directions[round_samples.ray])
        yield now, colour, density
        if not len(waiting):
            return
        optical_depth.index_add_(0, round_samples.ray, density.detach().float() * samples.step_length)
        waiting = waiting[optical_depth[samples.ray[waiting]] < limit]
        size *= 2
        end += size


def march(
    rays: Rays, occupied: Bool[Tensor, "r r r"], step_length: float, offset: Float[Tensor, " n"] | float = 0.5
) -> Samples:
    """Samples of rays in the occupied cells of the unit cube, one for each `step_length` from where a ray enters it.

    >>> rays = Rays(torch.tensor([[-1.0, 0.5, 0.5]]), torch.tensor([[1.0, 0.0, 0.0]]))
    >>> occupied = torch.tensor([False, True])[:, None, None].expand(2, 2, 2)
    >>> march(rays, occupied, step_length=0.25).distance
    tensor([1.6250, 1.8750])
    """
    enter, leave = cube_interval(rays, *_occupied_box(occupied))
    count = ((leave - enter) / step_length).ceil().clamp_(min=0).long()
    ray = torch.repeat_interleave(count)
    offsets = offset[ray] if isinstance(offset, Tensor) else offset
    distance = enter[ray] + (_rank(ray, len(count)) + offsets) * step_length
    candidates = Samples(ray, distance, step_length)
    kept = in_occupied(occupied, candidates.points(rays)) & (distance < leave[ray])  # the last step reaches beyond
    return candidates.chosen(kept.nonzero()[:, 0])


def _rank(ray: Int[Tensor, " m"], rays: int) -> Int[Tensor, " m"]:
    """How many samples of its own ray are before each."""
    count = torch.bincount(ray, minlength=rays)
    return torch.arange(len(ray), device=ray.device) - (count.cumsum(0) - count)[ray]


def cube_interval(
    rays: Rays, low: Float[Tensor, "3"], high: Float[Tensor, "3"]
) -> tuple[Float[Tensor, " n"], Float[Tensor, " n"]]:
    """Where rays enter and leave a box; they leave before they enter where they miss it."""
    # a direction of exactly 0 gives infinities of the right signs, and NaN only on the box's own planes
    at_low, at_high = (low - rays.origins) / rays.directions, (high - rays.origins) / rays.directions
    near, far = torch.minimum(at_low, at_high).nan_to_num(nan=-math.inf), torch.maximum(at_low, at_high)
    return near.amax(1).clamp(min=0), far.nan_to_num(nan=math.inf).amin(1)


def _occupied_box(occupied: Bool[Tensor, "r r r"]) -> tuple[Float[Tensor, "3"], Float[Tensor, "3"]]:
    """The smallest box that holds the occupied cells; an empty one at the origin where there is none."""
    r = len(occupied)
    bytes_ = occupied.view(torch.uint8)  # whose maximum is found ten times as fast as whether any is true
    across = bytes_.amax(0)
    low, high = [], []
    for slabs in (bytes_.flatten(1).amax(1), across.amax(1), across.amax(0)):
        along = slabs.nonzero()[:, 0]
        low.append(float(along[0]) / r if len(along) else 0.0)
        high.append(float(along[-1] + 1) / r if len(along) else 0.0)
    return torch.tensor(low, device=occupied.device), torch.tensor(high, device=occupied.device)


def in_occupied(occupied: Bool[Tensor, "r r r"], points: Float[Tensor, "m 3"]) -> Bool[Tensor, " m"]:
    """Whether points of the unit cube are in cells that are occupied."""
    r = len(occupied)
    cell = (points * r).long().clamp_(0, r - 1)  # clamped: rounding puts points on the cube's faces a little outside
    return occupied.flatten()[(cell[:, 0] * r + cell[:, 1]) * r + cell[:, 2]]


def weights_from_density(
    density: Float[Tensor, " m"], ray: Int[Tensor, " m"], step_length: float
) -> Float[Tensor, " m"]:
    """w_i = T_i (1 - exp(-d_i)), T_i = exp(-sum of d_j over the samples of its ray before i), d = density step_length.

    >>> weights_from_density(torch.tensor([1.0, 2.0, 5.0]), torch.tensor([0, 0, 1]), step_length=1.0)
    tensor([0.6321, 0.3181, 0.9933])
    """
    depth = density * step_length
    if not len(ray):
        return depth
    # one scan over all rays, less what it was at the ray's start: in fp64, as the sum over all rays grows large
    before = depth.double().cumsum(0) - depth
    first = torch.ones_like(ray, dtype=torch.bool)
    first[1:] = ray[1:] != ray[:-1]
    at_start = before[first][first.cumsum(0) - 1]
    return torch.exp(at_start - before).to(density.dtype) * -torch.expm1(-depth)


def accumulate(
    weights: Float[Tensor, " m"], values: Float[Tensor, "m c"], ray: Int[Tensor, " m"], rays: int
) -> Float[Tensor, "n c"]:
    """Weighted sums of samples' values along each of so many rays."""
    return values.new_zeros(rays, values.shape[1]).index_add(0, ray, weights[:, None] * values)
