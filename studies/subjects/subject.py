"""The seam between a scene and all that looks at it: what every kind of scene has to say of how it is seen.

`choice.subject_of` has the one `match` that chooses among the kinds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Float32

from fieldlens.configs.space import Slice
from fieldlens.fitting import Ending
from fieldlens.render.camera import Camera
from fieldlens.render.panel import Tile
from fieldlens.report import Words
from fieldlens.scenes.captures.capture import Bounds
from fieldlens.scenes.load import Working
from fieldlens.scenes.scene import Function, View
from fieldlens.scenes.solids.mesh import Mesh

from .drawing import DrawnMap, MapLook
from .found import Explained, Finished, Image, Observation, Progress, Row, Values
from .kinds import Kind
from .section import Section


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

    def maps(self, field: Any) -> Mapping[str, Image]:
        """Maps of a field as frames show them, by name: those that there are of it."""
        ...

    def frame(self, observation: Observation, title: str, maps: Mapping[str, DrawnMap], rows: Sequence[Row]) -> Image:
        """The frame of one step.

        Args:
            maps: the newest drawn of each.
            rows: what was recorded so far, this step included.
        """
        ...

    def explain(self, field: Any, finished: Finished, *, seed: int, progress: Progress) -> Explained:
        """Explain what is missing; `found.write_explained` writes it."""
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
    """Crossings per pixel; None for a field that has no creases, or has diverged."""


@dataclass(frozen=True, eq=False)
class Level:
    """A function that is below zero inside a field's surface."""

    function: Function
    volume_density: float | None = None
    """At the surface, per side of the scene's cube; None for a solid, which has none."""


@runtime_checkable
class Spatial(Subject, Protocol):
    """A subject that a camera can be put into: a 3D scene. Cameras of `seen` are in the unit cube's coordinates."""

    @property
    def bounds(self) -> Bounds:
        """The cube that fields see as the unit cube."""
        ...

    @property
    def every_view(self) -> Sequence[View]:
        """All views that can be named; the first is the one in frames."""
        ...

    @property
    def surface_caption(self) -> str:
        """What a film calls the picture of what is seen."""
        ...

    def cameras(self) -> Sequence[Camera]:
        """The cameras whose median an orbit goes around at, in the world's coordinates."""
        ...

    def seen(self, field: Any, camera: Camera, map_pixels: int | None = None) -> Sighting:
        """What a camera sees of a field.

        Args:
            map_pixels: in about how many of its pixels crease density is measured, where that takes long; in all unless
                told.
        """
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
