"""The fits that the pictures of the texts are of: made when first asked for, found and used again afterwards."""

import shutil
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TypeAlias

import numpy as np
from jaxtyping import Float

from fieldlens.analysis import Density, ReluNetwork, crease_density, relu_network
from fieldlens.configs.encoding import Encoding, Fourier, Raw
from fieldlens.configs.errors import InputError
from fieldlens.configs.names import known_folder
from fieldlens.configs.network import Network
from fieldlens.configs.optimizer import Adam, default_learning_rate
from fieldlens.configs.run import FitConfig, Output, Target, Training
from fieldlens.scenes.scene import View
from fieldlens.studies.runs.checkpoints import checkpoint_steps
from fieldlens.studies.runs.fit import run, start
from fieldlens.studies.runs.folder import RunFolder
from fieldlens.studies.runs.saved import Saved, open_run


@dataclass(frozen=True, eq=False)
class Fit:
    """A field as one checkpoint of a run holds it."""

    folder: RunFolder
    saved: Saved

    @property
    def name(self) -> str:
        """The encoding in a word, without the interval that raw coordinates have by default."""
        encoding = self.saved.config.encoding
        return "raw" if encoding == Raw() else str(encoding)

    @property
    def view(self) -> View:
        """What it was fitted to."""
        return self.saved.view

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the picture in pixels."""
        return self.view.height, self.view.width

    @cached_property
    def network(self) -> ReluNetwork:
        """What has creases."""
        return relu_network(self.saved.field)

    @cached_property
    def target(self) -> Float[np.ndarray, "h w c"]:
        """In [0, 1]."""
        return self.view.target()

    @cached_property
    def drawn(self) -> Float[np.ndarray, "h w c"]:
        """The reconstruction, as the field has it."""
        return self.view.draw(self.saved.field)

    @cached_property
    def density(self) -> Density:
        """Co-area and bend density at every pixel."""
        return crease_density(self.network, *self.size, bend=True)

    @property
    def steps(self) -> list[int]:
        """Of the checkpoints that were kept."""
        return checkpoint_steps(self.folder.checkpoints)

    def at(self, step: int) -> "Fit":
        """The same fit at another checkpoint."""
        return open_fit(self.folder, step)


Pair: TypeAlias = tuple[Fit, Fit]
"""The same thing fitted with raw coordinates and under an encoding, in that order."""


def open_fit(folder: RunFolder, step: int | None = None) -> Fit:
    """A run at its newest checkpoint, or at that of a step."""
    saved = open_run(folder, step)
    saved.field.cpu()  # figures are drawn on the CPU, whatever it was opened on
    return Fit(folder, saved)


SAME_EVERYWHERE = Training(device="cpu", precision="fp32", threads=1)
"""The same fit on any number of cores."""


@dataclass(frozen=True)
class Fits:
    """Where the fits lie, and what they are of."""

    path: Path
    scene: str = "astronaut"
    side: int = 256
    """Pixels along the longer side: with 256 there are the 16 blocks that intervals need."""
    network: Network = field(default_factory=lambda: Network(width=64))
    """Small, so that single cells can be seen."""
    steps: int = 2000

    @cached_property
    def picture(self) -> Pair:
        """The picture."""
        return self._pair(self.scene, Fourier(6), Target(max_side=self.side))

    @cached_property
    def signal(self) -> Pair:
        """A sum of four sines on a line."""
        return self._pair("signal:5,10,20,40", Fourier(4), Target())

    def short(self, scene: str, steps: int = 300) -> Pair:
        """A picture as `fieldlens fit SCENE --max-side 256 --steps 300` fits it, raw and under `fourier:8`.

        Fewer steps are the first ones of more.
        """
        raw, encoded = (
            self._fit(
                f"{steps} steps {scene} {encoding}",
                FitConfig(
                    scene=scene,
                    training=replace(SAME_EVERYWHERE, steps=steps),
                    target=Target(max_side=self.side),
                    output=Output(output_dir=self.path, frames=f"every:{steps}", quick=True),
                    encoding=encoding,
                ),
            )
            for encoding in (Raw(), Fourier(8))
        )
        return raw, encoded

    def _pair(self, scene: str, encoding: Encoding, target: Target) -> Pair:
        return self._long(scene, Raw(), target), self._long(scene, encoding, target)

    def _long(self, scene: str, encoding: Encoding, target: Target) -> Fit:
        # one optimizer for both of a pair
        rate = default_learning_rate(encoding, self.network, Adam())
        config = FitConfig(
            scene=scene,
            training=replace(
                SAME_EVERYWHERE, steps=self.steps, batch_size=4096, optimizer=Adam(), learning_rate=rate, average=0
            ),
            target=target,
            output=Output(output_dir=self.path, checkpoints="frames"),
            encoding=encoding,
            network=self.network,
        )
        return self._fit(f"{scene} {encoding}", config)

    def _fit(self, name: str, config: FitConfig) -> Fit:
        folder = RunFolder(known_folder(self.path, name))
        if not _is_of(folder, config):
            shutil.rmtree(folder.path, ignore_errors=True)  # of another protocol, or left half made
            folder = start(config, folder.path)
            run(folder)
        return open_fit(folder)


def _is_of(folder: RunFolder, config: FitConfig) -> bool:
    """Whether a fit is there, finished and made by the same protocol; where it lies is no part of that."""
    try:
        return folder.ended and replace(folder.config(), output=config.output) == config
    except InputError:  # damaged
        return False
