"""Every number of a fit, once what a person left open has been worked out."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

import torch

from fieldlens.configs.optimizer import Adam, Optimizer, default_learning_rate
from fieldlens.configs.run import FitConfig, Schedule
from fieldlens.scenes.scene import BatchT, FieldT, Marched, Scene

from .precision import Placement, place
from .schedule import frame_steps, learning_rate_at

PLATEAU_DB = 0.05
"""Gain of the last third of the steps below which a fit of open length ends."""


@dataclass(frozen=True)
class Plan:
    """What a fit will do, number by number; nothing in it is left open."""

    seed: int
    batch_size: int
    """Pixels, samples, points or rays in a step; of rays the most, where `samples` says how many."""
    samples: int | None = field(metadata={"before": None})
    """Samples on the rays of a step, by which their number is chosen; None for exactly `batch_size`."""
    optimizer: Optimizer = field(metadata={"before": Adam()})
    """What moves the weights."""
    learning_rate: float
    """Adam's learning rate of the first step."""
    schedule: Schedule
    average: float = field(metadata={"before": 0.0})
    """The share of the steps so far over which the weights that are shown are averaged; 0 for the newest weights."""
    steps: int | None
    """Steps to stop after. None, here and in the three limits below, where there is no such limit."""
    seconds: float | None
    """Seconds of training to stop after; drawing and analysis are not counted."""
    target_psnr_db: float | None
    plateau_db: float | None
    least_steps: int
    """The step before which no plateau is looked for."""
    frames: str
    """Which steps are drawn: `log`, `every:N` or `all`."""
    open_frames: tuple[int, float]
    """What is drawn with `log` and no `steps`: each of so many first steps, then steps that grow by a factor."""
    revive_at: tuple[int, ...]
    """Steps before which dead neurons are drawn anew."""
    device: str
    """Where it runs: `cpu` or `cuda`."""
    device_name: str
    """The device by name: `cpu`, or the GPU's own."""
    precision: Literal["fp32", "bf16"]
    """Number format of the products between hidden layers."""
    threads: int

    @property
    def placement(self) -> Placement:
        """Where the fit runs, as torch has it."""
        dtype = torch.bfloat16 if self.precision == "bf16" else torch.float32
        return Placement(torch.device(self.device), dtype)

    def batch_of_step(
        self, scene: Scene[FieldT, BatchT], trained: FieldT, step: int, generator: torch.Generator
    ) -> BatchT:
        """The points or rays of a step; how many are used has no effect on the generator."""
        if self.samples is None or not isinstance(scene, Marched):
            return scene.batch(generator, self.batch_size)
        used = min(self.batch_size, scene.rays_for(self.samples, trained, step))
        return scene.some_of_batch(generator, self.batch_size, used)

    def rates(self, step: int, factor: float = 1.0) -> tuple[float, float]:
        """What an optimizer takes at a step, counted from 0: the learning rate, and the schedule's share of the first.

        Args:
            factor: by which both are multiplied.
        """
        rate, share = (learning_rate_at(step, self.schedule, peak, self.steps) for peak in (self.learning_rate, 1.0))
        return factor * rate, factor * share

    def frame_steps(self) -> Iterator[int]:
        """The steps to draw, rising; without end where `steps` is None."""
        return frame_steps(self.frames, self.steps, self.open_frames)


def plan_of(config: FitConfig, scene: Scene) -> Plan:
    """The numbers of a fit: those of its configuration, and where that leaves one open, the scene's or the encoding's.

    A fit without steps or seconds ends after the scene's own time of training. One without steps, seconds or a PSNR to
    reach ends at a plateau as well.

    Raises:
        InputError: when a GPU is asked for and there is none.
    """
    training, pace, placement = config.training, scene.pace, place(config.training, config.network)
    own_rate = pace.rate_factor * default_learning_rate(config.encoding, config.network, config.optimizer)
    length_open = training.steps is None and training.seconds is None
    plateau_asked = length_open and training.target_psnr is None
    return Plan(
        seed=config.seed,
        batch_size=training.batch_size or pace.batch_size,
        samples=None if training.batch_size else pace.samples,
        optimizer=config.optimizer,
        learning_rate=training.learning_rate or own_rate,
        schedule=training.schedule,
        average=training.average,
        steps=training.steps,
        seconds=pace.seconds if length_open else training.seconds,
        target_psnr_db=training.target_psnr,
        plateau_db=PLATEAU_DB if plateau_asked and training.plateau is None else training.plateau,
        least_steps=pace.least_steps,
        frames=config.output.frames,
        open_frames=pace.open_frames,
        revive_at=training.revive_at,
        device=placement.device.type,
        device_name=placement.device_name,
        precision=placement.precision,
        threads=training.threads or torch.get_num_threads(),
    )
