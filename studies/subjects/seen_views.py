"""Missing detail of a 3D scene over all its views, the same for photographs and solids; and why, in some of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32

from fieldlens.analysis import COAREA, Explanation, SeenView, explain_views, length_per_area
from fieldlens.analysis.detail.densities import CROSSINGS_PER_LENGTH
from fieldlens.analysis.detail.reasons import Motion, reasons_of, reasons_sentences, worst_places
from fieldlens.analysis.detail.windows import Place
from fieldlens.configs.files import JsonObject
from fieldlens.fields import position_of
from fieldlens.fitting import Plan, TrainingState
from fieldlens.scenes.pictures.area import area_average
from fieldlens.scenes.scene import FieldT, View

from ..foresight.foresight import Foreseen, Foresight
from .drawing import PROGRESS, SPEED, sheet_files
from .found import WORST_PLACES, Files, Values
from .missing import (
    missing_files,
    progress_arrays,
    progress_picture,
    reasons_numbers,
    speed_arrays,
    speed_numbers,
    speed_picture,
)

TOO_LITTLE = "These views are too few, or their parts are too unlike"


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

    @property
    def worst_places(self) -> tuple[Place, ...]:
        """Where most is missing in the first view; none where nothing is, or that cannot be said."""
        explanation = self.explanation
        missing = explanation.energies.residual
        if explanation.verdict.creases == "nothing to explain" or not np.isfinite(missing).all():
            return ()
        return worst_places(missing, explanation.windows, most=WORST_PLACES)


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


@dataclass(frozen=True, eq=False)
class SeenReasons:
    """Why detail is missing in some views of a scene, together."""

    sentences: Sequence[str]
    """Why, and what would help; none where nothing is missing."""
    numbers: JsonObject
    """What explain.json says of them, and of the speed of detail in the first of the views."""
    files: Files
    """Speed and progress in the first of the views, as pictures and arrays."""


def reasons_in_views(
    asked: Mapping[Foresight[FieldT], SeenView],
    state: TrainingState[FieldT],
    plan: Plan,
    *,
    side: int,
    has_creases: bool,
    all_views: int,
) -> SeenReasons | None:
    """Why detail is missing in some of a scene's views; None where they have none, or of a fit that has diverged.

    Views whose explained octave is another than the first one's are left out.

    Args:
        asked: foresights of views, with what was seen in each.
        side: of the largest view that is looked at as it is, in pixels; larger ones are reduced.
        all_views: how many the scene has, for the sentence.
    """
    found = {one: foreseen for one in asked if (foreseen := one.foresee(state, plan, side)) is not None}
    if not found:
        return None
    first, *_ = found.values()
    alike = {one: foreseen for one, foreseen in found.items() if foreseen.longest_px == first.longest_px}
    motions = [one.motion(state, foreseen, _crossings(asked[one], foreseen)) for one, foreseen in alike.items()]
    reasons = reasons_of(Motion.joined(motions), seed=plan.seed)
    foresight, *_ = alike
    view = foresight.view
    sentences = reasons_sentences(
        reasons,
        has_creases=has_creases,
        encoding=position_of(state.field).encoding.config,
        optimizer=plan.optimizer,
        too_little=TOO_LITTLE,
    )
    if sentences:
        over = "all views" if len(alike) == all_views else f"{len(alike)} of {all_views} views"
        why, *remedy = sentences
        sentences = (f"Over {over}, {why[0].lower()}{why[1:]}", *remedy)
    speed = foresight.speed(state.field, side)
    assert speed is not None  # what is foreseen has detail
    pictures = {SPEED: speed_picture(speed, view), PROGRESS: progress_picture(first, view)}
    of_first = reasons_of(motions[0], seed=plan.seed)
    numbers = reasons_numbers(first, reasons, sentences) | {"views": [one.view.name for one in alike]}
    return SeenReasons(
        sentences,
        {"speed": speed_numbers([speed]), "reasons": numbers},
        Files(pictures, {SPEED: speed_arrays([speed]), PROGRESS: progress_arrays(first, of_first)}),
    )


def _crossings(seen: SeenView, foreseen: Foreseen) -> Float[np.ndarray, "rows columns"] | None:
    """Crossings per pixel in each window, of as much of it as shows the scene."""
    length, windows = seen.densities[COAREA], foreseen.octave.windows
    if length is None:
        return None
    crossed, shown = (area_average(values[..., None], *windows.shape)[..., 0] for values in (length, seen.opacity))
    return np.divide(CROSSINGS_PER_LENGTH * crossed, shown, out=np.zeros_like(crossed), where=shown > 0)
