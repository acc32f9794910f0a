"""What looks of pictures, photographs and shapes have in common: what a field draws is shown as it is."""

from collections.abc import Sequence
from functools import cached_property
from typing import Generic, TypeAlias, TypeVar

import numpy as np
from jaxtyping import Float, UInt8

from fields import Trainable
from render.colour import density_legend, error_rgb, to_rgb
from render.panel import Tile, panel
from scenes.scene import View

from .metrics import Row
from .observe import Observation

Image: TypeAlias = UInt8[np.ndarray, "_ _ 3"]
Values: TypeAlias = Float[np.ndarray, "_ _ _"]

V = TypeVar("V", bound=View)


class PixelLook(Generic[V]):
    """Target, reconstruction and error of a view side by side, and the newest density of creases.

    Args:
        view: that frames show.
        target_caption: over the target in them.
        drawn_caption: over what the field draws.
    """

    frequencies: Sequence[int] = ()

    def __init__(self, view: V, target_caption: str, drawn_caption: str = "reconstruction") -> None:
        self.view, self._target_caption, self._drawn_caption = view, target_caption, drawn_caption

    def recovered(self, drawn: Values) -> tuple[Sequence[float], Sequence[float]]:  # noqa: ARG002 (pixels have none)
        """None: octave bands are followed."""
        return (), ()

    def target(self) -> Image:
        """The whole view."""
        return to_rgb(self.view.target())

    def target_tile(self) -> Tile:
        """The view as frames in progress show it."""
        return Tile(to_rgb(self._preview), self._target_caption)

    def reconstruction(self, field: Trainable, drawn: Values) -> Image:  # noqa: ARG002 (a map shows its creases)
        """The drawing itself."""
        return to_rgb(drawn)

    def frame(
        self,
        field: Trainable,
        observation: Observation,
        title: str,
        density: tuple[int, Image] | None,
        rows: Sequence[Row],  # noqa: ARG002 (the report has the curves)
    ) -> Image:
        """Target, reconstruction, error, what else there is and, with the step it was drawn at, crease density."""
        drawn = observation.reconstruction
        tiles = [
            self.target_tile(),
            Tile(self.reconstruction(field, drawn), self._drawn_caption),
            Tile(error_rgb(self._preview, drawn), "error"),
            *self.further_tiles(observation),
        ]
        if density is not None:
            step, picture = density
            tiles.append(Tile(picture, f"crease density, step {step}", legend=density_legend))
        return panel(tiles, title, columns=len(tiles))

    def further_tiles(self, observation: Observation) -> Sequence[Tile]:  # noqa: ARG002 (those that have some say so)
        """What a frame shows beside the error."""
        return ()

    @cached_property
    def _preview(self) -> Values:
        return self.view.target(*self.view.preview)
