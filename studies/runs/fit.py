"""One fit from beginning to end: train, draw, save, explain, report. The writer of run folders."""

import os
import shlex
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from fieldlens.configs.encoding import Own, require_named
from fieldlens.configs.errors import InputError, counted
from fieldlens.configs.files import (
    look_after,
    not_as_written,
    remove,
    require_new,
    write_bytes,
    write_json,
    write_text,
)
from fieldlens.configs.holding import held, require_there
from fieldlens.configs.names import COMPARISON, CONFIG, SWEEP, folder_in, require_folder_name
from fieldlens.configs.network import Network
from fieldlens.configs.records import to_json
from fieldlens.configs.run import FitConfig, Protocol
from fieldlens.configs.storage import to_yaml
from fieldlens.fitting import (
    Change,
    Controls,
    Ending,
    Estimate,
    Plan,
    Snapshot,
    TrainingState,
    fit,
    go_on_with,
    initial_state,
    nothing_left,
    place,
    plan_of,
    require_room,
)
from fieldlens.fitting.estimate import WORTH_TELLING, duration, estimate, in_words
from fieldlens.render.files import write_npz, write_png
from fieldlens.render.video import EncoderError, VideoWriter, check_encoder
from fieldlens.scenes.choices import changed, refuse_unused
from fieldlens.scenes.load import load, picture_in, sort_of
from fieldlens.scenes.scene import Scene
from fieldlens.studies.subjects.choice import spatial, subject_of
from fieldlens.studies.subjects.film import turntable
from fieldlens.studies.subjects.found import unexplained, write_explained
from fieldlens.studies.subjects.scoring import is_large
from fieldlens.studies.subjects.subject import Subject

from .checkpoints import checkpoint_steps, read_newest, write_checkpoint
from .folder import RunFolder, lost_note, new_folder
from .metrics import Metrics
from .record import RunRecord, finite, installed_versions
from .recorder import MAPS_EVERY, FrameRecorder, Onlooker, Recorder, Stopwatch, forget_after, recorded_until
from .report import write_report
from .reporter import Moment, Reporter, Silent

TIMED_STEPS = 4
"""Steps whose time is taken before it is said how long a fit will take."""
LARGE_SIDE = 1024
"""Pictures with a longer side than this are told what an epoch takes."""


def load_scene(
    config: Protocol,
    reporter: Reporter | None = None,
    networks: Sequence[Network] = (),
    typed: Collection[str] = (),
    picture: Any = None,
) -> Scene:
    """The scene of a configuration, once everything else that could stop a run has been looked at.

    Args:
        networks: what it is to be fitted by.
        typed: choices that a person made, even where they are those by default.
        picture: an array that is fitted, and no word names it.

    Raises:
        InputError: for a device that is not there, a machine without a video encoder, a choice that has no effect on
            such a scene, or a scene that cannot be read.
    """
    place(config.training, Network())
    check_encoder()
    if picture is None and not config.scene:
        raise InputError(
            "name a picture to fit, such as photo.jpg or astronaut, a signal such as signal:5,10,20, or a 3D scene "
            "such as demo:teapot; `fieldlens scenes` lists what is built in"
        )
    if picture is None:
        _refuse_own(config.scene)
    require_folder_name(config.output.output_dir, "--output-dir")
    groups = (config.training, config.target, config.space, config.output)
    made = [*typed, *(name for group in groups for name in changed(group))]
    made += ["sigmoid" for network in networks if network.output == "sigmoid"]
    refuse_unused(config.scene, sort_of(config.scene, config.space) if picture is None else "array", made)
    if picture is not None:
        return picture_in(picture, config.target)
    working = (reporter or Silent()).working
    return load(config.scene, config.target, config.space, seed=config.seed, working=working)


def _refuse_own(word: str) -> None:
    """See that a scene is none of the files that this program writes, which are gone on with in other ways.

    Raises:
        InputError: with what to type instead.
    """
    path, quoted = Path(word), shlex.quote(word)
    for mark, verb in ((CONFIG, "fit"), (COMPARISON, "compare"), (SWEEP, "compare")):
        if path.name != mark and (path / mark).is_file():
            going_on = f"`fieldlens {verb} --resume {quoted}`"
            raise InputError(f"{word!r} is a folder of `fieldlens {verb}`; go on with it: {going_on}")
    if path.suffix in (".yaml", ".yml") and path.is_file():
        fitting = f"`fieldlens fit --config {quoted}`"
        raise InputError(f"{word!r} is no scene; for a fit with the choices in it, type {fitting}")


