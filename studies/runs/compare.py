"""One scene under several encodings, networks and optimizers, with one protocol."""

import dataclasses
import itertools
import shlex
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from jaxtyping import UInt8

from fieldlens.analysis.detail.verdicts import percent
from fieldlens.configs.encoding import PYTHON, Encoding, Fourier, Own, Raw, require_named
from fieldlens.configs.errors import InputError, counted
from fieldlens.configs.files import JsonObject, look_after, read_bytes, remove, write_json, write_text
from fieldlens.configs.holding import held
from fieldlens.configs.names import COMPARISON, CONFIG, SWEEP, folder_in, known_folder
from fieldlens.configs.network import Network
from fieldlens.configs.optimizer import Adam, Muon, default_optimizer
from fieldlens.configs.records import IF_ANY, fields_of, read_json_as, to_json
from fieldlens.configs.run import CompareConfig, FitConfig, Protocol, named
from fieldlens.configs.storage import read_config, to_yaml
from fieldlens.fitting import Controls, require_room
from fieldlens.render.colour import density_legend
from fieldlens.render.panel import Tile, panel
from fieldlens.render.text import BACKGROUND
from fieldlens.render.video import EncoderError, VideoWriter
from fieldlens.report import Words
from fieldlens.studies.subjects.choice import subject_of
from fieldlens.studies.subjects.drawing import DENSITY, MapLook
from fieldlens.studies.subjects.film import AROUND, COLOUR, CREASES, read_around
from fieldlens.studies.subjects.subject import Subject

from .checkpoints import checkpoint_steps
from .fit import load_scene, no_film, run, start
from .folder import (
    RunFolder,
    find_folder,
    find_run,
    is_latest,
    lost_note,
    new_folder,
    newest_folder,
)
from .metrics import drawn_rows
from .record import RunRecord
from .report import write_comparison_report
from .reporter import Reporter, Silent
from .table import to_csv, to_markdown

T = TypeVar("T")

STEPS = 1000
"""Of each run, unless told."""
ENDS = ("steps", "diverged")
"""Why a run of a comparison has ended for good."""
TURNTABLE, ORBIT = "turntable.mp4", "orbit.mp4"
ORBIT_FPS = 8.0
SIDE_BY_SIDE = (DENSITY,)
"""Maps that a comparison's video shows of each run: those that can be compared between networks, as speeds cannot."""


