"""`fieldlens scenes`: what is built in."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .options import Json, parse

DESCRIPTION = "List the built-in scenes."


@dataclass(frozen=True)
class ScenesArguments:
    """Options of `fieldlens scenes`."""

    thumbnails: Path | None = None
    """Draw all of them on one sheet, and write it to this PNG."""
    json: Json = False
    """Print one JSON object as the last line on standard output, everything else on standard error."""


def main(words: Sequence[str]) -> int:
    """Run the verb; the result is the exit status."""
    arguments = parse(ScenesArguments, "scenes", DESCRIPTION, words)

    from render.files import write_png
    from scenes.builtin import BUILTINS
    from scenes.load import thumbnail_sheet

    from .console import Console

    console = Console(arguments.json)
    if arguments.thumbnails is not None:
        write_png(arguments.thumbnails, thumbnail_sheet())
    for name, builtin in BUILTINS.items():
        console.result(f"{name:<10} {builtin.description}  ({builtin.credit})")
    if arguments.thumbnails is not None:
        console.result(f"thumbnails  {arguments.thumbnails}")
    path = None if arguments.thumbnails is None else str(arguments.thumbnails)
    scenes = [{"name": name, "description": builtin.description} for name, builtin in BUILTINS.items()]
    console.finish({"path": path, "scenes": scenes})
    return 0
