"""`fieldlens scenes`: what is built in."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fieldlens.configs.errors import InputError, counted
from fieldlens.configs.files import require_new
from fieldlens.configs.names import require_folder_name

from .options import Flag, parse

DESCRIPTION = (
    "List the built-in pictures, 3D scenes and signals, draw pictures and scenes on one sheet, or write a 3D scene as "
    "a folder."
)


@dataclass(frozen=True)
class ScenesArguments:
    """Options of `fieldlens scenes`."""

    thumbnails: Path | None = None
    """Draw all of them on one sheet, and write it to this file: .png, .jpg, .webp or .tiff."""
    write: tuple[str, Path] | None = None
    """Write a 3D scene, such as demo:lattice, as a new folder of pictures and cameras in Blender's layout."""
    json: Flag = False
    """Print one JSON object as the last line on standard output, everything else on standard error."""


def main(words: Sequence[str]) -> int:
    """Run the verb; the result is the exit status."""
    arguments = parse(ScenesArguments, "scenes", DESCRIPTION, words)
    if arguments.thumbnails is not None and arguments.write is not None:
        raise InputError("--thumbnails and --write make two things; choose one")

    from fieldlens.configs.signal import NAME, Sines
    from fieldlens.render.files import PICTURE_ENDINGS, require_ending, write_picture
    from fieldlens.scenes.builtin import BUILTINS
    from fieldlens.scenes.captures.transforms_writing import write_blender
    from fieldlens.scenes.demos import DEMOS, photographed
    from fieldlens.scenes.load import DEMO, demo_named, thumbnail_sheet

    from ..terminal.console import Console

    console = Console(arguments.json)
    if arguments.write is not None:
        word, folder = arguments.write
        demo = demo_named(word)
        require_folder_name(folder, "--write")
        require_new(folder)
        capture = photographed(demo, progress=lambda done: console.working(f"photographing {demo.name}", done))
        write_blender(capture, folder)
        console.result(
            f"{counted(len(capture.train), 'photograph')} to train on and {len(capture.heldout)} held out  {folder}"
        )
        console.finish({"path": str(folder), "train": len(capture.train), "heldout": len(capture.heldout)})
        return 0

    if arguments.thumbnails is not None:
        require_ending(arguments.thumbnails, PICTURE_ENDINGS, "the sheet")
        write_picture(arguments.thumbnails, thumbnail_sheet())
    scenes = {name: (builtin.description, builtin.credit) for name, builtin in BUILTINS.items()}
    scenes |= {f"{DEMO}{name}": (demo.description, demo.credit) for name, demo in DEMOS.items()}
    scenes[NAME] = f"a sum of sines, {Sines()} unless other cycles are named", "generated"
    for name, (description, credit) in scenes.items():
        console.result(f"{name:<14} {description}  ({credit})")
    if arguments.thumbnails is not None:
        console.result(f"thumbnails  {arguments.thumbnails}")
    path = None if arguments.thumbnails is None else str(arguments.thumbnails)
    listed = [{"name": name, "description": description} for name, (description, _credit) in scenes.items()]
    console.finish({"path": path, "scenes": listed})
    return 0
