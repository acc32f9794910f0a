"""`fieldlens render RUN`: the field of a run at any size, or any region of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import tyro

from .options import Json, parse

DESCRIPTION = "Draw a fitted field at any size, or any region of it."


@dataclass(frozen=True)
class RenderArguments:
    """Options of `fieldlens render`."""

    run: tyro.conf.Positional[str] = "latest"
    """A run folder, or latest."""
    scale: float = 1.0
    """Pixels to draw for each pixel of the picture, along each side."""
    region: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)
    """Left, top, width and height of what to draw, as shares of the picture."""
    step: int | None = None
    """The checkpoint to draw; by default the newest."""
    file: Path | None = None
    """The PNG to write; by default one in the run's renders/."""
    output_dir: Path = Path("outputs")
    """Where to look for the latest run."""
    json: Json = False
    """Print one JSON object as the last line on standard output, everything else on standard error."""


def main(words: Sequence[str]) -> int:
    """Run the verb; the result is the exit status."""
    arguments = parse(RenderArguments, "render", DESCRIPTION, words)

    from studies.folder import find_run
    from studies.redraw import render

    from .console import Console

    console = Console(arguments.json)
    folder = find_run(arguments.run, arguments.output_dir)
    result = render(
        folder,
        scale=arguments.scale,
        region=arguments.region,
        step=arguments.step,
        file=arguments.file,
        reporter=console,
    )
    console.result(f"{result['width']} x {result['height']} px of step {result['step']}  {result['path']}")
    console.finish(result)
    return 0
