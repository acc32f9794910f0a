"""`fieldlens runs [OUTPUTS]`: what is there, and its removal."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import tyro

from fieldlens.configs.errors import InputError, counted
from fieldlens.configs.records import to_json

from . import DONE
from .options import Flag, parse, typed_options

DESCRIPTION = "List the runs and comparisons in an output folder, the newest last, or delete some."


@dataclass(frozen=True)
class RunsArguments:
    """Options of `fieldlens runs`."""

    outputs: tyro.conf.Positional[Path] = Path("outputs")
    """The folder to look in."""
    delete: tuple[Path, ...] = ()
    """Folders of runs or comparisons to delete, as the list names them. You are asked first.
    What is no such folder, or is being written, is not deleted, and then none of them is."""
    yes: Flag = False
    """Delete without being asked."""
    json: Flag = False
    """Print one JSON object as the last line on standard output, everything else on standard error."""


def main(words: Sequence[str]) -> int:
    """Run the verb; the result is the exit status."""
    arguments = parse(RunsArguments, "runs", DESCRIPTION, words)
    if arguments.yes and not arguments.delete:
        raise InputError("--yes goes with --delete")
    if "delete" in typed_options(words) and not arguments.delete:
        raise InputError("--delete needs the folder of a run; `fieldlens runs` lists them")

    from fieldlens.studies.questions.listing import deletable, delete, line, listed, size, table

    from ..terminal.console import Console

    console = Console(arguments.json)
    if arguments.delete:
        once = {path.absolute(): path for path in arguments.delete}  # however it is written
        going = [deletable(str(path)) for path in once.values()]
        lines = [line(path, kind) for path, kind in going]
        total = size(sum(one.size_bytes for one in lines))
        console.result(*table(lines))
        if not (arguments.yes or _agreed(f"delete {counted(len(lines), 'folder')}, {total}?")):
            console.say("nothing was deleted")
            lines = []
        delete([one.path for one in lines], arguments.outputs)
        if lines:
            console.result(f"deleted {counted(len(lines), 'folder')}, {total}")
        console.finish({"deleted": [to_json(one) for one in lines]})
        return DONE
    lines = listed(arguments.outputs)
    runs = sum(one.kind == "run" for one in lines)
    count = f"{counted(runs, 'run')} and {counted(len(lines) - runs, 'comparison')}"
    total = size(sum(one.size_bytes for one in lines))
    console.result(*(table(lines) if lines else []), f"{count} in {arguments.outputs}, {total}")
    console.finish({"runs": [to_json(one) for one in lines]})
    return DONE


def _agreed(question: str) -> bool:
    """Ask the person at the terminal.

    Raises:
        InputError: where there is none.
    """
    if not sys.stdin.isatty():
        raise InputError("nobody is there to be asked; add --yes to delete without")
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
