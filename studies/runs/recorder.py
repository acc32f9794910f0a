"""What a fit shows of itself while it goes on: frames, maps, curves."""

import itertools
import math
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, runtime_checkable

from fieldlens.configs.files import remove, write_bytes
from fieldlens.configs.run import FitConfig
from fieldlens.fitting import Change, Costs, Plan, Snapshot, TrainingState
from fieldlens.fitting.by_hand import SNAPSHOT, snapshot_steps
from fieldlens.render.files import png_bytes, write_png
from fieldlens.studies.subjects.drawing import MAPS, DrawnMap
from fieldlens.studies.subjects.film import Film
from fieldlens.studies.subjects.found import Observation, Row
from fieldlens.studies.subjects.subject import Subject

from .folder import RunFolder
from .metrics import Metrics

MAPS_EVERY = 4
"""Maps are drawn anew on every fourth frame."""
SAVE_EVERY = 30.0
"""Seconds after which the state is saved again, so that a machine that goes down costs no more than these."""


@runtime_checkable
class Recorder(Protocol):
    """Looks at a fit at the steps that it names."""

    def steps(self) -> Iterator[int]:
        """The steps to look at, rising."""
        ...

    def record(self, moment: Snapshot) -> str | None:
        """Look at one of these steps, or at the last; gives a reason to end the fit, if there is one."""
        ...

    def save(self) -> None:
        """Write what was recorded, before the state that it belongs to is saved."""
        ...

    def wants_state(self, step: int) -> bool:
        """Whether the state is to be saved at a moment of this step, though the fit goes on."""
        ...

    def kept_states(self) -> Collection[int]:
        """Steps whose state stays when newer ones come."""
        ...


@runtime_checkable
class Onlooker(Protocol):
    """Looks at a fit while it goes on, and may hold and change it; what it takes is none of the seconds of training."""

    def begin(self, recorder: "FrameRecorder", config: FitConfig, notes: Sequence[str]) -> None:
        """A fit is about to go on.

        Args:
            recorder: has its plan, its subject and its curves so far.
            notes: what was done to what is fitted.
        """
        ...

    def look(self, moment: Snapshot) -> None:
        """A moment of it, after it was recorded; comes at the steps of frames, about twice a second besides, and when
        the fit's controls ask for one."""
        ...


class Stopwatch:
    """Adds up the seconds of what it is started for."""

    def __init__(self) -> None:
        self.seconds = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Counts what happens inside."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds += time.perf_counter() - started


