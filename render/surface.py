"""Surfaces seen along rays: where a function of space is first zero, which way it faces there, and its shading.

A level function is negative inside, positive outside and zero on the surface, as a signed distance is. It is looked at
in the unit cube [0, 1]^3 alone; where the inside reaches the cube's sides, the surface ends flat there.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32
from torch import Tensor

from .camera import Rays, Vector

LONGEST_STEP = 1 / 96
"""Of a march, in sides of the cube: what is thinner along a ray may be passed over."""

SHORTEST_STEP = 1 / 512
"""Of sphere tracing, so that rays that graze the surface get on."""

HALVINGS = 12
"""Of the interval in which a crossing was met: a step of 1/96 to 2.5e-6 sides of the cube."""

AMBIENT = 0.25
"""Of the light, what comes from everywhere."""

GREY = 0.9
"""Share of the light that a surface throws back."""

LIGHT = (0.5, -0.4, 0.77)
"""The direction to the light where z is upwards."""


class Hits(NamedTuple):
    """Where rays meet a surface first."""

    distances: Float32[Tensor, " n"]
    """Along each ray; infinite where it misses."""
    normals: Float32[Tensor, "n 3"]
    """Unit normals to the outside; zero where the ray misses."""


def trace(
    level: Callable[[Tensor], Tensor],
    rays: Rays,
    *,
    trusted_distance: float | None = None,
    chunk: int = 16384,
    device: torch.device | str = "cpu",
    progress: Callable[[float], None] | None = None,
) -> Hits:
    """Where rays meet the surface of `level` first, by steps until its sign changes, and bisection from there.

    Steps have length `LONGEST_STEP`, or that of the level where it is known to be a distance to the surface up to
    `trusted_distance` (sphere tracing, Hart 1996): a step that leads inside all the same is one that is bisected.
    Normals are the level's gradients, by automatic differentiation.

    Args:
        level: takes (n, 3) points of the unit cube on `device` and gives (n, 1).
        progress: is told the share of rays that is done, in (0, 1].
    """
    distances, normals = [], []
    count = len(rays.origins)
    for start in range(0, count, chunk):
        part = Rays(*(values[start : start + chunk].to(device) for values in rays))
        reached = _distances(level, part, trusted_distance)
        met = reached.isfinite()
        facing = torch.zeros_like(part.directions)
        facing[met] = _normals(level, part.origins[met] + reached[met, None] * part.directions[met])
        distances.append(reached.cpu())
        normals.append(facing.cpu())
        if progress is not None:
            progress(min(start + chunk, count) / count)
    return Hits(torch.cat(distances), torch.cat(normals))


def shade(
    normals: Float[np.ndarray, "*pixels 3"], met: Bool[np.ndarray, "*pixels"], up: Vector = (0.0, 0.0, 1.0)
) -> Float32[np.ndarray, "*pixels 3"]:
    """Grey surfaces in the light of a large window, on white: the same from wherever they are seen.

    The diffuse part is (1 + n·l) / 2, Lambert's cosine wrapped round, so that no side is without form.
    """
    across = np.cross((0.0, 1.0, 0.0) if abs(up[1]) < 0.9 else (0.0, 0.0, 1.0), np.asarray(up, np.float64))
    across /= np.linalg.norm(across)
    frame = np.stack([across, np.cross(up, across), np.asarray(up, np.float64)])
    light = np.array(LIGHT) / np.linalg.norm(LIGHT) @ frame
    diffuse = (1 + normals @ light) / 2
    grey = np.where(met, GREY * (AMBIENT + (1 - AMBIENT) * diffuse), 1.0)
    return np.repeat(grey[..., None], 3, axis=-1).astype(np.float32)


def _distances(level: Callable[[Tensor], Tensor], rays: Rays, trusted: float | None) -> Float32[Tensor, " n"]:
    reached = torch.full_like(rays.origins[:, 0], torch.inf)
    near, far = _through_the_cube(rays)
    with torch.no_grad():
        at = (far > near).nonzero()[:, 0]
        t = near[at]
        value = _along(level, rays, at, t)
        reached[at[value <= 0]] = t[value <= 0]  # the cube cuts the surface open: its side is what is seen
        at, t, value = at[value > 0], t[value > 0], value[value > 0]
        bracketed, before, after = [], [], []
        while len(at):
            step = LONGEST_STEP if trusted is None else value.clamp(SHORTEST_STEP, trusted)
            ahead = torch.minimum(t + step, far[at])
            value = _along(level, rays, at, ahead)
            crossed = value <= 0
            bracketed.append(at[crossed])
            before.append(t[crossed])
            after.append(ahead[crossed])
            going = ~crossed & (ahead < far[at])
            at, t, value = at[going], ahead[going], value[going]
        if bracketed:
            at, low, high = torch.cat(bracketed), torch.cat(before), torch.cat(after)
            for _ in range(HALVINGS if len(at) else 0):
                middle = (low + high) / 2
                inside = _along(level, rays, at, middle) <= 0
                low, high = torch.where(inside, low, middle), torch.where(inside, middle, high)
            reached[at] = (low + high) / 2
    return reached


def _through_the_cube(rays: Rays) -> tuple[Float32[Tensor, " n"], Float32[Tensor, " n"]]:
    """Where each ray enters and leaves the unit cube; it misses where it leaves before it enters."""
    # a direction of exactly 0 along an axis would make 0 / 0 of an origin on a side
    slope = torch.where(rays.directions.abs() < 1e-9, 1e-9, rays.directions)
    at_sides = torch.stack([-rays.origins / slope, (1 - rays.origins) / slope])
    return at_sides.amin(0).amax(1).clamp(min=0), at_sides.amax(0).amin(1)


def _along(
    level: Callable[[Tensor], Tensor], rays: Rays, at: Tensor, t: Float32[Tensor, " k"]
) -> Float32[Tensor, " k"]:
    return level(rays.origins[at] + t[:, None] * rays.directions[at])[:, 0].float()


def _normals(level: Callable[[Tensor], Tensor], points: Float32[Tensor, "k 3"]) -> Float32[Tensor, "k 3"]:
    if not len(points):
        return points
    with torch.enable_grad():
        points = points.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(level(points).sum(), points)
    return torch.nn.functional.normalize(gradient, dim=1)
