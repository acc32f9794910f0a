"""A sweep from beginning to end: keep its scenes, search rates, make its fits, and write what they say."""

import shlex
import shutil
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from fieldlens.configs.encoding import PYTHON, Own, require_named
from fieldlens.configs.errors import InputError
from fieldlens.configs.files import JsonObject, look_after, read_bytes, remove, unfinished, write_json, write_text
from fieldlens.configs.holding import held
from fieldlens.configs.names import folder_in
from fieldlens.configs.records import fields_of, read_json_as, to_json
from fieldlens.configs.run import CompareConfig
from fieldlens.configs.storage import to_yaml
from fieldlens.fitting import Controls, require_room
from fieldlens.studies.making.executor import Executor
from fieldlens.studies.runs.folder import new_folder
from fieldlens.studies.runs.reporter import Reporter, Silent

from .folder import Finished, Sweep
from .making import make_planned
from .page import write_page
from .pictures import FittedScenes, keep_scenes
from .plan import Grid, Part, Planned
from .scores import Finding, Scores
from .search import search_rates
from .table import fits_csv, summary_csv, table_markdown, verdict
from .tuning import OWN_SEED, Tuned

TABLES_EVERY = 20.0
"""Seconds, at least, between two writings of the tables while fits go on."""
TABLES_SHARE = 0.05
"""Of the time, at most, that goes into them: of ten thousand fits they take seconds."""


@dataclass(frozen=True)
class MethodFound:
    """What a sweep says of a method."""

    method: str
    rank: int | None
    """None where no fit has a number."""
    mean: float | None
    low: float | None
    high: float | None
    fits: int


@dataclass(frozen=True)
class SweepRecord:
    """What a sweep found, and where its parts lie: sweep.json."""

    path: Path
    report: Path
    table_file: Path
    summary_file: Path
    fits_file: Path
    stopped_because: str
    """`steps` when all is finished, `jobs` when this process's share is, or `interrupted`."""
    planned: int
    finished: int
    ranked_by: str
    """`psnr_db`, or `heldout_psnr_db` where pixels are held out."""
    verdict: Sequence[str]
    methods: Sequence[MethodFound]
    table: str = field(default="", metadata={"before": ""})
    """As table.md has it, which sweep.json leaves it to."""

    @property
    def lines(self) -> list[str]:
        """What a person reads when a sweep is over."""
        go_on = f"go on   fieldlens compare --resume {shlex.quote(str(self.path))}"
        return [
            *self.table.splitlines(),
            *self.verdict,
            f"fits    {self.fits_file}",
            f"report  {self.report}",
            *([go_on] if self.finished < self.planned else []),
        ]

    def to_json(self) -> JsonObject:
        """As sweep.json has it; the table has a file of its own."""
        return {key: value for key, value in fields_of(self).items() if key != "table"}


def start_sweep(
    config: CompareConfig,
    reporter: Reporter | None = None,
    typed: Collection[str] = (),
    arrays: Mapping[str, Any] | None = None,
) -> Sweep:
    """Make the folder of a new sweep, with its choices and all that is fitted in it.

    Args:
        config: whose folders of pictures are named one by one (`pictures.named_scenes`).
        typed: choices that a person made, even where they are those by default.
        arrays: pictures that are given as numbers, by the words that stand for them among the scenes.

    Raises:
        InputError: as `completed` and `fieldlens.studies.runs.fit.load_scene` do, and for a folder that cannot be
            written.
    """
    grid = Grid.of(config)
    config = grid.config
    own = tuple(encoding for encoding in config.encodings if isinstance(encoding, Own))
    for fit in grid.at(config.scene, config.seed):
        require_named(fit.encoding)
        require_room(fit)
        if isinstance(fit.encoding, Own) and fit.encoding.file == PYTHON:
            raise InputError(
                f"{fit.encoding.function} is in no file, from which each of many fits could read it; put it into one, "
                "and name it as mine.py:waves"
            )
    seeds = [*grid.seeds, *([config.seed + OWN_SEED] if config.tune else [])]
    one_of_each = [grid.at(scene, seed)[0] for scene in config.scenes for seed in seeds]
    making = unfinished(config.output.output_dir / "scenes")
    try:
        scenes = keep_scenes(making, one_of_each, reporter or Silent(), config.networks, typed, arrays)
        sweep = Sweep(new_folder(folder_in(config.output.output_dir, _name_of(scenes)) / "compare"), own)
        making.rename(sweep.scenes)
    finally:
        shutil.rmtree(making, ignore_errors=True)
    write_text(sweep.config_file, to_yaml(config))
    return sweep


def _name_of(scenes: FittedScenes) -> str:
    """What the folder of a sweep's scenes is called."""
    names = list(dict.fromkeys(one.name for one in scenes.scenes))
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"


