"""What browsers get of a fit that goes on: its page, and what is new of it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fieldlens.configs.run import FitConfig
from fieldlens.fitting.estimate import duration
from fieldlens.report import Curves, Frame, Report, RunPart, curves_data, frame_data, live_html
from fieldlens.report.table import decimals, number_text
from fieldlens.studies.runs.recorder import FrameRecorder
from fieldlens.studies.runs.report import curves_of, overlay_of, protocol_of, thinned
from fieldlens.studies.runs.reporter import Moment
from fieldlens.studies.subjects.found import Observation

from .answers import Answers


@dataclass(frozen=True, eq=False)
class Shown:
    """A drawing of a fit between two of its frames."""

    step: int
    seconds: float
    observation: Observation


def page_of(recorder: FrameRecorder, config: FitConfig, notes: Sequence[str], shown: Shown, answers: Answers) -> str:
    """The page of a fit as far as it is, with what can be asked of it."""
    subject = recorder.subject
    frame = Frame(shown.step, shown.seconds, shown.observation.scores.psnr_db, shown.observation.picture)
    run = RunPart(
        label=recorder.label,
        network=str(config.network),
        frames=[frame],
        final=frame.image,
        overlays=[overlay_of(name, None, subject.words) for name in answers.map_names],
        curves=_curves(recorder, shown.observation),
        numbers={},
        verdict=[],
        explanation={},
    )
    report = Report(
        title=f"{config.scene}, {config.name}",
        lead="",
        target=subject.target(),
        runs=[run],
        protocol=protocol_of(config, {config.name: recorder.plan}),
        words=subject.words,
        notes=notes,
    )
    return live_html(report, answers.orbit and answers.orbit.for_page())


def news_of(
    recorder: FrameRecorder,
    moment: Moment,
    shown: Shown,
    maps: Mapping[str, int],
    *,
    rate: float,
    says: str,
    paused: bool = False,
    training: bool = True,
) -> str:
    """What is new, as JSON: all that the page shows, so that whoever has missed a moment misses nothing.

    Args:
        shown: the newest drawing; its picture is at `now`.
        maps: the step of each that was drawn; its picture is at `map/NAME`.
        rate: the learning rate that steps are taken with, but for the schedule.
        says: what is to be read below the facts.
        training: whether anything can be asked.
    """
    rows = thinned(recorder.metrics.rows) if recorder.metrics.rows else []
    frames = [frame_data(row.step, row.seconds, row.psnr_db, f"frame/{row.step}") for row in rows]
    scored = [(row.step, row.psnr_db) for row in rows[-1:]]
    if not rows or shown.step > rows[-1].step:
        scored = [(shown.step, shown.observation.scores.psnr_db)]
        frames.append(frame_data(shown.step, shown.seconds, scored[0][1], f"now?{shown.step}"))
    news = {
        "fit": str(recorder.folder.path),  # a page that outlives its fit may hear from the next one at the same port
        "training": training,
        "paused": paused,
        "says": says,
        "facts": _facts(moment, *scored[0]),
        "changeable": {"learning_rate": rate, "target_psnr_db": recorder.plan.target_psnr_db},
        "frames": frames,
        "curves": curves_data(_curves(recorder, shown.observation), recorder.subject.words),
        "maps": {name: {"step": step, "image": f"map/{name}?{step}"} for name, step in maps.items()},
    }
    return json.dumps(news, allow_nan=False)


def _facts(moment: Moment, scored_step: int, psnr_db: float) -> dict[str, str]:
    """Where the fit is, in words; its PSNR is of the step that was scored last."""
    of = "" if scored_step == moment.step else f" at step {scored_step:,}"
    facts = {
        "Step": f"{moment.step:,}",
        "PSNR": f"{number_text(psnr_db, decimals(2))} dB{of}",
        "Training": f"{number_text(moment.seconds, decimals(1))} s",
    }
    if moment.steps_per_s > 0:
        facts["Speed"] = f"{number_text(moment.steps_per_s, decimals(1))} steps / s"
    if moment.left is not None and moment.done < 1:
        facts["Left, report and all"] = duration(moment.left)
    return facts


def _curves(recorder: FrameRecorder, observation: Observation) -> Curves:
    waves = [f"{k} cycles" for k in recorder.subject.frequencies] or None
    rows = thinned(recorder.metrics.rows) if recorder.metrics.rows else []
    return curves_of(rows, observation.scores.energy_kept, waves)
