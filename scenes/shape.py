"""A mesh as a scene: a point of space in, whether it is inside or how far it is from the surface out.

Coordinates are those of the unit cube that `Mesh.bounds` puts around the mesh. An occupancy field gives the logit of
being inside (Mescheder et al. 2019), a distance field the signed distance in sides of the cube, negative inside (Park
et al. 2019). The mesh is asked once at a pool of points, from which batches are drawn.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32
from torch import Tensor

from fieldlens.configs.run import FitConfig
from fieldlens.fields import Field, build
from fieldlens.render.camera import Camera, Rays, orbit, perspective
from fieldlens.render.grid import CUBE_DIAGONAL, Extent, picture_extent, pixel_points
from fieldlens.render.surface import shade, trace

from .captures.capture import Bounds
from .scene import Batch, Function, Pace, stratified
from .solids.mesh import Mesh
from .solids.solid import Solid
from .solids.union import FINEST
from .solids.watertight import watertight

ShapeKind: TypeAlias = Literal["occupancy", "sdf"]
"""What a field says of a point: the logit of being inside, or the signed distance to the surface."""

SHAPE_KINDS: tuple[ShapeKind, ...] = get_args(ShapeKind)

POOL_POINTS = 2**18
"""Points at which the mesh is asked before training; batches are drawn from them. Half are near the surface."""

NEAR_SPREAD = 0.01
"""Standard deviation, along each axis, of the points near the surface about it, in sides of the cube."""

CLAMP = 0.05
"""Signed distances are clamped to this, in sides of the cube: 0.1 of Park et al. (2019), whose cube has sides of 2."""

ASKED_AT_ONCE = 2**14
"""Points of the pool at which the mesh is asked between two reports of progress."""

COARSE_CELLS = 16
"""Cells along a side of the cube, by which points far from the surface are told from those that may be near."""

VIEWS = 18
"""Views of the solid from all around, above and below in turns; they are the blocks of the explanation's interval, of
which it takes 16."""
VIEW_SIDE = 128
"""Pixels along a side of each view."""
VIEW_ANGLE, VIEW_ELEVATION = math.radians(35), math.radians(25)
"""Field of view of each view's camera, and how far above or below the solid's middle it stands, in radians."""


@dataclass(eq=False)
class Shape:
    """A solid to fit, by its occupancy or its signed distance; it is seen from around, shaded."""

    mesh: Mesh
    """The solid's surface in its own coordinates; watertight."""
    kind: ShapeKind
    seed: int = 0
    """Seed of the random pool of points."""
    pool_size: int = POOL_POINTS
    _pool: Batch | None = field(default=None, init=False, repr=False)

    pace = Pace(
        open_frames=(0, 1.15),  # about 35 in 300 steps: drawing a view takes as long as some of them
        rate_factor=2.0,  # `python -m benchmarks.optimizers_of_scenes`: distances gain 1.7 dB by it
    )

    @property
    def name(self) -> str:
        return self.mesh.name

    @property
    def notes(self) -> tuple[str, ...]:
        """What the values are, and all that was done to the mesh, in words."""
        values = {
            "occupancy": "values are 1 inside and 0 outside; the field gives the logit, 0 on the surface",
            "sdf": f"values are signed distances in sides of the cube, negative inside, clamped to {CLAMP:g}",
        }[self.kind]
        whole = self.surface is self.unit_mesh
        overlap = f"its parts overlap: the surface is that of their union, to {FINEST:.2g} sides of the cube"
        return (
            *self.mesh.notes,
            *(() if whole else (overlap,)),
            f"in a cube of side {self.bounds.side:.4g} around it",
            values,
            f"{self.pool_size:,} points, half uniform in the cube and half within a Gaussian of {NEAR_SPREAD:g} sides "
            "of the surface",
        )

    @cached_property
    def bounds(self) -> Bounds:
        """The cube that fields see as the unit cube."""
        return self.mesh.bounds()

    @cached_property
    def unit_mesh(self) -> Mesh:
        """The mesh in the unit cube's coordinates."""
        return self.mesh.in_unit_cube(self.bounds)

    @property
    def resolution(self) -> None:
        """Points are drawn anywhere."""

    @property
    def training_samples(self) -> int:
        """How many points the pool has: one epoch."""
        return self.pool_size

    @property
    def in_dim(self) -> int:
        return 3

    @property
    def out_dim(self) -> int:
        return 1

    @property
    def pool(self) -> Batch:
        """All points to train on and what the mesh says there: first the uniform ones, then those near the surface."""
        return self.prepare(lambda _share: None)

    def prepare(self, progress: Callable[[float], None]) -> Batch:
        """The pool, for which the mesh is asked once: of a million triangles it takes ten seconds."""
        if self._pool is None:
            self._pool = self._asked(progress)
        return self._pool

    def _asked(self, progress: Callable[[float], None]) -> Batch:
        generator = np.random.default_rng(self.seed)
        near, _ = self.surface.surface_points(self.pool_size - self.pool_size // 2, generator)
        near += generator.normal(scale=NEAR_SPREAD, size=near.shape)
        points = np.concatenate([generator.random((self.pool_size // 2, 3)), near.clip(0, 1)]).astype(np.float32)
        return Batch(torch.from_numpy(points), torch.from_numpy(self._ask(points, progress)))

    def build(self, config: FitConfig, generator: torch.Generator) -> Field:
        """The field before training."""
        return build(config.encoding, config.network, self.in_dim, self.out_dim, generator)

    def refresh(self, field: Field, step: int, generator: torch.Generator) -> None:
        """Nothing: all that such a field has is its weights."""

    def batch(self, generator: torch.Generator, size: int) -> Batch:
        """`size` points of the pool, half uniform, half near the surface."""
        chosen = stratified(generator, size, self.pool_size)
        return Batch(self.pool.coordinates[chosen], self.pool.values[chosen])

    def predict(self, field: Function, batch: Batch, step: int | None = None) -> Float[Tensor, "n c"]:  # noqa: ARG002
        """The field itself, at the batch's coordinates, whatever the step."""
        return field(batch.coordinates)

    def loss(self, prediction: Float[Tensor, "n 1"], batch: Batch) -> Float[Tensor, ""]:
        """Binary cross-entropy of the logits, or the L1 distance of distances, clamped.

        A distance clamped to the largest may be anything beyond, on its side. Clamping the prediction as well, as in
        equation 4 of Park et al. (2019), would be the same but for predictions beyond the clamp on the wrong side or
        of a target within it: these would have no gradient, and a field that starts there would never leave.
        """
        if self.kind == "occupancy":
            return torch.nn.functional.binary_cross_entropy_with_logits(prediction, batch.values)
        short = torch.relu(batch.values - prediction) * (batch.values > -CLAMP)
        over = torch.relu(prediction - batch.values) * (batch.values < CLAMP)
        return (short + over).mean()

    def level(self, field: Function) -> Function:
        """The field as a level function: negative inside, zero on the surface, of the unit cube's coordinates."""
        return (lambda x: -field(x)) if self.kind == "occupancy" else field

    def views(self) -> Sequence["ShapeView"]:
        """From around, a little above and below in turns; frames and scores are of the first."""
        reach = float(np.linalg.norm(self.unit_mesh.vertices - 0.5, axis=1).max())
        away = 1.05 * reach / math.sin(VIEW_ANGLE / 2)  # the ball that holds the mesh nearly fills the picture
        above, below = (
            orbit(VIEWS, (0.5, 0.5, 0.5), away, elevation, self.mesh.up)
            for elevation in (VIEW_ELEVATION, -VIEW_ELEVATION)
        )
        poses = [below[number] if number % 2 else above[number] for number in range(VIEWS)]
        return tuple(
            ShapeView(f"view {number}", self, perspective(VIEW_SIDE, VIEW_SIDE, VIEW_ANGLE, pose))
            for number, pose in enumerate(poses, 1)
        )

    def to_npz_arrays(self) -> dict[str, np.ndarray]:
        """Arrays for `numpy.savez`, of which none needs pickle."""
        colours = {} if self.mesh.colours is None else {"colours": self.mesh.colours}
        return colours | {
            "scene": np.array("solid"),
            "vertices": self.mesh.vertices,
            "triangles": self.mesh.triangles,
            "kind": np.array(self.kind),
            "seed": np.array(self.seed),
            "pool_size": np.array(self.pool_size),
            "up": np.array(self.mesh.up),
            "name": np.array(self.mesh.name),
            "notes": np.array(self.mesh.notes, dtype=str),
        }

    @classmethod
    def from_npz_arrays(cls, arrays: dict[str, np.ndarray]) -> "Shape":
        """The inverse of `to_npz_arrays`; raises ValueError where they are no shape."""
        x, y, z = arrays["up"].tolist()
        mesh = Mesh(
            arrays["vertices"].astype(np.float64),
            arrays["triangles"].astype(np.int64),
            arrays.get("colours"),
            (x, y, z),
            str(arrays["name"]),
            tuple(arrays["notes"].tolist()),
        )
        kind = str(arrays["kind"])
        if kind not in SHAPE_KINDS:
            raise ValueError("it holds no shape that can be fitted")
        return cls(mesh, kind, int(arrays["seed"]), int(arrays["pool_size"]))

    @cached_property
    def solid(self) -> Solid:
        """What the mesh bounds, in the unit cube."""
        return Solid(self.unit_mesh)

    @property
    def surface(self) -> Mesh:
        """The solid's surface in the unit cube: the mesh without what of it lies within the solid."""
        return self.solid.surface

    @cached_property
    def _raycasting(self) -> Any:
        return self.surface.raycasting()

    def _ask(self, points: Float32[np.ndarray, "n 3"], progress: Callable[[float], None]) -> Float32[np.ndarray, "n 1"]:
        """What the mesh says of points in the unit cube."""
        progress(0.0)
        near = self._perhaps_within_clamp(points) if self.kind == "sdf" else np.zeros(len(points), bool)
        values = np.empty((len(points), 1), np.float32)
        for start in range(0, len(points), ASKED_AT_ONCE):
            part = slice(start, start + ASKED_AT_ONCE)
            values[part, 0] = self._said_of(points[part], near[part])
            progress(min(1.0, part.stop / len(points)))
        return values

    def _said_of(self, points: Float32[np.ndarray, "n 3"], near: Bool[np.ndarray, " n"]) -> Float32[np.ndarray, " n"]:
        inside = self.solid.inside(points)
        if self.kind == "occupancy":
            return inside.astype(np.float32)
        distances = np.full(len(points), CLAMP, np.float32)
        distances[near] = self._raycasting.compute_distance(points[near]).numpy().clip(max=CLAMP)
        return np.where(inside, -distances, distances)

    def _perhaps_within_clamp(self, points: Float32[np.ndarray, "n 3"]) -> Bool[np.ndarray, " n"]:
        """False for points that are surely farther from the surface than the clamp.

        Distances of far points take ten times as long as those of near ones, and differ by no more than the points do:
        the middles of a few cells tell of all points in them.
        """
        ticks = (np.arange(COARSE_CELLS, dtype=np.float32) + 0.5) / COARSE_CELLS
        middles = np.stack(np.meshgrid(ticks, ticks, ticks, indexing="ij"), -1)
        reach = self._raycasting.compute_distance(middles).numpy() - CUBE_DIAGONAL / 2 / COARSE_CELLS
        x, y, z = (points * COARSE_CELLS).astype(np.int64).clip(0, COARSE_CELLS - 1).T
        return reach[x, y, z] < CLAMP


class Seen(NamedTuple):
    """A surface as a camera sees it."""

    colour: Float32[np.ndarray, "h w 3"]
    depth: Float32[np.ndarray, "h w"]
    """Depth along the camera's axis, in sides of the cube; infinite where nothing is."""
    normals: Float32[np.ndarray, "h w 3"]
    """Unit normals to the outside, in the unit cube's axes; zero where nothing is."""

    @property
    def met(self) -> Bool[np.ndarray, "h w"]:
        """Where there is a surface."""
        return np.isfinite(self.depth)

    def distance(self, camera: Camera) -> Float32[np.ndarray, "h w"]:
        """Along the rays of the camera that sees it; NaN where nothing is."""
        along = camera.rays().directions.numpy() @ camera.forward.astype(np.float32)
        return np.where(self.met, self.depth / along.reshape(self.depth.shape), np.float32(np.nan))


@dataclass(frozen=True, eq=False)
class ShapeView:
    """A shape from one side: the mesh by ray casting, a field by tracing its surface, shaded alike.

    Both are seen along the rays through pixels' centres, also at other sizes, so that edges agree where surfaces do.
    """

    name: str
    shape: Shape
    camera: Camera
    """The camera in the unit cube's coordinates."""

    @property
    def height(self) -> int:
        return self.camera.height

    @property
    def width(self) -> int:
        return self.camera.width

    @property
    def channels(self) -> int:
        return 3

    @property
    def preview(self) -> tuple[int, int]:
        """Height and width at which frames in progress are drawn."""
        return self.height, self.width

    @property
    def trained(self) -> Bool[np.ndarray, "h w"] | None:
        """None: points of space are trained on, and all pixels show them."""
        return None

    @property
    def heldout(self) -> Bool[np.ndarray, "h w"] | None:
        """None: nothing is held out."""
        return None

    def target(self, height: int | None = None, width: int | None = None) -> Float[np.ndarray, "h w c"]:
        """The mesh, shaded, along as many rays as there are pixels."""
        return self.mesh_seen(height, width).colour

    def draw(
        self,
        field: Function,
        height: int | None = None,
        width: int | None = None,
        extent: Extent | None = None,
        *,
        device: str | torch.device = "cpu",
        progress: Callable[[float], None] | None = None,
    ) -> Float[np.ndarray, "h w c"]:
        """The field's surface, shaded, in the view or in `extent` of it."""
        return self.field_seen(field, height, width, extent, device=device, progress=progress).colour

    def mesh_seen(self, height: int | None = None, width: int | None = None) -> Seen:
        """The mesh with its depth and normals; these are turned to the camera, whichever way triangles face."""
        size = height or self.height, width or self.width
        rays = self._rays(size, None)
        hits = self.shape._raycasting.cast_rays(torch.cat(rays, 1).numpy())
        normals = hits["primitive_normals"].numpy()
        away = (normals * rays.directions.numpy()).sum(1) > 0
        return self._seen(size, rays, hits["t_hit"].numpy(), np.where(away[:, None], -normals, normals))

    def field_seen(
        self,
        field: Function,
        height: int | None = None,
        width: int | None = None,
        extent: Extent | None = None,
        *,
        near_surface: Bool[Tensor, "x y z"] | None = None,
        device: str | torch.device = "cpu",
        progress: Callable[[float], None] | None = None,
    ) -> Seen:
        """The field's surface with its depth and normals.

        Args:
            near_surface: as `trace` takes it, of a field that is seen more than once.
        """
        size = height or self.height, width or self.width
        rays = self._rays(size, extent)
        level = self.shape.level(field)
        hits = trace(level, rays, near_surface=near_surface, device=device, progress=progress)
        return self._seen(size, rays, hits.distances.numpy(), hits.normals.numpy())

    def _rays(self, size: tuple[int, int], extent: Extent | None) -> Rays:
        centres = pixel_points(*size, extent or picture_extent(self.height, self.width)).flatten(0, 1)
        return self.camera.rays(centres * max(self.height, self.width))

    def _seen(
        self,
        size: tuple[int, int],
        rays: Rays,
        distances: Float32[np.ndarray, " n"],
        normals: Float32[np.ndarray, "n 3"],
    ) -> Seen:
        depth = distances * (rays.directions.numpy() @ self.camera.forward.astype(np.float32))
        colour = shade(normals, np.isfinite(distances), self.shape.mesh.up)
        return Seen(colour.reshape(*size, 3), depth.reshape(size), normals.reshape(*size, 3))


def shape_of(mesh: Mesh, kind: ShapeKind, seed: int = 0) -> Shape:
    """The scene of a mesh, once it is found to be watertight, or its small holes are closed.

    Raises:
        InputError: for a mesh that stays open.
    """
    return Shape(watertight(mesh), kind, seed)
