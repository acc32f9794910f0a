"""The thread that trains, between two steps: it answers what viewers ask, and draws for them while somebody looks."""

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import assert_never

from fieldlens.configs.errors import InputError
from fieldlens.configs.run import FitConfig
from fieldlens.fitting import Controls, Snapshot, TrainingState
from fieldlens.fitting.by_hand import change_rate, change_target
from fieldlens.report import Encoded, encoded_frame, encoded_map
from fieldlens.studies.runs.fit import save
from fieldlens.studies.runs.folder import RunFolder
from fieldlens.studies.runs.recorder import FrameRecorder
from fieldlens.studies.runs.reporter import Moment, Reporter

from .answers import Answers
from .asked import Command, LearningRate, Map, Photograph, Place, Question, TargetPsnr, View
from .hub import Answer, Hub
from .page import Shown, news_of, page_of

SHARE = 1 / 16
"""Of the time of a fit that goes on, what drawings for viewers may take, and as much for maps besides."""
LEAST_SECONDS = 0.3
"""Between two drawings for viewers."""


class Allowance:
    """Lets a piece of work be done so rarely that it takes no more than `SHARE` of all time."""

    def __init__(self) -> None:
        self._next = 0.0

    @property
    def allows(self) -> bool:
        """Whether it may be done now."""
        return time.monotonic() >= self._next

    @contextmanager
    def spent(self) -> Iterator[None]:
        """Times what is done inside."""
        started = time.monotonic()
        yield
        ended = time.monotonic()
        self._next = ended + max(LEAST_SECONDS, (ended - started) * (1 / SHARE - 1))


