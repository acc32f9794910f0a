"""`fieldlens compare SCENE --encodings ...`: the same picture or 3D scene under several encodings, side by side."""

import dataclasses
import shlex
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fieldlens.configs.run import CompareConfig

from . import DONE
from .options import (
    Beginning,
    Flag,
    arguments_from,
    beginning,
    check_unchanged,
    config_in,
    folder_to_resume,
    parse,
    starting_config,
    typed_options,
)

if TYPE_CHECKING:
    from fieldlens.fitting import Controls
    from fieldlens.studies.runs.compare import Comparison, ComparisonRecord
    from fieldlens.studies.runs.reporter import Reporter

DESCRIPTION = (
    "Fit one picture or 3D scene under several encodings, networks or optimizers, all else equal, and set them side "
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
    preview: Flag = False
    """Draw the newest reconstruction in the terminal, above the progress bar."""
    json: Flag = False
    """Print one JSON object as the last line on standard output, everything else on standard error."""


@dataclass(frozen=True)
class Begun:
    """Where a comparison begins, before anything is chosen."""

    comparison: "Comparison | None"
    """That which goes on; None for a new one."""
    default: CompareConfig
    """What choices are changes to; one that goes on takes none."""

    def compare(
        self,
        config: CompareConfig,
        typed: Collection[str],
        reporter: "Reporter",
        controls: "Controls",
        picture: Any = None,
    ) -> "ComparisonRecord":
        """Compare as chosen, in a new folder or in the one that goes on.

        Args:
            typed: the choices that were made.
            picture: an array to fit, where no word names the scene.

        Raises:
            InputError: when a comparison that goes on is to change, or as `studies.runs.compare` does.
        """
        from fieldlens.fields.own_encoding import made_ready
        from fieldlens.studies.runs.compare import run_comparison, start_comparison

        if "encodings" in typed:
            config = dataclasses.replace(config, encodings=tuple(map(made_ready, config.encodings)))
        if self.comparison is None:
            return run_comparison(start_comparison(config, reporter, typed, picture), reporter, controls)
        begun = shlex.quote(str(self.comparison.config_file))
        hint = f"only --json and --output-dir go with --resume, and --config {begun} begins another"
        check_unchanged(self.default, config, "a resumed comparison", free=("output_dir",), hint=hint)
        return run_comparison(self.comparison.with_encodings(config.encodings), reporter, controls)


def main(words: Sequence[str]) -> int:
    """Run the verb; the result is the exit status."""
    typed = typed_options(words)
    begun = begin(beginning("compare", words), typed)
    arguments = parse(CompareArguments, "compare", DESCRIPTION, words, arguments_from(CompareArguments, begun.default))

    from fieldlens.fitting import Controls

    from ..terminal.console import Console
    from .signals import interruptible

    console, controls = Console(arguments.json, preview=arguments.preview), Controls()
    with interruptible(lambda: setattr(controls, "stop", True)) as interruption:
        record = begun.compare(config_in(arguments, CompareConfig), typed, console, controls)
    console.answer(record)
    return interruption.status if record.stopped_because == "interrupted" else DONE


def begin(begins: Beginning, typed: Collection[str]) -> Begun:
    """Find the comparison that goes on, or what a new one starts from.

    Args:
        typed: the choices that were made.

    Raises:
        InputError: when there is no such comparison, file or preset.
    """
    named = folder_to_resume("compare", begins, typed)
    if named is None:
        return Begun(None, starting_config(CompareConfig, "compare", begins))
    from fieldlens.studies.runs.compare import find_comparison

    comparison = find_comparison(*named)
    return Begun(comparison, comparison.config())
