"""Creases through training and the detail that is missing: at each checkpoint, and at the end.

That density and error go together at one moment is a correlation. That the density of an early checkpoint says where
detail will be missing at the end is stronger, and stands apart from it: in `over_training.json`, in two columns of
`over_training.csv` (without intervals), and in a section of the report.
"""

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from fieldlens.analysis import MIN_WINDOW_PX, crease_density, early_prediction, prediction_verdict
from fieldlens.analysis.detail.explanation import Association
from fieldlens.analysis.detail.verdicts import Findings
from fieldlens.configs.files import write_json
from fieldlens.configs.records import to_json
from fieldlens.studies.runs.folder import RunFolder
from fieldlens.studies.runs.history import Checkpoint, Foretold, read_foretelling
from fieldlens.studies.runs.quantities import SAMPLED_SIDE
from fieldlens.studies.runs.reporter import Reporter, Silent
from fieldlens.studies.runs.saved import Saved, open_run

from ..subjects.creases import creased
from .table import QUESTIONS

EARLY_SHARE = 0.1
"""The early checkpoint is the one nearest, in the logarithm, to this share of the steps: fixed beforehand."""


def foretell(folder: RunFolder, steps: Sequence[int], *, reporter: Reporter | None = None) -> Foretold | None:
    """At each of these checkpoints of a run, whether its creases go with what is missing then, and at the last of them.

    Writes `analysis/over_training.json`; what it says of the same checkpoints already is taken over.

    Returns:
        What the file says; None for a network without creases, for a fit that has diverged, or a single checkpoint.

    Raises:
        InputError: for a run of a signal, or when a checkpoint is damaged.
    """
    reporter = reporter or Silent()
    known = read_foretelling(folder.foretelling_file)
    if known is not None and [checkpoint.step for checkpoint in known.checkpoints] == list(steps):
        return known
    last = open_run(folder, steps[-1], reporter)
    QUESTIONS["all_checkpoints"].check(last.subject)
    final = _drawn(last)
    if creased(last.field) is None or not np.isfinite(final).all() or len(steps) < 2:
        return None
    found = []
    for number, step in enumerate(steps):
        reporter.working("asking what creases foretell", number / len(steps))
        saved = last if step == steps[-1] else open_run(folder, step, reporter)
        density = _density(saved)
        if density is not None:
            found.append(_associations(saved, density, final))
    reporter.working("asking what creases foretell", 1.0)
    told = _summary(found, steps)
    write_json(folder.foretelling_file, to_json(told))
    return told


def columns(told: Foretold | None) -> dict[int, dict[str, float]]:
    """By step what `over_training.csv` has of it; nothing where the statistic is not defined."""
    checkpoints = [] if told is None else told.checkpoints
    return {row.step: {"crease_foretold": row.end.estimate} for row in checkpoints if row.end.estimate is not None}


def _drawn(saved: Saved) -> Float[np.ndarray, "h w c"]:
    return saved.view.draw(saved.field, device=saved.device)


def _density(saved: Saved) -> Float[np.ndarray, "rows columns"] | None:
    """Crease length per area, sampled as `runs.quantities` does; None for a checkpoint that is not finite."""
    network = creased(saved.field)
    if network is None:
        return None
    height, width = saved.view.height, saved.view.width
    stride = min(math.ceil(max(height, width) / SAMPLED_SIDE), MIN_WINDOW_PX)
    return crease_density(network, height, width, stride=stride).length.sum(0)


def _associations(
    saved: Saved, density: Float[np.ndarray, "rows columns"], final: Float[np.ndarray, "h w c"]
) -> Checkpoint:
    """`early_prediction` with the checkpoint's own drawing is the verdict's statistic at that moment."""
    target, seed = saved.view.target(), saved.config.seed
    now = early_prediction(density, target, _drawn(saved), seed=seed)
    return Checkpoint(saved.step, now, early_prediction(density, target, final, seed=seed))


def _findings(found: Association) -> Findings:
    return Findings(
        band=found.band,
        correlation=found.estimate,
        interval=found.interval,
        blocks=found.blocks,
    )


def _summary(found: Sequence[Checkpoint], steps: Sequence[int]) -> Foretold:
    end = steps[-1]
    earlier = [checkpoint for checkpoint in found if 0 < checkpoint.step < end]
    early = min(earlier, key=lambda c: abs(math.log(c.step / (EARLY_SHARE * end))), default=None)
    if early is None:
        return Foretold(None, None, None, end, found)
    said = prediction_verdict(_findings(early.end), early.step, end)
    return Foretold(said.sentence, said.outcome, early.step, end, found)
