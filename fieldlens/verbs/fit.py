"""`fieldlens fit SCENE`: train a field, draw every step, explain what is missing."""

import dataclasses
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fieldlens.configs.encoding import Own
from fieldlens.configs.run import FitConfig

from . import DONE
from .options import (
    Beginning,
    Json,
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

if TYPE_CHECKING:
    from fieldlens.fitting import Controls
    from fieldlens.studies.runs.folder import RunFolder
    from fieldlens.studies.runs.record import RunRecord
    from fieldlens.studies.runs.reporter import Reporter

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
    json: Json = False
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
    ) -> "RunRecord":
        """Fit as chosen, in a new folder or in the one that goes on.

        Args:
            typed: the choices that were made.
            picture: an array to fit, where no word names the scene.

        Raises:
            InputError: when a run that goes on is to change, or as `studies.runs.fit` does.
        """
        from fieldlens.fields.own_encoding import made_ready
        from fieldlens.studies.runs.fit import run, start

        if "encoding" in typed:
            config = dataclasses.replace(config, encoding=made_ready(config.encoding))
        if self.folder is None:
            return run(start(config, None, None, reporter, typed, picture), config, reporter, controls)
        folder = self.folder
        if isinstance(config.encoding, Own) and config.encoding.code is not None:
            folder = folder.with_encoding(config.encoding)
            config = dataclasses.replace(config, encoding=folder.config().encoding)  # by the name it had
        hint = f"only {', '.join(option_of(name) for name in RESUMABLE)} can be changed"
        check_unchanged(self.before, config, "a resumed fit", free=(*RESUMABLE, "output_dir"), hint=hint)
        output = dataclasses.replace(config.output, output_dir=self.before.output.output_dir)
        return run(folder, dataclasses.replace(config, output=output), reporter, controls)


def main(words: Sequence[str]) -> int:
    """Run the verb; the result is the exit status."""
    typed = typed_options(words)
    begun = begin(beginning("fit", words), typed)
    arguments = parse(FitArguments, "fit", DESCRIPTION, words, arguments_from(FitArguments, begun.default))

    from fieldlens.fitting import Controls

    from .console import Console
    from .signals import interruptible

    console, controls = Console(arguments.json), Controls()
    with interruptible(lambda: setattr(controls, "stop", True)) as interruption:
        record = begun.fit(config_in(arguments, FitConfig), typed, console, controls)
    console.answer(record)
    return interruption.status if record.stopped_because == "interrupted" else DONE


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
