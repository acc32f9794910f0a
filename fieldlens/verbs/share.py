"""`fieldlens share RUN`: a film for a friend, and a poster."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import tyro

from .options import Flag, parse, typed_options

DESCRIPTION = (
    "Make a film of how a picture or a 3D scene was learnt, to be sent to somebody, and a poster of six steps."
)


@dataclass(frozen=True)
class ShareArguments:
    """Options of `fieldlens share`."""

    run: tyro.conf.Positional[str] = "latest"
    """A run folder, one of a comparison, or latest."""
    portrait: Flag = False
    """Upright, 1080 x 1920 px, with the target above what was learnt; by default 1920 x 1080 with both side by side."""
    gif: Flag = False
    """A GIF of at most 8 MB in place of a video, and as large in pixels as that allows."""
    file: Path | None = None
    """The file to write: .mp4, .gif or .webp (at most 8 MB as well); by default share/film.mp4 in the run's folder, or
    portrait.mp4.
    The poster is a PNG beside it. Of a comparison there is one for each run, and its name ends in the run's."""
    output_dir: Path = Path("outputs")
    """Where to look for the latest run."""
    json: Flag = False
    """Print one JSON object as the last line on standard output, everything else on standard error."""


def main(words: Sequence[str]) -> int:
    """Run the verb; the result is the exit status."""
    arguments = parse(ShareArguments, "share", DESCRIPTION, words)

    from fieldlens.studies.questions.sharing import share

    from ..terminal.console import Console
    from .asked import Asked

    console, asked = Console(arguments.json), Asked(arguments.run, arguments.output_dir, typed_options(words))
    return asked.answer(
        console,
        lambda folder: share(
            folder,
            portrait=arguments.portrait,
            animated=arguments.gif,
            file=asked.path(arguments.file, folder),
            reporter=console,
        ),
    )
