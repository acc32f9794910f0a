"""`fieldlens fit SCENE`: train a field, draw every step, explain what is missing."""

import dataclasses
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fieldlens.configs.encoding import Own
from fieldlens.configs.errors import InputError
from fieldlens.configs.run import FitConfig

from . import DONE
from .options import (
    Beginning,
    Flag,
    arguments_from,
    beginning,
    check_unchanged,
    config_in,
    folder_to_resume,
    option_of,
    parse,
    starting_config,
    typed_options,
)
from .page import check_port, page_served

if TYPE_CHECKING:
    from fieldlens.fitting import Controls
    from fieldlens.studies.live.desk import Desk
    from fieldlens.studies.runs.folder import RunFolder
    from fieldlens.studies.runs.record import RunRecord
    from fieldlens.studies.runs.reporter import Reporter

    from ..terminal.console import Console

DESCRIPTION = "Fit a small neural network to a picture or a 3D scene and watch it being learnt."

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
    """Start from a named set of choices: photo (a photograph, sharp quickly) or authors (the study's own setting)."""
    preview: Flag = False
    """Draw the newest reconstruction in the terminal, above the progress bar."""
    live: Flag = False
    """Serve the run's page to browsers of this machine while it trains: see it, hold it, change its rate."""
    port: int | None = None
    """Where --live serves; by default the first port from 8722 on that nobody has."""
    no_browser: Flag = False
    """Do not open a browser: --live prints the address."""
    json: Flag = False
    """Print one JSON object as the last line on standard output, everything else on standard error."""


@dataclass(frozen=True)
class Begun:
    """Where a fit begins, before anything is chosen."""

    folder: "RunFolder | None"
    """The run that goes on; None for a new one."""
    before: FitConfig
    """What its folder says, or a file or a preset."""
    default: FitConfig
    """What choices are changes to: of a run that goes on, without the limits that others replace."""

    def fit(
        self,
        config: FitConfig,
        typed: Collection[str],
        reporter: "Reporter",
        controls: "Controls",
        picture: Any = None,
        onlooker: "Desk | None" = None,
    ) -> "RunRecord":
        """Fit as chosen, in a new folder or in the one that goes on.

        Args:
            typed: the choices that were made.
            picture: an array to fit, where no word names the scene.
            onlooker: sees the fit while it goes on.

        Raises:
            InputError: when a run that goes on is to change, or as `studies.runs.fit` does.
        """
        from fieldlens.fields.own_encoding import made_ready
        from fieldlens.studies.runs.fit import run, start

        if "encoding" in typed:
            config = dataclasses.replace(config, encoding=made_ready(config.encoding))
        if self.folder is None:
            made = start(config, None, None, reporter, typed, picture)
            return run(made, None, reporter, controls, onlooker=onlooker)  # the folder says what defaults stand for
        folder = self.folder
        if isinstance(config.encoding, Own) and config.encoding.code is not None:
            folder = folder.with_encoding(config.encoding)
            config = dataclasses.replace(config, encoding=folder.config().encoding)  # by the name it had
        hint = f"only {', '.join(option_of(name) for name in RESUMABLE)} can be changed"
        check_unchanged(self.before, config, "a resumed fit", free=(*RESUMABLE, "output_dir"), hint=hint)
        output = dataclasses.replace(config.output, output_dir=self.before.output.output_dir)
        return run(folder, dataclasses.replace(config, output=output), reporter, controls, onlooker=onlooker)


def main(words: Sequence[str]) -> int:
    """Run the verb; the result is the exit status."""
    typed = typed_options(words)
    begun = begin(beginning("fit", words), typed)
    arguments = parse(FitArguments, "fit", DESCRIPTION, words, arguments_from(FitArguments, begun.default))
    _check_live(arguments)

    from fieldlens.fitting import Controls

    from ..terminal.console import Console
    from ..terminal.signals import interruptible

    console, controls = Console(arguments.json, preview=arguments.preview), Controls()
    with ExitStack() as serving:
        desk, reporter = None, console
        if arguments.live:
            desk = reporter = serving.enter_context(_live(arguments, controls, console))
        with interruptible(lambda: setattr(controls, "stop", True)) as interruption:
            record = begun.fit(config_in(arguments, FitConfig), typed, reporter, controls, onlooker=desk)
        console.answer(record)
        # a fit that was ended on its page has not been interrupted: somebody looks at it
        interrupted = record.stopped_because == "interrupted" and interruption.came
        if desk is not None and desk.hub.is_open and not interrupted:
            _stand_still(desk, console)
    return interruption.status if interrupted else DONE


def _check_live(arguments: FitArguments) -> None:
    """See that what only a live page has is asked of one.

    Raises:
        InputError: where there is none, or for a port that cannot be.
    """
    if not arguments.live and (arguments.port is not None or arguments.no_browser):
        raise InputError(f"--{'no-browser' if arguments.no_browser else 'port'} is for a page that is live; add --live")
    check_port(arguments.port)


@contextmanager
def _live(arguments: FitArguments, controls: "Controls", console: "Console") -> "Iterator[Desk]":
    """Serve the page of the fit until the block is left."""
    from fieldlens.studies.live.desk import Desk
    from fieldlens.studies.live.hub import Hub

    hub = Hub(controls.look_now)
    with page_served(hub, console, arguments.port, opens_browser=not arguments.no_browser):
        yield Desk(hub, controls, console)


def _stand_still(desk: "Desk", console: "Console") -> None:
    """Turn the pages that look into those of the run that is over, whose network can be asked, until Ctrl-C."""
    from fieldlens.studies.live.standing import StandingRun, show, stand

    try:
        run = StandingRun(desk.folder)
        show(desk.hub, [run], [run.record.name])
        console.say("the page shows the report now; Ctrl-C ends")
        stand(desk.hub, [run], desk.controls.look_now)
    except KeyboardInterrupt:  # which is what it waits for
        return


def begin(begins: Beginning, typed: Collection[str]) -> Begun:
    """Find the run that goes on, or what a new one starts from.

    Args:
        typed: the choices that were made.

    Raises:
        InputError: when there is no such run, file or preset.
    """
    named = folder_to_resume("fit", begins, typed)
    if named is None:
        before = starting_config(FitConfig, "fit", begins)
        return Begun(None, before, before)
    from fieldlens.studies.runs.folder import find_run

    folder = find_run(*named)
    return Begun(folder, folder.config(), with_limits_of(folder.config(), typed))


def with_limits_of(before: FitConfig, typed: Collection[str]) -> FitConfig:
    """The choices of a fit that goes on, without the limits that those among `typed` replace.

    Raises:
        InputError: where what is left cannot be, such as a cosine without --steps.
    """
    named = [limit for limit in LIMITS if limit in typed]
    dropped = {limit: None for limit in LIMITS if named and limit not in named}
    return dataclasses.replace(before, training=dataclasses.replace(before.training, **dropped))
