"""The folder of a sweep: where its parts lie, which fits it asks for, and which of them are finished, anywhere."""

import os
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from fieldlens.configs.encoding import Own
from fieldlens.configs.errors import InputError
from fieldlens.configs.files import write_json
from fieldlens.configs.names import COMPARISON, CONFIG, SWEEP
from fieldlens.configs.records import read_json_as, to_json
from fieldlens.configs.run import CompareConfig, FitConfig
from fieldlens.configs.storage import read_config
from fieldlens.fitting import plan_of
from fieldlens.scenes.scene import Scene
from fieldlens.studies.runs.compare import ENDS, Comparison, find_comparison
from fieldlens.studies.runs.folder import RunFolder, is_latest, newest_folder

from .pictures import Fitted, kept_scenes, scene_of
from .plan import Grid, Planned, digest_in, fit_name
from .tuning import Tuned, tuned_fit


@dataclass(frozen=True)
class LostFit:
    """A fit that was lost with the process or worker that made it, and begun again."""

    name: str
    """Of its folder."""
    losses: tuple[str, ...]
    """Why, for each time."""


@dataclass(frozen=True)
class LostFits:
    """All of them in a sweep: lost.json."""

    fits: tuple[LostFit, ...] = ()


@dataclass(frozen=True)
class Sweep:
    """Where the parts of a sweep lie."""

    path: Path
    named: tuple[Own, ...] = field(default=(), compare=False, repr=False)
    """Encodings of one's own that a person has named for it, ready to be built."""

    @property
    def config_file(self) -> Path:
        """The choices, as YAML; it is the last to be written when a sweep begins."""
        return self.path / SWEEP

    @property
    def scenes(self) -> Path:
        """What is fitted."""
        return self.path / "scenes"

    @property
    def runs(self) -> Path:
        """A run folder for each fit that was made here."""
        return self.path / "runs"

    @property
    def trials(self) -> Path:
        """Those of the search for rates, which are not reported."""
        return self.path / "trials"

    @property
    def tuned_file(self) -> Path:
        """What that search found."""
        return self.path / "tuned.json"

    @property
    def lost_file(self) -> Path:
        """Which fits were lost with what made them, and why; there is none where none was."""
        return self.path / "lost.json"

    @property
    def report(self) -> Path:
        """The page of all."""
        return self.path / "report.html"

    @property
    def table_file(self) -> Path:
        """A line for each method, as Markdown."""
        return self.path / "table.md"

    @property
    def fits_file(self) -> Path:
        """A line for each finished fit."""
        return self.path / "table.csv"

    @property
    def summary_file(self) -> Path:
        """A line for each method and quantity: what is the same wherever the fits were made."""
        return self.path / "summary.csv"

    @property
    def figures(self) -> Path:
        """Charts as SVG and PDF."""
        return self.path / "figures"

    @property
    def result_file(self) -> Path:
        """What was found; it is written last, and goes when a sweep goes on."""
        return self.path / "sweep.json"

    def config(self) -> CompareConfig:
        """The choices, with the encodings that were named for it.

        Raises:
            InputError: when they are missing, of another schema or damaged.
        """
        config = read_config(self.config_file, CompareConfig)
        named = {str(encoding): encoding for encoding in self.named}
        own = tuple(named.get(str(one), one) if isinstance(one, Own) else one for one in config.encodings)
        return replace(config, encodings=own)

    def grid(self) -> Grid:
        """The fits that it asks for; raises as `config` does."""
        return Grid(self.config())

    def tuned(self) -> Tuned | None:
        """What the search for rates found; None where there was none yet.

        Raises:
            InputError: when the file is damaged.
        """
        return read_json_as(self.tuned_file, Tuned) if self.tuned_file.is_file() else None

    def lost(self) -> Mapping[str, tuple[str, ...]]:
        """By the name of a fit, why it was lost, for each time that it was; nothing where the file is damaged."""
        try:
            found = read_json_as(self.lost_file, LostFits) if self.lost_file.is_file() else LostFits()
        except InputError:  # no number hangs on it
            found = LostFits()
        return {one.name: one.losses for one in found.fits}

    def add_lost(self, name: str, losses: Sequence[str]) -> None:
        """Keep that a fit was lost.

        Raises:
            InputError: when it cannot be written.
        """
        before = self.lost()
        now = {**before, name: (*before.get(name, ()), *losses)}
        write_json(self.lost_file, to_json(LostFits(tuple(LostFit(*one) for one in now.items()))))

    def planned(self, configs: Iterable[FitConfig], tuned: Tuned | None = None) -> list[Planned]:
        """Fits with the names of their folders, and by the rates that were found for them.

        Each scene is read once, and one is held at a time.

        Raises:
            InputError: when a scene is missing or damaged.
        """
        kept, grid = kept_scenes(self.scenes), self.grid()
        asked = list(configs)
        by_scene: dict[Fitted, list[int]] = {}
        for number, config in enumerate(asked):
            by_scene.setdefault(kept.of(config), []).append(number)
        found: dict[int, Planned] = {}
        for fitted, numbers in by_scene.items():
            scene = scene_of(self.scenes, fitted, grid.config.space, grid.config.target.max_pixels)
            for number in numbers:
                method = grid.method_of(asked[number])
                config = asked[number] if tuned is None else tuned_fit(asked[number], scene, tuned.of(method.name))
                name = fit_name(config, plan_of(config, scene), fitted.digest)
                found[number] = Planned(config, fitted.name, method, name)
        return [found[number] for number in range(len(asked))]

    def scene(self, config: FitConfig) -> tuple[Fitted, Scene]:
        """What a fit is fitted to.

        Raises:
            InputError: when it is missing or damaged.
        """
        fitted = kept_scenes(self.scenes).of(config)
        return fitted, scene_of(self.scenes, fitted, config.space, config.target.max_pixels)

    def scene_kept(self, fitted: Fitted) -> Scene:
        """One of the scenes; raises as `scene` does."""
        config = self.config()
        return scene_of(self.scenes, fitted, config.space, config.target.max_pixels)


