"""What the thread that trains, or has the field of a fit that is over, and the thread that serves share.

The first publishes the newest moment and answers questions between its steps; the second hands both on. A viewer that
is slow gets the newest moment when it is ready for one, and never those before it.
"""

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Lock
from typing import Any, TypeAlias

from fieldlens.configs.errors import InputError
from fieldlens.report import Encoded

from .asked import Question

MOST_QUESTIONS = 64
"""That wait for an answer; whoever asks one more is refused."""
MOST_VIEWERS = 32

Answer: TypeAlias = Mapping[str, Any] | Encoded
"""Plain values, as JSON has them, or a picture."""


@dataclass(eq=False)
class Viewer:
    """One page that is looking."""

    map: str | None
    """The map that it shows over the picture."""
    loop: asyncio.AbstractEventLoop
    asleep: bool = False
    """Whether it is open where nobody sees it, as in another tab: it is told of the end alone."""
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def wake(self) -> None:
        """Tell it that there is something new; from any thread."""
        with suppress(RuntimeError):  # the server has ended
            self.loop.call_soon_threadsafe(self.changed.set)


class Hub:
    """The newest moment of a fit, who looks at it, and what they ask."""

    def __init__(self, look_now: Event) -> None:
        """A hub that nobody looks at yet.

        Args:
            look_now: asks the fit for a moment, as `Controls.look_now`.
        """
        self._look_now, self._lock = look_now, Lock()
        self._viewers: list[Viewer] = []
        self._questions: deque[tuple[Question, Future[Answer]]] = deque()
        self._closed: str | None = "this has not begun yet"
        self.news = ""
        """The newest moment, as JSON; empty before the first."""
        self.version = 0
        """How many moments there were."""
        self.pictures: Mapping[str, Encoded] = {}
        """By name: `now` and the maps that somebody looks at."""
        self.preparing = ""
        """What comes before the first step, in words."""
        self.page: str | None = None
        """The page, once there is something to show."""
        self.folder: Path | None = None
        """The run folder, once it is there."""
        self.is_over = False
        """Whether the fit is over, and the page that of a run."""
        self.is_closing = False
        """Whether the server is about to end."""
        self.joined = -math.inf
        """When the newest viewer came that sees it, by the monotonic clock."""

    # ---- the thread that trains

    def publish(self, news: str, pictures: Mapping[str, Encoded]) -> None:
        """Hand on a moment to all who look."""
        with self._lock:
            self.pictures, self.news = pictures, news  # in this order: news names pictures that are there
            self.version += 1
            viewers = list(self._viewers)
        for viewer in viewers:
            viewer.wake()

    def answers(self) -> None:
        """Questions are answered from now on."""
        with self._lock:
            self._closed = None

    def close(self, because: str) -> None:
        """Questions are answered no more, for a reason in a sentence; those that wait are told so."""
        with self._lock:
            self._closed = because
            waiting = list(self._questions)
            self._questions.clear()
        for _, future in waiting:
            if future.set_running_or_notify_cancel():  # else whoever asked has gone
                future.set_exception(InputError(because))

    def answer(self, find: Callable[[Question], Answer]) -> bool:
        """Answer all questions that wait, and those that come meanwhile; gives whether there were any.

        Args:
            find: the answer to a question. Whatever it raises is told to who asked, and to nobody else.
        """
        answered = False
        while True:
            with self._lock:
                if not self._questions:
                    return answered
                question, future = self._questions.popleft()
            if not future.set_running_or_notify_cancel():  # whoever asked has gone
                continue
            answered = True
            try:
                future.set_result(find(question))
            except Exception as error:  # no question ends a fit
                future.set_exception(error)

    @property
    def is_watched(self) -> bool:
        """Whether anybody looks."""
        with self._lock:
            return any(not viewer.asleep for viewer in self._viewers)

    @property
    def is_open(self) -> bool:
        """Whether there is a page, be it one that nobody sees at this moment."""
        return bool(self._viewers)

    @property
    def maps(self) -> set[str]:
        """The maps that somebody looks at."""
        with self._lock:
            return {viewer.map for viewer in self._viewers if viewer.map is not None}

    # ---- the thread that serves

    def ask(self, question: Question) -> "Future[Answer]":
        """Ask the fit something; it is answered between two steps.

        Raises:
            InputError: when it is over, has not begun, or too much has been asked.
        """
        future: Future[Answer] = Future()
        with self._lock:
            if self._closed is not None:
                raise InputError(self._closed)
            if len(self._questions) >= MOST_QUESTIONS:
                raise InputError("too many questions are waiting for an answer; ask again in a moment")
            self._questions.append((question, future))
        self._look_now.set()
        return future

    @contextmanager
    def watching(self, viewer: Viewer) -> Iterator[None]:
        """Look, until the block is left.

        Raises:
            InputError: when too many do already.
        """
        with self._lock:
            if len(self._viewers) >= MOST_VIEWERS:
                raise InputError(f"{MOST_VIEWERS} pages look at this already; close one")
            self._viewers.append(viewer)
            if not viewer.asleep:
                self.joined = time.monotonic()
        if not viewer.asleep:
            self._look_now.set()
        try:
            yield
        finally:
            with self._lock:
                self._viewers.remove(viewer)

    def wake_all(self) -> None:
        """Have all who look see whether there is something new."""
        for viewer in list(self._viewers):
            viewer.wake()
