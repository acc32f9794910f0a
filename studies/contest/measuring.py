"""How a fit of the contest is measured: what is missing at many steps, and the candidates at two moments."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from jaxtyping import Float

from fieldlens.analysis.contest.controls import controls_of
from fieldlens.analysis.detail.bands import band_picture, luma, spectrum
from fieldlens.analysis.detail.explain import explained_band
from fieldlens.analysis.detail.octaves import Detail, octave_details
from fieldlens.analysis.detail.windows import window_energies
from fieldlens.analysis.gradients.leverage import detail_leverage
from fieldlens.analysis.gradients.speed import detail_speed
from fieldlens.analysis.gradients.steps import loss_step
from fieldlens.configs.study import Contest
from fieldlens.fields import Field
from fieldlens.fitting import Plan, TrainingState
from fieldlens.scenes.picture import Picture
from fieldlens.studies.foresight.foresight import Foresight
from fieldlens.studies.foresight.ways import OnPixels

from .quantities import LEVERAGE, SPEED, Maps, Moment, quantities_of
from .table import WindowTable


@dataclass(frozen=True, eq=False)
class Measured:
    """What was measured at one step; of most steps only what is missing."""

    residual: Float[np.ndarray, "rows columns"]
    """Energy of what is missing of the explained octave in each window; NaN of a fit that has diverged."""
    kept: Float[np.ndarray, "rows columns"]
    """Energy of the reconstruction there."""
    quantities: Maps = field(default_factory=dict)
    lent: Mapping[str, Float[np.ndarray, "lent_rows lent_columns"]] = field(default_factory=dict)
    """Speed and leverage of the other picture's detail, in its own windows."""
    foretold: float | None = None


@dataclass(frozen=True)
class Windowed:
    """A fit of the contest in the windows of its picture's explained octave.

    Args:
        plan: of the fit, by which it takes its next step.
        lent: the picture whose detail the network is asked for as well, at the end.
    """

    contest: Contest
    plan: Plan
    scene: Picture
    lent: Picture

    def measure(self, state: TrainingState[Field]) -> Measured:
        """Measure one of the steps that the contest looks at."""
        contest, step = self.contest, state.step
        drawn = self.scene.draw(state.field, device=state.field.device)
        shown = luma(drawn) if np.isfinite(drawn).all() else np.full(drawn.shape[:2], np.nan, np.float32)
        octave = band_picture(spectrum(shown), self._band)
        detail = self.detail
        energies = window_energies(detail.values, octave, detail.windows, detail.floor)
        moment = Moment(state.field, self._target, drawn, detail, self._band)
        return Measured(
            energies.residual,
            energies.reconstruction,
            quantities_of(moment) if step in (contest.early_step, contest.last_step) else {},
            self._of_lent(state.field) if step == contest.last_step else {},
            self._foretold(state) if step in contest.foretelling_steps else None,
        )

    @cached_property
    def detail(self) -> Detail:
        """What the picture holds in the octave that is explained."""
        return octave_details(self._target)[self._band]

    @cached_property
    def _target(self) -> Float[np.ndarray, "h w c"]:
        return self.scene.target()

    @cached_property
    def _band(self) -> int:
        return explained_band(self._target)

    def _foretold(self, state: TrainingState[Field]) -> float:
        """How many more steps mend half of what is missing, by the next one; infinite of a fit that has diverged."""
        (view,) = self.scene.views()
        foresight = Foresight(view, OnPixels(loss_step))
        foreseen = foresight.foresee(state, self.plan, max(self.scene.height, self.scene.width))
        return np.inf if foreseen is None else foreseen.octave.steps_to_mend_all

    def _of_lent(self, trained: Field) -> dict[str, Float[np.ndarray, "lent_rows lent_columns"]]:
        """Speed and leverage of the other picture's detail, where the network's own picture has pixels at all."""
        other = self.lent.target()
        detail = octave_details(other)[explained_band(other)]
        scale = self.scene.resolution / self.lent.resolution
        within_rows = detail.windows.row_edges[1:] * scale <= self.scene.height
        within_columns = detail.windows.column_edges[1:] * scale <= self.scene.width
        within = np.outer(within_rows, within_columns)
        (speed,), (leverage,) = detail_speed(trained, [detail]), detail_leverage(trained, [detail])
        found = {SPEED: speed.per_energy, LEVERAGE: leverage.mean}
        return {name: np.where(within, values, np.nan) for name, values in found.items()}

    def table(self, rows: Sequence[tuple[int, Measured]]) -> WindowTable:
        """The table of a fit, of what was measured step by step."""
        contest, detail = self.contest, self.detail
        controls = controls_of(spectrum(luma(self._target)), detail.label, detail.windows)
        by_step = dict(rows)
        moments = [by_step[step] for step in (contest.early_step, contest.last_step)]
        areas = detail.windows.areas
        lent = moments[-1].lent
        return WindowTable(
            row_edges=detail.windows.row_edges,
            column_edges=detail.windows.column_edges,
            blocks=detail.windows.blocks().ravel(),
            controls=controls.columns,
            rounding=np.array(detail.floor),
            steps=np.array([contest.early_step, contest.last_step]),
            residual=np.stack([moment.residual.ravel() for moment in moments]),
            kept=np.stack([moment.kept.ravel() for moment in moments]),
            quantities={
                name: np.stack([moment.quantities[name].ravel() for moment in moments]).astype(np.float64)
                for name in moments[0].quantities
            },
            lent_speed=lent[SPEED].ravel(),
            lent_leverage=lent[LEVERAGE].ravel(),
            recorded=np.array([step for step, _ in rows]),
            missing=np.array([float((row.residual * areas).sum() / areas.sum()) for _, row in rows]),
            foretelling=np.array([step for step, row in rows if row.foretold is not None], np.int64),
            foretold=np.array([row.foretold for _, row in rows if row.foretold is not None], np.float64),
        )