def find_comparison_or_sweep(word: str, output_dir: Path) -> Comparison | Sweep:
    """What `fieldlens compare` made, by a path, or `latest` for the newest below `output_dir`.

    Raises:
        InputError: when there is none, or the path is neither.
    """
    if is_latest(word) and (newest := newest_folder(output_dir, COMPARISON, SWEEP)) is not None:
        word = str(newest)
    return Sweep(Path(word)) if (Path(word) / SWEEP).is_file() else find_comparison(word, output_dir)


def is_finished(folder: RunFolder) -> bool:
    """Whether a fit has come to its end, and all of it is there."""
    record = folder.finished_record()
    return record is not None and record.stopped_because in ENDS


class Finished:
    """Which fits are finished: those in a sweep's folder, and those of the same name anywhere below the outputs."""

    def __init__(self, folder: Path, output_dir: Path) -> None:
        self._folder = folder
        self._elsewhere = fits_below(output_dir)
        self._known: dict[str, RunFolder] = {}

    def of(self, name: str) -> RunFolder | None:
        """The folder of a finished fit; None of one that is not."""
        if name not in self._known:
            places = [self._folder / name, *self._elsewhere.get(digest_in(name), ())]
            found = next((folder for path in places if is_finished(folder := RunFolder(path))), None)
            if found is None:
                return None
            self._known[name] = found
        return self._known[name]

    def among(self, planned: Sequence[Planned]) -> Mapping[Planned, RunFolder]:
        """Those of some fits, in their order."""
        return {one: folder for one in planned if (folder := self.of(one.name)) is not None}


def fits_below(top: Path) -> dict[str, list[Path]]:
    """All run folders below a folder by the digests that their names begin with; no folder in a run is looked at."""
    found: dict[str, list[Path]] = {}
    for folder, inside, files in os.walk(top):
        inside.sort()
        if CONFIG in files:
            inside.clear()
            path = Path(folder)
            found.setdefault(digest_in(path.name), []).append(path)
    return found


def with_own_named(sweep: Sweep, config: CompareConfig) -> Sweep:
    """A sweep with those encodings of one's own that a person has named for it.

    Raises:
        InputError: when one was made with another text, or is not named.
    """
    own = tuple(one for one in config.encodings if isinstance(one, Own))
    for one in own:
        if one.code is None:
            words = " ".join(shlex.quote(str(encoding)) for encoding in config.encodings)
            raise InputError(
                f"{one} is an encoding of somebody's own, and what a folder holds is never run: name it again, with "
                f"all words as they were: --encodings {words}"
            )
    return replace(sweep, named=own)
