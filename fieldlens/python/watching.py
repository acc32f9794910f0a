"""Watching work go on from Python: in a notebook a picture and a bar, elsewhere what a terminal shows."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fieldlens.configs.errors import InputError

from ..terminal.console import Console
from .showing import picture_html

if TYPE_CHECKING:
    from fieldlens.studies.runs.reporter import Moment, Reporter

PICTURE_EVERY, BAR_EVERY = 1.0, 0.25
"""Seconds from one picture, and from one bar, to the next: each is sent to the browser whole."""


@contextmanager
def watching(progress: bool) -> Iterator["Reporter"]:
    """Who is told of what goes on inside; nobody without `progress`."""
    from fieldlens.studies.runs.reporter import Silent

    if not progress:
        yield Silent()
        return
    watcher = NotebookWatcher() if in_notebook() else Console(json_last=True)  # with results left to the caller
    try:
        yield watcher
    finally:
        watcher.close()


def in_notebook() -> bool:
    """Whether a notebook's kernel runs this, whose displays can be drawn anew."""
    ipython = sys.modules.get("IPython")  # a notebook has imported it long since
    shell = None if ipython is None else ipython.get_ipython()
    return shell is not None and "IPKernelApp" in shell.config


class NotebookWatcher:
    """A reporter whose one display in a notebook holds what was said, a bar, and the newest frame of a fit."""

    def __init__(self) -> None:
        from IPython.display import HTML, display

        self._html = HTML
        self._said: list[str] = []
        self._bar = self._picture = ""
        self._shown: Path | None = None
        self._drawn_at = self._pictured_at = 0.0
        self._handle: Any = display(HTML(""), display_id=True)

    def say(self, sentence: str) -> None:
        """A sentence worth reading stays above the bar."""
        self._said.append(f"<div>{escape(sentence)}</div>")
        self._draw()

    def fitting(self, moment: "Moment") -> None:
        """A bar with step, dB and time left, and the newest frame where there is a newer one."""
        quality = "" if moment.psnr_db is None else f", {moment.psnr_db:.2f} dB"
        left = "" if moment.left is None or moment.done >= 1 else f", {moment.left:.0f} s left"
        self._bar = _bar(moment.label, moment.done, f"step {moment.step:,}{quality}{left}")
        now = time.monotonic()
        if moment.artefact not in (None, self._shown) and now - self._pictured_at >= PICTURE_EVERY:
            self._shown, self._pictured_at = moment.artefact, now
            self._picture = _frame(moment.artefact) or self._picture
        if now - self._drawn_at >= BAR_EVERY:
            self._draw()

    def working(self, task: str, done: float) -> None:
        """A bar for something else; the picture stays."""
        self._bar = _bar(task, done, f"{100 * min(done, 1.0):.0f} %")
        if time.monotonic() - self._drawn_at >= BAR_EVERY:
            self._draw()

    def close(self) -> None:
        """What was said stays; bar and picture go, as the run shows itself."""
        self._bar = self._picture = ""
        self._draw()

    def _draw(self) -> None:
        self._drawn_at = time.monotonic()
        self._handle.update(self._html("".join([*self._said, self._bar, self._picture])))


def _bar(name: str, done: float, detail: str) -> str:
    return (
        f'<div>{escape(name)} <progress max="1" value="{min(done, 1.0):.3f}" style="vertical-align:middle"></progress> '
        f"{escape(detail)}</div>"
    )


def _frame(path: Path | None) -> str:
    """A frame as it is shown; nothing where it cannot be read."""
    from fieldlens.render.files import read_png

    try:
        return "" if path is None else picture_html(read_png(path), "the newest frame")
    except InputError:
        return ""