@dataclass(frozen=True)
class Comparison:
    """Where the parts of a comparison lie."""

    path: Path
    named: tuple[Own, ...] = field(default=(), compare=False, repr=False)
    """Encodings of one's own that a person has named for it, ready to be built, by the words that it was made with."""

    @property
    def config_file(self) -> Path:
        """The configuration, as YAML."""
        return self.path / COMPARISON

    @property
    def report(self) -> Path:
        """All runs on one page."""
        return self.path / "report.html"

    @property
    def video(self) -> Path:
        """All runs side by side."""
        return self.path / "compare.mp4"

    @property
    def turntable(self) -> Path:
        """All runs of a 3D scene while they were learnt, from a camera that goes around."""
        return self.path / TURNTABLE

    @property
    def orbit(self) -> Path:
        """All runs of a 3D scene at their end, from a camera that goes around."""
        return self.path / ORBIT

    @property
    def result_file(self) -> Path:
        """What was found; it is written last, and goes when a comparison goes on."""
        return self.path / "compare.json"

    def config(self) -> CompareConfig:
        """The configuration.

        Raises:
            InputError: when it is missing, of another schema or damaged.
        """
        return read_config(self.config_file, CompareConfig)

    @property
    def table_file(self) -> Path:
        """The table of all runs, as Markdown."""
        return self.path / "table.md"

    def record(self) -> "ComparisonRecord":
        """What compare.json says.

        Raises:
            InputError: when it is damaged or of another version, or the comparison has not ended yet.
        """
        try:
            found = read_json_as(self.result_file, ComparisonRecord)
            return dataclasses.replace(found, table=read_bytes(self.table_file).decode(errors="replace"))
        except InputError as error:
            raise InputError(f"{error}; `{self.command()}` makes it again") from None

    def command(self, steps: int | None = None) -> str:
        """What goes on with it, or with `steps` what begins it anew, at so many.

        Encodings of one's own are named in it, as what a folder holds is never run.

        Raises:
            InputError: as `config` does.
        """
        encodings = self.config().encodings
        begins, place = ("resume", self.path) if steps is None else ("config", self.config_file)
        if any(isinstance(one, Own) and one.file == PYTHON for one in encodings):  # which no command line can name
            named = [
                one.function if isinstance(one, Own) and one.file == PYTHON else repr(str(one)) for one in encodings
            ]
            limit = "" if steps is None else f", steps={steps}"
            return f"from Python: fieldlens.compare({begins}={str(place)!r}, encodings=[{', '.join(named)}]{limit})"
        words = [f"--{begins}", str(place)]
        if any(isinstance(one, Own) for one in encodings):
            words += ["--encodings", *map(str, encodings)]
        if steps is not None:
            words += ["--steps", str(steps)]
        return shlex.join(["fieldlens", "compare", *words])

    def runs(self) -> dict[RunFolder, FitConfig]:
        """The folder and the configuration of each run, in the order they were named."""
        named = {str(encoding): encoding for encoding in self.named}
        return {
            RunFolder(self.run_path(config), named.get(str(config.encoding))): config for config in fits(self.config())
        }

    def with_encodings(self, encodings: Sequence[Encoding]) -> "Comparison":
        """The same, with those encodings of one's own that it was made with, which a person has named.

        Args:
            encodings: of those of one's own the ones that are ready to be built. Their files may have moved.

        Raises:
            InputError: when none of the runs was made with one of them.
        """
        own = [one for one in encodings if isinstance(one, Own) and one.code is not None]
        runs = [run for one in own for run in with_encoding(Comparison(self.path).runs(), one) if run.named is not None]
        named = {str(theirs): theirs for run in runs if isinstance(theirs := run.config().encoding, Own)}
        return dataclasses.replace(self, named=tuple(named.values()))

    def run_path(self, config: FitConfig) -> Path:
        """Where the run of a configuration lies: by its choices as they were made, and not by what they stand for."""
        chosen = config.training.optimizer or config.optimizer
        return known_folder(self.path / "runs", named(config.encoding, config.network, chosen))


def find_comparison(word: str, output_dir: Path) -> Comparison:
    """The comparison that a word names: a path, or `latest` for the newest one below `output_dir`.

    Raises:
        InputError: when there is none, or the path is no comparison.
    """
    return Comparison(find_folder(word, output_dir, COMPARISON, "comparison", "compare"))


def find_runs(word: str, output_dir: Path) -> dict[RunFolder, str]:
    """The runs that a word names: a fit, or all that have begun of a comparison; `latest` is the newest of both.

    Returns:
        What each is called beside the others: nothing where there is one.

    Raises:
        InputError: when there is none, or it is a comparison of several scenes or seeds.
    """
    if is_latest(word):
        newest = newest_folder(output_dir, CONFIG, COMPARISON, SWEEP)
        word = word if newest is None else str(newest)
    if (Path(word) / SWEEP).is_file():
        fit = min(Path(word).glob(f"runs/*/{CONFIG}"), default=None)
        such = "" if fit is None else f", such as {str(fit.parent)!r}"
        raise InputError(
            f"{word!r} compares several scenes or seeds, of which no one picture is made: open its report.html, or "
            f"name one of its fits{such}"
        )
    if not (Path(word) / COMPARISON).is_file():
        return {find_run(word, output_dir): ""}
    named = {folder: one.name for folder, one in Comparison(Path(word)).runs().items()}
    begun = {folder: name for folder, name in named.items() if checkpoint_steps(folder.checkpoints)}
    if not begun:
        go_on = Comparison(Path(word)).command()
        raise InputError(f"no run of the comparison {word!r} has begun yet; go on with `{go_on}`")
    return begun


