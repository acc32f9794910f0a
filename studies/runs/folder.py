"""The run folder: where each part of a run lies, and how a word names one."""

import hashlib
import itertools
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from fieldlens.configs.encoding import Encoding, Own, require_named
from fieldlens.configs.errors import InputError
from fieldlens.configs.files import numbered, numbered_file, read_bytes, write_json
from fieldlens.configs.names import COMPARISON, CONFIG
from fieldlens.configs.records import read_json_as, to_json
from fieldlens.configs.run import FitConfig
from fieldlens.configs.storage import read_config
from fieldlens.fitting import Change
from fieldlens.render.files import read_png
from fieldlens.scenes.load import restore
from fieldlens.scenes.scene import Scene

from .record import Changes, RunRecord


@dataclass(frozen=True)
class RunFolder:
    """Where the parts of one fit lie."""

    path: Path
    named: Own | None = field(default=None, compare=False, repr=False)
    """An encoding of one's own that a person has named for it, ready to be built."""

    @property
    def config_file(self) -> Path:
        """The configuration, as YAML."""
        return self.path / CONFIG

    @property
    def encoding_file(self) -> Path:
        """What an encoding of one's own was, for people to read: nothing runs it."""
        return self.path / "encoding.py"

    @property
    def target_file(self) -> Path:
        """The target as trained."""
        return self.path / "target.npz"

    @property
    def cameras(self) -> Path:
        """The cameras of a 3D scene, drawn before training."""
        return self.path / "cameras.png"

    @property
    def result_file(self) -> Path:
        """The numbers of the run."""
        return self.path / "run.json"

    @property
    def metrics_file(self) -> Path:
        """The curves."""
        return self.path / "metrics.csv"

    @property
    def checkpoints(self) -> Path:
        """Saved states."""
        return self.path / "checkpoints"

    @property
    def video(self) -> Path:
        """The frames as a film."""
        return self.path / "progress.mp4"

    @property
    def turntable(self) -> Path:
        """The frames of a camera that goes around a 3D scene, as a film."""
        return self.path / "turntable.mp4"

    @property
    def report(self) -> Path:
        """The report."""
        return self.path / "report.html"

    @property
    def analysis(self) -> Path:
        """Maps and the explanation."""
        return self.path / "analysis"

    @property
    def latest(self) -> Path:
        """The newest frame, while the fit goes on and afterwards."""
        return self.path / "latest.png"

    @property
    def changes_file(self) -> Path:
        """What a person changed while the fit ran; there is none where nobody did."""
        return self.path / "changed_by_hand.json"

    @property
    def renders(self) -> Path:
        """Drawings and films of the finished field."""
        return self.path / "renders"

    @property
    def history_file(self) -> Path:
        """Quantities over training."""
        return self.analysis / "over_training.csv"

    @property
    def foretelling_file(self) -> Path:
        """What the creases of checkpoints say of the end."""
        return self.analysis / "over_training.json"

    @property
    def history_figures(self) -> Path:
        """A figure for each quantity over training."""
        return self.analysis / "over_training"

    def scene(self) -> Scene:
        """What is fitted.

        Raises:
            InputError: when the target or the configuration is missing or damaged.
        """
        config = self.config()
        return restore(self.target_file, config.space, config.target.max_pixels)

    def frame(self, step: int, kind: str = "") -> Path:
        """The picture of a step: the panel, or another `kind`.

        "reconstruction" and maps such as "density" are tiles of it, "turntable" is what a camera that goes around sees.
        """
        return numbered_file(self.path / "frames" / kind, step, ".png")

    def frame_steps(self, kind: str = "") -> list[int]:
        """Steps that were drawn, rising."""
        return numbered(self.path / "frames" / kind, ".png")

    def picture(self, step: int, kind: str = "") -> UInt8[np.ndarray, "h w 3"] | None:
        """The frame of a step as it was drawn; None where it is missing or damaged."""
        try:
            return read_png(self.frame(step, kind))
        except InputError:
            return None

    def newest(self, kind: str, until: int | None = None) -> tuple[int, UInt8[np.ndarray, "h w 3"]] | None:
        """The newest picture of a kind that is whole, with its step; of those up to a step, if one is given."""
        steps = (step for step in reversed(self.frame_steps(kind)) if until is None or step <= until)
        return next(((step, seen) for step in steps if (seen := self.picture(step, kind)) is not None), None)

    def config(self) -> FitConfig:
        """The configuration of the run, with the encoding that was named for it.

        Raises:
            InputError: when it is of another schema or damaged.
        """
        config = read_config(self.config_file, FitConfig)
        if self.named is None or not isinstance(config.encoding, Own):
            return config
        return replace(config, encoding=replace(config.encoding, code=self.named.code))

    def with_encoding(self, named: Encoding) -> "RunFolder":
        """The same, with the encoding of one's own that it was made with, which a person has named.

        Args:
            named: ready to be built.

        Raises:
            InputError: when it was made with another, which is known by its text, or with none of one's own.
        """
        made_with = self.config().encoding
        if not isinstance(made_with, Own):
            raise InputError(
                f"{str(self.path)!r} was made with {made_with}, which need not be named; leave out --encoding"
            )
        if not isinstance(named, Own):
            raise InputError(f"{str(self.path)!r} was made with {made_with}, and not with {named}; name that")
        if named.function != made_with.function:
            raise InputError(f"{str(self.path)!r} was made with {made_with}, and {named} is another function")
        require_named(named)
        assert named.code is not None
        kept, now = _digest(read_bytes(self.encoding_file)), _digest(named.code.source)
        if kept != now:
            raise InputError(
                f"{named.file!r} is not what {str(self.path)!r} was made with: its digest is {now[:12]}, and that of "
                f"{self.encoding_file.name} in the folder {kept[:12]}; name the file as it was"
            )
        return replace(self, named=named)

    def changes(self, until: int) -> list[Change]:
        """What a person changed by hand, up to a step.

        Raises:
            InputError: when the file is damaged.
        """
        if not self.changes_file.exists():
            return []
        return [change for change in read_json_as(self.changes_file, Changes).changes if change.step <= until]

    def write_changes(self, changes: Sequence[Change]) -> None:
        """Keep what a person changed, whatever becomes of the process."""
        write_json(self.changes_file, to_json(Changes(changes)))

    @property
    def ended(self) -> bool:
        """Whether the run has come to an end and all of it is there: run.json is written last, and goes when a run goes
        on."""
        return self.result_file.is_file()

    def record(self) -> RunRecord:
        """What run.json says.

        Raises:
            InputError: when it is damaged or of another version, or the run has not ended yet.
        """
        try:
            return read_json_as(self.result_file, RunRecord)
        except InputError as error:
            again = f"`fieldlens fit --resume {shlex.quote(str(self.path))}` makes it again from the last checkpoint"
            raise InputError(f"{error}; {again}") from None

    def finished_record(self) -> RunRecord | None:
        """What run.json says if all of the run is there; None where there is no such file, or a damaged one."""
        try:
            record = self.record()
        except InputError:
            return None
        return record if record.drawing_seconds is not None else None  # once, it was first written before the video


