"""`fieldlens compare PICTURE --encodings ...`: the same picture under several encodings, side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from configs.run import CompareConfig

from .options import Json, arguments_from, config_in, parse, starting_config, value_of

DESCRIPTION = "Fit one picture under several encodings (and networks) with one protocol, and set them side by side."


@dataclass(frozen=True)
class CompareArguments(CompareConfig):
    """Options of `fieldlens compare`."""

    resume: Path | None = None
    """Go on with the folder of a comparison; nothing else can be changed then."""
    config: Path | None = None
    """Start from the choices in a comparison.yaml."""
    preset: str | None = None
    """Start from a named set of choices, such as demo."""
    json: Json = False
    """Print one JSON object as the last line on standard output, everything else on standard error."""


def main(words: Sequence[str]) -> int:
    """Run the verb; the result is the exit status."""
    start_from = arguments_from(CompareArguments, starting_config(CompareConfig, words))
    arguments = parse(CompareArguments, "compare", DESCRIPTION, words, start_from)

    from fitting import Controls
    from studies.compare import Comparison, run_comparison, start_comparison

    from .console import Console, interruptible

    console, controls = Console(arguments.json), Controls()
    with interruptible(lambda: setattr(controls, "stop", True)):
        if value_of("--resume", words) is None:
            comparison = start_comparison(config_in(arguments, CompareConfig))
        else:
            assert arguments.resume is not None  # value_of has seen it
            comparison = Comparison(arguments.resume)
        result = run_comparison(comparison, console, controls)
    table = (comparison.path / "table.md").read_text(encoding="utf-8")
    console.result("\n".join([table, *result["verdict"], f"video   {result['video']}", f"report  {result['report']}"]))
    console.finish(result)
    return 130 if result["stopped_because"] == "interrupted" else 0