def with_encoding(runs: Mapping[RunFolder, T], named: Encoding) -> dict[RunFolder, T]:
    """The runs, those among them with the encoding of one's own which were made with it.

    Args:
        named: by a person, and ready to be built.

    Raises:
        InputError: when none was; with what the likeliest of them says.
    """
    theirs: dict[RunFolder, RunFolder] = {}
    for folder in runs:
        with suppress(InputError):
            theirs[folder] = folder.with_encoding(named)
    if not theirs:
        max(runs, key=lambda folder: _likeness(folder.config().encoding, named)).with_encoding(named)  # which says so
    return {theirs.get(folder, folder): value for folder, value in runs.items()}


def _likeness(encoding: Encoding, named: Encoding) -> int:
    """How near an encoding of one's own comes to another by its word alone."""
    if not isinstance(encoding, Own):
        return 0
    return 1 + (isinstance(named, Own) and encoding.function == named.function) + (encoding == named)


def completed(config: CompareConfig) -> CompareConfig:
    """A comparison with what was left open: raw against fourier:8, the default network, a thousand steps.

    All runs have one optimizer where none is named: adam if it is the default of any of them, else muon.

    Raises:
        InputError: when there is one run only, or a limit that would end the runs at different steps.
    """
    training = config.training
    for name in ("seconds", "target_psnr", "plateau"):
        if getattr(training, name) is not None:
            option = name.replace("_", "-")
            raise InputError(f"a comparison takes equal steps, so it has no --{option}; give its length with --steps")
    encodings = tuple(dict.fromkeys(config.encodings)) or (Raw(), Fourier())
    networks = tuple(dict.fromkeys(config.networks)) or (Network(),)
    optimizers = tuple(dict.fromkeys(config.optimizers))
    by_default = {type(default_optimizer(*pair)) for pair in itertools.product(encodings, networks)}
    alike = Adam() if Adam in by_default else Muon()
    optimizer = training.optimizer or (None if optimizers else alike)
    training = dataclasses.replace(training, steps=training.steps or STEPS, optimizer=optimizer)
    whole = dataclasses.replace(
        config, encodings=encodings, networks=networks, optimizers=optimizers, training=training
    )
    if len(fits(whole)) < 2 and not whole.is_sweep:
        raise InputError(f"{encodings[0]} has nothing to be compared with; name another encoding, network or optimizer")
    return whole


def fits(config: CompareConfig) -> list[FitConfig]:
    """The fits of one scene with one seed: each network under every encoding by every optimizer, alike in all else."""
    shared = {key.name: getattr(config, key.name) for key in dataclasses.fields(Protocol)}
    choices = itertools.product(config.networks, config.encodings)
    alike = [FitConfig(**shared, encoding=encoding, network=network) for network, encoding in choices]
    if not config.optimizers:
        return alike
    trainings = [dataclasses.replace(config.training, optimizer=one) for one in config.optimizers]
    each = (dataclasses.replace(one, training=training) for one in alike for training in trainings)
    return [*{one.name: one for one in each}.values()]  # an optimizer with its default rate written out is the same


def start_comparison(
    config: CompareConfig,
    reporter: Reporter | None = None,
    typed: Collection[str] = (),
    picture: Any = None,
) -> Comparison:
    """Make the folder of a new comparison, with its runs' targets and configurations in it.

    Args:
        typed: choices that a person made, even where they are those by default.
        picture: an array that is fitted, and no word names it.

    Raises:
        InputError: as `completed` and `fieldlens.studies.runs.fit.start` do.
    """
    config = completed(config)
    for fit_config in fits(config):
        require_named(fit_config.encoding)
        require_room(fit_config)
    scene = load_scene(config, reporter, config.networks, typed, picture)
    parent = folder_in(config.output.output_dir, scene.name) / "compare"
    own = tuple(encoding for encoding in config.encodings if isinstance(encoding, Own))
    comparison = Comparison(new_folder(parent), own)
    for fit_config in fits(config):
        start(fit_config, comparison.run_path(fit_config), scene)
    write_text(comparison.config_file, to_yaml(config))
    return comparison


