"""One fit from beginning to end: train, draw, save, explain, report. The writer of run folders."""

import itertools
import math
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import UInt8

from configs.errors import InputError
from configs.files import write_json, write_text
from configs.network import Network
from configs.rates import default_learning_rate
from configs.run import FitConfig, Protocol
from configs.storage import to_yaml
from fields import aliased_octaves
from fitting import Controls, Snapshot, fit, frame_steps, initial_state, place
from render.files import read_png, write_npz, write_png
from render.video import VideoWriter, check_encoder
from scenes.captures.capture import overview
from scenes.load import load
from scenes.posed import PosedScene
from scenes.scene import Scene
from scenes.shape import Shape

from .checkpoints import checkpoint_steps, read_newest, write_checkpoint
from .filming import turntable
from .folder import RunFolder, folder_name, new_folder
from .look import look_at, observer_of
from .metrics import Metrics, Row
from .observe import Finished, Observation, is_large
from .reporter import Moment, Reporter, Silent
from .reporting import write_report

LARGE_SIDE = 1024
"""Pictures with a longer side than this are told what an epoch takes."""
DENSITY_EVERY = 4
"""Crease density is drawn anew on every fourth frame."""
SAVE_EVERY = 30.0
"""Seconds after which the state is saved again, so that a machine that goes down costs no more than these."""


def load_scene(config: Protocol, reporter: Reporter | None = None) -> Scene:
    """The scene of a configuration, once everything else that could stop a run has been looked at.

    Raises:
        InputError: for a device that is not there, a machine without a video encoder, or a scene that cannot be read.
    """
    place(config.training, Network())
    check_encoder()
    if not config.scene:
        raise InputError(
            "name a picture to fit, such as photo.jpg or astronaut, a signal such as signal:5,10,20, or a 3D scene "
            "such as demo:teapot; `fieldlens scenes` lists what is built in"
        )
    working = (reporter or Silent()).working
    scene = load(config.scene, config.target, config.space, seed=config.seed, working=working)
    if config.training.revive_at and isinstance(scene, PosedScene):
        raise InputError("--revive-at is for pictures and signals, whose points say which neurons are dead")
    if config.output.turntable and not isinstance(scene, PosedScene | Shape):
        raise InputError("--turntable is for 3D scenes: no camera can go around a picture or a signal")
    return scene


def start(
    config: FitConfig, path: Path | None = None, scene: Scene | None = None, reporter: Reporter | None = None
) -> RunFolder:
    """Make the folder of a new fit, with its configuration and target in it.

    Args:
        path: the folder; by default `<output_dir>/<scene>/<encoding>/<time>`.
        scene: what to fit, when it has been loaded already.

    Raises:
        InputError: as `load_scene` does, and for a folder that cannot be written.
    """
    scene = scene or load_scene(config, reporter)
    if path is None:
        path = new_folder(config.output.output_dir / folder_name(scene.name) / str(config.encoding))
    folder = RunFolder(path)
    write_npz(folder.target_file, **scene.to_npz_arrays())
    if isinstance(scene, PosedScene):
        write_png(folder.cameras, overview(scene.capture))
    write_text(folder.config_file, to_yaml(config))
    return folder


def run(
    folder: RunFolder,
    config: FitConfig | None = None,
    reporter: Reporter | None = None,
    controls: Controls | None = None,
) -> dict[str, Any]:
    """Fit what a run folder holds, from its newest checkpoint or from the beginning, and fill the folder.

    Args:
        folder: made by `start`.
        config: a configuration with other limits than the folder's own, for going on beyond them; the folder keeps it.
        controls: stops the fit early; what there is by then is still drawn, explained and reported.

    Returns:
        The content of run.json.

    Raises:
        InputError: when the folder is damaged beyond use.
    """
    reporter = reporter or Silent()
    before = folder.config()
    config = config or before
    scene = folder.scene()
    if isinstance(scene, Shape):
        scene.prepare(partial(reporter.working, "asking the mesh at points"))
    session = _Session(folder, config, scene, reporter)
    session.resume()
    if config != before:
        write_text(folder.config_file, to_yaml(config))
    session.train(controls or Controls())
    return session.finish()


