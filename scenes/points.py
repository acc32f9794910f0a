"""Scattered data as a scene: points of the plane with a value at each, on no grid.

A file is a `.npz` with `coordinates` (n, 2), `values` (n, c) with one channel or three, and if some are to be held out,
`heldout` (n), true at these. Coordinates may have any unit, with x to the right and y up. Fields see them as they see
pictures: y down, both axes scaled alike, the longer side of the box around all points from 0 to 1.

Points are shown as a raster with about one pixel for each: a pixel has the value of the point that is nearest.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32
from torch import Tensor
from torch.nn.functional import mse_loss

from fieldlens.configs.errors import InputError, counted
from fieldlens.configs.files import LARGEST_FILE
from fieldlens.configs.run import FitConfig
from fieldlens.fields import Field, build
from fieldlens.render.files import read_npz
from fieldlens.render.grid import Extent, draw, picture_extent

from .scene import Batch, Function, Pace, View, stratified

ENDING = ".npz"
"""The ending of a file with scattered points."""

LEAST_SIDE, MOST_SIDE = 32, 512
"""The least and the most pixels along the longer side of the raster, however many points there are."""


@dataclass(frozen=True, eq=False)
class Points:
    """Points with values to fit, which are seen as a raster."""

    name: str
    coordinates: Float32[np.ndarray, "n 2"]
    """(x, y) as fields see them: the longer side of the points' box goes from 0 to 1."""
    values: Float32[np.ndarray, "n c"]
    """Values of the points, in [0, 1]."""
    heldout: Bool[np.ndarray, " n"]
    """True at points that are scored and not trained on."""
    notes: tuple[str, ...] = ()

    pace = Pace()

    @property
    def resolution(self) -> None:
        """Points lie anywhere."""

    @property
    def training_samples(self) -> int:
        """How many points are trained on: one epoch."""
        return len(self._trained)

    def build(self, config: FitConfig, generator: torch.Generator) -> Field:
        """The field before training."""
        return build(config.encoding, config.network, 2, self.values.shape[1], generator)

    def refresh(self, field: Field, step: int, generator: torch.Generator) -> None:
        """Nothing: all that such a field has is its weights."""

    def batch(self, generator: torch.Generator, size: int) -> Batch:
        """`size` training points, `stratified` over their order in the file."""
        chosen = self._trained[stratified(generator, size, len(self._trained)).numpy()]
        return Batch(torch.from_numpy(self.coordinates[chosen]), torch.from_numpy(self.values[chosen]))

    def predict(self, field: Function, batch: Batch, step: int | None = None) -> Float[Tensor, "n c"]:  # noqa: ARG002
        """The field itself, at the batch's coordinates, whatever the step."""
        return field(batch.coordinates)

    def loss(self, prediction: Float[Tensor, "n c"], batch: Batch) -> Float[Tensor, ""]:
        """The mean squared error."""
        return mse_loss(prediction, batch.values)

    def views(self) -> Sequence[View]:
        """The raster."""
        return (self.raster,)

    @cached_property
    def raster(self) -> "Raster":
        """The points as pixels."""
        return Raster(self)

    @cached_property
    def _trained(self) -> np.ndarray:
        return np.flatnonzero(~self.heldout)

    def to_npz_arrays(self) -> dict[str, np.ndarray]:
        """Arrays for `numpy.savez`, of which none needs pickle; `from_npz_arrays` makes the same scene of them."""
        return {
            "scene": np.array("points"),
            "coordinates": self.coordinates,
            "values": self.values,
            "heldout": self.heldout,
            "name": np.array(self.name),
            "notes": np.array(self.notes, dtype=str),
        }

    @classmethod
    def from_npz_arrays(cls, arrays: Mapping[str, Any]) -> "Points":
        """The points that a run folder keeps; raises whatever damaged arrays give, which `fieldlens.scenes.load` turns
        into a sentence."""
        coordinates, values, heldout = (arrays[key] for key in ("coordinates", "values", "heldout"))
        return cls(str(arrays["name"]), coordinates, values, heldout, tuple(arrays["notes"].tolist()))


