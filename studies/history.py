"""A finished run over its training: every quantity at every checkpoint that was kept."""

from typing import Any

from configs.errors import InputError
from configs.files import write_bytes

from .charts import history_figure
from .checkpoints import checkpoint_steps
from .folder import RunFolder
from .foretelling import columns, foretell
from .measuring import QUANTITIES, Measures, has_every_quantity, measure
from .over_training import history_of, read_history, write_history
from .redraw import open_run, picture_view, refresh_report
from .reporter import Reporter, Silent

FEW = 4
"""Fewer checkpoints than this make no curve."""


def measure_checkpoints(folder: RunFolder, *, reporter: Reporter | None = None) -> dict[str, Any]:
    """Measure a run at each of its checkpoints; write `analysis/over_training.csv` and a figure per quantity.

    The table is written after each checkpoint, and steps that it holds already are not measured again. Apart from it,
    `foretell` asks whether creases go with what is missing at the end.

    Returns:
        `path` of the table, `figures`, the folder of the figures, `steps`, `report` (None before the run's first end),
        and `foretold`, what is said of the early creases (None where there are none).

    Raises:
        InputError: when a checkpoint is damaged or there is none.
    """
    reporter = reporter or Silent()
    steps = checkpoint_steps(folder.checkpoints)
    if not steps:
        raise InputError(f"{str(folder.path)!r} has no checkpoint to measure")
    if len(steps) < FEW:
        reporter.say(
            f"this run kept {len(steps)} checkpoint{'s' * (len(steps) > 1)}; a fit with --checkpoints frames keeps one "
            "for each drawing of crease density"
        )
    rows = _measured_already(folder, steps)
    for number, step in enumerate(steps):
        reporter.working("measuring checkpoints", number / len(steps))
        if step not in rows:
            saved = open_run(folder, step, reporter)
            rows[step] = measure(saved.field, picture_view(saved, "--all-checkpoints"), seed=saved.config.seed)
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
    return {
        "path": str(folder.history_file),
        "figures": str(folder.history_figures),
        "steps": steps,
        "report": refresh_report(folder, steps[-1]),
        "foretold": None if foretold is None else {key: foretold[key] for key in ("sentence", "outcome", "early_step")},
    }


def _measured_already(folder: RunFolder, steps: list[int]) -> dict[int, Measures]:
    """What an earlier call found at these steps; nothing if its table is missing, damaged or of other quantities."""
    try:
        history = read_history(folder.history_file)
    except InputError:
        return {}
    creases = folder.config().network.activation != "sine"  # which has fewer quantities
    if not (has_every_quantity(history) if creases else set(history.quantities) <= set(QUANTITIES)):
        return {}
    return {step: measures for step, measures in history.rows() if step in steps}
