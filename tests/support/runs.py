"""Small fits for the tests of everything that needs a run folder."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from fieldlens.configs.encoding import Encoding, Fourier
from fieldlens.configs.network import Network
from fieldlens.configs.run import FitConfig, Output, Training
from fieldlens.fitting import Controls
from fieldlens.render.files import write_png
from fieldlens.studies.runs.record import RunRecord
from fieldlens.studies.runs.reporter import Moment, Silent
from fieldlens.studies.subjects.found import Statistic, Summary
from tests.support.small_fits import plan


def small_picture(path: Path, height: int = 24, width: int = 32) -> Path:
    """Write a picture with an edge, a slope and a fine texture."""
    y, x = np.mgrid[:height, :width]
    channels = [x / width, (x + y > 30) * 0.6 + 0.2, 0.5 + 0.4 * np.sin(2.4 * x) * np.sin(2.1 * y)]
    write_png(path, (np.stack(channels, -1) * 255).astype(np.uint8))
    return path


def small_config(scene: Path | str, output_dir: Path, steps: int = 24, encoding: Encoding | None = None) -> FitConfig:
    """A fit that takes a fraction of a second."""
    return FitConfig(
        scene=str(scene),
        training=Training(steps=steps, batch_size=256, threads=1, device="cpu"),
        output=Output(output_dir=output_dir, frames="every:8"),
        encoding=encoding or Fourier(3),
        network=Network(width=16, depth=2),
    )


def small_record(**changes: Any) -> RunRecord:
    """What a run of a picture may have found."""
    summary = Summary(
        verdict=("Detail is missing.",),
        explained_band="2-4 px",
        crossings_per_pixel=1.25,
        dead_neurons=3,
        primary_statistic=Statistic(-0.375, -0.5, -0.25),
    )
    record = RunRecord(
        path=Path("outputs/picture/fourier:8/run"),
        report=Path("outputs/picture/fourier:8/run/report.html"),
        video=Path("outputs/picture/fourier:8/run/progress.mp4"),
        turntable=None,
        scene="picture",
        encoding="fourier:8",
        network="4x128",
        psnr_db=25.481,
        heldout_psnr_db=None,
        ssim=0.75,
        steps=24,
        seconds=12.3,
        samples_per_s=202529,
        stopped_because="steps",
        plan=plan(steps=24),
        energy_kept={"2-4 px": 0.5, "4-8 px": None},
        explained=summary,
        notes=("a note",),
        versions={"fieldlens": "0"},
    )
    return replace(record, **changes)


def with_training(config: FitConfig, **changes: object) -> FitConfig:
    """The configuration with another training."""
    return replace(config, training=replace(config.training, **changes))  # type: ignore[arg-type]


class StopAt(Silent):
    """A reporter that presses Ctrl-C once a fit has come to a step."""

    def __init__(self, step: int) -> None:
        self.step = step
        self.controls = Controls()
        self.said: list[str] = []

    def say(self, sentence: str) -> None:
        self.said.append(sentence)

    def fitting(self, moment: Moment) -> None:
        self.controls.stop = self.controls.stop or moment.step >= self.step
