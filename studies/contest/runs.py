"""The fits of a contest, each with its table of windows; those that are finished are used again."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property, partial
from itertools import product
from pathlib import Path

import numpy as np

from fieldlens.configs.encoding import Encoding
from fieldlens.configs.errors import InputError
from fieldlens.configs.names import known_folder
from fieldlens.configs.optimizer import Optimizer, default_learning_rate, with_rate
from fieldlens.configs.run import FitConfig, Output, Target
from fieldlens.configs.space import Space
from fieldlens.configs.study import Contest
from fieldlens.fitting import Controls, plan_of
from fieldlens.scenes.load import load, sort_of
from fieldlens.scenes.picture import Picture
from fieldlens.studies.making.executor import Executor, Work
from fieldlens.studies.making.missing import make_missing
from fieldlens.studies.making.whole import is_whole, whole_fit
from fieldlens.studies.runs.folder import RunFolder
from fieldlens.studies.runs.reporter import Reporter

from .measuring import Measured, Windowed
from .quantities import CANDIDATES
from .table import WindowTable, read_table, write_table


class ContestRuns:
    """The fits of a contest, each in a run folder of its own below `path`."""

    def __init__(self, contest: Contest, path: Path) -> None:
        self.contest, self.path = contest, path
        self._read: dict[Path, WindowTable] = {}

    @cached_property
    def fits(self) -> list[FitConfig]:
        """All of them: one seed of everything first, so that what is there early is of all pictures."""
        contest = self.contest
        every = product(contest.pictures, contest.encodings, contest.optimizers)
        return [self.config(*one, repeat) for repeat, one in product(range(contest.repeats), every)]

    def config(self, picture: str, encoding: Encoding, optimizer: Optimizer, repeat: int) -> FitConfig:
        """One fit. No two share their seed, by picture or repeat; more repeats add fits and change none."""
        contest = self.contest
        optimizer = with_rate(optimizer, encoding, contest.network)
        rate = default_learning_rate(encoding, contest.network, optimizer)
        return FitConfig(
            scene=picture,
            training=replace(contest.training, optimizer=optimizer, learning_rate=rate),
            target=Target(max_side=contest.max_side),
            output=Output(output_dir=self.path),
            seed=repeat * len(contest.pictures) + contest.pictures.index(picture),
            encoding=encoding,
            network=contest.network,
        )

    def of_picture(self, picture: str, encoding: Encoding, optimizer: Optimizer | None = None) -> list[FitConfig]:
        """The fits of a picture under an encoding: by each optimizer, or by one, with each seed."""
        optimizers = self.contest.optimizers if optimizer is None else (optimizer,)
        return [self.config(picture, encoding, *one) for one in product(optimizers, range(self.contest.repeats))]

    def lender(self, config: FitConfig) -> FitConfig:
        """The fit of the picture before, alike in all else, whose network was asked for this one's detail."""
        pictures = self.contest.pictures
        before = pictures[pictures.index(config.scene) - 1]
        repeat = config.seed // len(pictures)
        assert config.training.optimizer is not None  # every fit of a contest names it
        return self.config(before, config.encoding, config.training.optimizer, repeat)

    def next_picture(self, picture: str) -> str:
        """The picture whose detail the networks of this one are asked for: the next one, and the first for the last."""
        pictures = self.contest.pictures
        return pictures[(pictures.index(picture) + 1) % len(pictures)]

    def scene(self, picture: str) -> Picture:
        """A picture at the contest's size.

        Raises:
            InputError: for one that cannot be read, or is none.
        """
        if sort_of(picture, Space()) not in ("picture", "built-in picture"):
            raise InputError(f"a contest is of pictures, and {picture!r} is none")
        scene = load(picture, Target(max_side=self.contest.max_side))
        assert isinstance(scene, Picture)  # as it was sorted
        return scene

    def folder(self, config: FitConfig) -> RunFolder:
        """Where a fit of the contest lies."""
        name = f"{config.encoding} {config.network} {config.optimizer} {config.seed} {config.scene}"
        return RunFolder(known_folder(self.path / "runs", name))

    def table(self, config: FitConfig) -> WindowTable:
        """What was measured in the windows of a fit.

        Raises:
            InputError: when it is missing or damaged.
        """
        path = table_path(self.folder(config))
        if path not in self._read:
            self._read[path] = read_table(path)
        return self._read[path]

    def finished(self, config: FitConfig) -> bool:
        """Whether a fit is there already, made by the same protocol and measured in all that is measured now."""
        folder = self.folder(config)
        try:
            whole, table = is_whole(folder, config), read_table(table_path(folder))
        except InputError:  # it is not there, or damaged
            return False
        names = {candidate.name for candidate in CANDIDATES}
        return whole and table.recorded.tolist() == recorded_steps(self.contest) and set(table.quantities) == names


def table_path(folder: RunFolder) -> Path:
    """Where the table of a fit's windows is."""
    return folder.analysis / "windows.npz"


def recorded_steps(contest: Contest) -> list[int]:
    """Steps at which it is looked at what is missing: evenly spaced in their logarithm from the first to the last, and
    those at which more is asked.

    >>> recorded_steps(Contest(recorded=3))
    [1, 17, 30, 99, 300]
    """
    spaced = (round(step) for step in np.geomspace(1, contest.last_step, contest.recorded))
    return sorted({*spaced, contest.early_step, *contest.foretelling_steps, contest.last_step})


def run_contest(runs: ContestRuns, reporter: Reporter, controls: Controls, executor: Executor | None = None) -> bool:
    """Make the fits that are not finished; False when it was stopped before the last.

    Raises:
        InputError: for a picture that cannot be read or a folder that cannot be written, and as `make_missing` does.
    """
    work = Work(partial(_fit, runs.contest), runs.path)
    return make_missing(runs.fits, runs.finished, work, reporter, controls, executor)


def _fit(contest: Contest, config: FitConfig, path: Path, controls: Controls) -> str | None:
    runs = ContestRuns(contest, path)
    scene = runs.scene(config.scene)
    windowed = Windowed(contest, plan_of(config, scene), scene, runs.scene(runs.next_picture(config.scene)))

    def write(folder: RunFolder, rows: Sequence[tuple[int, Measured]]) -> None:
        write_table(table_path(folder), windowed.table(rows))

    steps = recorded_steps(contest)
    return whole_fit(runs.folder(config), config, scene, steps, windowed.measure, write, controls)