class Raster:
    """Points as a view."""

    name = "raster"
    trained = heldout = None
    """No masks of pixels: it is points that are trained on or held out."""

    def __init__(self, points: Points) -> None:
        self.points, self.channels = points, points.values.shape[1]
        across, down = (max(float(side), 1e-3) for side in points.coordinates.max(0))
        side = math.sqrt(len(points.values) / (across * down))  # pixels along the unit interval: a point for each
        side = min(max(round(side), LEAST_SIDE), MOST_SIDE)
        self.height, self.width = (max(1, round(side * share)) for share in (down, across))

    @property
    def preview(self) -> tuple[int, int]:
        """All of it: it is small."""
        return self.height, self.width

    def target(self, height: int | None = None, width: int | None = None) -> Float[np.ndarray, "h w c"]:
        """For each pixel the value of the point that is nearest to its centre."""
        from scipy.spatial import KDTree

        height, width = height or self.height, width or self.width
        _, _, across, down = picture_extent(self.height, self.width)
        x, y = ((np.arange(count) + 0.5) * side / count for count, side in ((width, across), (height, down)))
        _, nearest = KDTree(self.points.coordinates).query(np.stack(np.meshgrid(x, y), -1))
        return self.points.values[nearest]

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
        """The field over the box around the points, or over `extent` of it."""
        extent = extent or picture_extent(self.height, self.width)
        return draw(field, height or self.height, width or self.width, extent, device=device, progress=progress)


def read_points(path: Path, name: str) -> Points:
    """The points of a file.

    Raises:
        InputError: when it cannot be read, or has not the arrays that this module's docstring names.
    """
    try:
        arrays = read_npz(path, LARGEST_FILE)
    except InputError:
        raise
    except ValueError:  # numpy's own words are for programmers
        raise InputError(
            f"{str(path)!r} cannot be read as points: it is damaged, or no .npz of numbers as numpy.savez writes them"
        ) from None
    for key in ("coordinates", "values"):
        if key not in arrays:
            raise InputError(
                f"{str(path)!r} has no {key!r}; points are `coordinates` (n, 2) and `values` (n, 1) or (n, 3)"
            )
    return points_of(name, arrays["coordinates"], arrays["values"], arrays.get("heldout"), str(path))


def points_of(
    name: str, coordinates: np.ndarray, values: np.ndarray, heldout: np.ndarray | None, origin: str
) -> Points:
    """Points in any unit as a scene.

    Args:
        origin: where the arrays come from, for messages.

    Raises:
        InputError: for arrays of other shapes or kinds, numbers that are not finite, or points that are all alike.
    """

    def need(holds: bool, what: str) -> None:
        if not holds:
            raise InputError(f"{origin!r}: {what}")

    values = values[:, None] if values.ndim == 1 else values
    need(coordinates.ndim == 2 and coordinates.shape[1] == 2, f"coordinates are (n, 2), and not {coordinates.shape}")
    n = len(coordinates)
    need(values.ndim == 2 and len(values) == n, f"values are (n, 1) or (n, 3) with n = {n}, and not {values.shape}")
    need(values.shape[1] in (1, 3), f"values have one channel or three, and not {values.shape[1]}")
    for what, array in (("coordinates", coordinates), ("values", values)):
        need(array.dtype.kind in "iuf", f"{what} are numbers, and not {array.dtype}")
        need(bool(np.isfinite(array).all()), f"some of the {what} are not finite")
    held = np.zeros(n, bool) if heldout is None else heldout
    need(held.shape == (n,) and held.dtype == bool, "heldout is (n), true or false at each point")
    need(n - int(held.sum()) > 1, "fewer than two points are left to train on")
    low, high = (edge.astype(np.float64) for edge in (coordinates.min(0), coordinates.max(0)))
    with np.errstate(over="ignore"):
        box = high - low
    need(float(box.max()) > 0, "all points are in one place")
    for what, span in (("coordinates", float(box.max())), ("values", float(values.max()) - float(values.min()))):
        need(span < math.inf, f"the {what} are too far apart to be told by a number; give them in a larger unit")
    x, y = (coordinates - low).T
    # divided before they are rounded: a unit may be too small or too large for float32
    unit = (np.stack([x, box[1] - y], 1) / box.max()).astype(np.float32)
    shares, scaled = _within_one(values)
    some = f", {int(held.sum()):,} of them held out" if held.any() else ""
    notes = (f"{counted(n, 'point')}{some} in a box of {box[0]:.4g} x {box[1]:.4g}, y up", *scaled)
    return Points(name, unit, shares, held, notes)


def _within_one(values: np.ndarray) -> tuple[Float32[np.ndarray, "n c"], tuple[str, ...]]:
    """Values in [0, 1], as they are or scaled from their own range, and what is to be said of that."""
    low, high = float(values.min()), float(values.max())
    if low >= 0 and high <= 1:
        return values.astype(np.float32), ()
    span = high - low or 1.0
    shares = ((values.astype(np.float64) - low) / span).astype(np.float32)
    return shares, (f"values scaled from {low:.4g} .. {high:.4g} to 0 .. 1, which is what PSNR is of",)
