"""Missing detail of a 3D scene, over all its views: the same for photographs and for solids."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from fieldlens.analysis import COAREA, Explanation, SeenView, explain_views, length_per_area
from fieldlens.scenes.scene import View

from .drawing import sheet_files
from .found import Files, Values
from .missing import missing_files


@dataclass(frozen=True, eq=False)
class SeenField:
    """What one view shows of a field."""

    colour: Values
    opacity: Float32[np.ndarray, "_ _"]
    """At full size, or of every stride-th pixel as the crossings are."""
    crossings: Float32[np.ndarray, "layers _ _"] | None
    """Creases per pixel by layer, 0 beside the scene; None for a field without creases."""


@dataclass(frozen=True, eq=False)
class SceneFindings:
    """What all views together say of a field."""

    views: Sequence[SeenView]
    explanation: Explanation
    crossings_by_layer: Float32[np.ndarray, " layers"] | None
    """Per pixel that shows the scene; None for a field without creases."""
    files: Files

    @property
    def crossings_per_pixel(self) -> float | None:
        """In all layers."""
        return None if self.crossings_by_layer is None else float(self.crossings_by_layer.sum())


def explain_seen(
    views: Sequence[View], seen: Iterable[SeenField], *, kind: str, compared: str, seed: int
) -> SceneFindings:
    """Explain what a field is missing of a scene's views; they are the blocks that are resampled.

    Args:
        seen: what each view shows, one after the other as they are drawn.
        kind, compared: of the sheet of views, as `sheet_files` takes them.
    """
    found: list[SeenView] = []
    shown: list[float] = []
    crossings: list[np.ndarray] = []
    for view, one in zip(views, seen, strict=True):
        length = None
        if one.crossings is not None:
            length = length_per_area(one.crossings)
            crossings.append(one.crossings.sum((1, 2)))
        shown.append(float(one.opacity.sum()))
        found.append(SeenView(view.target(), one.colour, {COAREA: length}, one.opacity))
    explanation = explain_views(found, seed=seed)
    by_layer = np.sum(crossings, axis=0) / max(sum(shown), 1.0) if crossings else None
    first = found[0]
    files = missing_files(explanation, views[0], first.target, first.reconstruction)
    files |= sheet_files(views, [one.reconstruction for one in found], kind=kind, compared=compared)
    return SceneFindings(found, explanation, by_layer, files)
