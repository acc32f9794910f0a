"""Small runs of 3D scenes, for the tests of what is made of a finished run."""

from dataclasses import replace
from pathlib import Path

from fieldlens.configs.run import FitConfig
from fieldlens.configs.space import Space
from fieldlens.scenes.captures.transforms_writing import write_blender
from fieldlens.scenes.demos import DEMOS, photographed
from fieldlens.studies.runs.fit import run, start
from fieldlens.studies.runs.folder import RunFolder
from tests.support.runs import small_config


def fitted(config: FitConfig) -> RunFolder:
    """The run of a configuration."""
    folder = start(config)
    run(folder)
    return folder


def small_radiance(parent: Path, steps: int = 4) -> RunFolder:
    """A small fit of photographs."""
    return fitted(small_radiance_config(parent, steps))


def small_radiance_config(parent: Path, steps: int = 4) -> FitConfig:
    """Of a few photographs of the solids, 24 pixels wide, which are written."""
    write_blender(photographed(DEMOS["solids"], 24, 8, 2), parent / "solids")
    config = small_config(parent / "solids", parent / "outputs", steps)
    return replace(config, space=Space(grid=16, samples=32))
