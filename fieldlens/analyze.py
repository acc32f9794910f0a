"""`fieldlens analyze RUN`: maps and verdict again, from any checkpoint, without training."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from configs.errors import InputError
from configs.space import Slice

from .options import Json, parse

DESCRIPTION = "Explain anew what a fit is missing of its picture or 3D scene, from any checkpoint, without training."


@dataclass(frozen=True)
class AnalyzeArguments:
    """Options of `fieldlens analyze`."""

    run: tyro.conf.Positional[str] = "latest"
    """A run folder, or latest."""
    step: int | None = None
    """The checkpoint to explain; by default the newest."""
    cells: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Instead, find the cells of a region, exact with raw coordinates: analysis/cells.svg, cells.png and cells.json. Of
    a 3D scene, those on a --slice."""
    slice: Slice | None = None
    """Instead, of a 3D scene, how dense creases are where an axis (x, y or z) of the scene's cube has a coordinate from
    0 to 1, such as z=0.5: analysis/slice.png, slice.npz and slice.json. With --cells, the cells there."""
    confusion: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Instead, whether pixels' gradients help or hinder each other: analysis/confusion.png and confusion.json."""
    kernel: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Instead, the neural tangent kernel: ranks, alignment, correlation length: analysis/kernel.png and kernel.json."""
    all_checkpoints: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Instead, measure everything at each checkpoint that was kept: analysis/over_training.csv and a figure each."""
    region: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)
    """With --cells: left, top, width and height of where to look, as shares of the picture or slice."""
    max_cells: int = 100_000
    """With --cells, under an encoding: a region that would hold more is refused, as memory and time grow with them."""
    output_dir: Path = Path("outputs")
    """Where to look for the latest run."""
    json: Json = False
    """Print one JSON object as the last line on standard output, everything else on standard error."""


def main(words: Sequence[str]) -> int:
    """Run the verb; the result is the exit status."""
    arguments = parse(AnalyzeArguments, "analyze", DESCRIPTION, words)
    for option in ("region", "max_cells"):
        if getattr(arguments, option) != getattr(AnalyzeArguments, option) and not arguments.cells:
            raise InputError(f"--{option.replace('_', '-')} goes with --cells; all else is of the whole picture")

    kinds = ("cells", "slice", "confusion", "kernel", "all_checkpoints")
    chosen = [kind.replace("_", "-") for kind in kinds if getattr(arguments, kind)]
    if len(chosen) > 1 and chosen != ["cells", "slice"]:
        raise InputError(f"--{chosen[0]} and --{chosen[1]} are two analyses; choose one")
    if arguments.all_checkpoints and arguments.step is not None:
        raise InputError("--all-checkpoints is of every step: leave out --step")

    from studies.folder import find_run

    from .console import Console

    console = Console(arguments.json)
    folder = find_run(arguments.run, arguments.output_dir)
    if arguments.cells:
        from studies.celldrawing import cells_sentence, draw_cells

        found = draw_cells(
            folder,
            region=arguments.region,
            cut=arguments.slice,
            step=arguments.step,
            max_cells=arguments.max_cells,
            reporter=console,
        )
        console.result("\n".join([cells_sentence(found), *_places(found)]))
        console.finish(found)
        return 0

    if arguments.slice is not None:
        from studies.slices import draw_slice

        found = draw_slice(folder, arguments.slice, step=arguments.step, reporter=console)
        console.result("\n".join([found["summary"], *_places(found)]))
        console.finish(found)
        return 0

    if arguments.confusion or arguments.kernel:
        from studies.pairs import measure_confusion, measure_kernel

        measure = measure_confusion if arguments.confusion else measure_kernel
        measured = measure(folder, step=arguments.step, reporter=console)
        console.result("\n".join([measured["summary"], *_places(measured)]))
        console.finish(measured)
        return 0

    if arguments.all_checkpoints:
        from studies.history import measure_checkpoints

        measured = measure_checkpoints(folder, reporter=console)
        console.result("\n".join(_over_training(measured)))
        console.finish(measured)
        return 0

    from studies.redraw import analyze
    from studies.reporting import sentences

    result = analyze(folder, step=arguments.step, reporter=console)
    lines = [*sentences(result), f"maps    {result['path']}"]
    console.result("\n".join(lines if result["report"] is None else [*lines, f"report  {result['report']}"]))
    console.finish(result)
    return 0


def _over_training(measured: Mapping[str, Any]) -> list[str]:
    """What early creases foretell, apart from the verdict, and where the rest is."""
    foretold = measured["foretold"] or {}
    sentence = [foretold["sentence"]] if foretold.get("sentence") else []
    report = [] if measured["report"] is None else [f"report   {measured['report']}"]
    return [*sentence, f"table    {measured['path']}", f"figures  {measured['figures']}", *report]


def _places(found: Mapping[str, Any]) -> list[str]:
    """Where a drawing is, and the report that shows it."""
    return [f"drawing {found['path']}", *([] if found["report"] is None else [f"report  {found['report']}"])]
