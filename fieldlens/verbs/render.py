"""`fieldlens render RUN`: the field of a run at any size, any region of it, or a film of a 3D scene."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import tyro

from fieldlens.configs.errors import InputError

from .options import Json, parse

DESCRIPTION = "Draw a fitted field at any size, or any region of it, or film a 3D scene."


@dataclass(frozen=True)
class RenderArguments:
    """Options of `fieldlens render`."""

    run: tyro.conf.Positional[str] = "latest"
    """A run folder, or latest."""
    scale: float = 1.0
    """Pixels to draw for each pixel of the picture, along each side."""
    region: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)
    """Left, top, width and height of what to draw, as shares of the picture."""
    view: str | None = None
    """Of a 3D scene, the view to draw, by its name or its number from 1; by default the first that is held out."""
    orbit: int | None = None
    """Of a 3D scene, film this many frames all around it: renders/orbit.mp4, and its camera path as orbit.json."""
    path: Path | None = None
    """Of a 3D scene, film along this camera path, JSON as nerfstudio writes it."""
    width: int | None = None
    """With --orbit or --path: the film's width in pixels; by default that of the photographs, or what the path says."""
    step: int | None = None
    """The checkpoint to draw; by default the newest."""
    file: Path | None = None
    """The PNG or MP4 to write; by default one in the run's renders/."""
    output_dir: Path = Path("outputs")
    """Where to look for the latest run."""
    json: Json = False
    """Print one JSON object as the last line on standard output, everything else on standard error."""


def main(words: Sequence[str]) -> int:
    """Run the verb; the result is the exit status."""
    arguments = parse(RenderArguments, "render", DESCRIPTION, words)

    if arguments.orbit is not None and arguments.path is not None:
        raise InputError("--orbit and --path are two films; choose one")
    films = arguments.orbit is not None or arguments.path is not None
    for option in ("scale", "region", "view"):
        if films and getattr(arguments, option) != getattr(RenderArguments, option):
            raise InputError(f"--{option} is for a single drawing; a film takes --width")
    if arguments.width is not None and not films:
        raise InputError("--width goes with --orbit or --path; a single drawing takes --scale")

    from fieldlens.studies.runs.folder import find_run

    from .console import Console

    console = Console(arguments.json)
    folder = find_run(arguments.run, arguments.output_dir)
    if films:
        from fieldlens.studies.questions.film import fly

        film = fly(
            folder,
            frames=arguments.orbit,
            path=arguments.path,
            width=arguments.width,
            step=arguments.step,
            file=arguments.file,
            reporter=console,
        )
        console.answer(film)
        return 0

    from fieldlens.studies.questions.rendering import render

    drawn = render(
        folder,
        scale=arguments.scale,
        region=arguments.region,
        view=arguments.view,
        step=arguments.step,
        file=arguments.file,
        reporter=console,
    )
    console.answer(drawn)
    return 0
