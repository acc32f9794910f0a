"""`fieldlens compare SCENE ... --encodings ...`: pictures or 3D scenes under several encodings, side by side.

One scene with one seed is a comparison, whose runs are shown step by step; several scenes or seeds are a sweep, whose
table says what is luck.
"""

import dataclasses
import shlex
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from fieldlens.configs.errors import InputError
from fieldlens.configs.run import CompareConfig, Flat

from . import DONE
from .executor import ExecutorOptions
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
    from fieldlens.studies.making.executor import Executor
    from fieldlens.studies.runs.compare import Comparison, ComparisonRecord
    from fieldlens.studies.runs.reporter import Reporter
    from fieldlens.studies.sweeps.folder import Sweep
    from fieldlens.studies.sweeps.sweep import SweepRecord

DESCRIPTION = (
    "Fit pictures or 3D scenes under several encodings, networks or optimizers, all else equal, and set them side by "
    "side. Of several scenes, or with several seeds, one table has means, intervals, and which order is decided."
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
    jobs: str | None = None
    """Make only a share of the fits of several scenes or seeds, such as 3/8: every eighth, from the third on.
    For arrays of a batch system; the same command without it then makes the table of all."""
    making: Annotated[ExecutorOptions, Flat] = field(default_factory=ExecutorOptions)
    json: Flag = False
    """Print one JSON object as the last line on standard output, everything else on standard error."""


@dataclass(frozen=True)
class Begun:
    """Where a comparison begins, before anything is chosen."""

    goes_on: "Comparison | Sweep | None"
    """That which goes on; None for a new one."""
    default: CompareConfig
    """What choices are changes to; one that goes on takes none."""

    def chosen(
        self, config: CompareConfig, typed: Collection[str], pictures: Mapping[str, Any] | None = None
    ) -> CompareConfig:
        """What is compared: with the scenes of the default where none is named, the pictures of folders, and encodings
        of one's own ready to be built.

        Args:
            typed: the choices that were made.
            pictures: arrays to fit, by the words that stand for them.

        Raises:
            InputError: when a comparison that goes on is to change, or an encoding of one's own cannot be run.
        """
        from fieldlens.fields.own_encoding import made_ready
        from fieldlens.studies.sweeps.pictures import named_scenes

        if not config.scenes:
            config = dataclasses.replace(config, scene=self.default.scene, more_scenes=self.default.more_scenes)
        if "encodings" in typed:
            config = dataclasses.replace(config, encodings=tuple(map(made_ready, config.encodings)))
        if self.goes_on is None:
            return config if pictures else named_scenes(config)
        begun = shlex.quote(str(self.goes_on.config_file))
        hint = (
            "only --json, --jobs, --workers, --cluster and --output-dir go with --resume, and "
            f"--config {begun} begins another"
        )
        check_unchanged(self.default, config, "a resumed comparison", free=("output_dir",), hint=hint)
        return config

    def compare(
        self,
        config: CompareConfig,
        typed: Collection[str],
        reporter: "Reporter",
        controls: "Controls",
        pictures: Mapping[str, Any] | None = None,
        jobs: str | None = None,
        executor: "Executor | None" = None,
    ) -> "ComparisonRecord | SweepRecord":
        """Compare as `chosen`, in a new folder or in the one that goes on.

        Args:
            jobs: the share of a sweep's fits to make, such as 3/8.
            executor: who makes the fits of a sweep, where a person has chosen.

        Raises:
            InputError: as `studies.runs.compare` and `studies.sweeps` do.
        """
        if config.is_sweep:
            return self._sweep(config, typed, reporter, controls, pictures or {}, jobs, executor)
        for option, given in (("--jobs shares", jobs), ("--workers or --cluster shares", executor)):
            if given is not None:
                raise InputError(f"{option} out the fits of several scenes or seeds, and this is one; leave it out")
        return self._comparison(config, typed, reporter, controls, pictures or {})

    def _comparison(
        self,
        config: CompareConfig,
        typed: Collection[str],
        reporter: "Reporter",
        controls: "Controls",
        pictures: Mapping[str, Any],
    ) -> "ComparisonRecord":
        from fieldlens.studies.runs.compare import Comparison, run_comparison, start_comparison

        if isinstance(self.goes_on, Comparison):
            return run_comparison(self.goes_on.with_encodings(config.encodings), reporter, controls)
        return run_comparison(start_comparison(config, reporter, typed, pictures.get(config.scene)), reporter, controls)

    def _sweep(
        self,
        config: CompareConfig,
        typed: Collection[str],
        reporter: "Reporter",
        controls: "Controls",
        pictures: Mapping[str, Any],
        jobs: str | None,
        executor: "Executor | None",
    ) -> "SweepRecord":
        from fieldlens.studies.sweeps.folder import Sweep, with_own_named
        from fieldlens.studies.sweeps.plan import Part
        from fieldlens.studies.sweeps.sweep import run_sweep, start_sweep

        part = None if jobs is None else Part.of_word(jobs)
        if isinstance(self.goes_on, Sweep):
            return run_sweep(with_own_named(self.goes_on, config), reporter, controls, part, executor)
        return run_sweep(start_sweep(config, reporter, typed, pictures), reporter, controls, part, executor)


def main(words: Sequence[str]) -> int:
    """Run the verb; the result is the exit status."""
    typed = typed_options(words)
    begun = begin(beginning("compare", words), typed)
    unnamed = dataclasses.replace(begun.default, scene="", more_scenes=())  # scenes that are named replace all
    arguments = parse(CompareArguments, "compare", DESCRIPTION, words, arguments_from(CompareArguments, unnamed))

    from fieldlens.fitting import Controls

    from ..terminal.console import Console
    from ..terminal.signals import interruptible

    config = begun.chosen(config_in(arguments, CompareConfig), typed)
    if config.is_sweep and arguments.preview:
        raise InputError(
            "--preview is of one fit after the other, and of several scenes or seeds many go on; leave it out"
        )
    console, controls = Console(arguments.json, preview=arguments.preview), Controls()
    with interruptible(lambda: setattr(controls, "stop", True)) as interruption:
        executor = arguments.making.executor(config.training.threads or 1)
        record = begun.compare(config, typed, console, controls, jobs=arguments.jobs, executor=executor)
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
    from fieldlens.studies.sweeps.folder import find_comparison_or_sweep

    found = find_comparison_or_sweep(*named)
    return Begun(found, found.config())
