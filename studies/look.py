"""How a scene is shown and explained: a picture as pixels with maps, others as their own modules say."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
from jaxtyping import Float, UInt8

from configs.files import write_json
from fields import Field
from fitting import Placement
from render.panel import Tile
from scenes.posed import PosedScene
from scenes.scene import Scene, View
from scenes.shape import Shape
from scenes.signal import Signal

from .explaining import creases_summary, density_picture, explain_field, write_findings
from .metrics import Row
from .observe import ENERGY_OF, PSNR_OF, Observation, Observer, PictureObserver, is_large
from .pixels import PixelLook
from .posed import PosedLook, PosedObserver
from .shapes import ShapeLook
from .signals import SignalLook
from .spectra import picture_spectra

Image: TypeAlias = UInt8[np.ndarray, "_ _ 3"]
Values: TypeAlias = Float[np.ndarray, "_ _ _"]


@runtime_checkable
class Look(Protocol):
    """What a run draws of its view, and how it explains what is missing."""

    @property
    def frequencies(self) -> Sequence[int]:
        """Cycles over the unit interval that are followed through training; none for a picture."""
        ...

    def recovered(self, drawn: Values) -> tuple[Sequence[float], Sequence[float]]:
        """What a drawing has of each frequency, and how far off it is there, as shares of the target's amplitude."""
        ...

    def target(self) -> Image:
        """The target as the report shows it."""
        ...

    def target_tile(self) -> Tile:
        """The target as a comparison's frames show it."""
        ...

    def reconstruction(self, field: Any, drawn: Values) -> Image:
        """What a field has drawn, as report and comparison show it."""
        ...

    def density(self, field: Any) -> Image | None:
        """Crease density as frames show it; None for a field without creases."""
        ...

    @property
    def psnr_of(self) -> str:
        """What the dB of frames and curves are of, in a label's words, where that is not everything."""
        ...

    @property
    def energy_of(self) -> str:
        """The same of bands."""
        ...

    def frame(
        self,
        field: Any,
        observation: Observation,
        title: str,
        density: tuple[int, Image] | None,
        rows: Sequence[Row],
    ) -> Image:
        """The frame of one step.

        Args:
            observation: at the size of the view's preview.
            density: the newest drawn, with its step.
            rows: what was recorded so far, this step included.
        """
        ...

    def explain(
        self,
        path: Path,
        field: Any,
        drawn: Sequence[Values],
        *,
        seed: int,
        progress: Callable[[float], None],
    ) -> dict[str, Any]:
        """Explain what is missing, write that and its maps into the folder `path`, and give run.json's part of it.

        Args:
            drawn: each view whole; of a shape at least the first, as its views are traced anew for their depth.
        """
        ...


def look_at(scene: Scene) -> Look:
    """The look that goes with a scene."""
    match scene:
        case PosedScene():
            return PosedLook(scene)
        case Shape():
            return ShapeLook(scene)
        case Signal():
            return SignalLook(scene)
    return PictureLook(scene.views()[0])


def observer_of(scene: Scene, placement: Placement) -> Observer:
    """The observer that goes with a scene."""
    return PosedObserver(scene, placement) if isinstance(scene, PosedScene) else PictureObserver(scene, placement)


class PictureLook(PixelLook[View]):
    """Target, reconstruction, error and crease density side by side; missing detail explained by windows."""

    def __init__(self, view: View) -> None:
        height, width = view.preview
        super().__init__(view, f"target, reduced to {width} x {height} px" if is_large(view) else "target")

    @property
    def psnr_of(self) -> str:
        """Of a large picture, a sample."""
        return PSNR_OF if is_large(self.view) else ""

    @property
    def energy_of(self) -> str:
        """Of a large picture, its middle."""
        return ENERGY_OF if is_large(self.view) else ""

    def density(self, field: Field) -> Image | None:
        """The map of crossings per pixel."""
        return density_picture(field, self.view)

    def explain(
        self,
        path: Path,
        field: Field,
        drawn: Sequence[Values],
        *,
        seed: int,
        progress: Callable[[float], None],
    ) -> dict[str, Any]:
        """Crease maps, bands and the verdict."""
        target = self.view.target()
        findings = explain_field(field, self.view, target, drawn[0], seed=seed, progress=progress)
        write_findings(path, findings, self.view, target, drawn[0])
        write_json(path / "spectra.json", picture_spectra(target, drawn[0]))
        return creases_summary(findings)
