"""`fieldlens compare SCENE --encodings ...`: the same picture or 3D scene under several encodings, side by side."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fieldlens.configs.run import CompareConfig

from . import DONE
from .options import (
    Json,
    arguments_from,
    check_unchanged,
    config_in,
    folder_to_resume,
    parse,
    starting_config,
    typed_options,
)

if TYPE_CHECKING:
    from fieldlens.studies.runs.compare import Comparison

DESCRIPTION = (
    "Fit one picture or 3D scene under several encodings, networks or optimizers with one protocol, and set them side "
    "by side."
)


@dataclass(frozen=True)
class CompareArguments(CompareConfig):
    """Options of `fieldlens compare`."""

    resume: str | None = None
    """Go on with the folder of a comparison, or the latest one; nothing can be changed then."""
    config: Path | None = None
    """Start from the choices in a comparison.yaml."""
    preset: str | None = None
    """Start from a named set of choices, such as demo."""
    preview: bool = False
    """Draw the newest reconstruction in the terminal, above the progress bar."""
    json: Json = False
    """Print one JSON object as the last line on standard output, everything else on standard error."""


def main(words: Sequence[str]) -> int:
    """Run the verb; the result is the exit status."""
    resumed = _folder_to_resume(words)
    before = starting_config(CompareConfig, "compare", words) if resumed is None else resumed.config()
    arguments = parse(CompareArguments, "compare", DESCRIPTION, words, arguments_from(CompareArguments, before))
    config = config_in(arguments, CompareConfig)
    if resumed is not None:
        begun = shlex.quote(str(resumed.config_file))
        hint = f"only --json and --output-dir go with --resume, and --config {begun} begins another"
        check_unchanged(before, config, "a resumed comparison", free=("output_dir",), hint=hint)

    from fieldlens.fitting import Controls
    from fieldlens.studies.runs.compare import run_comparison, start_comparison

    from .console import Console
    from .signals import interruptible

    console, controls = Console(arguments.json, preview=arguments.preview), Controls()
    with interruptible(lambda: setattr(controls, "stop", True)) as interruption:
        comparison = resumed or start_comparison(config, console, typed_options(words))
        record = run_comparison(comparison, console, controls)
    console.answer(record)
    return interruption.status if record.stopped_because == "interrupted" else DONE


def _folder_to_resume(words: Sequence[str]) -> "Comparison | None":
    named = folder_to_resume("compare", words)
    if named is None:
        return None
    from fieldlens.studies.runs.compare import find_comparison

    return find_comparison(*named)