class FrameRecorder:
    """Draws a frame of each step and scores it; draws maps at every fourth.

    Args:
        label: of titles, such as the encoding's word.
        film: of a camera that goes around; None where none was asked for.
        changes: what a person has changed by hand so far.
        draws: names of maps to draw; others than there are of the field are left out.
        watch: is run for scores and frames; maps count as analysis.
        metrics: the curves so far.
    """

    def __init__(
        self,
        folder: RunFolder,
        plan: Plan,
        subject: Subject,
        metrics: Metrics,
        *,
        label: str,
        keeps_checkpoints: bool,
        draws: Collection[str],
        film: Film | None,
        watch: Stopwatch,
        changes: Sequence[Change] = (),
    ) -> None:
        self.folder, self.plan, self.subject, self.metrics, self.label = folder, plan, subject, metrics, label
        self.keeps_checkpoints, self.draws = keeps_checkpoints, draws
        self.film, self.watch = film, watch
        self.changes = list(changes)
        self.observed: tuple[int, Observation] | None = None
        """What was seen at the newest step that was looked at."""
        self._map_watch = Stopwatch()
        self._frames = self._mapped = 0  # of this sitting
        newest = {name: folder.newest(name) for name in subject.map_looks}
        self._maps = {name: DrawnMap(*drawn) for name, drawn in newest.items() if drawn is not None}
        self._mapped_steps = itertools.islice(plan.frame_steps(), 0, None, MAPS_EVERY)
        self._next_map = next(self._mapped_steps, None)
        self._saved_at = -math.inf

    def steps(self) -> Iterator[int]:
        """Those of frames."""
        return self.plan.frame_steps()

    def record(self, moment: Snapshot, with_maps: bool = False) -> str | None:
        """Score and draw a moment.

        Args:
            with_maps: whether maps are drawn at any step.

        Returns:
            "diverged", or "target" or "plateau" where that goal of the plan is met.
        """
        with self.watch.running():
            observation = self.observe(moment.state)
        self.metrics.add(_row(moment, observation))
        reason = moment.stopped_because or self._reached()
        if (self._is_mapped(moment.step) or reason or with_maps) and self.draws:
            with self._map_watch.running():
                self._draw_maps(moment.state)
            self._mapped += 1
        with self.watch.running():
            self._draw_frame(moment.state, observation)
        self._frames += 1
        return reason

    def observe(self, state: TrainingState) -> Observation:
        """Draw and score a state, unless that was done at its step already."""
        if self.observed is None or self.observed[0] != state.step:
            self.observed = state.step, self.subject.observe(state.field)
        return self.observed[1]

    def snapshot(self, moment: Snapshot) -> None:
        """Record a moment at which a person asked for it, with its maps; its state is kept once it is saved."""
        self.record(moment, with_maps=True)
        self.note(Change(moment.step, SNAPSHOT, None, None))

    def note(self, change: Change) -> None:
        """Keep what a person has changed."""
        self.changes.append(change)
        self.folder.write_changes(self.changes)

    def save(self) -> None:
        """Write the curves."""
        self.metrics.write()
        self._saved_at = time.monotonic()

    def wants_state(self, step: int) -> bool:
        """At once, and then from time to time; and at steps that have maps, where these are kept."""
        overdue = time.monotonic() - self._saved_at > SAVE_EVERY
        return overdue or (self.keeps_checkpoints and step == self._next_map)

    def kept_states(self) -> Collection[int]:
        """Those that a person asked for; and where checkpoints of frames are kept, those that were drawn."""
        return snapshot_steps(self.changes).union(self.folder.frame_steps() if self.keeps_checkpoints else ())

    @property
    def newest(self) -> tuple[int, float, Path] | None:
        """The step of the newest frame, its PSNR, and its file; None before the first."""
        rows = self.metrics.rows
        return (rows[-1].step, rows[-1].psnr_db, self.folder.frame(rows[-1].step)) if rows else None

    def costs(self, step: float) -> Costs | None:
        """What each thing takes, given what a step does; None before the first frame of a sitting."""
        if not self._frames:
            return None
        return Costs(step, self.watch.seconds / self._frames, self._map_watch.seconds / max(self._mapped, 1))

    def _is_mapped(self, step: int) -> bool:
        while self._next_map is not None and self._next_map < step:
            self._next_map = next(self._mapped_steps, None)
        return step == self._next_map

    def _reached(self) -> str | None:
        """The goal that the newest row meets, or that there is none to be met any more."""
        psnr_db = self.metrics.rows[-1].psnr_db
        if math.isnan(psnr_db):
            return "diverged"
        if self.plan.target_psnr_db is not None and psnr_db >= self.plan.target_psnr_db:
            return "target"
        if self.plan.plateau_db is not None and self.metrics.plateau(self.plan.plateau_db, self.plan.least_steps):
            return "plateau"
        return None

    def _draw_maps(self, state: TrainingState) -> None:
        for name, picture in self.subject.maps(state, self.plan).items():
            if name in self.draws:
                self._maps[name] = DrawnMap(state.step, picture)
                write_png(self.folder.frame(state.step, name), picture)

    def _draw_frame(self, state: TrainingState, observation: Observation) -> None:
        field, step, rows = state.field, state.step, self.metrics.rows
        title = f"{self.label}   step {step}   {observation.scores.psnr_db:.2f} dB"
        frame = png_bytes(self.subject.frame(observation, title, self._maps, rows))
        for path in (self.folder.frame(step), self.folder.latest):
            write_bytes(path, frame)
        write_png(self.folder.frame(step, "reconstruction"), observation.picture)
        if self.film is not None:
            before = len(rows) - 1  # frames: each has a row, this one as well
            write_png(self.folder.frame(step, "turntable"), self.film.frame(field, before, title))


def recorded_until(plan: Plan, step: int, changes: Sequence[Change] = ()) -> int:
    """The last step that stays recorded when a fit goes on from the state of a step.

    An interruption draws its last step even where the plan does not, so that one may have to go, unless a person has
    asked for it.
    """
    return step if step in snapshot_steps(changes) or step in _planned(plan, step) else step - 1


def forget_after(folder: RunFolder, plan: Plan, step: int, changes: Sequence[Change] = ()) -> None:
    """Take away what an earlier sitting drew after a step, that of the state from which a fit goes on."""
    # Earlier frames stay: a fit that goes on to another limit may plan others from here on, but drew those.
    planned, asked = _planned(plan, step), step in snapshot_steps(changes)
    drawn, mapped = asked or step in planned, asked or step in planned[::MAPS_EVERY]
    kinds = {"": drawn, "reconstruction": drawn, "turntable": drawn} | dict.fromkeys(MAPS, mapped)
    for kind, stays in kinds.items():
        for later in folder.frame_steps(kind):
            if later > step or (later == step and not stays):
                remove(folder.frame(later, kind))


def _planned(plan: Plan, step: int) -> list[int]:
    return list(itertools.takewhile(lambda planned: planned <= step, plan.frame_steps()))


def _row(moment: Snapshot, seen: Observation) -> Row:
    scores = seen.scores
    return Row(
        moment.step,
        moment.seconds,
        moment.loss,
        round(scores.psnr_db, 4),  # as the file has it: a resumed fit must meet its goals at the same step
        scores.heldout_psnr_db,
        tuple(scores.energy_kept.values()),
        tuple(scores.relative_error.values()),
        scores.amplitudes,
        scores.amplitude_errors,
    )
