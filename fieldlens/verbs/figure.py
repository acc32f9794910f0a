"""`fieldlens figure RUN ...`: curves of runs as a figure for a paper or a talk."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import tyro

from fieldlens.configs.errors import InputError

from . import DONE
from .options import Flag, check_output_dir, parse, typed_options

if TYPE_CHECKING:
    from fieldlens.studies.questions.curves import Curve
    from fieldlens.studies.runs.folder import RunFolder

DESCRIPTION = "Draw the curves of runs as PDF, SVG or PNG: PSNR, and how much of each octave of wavelengths is there."


@dataclass(frozen=True)
class FigureArguments:
    """Options of `fieldlens figure`."""

    runs: tyro.conf.Positional[tuple[str, ...]] = ("latest",)
    """Run folders, comparisons, or latest."""
    out: Path | None = None
    """The file to write: .pdf, .svg or .png. By default figure.pdf in the folder of the run or comparison, or of the
    first run of several."""
    psnr: Flag = False
    """Show PSNR over steps, a line for each run."""
    bands: Flag = False
    """Show the share of energy that is there of each octave of wavelengths, a chart for each run; of a signal, the
    amplitude at each of its frequencies. With neither --psnr nor --bands both are shown."""
    output_dir: Path = Path("outputs")
    """Where to look for the latest run."""
    json: Flag = False
    """Print one JSON object as the last line on standard output, everything else on standard error."""


def main(words: Sequence[str]) -> int:
    """Run the verb; the result is the exit status."""
    arguments = parse(FigureArguments, "figure", DESCRIPTION, words)

    from fieldlens.studies.questions.curves import CURVES, draw_curves

    from ..terminal.console import Console

    named = runs_named(arguments.runs or ("latest",), arguments.output_dir, "output_dir" in typed_options(words))
    asked = {"psnr": arguments.psnr, "bands": arguments.bands}
    shows: list[Curve] = [curve for curve in CURVES if asked[curve] or not any(asked.values())]
    Console(arguments.json).answer(draw_curves(named, shows, arguments.out))
    return DONE


def runs_named(words: Sequence[str], output_dir: Path, is_told_where: bool) -> "dict[RunFolder, str]":
    """The runs that words mean, by names that tell them apart.

    Args:
        is_told_where: whether a person typed where the latest is.

    Raises:
        InputError: when there is none of a word, or the same one twice.
    """
    from fieldlens.studies.runs.compare import find_runs

    found: list[RunFolder] = []
    for word in words:
        check_output_dir(word, {"output_dir"} if is_told_where and "latest" not in words else ())
        found += find_runs(word, output_dir)
    if len(set(found)) < len(found):
        raise InputError("the same run is named twice; name each once")
    names = {run: run.config().name for run in found}
    scenes = {run: run.scene().name for run in found}
    if len(set(scenes.values())) > 1:
        names = {run: f"{scenes[run]}, {name}" for run, name in names.items()}
    count = Counter(names.values())
    return {run: name if count[name] == 1 else f"{name} ({run.path.name})" for run, name in names.items()}
