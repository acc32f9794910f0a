"""How a radiance field, or a photograph, looks from a camera in the unit cube's coordinates."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32
from torch import Tensor

from fieldlens.configs.space import Background
from fieldlens.render.camera import Camera
from fieldlens.render.grid import Extent, picture_extent
from fieldlens.render.volume import render_rays

from .captures.capture import Bounds, Photograph
from .pictures.area import area_average, fitted_size

CHUNK = 4096
"""Rays of a view that are drawn at a time."""
PREVIEW_SIDE = 200
"""Frames in progress are drawn with at most this many pixels along the longer side."""


@runtime_checkable
class Radiance(Protocol):
    """A radiance field, or anything that stands in for one."""

    @property
    def occupied(self) -> Bool[Tensor, "r r r"]:
        """The cells of the unit cube in which there may be something, x first."""
        ...

    def radiance(
        self, x: Float[Tensor, "m 3"], directions: Float[Tensor, "m 3"]
    ) -> tuple[Float[Tensor, "m 3"], Float[Tensor, " m"]]:
        """Colours and densities of points seen from directions."""
        ...


@dataclass(frozen=True, eq=False)
class Sight:
    """What a view sees of a field."""

    colour: Float32[np.ndarray, "h w 3"]
    """Colours, laid over the view's background."""
    opacity: Float32[np.ndarray, "h w"]
    distance: Float32[np.ndarray, "h w"]
    """Mean distance of what is seen, in sides of the scene's cube; NaN where nothing is."""


class PosedView:
    """A photograph as a view: how it looks, and how a field does from the same place."""

    def __init__(
        self, photograph: Photograph, bounds: Bounds, step_length: float, background: Background, heldout: bool
    ) -> None:
        self.photograph, self.step_length = photograph, step_length
        self.camera = bounds.camera_to_unit(photograph.camera)
        self.shown_over = 0.0 if background == "black" else 1.0
        self._heldout = heldout

    @property
    def name(self) -> str:
        return self.photograph.name

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
        return fitted_size(self.height, self.width, PREVIEW_SIDE)

    @property
    def trained(self) -> Bool[np.ndarray, "h w"] | None:
        """Everywhere or nowhere: photographs are held out whole."""
        return np.zeros((self.height, self.width), bool) if self._heldout else None

    @property
    def heldout(self) -> Bool[np.ndarray, "h w"] | None:
        """All of it, or None where it is trained on."""
        return np.ones((self.height, self.width), bool) if self._heldout else None

    def target(self, height: int | None = None, width: int | None = None) -> Float[np.ndarray, "h w c"]:
        """The photograph over the background, at full size or area averaged to `height` x `width`."""
        pixels = area_average(self.photograph.pixels, height or self.height, width or self.width, 255.0)
        if pixels.shape[2] == 3:
            return pixels
        return pixels[..., :3] + (1 - pixels[..., 3:]) * np.float32(self.shown_over)

    def draw(
        self,
        field: Radiance,
        height: int | None = None,
        width: int | None = None,
        extent: Extent | None = None,
        *,
        device: str | torch.device = "cpu",
        progress: Callable[[float], None] | None = None,
    ) -> Float[np.ndarray, "h w c"]:
        """The field over the background as this view sees it, or the part of it that `extent` says."""
        return self.see(field, height, width, extent, device=device, progress=progress).colour

    def see(
        self,
        field: Any,
        height: int | None = None,
        width: int | None = None,
        extent: Extent | None = None,
        *,
        device: str | torch.device = "cpu",
        progress: Callable[[float], None] | None = None,
    ) -> Sight:
        """Colour, opacity and distance of the field as this view sees it."""
        return see(
            field,
            self._framed(height or self.height, width or self.width, extent),
            self.step_length,
            self.shown_over,
            device=device,
            progress=progress,
        )

    def _framed(self, height: int, width: int, extent: Extent | None) -> Camera:
        """The camera that sees a part of the picture with so many pixels."""
        left, top, right, bottom = extent or picture_extent(self.height, self.width)
        scale = max(self.height, self.width)
        x, y = self.camera.centre
        across, down = width / ((right - left) * scale), height / ((bottom - top) * scale)
        return replace(
            self.camera,
            height=height,
            width=width,
            focal=(self.camera.focal[0] * across, self.camera.focal[1] * down),
            centre=((x - left * scale) * across, (y - top * scale) * down),
        )


@torch.inference_mode()
def see(
    field: Radiance,
    camera: Camera,
    step_length: float,
    shown_over: float,
    *,
    device: str | torch.device = "cpu",
    progress: Callable[[float], None] | None = None,
) -> Sight:
    """What a camera in the unit cube's coordinates sees of a field, over a grey of that brightness."""
    rays = camera.rays()
    colours, opacities, distances = [], [], []
    for start in range(0, len(rays.origins), CHUNK):
        part = rays.part(slice(start, start + CHUNK)).to(device)
        seen = render_rays(field.radiance, part, field.occupied, step_length)
        colours.append(seen.over(seen.colour.new_full((3,), shown_over)).float().cpu())
        opacities.append(seen.opacity.float().cpu())
        distances.append(seen.distance.float().cpu())
        if progress is not None:
            progress(min(1.0, (start + CHUNK) / len(rays.origins)))
    size = camera.height, camera.width
    colour, opacity, distance = (torch.cat(parts).numpy() for parts in (colours, opacities, distances))
    return Sight(colour.reshape(*size, 3), opacity.reshape(size), distance.reshape(size))
