"""`fieldlens render RUN`: the field of a run at any size, any region of it, or a film."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import tyro

from fieldlens.configs.encoding import Encoding
from fieldlens.configs.errors import InputError

from .options import Flag, parse, typed_options

DESCRIPTION = (
    "Draw a fitted field at any size, or any region of it, film a 3D scene, or make the video of the fit anew."
)


@dataclass(frozen=True)
class RenderArguments:
    """Options of `fieldlens render`."""

    run: tyro.conf.Positional[str] = "latest"
    """A run folder, one of a comparison, or latest."""
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
    video: Flag = False
    """Make the video of how it was learnt anew, of the frames that are there: where the encoder failed."""
    width: int | None = None
    """With --orbit or --path: the film's width in pixels; by default that of the photographs, or what the path says."""
    step: int | None = None
    """The checkpoint to draw; by default the newest."""
    file: Path | None = None
    """The file to write: .png, .jpg, .webp or .tiff, and a film as .mp4; by default one in the run's renders/.
    Of a comparison there is one for each run, and its name ends in the run's."""
    encoding: Encoding | None = None
    """Of a run with an encoding of one's own, that encoding again, such as mine.py:waves.
    The copy in the folder is to be read, and never run."""
    output_dir: Path = Path("outputs")
    """Where to look for the latest run."""
    json: Flag = False
    """Print one JSON object as the last line on standard output, everything else on standard error."""


def main(words: Sequence[str]) -> int:
    """Run the verb; the result is the exit status."""
    arguments = parse(RenderArguments, "render", DESCRIPTION, words)

    films, typed = arguments.orbit is not None or arguments.path is not None, typed_options(words)
    if arguments.orbit is not None and arguments.path is not None:
        raise InputError("--orbit and --path are two films; choose one")
    if arguments.video and (beside := typed - {"video", "output_dir", "json"}):
        raise InputError(f"--video is made of the frames as they are; leave out --{min(beside).replace('_', '-')}")
    for option in ("scale", "region", "view"):
        if films and option in typed:
            raise InputError(f"--{option} is for a single drawing; a film takes --width")
    if arguments.width is not None and not films:
        raise InputError("--width goes with --orbit or --path; a single drawing takes --scale")

    from fieldlens.studies.questions.film import Filmed, fly
    from fieldlens.studies.questions.rendering import Rendered, render
    from fieldlens.studies.questions.video import make_video
    from fieldlens.studies.runs.folder import RunFolder

    from ..terminal.console import Console
    from .asked import Asked

    console, asked = Console(arguments.json), Asked(arguments.run, arguments.output_dir, typed, arguments.encoding)

    def film_of(folder: RunFolder) -> Filmed:
        return fly(
            folder,
            frames=arguments.orbit,
            path=arguments.path,
            width=arguments.width,
            step=arguments.step,
            file=asked.path(arguments.file, folder),
            reporter=console,
        )

    def drawing_of(folder: RunFolder) -> Rendered:
        return render(
            folder,
            scale=arguments.scale,
            region=arguments.region,
            view=arguments.view,
            step=arguments.step,
            file=asked.path(arguments.file, folder),
            reporter=console,
        )

    if arguments.video:
        return asked.answer(console, lambda folder: make_video(folder, reporter=console))
    return asked.answer(console, film_of if films else drawing_of)
