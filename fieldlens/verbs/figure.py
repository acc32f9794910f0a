"""`fieldlens figure RUN ...`: curves of runs as a figure for a paper or a talk."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import tyro

from . import DONE
from .asked import runs_named
from .options import Flag, parse, typed_options

if TYPE_CHECKING:
    from fieldlens.studies.questions.curves import Curve

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