class Desk:
    """Looks at a fit for a hub's viewers, and hears as its reporter where it is; another reporter hears all as well."""

    def __init__(self, hub: Hub, controls: Controls, reporter: Reporter) -> None:
        self.hub, self.controls, self.reporter = hub, controls, reporter
        self._recorder: FrameRecorder | None = None
        self._config = FitConfig()
        self._notes: Sequence[str] = ()
        self.heard: Moment | None = None
        """Where the fit was when it last told."""
        self._shown: Shown | None = None
        self._pictures: dict[str, Encoded] = {}
        self._maps: dict[str, int] = {}
        self._mapped_at: dict[str, int] = {}
        """When each map was to be drawn last, whether or not the field has it."""
        self._rate = 0.0
        self._answers: Answers | None = None
        self._moved = -math.inf
        """When a camera was last moved, by the monotonic clock."""
        self._drawing, self._mapping, self._telling = Allowance(), Allowance(), Allowance()

    # ---- as a reporter

    def say(self, sentence: str) -> None:
        """Told to the other alone: the page has it in its notes."""
        self.reporter.say(sentence)

    def fitting(self, moment: Moment) -> None:
        """Where the fit is; `look` comes right after it."""
        self.heard = moment
        self.reporter.fitting(moment)

    def working(self, task: str, done: float) -> None:
        """Something comes before or after training, when nothing can be asked."""
        if self._recorder is None:
            self.hub.preparing = f"{task}, {100 * done:.0f} %"
        else:
            self.hub.close("the fit trains no more: its report is being made")
            if self.hub.is_watched and self._telling.allows:
                self._publish(self._recorder, f"The fit trains no more: {task}, {100 * done:.0f} %", training=False)
        self.reporter.working(task, done)

    # ---- as an onlooker

    def begin(self, recorder: FrameRecorder, config: FitConfig, notes: Sequence[str]) -> None:
        """A fit is about to go on."""
        self._recorder, self._config, self._notes = recorder, config, notes
        self._answers = Answers(recorder.subject)
        self.hub.folder = recorder.folder.path

    def look(self, moment: Snapshot) -> None:
        """Answer what was asked, and draw for those who look."""
        recorder = self._recorder
        assert recorder is not None, "a fit begins before it goes on"
        first, answered, drawn, is_watched = self.hub.page is None, False, False, self.hub.is_watched
        if first:
            self._show(recorder, moment.state)
        else:
            answered = self.hub.answer(lambda question: self._found(question, recorder, moment))
        self._rate = moment.state.rate_factor * recorder.plan.learning_rate
        if is_watched:
            drawn = self._draw(recorder, moment.state)
        if first:
            page = page_of(recorder, self._config, self._notes, self._newest, self._looks)
            self.hub.answers()  # before there is a page, which may ask at once
            self.hub.page = page
        if first or drawn or answered or (is_watched and self._telling.allows):
            paused = self.controls.steps_allowed is not None
            self._publish(recorder, self._says(recorder, paused), paused=paused)

    def _found(self, question: Question, recorder: FrameRecorder, moment: Snapshot) -> Answer:
        """The answer to a question, once what it asks for is done."""
        state, controls = moment.state, self.controls
        match question:
            case Command(do="pause"):
                controls.steps_allowed = 0
            case Command(do="resume"):
                controls.steps_allowed = None
            case Command(do="step"):
                controls.steps_allowed = (controls.steps_allowed or 0) + 1
            case Command(do="stop"):
                controls.stop = True
            case Command(do="snapshot"):
                recorder.snapshot(moment)
                save(recorder.folder, state, recorder)
            case LearningRate(rate=rate):
                recorder.note(change_rate(state, recorder.plan, rate))
            case TargetPsnr(psnr_db=target_psnr_db):
                recorder.plan, change = change_target(state, recorder.plan, target_psnr_db)
                recorder.note(change)
            case Place() | Map() | View() | Photograph():  # a Motion is a Place
                if question.run > 0:
                    raise InputError("there is one run on this page, number 0")
                if not isinstance(question, Place | Map):
                    self._moved = time.monotonic()
                return self._looks.to(question, state, recorder.plan, partial(recorder.observe, state))
            case Command():
                raise AssertionError(f"a command that is not carried out: {question.do}")
            case _:
                assert_never(question)
        return {"step": state.step}

    # ---- drawing

    def _draw(self, recorder: FrameRecorder, state: TrainingState) -> bool:
        """Draw what is due for those who look; gives whether there is anything new.

        While the fit waits nothing is lost by drawing, and each step is drawn once.
        """
        new = False
        if self._looks.orbit is not None and time.monotonic() < max(self.hub.joined, self._moved) + LEAST_SECONDS:
            return new  # whoever moves the camera waits for nothing else: the first to be drawn is what it sees
        if self._newest.step != state.step and (self._drawing.allows or self.controls.waits):
            with self._drawing.spent():
                self._show(recorder, state)
            new = True
        wanted = self.hub.maps.intersection(self._looks.map_names)
        behind = {name for name in wanted if self._mapped_at.get(name) != state.step}
        first = any(name not in self._mapped_at for name in wanted)
        if behind and (self._mapping.allows or self.controls.waits or first):
            with self._mapping.spent():
                self._draw_maps(behind, recorder, state)
            new = True
        return new

    def _show(self, recorder: FrameRecorder, state: TrainingState) -> None:
        self._shown = Shown(state.step, state.seconds, recorder.observe(state))
        self._pictures["now"] = encoded_frame(self._shown.observation.picture)

    def _draw_maps(self, names: set[str], recorder: FrameRecorder, state: TrainingState) -> None:
        """Draw maps of this step; those that the field has no more, as one that diverged, stay as they were."""
        drawn = self._looks.maps(names, state, recorder.plan, partial(recorder.observe, state))
        self._mapped_at |= dict.fromkeys([*names, *drawn], state.step)
        for name, picture in drawn.items():
            self._pictures[f"map/{name}"], self._maps[name] = encoded_map(picture), state.step

    def _says(self, recorder: FrameRecorder, paused: bool) -> str:
        """That the fit waits, and what was changed last."""
        changes = [f"By now: {change.sentence}." for change in recorder.changes[-1:]]
        return " ".join([*(["Paused."] if paused else []), *changes])

    @property
    def folder(self) -> RunFolder:
        """The fit's, once it has begun."""
        assert self._recorder is not None, "a fit begins before it has a folder"
        return self._recorder.folder

    @property
    def _looks(self) -> Answers:
        assert self._answers is not None, "a fit begins before it is looked at"
        return self._answers

    @property
    def _newest(self) -> Shown:
        assert self._shown is not None, "the first look draws"
        return self._shown

    def _publish(self, recorder: FrameRecorder, says: str, *, paused: bool = False, training: bool = True) -> None:
        assert self.heard is not None, "a fit tells where it is before it is looked at"
        with self._telling.spent():
            news = news_of(
                recorder,
                self.heard,
                self._newest,
                self._maps,
                rate=self._rate,
                says=says,
                paused=paused,
                training=training,
            )
            self.hub.publish(news, dict(self._pictures))
