"""A sum of sines as a scene: a position on [0, 1] in, the value there out.

To everything that counts samples, a signal is a picture of one row: batches, hold-outs, scores and octave bands are
those of a picture one pixel high, and only the field knows the difference, for it is told x alone. Sample i of n stands
at (i + 0.5) / n.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32
from torch import Tensor
from torch.nn.functional import mse_loss

from fieldlens.configs.run import FitConfig
from fieldlens.configs.signal import Sines
from fieldlens.fields import Field, build
from fieldlens.render.grid import Extent

from .holdout import Holdout
from .picture import Picture
from .scene import Batch, Function, Pace, View


@dataclass(frozen=True, eq=False)
class Signal:
    """A signal to fit, which is its own and only view."""

    row: Picture
    """The samples, one row of one channel."""
    frequencies: tuple[int, ...]
    """Cycles over the unit interval of which the signal is a sum, rising."""

    pace = Pace()

    @property
    def name(self) -> str:
        return self.row.name

    @property
    def notes(self) -> tuple[str, ...]:
        return self.row.notes

    @property
    def height(self) -> int:
        return 1

    @property
    def width(self) -> int:
        """The number of samples."""
        return self.row.width

    @property
    def channels(self) -> int:
        return 1

    @property
    def preview(self) -> tuple[int, int]:
        """All samples: a curve is drawn at any size."""
        return 1, self.width

    @property
    def resolution(self) -> int:
        return self.width

    @property
    def training_samples(self) -> int:
        """How many samples are trained on: one epoch."""
        return self.row.training_samples

    @property
    def in_dim(self) -> int:
        return 1

    @property
    def out_dim(self) -> int:
        return 1

    @property
    def trained(self) -> Bool[np.ndarray, "h w"] | None:
        return self.row.trained

    @property
    def heldout(self) -> Bool[np.ndarray, "h w"] | None:
        return self.row.heldout

    @property
    def samples(self) -> Float32[np.ndarray, " n"]:
        """The values at (i + 0.5) / n."""
        return self.row.pixels[0, :, 0].astype(np.float32, copy=False)

    def build(self, config: FitConfig, generator: torch.Generator) -> Field:
        """The field before training."""
        return build(config.encoding, config.network, self.in_dim, self.out_dim, generator)

    def refresh(self, field: Field, step: int, generator: torch.Generator) -> None:
        """Nothing: all that such a field has is its weights."""

    def batch(self, generator: torch.Generator, size: int) -> Batch:
        """`size` training samples, one drawn in each of as many strata; all of them, each once, where that is enough.

        The full batch is how Rahaman et al. (2019) and Lazzari & Liu train on signals; it uses no random numbers.
        """
        n = self.training_samples
        if size < n:
            drawn = self.row.batch(generator, size)
            return Batch(drawn.coordinates[:, :1], drawn.values)
        chosen = np.arange(self.width) if self.trained is None else np.flatnonzero(self.trained[0])
        coordinates = (torch.from_numpy(chosen)[:, None].float() + 0.5) / self.width
        return Batch(coordinates, torch.from_numpy(self.samples[chosen, None]))

    def predict(self, field: Function, batch: Batch, step: int | None = None) -> Float[Tensor, "n c"]:  # noqa: ARG002
        """The field itself, at the batch's coordinates, whatever the step."""
        return field(batch.coordinates)

    def loss(self, prediction: Float[Tensor, "n c"], batch: Batch) -> Float[Tensor, ""]:
        """The mean squared error."""
        return mse_loss(prediction, batch.values)

    def views(self) -> Sequence[View]:
        return (self,)

    def target(self, height: int | None = None, width: int | None = None) -> Float[np.ndarray, "h w c"]:
        """The samples as a row, all of them or averaged to `width`."""
        return self.row.target(height, width)

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
        """The field along the line, as a row of `width` samples; of `extent` only the ends in x matter."""
        return self.row.draw(lambda x: field(x[:, :1]), height, width, extent, device=device, progress=progress)

    def to_npz_arrays(self) -> dict[str, np.ndarray]:
        """Arrays for `numpy.savez`, of which none needs pickle."""
        own = {"scene": np.array("signal"), "frequencies": np.array(self.frequencies)}
        return self.row.to_npz_arrays() | own

    @classmethod
    def from_npz_arrays(cls, arrays: dict[str, np.ndarray]) -> "Signal":
        """The inverse of `to_npz_arrays`; raises ValueError where they are no signal."""
        return cls(Picture.from_npz_arrays(arrays), tuple(arrays["frequencies"].tolist()))


def sum_of_sines(sines: Sines, seed: int, holdout: Holdout = "none") -> Signal:
    """The signal 0.5 + s times the sum over k of sin(2 pi k t + phi_k), with phases drawn from `seed`.

    The scale s is such that the largest deviation from 1/2 is 1/2 at the samples; the notes say what it is.
    """
    phases = np.random.default_rng(seed).uniform(0, 2 * np.pi, len(sines.frequencies))
    t = (np.arange(sines.samples) + 0.5) / sines.samples
    values = np.sin(2 * np.pi * np.outer(sines.frequencies, t) + phases[:, None]).sum(0)
    scale = 0.5 / np.abs(values).max()
    cycles = ", ".join(map(str, sines.frequencies))
    notes = (
        f"generated, {sines.samples} samples of a sum of sines of {cycles} cycles, each of amplitude {scale:.4g} "
        f"and of random phase (seed {seed}), around 0.5; values in [0, 1]",
        "a signal's lengths are in samples: where a name or a scale says px, one sample is meant",
    )
    row = (0.5 + scale * values).astype(np.float32)[None, :, None]
    return Signal(Picture(str(sines), row, holdout, notes), sines.frequencies)
