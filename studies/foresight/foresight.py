"""Foresees what the next step of a fit does to what a view shows, and what becomes of the detail that is missing."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Generic

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from fieldlens.analysis import Detail, OctaveProgress, Speed, band_labels, explained_details, octave_progress
from fieldlens.analysis.detail.bands import longest_wavelength
from fieldlens.analysis.detail.reasons import Motion
from fieldlens.configs.errors import InputError
from fieldlens.fields import Trainable
from fieldlens.fitting import Plan, TrainingState, foreseen_change
from fieldlens.scenes.pictures.area import area_average, fitted_size
from fieldlens.scenes.scene import FieldT, View

from .ways import Ways


@dataclass(frozen=True, eq=False)
class Foreseen:
    """What the next step of a fit does to what a view shows, and to the octave that is explained."""

    change: Mapping[str, Tensor]
    """Of the weights that are shown."""
    residual: Float[np.ndarray, "h w c"]
    """Target minus what is shown."""
    moved: Float[np.ndarray, "h w c"]
    """How far the step moves it."""
    octave: OctaveProgress
    label: str
    """The octave's, in pixels of the view."""
    longest_px: float
    """Its longest wavelength in pixels of the view."""
    reduced_by: float
    """Pixels of the view in one that was looked at."""
    floor: Float[np.ndarray, "rows columns"]
    """Energy of 8-bit rounding in each window."""

    @property
    def resolution(self) -> int:
        """Pixels of the view's longer side."""
        return round(self.reduced_by * max(self.residual.shape[:2]))

    def octaves(self) -> Iterator[OctaveProgress]:
        """What it does to all octaves, finest first."""
        return octave_progress(self.residual, self.moved)


class Foresight(Generic[FieldT]):
    """Foresees the next step of fits in one view.

    A view that is larger than is looked at is reduced, and its octaves are of longer waves then.
    """

    def __init__(self, view: View[FieldT], ways: Ways[FieldT]) -> None:
        self.view, self.ways = view, ways
        self._explained: dict[int, Detail | None] = {}

    def target(self, side: int) -> Float[np.ndarray, "h w c"]:
        """The view with its longer side at most so long."""
        return self.view.target(*fitted_size(self.view.height, self.view.width, side))

    def label(self, side: int) -> str | None:
        """The octave that is explained, in pixels of the view; None where there is no detail."""
        detail = self.detail(side)
        return None if detail is None else self._in_view(detail.label, side)

    def speed(self, field: FieldT, side: int) -> Speed | None:
        """How fast a field could move what the view holds in the octave that is explained; None where that is none."""
        detail, label = self.detail(side), self.label(side)
        return None if detail is None or label is None else self.ways.speed(field, replace(detail, label=label))

    def foresee(self, state: TrainingState[FieldT], plan: Plan, side: int) -> Foreseen | None:
        """None where there is no detail, or where the fit has diverged or is about to."""
        detail, field = self.detail(side), state.field
        if detail is None or not (_is_finite(field) and _is_finite(state.trained)):
            return None
        target = self.target(side)
        height, width, _ = target.shape
        try:
            gradient = {name: -change for name, change in self.ways.descent(state.trained, target).items()}
            change = foreseen_change(state, plan, gradient)
            moved = self.ways.movement(field, height, width, change)
        except InputError:  # what the weights make of the view is not finite
            return None
        residual = target - self.view.draw(field, height, width, device=field.device)
        octave = next(one for one in octave_progress(residual, moved) if one.label == detail.label)
        by = self._reduced_by(side)
        return Foreseen(
            change,
            residual,
            moved,
            octave,
            label=self._in_view(octave.label, side),
            longest_px=longest_wavelength(band_labels(height, width).index(octave.label)) * by,
            reduced_by=by,
            floor=detail.floor * octave.windows.areas,
        )

    def motion(
        self, state: TrainingState[FieldT], foreseen: Foreseen, crossings: Float[np.ndarray, "_ _"] | None
    ) -> Motion:
        """What becomes of the missing detail of each window, from which follows why it is missing (`reasons_of`).

        A window's own push is by a plain gradient step of the shown weights, as long as lowers the loss by what the
        fit's own step does; it is as if the view were all that is trained on.

        Args:
            crossings: per pixel of the view, all layers together, at any size; None for a network without creases.
        """
        field, octave = state.field, foreseen.octave
        windows = octave.windows
        plain = self.ways.descent(field, self.target(max(octave.missing.shape)))
        push = self.ways.speed(field, Detail(octave.missing, windows, octave.label)).push
        rate = max(0.0, _times_in(foreseen.change, plain))
        return Motion(
            blocks=windows.blocks(),
            longest_px=foreseen.longest_px,
            missing=octave.energy,
            floor=foreseen.floor,
            progress=octave.whole,
            own_push=octave.split(push, rate, channels=self.view.channels).own,
            crossings=None if crossings is None else area_average(crossings[..., None], *windows.shape)[..., 0],
            steps=state.step,
        )

    def detail(self, side: int) -> Detail | None:
        """What the target holds in the octave that is explained; every map of a fit asks for the same."""
        if side not in self._explained:
            self._explained[side] = next(iter(explained_details(self.target(side))), None)
        return self._explained[side]

    def _reduced_by(self, side: int) -> float:
        return max(1.0, max(self.view.height, self.view.width) / side)

    def _in_view(self, label: str, side: int) -> str:
        by = self._reduced_by(side)
        return label if by == 1 else re.sub(r"\d+", lambda number: f"{by * int(number[0]):.3g}", label)


def _times_in(step: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> float:
    """How many times another step is in a step: their inner product over the other's with itself."""
    shared, whole = (
        sum(float(torch.sum(one[name].double() * change.double())) for name, change in other.items())
        for one in (step, other)
    )
    return shared / whole if whole else 0.0


def _is_finite(field: Trainable) -> bool:
    """Whether the field's weights are; those of a fit that has diverged are not."""
    return all(bool(parameter.isfinite().all()) for parameter in field.parameters())