def run_sweep(
    sweep: Sweep,
    reporter: Reporter | None = None,
    controls: Controls | None = None,
    part: Part | None = None,
    executor: Executor | None = None,
) -> SweepRecord:
    """Make the fits of a sweep that are finished nowhere below its output folder, then write what all say.

    Args:
        part: the share of the fits that this process makes; all if none is given. What others have finished by then is
            in the tables as well.
        executor: who makes them, as `make_missing` takes it.

    Returns:
        What sweep.json says.

    Raises:
        InputError: when the folder is damaged beyond use, or cannot be written, or another process writes it.
        KeyboardInterrupt: when it is stopped before the first fit is finished, for then there is nothing to show.
    """
    reporter, controls = reporter or Silent(), controls or Controls()
    grid = sweep.grid()
    for encoding in grid.config.encodings:
        require_named(encoding)
    with held(sweep.path, reporter.say):
        look_after(sweep.path)
        remove(sweep.result_file)
        tuned = _tuned(sweep, part, reporter, controls, executor) if grid.config.tune else None
        planned = sweep.planned(grid.fits(), tuned)
        outputs = grid.config.output.output_dir
        finished = Finished(sweep.runs, outputs)
        tables = _Tables(sweep, planned, finished, tuned)
        mine = planned if part is None else part.taken(planned)
        try:
            whole = make_planned(sweep, sweep.runs, mine, finished, reporter, controls, tables.now_and_then, executor)
        except InputError as error:  # a fit that cannot be made does not hide those that are
            with suppress(InputError):
                _show(sweep, tables, reporter, [f"The command ended early: {error}."])
            raise
        if part is not None:  # others have gone on meanwhile
            tables = _Tables(sweep, planned, Finished(sweep.runs, outputs), tuned)
        return _write(sweep, tables, whole, reporter)


def _show(
    sweep: Sweep, tables: "_Tables", reporter: Reporter, first: Sequence[str] = ()
) -> tuple[Scores, list[str]] | None:
    """Write the tables, charts and page of what is finished; None where nothing is.

    Args:
        first: sentences that the page begins with.

    Returns:
        The numbers, and what they say.
    """
    scores = tables.write()
    if scores is None:
        return None
    sentences = verdict(scores, len(tables.planned), tables.tuned)
    write_page(sweep, scores, [*first, *sentences], tables.tuned, reporter)
    return scores, sentences


def _write(sweep: Sweep, tables: "_Tables", whole: bool, reporter: Reporter) -> SweepRecord:
    """Draw and write all, sweep.json last."""
    found = _show(sweep, tables, reporter)
    if found is None:
        raise KeyboardInterrupt
    scores, sentences = found
    done, planned = len(scores.findings), len(tables.planned)
    record = SweepRecord(
        path=sweep.path,
        report=sweep.report,
        table_file=sweep.table_file,
        summary_file=sweep.summary_file,
        fits_file=sweep.fits_file,
        stopped_because="interrupted" if not whole else "steps" if done == planned else "jobs",
        planned=planned,
        finished=done,
        ranked_by=scores.judged_by,
        verdict=sentences,
        methods=[_found(scores, number) for number in range(len(scores.methods))],
        table=table_markdown(scores, tables.tuned),
    )
    write_json(sweep.result_file, to_json(record))
    return record


def _found(scores: Scores, number: int) -> MethodFound:
    method = scores.methods[number]
    found, fits = scores.mean(method, scores.judged_by), len(scores.of(method))
    if found is None:
        return MethodFound(method.name, None, None, None, None, fits)
    return MethodFound(method.name, scores.ranks[method], found.mean, found.low, found.high, fits)


def scores_of(sweep: Sweep, planned: Sequence[Planned], finished: Finished) -> Scores:
    """The numbers of those fits that are finished; how often one was lost, the sweep knows in which it was made."""
    folders = finished.among(planned)
    lost = {made_in: Sweep(made_in).lost() for made_in in {folder.path.parent.parent for folder in folders.values()}}
    findings = [
        Finding(one, folder, folder.record(), len(lost[folder.path.parent.parent].get(folder.path.name, ())))
        for one, folder in folders.items()
    ]
    return Scores(sweep.grid().methods, list(dict.fromkeys(one.picture for one in planned)), findings)


class _Tables:
    """The tables of a sweep, rebuilt from what is finished."""

    def __init__(self, sweep: Sweep, planned: Sequence[Planned], finished: Finished, tuned: Tuned | None) -> None:
        self.sweep, self.planned, self.finished, self.tuned = sweep, planned, finished, tuned
        self._due = time.monotonic() + TABLES_EVERY

    def now_and_then(self) -> None:
        """Write them while fits go on, unless they were written only just now."""
        begun = time.monotonic()
        if begun >= self._due:
            self.write()
            ended = time.monotonic()
            self._due = ended + max(TABLES_EVERY, (ended - begun) / TABLES_SHARE)

    def write(self) -> Scores | None:
        """Write table.csv, summary.csv and table.md; None where nothing is finished yet."""
        scores = scores_of(self.sweep, self.planned, self.finished)
        if not scores.findings:
            return None
        write_text(self.sweep.fits_file, fits_csv(scores))
        write_text(self.sweep.summary_file, summary_csv(scores))
        write_text(self.sweep.table_file, table_markdown(scores, self.tuned))
        return scores


def _tuned(sweep: Sweep, part: Part | None, reporter: Reporter, controls: Controls, executor: Executor | None) -> Tuned:
    """What the search for rates found, or finds now."""
    if (before := sweep.tuned()) is not None:
        return before
    if part is not None:
        raise InputError(
            "--tune searches rates before the first fit that is reported, which --jobs cannot share out; leave one out"
        )
    return search_rates(sweep, reporter, controls, executor)


def record_of(sweep: Sweep) -> SweepRecord:
    """What sweep.json says, with the table.

    Raises:
        InputError: when it is damaged or of another version, or the sweep has not ended yet.
    """
    try:
        found = read_json_as(sweep.result_file, SweepRecord)
        return replace(found, table=read_bytes(sweep.table_file).decode(errors="replace"))
    except InputError as error:
        again = f"`fieldlens compare --resume {shlex.quote(str(sweep.path))}` makes it again"
        raise InputError(f"{error}; {again}") from None
