"""The runs of a study: fits of one protocol, measured while they train; those that are finished are used again."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path

import numpy as np

from fieldlens.configs.encoding import Encoding, Fourier
from fieldlens.configs.errors import InputError
from fieldlens.configs.names import known_folder
from fieldlens.configs.network import Network
from fieldlens.configs.optimizer import Optimizer
from fieldlens.configs.run import FitConfig, Holdout, Output, Target
from fieldlens.configs.study import Study
from fieldlens.fitting import Controls, TrainingState
from fieldlens.studies.making.executor import Executor, Work
from fieldlens.studies.making.missing import make_missing
from fieldlens.studies.making.whole import is_whole, whole_fit
from fieldlens.studies.runs.folder import RunFolder
from fieldlens.studies.runs.history import History, history_of, read_history, write_history
from fieldlens.studies.runs.quantities import LOCAL, Measures
from fieldlens.studies.runs.reporter import Reporter

from .fitted import DIGITS, Fitted, fitted_of, is_complete, is_picture

EPOCH = 32
"""Steps of one of the authors' epochs. Their times are taken over in steps, as Adam's steps are of one size."""
LOOKED_AT = (15 * EPOCH, 100 * EPOCH, 1000 * EPOCH)
"""When the authors look at gradients: after epochs 15, 100 and 1000."""
WATCHED = (EPOCH, 10 * EPOCH, 50 * EPOCH, *LOOKED_AT)
"""Steps that claims speak of: they are always measured where a fit is as long."""

ROLES = (
    *("raw", "few", "coarse", "fine", "sizes, raw", "sizes, fine", "one octave"),
    *("biases", "revived", "signals", "digits"),
    *("raw, muon", "fine, muon", "raw, searched", "fine, searched", "held out, raw", "held out, fine"),
)
"""What a fit is made for. Claims and figures name the roles whose fits they look at; a study may have no fits of the
last ten."""
MUON_ROLES = frozenset({"raw, muon", "fine, muon", "held out, raw", "held out, fine"})
"""Those of which Muon moves some fits."""
HELD_OUT: Holdout = "even-rest"
"""Pixels that some fits are not trained on: three of four, as in the generalisation experiment of the authors' code."""
NOISE = "static"
"""The picture that networks of several sizes are fitted to: the authors' is of 64 x 64 random pixels as well."""


@dataclass(frozen=True)
class Unit:
    """One picture and one seed: the fits of a unit differ in nothing but encoding, network, revived neurons, optimizer,
    its rate, and held-out pixels."""

    picture: str
    seed: int


