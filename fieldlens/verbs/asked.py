"""What is asked of finished runs: which runs a word means, and their answers one by one."""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fieldlens.configs.encoding import Encoding
from fieldlens.configs.errors import InputError
from fieldlens.configs.names import folder_name
from fieldlens.configs.records import to_json

from . import DONE, WRONG_INPUT
from .options import check_output_dir

if TYPE_CHECKING:
    from fieldlens.studies.runs.answers import Answer
    from fieldlens.studies.runs.folder import RunFolder

    from ..terminal.console import Console


class Asked:
    """The runs that a word means: one, or those of a comparison."""

    def __init__(self, word: str, output_dir: Path, typed: Collection[str], encoding: Encoding | None = None) -> None:
        """Find them.

        Args:
            typed: the options that a person typed.
            encoding: of one's own, named again for the runs that were made with it.

        Raises:
            InputError: when there is none, it is said where to look for a run that is named, or the encoding is of none
                of them.
        """
        from fieldlens.fields.own_encoding import made_ready
        from fieldlens.studies.runs.compare import find_runs, with_encoding

        check_output_dir(word, typed)
        self.names = find_runs(word, output_dir)
        if encoding is not None:
            self.names = with_encoding(self.names, made_ready(encoding))

    def path(self, path: Path | None, run: "RunFolder") -> Path | None:
        """Where a run's answer is written: to the path that was named, or where there are several, beside it."""
        name = self.names[run]
        return path if path is None or not name else path.with_name(f"{path.stem}_{folder_name(name)}{path.suffix}")

    def answer(self, console: "Console", ask: "Callable[[RunFolder], Answer]") -> int:
        """Ask the runs one after the other, and say what was found; the result is the exit status.

        One of several that cannot answer keeps none of the others from it.

        Raises:
            InputError: when there is one run only and it cannot answer, or none of several can.
        """
        if len(self.names) == 1 and not any(self.names.values()):
            console.answer(ask(next(iter(self.names))))
            return DONE
        answers: list[tuple[RunFolder, Answer]] = []
        refusals: dict[str, InputError] = {}
        for run, name in self.names.items():
            try:
                answers.append((run, ask(run)))
                console.result(*_under(name, answers[-1][1].lines))
            except InputError as refusal:
                refusals[name] = refusal
        if len({str(refusal) for refusal in refusals.values()}) == 1 and not answers:
            raise next(iter(refusals.values()))  # what all say is said once
        for name, refusal in refusals.items():
            console.say(f"{name}: {refusal}")
        if not answers:
            raise InputError("none of the runs can answer")
        console.finish({"runs": [{"run": str(run.path), **to_json(found)} for run, found in answers]})
        return WRONG_INPUT if refusals else DONE


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


def _under(name: str, lines: Sequence[str]) -> list[str]:
    return [name, *(f"  {line}" for part in lines for line in part.splitlines())]
