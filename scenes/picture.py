"""A picture as a scene: image coordinates in, the pixel's value out.

Coordinates have x to the right and y down, and are scaled alike on both axes so that the longer side spans [0, 1]:
with N = max(height, width), the centre of pixel (row i, column j) is ((j + 0.5) / N, (i + 0.5) / N).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import mse_loss

from fieldlens.configs.run import FitConfig
from fieldlens.fields import Field, build
from fieldlens.render.grid import Extent, draw, picture_extent

from . import holdout as protocols
from .holdout import Holdout
from .pictures.area import area_average, fitted_size
from .pictures.pixels import Pixels, unit_of
from .scene import Batch, Function, Pace, View, stratified

PREVIEW_SIDE = 512
"""Frames in progress are drawn with at most this many pixels along the longer side."""

_STORED_TYPES = (np.uint8, np.uint16, np.float32)


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture to fit, which is its own and only view.

    The pixels keep the type they have in the file, and only those that are asked for become float32: a 4096 x 4096
    RGB picture of 8 bits takes 48 MiB, not 192.
    """

    name: str
    pixels: Pixels
    holdout: Holdout = "none"
    notes: tuple[str, ...] = ()  # what the values are, and everything that was done to the file's picture, in words

    pace = Pace()

    def __post_init__(self) -> None:
        protocols.check(self.holdout, self.height, self.width)

    @property
    def height(self) -> int:
        return self.pixels.shape[0]

    @property
    def width(self) -> int:
        return self.pixels.shape[1]

    @property
    def channels(self) -> int:
        return self.pixels.shape[2]

    @property
    def preview(self) -> tuple[int, int]:
        """Height and width at which frames in progress are drawn."""
        return fitted_size(self.height, self.width, PREVIEW_SIDE)

    @property
    def resolution(self) -> int:
        """N, the pixels along the longer side."""
        return max(self.height, self.width)

    @property
    def in_dim(self) -> int:
        return 2

    @property
    def out_dim(self) -> int:
        return self.channels

    @property
    def training_samples(self) -> int:
        """How many pixels are trained on: one epoch."""
        return protocols.count(self.holdout, self.height, self.width)

    @property
    def trained(self) -> Bool[np.ndarray, "h w"] | None:
        """True at the pixels that are trained on; None means everywhere."""
        return protocols.trained(self.holdout, self.height, self.width)

    @property
    def heldout(self) -> Bool[np.ndarray, "h w"] | None:
        """True at the pixels that are scored as held out; None means that there are none."""
        return protocols.heldout(self.holdout, self.height, self.width)

    def build(self, config: FitConfig, generator: torch.Generator) -> Field:
        """The field before training."""
        return build(config.encoding, config.network, self.in_dim, self.out_dim, generator)

    def refresh(self, field: Field, step: int, generator: torch.Generator) -> None:
        """Nothing: all that such a field has is its weights."""

    def batch(self, generator: torch.Generator, size: int) -> Batch:
        """`size` training pixels in row-major order, spread evenly over the picture as `stratified` says."""
        chosen = stratified(generator, size, self.training_samples)
        row, column = protocols.locate(self.holdout, chosen, self.width)
        coordinates = (torch.stack((column, row), dim=-1).to(torch.float32) + 0.5) / self.resolution
        # numpy's take gathers rows of three bytes over ten times faster than indexing a tensor does.
        stored = self.pixels.reshape(-1, self.channels).take((row * self.width + column).numpy(), axis=0)
        return Batch(coordinates, torch.from_numpy(stored.astype(np.float32)) / self._unit)

    def predict(self, field: Function, batch: Batch, step: int | None = None) -> Float[Tensor, "n c"]:  # noqa: ARG002
        """The field itself, at the batch's coordinates, whatever the step."""
        return field(batch.coordinates)

    def loss(self, prediction: Float[Tensor, "n c"], batch: Batch) -> Float[Tensor, ""]:
        """The mean squared error."""
        return mse_loss(prediction, batch.values)

    def views(self) -> Sequence[View]:
        return (self,)

    def target(self, height: int | None = None, width: int | None = None) -> Float[np.ndarray, "h w c"]:
        """The picture in float32, at full size or area averaged to `height` x `width`."""
        return area_average(self.pixels, height or self.height, width or self.width, self._unit)

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
        """The field over the picture, or over `extent` of it, drawn with `height` x `width` pixels."""
        extent = extent or picture_extent(self.height, self.width)
        return draw(field, height or self.height, width or self.width, extent, device=device, progress=progress)

    def to_npz_arrays(self) -> dict[str, np.ndarray]:
        """Arrays for `numpy.savez`, of which none needs pickle."""
        return {
            "scene": np.array("picture"),
            "pixels": self.pixels,
            "name": np.array(self.name),
            "holdout": np.array(self.holdout),
            "notes": np.array(self.notes, dtype=str),
        }

    @classmethod
    def from_npz_arrays(cls, arrays: dict[str, np.ndarray]) -> "Picture":
        """The inverse of `to_npz_arrays`; raises ValueError where they are no picture."""
        pixels, holdout = arrays["pixels"], str(arrays["holdout"])
        if not (pixels.ndim == 3 and pixels.size and pixels.dtype in _STORED_TYPES and holdout in protocols.HOLDOUTS):
            raise ValueError("it holds no picture that can be fitted")
        return cls(str(arrays["name"]), pixels, holdout, tuple(arrays["notes"].tolist()))

    @property
    def _unit(self) -> float:
        return unit_of(self.pixels.dtype)