@dataclass(frozen=True)
class ComparisonRecord:
    """What a comparison found, and where its parts lie: compare.json."""

    path: Path
    report: Path
    video: Path | None
    """None where the encoder failed, which was said."""
    verdict: Sequence[str]
    """What sets the runs apart."""
    stopped_because: str
    """`steps`, or `interrupted`."""
    drawing_seconds: float
    """Spent on video, table and report."""
    table: str = field(metadata={"before": ""})
    """As table.md has it, which compare.json leaves it to."""
    runs: Sequence[RunRecord]
    turntable: Path | None = field(default=None, metadata=IF_ANY)
    """Of a 3D scene: the film of its fits from a camera that goes around, where it was asked for."""
    orbit: Path | None = field(default=None, metadata=IF_ANY)
    """Of a 3D scene: the same of their ends, where they were explained."""

    @property
    def lines(self) -> list[str]:
        """What a person reads when a comparison is over."""
        return [
            *self.table.splitlines(),
            *self.verdict,
            *(f"video   {film}" for film in (self.video, self.turntable, self.orbit) if film is not None),
            f"report  {self.report}",
            *self._going_on,
        ]

    @property
    def _going_on(self) -> list[str]:
        """The command that goes on; or, as runs are compared at equal steps, that begins a longer comparison."""
        if self.stopped_because == "interrupted":
            return [f"go on   {Comparison(self.path).command()}"]
        gaining = [run for run in self.runs if run.still_gaining]
        if not gaining:
            return []
        gains = ", ".join(f"{_name(run, self.runs)} {run.gained_db:.2f} dB" for run in gaining)
        return [
            f"Still gaining over the last third of the steps: {gains}.",
            f"longer  {Comparison(self.path).command(2 * max(run.steps for run in self.runs))}",
        ]

    def to_json(self) -> JsonObject:
        """As compare.json has it; the table has a file of its own."""
        return {key: value for key, value in fields_of(self).items() if key != "table"}


def run_comparison(
    comparison: Comparison, reporter: Reporter | None = None, controls: Controls | None = None
) -> ComparisonRecord:
    """Run the fits of a comparison that are not finished, then set all side by side.

    Returns:
        What compare.json says.

    Raises:
        InputError: when the folder is damaged beyond use, or cannot be written, or another process writes it.
        KeyboardInterrupt: when it is stopped before the first run has begun, for then there is nothing to show.
    """
    reporter, controls = reporter or Silent(), controls or Controls()
    with held(comparison.path, reporter.say):
        records: dict[RunFolder, RunRecord] = {}
        trained = False
        folders = comparison.runs()
        for number, folder in enumerate(folders, 1):
            record = folder.finished_record()
            if record is not None and record.stopped_because in ENDS:
                records[folder] = record
            elif not controls.stop:
                if folder.ended and record is None:
                    reporter.say(f"{str(folder.result_file)!r} is damaged or of a run that was cut short: made again")
                remove(comparison.result_file)
                records[folder] = run(folder, None, reporter, controls, len(folders) - number)
                trained = True
        if not records:
            raise KeyboardInterrupt
        if not trained:
            steps = max(record.steps for record in records.values())
            but = (
                " or have diverged" if any(record.stopped_because == "diverged" for record in records.values()) else ""
            )
            reporter.say(
                f"nothing is left to train: all runs have their {steps:,} steps{but}; a longer comparison begins anew, "
                f"with {comparison.command(2 * steps)}"
            )
        return _side_by_side(comparison, records, reporter, controls)


