"""A finished run again: drawn and explained from its folder, whatever state that folder is in."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from fieldlens.configs.errors import InputError
from fieldlens.configs.files import read_json, write_text
from fieldlens.configs.optimizer import Adam
from fieldlens.configs.storage import to_yaml
from fieldlens.render.colour import to_rgb
from fieldlens.render.files import read_png
from fieldlens.studies.questions.explanation import analyze
from fieldlens.studies.questions.rendering import render
from fieldlens.studies.runs.fit import run, start
from fieldlens.studies.runs.folder import RunFolder, find_run
from fieldlens.studies.runs.saved import open_run
from tests.support.picture_files import smooth
from tests.support.runs import StopAt, small_config, small_picture, with_training


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A small run; not to be changed."""
    path = tmp_path_factory.mktemp("finished")
    folder = start(small_config(small_picture(path / "picture.png"), path / "outputs"))
    run(folder)
    return folder


@pytest.fixture
def folder(finished: RunFolder, tmp_path: Path) -> RunFolder:
    """A copy of a small run, to be changed as one likes."""
    return RunFolder(shutil.copytree(finished.path, tmp_path / "run"))


@pytest.mark.parametrize("data", [b"", b'{"path": "ru', b"[]", b"null", b'{"scene": "\xff"}', b"\0"])
def test_a_damaged_result_is_named_and_its_report_stays(folder: RunFolder, data: bytes):
    folder.result_file.write_bytes(data)
    before, listener = folder.report.read_bytes(), StopAt(1000)
    analyze(folder, reporter=listener)
    assert any(f"stays as it was: {str(folder.result_file)!r} is damaged: " in said for said in listener.said)
    assert folder.report.read_bytes() == before
    assert folder.result_file.read_bytes() == data


def test_a_folder_that_was_left_half_made_is_never_the_latest(tmp_path: Path):
    config = small_config(small_picture(tmp_path / "picture.png"), tmp_path / "outputs")
    whole, half = start(config), start(config)
    half.config_file.rename(half.path / ".config.yaml.partial")
    assert find_run("latest", tmp_path / "outputs") == whole


def test_a_damaged_configuration_is_named(folder: RunFolder):
    folder.config_file.write_bytes(b"scene: \xff")
    with pytest.raises(InputError, match=re.escape(str(folder.config_file))):
        render(folder)


def test_a_file_that_is_missing_is_named(tmp_path: Path):
    with pytest.raises(InputError, match=r"^cannot read '.*explain\.json': No such file or directory$"):
        read_json(tmp_path / "explain.json")


@pytest.mark.parametrize("scale", ["nan", "inf", "-inf", "0", "-1", "1e-9", "1e9", "1e308"])
def test_a_scale_that_gives_no_picture_is_refused(finished: RunFolder, scale: str):
    with pytest.raises(InputError, match=r"^.* pixels cannot be drawn \(.*\); choose another --scale or --region$"):
        render(finished, scale=float(scale))


@pytest.mark.parametrize("place", range(4))
@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "-0.1", "1.1"])
def test_a_region_that_is_none_is_refused(finished: RunFolder, place: int, value: str):
    left, top, width, height = (float(value) if side == place else 0.4 for side in range(4))
    with pytest.raises(InputError, match="--region takes left, top, width and height"):
        render(finished, region=(left, top, width, height))


def test_a_run_fitted_on_a_gpu_is_opened_on_a_machine_without_one(folder: RunFolder, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    write_text(folder.config_file, to_yaml(with_training(folder.config(), device="cuda")))
    assert open_run(folder).device == torch.device("cpu")


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_a_drawing_over_a_checkerboard_is_the_reconstruction(tmp_path: Path, channels: int):
    pixels = smooth(24, 32, channels) // 2
    pixels[..., -1] = np.linspace(100, 255, 32)
    Image.fromarray(pixels.squeeze()).save(tmp_path / "picture.png")
    config = small_config(tmp_path / "picture.png", tmp_path / "outputs", steps=100)
    folder = start(with_training(config, optimizer=Adam()))  # muon overshoots what is not transparent by more
    run(folder)
    with Image.open(render(folder).path) as drawn:
        assert drawn.mode == ("RGBA" if channels in (2, 4) else "RGB")
        rgba = np.asarray(drawn.convert("RGBA")) / 255
    premultiplied = np.concatenate((rgba[..., :3] * rgba[..., 3:], rgba[..., 3:]), axis=-1)
    shown = read_png(folder.path / "reconstruction.png").astype(int)
    assert abs(to_rgb(premultiplied) - shown).max() <= 1


def test_a_drawing_has_the_straight_colours_of_the_picture(tmp_path: Path):
    straight = np.full((16, 16, 4), (200, 100, 40, 255), np.uint8)
    straight[:, 8:, 3] = 128
    Image.fromarray(straight).save(tmp_path / "picture.png")
    folder = start(small_config(tmp_path / "picture.png", tmp_path / "outputs", steps=300))
    run(folder)
    with Image.open(render(folder).path) as drawn:
        assert abs(np.asarray(drawn).astype(int) - straight).mean() < 6


def test_a_run_that_has_not_ended_is_explained_without_a_report(folder: RunFolder):
    folder.result_file.unlink()
    folder.report.unlink()
    assert analyze(folder).report is None
    assert (folder.analysis / "explain.json").exists()


def test_a_file_that_cannot_be_written_is_named_and_nothing_is_left(folder: RunFolder, tmp_path: Path):
    in_the_way = tmp_path / "in the way"
    in_the_way.write_text("a file")
    for write in (
        lambda: render(folder, file=in_the_way / "drawn.png"),
        lambda: write_text(in_the_way / "text", "words"),
        lambda: write_text(folder.path, "words"),
    ):
        with pytest.raises(InputError, match=r"^cannot write '.*': .*$"):
            write()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["in the way", "run"]
