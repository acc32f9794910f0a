"""What is recorded of a run that has come to an end: run.json."""

import math
import platform
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from fieldlens.configs.encoding import PYTHON, Own, parse_encoding
from fieldlens.configs.errors import counted
from fieldlens.configs.files import JsonObject
from fieldlens.configs.records import IF_ANY, INLINE, fields_of, with_before
from fieldlens.configs.run import named
from fieldlens.fitting import Change, Plan, is_still_gaining, longer
from fieldlens.studies.subjects.found import Named, Summary

STOPPED: Mapping[str, str] = {
    "steps": "it has taken all its steps",
    "seconds": "its time is up",
    "target": "it has the PSNR that was asked for",
    "plateau": "it hardly gained any more",
    "diverged": "it diverged",
    "interrupted": "it was interrupted",
}
"""Why a fit stopped, as a person is told."""


@dataclass(frozen=True)
class Changes:
    """What a person changed while a fit ran: changed_by_hand.json."""

    changes: Sequence[Change]


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """The numbers of a run, and where its parts lie."""

    path: Path
    report: Path
    video: Path | None
    """None where the encoder failed; the notes say why."""
    turntable: Path | None
    """None where none was asked for, or as for the video."""
    scene: str
    encoding: str
    network: str
    psnr_db: float | None
    """PSNR of the training pixels; the notes say which, where not all. None of a fit that has diverged."""
    heldout_psnr_db: float | None
    """None where nothing is held out."""
    ssim: float | None
    steps: int
    seconds: float
    """Of training."""
    samples_per_s: int
    stopped_because: str
    """`steps`, `seconds`, `target`, `plateau`, `diverged` or `interrupted`."""
    energy_kept: Named
    """By octave of wavelengths."""
    explained: Summary = field(metadata=INLINE)
    notes: tuple[str, ...]
    """What was done to what is fitted, and what scores are of."""
    versions: Mapping[str, str]
    gained_db: float | None = field(default=None, metadata=IF_ANY)
    """PSNR gained over the last third of the steps, as the curves have it; None where it cannot be said."""
    changed_by_hand: tuple[Change, ...] | None = field(default=None, metadata=IF_ANY)
    """What a person changed while it ran; the configuration alone does not give such a run again."""
    drawing_seconds: float | None = None
    """Spent on frames, video and report; None while these are still drawn."""
    plan: Plan

    @property
    def name(self) -> str:
        """Encoding and network in their words, and the optimizer where it is not adam."""
        return named(self.encoding, self.network, self.plan.optimizer)

    @property
    def lines(self) -> list[str]:
        """What a person reads when a fit is over."""
        quality = "no PSNR" if self.psnr_db is None else f"{self.psnr_db:.2f} dB"
        if self.heldout_psnr_db is not None:
            quality += f" ({self.heldout_psnr_db:.2f} dB held out)"
        time = f"{self.seconds:.0f} s" if self.seconds >= 1 else "under 1 s"
        return [
            f"{self.name}: {quality} after {counted(self.steps, 'step')} and {time} of training; "
            f"{STOPPED.get(self.stopped_because, self.stopped_because)}",
            *self.explained.sentences,
            *([] if self.video is None else [f"video   {self.video}"]),
            *([] if self.turntable is None else [f"turntable {self.turntable}"]),
            f"report  {self.report}",
            *self._going_on,
        ]

    @property
    def _going_on(self) -> list[str]:
        """The command that trains on, for a fit that was interrupted or was still gaining."""
        if self.stopped_because == "interrupted":
            return [self._command("")]
        if not self.still_gaining:
            return []
        more = longer(self.plan, self.stopped_because, self.steps, self.seconds)[0]
        return [f"It was still gaining: {self.gained_db:.2f} dB over the last third of its steps.", self._command(more)]

    def _command(self, more: str) -> str:
        """What goes on with the run, with an option such as "--steps 40" or none."""
        encoding = parse_encoding(self.encoding)
        if isinstance(encoding, Own) and encoding.file == PYTHON:  # which no command line can name
            limit = more.replace("--", ", ").replace(" ", "=")
            return f"go on   from Python: fieldlens.fit(resume={str(self.path)!r}, encoding={encoding.function}{limit})"
        own = ["--encoding", shlex.quote(self.encoding)] if isinstance(encoding, Own) else []
        return " ".join(["go on   fieldlens fit --resume", shlex.quote(str(self.path)), *own, *more.split()])

    @property
    def still_gaining(self) -> bool:
        """Whether it ended by its length alone, and would have gained more."""
        return is_still_gaining(self.stopped_because, self.gained_db)

    def to_json(self) -> JsonObject:
        """As run.json has it: beside what was found, what a reader of this file alone asks of the plan."""
        plan = self.plan
        said = {
            "optimizer": str(plan.optimizer),
            "learning_rate": plan.learning_rate,
            "second_limit": plan.seconds,
            "device": plan.device_name,
            "precision": plan.precision,
            "threads": plan.threads,
            "seed": plan.seed,
        }
        return with_before(fields_of(self), "energy_kept", said)


def finite(value: float | None) -> float | None:
    """Strict JSON has no NaN: what a diverged fit scores is null."""
    return value if value is not None and math.isfinite(value) else None


def installed_versions() -> dict[str, str]:
    """Of this program, of what its numbers come from, and of Python."""
    names = ("fieldlens", "torch", "numpy", "opencv-python")
    return {name: version(name) for name in names} | {"python": platform.python_version()}