def start(
    config: FitConfig,
    path: Path | None = None,
    scene: Scene | None = None,
    reporter: Reporter | None = None,
    typed: Collection[str] = (),
    picture: Any = None,
) -> RunFolder:
    """Make the folder of a new fit, with its configuration and target in it.

    The configuration says which optimizer and rates the defaults stand for: the fit goes on by them, whatever a later
    version finds to be ahead.

    Args:
        path: the folder, new or empty; by default `<output_dir>/<scene>/<encoding>/<time>`.
        scene: what to fit, when it has been loaded already.
        typed: choices that a person made, even where they are those by default.
        picture: an array to fit, where no word names the scene.

    Raises:
        InputError: as `load_scene` does, and for a folder that cannot be written.
    """
    require_named(config.encoding)
    require_room(config)
    if path is not None:
        require_new(path)  # checkpoints of another fit would be gone on with
    scene = scene or load_scene(config, reporter, [config.network], typed, picture)
    if path is None:
        path = new_folder(folder_in(folder_in(config.output.output_dir, scene.name), str(config.encoding)))
    folder = RunFolder(path)
    look_after(folder.path)
    write_npz(folder.target_file, **scene.to_npz_arrays())
    if isinstance(config.encoding, Own) and config.encoding.code is not None:
        write_bytes(folder.encoding_file, config.encoding.code.source)
    picture = subject_of(scene).overview() if scene.views() else None  # the study's digits cannot be drawn
    if picture is not None:
        write_png(folder.cameras, picture)
    plan = plan_of(config, scene)
    taken = replace(config.training, optimizer=plan.optimizer, learning_rate=plan.learning_rate)
    write_text(folder.config_file, to_yaml(replace(config, training=taken)))
    return folder if not isinstance(config.encoding, Own) else replace(folder, named=config.encoding)


def run(
    folder: RunFolder,
    config: FitConfig | None = None,
    reporter: Reporter | None = None,
    controls: Controls | None = None,
    runs_left: int = 0,
    onlooker: Onlooker | None = None,
) -> RunRecord:
    """Fit what a run folder holds, from its newest checkpoint or from the beginning, and fill the folder.

    Args:
        folder: made by `start`.
        config: a configuration with other limits than the folder's own, for going on beyond them; the folder keeps it.
        controls: stops the fit early; what there is by then is still drawn, explained and reported.
        runs_left: others of the same comparison that follow, for the estimate of how long all takes.
        onlooker: sees the fit while it goes on, from its first moment.

    Returns:
        What run.json says.

    Raises:
        InputError: when the folder is damaged beyond use, or cannot be written, or another process writes it.
    """
    reporter = reporter or Silent()
    with held(folder.path, reporter.say):
        return _run(folder, config, reporter, controls or Controls(), runs_left, onlooker)


def _run(
    folder: RunFolder,
    config: FitConfig | None,
    reporter: Reporter,
    controls: Controls,
    runs_left: int,
    onlooker: Onlooker | None,
) -> RunRecord:
    look_after(folder.path)
    before = folder.config()
    config = config or before
    scene = folder.scene()
    plan = plan_of(config, scene)
    torch.set_num_threads(plan.threads)
    subject, state = subject_of(scene, plan.placement.hidden_dtype), initial_state(config, scene, plan.device)
    taken_over = resumed(folder, state)
    # who looks at it live is shown it, and so it ends once more
    if config == before and onlooker is None and (ended := _as_it_ended(folder, config, plan, state, reporter)):
        return ended
    subject.prepare(reporter.working)
    aliased = None if scene.resolution is None else config.encoding.aliasing_note(scene.resolution)
    notes = [*scene.notes, *subject.notes, *([aliased] if aliased else [])]
    for note in notes:
        reporter.say(note)
    if state.seen is None:
        state.seen = state.step * _points_of_full_step(scene, plan)
    for sentence in taken_over:
        reporter.say(sentence)
    plan, changes = _as_left(folder, state, plan, _limits(config) == _limits(before), reporter)
    metrics, watch = Metrics(folder.metrics_file, subject.frequencies), Stopwatch()
    metrics.read(until=recorded_until(plan, state.step, changes))
    if state.step and not metrics.rows:
        reporter.say(f"there are no curves of the steps before {state.step}: they begin anew")
    remove(folder.result_file)  # what it says is not of what the folder is about to hold
    forget_after(folder, plan, state.step, changes)
    recorder = FrameRecorder(
        folder,
        plan,
        subject,
        metrics,
        label=str(config.encoding),
        keeps_checkpoints=config.output.checkpoints == "frames",
        draws=() if config.output.quick else _maps_to_draw(folder, subject),
        film=turntable(spatial(subject, "--turntable is")) if config.output.turntable else None,
        watch=watch,
        changes=changes,
    )
    if config != before:
        write_text(folder.config_file, to_yaml(config))
    begun_at = state.step
    ending = subject.ending(state.field)
    if config.output.quick:
        ending = replace(ending, maps=0.0)
    teller = _Teller(reporter, recorder, plan, scene, ending, runs_left)
    tell = [teller.tell]
    if onlooker is not None:
        onlooker.begin(recorder, config, notes)
        tell.append(onlooker.look)
    reason = train(folder, scene, state, plan, recorder, controls, *tell)
    if taken_over and state.step == begun_at and reason != "interrupted":
        why = nothing_left(plan, reason, state.step, state.seconds)
        reporter.say(f"nothing is left to train: {why}")
    plan, notes = recorder.plan, [*notes, *(change.sentence for change in recorder.changes)]
    return finish(
        folder, config, scene, subject, state, plan, reason, metrics, notes, recorder.changes, watch, reporter
    )


