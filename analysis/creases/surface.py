"""The surface of a field as a mesh, and how close it comes to the mesh it was fitted to."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor

from fieldlens.configs.errors import InputError
from fieldlens.render.surface import beside_the_surface
from fieldlens.scenes.solids.mesh import Mesh
from fieldlens.scenes.solids.solid import Solid

from ..networks.sampling import Progress

COARSEST = 64
"""Cells along a side of the first grid, at least; what is thinner than one of them may be missed."""
FARTHEST = 1e30
"""Values beyond this are taken for it, so that what is interpolated between them is finite."""


def extract_surface(
    level: Callable[[Tensor], Tensor],
    resolution: int = 128,
    progress: Progress | None = None,
    *,
    chunk: int = 16384,
    device: torch.device | str = "cpu",
) -> Mesh:
    """The zero set of a level function in the unit cube, as triangles that face outwards.

    The function is asked at the corners of a grid, and the surface put between them where its sign changes (flying
    edges: Schroeder et al. 2015). Grids of 128 cells and more are asked in two passes, first at every second, fourth,
    ... corner and then only in and beside the cells in which the sign changes, as in Mescheder et al. (2019), section
    3.3; elsewhere what the first pass found is interpolated, which changes no sign. Where the inside reaches the cube's
    sides it is closed there. A function without a zero gives a mesh without triangles; what is no number is outside.

    Args:
        level: takes (n, 3) points on `device` and gives (n, 1): negative inside, positive outside.
        resolution: cells along a side of the cube.
        progress: is told the share that is done, in (0, 1]; what the second pass needs is known only after the first.
    """
    if not 2 <= resolution <= 1024:
        raise InputError(f"a surface is looked for in 2 to 1024 cells along a side, and {resolution} were asked for")
    strides = (16, 8, 4, 2)
    stride = next((by for by in strides if resolution % by == 0 and resolution // by >= COARSEST), 1)
    ask = _Asking(level, resolution, chunk, device)
    corners = torch.arange(0, resolution + 1, stride)
    volume = ask(torch.cartesian_prod(corners, corners, corners), progress, 0, 1 if stride == 1 else 0.5).reshape(
        [len(corners)] * 3
    )
    if stride > 1:
        near = beside_the_surface(volume)
        fine = torch.nn.functional.interpolate(
            volume[None, None], [resolution + 1] * 3, mode="trilinear", align_corners=True
        )[0, 0]
        cell = (torch.arange(resolution + 1) // stride).clamp(max=len(corners) - 2)
        points = near[cell][:, cell][:, :, cell].nonzero()
        fine[tuple(points.T)] = ask(points, progress, 0.5, 1)
        volume = fine
    if progress is not None:
        progress(1.0)  # the second pass may have had nothing to do
    return _isosurface(volume, resolution)


@dataclass(frozen=True)
class SurfaceAgreement:
    """How close one surface is to another."""

    chamfer: float
    """Mean distance from either surface to the other, as a share of the reference's diagonal; 0 is best."""
    normal_consistency: float
    """Mean |cosine| between normals at nearest points; 1 is best."""


def compare_surfaces(mesh: Mesh, reference: Mesh, samples: int = 100_000, seed: int = 0) -> SurfaceAgreement:
    """Chamfer-L1 distance and normal consistency of two surfaces, as Mescheder et al. (2019), section 4, define them.

    The mean of "accuracy" (from points spread evenly over the mesh to the reference) and "completeness" (from points of
    the reference to the mesh). Distances are Euclidean, not squared, and to the nearest point of the surface itself
    rather than to samples of it; in units of the diagonal of the reference's bounding box.

    Raises:
        InputError: for a mesh without triangles.
    """
    if not len(mesh.triangles) or not len(reference.triangles):
        raise InputError("a surface without triangles cannot be compared with another")
    generator = np.random.default_rng(seed)
    one, other = _to_nearest(mesh, reference, samples, generator), _to_nearest(reference, mesh, samples, generator)
    return SurfaceAgreement(
        chamfer=(one[0] + other[0]) / 2 / reference.diagonal, normal_consistency=(one[1] + other[1]) / 2
    )


