"""`fieldlens analyze RUN`: maps and verdict again, from any checkpoint, without training."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import tyro

from fieldlens.configs.encoding import Encoding
from fieldlens.configs.errors import InputError
from fieldlens.configs.space import Slice
from fieldlens.studies.questions.table import QUESTIONS, Question

from .options import Flag, parse, typed_options

if TYPE_CHECKING:
    from fieldlens.studies.runs.answers import Answer
    from fieldlens.studies.runs.folder import RunFolder
    from fieldlens.studies.runs.reporter import Reporter

DESCRIPTION = "Explain anew what a fit is missing of its picture or 3D scene, from any checkpoint, without training."


@dataclass(frozen=True)
class AnalyzeArguments:
    """Options of `fieldlens analyze`."""

    run: tyro.conf.Positional[str] = "latest"
    """A run folder, one of a comparison, or latest."""
    step: int | None = None
    """The checkpoint to explain; by default the newest."""
    cells: Flag = False
    """Instead, find the cells of a region: the sets of points in which the same neurons are on.
    With raw coordinates they are exact. Of a 3D scene they are those on a --slice.
    Writes analysis/cells.svg, cells.png and cells.json."""
    slice: Slice | None = None
    """Instead, see how dense creases are on a plane through a 3D scene, such as z=0.5.
    That is where an axis (x, y or z) of the scene's cube has this coordinate, from 0 to 1.
    Writes analysis/slice.png, slice.npz and slice.json. With --cells, finds the cells on the plane."""
    confusion: Flag = False
    """Instead, measure whether steps for different pixels help or hinder each other.
    Writes analysis/confusion.png and confusion.json."""
    kernel: Flag = False
    """Instead, measure how far a step for one pixel reaches, and in how many directions steps move the picture.
    That is the neural tangent kernel, with its ranks and its alignment.
    Writes analysis/kernel.png and kernel.json."""
    all_checkpoints: Flag = False
    """Instead, measure everything at each checkpoint that was kept.
    Writes analysis/over_training.csv and a figure for each quantity."""
    region: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)
    """With --cells: left, top, width and height of where to look, as shares of the picture or slice."""
    max_cells: int | None = None
    """With --cells under an encoding, the most cells, by default a hundred thousand: memory and time grow with them.
    A region that would hold more is refused."""
    encoding: Encoding | None = None
    """Of a run with an encoding of one's own, that encoding again, such as mine.py:waves.
    The copy in the folder is to be read, and never run."""
    output_dir: Path = Path("outputs")
    """Where to look for the latest run."""
    json: Flag = False
    """Print one JSON object as the last line on standard output, everything else on standard error."""


def main(words: Sequence[str]) -> int:
    """Run the verb; the result is the exit status."""
    arguments = parse(AnalyzeArguments, "analyze", DESCRIPTION, words)
    typed = typed_options(words)
    question = question_of(arguments, typed)

    from ..terminal.console import Console
    from .asked import Asked

    console, asked = Console(arguments.json), Asked(arguments.run, arguments.output_dir, typed, arguments.encoding)
    return asked.answer(console, lambda folder: answer_of(folder, arguments, question, console))


def answer_of(
    folder: "RunFolder", arguments: AnalyzeArguments, question: Question | None, reporter: "Reporter"
) -> "Answer":
    """What a run answers to a question; to none, its verdict anew.

    Raises:
        InputError: when it cannot be asked that.
    """
    from fieldlens.studies.questions.explanation import analyze

    if question is None:
        return analyze(folder, step=arguments.step, reporter=reporter)
    said = {option: getattr(arguments, option) for option in question.options}
    return question.answer(folder, reporter=reporter, **said)


def question_of(arguments: AnalyzeArguments, typed: Collection[str]) -> Question | None:
    """What is asked; None for the verdict anew.

    Raises:
        InputError: when two questions are asked, or what is said does not go with the one.
    """
    named = {name: question for name, question in QUESTIONS.items() if getattr(arguments, name)}
    with_another = {option for name, question in named.items() for option in question.options if option != name}
    asked = [question for name, question in named.items() if name not in with_another]
    takes = asked[0].options if asked else ("step",)
    for option in ("region", "max_cells"):
        if option in typed and option not in takes:
            takers = " or ".join(question.option for question in QUESTIONS.values() if option in question.options)
            raise InputError(f"--{option.replace('_', '-')} goes with {takers}; all else is of the whole picture")
    if len(asked) > 1:
        raise InputError(f"{asked[0].option} and {asked[1].option} are two analyses; choose one")
    if "step" in typed and "step" not in takes:
        raise InputError(f"{asked[0].option} is of every step: leave out --step")
    return asked[0] if asked else None