class _Session:
    """One sitting of a fit."""

    def __init__(self, folder: RunFolder, config: FitConfig, scene: Scene, reporter: Reporter) -> None:
        self.folder, self.config, self.scene, self.reporter = folder, config, scene, reporter
        if config.training.threads is not None:
            torch.set_num_threads(config.training.threads)
        self.placement = place(config.training, config.network)
        self.state = initial_state(config, scene, self.placement.device)
        self.batch_size = config.training.batch_size or scene.pace.batch_size
        self.learning_rate = config.training.learning_rate or scene.pace.rate_factor * default_learning_rate(
            config.encoding, config.network
        )
        self.second_limit = config.training.second_limit(scene.pace.seconds)
        self.observer = observer_of(scene, self.placement)
        self.look = look_at(scene)
        self.turntable = turntable(scene) if config.output.turntable and isinstance(scene, PosedScene | Shape) else None
        self.metrics = Metrics(folder.metrics_file, self.look.frequencies)
        self.density: tuple[int, UInt8[np.ndarray, "h w 3"]] | None = None  # the newest drawn, and its step
        self.drawing_seconds = 0.0
        self.saved_at = -math.inf
        self.stopped_because = "steps"
        self.told_epoch = False
        aliased = None if scene.resolution is None else aliased_octaves(config.encoding, scene.resolution)
        self.notes = [*scene.notes, *self.observer.notes, *([aliased] if aliased else [])]
        for note in self.notes:
            reporter.say(note)

    def frame_steps(self) -> Iterator[int]:
        """The steps that the configuration says to draw."""
        return frame_steps(self.config.output.frames, self.config.training.steps, self.scene.pace.open_frames)

    def resume(self) -> None:
        """Take over the newest checkpoint, if there is one, and forget what was recorded after it."""
        if checkpoint_steps(self.folder.checkpoints):
            for sentence in read_newest(self.folder.checkpoints, self.state):
                self.reporter.say(sentence)
            self.reporter.say(f"going on from step {self.state.step}")
        # An interruption draws its last step even where the configuration does not, so that one may have to go as well.
        # Earlier frames stay: a fit that goes on to another limit may plan others from here on, but drew those.
        step = self.state.step
        planned = list(itertools.takewhile(lambda planned: planned <= step, self.frame_steps()))
        drawn, mapped = step in planned, step in planned[::DENSITY_EVERY]
        self.metrics.read(step if drawn else step - 1)
        for kind, kept in (("", drawn), ("reconstruction", drawn), ("turntable", drawn), ("density", mapped)):
            for later in self.folder.frame_steps(kind):
                if later > step or (later == step and not kept):
                    self.folder.frame(later, kind).unlink()
        for newest in self.folder.frame_steps("density")[-1:]:
            self.density = newest, read_png(self.folder.frame(newest, "density"))
        self.first_step, self.first_seconds = self.state.step, self.state.seconds

    def train(self, controls: Controls) -> None:
        """Train until something says stop, recording what the configuration asks for."""
        training = self.config.training
        density_steps = itertools.islice(self.frame_steps(), 0, None, DENSITY_EVERY)
        density_due = next(density_steps, None)
        for snapshot in fit(
            self.state, self.scene, training, self.placement, self.learning_rate, self.frame_steps(), controls
        ):
            reason = snapshot.stopped_because
            if snapshot.scheduled or reason:
                with self._drawing():
                    observation = self.observer.observe(self.state.field)
                self.metrics.add(self._row(snapshot, observation))
                reason = reason or self._reached()
                while density_due is not None and density_due < snapshot.step:
                    density_due = next(density_steps, None)
                if reason or snapshot.step == density_due:
                    self._draw_density()
                with self._drawing():
                    self._draw_frame(observation)
            keep_frames = self.config.output.checkpoints == "frames"
            overdue = time.monotonic() - self.saved_at > SAVE_EVERY
            if reason or overdue or (keep_frames and snapshot.step == density_due):
                self._save(keep_frames)
            moment = self._moment()
            self.reporter.fitting(moment)
            self._tell_epoch_once(moment)
            if reason:
                self.stopped_because = reason
                return

    def _save(self, keep_frames: bool) -> None:
        """Write the curves and then the state: what a checkpoint follows on must be there before it is."""
        self.metrics.write()
        kept = self.folder.frame_steps() if keep_frames else ()
        write_checkpoint(self.folder.checkpoints, self.state, kept)
        self.saved_at = time.monotonic()

    def _reached(self) -> str | None:
        """The goal that the newest row meets, or that there is none to be met any more."""
        training, psnr_db = self.config.training, self.metrics.rows[-1].psnr_db
        if math.isnan(psnr_db):
            return "diverged"
        if training.target_psnr is not None and psnr_db >= training.target_psnr:
            return "target"
        if training.plateau_db is not None and self.metrics.plateau(training.plateau_db, self.scene.pace.least_steps):
            return "plateau"
        return None

    def _row(self, snapshot: Snapshot, seen: Observation) -> Row:
        scores = seen.scores
        kept, error = tuple(scores.energy_kept.values()), tuple(scores.relative_error.values())
        psnr = round(scores.psnr_db, 4)  # as the file has it: a resumed fit must meet its goals at the same step
        recovered = self.look.recovered(seen.reconstruction)
        heldout = scores.heldout_psnr_db
        return Row(snapshot.step, snapshot.seconds, snapshot.loss, psnr, heldout, kept, error, *recovered)

    def _moment(self) -> Moment:
        step, seconds, training = self.state.step, self.state.seconds, self.config.training
        limits = [step / training.steps] if training.steps else []
        limits += [seconds / self.second_limit] if self.second_limit else []
        rate = (step - self.first_step) / max(seconds - self.first_seconds, 1e-9)
        rows = self.metrics.rows
        newest = self.folder.frame(rows[-1].step) if rows else None
        psnr = rows[-1].psnr_db if rows else None
        return Moment(str(self.config.encoding), step, seconds, psnr, rate, max(limits, default=0.0), newest)

    def _tell_epoch_once(self, moment: Moment) -> None:
        """Of a large picture, once its speed is known: what an epoch takes, and what would make it shorter."""
        view = self.scene.views()[0]
        longer_side = max(view.height, view.width)
        if self.told_epoch or longer_side <= LARGE_SIDE or not is_large(view) or moment.steps_per_s == 0:
            return
        self.told_epoch = True
        seconds = self.scene.training_samples / (moment.steps_per_s * self.batch_size)
        shorter = seconds * (LARGE_SIDE / longer_side) ** 2
        self.reporter.say(
            f"one epoch ({self.scene.training_samples:,} pixels) takes about {seconds:.0f} s; "
            f"with --max-side {LARGE_SIDE} it would take {shorter:.0f} s"
        )

    def _draw_density(self) -> None:
        picture = self.look.density(self.state.field)
        if picture is not None:
            self.density = self.state.step, picture
            write_png(self.folder.frame(self.state.step, "density"), picture)

    def _draw_frame(self, observation: Observation) -> None:
        step = self.state.step
        title = f"{self.config.encoding}   step {step}   {observation.scores.psnr_db:.2f} dB"
        field = self.state.field
        frame = self.look.frame(field, observation, title, self.density, self.metrics.rows)
        write_png(self.folder.frame(step), frame)
        drawn = self.look.reconstruction(field, observation.reconstruction)
        write_png(self.folder.frame(step, "reconstruction"), drawn)
        if self.turntable is not None:
            before = len(self.metrics.rows) - 1  # frames: each has a row, this one as well
            write_png(self.folder.frame(step, "turntable"), self.turntable.frame(field, before, title))

    def finish(self) -> dict[str, Any]:
        """Draw the field whole, explain what is missing, and write run.json, video and report."""
        working, field = self.reporter.working, self.state.field
        final = self.observer.finish(field, partial(working, "drawing the reconstruction whole"))
        with self._drawing():
            write_png(
                self.folder.path / "reconstruction.png", self.look.reconstruction(field, final.reconstructions[0])
            )
        progress = partial(working, "explaining missing detail")
        summary = self.look.explain(
            self.folder.analysis, field, final.reconstructions, seed=self.config.seed, progress=progress
        )
        result = self._result(final, summary)
        write_json(self.folder.result_file, result)
        with self._drawing():
            self._write_video(self.folder.video, "")
            if self.turntable is not None:
                self._write_video(self.folder.turntable, "turntable")
            working("writing the report", 0.0)
            write_report(self.folder)
        result["drawing_seconds"] = round(self.drawing_seconds, 3)
        write_json(self.folder.result_file, result)
        return result

    def _samples_per_step(self) -> int:
        """As many as were asked for, if the scene gives them: of a signal, no sample comes twice in a batch."""
        return len(self.scene.batch(torch.Generator(), self.batch_size).values)

    @contextmanager
    def _drawing(self) -> Iterator[None]:
        """Counts time as spent on frames, video and report."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.drawing_seconds += time.perf_counter() - started

    def _write_video(self, path: Path, kind: str) -> None:
        """All frames of a kind as a film."""
        steps = self.folder.frame_steps(kind)
        with VideoWriter(path) as video:
            for number, step in enumerate(steps):
                self.reporter.working("writing the video", number / len(steps))
                video.write(read_png(self.folder.frame(step, kind)))

    def _result(self, final: Finished, summary: dict[str, Any]) -> dict[str, Any]:
        state, placement, scores = self.state, self.placement, final.scores
        return {
            "path": str(self.folder.path),
            "report": str(self.folder.report),
            "video": str(self.folder.video),
            "turntable": None if self.turntable is None else str(self.folder.turntable),
            "scene": self.scene.name,
            "encoding": str(self.config.encoding),
            "network": str(self.config.network),
            "psnr_db": _finite(scores.psnr_db),
            "heldout_psnr_db": _finite(scores.heldout_psnr_db),
            "ssim": _finite(final.ssim),
            "steps": state.step,
            "seconds": round(state.seconds, 3),
            "samples_per_s": round(state.step * self._samples_per_step() / max(state.seconds, 1e-9)),
            "stopped_because": self.stopped_because,
            "learning_rate": self.learning_rate,
            "second_limit": self.second_limit,
            "device": placement.device_name,
            "precision": placement.precision,
            "threads": torch.get_num_threads(),
            "seed": self.config.seed,
            "energy_kept": scores.energy_kept,
            **summary,
            "notes": self.notes,
            "versions": {name: version(name) for name in ("fieldlens", "torch", "numpy", "opencv-python")}
            | {"python": platform.python_version()},
            "drawing_seconds": None,
        }


def _finite(value: float | None) -> float | None:
    """Strict JSON has no NaN: what a diverged fit scores is null."""
    return value if value is not None and math.isfinite(value) else None
