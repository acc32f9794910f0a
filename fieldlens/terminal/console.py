"""What a person sees: sentences, a progress bar on a terminal, plain lines elsewhere, and the JSON line at the end."""

import json
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console as RichConsole
from rich.console import RenderableType
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn
from rich.text import Text

from fieldlens.configs.errors import InputError
from fieldlens.configs.records import to_json
from fieldlens.studies.runs.reporter import Moment

from .preview import half_blocks, kitty, protocol
from .sixel import sixels
from .streams import printable

if TYPE_CHECKING:
    from fieldlens.studies.runs.answers import Answer


class _Bar(Progress):
    """A progress bar below a picture."""

    above: RenderableType = ""

    def get_renderables(self) -> Iterable[RenderableType]:
        """The picture, then the bar."""
        if self.above:
            yield self.above
        yield from super().get_renderables()


LINE_EVERY = 5.0
"""Seconds between two plain lines of progress."""
LEFT_COLUMNS, LEFT_PX = 40, 400
"""How wide the picture is that stays: in characters where the terminal scales it, else in pixels."""


class Console:
    """The reporter of the command line. Progress goes to standard error; results to standard output, unless `--json`
    leaves that to the last line.

    Args:
        preview: draws the newest reconstruction above the bar of a fit, on a terminal.
    """

    def __init__(self, json_last: bool = False, *, preview: bool = False) -> None:
        self.json_last = json_last
        self.results = sys.stderr if json_last else sys.stdout
        self.progress_console = RichConsole(stderr=True)
        self._preview = preview
        if preview and not self.progress_console.is_terminal:
            self.say("there is no terminal here to draw a preview in")
        self._picture: Path | None = None
        """The reconstruction that is shown."""
        self._bar: _Bar | None = None
        self._task: Any = None
        self._task_name = ""
        self._last_line = 0.0
        self._unfinished = False

    def say(self, sentence: str) -> None:
        """A sentence, on a line of its own."""
        self.progress_console.print(Text(printable(sentence)), soft_wrap=True)

    def fitting(self, moment: Moment) -> None:
        """Where a fit is: step, steps/s, time left, and of the newest frame its dB and file."""
        parts = [f"step {moment.step}"]
        if moment.steps_per_s > 0:
            parts.append(f"{moment.steps_per_s:.1f} steps/s")
        if moment.left is not None and moment.done < 1:
            parts.append(f"{moment.left:.0f} s left")
        if moment.psnr_db is not None:
            of = "" if moment.drawn_step == moment.step else f" at step {moment.drawn_step}"
            parts.append(f"{moment.psnr_db:.2f} dB{of}")
        if moment.artefact is not None:
            parts.append(str(moment.artefact))
        self._show(moment.label, "  ".join(parts), moment.done)
        if self._preview and moment.picture is not None:
            self._show_picture(moment.picture)

    def working(self, task: str, done: float) -> None:
        """Something else goes on."""
        self._show(task, "", done)

    def result(self, *lines: str) -> None:
        """Lines that are the result, such as those of a table."""
        self.close()
        print(*map(printable, lines), sep="\n", file=self.results, flush=True)

    def answer(self, found: "Answer") -> None:
        """What was found: in lines, and with `--json` as the one that is last."""
        self.result(*found.lines)
        self.finish(to_json(found))

    def finish(self, result: Mapping[str, Any]) -> None:
        """The end: with `--json` the result as one line."""
        self.close()
        if self.json_last:
            print(json.dumps(result, allow_nan=False), flush=True)  # ASCII, which all can write and show

    def close(self) -> None:
        """Take the progress bar away, or end its line. The picture above it stays."""
        self._end_line()
        if self._bar is None:
            return
        self._bar.stop()
        self._bar, picture = None, self._picture
        if picture is not None:
            self._picture = None
            self._leave(picture)

    def _show_picture(self, picture: Path) -> None:
        """Draw a reconstruction above the bar, if it is another than the one that is there."""
        if self._bar is None or picture == self._picture or (drawn := self._drawn(picture)) is None:
            return
        self._picture = picture
        self._bar.above = drawn

    def _leave(self, picture: Path) -> None:
        """Print the last reconstruction, where it stays: in its pixels if the terminal can."""
        from fieldlens.render.files import read_png

        try:
            match protocol():
                case "kitty":
                    pixels = kitty(picture.read_bytes(), min(LEFT_COLUMNS, self.progress_console.width))
                case "sixel":
                    pixels = sixels(read_png(picture), LEFT_PX)
                case None:
                    pixels = None
        except (InputError, OSError):  # somebody took it away
            return
        if pixels is not None:
            self.progress_console.file.write(f"{pixels}\n")
        elif (drawn := self._drawn(picture)) is not None:
            self.progress_console.print(drawn)

    def _drawn(self, picture: Path) -> RenderableType | None:
        """The picture in characters, beside which there is room for the bar."""
        from fieldlens.render.files import read_png

        width, height = self.progress_console.size
        try:
            return half_blocks(read_png(picture), width, max(1, height - 4))
        except InputError:  # somebody took it away
            return None

    def _end_line(self) -> None:
        """A task that is followed by something else is over, even where it did not say so itself."""
        if self._unfinished:
            print(f"{self._task_name}  100 %", file=sys.stderr, flush=True)
            self._unfinished = False

    def _show(self, name: str, detail: str, done: float) -> None:
        name, detail = printable(name), printable(detail)
        if not self.progress_console.is_terminal:
            now = time.monotonic()
            if name != self._task_name:
                self._end_line()
            ended = not detail and done >= 1 and self._unfinished
            if name != self._task_name or ended or now - self._last_line >= LINE_EVERY:
                print(f"{name}  {detail or f'{100 * done:.0f} %'}", file=sys.stderr, flush=True)
                self._last_line = now
                self._unfinished = not detail and done < 1
            self._task_name = name
            return
        if self._bar is None or name != self._task_name:
            self.close()
            columns = [TextColumn("{task.fields[name]}", markup=False), BarColumn(bar_width=20), TaskProgressColumn()]
            columns.append(TextColumn("{task.fields[detail]}", markup=False))
            per_second = 2 if self._preview else 10  # a picture is thousands of characters
            self._bar = _Bar(*columns, console=self.progress_console, transient=True, refresh_per_second=per_second)
            self._task = self._bar.add_task("", total=1.0, name=name, detail=detail)
            self._task_name = name
            self._bar.start()
        self._bar.update(self._task, completed=min(done, 1.0), detail=detail)
