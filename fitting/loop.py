"""The training loop, for every kind of scene."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from threading import Event

import torch
from torch import Tensor

from fieldlens.scenes.scene import Scene

from .plan import Plan
from .precision import Placement
from .revive import revive
from .state import TrainingState

REVIVAL_POINTS = 65_536
"""The most training points at which is asked whether a neuron is ever on; one that is on at none of them is revived."""


@dataclass
class Controls:
    """How a fit is held and ended from outside while it runs; it has the same bytes whenever and however long it waits.

    What a person changes of the training itself is in the state, as `TrainingState.rate_factor` is.
    """

    stop: bool = False
    """Finish the step, then end."""
    steps_allowed: int | None = None
    """Steps that may still be taken, before the fit waits for more; None for all."""
    look_now: Event = field(default_factory=Event)
    """Asks for a moment before the next step, and ends a wait; the fit clears it."""

    @property
    def waits(self) -> bool:
        """Whether no step may be taken for now."""
        return self.steps_allowed == 0

    def count_step(self) -> None:
        """One of the steps that were allowed is taken."""
        if self.steps_allowed is not None:
            self.steps_allowed -= 1


@dataclass(frozen=True)
class Snapshot:
    """A moment of a fit. The state is the live one: draw or save it before asking for the next moment."""

    state: TrainingState
    loss: float | None
    """Loss of the newest batch, before its step was taken; None at the start of a sitting."""
    scheduled: bool
    """Whether the schedule named this step (else it is only a sign of life)."""
    stopped_because: str | None
    """Why this is the last snapshot: "steps", "seconds" or "interrupted"; None when it is not the last."""

    @property
    def step(self) -> int:
        """Steps taken so far."""
        return self.state.step

    @property
    def seconds(self) -> float:
        """Seconds spent in steps so far, those of an earlier sitting included."""
        return self.state.seconds


def fit(
    state: TrainingState,
    scene: Scene,
    plan: Plan,
    snapshot_steps: Iterable[int],
    controls: Controls | None = None,
    heartbeat: float = 0.5,
) -> Iterator[Snapshot]:
    """Train the field of `state` on `scene`, yielding at the steps that `snapshot_steps` names.

    The loop ends at the steps or seconds of the plan; its caller ends it for any other reason by not asking for more.
    It yields as well after `heartbeat` seconds without a snapshot, and where its controls ask for one. The time its
    caller spends between snapshots is not counted in the state's seconds, and neither is that of waiting.

    Args:
        state: changed in place.
        snapshot_steps: rising step numbers; those before the state's step are passed over.
    """
    controls = controls or Controls()
    placement = plan.placement
    steps = (step for step in snapshot_steps if step >= state.step)
    due = next(steps, None)
    loss: float | None = None
    while True:
        controls.look_now.clear()
        reason = _stop_reason(state, plan, controls)
        yield Snapshot(state, loss, state.step == due, reason)
        if reason:
            return
        if state.step == due:
            due = next(steps, None)
        if controls.waits:
            controls.look_now.wait(heartbeat)
            continue
        newest: Tensor | None = None
        started, seconds_before, elapsed = time.perf_counter(), state.seconds, 0.0
        while state.step != due and elapsed <= heartbeat and not _is_moment_due(state, plan, controls):
            if state.step in plan.revive_at:
                # of a copy, so that the data keeps the order that it has in a fit that revives nothing
                draws = torch.Generator().set_state(state.generator.get_state())
                points = scene.batch(draws, min(scene.training_samples, REVIVAL_POINTS))
                revive(state, points.coordinates.to(placement.device), draws)
            newest = _step(state, scene, plan, placement)
            controls.count_step()
            elapsed = time.perf_counter() - started
            state.seconds = seconds_before + elapsed
        if newest is not None:
            loss = newest.item()  # the one wait for the device
        state.seconds = seconds_before + time.perf_counter() - started


def _stop_reason(state: TrainingState, plan: Plan, controls: Controls) -> str | None:
    if controls.stop:
        return "interrupted"
    if plan.steps is not None and state.step >= plan.steps:
        return "steps"
    if plan.seconds is not None and state.seconds >= plan.seconds:
        return "seconds"
    return None


def _is_moment_due(state: TrainingState, plan: Plan, controls: Controls) -> bool:
    """Whether a moment is due before the next step."""
    return controls.waits or controls.look_now.is_set() or _stop_reason(state, plan, controls) is not None


def _step(state: TrainingState, scene: Scene, plan: Plan, placement: Placement) -> Tensor:
    """One step; gives the batch's loss without waiting for it."""
    scene.refresh(state.trained, state.step, state.generator)
    batch = plan.batch_of_step(scene, state.trained, state.step, state.generator).to(placement.device)
    prediction = scene.predict(state.trained.in_precision(placement.hidden_dtype), batch, state.step)
    loss = scene.loss(prediction, batch)
    state.optimizer.zero_grad()
    loss.backward()
    state.optimizer.step(*plan.rates(state.step, state.rate_factor))
    state.step += 1
    if state.seen is not None:
        state.seen += len(batch.values)
    state.take_into_average(plan.average)
    return loss.detach()
