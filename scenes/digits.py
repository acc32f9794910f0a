"""Handwritten digits as a scene: 64 grey values in, ten scores out. No picture, but a control in many dimensions.

Lazzari & Liu ask whether what they find of coordinates, dense points of two dimensions, is so of other data. These are
scikit-learn's 1,797 digits of 8 x 8 pixels, the test part of the UCI set "Optical Recognition of Handwritten Digits"
(E. Alpaydin and C. Kaynak, CC BY 4.0), which come with the library.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from fieldlens.configs.run import FitConfig
from fieldlens.fields import Field, build

from .scene import Batch, Function, Pace, View

NAME = "digits"


@dataclass(frozen=True, eq=False)
class Digits:
    """Digits to tell apart, trained on all at once by cross-entropy; there is no view of them."""

    images: Float[Tensor, "n 64"]
    """Grey values in [0, 1], row by row."""
    classes: Float[Tensor, "n 10"]
    """One column for each digit: 1 in that of the digit which the image shows, else 0."""

    pace = Pace()

    @property
    def name(self) -> str:
        return NAME

    @property
    def notes(self) -> tuple[str, ...]:
        return (f"scikit-learn's {len(self.images):,} digits of 8 x 8 pixels, values in [0, 1], ten classes",)

    @property
    def resolution(self) -> int:
        """Grey levels above black: the least step between values of a pixel is 1 / 16."""
        return 16

    @property
    def training_samples(self) -> int:
        return len(self.images)

    @property
    def in_dim(self) -> int:
        return self.images.shape[1]

    @property
    def out_dim(self) -> int:
        return self.classes.shape[1]

    def build(self, config: FitConfig, generator: torch.Generator) -> Field:
        """The field before training."""
        return build(config.encoding, config.network, self.in_dim, self.out_dim, generator)

    def refresh(self, field: Field, step: int, generator: torch.Generator) -> None:
        """Nothing: all that such a field has is its weights."""

    def batch(self, generator: torch.Generator, size: int) -> Batch:
        """`size` digits drawn at random, or all, each once, where that is enough."""
        n = len(self.images)
        chosen = torch.randint(n, (size,), generator=generator) if size < n else torch.arange(n)
        return Batch(self.images[chosen], self.classes[chosen])

    def predict(self, field: Function, batch: Batch, step: int | None = None) -> Float[Tensor, "n c"]:  # noqa: ARG002
        """The field itself, at the batch's coordinates, whatever the step."""
        return field(batch.coordinates)

    def loss(self, prediction: Float[Tensor, "n c"], batch: Batch) -> Float[Tensor, ""]:
        """The mean cross-entropy."""
        return cross_entropy(prediction, batch.values).mean()

    def views(self) -> Sequence[View]:
        return ()

    def to_npz_arrays(self) -> dict[str, np.ndarray]:
        return {"scene": np.array(NAME), "images": self.images.numpy(), "classes": self.classes.numpy()}


@cache
def digits() -> Digits:
    """All of them."""
    from sklearn.datasets import load_digits  # loads scipy's statistics: a second that no other scene should take

    levels, labels = load_digits(return_X_y=True)
    classes = torch.nn.functional.one_hot(torch.from_numpy(labels).long(), 10)
    return Digits(torch.from_numpy(levels / 16).float(), classes.float())


def cross_entropy(scores: Float[Tensor, "n c"], classes: Float[Tensor, "n c"]) -> Float[Tensor, " n"]:
    """Of each point, from its scores before the softmax."""
    return -(scores.log_softmax(1) * classes).sum(1)
