"""`fieldlens view RUN ...`: the page of finished runs, with their networks there to be asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import tyro

from fieldlens.configs.encoding import Encoding

from . import DONE
from .asked import runs_named
from .options import Flag, parse, typed_options
from .page import check_port, page_served

DESCRIPTION = (
    "Open finished runs in a browser: the report, with everything that needs the network. Several runs of one picture "
    "or 3D scene stand side by side. Ctrl-C ends."
)


@dataclass(frozen=True)
class ViewArguments:
    """Options of `fieldlens view`."""

    runs: tyro.conf.Positional[tuple[str, ...]] = ("latest",)
    """Run folders, comparisons, or latest."""
    port: int | None = None
    """Where to serve; by default the first port from 8722 on that nobody has."""
    no_browser: Flag = False
    """Do not open a browser: only print the address."""
    encoding: Encoding | None = None
    """Of runs with an encoding of one's own, that encoding again, such as mine.py:waves.
    The copies in the folders are to be read, and never run."""
    output_dir: Path = Path("outputs")
    """Where to look for the latest run."""


def main(words: Sequence[str]) -> int:
    """Run the verb, which serves until it is interrupted: the exit status is that of the interruption."""
    arguments = parse(ViewArguments, "view", DESCRIPTION, words)
    check_port(arguments.port)

    from threading import Event

    from fieldlens.fields.own_encoding import made_ready
    from fieldlens.studies.live.hub import Hub
    from fieldlens.studies.live.standing import StandingRun, show, stand
    from fieldlens.studies.runs.compare import with_encoding

    from ..terminal.console import Console

    console, look_now = Console(), Event()
    named = runs_named(arguments.runs or ("latest",), arguments.output_dir, "output_dir" in typed_options(words))
    if arguments.encoding is not None:
        named = with_encoding(named, made_ready(arguments.encoding))
    runs = [StandingRun(folder, console) for folder in named]
    hub = Hub(look_now)
    show(hub, runs, list(named.values()))
    with page_served(hub, console, arguments.port, opens_browser=not arguments.no_browser):
        console.say("Ctrl-C ends")
        stand(hub, runs, look_now)
    return DONE
