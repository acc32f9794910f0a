"""The list of runs: what their files say, whatever state they are in, and that nothing else is deleted."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from fieldlens import cli
from fieldlens.configs import files
from fieldlens.configs.encoding import Fourier, Raw
from fieldlens.configs.errors import InputError
from fieldlens.configs.files import look_after, write_bytes, write_json, write_text
from fieldlens.configs.holding import LOCK, held
from fieldlens.configs.network import Network
from fieldlens.configs.records import to_json
from fieldlens.configs.run import CompareConfig, FitConfig
from fieldlens.configs.storage import to_yaml
from fieldlens.studies.questions import listing
from fieldlens.studies.questions.listing import Listed, listed, table
from tests.support.runs import small_record


def a_run(path: Path, *, ended: bool = True, **changes: object) -> Path:
    """The files of a run that a list reads, beside some that it does not."""
    record = replace(small_record(), path=path, **changes)
    look_after(path)
    write_bytes(path / "target.npz", b"a target")
    write_text(path / "config.yaml", to_yaml(FitConfig(scene="picture.png", encoding=Fourier(8))))
    write_bytes(path / "checkpoints/0000016.safetensors", b"a state")
    write_bytes(path / "frames/0000016.png", bytes(5000))
    if ended:
        write_json(path / "run.json", to_json(record))
    return path


def a_comparison(path: Path, choices: str = "comparison.yaml") -> Path:
    look_after(path)
    a_run(path / "runs/raw", encoding="raw", psnr_db=20.0)
    a_run(path / "runs/fourier-8", psnr_db=30.0)
    a_run(path / "runs/fourier-9", ended=False)
    config = CompareConfig(scene="picture.png", encodings=(Raw(), Fourier(8), Fourier(9)), networks=(Network(),))
    (path / "scenes").mkdir()  # a sweep has what it is fitted to there
    write_text(path / choices, to_yaml(config))
    return path


def only(output_dir: Path) -> Listed:
    (line,) = listed(output_dir)
    return line


def test_a_line_says_what_run_json_does_and_how_large_all_files_are(tmp_path: Path):
    run = a_run(tmp_path / "picture/fourier-8/2026-01-01_000000")
    line = only(tmp_path)
    record = small_record()
    said = line.scene, line.encoding, line.network, line.psnr_db, line.steps, line.state, line.kind
    assert said == (record.scene, record.encoding, record.network, record.psnr_db, record.steps, "done", "run")
    assert line.size_bytes == sum(file.stat().st_size for file in run.rglob("*") if file.is_file())
    assert line.modified == (run / "run.json").stat().st_mtime


@pytest.mark.parametrize("because", ["interrupted", "diverged"])
def test_a_run_that_ended_otherwise_says_how(tmp_path: Path, because: str):
    a_run(tmp_path / "a/b/c", stopped_because=because, psnr_db=None)
    assert (only(tmp_path).state, only(tmp_path).psnr_db) == (because, None)


def test_a_run_that_was_killed_is_told_by_its_choices_and_its_newest_checkpoint(tmp_path: Path):
    a_run(tmp_path / "a/b/c", ended=False)
    line = only(tmp_path)
    assert (line.scene, line.encoding, line.steps, line.state) == ("picture", "fourier:8", 16, "not ended")


@pytest.mark.parametrize(
    ("choices", "scene", "psnr_db"), [("comparison.yaml", "picture", 30.0), ("sweep.yaml", "one_and_2_more", None)]
)
def test_a_comparison_is_one_line_and_of_one_scene_has_the_best_run(
    choices: str, scene: str, psnr_db: float | None, tmp_path: Path
):
    a_comparison(tmp_path / "one_and_2_more/compare/c", choices)
    line = only(tmp_path)
    assert (line.kind, line.psnr_db, line.state, line.note) == ("comparison", psnr_db, "not ended", "2 of 3 runs")
    assert line.scene == scene
    assert line.encoding == "raw fourier:8 fourier:9"


@pytest.mark.parametrize(
    ("name", "content"),
    [("run.json", b"{}"), ("run.json", b"\xff"), ("config.yaml", b"["), ("config.yaml", b"schema: 9")],
)
def test_what_is_damaged_is_one_line_that_names_the_file(tmp_path: Path, name: str, content: bytes):
    run = a_run(tmp_path / "scene/b/c", ended=name == "run.json")
    (run / name).write_bytes(content)
    line = only(tmp_path)
    assert (line.scene, line.state) == ("scene", "damaged")
    assert name in line.note
    (text,) = table([line])[1:]
    assert "\n" not in text


def test_what_was_killed_before_it_had_begun_is_listed_and_can_be_deleted(tmp_path: Path):
    look_after(tmp_path / "a/b/c")
    write_bytes(tmp_path / "a/b/c/target.npz", b"a target")
    assert only(tmp_path).state == "not begun"
    assert cli.main(["runs", str(tmp_path), "--delete", str(tmp_path / "a/b/c"), "--yes"]) == 0
    assert list(tmp_path.iterdir()) == []


def test_the_newest_stands_last_and_what_is_no_run_is_passed_over(tmp_path: Path):
    for name in ("b", "a", "c"):
        a_run(tmp_path / "scene/raw" / name)
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes/config.yaml").write_text("of another program")
    (tmp_path / "link").symlink_to(tmp_path / "scene")
    for age, name in enumerate(("c", "a", "b")):
        os.utime(tmp_path / "scene/raw" / name / "run.json", (1e9 - age, 1e9 - age))
    assert [line.path.name for line in listed(tmp_path)] == ["b", "a", "c"]


def test_what_is_deleted_while_it_is_looked_for_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    there = a_run(tmp_path / "scene/raw/1")
    monkeypatch.setattr(listing, "_found", lambda *_: iter([(tmp_path / "scene/raw/0", "run"), (there, "run")]))
    assert only(tmp_path).path == there


def test_only_small_files_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for number in range(30):
        a_run(tmp_path / f"scene/raw/{number}", ended=number > 2)
    a_comparison(tmp_path / "picture/compare/c")
    opened: list[str] = []
    monkeypatch.setattr(
        files, "open_file", lambda path, real=files.open_file: (opened.append(path.name), real(path))[1]
    )
    assert len(listed(tmp_path)) == 31
    assert set(opened) <= {"run.json", "config.yaml", "comparison.yaml"}
    assert len(opened) == 30 + 1 + 2


def test_a_list_waits_for_nothing_heavy(tmp_path: Path):
    a_run(tmp_path / "a/b/c")
    script = f"import sys; from fieldlens.cli import main; main(['runs', {str(tmp_path)!r}]); print(*sys.modules)"
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert "1 run and 0 comparisons" in said
    assert {"torch", "cv2", "numpy"}.isdisjoint(said.splitlines()[-1].split())


def test_the_list_as_json_is_that_of_the_lines(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    a_run(tmp_path / "a/b/c")
    a_comparison(tmp_path / "picture/compare/c")
    assert cli.main(["runs", str(tmp_path), "--json"]) == 0
    assert json.loads(capfd.readouterr().out) == {"runs": [to_json(line) for line in listed(tmp_path)]}


# Deleting -------------------------------------------------------------------------------------------------------------


def test_what_is_deleted_is_gone_with_the_empty_folders_above_and_nothing_else_is(tmp_path: Path):
    first, second = a_run(tmp_path / "scene/raw/1"), a_run(tmp_path / "scene/fourier/2")
    third = a_comparison(tmp_path / "picture/compare/3")
    assert cli.main(["runs", str(tmp_path), "--delete", str(first), str(third), "--yes"]) == 0
    assert [line.path for line in listed(tmp_path)] == [second]
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_dir()) == [
        "2",
        "checkpoints",
        "fourier",
        "frames",
        "scene",
    ]


def test_a_folder_that_is_named_twice_is_deleted_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    run = a_run(tmp_path / "a/b/c")
    monkeypatch.chdir(tmp_path)
    assert cli.main(["runs", str(tmp_path), "--delete", "a/b/c", str(run), "./a/b/c/", "--yes", "--json"]) == 0
    assert [one["path"] for one in json.loads(capfd.readouterr().out)["deleted"]] == ["a/b/c"]
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def refused(tmp_path: Path) -> dict[str, tuple[Path, str]]:
    """By what they are, folders that must not be deleted, and what is said."""
    comparison = a_comparison(tmp_path / "outputs/picture/compare/3")
    trial = a_run(a_comparison(tmp_path / "outputs/picture/compare/4", "sweep.yaml") / "trials/raw")
    run = a_run(tmp_path / "outputs/scene/raw/1")
    link, other = tmp_path / "link", tmp_path / "project"
    link.symlink_to(run)
    other.mkdir()
    (other / "config.yaml").write_text("schema: 3\n")
    (other / "thesis.tex").write_text("years")
    return {
        "a project with a configuration": (other, "is no run folder and no comparison"),
        "all outputs": (tmp_path / "outputs", "is no run folder and no comparison"),
        "a link": (link, "is a link"),
        "a file": (run / "run.json", "is no run folder"),
        "nothing": (tmp_path / "nowhere", "does not exist"),
        "a part of a comparison": (comparison / "runs/raw", "is a part of a comparison"),
        "a trial of a sweep": (trial, "is a part of a comparison"),
    }


def test_what_is_no_run_folder_is_never_deleted_nor_is_anything_beside_it(
    refused: dict[str, tuple[Path, str]], tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    good = a_run(tmp_path / "outputs/scene/raw/2")
    before = sorted(tmp_path.rglob("*"))
    for path, said in refused.values():
        assert cli.main(["runs", "--delete", str(good), str(path), "--yes"]) == 2
        assert said in capfd.readouterr().err
        assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("inside", ["", "runs/raw"])
def test_what_is_being_written_is_not_deleted_and_the_list_says_by_whom(
    tmp_path: Path, inside: str, capfd: pytest.CaptureFixture[str]
):
    comparison = a_comparison(tmp_path / "picture/compare/3")
    with held(comparison / inside):
        assert cli.main(["runs", "--delete", str(comparison), "--yes"]) == 2
        assert "is in use: process" in capfd.readouterr().err
        if not inside:
            assert only(tmp_path).state == "being written"
            assert only(tmp_path).note.startswith("process ")
    assert comparison.exists()
    (comparison / LOCK).write_text("{}")  # of a process that was killed
    assert only(tmp_path).state == "not ended"


@pytest.mark.parametrize(
    ("answer", "is_deleted"), [("y\n", True), ("yes\n", True), ("n\n", False), ("\n", False), ("", False)]
)
def test_on_a_terminal_one_is_asked_and_elsewhere_yes_has_to_be_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], answer: str, is_deleted: bool
):
    run = a_run(tmp_path / "a/b/c")

    class Keyboard:
        there = False

        def isatty(self) -> bool:
            return self.there

        def readline(self) -> str:
            return answer

    monkeypatch.setattr(sys, "stdin", Keyboard())
    assert cli.main(["runs", "--delete", str(run)]) == 2
    assert "add --yes" in capfd.readouterr().err
    Keyboard.there = True
    assert cli.main(["runs", "--delete", str(run), "--json"]) == 0
    captured = capfd.readouterr()
    assert "delete 1 folder" in captured.err
    assert len(json.loads(captured.out)["deleted"]) == is_deleted
    assert run.exists() != is_deleted


def test_options_without_an_effect_and_folders_that_are_not_there_are_refused(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    assert cli.main(["runs", "--yes"]) == 2
    assert cli.main(["runs", "--delete"]) == 2
    with pytest.raises(InputError, match="there is no folder"):
        listed(tmp_path / "nowhere")
    assert "fieldlens runs" in capfd.readouterr().err