def iou(
    level: Callable[[Tensor], Tensor],
    reference: Mesh,
    samples: int = 100_000,
    seed: int = 0,
    *,
    chunk: int = 16384,
    device: torch.device | str = "cpu",
) -> float:
    """The volume inside both over that inside either, in points spread evenly over the unit cube; 1 is best.

    Args:
        level: negative inside, in the unit cube's coordinates.
        reference: a watertight mesh in the same coordinates.

    Raises:
        InputError: when no point is inside either.
    """
    points = np.random.default_rng(seed).random((samples, 3)).astype(np.float32)
    there = Solid(reference).inside(points)
    with torch.inference_mode():
        here = torch.cat([level(part.to(device))[:, 0].cpu() < 0 for part in torch.from_numpy(points).split(chunk)])
    either = np.count_nonzero(here.numpy() | there)
    if not either:
        raise InputError(f"neither solid holds any of {samples:,} points of the cube, so they have no IoU")
    return np.count_nonzero(here.numpy() & there) / either


def _to_nearest(mesh: Mesh, other: Mesh, samples: int, generator: np.random.Generator) -> tuple[float, float]:
    """Mean distance from points of a mesh to another, and mean |cosine| between the normals there."""
    points, chosen = mesh.surface_points(samples, generator)
    nearest = other.raycasting().compute_closest_points(points.astype(np.float32))
    distances = np.linalg.norm(points - nearest["points"].numpy(), axis=1)
    cosines = np.abs((mesh.normals[chosen] * other.normals[nearest["primitive_ids"].numpy()]).sum(1))
    return float(distances.mean()), float(cosines.mean())


@dataclass(frozen=True)
class _Asking:
    """A level function at corners of a grid."""

    level: Callable[[Tensor], Tensor]
    resolution: int
    chunk: int
    device: torch.device | str

    def __call__(self, corners: Tensor, progress: Progress | None, done: float, goal: float) -> Tensor:
        """Values at corners (n, 3), counted along x, y and z; progress goes on from one share to another."""
        values = torch.empty(len(corners))
        with torch.inference_mode():
            for start in range(0, len(corners), self.chunk):
                part = slice(start, start + self.chunk)
                points = (corners[part].double() / self.resolution).float().to(self.device)
                # a network that has diverged gives what is no number, which counts as outside
                values[part] = self.level(points)[:, 0].float().cpu().nan_to_num(nan=1.0).clamp(-FARTHEST, FARTHEST)
                if progress is not None:
                    progress(done + (goal - done) * min(1.0, (start + self.chunk) / len(corners)))
        return values


def _isosurface(volume: Float32[Tensor, "x y z"], resolution: int) -> Mesh:
    """The zero set as a mesh in the unit cube."""
    import open3d as o3d

    # One more corner on each side, far outside: what reaches the cube's sides is closed there.
    beyond = torch.nn.functional.pad(volume, [1] * 6, value=1e6 * max(1.0, float(volume.abs().max())))
    along_zyx = beyond.permute(2, 1, 0).contiguous().numpy()  # Open3D's axes are z, y, x
    found = o3d.t.geometry.TriangleMesh.create_isosurfaces(o3d.core.Tensor.from_numpy(along_zyx), [0.0])
    if not len(found.triangle.indices):
        return Mesh(np.empty((0, 3)), np.empty((0, 3), np.int64), name="surface")
    vertices = (found.vertex.positions.numpy().astype(np.float64) - 1) / resolution
    triangles = found.triangle.indices.numpy().astype(np.int64)[:, ::-1]  # it faces them where values rise: inwards
    return Mesh(vertices.clip(0, 1), np.ascontiguousarray(triangles), name="surface")
