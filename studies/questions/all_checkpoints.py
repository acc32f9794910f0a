"""A finished run over its training: every quantity at every checkpoint that was kept."""

from dataclasses import dataclass
from pathlib import Path

from fieldlens.configs.errors import InputError
from fieldlens.configs.files import JsonObject, write_bytes
from fieldlens.configs.records import fields_of
from fieldlens.studies.runs.charts import history_figure
from fieldlens.studies.runs.checkpoints import checkpoint_steps
from fieldlens.studies.runs.folder import RunFolder
from fieldlens.studies.runs.history import Foretold, history_of, read_history, write_history
from fieldlens.studies.runs.quantities import QUANTITIES, Measures, has_every_quantity, measure
from fieldlens.studies.runs.reporter import Reporter, Silent
from fieldlens.studies.runs.saved import open_run, refresh_report

from .foretelling import columns, foretell
from .table import QUESTIONS

FEW_CHECKPOINTS = 4
"""Fewer than this make no curve."""


@dataclass(frozen=True)
class CheckpointsMeasured:
    """Where all quantities of a run's checkpoints are, and what its early creases foretell."""

    path: Path
    """Of the table."""
    figures: Path
    """A folder of them."""
    steps: list[int]
    report: Path | None
    """None before the run's first end."""
    foretold: Foretold | None
    """None where there are no creases."""

    @property
    def lines(self) -> list[str]:
        """What early creases foretell, apart from the verdict, and where the rest is."""
        sentence = self.foretold.sentence if self.foretold else None
        report = [] if self.report is None else [f"report   {self.report}"]
        return [*filter(None, [sentence]), f"table    {self.path}", f"figures  {self.figures}", *report]

    def to_json(self) -> JsonObject:
        """For a program."""
        told = self.foretold
        early = told and {"sentence": told.sentence, "outcome": told.outcome, "early_step": told.early_step}
        return fields_of(self) | {"foretold": early}


def measure_checkpoints(folder: RunFolder, *, reporter: Reporter | None = None) -> CheckpointsMeasured:
    """Measure a run at each of its checkpoints; write `analysis/over_training.csv` and a figure per quantity.

    The table is written after each checkpoint, and steps that it holds already are not measured again. Apart from it,
    `foretell` asks whether creases go with what is missing at the end.

    Raises:
        InputError: for a run that is not of a picture, or when a checkpoint is damaged or there is none.
    """
    reporter = reporter or Silent()
    steps = checkpoint_steps(folder.checkpoints)
    if not steps:
        raise InputError(f"{str(folder.path)!r} has no checkpoint to measure")
    if len(steps) < FEW_CHECKPOINTS:
        reporter.say(
            f"this run kept {len(steps)} checkpoint{'s' * (len(steps) > 1)}; a fit with --checkpoints frames keeps one "
            "for each drawing of crease density"
        )
    rows = _measured_already(folder, steps)
    for number, step in enumerate(steps):
        reporter.working("measuring checkpoints", number / len(steps))
        if step not in rows:
            saved = open_run(folder, step, reporter, into=folder.analysis)
            QUESTIONS["all_checkpoints"].check(saved.subject)
            rows[step] = measure(saved.field, saved.view, seed=saved.config.seed)
            write_history(folder.history_file, history_of(sorted(rows.items())))
    foretold = foretell(folder, steps, reporter=reporter)
    of_the_end = columns(foretold)
    for step, measures in rows.items():
        measures.pop("crease_foretold", None)  # of an earlier end
        measures.update(of_the_end.get(step, {}))
    history = history_of(sorted(rows.items()))
    write_history(folder.history_file, history)
    drawn = [quantity for quantity in history.quantities if quantity in QUANTITIES]
    for number, quantity in enumerate(drawn):
        reporter.working("drawing what was measured", number / len(drawn))
        write_bytes(folder.history_figures / f"{quantity}.svg", history_figure(history, quantity))
    reporter.working("drawing what was measured", 1.0)
    report = refresh_report(folder, steps[-1], reporter)
    return CheckpointsMeasured(folder.history_file, folder.history_figures, steps, report, foretold)


def _measured_already(folder: RunFolder, steps: list[int]) -> dict[int, Measures]:
    """What an earlier call found at these steps; nothing if its table is missing, damaged or of other quantities."""
    try:
        history = read_history(folder.history_file)
    except InputError:
        return {}
    config = folder.config()
    heldout = config.target.holdout != "none"
    if config.network.activation == "sine":  # which has fewer quantities
        complete = set(history.quantities) <= set(QUANTITIES) and (heldout <= ("heldout_psnr_db" in history.quantities))
    else:
        complete = has_every_quantity(history, heldout=heldout)
    if not complete:
        return {}
    return {step: measures for step, measures in history.rows() if step in steps}
