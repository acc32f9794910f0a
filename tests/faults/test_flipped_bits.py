"""A bit that was flipped, anywhere in a run folder: what is made again, and what is named."""

import random
import shutil
from pathlib import Path

import pytest

from fieldlens.configs.errors import InputError
from fieldlens.studies.runs.fit import run, start
from fieldlens.studies.runs.folder import RunFolder
from tests.support.runs import StopAt, small_config, small_picture
from tests.support.same import held_by


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A run that nobody changes."""
    parent = tmp_path_factory.mktemp("finished")
    folder = start(small_config(small_picture(parent / "picture.png"), parent / "outputs"))
    run(folder)
    return folder


def flip(file: Path) -> None:
    """Change one bit of a file, anywhere."""
    data = bytearray(file.read_bytes())
    drawn = random.Random(file.name)
    data[drawn.randrange(len(data))] ^= 1 << drawn.randrange(8)
    file.write_bytes(data)


NEEDED = ("target.npz", "metrics.csv", "config.yaml", "manifest.sha256", "frames", "checkpoints")
"""What a run is made of, and not made again."""


def test_all_that_is_drawn_and_measured_is_made_again_where_a_bit_of_each_was_flipped(
    finished: RunFolder, tmp_path: Path
):
    folder = RunFolder(tmp_path / "run")
    shutil.copytree(finished.path, folder.path)
    names = [name for name in held_by(folder.path) if name.partition("/")[0] not in NEEDED]
    assert len(names) > 10
    for name in names:
        flip(folder.path / name)
    run(folder)
    assert held_by(folder.path) == held_by(finished.path)


def test_a_flipped_bit_of_what_a_run_is_made_of_is_named_and_of_a_checkpoint_the_older_is_used(
    finished: RunFolder, tmp_path: Path
):
    for name in ("target.npz", "metrics.csv"):
        folder = RunFolder(tmp_path / name)
        shutil.copytree(finished.path, folder.path)
        flip(folder.path / name)
        with pytest.raises(InputError, match=rf"{name}' is damaged"):
            run(folder)
    folder, listener = RunFolder(tmp_path / "checkpoint"), StopAt(1000)
    shutil.copytree(finished.path, folder.path)
    flip(folder.checkpoints / "0000024.safetensors")
    run(folder, reporter=listener)
    assert any("0000024.safetensors is damaged" in said and "an older one is used" in said for said in listener.said)
    assert held_by(folder.path) == held_by(finished.path)