def _digest(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()


LOST = "the pictures of "
"""How the note begins that says what cannot be shown."""


def lost_note(steps: Iterable[int]) -> list[str]:
    """That the pictures of some steps cannot be shown; nothing where there are none.

    >>> lost_note([8, 24, 16])
    ['the pictures of 3 recorded steps (8, 16, 24) are missing or damaged, and left out']
    """
    lost = sorted(steps)
    if not lost:
        return []
    few = ", ".join(map(str, lost[:5])) + (", ..." if len(lost) > 5 else "")
    count = f"{len(lost)} recorded step{'s' * (len(lost) > 1)}"
    return [f"{LOST}{count} ({few}) are missing or damaged, and left out"]


def new_folder(parent: Path) -> Path:
    """Make a folder named by the time in `parent`, with -2, -3, ... when there is one of that name already.

    Raises:
        InputError: when it cannot be written to.
    """
    name = datetime.now().strftime("%Y-%m-%d_%H%M%S")
    for number in itertools.count(1):
        path = parent / (name if number == 1 else f"{name}-{number}")
        try:
            parent.mkdir(parents=True, exist_ok=True)
            path.mkdir()
            return path
        except FileExistsError:
            if not parent.is_dir():
                raise InputError(f"{str(parent)!r} is no folder; choose another --output-dir") from None
        except OSError as error:
            reason = error.strerror
            raise InputError(f"cannot write to {str(parent)!r} ({reason}); choose another --output-dir") from None
    raise AssertionError("there is always another number")


def find_run(word: str, output_dir: Path) -> RunFolder:
    """The run folder that a word names: a path, or `latest` for the newest fit below `output_dir`.

    Runs inside comparisons are never the latest, for which of them would be meant? They are named by their path;
    `compare.find_runs` finds them all.

    Raises:
        InputError: when there is none, or the path is no run folder.
    """
    if is_latest(word) and newest_folder(output_dir, CONFIG) is None:
        comparison = newest_folder(output_dir, COMPARISON)
        if comparison is not None:
            raise InputError(
                f"there are only comparisons below {str(output_dir)!r}; name a run inside one, or the comparison: "
                f"`fieldlens compare --resume {shlex.quote(str(comparison))}`"
            )
    return RunFolder(find_folder(word, output_dir, CONFIG, "run", "fit"))


def find_folder(word: str, output_dir: Path, mark: str, kind: str, verb: str) -> Path:
    """The folder that a word names: a path, or `latest` for the newest one below `output_dir`.

    Args:
        mark: the file that makes it one. It is the last to be written when `verb` begins, so that a folder that was
            left half made is passed over.

    Raises:
        InputError: when there is none, or the path is no such folder.
    """
    if is_latest(word):
        newest = newest_folder(output_dir, mark)
        if newest is None:
            raise InputError(f"there is no {kind} below {str(output_dir)!r} yet; make one with `fieldlens {verb}`")
        return newest
    path = Path(word)
    if not (path / mark).is_file():
        problem = "does not exist" if not path.exists() else f"is no {kind} folder (it has no {mark})"
        inside = min(path.glob(f"runs/*/{mark}"), default=None)
        instead = f"a run inside it, such as {str(inside.parent)!r}" if inside else f"one that `fieldlens {verb}` made"
        raise InputError(f"{word!r} {problem}; name {instead}, or latest")
    return path


def is_latest(word: str) -> bool:
    """Whether a word asks for the newest folder; one that is called so wins."""
    return word == "latest" and not Path(word).exists()


def newest_folder(output_dir: Path, *marks: str) -> Path | None:
    """The newest folder below `output_dir` with one of the files that mark a run or a comparison."""
    found = (file.parent for mark in marks for file in output_dir.glob(f"*/*/*/{mark}"))
    return max(found, key=lambda path: (path.name, path.stat().st_mtime), default=None)
