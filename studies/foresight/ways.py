"""How steps come about in a kind of fit, and what they move in its views."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float
from torch import Tensor

from fieldlens.analysis import Detail, Speed, Step, detail_speed, movement
from fieldlens.fields import Field
from fieldlens.scenes.scene import FieldT_contra


@runtime_checkable
class Ways(Protocol[FieldT_contra]):
    """What a foresight asks of a kind of fit. Steps are changes of parameters by the names that the field has."""

    def descent(self, field: FieldT_contra, target: Float[np.ndarray, "h w c"]) -> Mapping[str, Tensor]:
        """Plain gradient descent's step at rate 1: minus the gradient of the loss of all that is trained on.

        Args:
            target: the view at the size that is looked at.
        """
        ...

    def movement(
        self, field: FieldT_contra, height: int, width: int, step: Mapping[str, Tensor]
    ) -> Float[np.ndarray, "h w c"]:
        """How far a step moves what the view shows at that size, to first order."""
        ...

    def speed(self, field: FieldT_contra, detail: Detail) -> Speed:
        """How fast the field could move detail of the view, which is of any size."""
        ...


@dataclass(frozen=True)
class OnPixels:
    """A field that is itself what a view shows: at the pixels of a picture, or the samples of a signal."""

    step: Callable[[Field, Float[np.ndarray, "h w c"]], Step]
    """Plain gradient descent's step at rate 1, for a field and the view at the size that is looked at."""

    def descent(self, field: Field, target: Float[np.ndarray, "h w c"]) -> Mapping[str, Tensor]:
        return self.step(field, target).named(field)

    def movement(self, field: Field, height: int, width: int, step: Mapping[str, Tensor]) -> Float[np.ndarray, "h w c"]:
        return movement(field, height, width, Step.of_named(field, step))

    def speed(self, field: Field, detail: Detail) -> Speed:
        return detail_speed(field, [detail])[0]
