"""`fieldlens export RUN`: a fitted 3D scene for other programs."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import tyro

from fieldlens.configs.encoding import Encoding
from fieldlens.configs.errors import InputError
from fieldlens.configs.names import require_folder_name

from .options import Flag, parse, typed_options

DESCRIPTION = "Write a fitted 3D scene for other programs: its surface as a mesh, or the depth of its held-out views."


@dataclass(frozen=True)
class ExportArguments:
    """Options of `fieldlens export`."""

    run: tyro.conf.Positional[str] = "latest"
    """A run folder, one of a comparison, or latest."""
    mesh: Path | None = None
    """Write the surface to this file, in the scene's own coordinates: .ply, .obj, .stl, or .glb with y up."""
    depth: Path | None = None
    """Write the depth of held-out views into this new folder: 16-bit PNG, npz, and depth.json with the unit."""
    resolution: int = 128
    """With --mesh: cells along a side of the scene's cube."""
    level: float | None = None
    """With --mesh, of a radiance field: the density at the surface, per side of the cube.
    By default it is that at which 4 steps of a ray stop half of its light."""
    colour: Literal["field", "density"] = "field"
    """With --mesh: vertices have the field's colours, or with density those of crease area per volume."""
    step: int | None = None
    """The checkpoint to export; by default the newest."""
    encoding: Encoding | None = None
    """Of a run with an encoding of one's own, that encoding again, such as mine.py:waves.
    The copy in the folder is to be read, and never run."""
    output_dir: Path = Path("outputs")
    """Where to look for the latest run."""
    json: Flag = False
    """Print one JSON object as the last line on standard output, everything else on standard error."""


def main(words: Sequence[str]) -> int:
    """Run the verb; the result is the exit status."""
    arguments = parse(ExportArguments, "export", DESCRIPTION, words)
    if (arguments.mesh is None) == (arguments.depth is None):
        raise InputError("name what to export: --mesh FILE or --depth DIR, one of them")
    if arguments.depth is not None:
        require_folder_name(arguments.depth, "--depth")
    typed = typed_options(words)
    for option in ("resolution", "level", "colour"):
        if arguments.mesh is None and option in typed:
            raise InputError(f"--{option} goes with --mesh")

    from fieldlens.studies.questions.export import DepthExported, MeshExported, export_depth, export_mesh
    from fieldlens.studies.runs.folder import RunFolder

    from ..terminal.console import Console
    from .asked import Asked

    console, asked = Console(arguments.json), Asked(arguments.run, arguments.output_dir, typed, arguments.encoding)

    def depth_of(folder: RunFolder) -> DepthExported:
        into = asked.path(arguments.depth, folder)
        assert into is not None  # asked only then
        return export_depth(folder, into, step=arguments.step, reporter=console)

    def mesh_of(folder: RunFolder) -> MeshExported:
        file = asked.path(arguments.mesh, folder)
        assert file is not None  # asked only then
        exported = export_mesh(
            folder,
            file,
            resolution=arguments.resolution,
            level=arguments.level,
            colour=arguments.colour,
            step=arguments.step,
            reporter=console,
        )
        for remark in exported.remarks:
            console.say(remark)
        return exported

    return asked.answer(console, mesh_of if arguments.depth is None else depth_of)
