"""The folder of a study's fit is there when the fit is finished and measured, and whole."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fieldlens.configs.errors import InputError
from fieldlens.configs.files import write_text
from fieldlens.configs.network import Network
from fieldlens.configs.optimizer import Adam
from fieldlens.configs.run import FitConfig, Output, Training
from fieldlens.fitting import Controls, TrainingState
from fieldlens.scenes.picture import Picture
from fieldlens.studies.making.whole import is_whole, whole_fit
from fieldlens.studies.runs.checkpoints import checkpoint_file
from fieldlens.studies.runs.folder import RunFolder

SCENE = Picture("ramp", np.linspace(0, 1, 64, dtype=np.float32).reshape(8, 8, 1))
TRAINING = Training(steps=3, batch_size=16, optimizer=Adam(), learning_rate=1e-3, average=0, device="cpu")


def config_in(path: Path) -> FitConfig:
    return FitConfig(scene="ramp", training=TRAINING, output=Output(output_dir=path), network=Network(width=4, depth=2))


def fitted(path: Path, controls: Controls, config: FitConfig | None = None) -> str | None:
    config = config or config_in(path)

    def measure(state: TrainingState) -> int:
        controls.stop = controls.stop or (state.step == 2 and path.name == "stopped")
        return state.step

    def write(folder: RunFolder, rows: list[tuple[int, int]]) -> None:
        assert folder.path != path / "fit"
        write_text(folder.path / "measured.txt", repr(rows))

    return whole_fit(RunFolder(path / "fit"), config, SCENE, [0, 2, 3, 9], measure, write, controls)


def test_a_fit_is_measured_at_the_steps_that_it_comes_to_and_found_again(tmp_path: Path) -> None:
    assert fitted(tmp_path, Controls()) == "ramp fourier:8 2x4"
    assert (tmp_path / "fit" / "measured.txt").read_text() == "[(0, 0), (2, 2), (3, 3)]"
    assert [path.name for path in tmp_path.iterdir()] == ["fit"]
    folder, config = RunFolder(tmp_path / "fit"), config_in(tmp_path)
    assert is_whole(folder, config)
    assert is_whole(folder, replace(config, output=Output(output_dir=tmp_path / "elsewhere")))
    assert not is_whole(folder, replace(config, seed=1))
    checkpoint_file(folder.checkpoints, 3).unlink()
    assert not is_whole(folder, config)


def test_a_fit_that_is_stopped_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "stopped"
    path.mkdir()
    assert fitted(path, Controls()) is None
    assert fitted(path, Controls(stop=True)) is None
    assert not list(path.iterdir())
    with pytest.raises(InputError):
        is_whole(RunFolder(path / "fit"), config_in(path))


def test_a_fit_of_another_protocol_makes_way(tmp_path: Path) -> None:
    fitted(tmp_path, Controls())
    other = replace(config_in(tmp_path), training=replace(TRAINING, steps=2))
    assert fitted(tmp_path, Controls(), other)
    folder = RunFolder(tmp_path / "fit")
    assert is_whole(folder, other)
    assert not checkpoint_file(folder.checkpoints, 3).exists()
