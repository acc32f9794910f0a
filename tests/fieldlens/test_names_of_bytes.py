"""Names of files that are no text (bytes that are not UTF-8), or would steer a terminal, go through a run and back."""

import json
import os
from pathlib import Path

import pytest

from fieldlens import cli
from fieldlens.configs.errors import InputError
from fieldlens.configs.files import read_json, write_json, write_text
from fieldlens.configs.run import CompareConfig, FitConfig, Output
from fieldlens.configs.storage import from_yaml, read_config, to_yaml
from tests.support.runs import small_picture

PICTURE, FOLDER = os.fsdecode(b"\xff \x1b[31m.png"), os.fsdecode(b"out\xfe")
SMALL = ["--steps", "4", "--network.width", "4", "--network.depth", "1", "--threads", "1", "--frames", "every:4"]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a picture of such a name, where the file system takes it."""
    monkeypatch.chdir(tmp_path)
    small_picture(tmp_path / "picture.png")
    try:
        (tmp_path / "picture.png").rename(PICTURE)
    except OSError:
        pytest.skip("this file system takes no such name")
    return tmp_path


def said(words: list[str], capfd: pytest.CaptureFixture[str]) -> dict:
    """What a verb says in JSON, once its words were looked at for what steers a terminal."""
    assert cli.main([*words, "--json"]) == 0
    captured = capfd.readouterr()
    assert all(line.isprintable() for line in (*captured.err.splitlines(), *captured.out.splitlines()))
    return json.loads(captured.out.splitlines()[-1])


def test_a_run_of_such_names_is_whole_and_goes_on(here: Path, capfd: pytest.CaptureFixture[str]):
    fitted = said(["fit", PICTURE, *SMALL, "--output-dir", FOLDER], capfd)
    run = Path(fitted["path"])
    assert {"run.json", "report.html", "progress.mp4"} <= {file.name for file in run.iterdir()}
    config = read_config(run / "config.yaml", FitConfig)
    assert (config.scene, str(config.output.output_dir)) == (PICTURE, FOLDER)
    assert read_json(run / "run.json")["path"] == fitted["path"]

    assert said(["fit", "--resume", "latest", "--output-dir", FOLDER, "--steps", "6"], capfd)["steps"] == 6
    assert Path(said(["render", str(run)], capfd)["path"]).exists()
    again = said(["fit", "--config", str(run / "config.yaml")], capfd)
    assert Path(again["path"]).parent == run.parent


def test_a_comparison_of_such_names_is_whole(here: Path, capfd: pytest.CaptureFixture[str]):
    words = ["compare", PICTURE, "--encodings", "raw", "fourier:2", "--networks", "1x4", "--steps", "2"]
    compared = said([*words, "--output-dir", FOLDER], capfd)
    assert read_config(Path(compared["path"]) / "comparison.yaml", CompareConfig).scene == PICTURE
    assert Path(compared["report"]).exists()


def test_json_and_yaml_give_such_names_back(tmp_path: Path):
    names = {"a": PICTURE, "b": "фото \\udcff \ud800 \u2028", "c": "\\"}
    write_json(tmp_path / "a.json", names)
    assert read_json(tmp_path / "a.json") == names
    config = FitConfig(scene=PICTURE, output=Output(output_dir=Path(FOLDER)))
    write_text(tmp_path / "a.yaml", to_yaml(config))
    assert read_config(tmp_path / "a.yaml", FitConfig) == config


@pytest.mark.parametrize("name", ["\ud800", "a\0b"])
def test_a_folder_that_no_system_can_name_is_refused_before_training(name: str):
    with pytest.raises(InputError, match="no folder can be called"):
        Output(output_dir=Path(name))
    escaped = json.dumps(name)  # as YAML has it, too
    with pytest.raises(InputError, match="no folder can be called"):
        from_yaml(f"schema: 2\noutput: {{output_dir: {escaped}}}", FitConfig, "c.yaml")


@pytest.mark.parametrize("name", ["\ud800.png", "a\0b.png"])
def test_a_picture_that_no_system_can_name_is_not_found(here: Path, capfd: pytest.CaptureFixture[str], name: str):
    Path("c.yaml").write_text(f"schema: 2\nscene: {json.dumps(name)}\n")
    assert cli.main(["fit", "--config", "c.yaml"]) == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert repr(name)[1:] in line  # after the folder
