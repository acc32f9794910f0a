"""The seam between a scene and all that looks at it: what every kind of scene has to say of how it is seen.

`choice.subject_of` has the one `match` that chooses among the kinds.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor

from fieldlens.analysis import Plane
from fieldlens.configs.space import Slice
from fieldlens.fitting import Ending, Plan, TrainingState
from fieldlens.render.camera import Camera
from fieldlens.render.grid import Extent, draw
from fieldlens.render.panel import Legend, Tile
from fieldlens.report import Words
from fieldlens.scenes.captures.capture import Bounds
from fieldlens.scenes.load import Working
from fieldlens.scenes.scene import Function, View
from fieldlens.scenes.solids.mesh import Mesh

from .drawing import DrawnMap, MapLook
from .found import Explained, Finished, Image, Observation, Progress, Row, Values
from .kinds import Kind


@runtime_checkable
class Subject(Protocol):
    """How one scene is scored, drawn and explained, always in the same way."""

    @property
    def kind(self) -> Kind:
        """Which questions it can be asked."""
        ...

    @property
    def words(self) -> Words:
        """What texts call it and its lengths."""
        ...

    @property
    def notes(self) -> Sequence[str]:
        """What is said before a fit: what scores are of, where that is not everything."""
        ...

    @property
    def trains_on_points(self) -> bool:
        """Whether a batch is of points, at which neurons are on or off; it may be of rays."""
        ...

    @property
    def frequencies(self) -> Sequence[int]:
        """Cycles over the unit interval that are followed through training; none but of a signal."""
        ...

    def ending(self, field: Any) -> Ending:
        """How much work is left when training is over, for the estimate of how long a fit will take."""
        ...

    def target(self) -> Image:
        """What is fitted, as the report shows it."""
        ...

    def target_tile(self) -> Tile:
        """The same as a comparison's frames show it."""
        ...

    def overview(self) -> Image | None:
        """What is drawn when a run is started: of photographs, their cameras."""
        ...

    def prepare(self, working: Working) -> None:
        """Do what takes long before the first step: of a solid, ask the mesh at points."""
        ...

    def observe(self, field: Any) -> Observation:
        """Draw and score a field as it stands, in the precision that it is trained in."""
        ...

    def finish(self, field: Any, progress: Progress) -> Finished:
        """Draw and score a field whole, in fp32."""
        ...

    @property
    def map_looks(self) -> Mapping[str, MapLook]:
        """The maps that frames may have, by name, in the order in which they stand."""
        ...

    def maps(self, state: TrainingState, plan: Plan) -> Mapping[str, Image]:
        """Maps of a moment of a fit as frames show them, by name: those that there are of it."""
        ...

    def frame(self, observation: Observation, title: str, maps: Mapping[str, DrawnMap], rows: Sequence[Row]) -> Image:
        """The frame of one step.

        Args:
            maps: the newest drawn of each.
            rows: what was recorded so far, this step included.
        """
        ...

    def explain(self, state: TrainingState, plan: Plan, finished: Finished, *, progress: Progress) -> Explained:
        """Explain what is missing of `finished`, the state's field drawn whole; `found.write_explained` writes it."""
        ...


@dataclass(frozen=True, eq=False)
class Sighting:
    """What a camera sees of a field of a 3D scene."""

    colour: Values
    distance: Float32[np.ndarray, "h w"]
    """Along the rays, in sides of the scene's cube; NaN where nothing is."""
    normals: Float32[np.ndarray, "h w 3"]
    opacity: Float32[np.ndarray, "h w"]
    creases: Image | None
    """Crossings per pixel; None where none were asked for, and of a field that has no creases, or has diverged."""


@runtime_checkable
class Eye(Protocol):
    """Sees one field as it stands, from cameras in the unit cube's coordinates."""

    def __call__(self, camera: Camera, map_pixels: int | None = None, *, least_step: float = 0.0) -> Sighting:
        """What a camera sees.

        Args:
            map_pixels: in about how many of its pixels crease density is measured, where that takes long; in all unless
                told, and in none where it is 0.
            least_step: along rays, in sides of the cube: a draft takes longer steps than the scene's own.
        """
        ...


