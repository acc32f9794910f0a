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

SEARCH_CELLS = 48
"""Cells along a side of the cube, in which the surface is looked for first: what is thinner may be missed."""

STEPS_PER_CELL = 2
"""Of a ray, along the side of a cell that may hold the surface."""

CHUNK = 8192
"""Points that a level is asked at, and rays that are followed, at a time."""

HALVINGS = 6
"""How often the step in which the sign changes is halved; a line between its ends then says where the zero is."""

AMBIENT = 0.25
"""The share of the light that comes from everywhere and not from the lamp."""

ALBEDO = 0.9
"""The share of the light that a surface throws back, alike in all colours."""

LIGHT = (0.5, -0.4, 0.77)
"""The direction to the lamp where z is upwards."""


class Hits(NamedTuple):
    """Where rays meet a surface first."""

    distances: Float32[Tensor, " n"]
    """Distance along each ray; infinite where it misses."""
    normals: Float32[Tensor, "n 3"]
    """Unit normals to the outside; zero where the ray misses."""


def trace(
    level: Callable[[Tensor], Tensor],
    rays: Rays,
    *,
    near_surface: Bool[Tensor, "x y z"] | None = None,
    chunk: int = CHUNK,
    device: torch.device | str = "cpu",
    progress: Callable[[float], None] | None = None,
) -> Hits:
    """Where rays meet the surface of `level` first: a march in equal steps up to a change of sign, and bisection there.

    The level is asked first at the corners of a coarse grid, then along rays only in and beside the cells in which its
    sign changes, which takes a fifth of the points. Its size does not matter, so that it may be a logit as well as a
    distance. Normals are its gradients, by automatic differentiation.

    Args:
        level: takes (n, 3) points of the unit cube on `device` and gives (n, 1).
        near_surface: as `cells_near_surface` gives it, where the same level is looked at more than once or in a coarser
            grid. Its cells say how long steps along rays are.
        progress: is told the share that is done, in (0, 1].
    """
    count = len(rays.origins)
    near_surface = cells_near_surface(level, device=device) if near_surface is None else near_surface
    distances, normals = [], []
    for start in range(0, count, chunk):
        part = rays.part(slice(start, start + chunk)).to(device)
        reached = _distances(level, part, near_surface)
        met = reached.isfinite()
        facing = torch.zeros_like(part.directions)
        facing[met] = _normals(level, part.origins[met] + reached[met, None] * part.directions[met])
        distances.append(reached.cpu())
        normals.append(facing.cpu())
        if progress is not None:
            progress(min(start + chunk, count) / count)
    return Hits(torch.cat(distances), torch.cat(normals))


def cells_near_surface(
    level: Callable[[Tensor], Tensor], *, cells: int = SEARCH_CELLS, device: torch.device | str = "cpu"
) -> Bool[Tensor, "x y z"]:
    """Cells of the coarse grid in which rays look for the surface of `level`, which is as `trace` takes it.

    Args:
        cells: along a side of the cube. Half as many ask at an eighth of the points, and miss thinner parts.
    """
    return beside_the_surface(_on_corners(level, cells, CHUNK, device))


def beside_the_surface(volume: Float32[Tensor, "a b c"]) -> Bool[Tensor, "x y z"]:
    """Cells of a grid, given by its corners, in which the sign of a level changes, and their neighbours."""
    inside = (volume < 0).float()[None, None]
    most = torch.nn.functional.max_pool3d(inside, 2, stride=1)
    least = -torch.nn.functional.max_pool3d(-inside, 2, stride=1)
    return torch.nn.functional.max_pool3d((most > least).float(), 3, stride=1, padding=1)[0, 0] > 0


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
    grey = np.where(met, ALBEDO * (AMBIENT + (1 - AMBIENT) * diffuse), 1.0)
    return np.repeat(grey[..., None], 3, axis=-1).astype(np.float32)


def _on_corners(
    level: Callable[[Tensor], Tensor], cells: int, chunk: int, device: torch.device | str
) -> Float32[Tensor, "a b c"]:
    """The level at the corners of the coarse grid."""
    ticks = torch.linspace(0, 1, cells + 1)
    corners = torch.cartesian_prod(ticks, ticks, ticks)
    with torch.no_grad():
        values = torch.cat([level(points.to(device))[:, 0].float() for points in corners.split(chunk)])
    return values.reshape(cells + 1, cells + 1, cells + 1)


def _distances(
    level: Callable[[Tensor], Tensor], rays: Rays, near_surface: Bool[Tensor, "x y z"]
) -> Float32[Tensor, " n"]:
    reached = torch.full_like(rays.origins[:, 0], torch.inf)
    near, far = _through_the_cube(rays)
    step = _step(near_surface)
    at = (far > near).nonzero()[:, 0]
    with torch.no_grad():
        entered_inside = _along(level, rays, at, near[at]) <= 0
        reached[at[entered_inside]] = near[at[entered_inside]]  # where the cube cuts the inside, its side is seen
        at = at[~entered_inside]
        if not len(at):
            return reached
        following = _next_to_ask(rays, at, near[at], far[at], near_surface)
        row, k = torch.arange(len(at), device=at.device), torch.zeros_like(at)
        bracketed, steps = [], []
        while len(row):
            k = following[row, k]
            left = k < following.shape[1] - 1
            row, k = row[left], k[left]
            ahead = torch.minimum(near[at[row]] + step * (k + 1), far[at[row]])
            inside = _along(level, rays, at[row], ahead) <= 0
            bracketed.append(row[inside])
            steps.append(k[inside])
            row, k = row[~inside], k[~inside] + 1
        at, k = at[torch.cat(bracketed)], torch.cat(steps)
        low = near[at] + step * k
        reached[at] = _zero_between(level, rays, at, low, torch.minimum(low + step, far[at]))
    return reached


def _step(near_surface: Bool[Tensor, "x y z"]) -> float:
    """Length of a step along a ray through cells that may hold the surface, in sides of the cube."""
    return 1 / (STEPS_PER_CELL * len(near_surface))


def _next_to_ask(rays: Rays, at: Tensor, near: Tensor, far: Tensor, near_surface: Bool[Tensor, "x y z"]) -> Tensor:
    """For each ray and step the next step, that one or a later, whose end is worth asking at; the last column's number
    where there is none."""
    cells, step = len(near_surface), _step(near_surface)
    count = int(((far - near).amax() / step).ceil())
    ends = near[:, None] + step * torch.arange(1, count + 1, device=near.device)
    points = rays.origins[at][:, None] + torch.minimum(ends, far[:, None])[..., None] * rays.directions[at][:, None]
    x, y, z = (points * cells).long().clamp(0, cells - 1).unbind(-1)
    asked = near_surface[x, y, z] & (ends < far[:, None] + step)
    number = torch.where(asked, torch.arange(count, device=near.device), count)
    number = torch.nn.functional.pad(number, (0, 1), value=count)
    return number.flip(1).cummin(1).values.flip(1)


def _zero_between(
    level: Callable[[Tensor], Tensor], rays: Rays, at: Tensor, low: Tensor, high: Tensor
) -> Float32[Tensor, " k"]:
    """Where rays cross the surface between a distance outside and one inside."""
    if not len(at):
        return low
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        inside = _along(level, rays, at, middle) <= 0
        low, high = torch.where(inside, low, middle), torch.where(inside, middle, high)
    outside, inside = _along(level, rays, at, low), _along(level, rays, at, high)
    share = (outside / (outside - inside).clamp(min=torch.finfo(torch.float32).tiny)).clamp(0, 1)
    return low + share * (high - low)


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