def _side_by_side(
    comparison: Comparison, records: Mapping[RunFolder, RunRecord], reporter: Reporter, controls: Controls
) -> ComparisonRecord:
    """Draw and write what sets runs apart, compare.json last."""
    look_after(comparison.path)
    remove(comparison.result_file)
    drawing_started = time.perf_counter()
    subject = subject_of(next(iter(records)).scene())
    runs = list(records.values())
    columns = [_Column(folder, _name(record, runs)) for folder, record in records.items()]
    video, turntable, orbit = (
        _film(comparison, file, partial(write, comparison, columns, reporter), reporter)
        for file, write in (
            (comparison.video, partial(_write_video, subject=subject)),
            (comparison.turntable, _write_turntable),
            (comparison.orbit, _write_orbit),
        )
    )
    verdict = comparison_verdict(runs, subject.words)
    reporter.working("writing the report", 0.0)
    write_comparison_report(comparison.report, records, verdict, comparison.config())
    write_text(comparison.path / "table.csv", to_csv(runs, subject.words))
    table = to_markdown(runs, subject.words)
    write_text(comparison.table_file, table)
    record = ComparisonRecord(
        path=comparison.path,
        report=comparison.report,
        video=video,
        verdict=verdict,
        stopped_because="interrupted" if controls.stop else "steps",
        drawing_seconds=round(time.perf_counter() - drawing_started, 3),
        table=table,
        runs=runs,
        turntable=turntable,
        orbit=orbit,
    )
    write_json(comparison.result_file, to_json(record))
    return record


def comparison_verdict(records: Sequence[RunRecord], words: Words) -> list[str]:
    """What sets the runs apart, in figures; a difference between encodings is stated and never called a cause."""
    scored = [(record.psnr_db, record) for record in records if record.psnr_db is not None]
    ranked = sorted(scored, key=lambda pair: -pair[0])
    if len(ranked) < 2:
        return list((ranked[0][1] if ranked else records[0]).explained.verdict)
    (most, best), (least, worst) = ranked[0], ranked[-1]
    ahead, behind = _name(best, records), _name(worst, records)
    sentences = [
        f"{ahead} comes closest: {most:.1f} dB after {counted(best.steps, 'step')}, {most - least:.1f} dB more than "
        f"{behind}."
    ]
    band = best.explained.explained_band
    kept = [None if band is None else record.energy_kept.get(band) for record in (best, worst)]
    if kept[0] is not None and kept[1] is not None:
        sentences.append(
            f"Of the energy of {band} waves {ahead} has {percent(kept[0])}, and {behind} {percent(kept[1])}."
        )
    if any(record.explained.explained_band is None for record in records):
        sentences.append(
            "What is missing was not explained, as --quick asks; `fieldlens analyze RUN` does it for each of the runs."
        )
    more, less = best.explained.crossings_per_pixel, worst.explained.crossings_per_pixel
    if more is not None and less is not None:
        sentences.append(
            f"A step of one {words.step} crosses {_crossings(best)} creases on average under {ahead}, and "
            f"{_crossings(worst)} under {behind}. That does not make creases the cause. What is missing in each run, "
            "and why, stands below."
        )
    return sentences


def _crossings(record: RunRecord) -> str:
    """Their mean, with its standard error where some pixels stand for all."""
    mean, error = record.explained.crossings_per_pixel, record.explained.crossings_standard_error
    return f"{mean:.3g}" if not error else f"{mean:.3g} ± {error:.2g}"


def _name(record: RunRecord, records: Sequence[RunRecord]) -> str:
    same = sum(other.encoding == record.encoding for other in records) > 1
    return record.name if same else record.encoding


def _film(comparison: Comparison, file: Path, write: Callable[[], None], reporter: Reporter) -> Path | None:
    """Make a film of all runs; None where there is nothing to show in it, or the encoder fails, which is said."""
    remove(file)
    try:
        write()
    except EncoderError as error:
        remove(file)
        reporter.say(f"{no_film(file)}{error}; the frames are there, and `{comparison.command()}` makes it of them")
    return file if file.exists() else None