class Runs:
    """The runs of a study, each in a run folder of its own below `path`."""

    def __init__(self, study: Study, path: Path) -> None:
        self.study, self.path = study, path
        self._read: dict[Path, History] = {}
        self._resolutions: dict[str, int] = {}

    @cached_property
    def units(self) -> tuple[Unit, ...]:
        """Pictures times repeats, each with its own seed, so that no two share their initial weights."""
        pictures = [picture for picture in self.study.pictures for _ in range(self.study.repeats)]
        return tuple(Unit(picture, seed) for seed, picture in enumerate(pictures))

    def fits(self, roles: Collection[str] = ROLES) -> list[FitConfig]:
        """The fits that play some roles, or all fits, each once."""
        every = (config for unit in self.units for role in roles for config in self.playing(unit, role))
        return list(dict.fromkeys(every))

    def playing(self, unit: Unit, role: str) -> list[FitConfig]:
        """The fits of one unit that play a role; those of random pixels take only the unit's seed.

        Muon is set against Adam under narrow raw coordinates, of which the most is missing and where most neurons die,
        so that creases and rank both have the most to explain. Of held-out pixels Adam's fit comes first, then Muon's.
        """
        study, noise, narrow, wide = self.study, Unit(NOISE, unit.seed), self.study.raw[0], self.study.raw[1]
        match role:
            case "raw" | "few":
                return [self.config(unit, encoding) for encoding in getattr(study, role)]
            case "coarse" | "fine":
                return [self.config(unit, getattr(study, role))]
            case "sizes, raw":
                return [self.config(noise, narrow, network) for network in study.sizes]
            case "sizes, fine":
                return [self.config(noise, study.fine, network) for network in study.sizes]
            case "one octave":
                return [self.config(noise, Fourier(1), study.sizes[-1])]
            case "biases":
                return [self.config(unit, wide, replace(study.network, bias_spread=x)) for x in study.bias_spreads]
            case "revived":
                return [self.config(unit, narrow, revive_at=study.revive_at(times)) for times in study.revivals]
            case "signals":
                signal = Unit(study.signal, unit.seed)
                encodings = study.signal_encodings if study.signal else ()
                return [self.config(signal, encoding, study.signal_network) for encoding in encodings]
            case "digits":
                return [self.config(Unit(DIGITS, unit.seed), narrow)] if study.digits else []
            case "raw, muon" | "fine, muon":
                encoding = narrow if role == "raw, muon" else study.fine
                return [self.config(unit, encoding, optimizer=study.muon)] if study.muon else []
            case "raw, searched" | "fine, searched":
                encoding = narrow if role == "raw, searched" else study.fine
                rates = () if study.adam_rate is None else (study.adam_rate,)
                return [self.config(unit, encoding, learning_rate=rate) for rate in rates]
            case "held out, raw" | "held out, fine":
                encoding = narrow if role == "held out, raw" else study.fine
                optimizers = (study.optimizer, study.muon) if study.muon else ()
                return [self.config(unit, encoding, optimizer=one, holdout=HELD_OUT) for one in optimizers]
        raise ValueError(role)

    def config(
        self,
        unit: Unit,
        encoding: Encoding,
        network: Network | None = None,
        revive_at: tuple[int, ...] = (),
        optimizer: Optimizer | None = None,
        learning_rate: float | None = None,
        holdout: Holdout = "none",
    ) -> FitConfig:
        """The fit of a unit under an encoding, whose samples are put on the study's grid.

        Args:
            network, optimizer, learning_rate: where they are not the study's.
        """
        study = self.study
        training = replace(study.training, revive_at=revive_at, optimizer=optimizer or study.optimizer)
        config = FitConfig(
            scene=unit.picture,
            training=replace(training, learning_rate=learning_rate or training.learning_rate),
            target=Target(max_side=study.max_side if is_picture(unit.picture) else None, holdout=holdout),
            output=Output(output_dir=self.path),
            seed=unit.seed,
            encoding=encoding,
            network=network or study.network,
        )
        if study.grid == "centres" or unit.picture == DIGITS:  # digits lie on no grid
            return config
        return replace(config, encoding=study.on_grid(encoding, self._samples(config)))

    def _samples(self, config: FitConfig) -> int:
        if config.scene not in self._resolutions:
            self._resolutions[config.scene] = self.fitted(config).scene.resolution or 0
        return self._resolutions[config.scene]

    def fitted(self, config: FitConfig) -> Fitted:
        """What a fit of the study is of, and how it is measured."""
        return fitted_of(config, quadrant_gap=LOCAL if self.study.grid == "authors" else 0.0)

    def folder(self, config: FitConfig) -> RunFolder:
        """Where a fit of the study lies."""
        revived = f" revived{len(config.training.revive_at)}" if config.training.revive_at else ""
        moved = f" {config.optimizer}" if config.training.optimizer != self.study.optimizer else ""
        rate = config.training.learning_rate
        moved += f" rate{rate:g}" if rate is not None and rate != self.study.training.learning_rate else ""
        part = f" {config.target.holdout}" if config.target.holdout != "none" else ""
        name = f"{config.encoding} {config.network}{moved}{revived}{part} {config.seed} {config.scene}"
        return RunFolder(known_folder(self.path / "runs", name))

    def finished(self, config: FitConfig) -> bool:
        """Whether a fit is there already, made by the same protocol and measured in all that is measured now."""
        folder = self.folder(config)
        try:
            whole, history = is_whole(folder, config), read_history(folder.history_file)
        except InputError:  # it is not there, or damaged
            return False
        return whole and history.steps.tolist() == measured_steps(self.study) and is_complete(config, history)

    def histories(self, unit: Unit, role: str) -> list[History]:
        """What was measured of the fits of a unit that play a role.

        Raises:
            InputError: when one is missing or damaged.
        """
        return [self._history(config) for config in self.playing(unit, role)]

    def history(self, unit: Unit, encoding: Encoding, network: Network | None = None) -> History:
        """What was measured of one fit.

        Raises:
            InputError: when it is missing or damaged.
        """
        return self._history(self.config(unit, encoding, network))

    def _history(self, config: FitConfig) -> History:
        file = self.folder(config).history_file
        if file not in self._read:
            self._read[file] = read_history(file)
        return self._read[file]


def measured_steps(study: Study) -> list[int]:
    """Step 0, steps evenly spaced in their logarithm from half a percent of the way to the last, the one midway, and
    `WATCHED`.

    >>> measured_steps(Study(measured=3))
    [0, 2, 31, 32, 240, 320, 480]
    """
    last = study.training.steps
    assert last is not None  # the study made sure of it
    spaced = (round(step) for step in np.geomspace(max(1, round(last / 200)), last, study.measured))
    return [0, *sorted({*spaced, max(1, last // 2), *(step for step in WATCHED if step <= last)})]


def run_study(
    runs: Runs, roles: Collection[str], reporter: Reporter, controls: Controls, executor: Executor | None = None
) -> bool:
    """Make the fits that play some roles and are not finished; False when it was stopped before the last.

    Raises:
        InputError: for a picture that cannot be read or a folder that cannot be written, and as `make_missing` does.
    """
    work = Work(partial(_fit, runs.study), runs.path)
    return make_missing(runs.fits(roles), runs.finished, work, reporter, controls, executor)


def _fit(study: Study, config: FitConfig, path: Path, controls: Controls) -> str | None:
    """Fit and measure, and say what; None if stopped."""
    runs = Runs(study, path)
    fitted = runs.fitted(config)

    def measure(state: TrainingState) -> Measures:
        return fitted.measure(state.field)

    def write(folder: RunFolder, rows: Sequence[tuple[int, Measures]]) -> None:
        write_history(folder.history_file, history_of(rows))

    steps = measured_steps(study)
    return whole_fit(runs.folder(config), config, fitted.scene, steps, measure, write, controls)