def finish(
    folder: RunFolder,
    config: FitConfig,
    scene: Scene,
    subject: Subject,
    state: TrainingState,
    plan: Plan,
    reason: str,
    metrics: Metrics,
    notes: Sequence[str],
    changes: Sequence[Change],
    watch: Stopwatch,
    reporter: Reporter,
) -> RunRecord:
    """Draw a field whole, explain what is missing, and write videos, report and at last run.json.

    Args:
        reason: why training stopped.
        metrics: the curves, a row for each step that has frames, as far as nobody took them away.
        notes: what was said before it.
        changes: what a person changed while it ran.
        watch: is run for drawing.
    """
    finished = subject.finish(state.field, partial(reporter.working, "drawing the reconstruction whole"))
    with watch.running():
        write_png(folder.path / "reconstruction.png", finished.picture)
    if config.output.quick:
        explained = unexplained(folder.path, finished.scores, subject.frequencies)
    else:
        progress = partial(reporter.working, "explaining missing detail")
        explained = subject.explain(state, plan, finished, progress=progress)
    write_explained(folder.analysis, explained)
    with watch.running():
        films = write_films(folder, config, [row.step for row in metrics.rows], reporter)
        films.remove_older()
    for note in films.notes:
        reporter.say(note)
    gained_db = finite(metrics.gained_db)
    record = RunRecord(
        path=folder.path,
        report=folder.report,
        video=films.video,
        turntable=films.turntable,
        scene=scene.name,
        encoding=str(config.encoding),
        network=str(config.network),
        psnr_db=finite(finished.scores.psnr_db),
        heldout_psnr_db=finite(finished.scores.heldout_psnr_db),
        ssim=finite(finished.ssim),
        steps=state.step,
        seconds=round(state.seconds, 3),
        samples_per_s=round((state.seen or 0) / max(state.seconds, 1e-9)),
        stopped_because=reason,
        plan=plan,
        energy_kept=finished.scores.energy_kept,
        explained=explained.summary,
        notes=(*notes, *films.notes),
        gained_db=None if gained_db is None else round(gained_db, 4),
        versions=installed_versions(),
        changed_by_hand=tuple(changes) or None,
    )
    with watch.running():
        reporter.working("writing the report", 0.0)
        write_report(folder, record)
    record = replace(record, drawing_seconds=round(watch.seconds, 3))
    write_json(folder.result_file, to_json(record))  # says that all of the rest is there
    return record


def train(
    folder: RunFolder,
    scene: Scene,
    state: TrainingState,
    plan: Plan,
    recorder: Recorder,
    controls: Controls,
    *tell: Callable[[Snapshot], None],
) -> str:
    """Train until something says stop: look at the steps that a recorder names, and save the state when it says so.

    Args:
        tell: hear of every moment, about twice a second.

    Returns:
        Why it stopped, as `RunRecord.stopped_because` has it.
    """
    for moment in fit(state, scene, plan, recorder.steps(), controls):
        require_there(folder.path)
        reason = moment.stopped_because
        if moment.scheduled or reason:
            reason = recorder.record(moment)
        if reason or recorder.wants_state(moment.step):
            save(folder, state, recorder)
        for hear in tell:
            hear(moment)
        if reason:
            return reason
    raise AssertionError("the last moment of a fit says why it is the last")


