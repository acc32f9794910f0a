"""A film of a run for a friend: the target beside what was learnt, at a screen's size; and a poster of six steps."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from fieldlens.configs.errors import InputError
from fieldlens.configs.files import make_folder, require_writable, write_bytes
from fieldlens.render.animation import ANIMATED_ENDINGS, animation
from fieldlens.render.files import read_png, require_ending, write_png
from fieldlens.render.panel import Tile
from fieldlens.render.sheet import sheet
from fieldlens.render.video import VideoWriter
from fieldlens.studies.runs.folder import RunFolder
from fieldlens.studies.runs.metrics import drawn_rows
from fieldlens.studies.runs.reporter import Reporter, Silent
from fieldlens.studies.runs.saved import NAME_A_FILE

from ..subjects.choice import subject_of
from ..subjects.found import Row

T = TypeVar("T")

SHORT, LONG = 1080, 1920
"""Sides of the film in pixels."""
MOST_BYTES = 8_000_000
"""Of a GIF or WebP: what mail and messengers take."""
MOST_FRAMES = 60
"""Of a GIF or WebP, which keep each frame nearly whole."""
STEPS_ON_POSTER = 6
DARK = 1 / 4
"""Of the last step's brightness: a step that is darker does not open a poster, where it would be a black square."""
ENDINGS = (".mp4", *ANIMATED_ENDINGS)


@dataclass(frozen=True)
class Shared:
    """A film and a poster."""

    path: Path
    poster: Path
    frames: int
    height: int
    width: int
    """Of the film in pixels."""
    bytes: int
    """Of the film's file."""

    @property
    def lines(self) -> list[str]:
        """How large they are, and where."""
        size = f"{self.frames} frames of {self.width} x {self.height} px, {self.bytes / 1e6:.1f} MB"
        return [f"film    {self.path}  ({size})", f"poster  {self.poster}"]


def share(
    folder: RunFolder,
    *,
    portrait: bool = False,
    animated: bool = False,
    file: Path | None = None,
    reporter: Reporter | None = None,
) -> Shared:
    """Film what a run drew while it was learning, held at the end, from the frames in its folder.

    Args:
        portrait: upright, as a telephone is held, with the target above the reconstruction.
        animated: a GIF, where no file says what it is.
        file: an MP4, GIF or WebP, as its ending says; by default in the run's `share/`. The poster is beside it.

    Raises:
        InputError: for a run without frames, and for a file that cannot be written or of another ending.
    """
    reporter = reporter or Silent()
    stem = "portrait" if portrait else "film"
    file = file or folder.path / "share" / f"{stem}{'.gif' if animated else '.mp4'}"
    ending = require_ending(file, ENDINGS, "a film")
    if animated and ending != ".gif":
        raise InputError(f"--gif makes a GIF, and {file.name!r} is named as something else; leave one of them out")
    require_writable(file.parent, NAME_A_FILE)
    rows = [row for row in drawn_rows(folder) if folder.picture(row.step, "reconstruction") is not None]
    if not rows:
        raise InputError(f"there are no whole frames in {str(folder.path)!r} to make a film of")
    height, width = (LONG, SHORT) if portrait else (SHORT, LONG)
    target = Tile(subject_of(folder.scene()).target(), "target")
    columns = 1 if portrait else 2
    rows = rows if ending == ".mp4" else evenly(rows, MOST_FRAMES)
    reporter.working("drawing the film", 0.0)
    try:
        make_folder(file.parent)
    except OSError as error:
        raise InputError(f"cannot write {str(file)!r}: {error.strerror}") from None
    frames = (sheet([target, _learnt(folder, row)], height, width, columns) for row in rows)
    size = height, width
    if ending == ".mp4":
        with VideoWriter(file) as video:
            for number, frame in enumerate(frames, 1):
                video.write(frame)
                reporter.working("drawing the film", number / len(rows))
    else:
        data, size = animation(list(frames), ending, at_most=MOST_BYTES)
        write_bytes(file, data)
    alone = file.parent == folder.path / "share" and file.stem == "film"
    poster = file.with_name("poster.png" if alone else f"{file.stem}_poster.png")
    shown = [_learnt(folder, row) for row in evenly(_from_light(folder, rows), STEPS_ON_POSTER)]
    write_png(poster, sheet(shown, height, width, 2 if portrait else 3))
    return Shared(file, poster, len(rows), *size, file.stat().st_size)


def _learnt(folder: RunFolder, row: Row) -> Tile:
    """What was learnt by a step."""
    return Tile(read_png(folder.frame(row.step, "reconstruction")), f"step {row.step:,}   {row.psnr_db:.1f} dB")


def _from_light(folder: RunFolder, rows: Sequence[Row]) -> Sequence[Row]:
    """The steps from the first on that is not dark; a network often begins with values about 0, which are black."""
    least = DARK * _brightness(folder, rows[-1])
    first = next(number for number, row in enumerate(rows) if _brightness(folder, row) >= least)
    return rows[first:]


def _brightness(folder: RunFolder, row: Row) -> float:
    return float(read_png(folder.frame(row.step, "reconstruction")).mean())


def evenly(things: Sequence[T], at_most: int) -> list[T]:
    """So many of a row at most, the first and the last among them.

    >>> evenly(range(10), 4)
    [0, 3, 6, 9]
    """
    if len(things) <= at_most:
        return list(things)
    return [things[round(number * (len(things) - 1) / (at_most - 1))] for number in range(at_most)]