def _write_video(comparison: Comparison, columns: Sequence["_Column"], reporter: Reporter, subject: Subject) -> None:
    common = sorted(set.intersection(*(set(column.psnr_db) for column in columns)))
    target = subject.target_tile()
    drawn = {} if comparison.config().output.quick else subject.map_looks
    shown = [name for name in SIDE_BY_SIDE if any(column.folder.frame_steps(name) for column in columns)]
    looks = {name: drawn[name] for name in shown if name in drawn}
    lost = []
    with VideoWriter(comparison.video) as video:
        for number, step in enumerate(common):
            reporter.working("writing the video", number / len(common))
            above = [seen for column in columns if (seen := column.reconstruction(step)) is not None]
            if len(above) == len(columns):
                video.write(_frame(step, [target, *above], columns, looks))
            else:
                lost.append(step)
    for note in lost_note(lost):
        reporter.say(note)


def _frame(
    step: int, above: Sequence[Tile], columns: Sequence["_Column"], looks: Mapping[str, MapLook]
) -> UInt8[np.ndarray, "h w 3"]:
    """Target and reconstructions, and below each of these its maps."""
    blank, below = np.full_like(above[0].image, BACKGROUND), list[Tile]()
    for name, look in looks.items():
        below += [Tile(blank, look.caption, look.legend), *(column.map(name, step, blank) for column in columns)]
    return panel([*above, *below], f"step {step}", columns=len(above))


def _write_turntable(comparison: Comparison, columns: Sequence["_Column"], reporter: Reporter) -> None:
    """The turntables of all runs one below the other, as each is a row; nothing where there are none."""
    steps = sorted(set.intersection(*(set(column.folder.frame_steps("turntable")) for column in columns)))
    with VideoWriter(comparison.turntable) as video:
        for number, step in enumerate(steps):
            reporter.working("writing the turntable", number / len(steps))
            seen = [column.folder.picture(step, "turntable") for column in columns]
            tiles = [Tile(one, column.name) for one, column in zip(seen, columns, strict=True) if one is not None]
            if len(tiles) == len(columns):
                video.write(panel(tiles, f"step {step}", columns=1))


def _write_orbit(comparison: Comparison, columns: Sequence["_Column"], reporter: Reporter) -> None:
    """The ends of all runs side by side, and their creases below, where all have pictures from around."""
    try:
        found = [read_around(column.folder.analysis) for column in columns]
    except InputError as error:
        reporter.say(f"there is no film of the ends of all runs: {error}")
        return
    arounds = [around for around in found if around is not None]
    if len(arounds) < len(columns):
        return
    creased = any(CREASES in around.sheets for around in arounds)
    named = list(zip(arounds, columns, strict=True))
    with VideoWriter(comparison.orbit, ORBIT_FPS, hold_last_seconds=0.0) as video:
        for number in range(AROUND):
            tiles = [Tile(around.picture(COLOUR, number), column.name) for around, column in named]
            if creased:
                below = (around.picture(CREASES, number) for around in arounds)
                tiles += [Tile(picture, "crease density", density_legend) for picture in below]
            video.write(panel(tiles, "at the end", columns=len(columns)))


class _Column:
    """One run in the video."""

    def __init__(self, folder: RunFolder, name: str) -> None:
        self.folder, self.name = folder, name
        self.psnr_db = {row.step: row.psnr_db for row in drawn_rows(folder)}

    def reconstruction(self, step: int) -> Tile | None:
        """The run's picture at a step; None where it is damaged."""
        picture = self.folder.picture(step, "reconstruction")
        return None if picture is None else Tile(picture, f"{self.name}   {self.psnr_db[step]:.2f} dB")

    def map(self, name: str, step: int, blank: UInt8[np.ndarray, "h w 3"]) -> Tile:
        """The newest map of a name that was drawn by then."""
        newest = self.folder.newest(name, step)
        if newest is None:
            return Tile(blank, "no creases" if name == DENSITY else "none")
        drawn, picture = newest
        return Tile(picture, f"step {drawn}")