def save(folder: RunFolder, state: TrainingState, recorder: Recorder) -> None:
    """Save a state from which the fit can go on."""
    recorder.save()  # what a checkpoint follows on must be there before it is
    write_checkpoint(folder.checkpoints, state, recorder.kept_states())


def resumed(folder: RunFolder, state: TrainingState) -> list[str]:
    """Take over the newest checkpoint of a folder, if it has one.

    Returns:
        What is to be said of it.

    Raises:
        InputError: when all checkpoints are damaged, or are of another network.
    """
    if not checkpoint_steps(folder.checkpoints):
        return []
    passed_over = read_newest(folder.checkpoints, state)
    return [*passed_over, f"going on from step {state.step}"]


def _as_it_ended(
    folder: RunFolder, config: FitConfig, plan: Plan, state: TrainingState, reporter: Reporter
) -> RunRecord | None:
    """What run.json says of a fit that has nothing left to train and to make; None where there is something."""
    record = folder.finished_record()
    if record is None or record.stopped_because == "interrupted" or (record.plan, record.steps) != (plan, state.step):
        return None
    films = record.video is not None and (record.turntable is not None) == config.output.turntable
    lost = not_as_written(folder.path)
    if lost is None or not films:
        return None
    if os.path.abspath(record.path) != os.path.abspath(folder.path):
        reporter.say("run.json says that this folder is elsewhere: the end is made again")
        return None
    if lost:
        few = ", ".join(lost[:3]) + (", ..." if len(lost) > 3 else "")
        reporter.say(f"{counted(len(lost), 'file')} missing or damaged ({few}): the end is made again")
        return None
    why = nothing_left(plan, record.stopped_because, record.steps, record.seconds)
    reporter.say(f"nothing is left to train: {why}")
    reporter.say("all of its files are there and whole, so nothing was made again")
    return record


def _as_left(
    folder: RunFolder, state: TrainingState, plan: Plan, keeps_limits: bool, reporter: Reporter
) -> tuple[Plan, list[Change]]:
    """The plan of a fit that goes on, with what a person had changed by its state; what came after it is forgotten."""
    plan, changes = go_on_with(folder.changes(until=state.step), state, plan, keeps_limits)
    if changes or folder.changes_file.exists():
        folder.write_changes(changes)
    for change in changes:
        reporter.say(change.sentence)
    return plan, changes


def _limits(config: FitConfig) -> tuple[float | None, ...]:
    training = config.training
    return training.steps, training.seconds, training.target_psnr, training.plateau


class _Teller:
    """Tells a reporter where a fit is; and once its speed is known, how long all will take, and of a large picture
    what an epoch takes."""

    def __init__(
        self,
        reporter: Reporter,
        recorder: FrameRecorder,
        plan: Plan,
        scene: Scene,
        ending: Ending,
        runs_left: int,
    ) -> None:
        self.reporter, self.recorder, self.plan, self.scene = reporter, recorder, plan, scene
        self.ending, self.runs_left = ending, runs_left
        self.begun: list[tuple[int, float]] = []
        """Step and seconds of the first moments, up to the one after which steps are timed."""
        self.owes_estimate = True
        view = scene.views()[0]
        self.longer_side = max(view.height, view.width)
        self.owes_epoch = self.longer_side > LARGE_SIDE and is_large(view)

    def tell(self, moment: Snapshot) -> None:
        """Hear of a moment."""
        step, seconds, plan = moment.step, moment.seconds, self.plan
        self._begin(step, seconds)
        first_step, first_seconds = self.begun[-1]
        limits = [step / plan.steps] if plan.steps else []
        limits += [seconds / plan.seconds] if plan.seconds else []
        rate = (step - first_step) / max(seconds - first_seconds, 1e-9)
        expected = self._expected(step, seconds, rate)
        drawn_step, psnr_db, newest = self.recorder.newest or (None, None, None)
        self.reporter.fitting(
            Moment(
                self.recorder.label,
                step,
                seconds,
                psnr_db,
                rate,
                max(limits, default=0.0),
                newest,
                drawn_step,
                None if drawn_step is None else self.recorder.folder.frame(drawn_step, "reconstruction"),
                None if expected is None else expected.whole,
            )
        )
        if expected is not None and self.owes_estimate and step - first_step >= TIMED_STEPS:
            self.owes_estimate = False
            self._tell_estimate(expected)
        if self.owes_epoch and rate > 0:
            self.owes_epoch = False
            self._tell_epoch(rate)

    def _begin(self, step: int, seconds: float) -> None:
        """Steps are timed from the second moment with a step of its own: the first step is slower than the others."""
        if len(self.begun) < 2 and (not self.begun or step > self.begun[0][0]):
            self.begun.append((step, seconds))

    def _expected(self, step: int, seconds: float, rate: float) -> Estimate | None:
        costs = self.recorder.costs(1 / rate) if rate > 0 else None
        return None if costs is None else estimate(self.plan, step, seconds, costs, self.ending, MAPS_EVERY)

    def _tell_estimate(self, expected: Estimate) -> None:
        """How long everything takes, where that is worth being told."""
        if (1 + self.runs_left) * expected.whole < WORTH_TELLING:
            return
        sentence = in_words(expected, self.plan, self.ending)
        if self.runs_left:
            together = duration((1 + self.runs_left) * expected.whole)
            runs = "run that follows" if self.runs_left == 1 else f"{self.runs_left} runs that follow"
            sentence += f"; with the {runs} about {together}, if they are alike"
        self.reporter.say(sentence)

    def _tell_epoch(self, steps_per_s: float) -> None:
        """How long it is, and what would make it shorter."""
        seconds = self.scene.training_samples / (steps_per_s * self.plan.batch_size)
        shorter = seconds * (LARGE_SIDE / self.longer_side) ** 2
        self.reporter.say(
            f"one epoch ({counted(self.scene.training_samples, 'pixel')}) takes about {seconds:.0f} s; "
            f"with --max-side {LARGE_SIDE} it would take {shorter:.0f} s"
        )


