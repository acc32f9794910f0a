"""`fieldlens fit SCENE`: train a field, draw every step, explain what is missing."""

import dataclasses
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from fieldlens.configs.errors import InputError
from fieldlens.configs.run import FitConfig

from . import DONE
from .options import (
    Json,
    arguments_from,
    check_unchanged,
    config_in,
    folder_to_resume,
    option_of,
    parse,
    starting_config,
    typed_options,
)

if TYPE_CHECKING:
    from fieldlens.fitting import Controls
    from fieldlens.studies.live.desk import Desk
    from fieldlens.studies.runs.folder import RunFolder

    from .console import Console

DESCRIPTION = "Fit a coordinate network to a picture or a 3D scene and watch it being learnt."

LIMITS = ("steps", "seconds", "target_psnr", "plateau")
"""What ends a fit. When one goes on, those that are named replace all that it had."""
RESUMABLE = (*LIMITS, "quick", "threads", "device")
"""Options that may be changed when a fit goes on."""


@dataclass(frozen=True)
class FitArguments(FitConfig):
    """Options of `fieldlens fit`."""

    resume: str | None = None
    """Go on with a run folder, or the latest one, from its newest checkpoint.
    Limits that are named then (--steps, --seconds, --target-psnr, --plateau) replace all that it had.
    They count from its first step; with none named it keeps its own."""
    config: Path | None = None
    """Start from the choices in a run's config.yaml."""
    preset: str | None = None
    """Start from a named set of choices, such as authors."""
    preview: bool = False
    """Draw the newest reconstruction in the terminal, above the progress bar."""
    live: Json = False
    """Serve the run's page to browsers of this machine while it trains: see it, hold it, change its rate."""
    port: int | None = None
    """Where --live serves; by default the first port from 8722 on that nobody has."""
    no_browser: Json = False
    """Do not open a browser: --live prints the address."""
    json: Json = False
    """Print one JSON object as the last line on standard output, everything else on standard error."""


def main(words: Sequence[str]) -> int:
    """Run the verb; the result is the exit status."""
    resumed = _folder_to_resume(words)
    before = starting_config(FitConfig, "fit", words) if resumed is None else resumed.config()
    default = before if resumed is None else with_limits_of(before, words)
    arguments = parse(FitArguments, "fit", DESCRIPTION, words, arguments_from(FitArguments, default))
    _check_live(arguments)
    config = config_in(arguments, FitConfig)
    if resumed is not None:
        hint = f"only {', '.join(option_of(name) for name in RESUMABLE)} can be changed"
        check_unchanged(before, config, "a resumed fit", free=(*RESUMABLE, "output_dir"), hint=hint)
        output = dataclasses.replace(config.output, output_dir=before.output.output_dir)
        config = dataclasses.replace(config, output=output)

    from fieldlens.fitting import Controls
    from fieldlens.studies.runs.fit import run, start

    from .console import Console
    from .signals import interruptible

    console, controls = Console(arguments.json, preview=arguments.preview), Controls()
    with ExitStack() as serving:
        desk, reporter = None, console
        if arguments.live:
            desk = reporter = serving.enter_context(_live(arguments, controls, console))
        with interruptible(lambda: setattr(controls, "stop", True)) as interruption:
            made = resumed or start(config, reporter=reporter, typed=typed_options(words))
            record = run(made, config, reporter, controls, onlooker=desk)
        console.answer(record)
        # a fit that was ended on its page has not been interrupted: somebody looks at it
        interrupted = record.stopped_because == "interrupted" and interruption.came
        if desk is not None and desk.finished() and not interrupted:
            _stay(console)
    return interruption.status if interrupted else DONE


def _check_live(arguments: FitArguments) -> None:
    """See that what only a live page has is asked of one.

    Raises:
        InputError: where there is none, or for a port that cannot be.
    """
    if not arguments.live and (arguments.port is not None or arguments.no_browser):
        raise InputError(f"--{'no-browser' if arguments.no_browser else 'port'} is for a page that is live; add --live")
    if arguments.port is not None and not 1 <= arguments.port <= 65535:
        raise InputError(f"--port must be 1 to 65535, got {arguments.port}")


@contextmanager
def _live(arguments: FitArguments, controls: "Controls", console: "Console") -> "Iterator[Desk]":
    """Serve the page of the fit until the block is left."""
    from fieldlens.studies.live.desk import Desk
    from fieldlens.studies.live.hub import Hub
    from fieldlens.studies.live.server import open_in_browser, served

    hub = Hub(controls.look_now)
    with served(hub, arguments.port) as address:
        console.say(f"live    {address}")
        if not arguments.no_browser:
            open_in_browser(address)
        yield Desk(hub, controls, console)


def _stay(console: "Console") -> None:
    """Keep on serving the report to the pages that show it."""
    console.say("the page shows the report now; Ctrl-C ends")
    try:
        Event().wait()
    except KeyboardInterrupt:  # which is what it waits for
        return


def with_limits_of(before: FitConfig, words: Sequence[str]) -> FitConfig:
    """The choices of a fit that goes on, without the limits that those named in `words` replace.

    Raises:
        InputError: where what is left cannot be, such as a cosine without --steps.
    """
    typed = typed_options(words)
    named = [limit for limit in LIMITS if limit in typed]
    dropped = {limit: None for limit in LIMITS if named and limit not in named}
    return dataclasses.replace(before, training=dataclasses.replace(before.training, **dropped))


def _folder_to_resume(words: Sequence[str]) -> "RunFolder | None":
    named = folder_to_resume("fit", words)
    if named is None:
        return None
    from fieldlens.studies.runs.folder import find_run

    return find_run(*named)
