"""What is fitted, as the rest of the program sees it: batches to train on, and views to draw and to score.

A fit needs `batch`, `predict` and `loss`; whoever draws or measures needs `views`. Nothing else of a scene is known
above this package, so pictures, signals, shapes and posed views can share one training loop.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias, TypeVar, runtime_checkable

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from fieldlens.configs.run import FitConfig
from fieldlens.fields import Trainable
from fieldlens.render.grid import Extent

Function: TypeAlias = Callable[[Tensor], Tensor]
"""A field or anything that stands in for one: coordinates (n, in_dim) to values (n, out_dim)."""


@dataclass(frozen=True)
class Batch:
    """Points that a step is trained on, and what the scene is there; both float32."""

    coordinates: Float[Tensor, "n d"]
    values: Float[Tensor, "n c"]

    def to(self, device: torch.device) -> "Batch":
        """The same on a device."""
        return Batch(self.coordinates.to(device), self.values.to(device))


def stratified(generator: torch.Generator, size: int, count: int) -> Int64[Tensor, " size"]:
    """`size` of the numbers 0 .. count - 1, rising: one drawn at random in each of as many equal intervals.

    Every number is expected size / count times and no part of them is missed. Nothing is shuffled and nothing
    remembered but the generator's state; `size` may exceed `count`. Drawn in float64, for float32 cannot tell the
    pixels of a large picture apart.
    """
    draws = torch.rand(size, generator=generator, dtype=torch.float64)
    position = (torch.arange(size, dtype=torch.float64) + draws) * (count / size)
    return position.long().clamp_(max=count - 1)


FieldT = TypeVar("FieldT", bound=Trainable)
"""The field that a scene builds."""
FieldT_contra = TypeVar("FieldT_contra", bound=Trainable, contravariant=True)
BatchT_co = TypeVar("BatchT_co", covariant=True)
DrawnT_contra = TypeVar("DrawnT_contra", contravariant=True)
"""What a view draws: the scene's field, or what stands in for one."""
BatchT = TypeVar("BatchT")
"""What a step of the scene is trained on: points, or rays."""


@runtime_checkable
class View(Protocol[DrawnT_contra]):
    """One picture of a scene: what it should look like, and how a field is drawn from the same place."""

    @property
    def name(self) -> str: ...

    @property
    def height(self) -> int: ...

    @property
    def width(self) -> int: ...

    @property
    def channels(self) -> int: ...

    @property
    def preview(self) -> tuple[int, int]:
        """Height and width at which the view is drawn while a fit goes on."""
        ...

    @property
    def trained(self) -> Bool[np.ndarray, "h w"] | None:
        """True at the pixels that are trained on; None means everywhere."""
        ...

    @property
    def heldout(self) -> Bool[np.ndarray, "h w"] | None:
        """True at the pixels that are scored as held out; None means that there are none."""
        ...

    def target(self, height: int | None = None, width: int | None = None) -> Float[np.ndarray, "h w c"]:
        """The ground truth, at full size or area averaged to `height` x `width`."""
        ...

    def draw(
        self,
        field: DrawnT_contra,
        height: int | None = None,
        width: int | None = None,
        extent: Extent | None = None,
        *,
        device: str | torch.device = "cpu",
        progress: Callable[[float], None] | None = None,
    ) -> Float[np.ndarray, "h w c"]:
        """The field as this view sees it, at full size unless `height` and `width` say otherwise."""
        ...


@dataclass(frozen=True)
class Pace:
    """How a scene is trained unless a person says otherwise."""

    batch_size: int = 8192
    """Training points per step; the most where `samples` says how many."""
    samples: int | None = None
    """Samples on the rays of a step, by which their number is chosen; None for a fixed number of points."""
    seconds: float = 60.0
    """Seconds of training after which a fit ends that was given neither steps nor seconds."""
    least_steps: int = 100
    """The training step before which no plateau is looked for."""
    open_frames: tuple[int, float] = (36, 1.12)
    """Frames of a fit whose length nobody knows: each of so many first steps, then steps that grow by a factor. Slow
    fits of 150 steps a minute have 49 frames so, and quick ones of 3000 have 75."""
    rate_factor: float = 1.0
    """What the encoding's own learning rate is multiplied by."""


@runtime_checkable
class Marched(Protocol[FieldT_contra, BatchT_co]):
    """A scene that is trained on rays, on which there are more samples or fewer as the fit goes on."""

    def rays_for(self, samples: int, field: FieldT_contra, step: int) -> int:
        """How many rays have about so many samples; it follows from the state of the fit, so that it can be resumed."""
        ...

    def some_of_batch(self, generator: torch.Generator, size: int, used: int) -> BatchT_co:
        """`used` rays of `size`, at least as many; the generator moves on by the same whatever is used."""
        ...


@runtime_checkable
class Scene(Protocol[FieldT, BatchT]):
    """Something a field can be fitted to."""

    @property
    def name(self) -> str: ...

    @property
    def notes(self) -> tuple[str, ...]:
        """What the values are and everything that was done to them, in words."""
        ...

    @property
    def resolution(self) -> int | None:
        """Samples along the unit interval: for a picture the pixels of its longer side; None for samples on no grid."""
        ...

    @property
    def training_samples(self) -> int:
        """How many points are trained on: one epoch."""
        ...

    @property
    def pace(self) -> Pace: ...

    def build(self, config: FitConfig, generator: torch.Generator) -> FieldT:
        """The field before training, on the CPU; every random number comes from `generator`."""
        ...

    def refresh(self, field: FieldT, step: int, generator: torch.Generator) -> None:
        """Before each step of training: what the field keeps besides its weights is brought up to date."""
        ...

    def batch(self, generator: torch.Generator, size: int) -> BatchT:
        """`size` training points; the generator is the only state, so restoring it restores the order of the data."""
        ...

    def predict(self, field: FieldT, batch: BatchT, step: int | None = None) -> Float[Tensor, "n c"]:
        """What the field says of the batch: for a picture the field itself, for posed views a volume rendering.

        Args:
            step: of training, in which it may be rendered more coarsely; None for what people see.
        """
        ...

    def loss(self, prediction: Float[Tensor, "n c"], batch: BatchT) -> Float[Tensor, ""]:
        """How far the prediction is from the batch's values: the mean squared error."""
        ...

    def views(self) -> Sequence[View[FieldT]]:
        """The pictures by which the scene is drawn and scored."""
        ...

    def to_npz_arrays(self) -> dict[str, np.ndarray]:
        """Arrays from which `fieldlens.scenes.load.restore` makes the same scene, whose kind is `scene`; none needs
        pickle."""
        ...