def _maps_to_draw(folder: RunFolder, subject: Subject) -> list[str]:
    """Those that earlier sittings drew, if there were any: all frames of a film have the same parts."""
    begun = bool(folder.frame_steps())
    return [name for name in subject.map_looks if not begun or folder.frame_steps(name)]


def _points_of_full_step(scene: Scene, plan: Plan) -> int:
    """Those of every step when checkpoints did not count them: of a signal, none comes twice in a batch."""
    return len(scene.batch(torch.Generator(), plan.batch_size).values)


@dataclass(frozen=True)
class Films:
    """The films of a run's frames; None is one that was not asked for, or that the encoder failed to make."""

    video: Path | None
    turntable: Path | None
    failures: Mapping[Path, str]
    """Why the encoder failed, by the film that it was to make."""
    lost: Collection[int]
    """Steps whose frames they had to go without."""

    @property
    def notes(self) -> list[str]:
        """Why one is not there, and what it had to go without."""
        failed = [
            f"{no_film(path)}{why}; the frames are there, and `fieldlens render {shlex.quote(str(path.parent))} "
            "--video` makes it of them"
            for path, why in self.failures.items()
        ]
        return [*failed, *lost_note(self.lost)]

    def remove_older(self) -> None:
        """Where the encoder failed, take away what an earlier one made: it is not of these frames."""
        for path in self.failures:
            remove(path)


def write_films(folder: RunFolder, config: FitConfig, recorded: Sequence[int], reporter: Reporter) -> Films:
    """Make the films of a run of its frames. An encoder that dies leaves an older film as it was.

    Args:
        recorded: the steps that have a row in the curves, and so are to have frames.

    Raises:
        InputError: when a film cannot be given its name.
    """
    lost = {step for step in recorded if folder.picture(step, "reconstruction") is None}
    made, failures = dict[Path, Path](), dict[Path, str]()
    for path, kind in [(folder.video, ""), *([(folder.turntable, "turntable")] if config.output.turntable else [])]:
        try:
            lost.update(_write_video(folder, path, kind, recorded, reporter))
            if path.is_file():  # there is none of no frames
                made[path] = path
        except EncoderError as error:
            failures[path] = str(error)
    return Films(made.get(folder.video), made.get(folder.turntable), failures, lost)


def no_film(path: Path) -> str:
    """How the note begins that says why there is no such film."""
    return f"there is no {path.name}: "


def _write_video(folder: RunFolder, path: Path, kind: str, recorded: Sequence[int], reporter: Reporter) -> list[int]:
    """All frames of a kind as a film; gives the steps of those that it had to go without."""
    steps, lost = sorted({*recorded, *folder.frame_steps(kind)}), list[int]()
    shape = next((seen.shape for step in reversed(steps) if (seen := folder.picture(step, kind)) is not None), None)
    with VideoWriter(path) as video:
        for number, step in enumerate(steps):
            reporter.working("writing the video", number / len(steps))
            frame = folder.picture(step, kind)
            if frame is not None and frame.shape == shape:
                video.write(frame)
            else:
                lost.append(step)
    return lost
