"""`fieldlens fit SCENE`: train a field, draw every step, explain what is missing."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

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
    from fieldlens.studies.runs.folder import RunFolder

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
    json: Json = False
    """Print one JSON object as the last line on standard output, everything else on standard error."""


def main(words: Sequence[str]) -> int:
    """Run the verb; the result is the exit status."""
    resumed = _folder_to_resume(words)
    before = starting_config(FitConfig, "fit", words) if resumed is None else resumed.config()
    default = before if resumed is None else with_limits_of(before, words)
    arguments = parse(FitArguments, "fit", DESCRIPTION, words, arguments_from(FitArguments, default))
    config = config_in(arguments, FitConfig)

    from fieldlens.fitting import Controls
    from fieldlens.studies.runs.fit import run, start

    from .console import Console
    from .signals import interruptible

    console, controls = Console(arguments.json, preview=arguments.preview), Controls()
    with interruptible(lambda: setattr(controls, "stop", True)) as interruption:
        if resumed is None:
            made = start(config, reporter=console, typed=typed_options(words))
            record = run(made, config, console, controls)
        else:
            hint = f"only {', '.join(option_of(name) for name in RESUMABLE)} can be changed"
            check_unchanged(before, config, "a resumed fit", free=(*RESUMABLE, "output_dir"), hint=hint)
            output = dataclasses.replace(config.output, output_dir=before.output.output_dir)
            record = run(resumed, dataclasses.replace(config, output=output), console, controls)
    console.answer(record)
    return interruption.status if record.stopped_because == "interrupted" else DONE


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
