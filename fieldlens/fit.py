"""`fieldlens fit PICTURE`: train a field, draw every step, explain what is missing."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from configs.errors import InputError
from configs.run import FitConfig, Training

from .options import Json, arguments_from, config_in, parse, starting_config, value_of

if TYPE_CHECKING:
    from studies.folder import RunFolder

DESCRIPTION = "Fit a coordinate network to a picture and watch it being learnt."

RESUMABLE = ("steps", "seconds", "target_psnr", "plateau", "threads", "device")
"""What of the training may be another when a fit goes on."""


@dataclass(frozen=True)
class FitArguments(FitConfig):
    """Options of `fieldlens fit`."""

    resume: str | None = None
    """Go on with a run folder, or the latest one, from its newest checkpoint."""
    config: Path | None = None
    """Start from the choices in a run's config.yaml."""
    preset: str | None = None
    """Start from a named set of choices."""
    json: Json = False
    """Print one JSON object as the last line on standard output, everything else on standard error."""


def main(words: Sequence[str]) -> int:
    """Run the verb; the result is the exit status."""
    resumed = _folder_to_resume(words)
    before = starting_config(FitConfig, words) if resumed is None else resumed.config()
    arguments = parse(FitArguments, "fit", DESCRIPTION, words, arguments_from(FitArguments, before))
    config = config_in(arguments, FitConfig)

    from fitting import Controls
    from studies.fit import run, start

    from .console import Console, interruptible

    console, controls = Console(arguments.json), Controls()
    with interruptible(lambda: setattr(controls, "stop", True)):
        if resumed is None:
            result = run(start(config), config, console, controls)
        else:
            _check_resumed(before, config)
            result = run(resumed, dataclasses.replace(config, output=before.output), console, controls)
    console.result(summary(result))
    console.finish(result)
    return 130 if result["stopped_because"] == "interrupted" else 0


def _folder_to_resume(words: Sequence[str]) -> "RunFolder | None":
    word = value_of("--resume", words)
    if word is None:
        return None
    from studies.folder import find_run

    return find_run(word, Path(value_of("--output-dir", words) or "outputs"))


def summary(result: dict) -> str:
    """What a person reads when a fit is over."""
    quality = "no PSNR" if result["psnr_db"] is None else f"{result['psnr_db']:.2f} dB"
    lines = [
        f"{result['encoding']} {result['network']}: {quality} after {result['steps']} steps, "
        f"{result['seconds']:.0f} s of training ({result['stopped_because']})",
        *result["verdict"],
        f"video   {result['video']}",
        f"report  {result['report']}",
    ]
    return "\n".join(lines)


def _check_resumed(before: FitConfig, now: FitConfig) -> None:
    """A fit that goes on may be given other limits, and nothing else.

    Raises:
        InputError: when something else differs.
    """
    old, new = before.training, now.training
    fixed = {key.name for key in dataclasses.fields(Training)} - set(RESUMABLE)
    changed = [name for name in sorted(fixed) if getattr(old, name) != getattr(new, name)]
    changed += [
        name
        for name in ("scene", "encoding", "network", "target", "seed")
        if getattr(before, name) != getattr(now, name)
    ]
    if changed:
        option = changed[0].replace("_", "-")
        raise InputError(f"a resumed fit keeps its {option}; only limits ({', '.join(RESUMABLE)}) can be changed")