@dataclass(frozen=True, eq=False)
class Level:
    """A function that is below zero inside a field's surface."""

    function: Function
    volume_density: float | None = None
    """At the surface, per side of the scene's cube; None for a solid, which has none."""


@dataclass(frozen=True, eq=False)
class Section:
    """What the field of a 3D scene has on a plane through its cube."""

    plane: Plane
    """Its first edge is drawn to the right and its second down; each is as long as the cube's side."""
    quantity: str
    """What the values are, in a word, and `units` in full."""
    units: str
    caption: str
    legend: Legend
    function: Callable[[Tensor], Tensor]
    """Values (n, 1) at points (n, 3) of the cube."""
    picture: Callable[[Float32[np.ndarray, "_ _"]], Image]
    solid: Callable[[Float32[np.ndarray, "_ _"]], Float32[np.ndarray, "_ _"]]
    """How far there is something, 0 to 1."""

    def values(
        self,
        height: int,
        width: int,
        extent: Extent | None = None,
        *,
        device: torch.device,
        progress: Progress | None = None,
    ) -> Float32[np.ndarray, "h w"]:
        """The field's values at the centres of pixels of the plane, or of `extent` of it."""
        on_plane = draw(
            lambda x: self.function(self.plane.points(x)), height, width, extent, device=device, progress=progress
        )
        return on_plane[..., 0]


@runtime_checkable
class PlacedView(View, Protocol):
    """A view of a 3D scene."""

    @property
    def camera(self) -> Camera:
        """Where it is seen from, in the unit cube's coordinates."""
        ...


@runtime_checkable
class Spatial(Subject, Protocol):
    """A subject that a camera can be put into: a 3D scene."""

    @property
    def bounds(self) -> Bounds:
        """The cube that fields see as the unit cube."""
        ...

    @property
    def every_view(self) -> Sequence[PlacedView]:
        """All views that can be named; the first is the one in frames."""
        ...

    @property
    def surface_caption(self) -> str:
        """What a film calls the picture of what is seen."""
        ...

    def cameras(self) -> Sequence[Camera]:
        """The cameras whose median an orbit goes around at, in the world's coordinates."""
        ...

    def eye(self, field: Any) -> Eye:
        """What sees a field, until its weights change: what all of its pictures need is found once."""
        ...

    def section(self, field: Any, cut: Slice) -> Section:
        """What a field has on a slice through the cube."""
        ...

    def level(self, field: Any, volume_density: float | None = None) -> Level:
        """The surface of a field.

        Args:
            volume_density: where the surface of a radiance field is, per side of the cube.

        Raises:
            InputError: for a density that cannot be, or of a solid.
        """
        ...

    def colours(self, field: Any, surface: Mesh) -> Float[np.ndarray, "n 3"] | None:
        """The colours of a surface's vertices, each looked at against its normal; None where a field has none."""
        ...


def plane_of(cut: Slice) -> Plane:
    """The plane of a slice with the cube's side along each edge, as it is drawn: the later of its axes points up.

    >>> plane_of(Slice("y", 0.25))
    Plane(origin=(0.0, 0.25, 1.0), u=(1.0, 0.0, 0.0), v=(0.0, 0.0, -1.0))
    """
    across, right, up = ("xyz".index(axis) for axis in (cut.axis, *drawn_axes(cut)))
    corners = np.zeros((3, 3))
    origin, u, v = corners
    origin[across], origin[up], u[right], v[up] = cut.position, 1.0, 1.0, -1.0
    return Plane(*(tuple(edge.tolist()) for edge in (origin, u, v)))


def drawn_axes(cut: Slice) -> tuple[str, str]:
    """The axes to the right and up.

    >>> drawn_axes(Slice("y", 0.25))
    ('x', 'z')
    """
    right, up = "xyz".replace(cut.axis, "")
    return right, up
