"""`fieldlens paper`: the study of Lazzari & Liu, its claims measured."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Literal

import tyro

from fieldlens.configs.errors import InputError
from fieldlens.configs.names import require_folder_name
from fieldlens.configs.records import to_json
from fieldlens.configs.run import Flat
from fieldlens.configs.storage import read_config
from fieldlens.configs.study import Contest, Study

from .executor import ExecutorOptions
from .options import PRESETS, Flag, parse

DESCRIPTION = (
    "Fit pictures under encodings as Lazzari & Liu (arXiv 2301.05816) do, and measure what they claim. Fits that are "
    "finished are used again, so an interrupted study goes on where it was."
)

MOST_SEEDS = 1000


@dataclass(frozen=True)
class PaperArguments:
    """Options of `fieldlens paper`."""

    tier: Literal["quick", "cpu", "full"] = "quick"
    """How large: quick (minutes), cpu (hours on two cores), full (the authors' sizes, for a GPU)."""
    only: Annotated[tuple[str, ...] | None, tyro.conf.arg(metavar="[ID ...]")] = None
    """Only these claims (A1-A16, C1-C4, N1-N13, X1-X3) and experiments (E1-E15), and the fits that they need.
    docs/paper.md says what they are."""
    seeds: int | None = None
    """Fits of each kind, with seeds of their own; by default the tier's number. Those that are there are used again."""
    output_dir: Path = Path("outputs")
    """The folder in which the study's own is made: paper/<tier>, or paper/<tier>-authors."""
    grid: Literal["centres", "authors"] = "centres"
    """Where pixels lie: at their centres, or where the authors have them, with a gap between quadrants.
    The latter is for comparing numbers with theirs, and is without the contest of claims X."""
    making: Annotated[ExecutorOptions, Flat] = field(default_factory=ExecutorOptions)
    json: Flag = False
    """Print one JSON object as the last line on standard output, everything else on standard error."""


def main(words: Sequence[str]) -> int:
    """Run the verb; the result is the exit status."""
    arguments = parse(PaperArguments, "paper", DESCRIPTION, words)
    if arguments.only == ():
        raise InputError("--only takes claims and experiments, such as A4 A8 E2; docs/paper.md lists them")
    require_folder_name(arguments.output_dir, "--output-dir")
    study = replace(read_config(PRESETS / "paper" / f"{arguments.tier}.yaml", Study), grid=arguments.grid)
    contest = read_config(PRESETS / "contest" / f"{arguments.tier}.yaml", Contest)
    if arguments.seeds is not None:
        if not 1 <= arguments.seeds <= MOST_SEEDS:
            raise InputError(f"--seeds must be 1 to {MOST_SEEDS}, got {arguments.seeds}")
        study, contest = replace(study, repeats=arguments.seeds), replace(contest, repeats=arguments.seeds)

    from fieldlens.fitting import Controls
    from fieldlens.studies.paper.page import claims_table, run_paper

    from ..terminal.console import Console
    from ..terminal.signals import interruptible

    console, controls = Console(arguments.json), Controls()
    with interruptible(lambda: setattr(controls, "stop", True), "ending the fits that are not finished"):
        authors = arguments.grid == "authors"
        path = arguments.output_dir / "paper" / (arguments.tier + "-authors" * authors)
        found = run_paper(
            study,
            path,
            contest=None if authors else contest,
            only=arguments.only or (),
            reporter=console,
            controls=controls,
            executor=arguments.making.executor(),
        )
    console.result(*claims_table(found.claims).splitlines(), f"report  {found.report}")
    console.finish(to_json(found))
    return 0
