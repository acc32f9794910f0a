"""A run folder under stress: killed, damaged, copied into, moved, and wanted by two at once."""

import html
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save

from fieldlens.configs.errors import InputError
from fieldlens.configs.holding import held
from fieldlens.configs.manifest import MANIFEST
from fieldlens.configs.run import FitConfig
from fieldlens.fitting import initial_state
from fieldlens.render.video import read_frames
from fieldlens.studies.questions.explanation import analyze
from fieldlens.studies.questions.rendering import render
from fieldlens.studies.runs import checkpoints
from fieldlens.studies.runs.checkpoints import checkpoint_file, checkpoint_steps
from fieldlens.studies.runs.fit import run, start
from fieldlens.studies.runs.folder import RunFolder
from fieldlens.studies.runs.reporter import Moment
from tests.support.kills import KilledError, kill_at
from tests.support.runs import StopAt, small_config, small_picture, with_training


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A run that nobody changes."""
    parent = tmp_path_factory.mktemp("finished")
    config = small_config(small_picture(parent / "picture.png"), parent / "outputs")
    folder = start(with_training(config, steps=16))
    run(folder)
    return folder


@pytest.fixture
def folder(finished: RunFolder, tmp_path: Path) -> RunFolder:
    """A copy of it."""
    shutil.copytree(finished.path, tmp_path / "run")
    return RunFolder(tmp_path / "run")


def contents(folder: RunFolder) -> set[str]:
    """Names of all files but the drawings of steps."""
    return {str(file.relative_to(folder.path)) for file in folder.path.rglob("*") if file.is_file()}


def test_a_run_killed_at_any_of_its_last_writes_is_not_finished_and_is_completed_by_a_resume(
    folder: RunFolder, finished: RunFolder, monkeypatch: pytest.MonkeyPatch
):
    for name in ("reconstruction.png", "analysis/explain.json", "progress.mp4", "report.html", "run.json"):
        with monkeypatch.context() as patched:
            kill_at(patched, folder.path / name)
            with pytest.raises(KilledError):
                run(folder)
        assert not folder.ended
        assert folder.finished_record() is None
    for name in ("progress.mp4", "report.html"):
        (folder.path / name).unlink()
    run(folder)
    assert folder.finished_record() is not None
    assert contents(folder) == contents(finished)


def test_what_says_that_a_run_is_finished_is_written_last_and_once(folder: RunFolder, monkeypatch: pytest.MonkeyPatch):
    written: list[str] = []

    def noted(source: Path, target: Path, whole: Callable[..., None] = os.replace) -> None:
        written.append(Path(target).name)
        whole(source, target)

    monkeypatch.setattr("os.replace", noted)
    run(folder)
    assert written[-1] == "run.json"
    assert written.count("run.json") == 1
    assert written.index("progress.mp4") < written.index("report.html")


def test_a_finished_run_that_goes_on_is_not_finished_meanwhile(folder: RunFolder):
    assert folder.ended
    seen: list[bool] = []

    class Watches(StopAt):
        def fitting(self, moment: Moment) -> None:
            super().fitting(moment)
            seen.append(folder.ended)

    longer = with_training(folder.config(), steps=17)
    assert run(folder, longer, Watches(1000)).steps == 17
    assert seen
    assert not any(seen)


def test_the_result_of_an_older_version_that_was_killed_before_its_video_is_none(folder: RunFolder):
    text = folder.result_file.read_text()
    (folder.path / MANIFEST).unlink()
    assert folder.finished_record() is not None
    seconds = folder.record().drawing_seconds
    folder.result_file.write_text(text.replace(f'"drawing_seconds": {seconds}', '"drawing_seconds": null'))
    assert folder.finished_record() is None


def test_a_run_that_another_process_writes_is_neither_resumed_nor_changed(folder: RunFolder):
    before = contents(folder), folder.result_file.read_bytes()
    with held(folder.path), pytest.raises(InputError, match="is in use: process"):
        run(folder)
    assert (contents(folder), folder.result_file.read_bytes()) == before


def test_a_question_about_a_run_that_another_writes_is_answered_and_the_report_stays(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("fieldlens.studies.runs.saved.PATIENCE", 0.0)
    folder.report.write_text("as it was")
    listener = StopAt(1000)
    with held(folder.path):
        analyze(folder, reporter=listener)
    assert folder.report.read_text() == "as it was"
    assert any(said.startswith("the report stays as it was: ") and "is in use" in said for said in listener.said)


def test_a_folder_that_is_moved_while_its_fit_runs_ends_the_fit_and_goes_on_where_it_is(
    finished: RunFolder, tmp_path: Path
):
    config = with_training(finished.config(), steps=24)
    folder, moved = start(config, tmp_path / "run"), tmp_path / "moved"

    class Moves(StopAt):
        def fitting(self, moment: Moment) -> None:
            if moment.step >= 8 and not moved.exists():
                folder.path.rename(moved)

    with pytest.raises(InputError, match=rf"run' was moved to '{moved}'"):
        run(folder, reporter=Moves(1000))
    assert not folder.path.exists()
    assert run(RunFolder(moved)).steps == 24


def test_stray_copies_are_ignored(folder: RunFolder, finished: RunFolder):
    newest, frame = checkpoint_file(folder.checkpoints, 16), folder.frame(8)
    for name in ("0000100 (copy).safetensors", "1e5.safetensors", "16.safetensors", ".DS_Store"):
        shutil.copy(newest, folder.checkpoints / name)
    (folder.checkpoints / "0000100.safetensors").mkdir()
    for kind in ("", "reconstruction", "density"):
        for name in ("0000003 (copy).png", "1e5.png", ".DS_Store"):
            shutil.copy(frame, folder.frame(0, kind).with_name(name))
        (folder.frame(0, kind).with_name("0000009.png")).mkdir()
    listener = StopAt(1000)
    record = run(folder, reporter=listener)
    assert record.steps == 16
    assert record.notes == finished.record().notes
    assert not any("damaged" in said for said in listener.said)
    assert len(list(read_frames(folder.video))) == len(list(read_frames(finished.video)))


def test_frames_that_are_missing_or_damaged_are_left_out_and_named(folder: RunFolder, finished: RunFolder):
    folder.frame(0).unlink()
    other = bytearray(folder.frame(8, "reconstruction").read_bytes())
    other[-20] ^= 1
    folder.frame(8, "reconstruction").write_bytes(other)
    listener = StopAt(1000)
    record = run(folder, reporter=listener)
    note = "the pictures of 2 recorded steps (0, 8) are missing or damaged, and left out"
    assert note in listener.said
    assert note in record.notes
    assert len(list(read_frames(folder.video))) == len(list(read_frames(finished.video))) - 1
    assert note in folder.report.read_text()


def write_state(folder: RunFolder, config: FitConfig, change: Callable[[dict[str, Any], dict[str, str]], None]) -> None:
    """Write a checkpoint of step 16 with the right digest, but otherwise as `change` has it."""
    state = initial_state(config, folder.scene())
    tensors = state.tensors()
    metadata = {"schema": checkpoints.SCHEMA, "step": "16", "seconds": "1.0"}
    change(tensors, metadata)
    metadata["digest"] = checkpoints._digest(tensors, metadata)
    checkpoint_file(folder.checkpoints, 16).write_bytes(save(tensors, metadata))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda _, m: m.update(step="nan"), "does not say of which moment"),
        (lambda _, m: m.pop("step"), "does not say of which moment"),
        (lambda _, m: m.pop("seconds"), "does not say of which moment"),
        (lambda _, m: m.update(step="-3"), "it is of step -3"),
        (lambda _, m: m.update(step="17"), "it is of step 17"),
        (lambda _, m: m.update(seconds="-1"), "took -1.0 s"),
        (lambda _, m: m.update(seconds="inf"), "took inf s"),
        (lambda t, _: t.update(generator=torch.zeros_like(t["generator"])), "random numbers"),
    ],
)
def test_a_checkpoint_of_no_moment_is_passed_over_for_the_older_one(
    folder: RunFolder, change: Callable[..., None], said: str
):
    write_state(folder, folder.config(), change)
    older = checkpoint_steps(folder.checkpoints)[-2]
    listener = StopAt(1000)
    run(folder, reporter=listener)
    assert any(said in sentence and "0000016.safetensors is damaged" in sentence for sentence in listener.said)
    assert f"going on from step {older}" in listener.said


@pytest.mark.parametrize(
    "change",
    [
        lambda tensors, _: tensors.pop(next(iter(tensors))),
        lambda tensors, _: tensors.update(more=torch.zeros(1)),
        lambda tensors, _: tensors.update({next(iter(tensors)): torch.zeros(3, 3)}),
        lambda tensors, _: tensors.update({name: t.double() for name, t in tensors.items() if t.is_floating_point()}),
        lambda tensors, _: tensors.update(generator=torch.zeros(0, dtype=torch.uint8)),
        lambda _, metadata: metadata.update(schema="x"),
        lambda _, metadata: metadata.pop("schema"),
    ],
)
def test_a_checkpoint_of_another_network_is_refused_by_its_file(folder: RunFolder, change: Callable[..., None]):
    write_state(folder, folder.config(), change)
    with pytest.raises(InputError, match=r"0000016\.safetensors' (does not fit: |is of another version)"):
        run(folder)
    assert folder.ended, "nothing was changed"


def test_a_fit_is_not_begun_where_another_lies_nor_gone_on_with_where_none_does(folder: RunFolder, tmp_path: Path):
    with pytest.raises(InputError, match="is there already; name a folder that is new or empty"):
        start(folder.config(), folder.path)
    with pytest.raises(InputError, match=r"^there is no folder '.*nowhere'$"):
        run(RunFolder(tmp_path / "nowhere"))
    assert not (tmp_path / "nowhere").exists()


CUTS: dict[str, Callable[[bytes], bytes]] = {
    "nothing": lambda _: b"",
    "one byte": lambda _: b"x",
    "the header": lambda whole: whole.splitlines(keepends=True)[0],
    "half a number": lambda whole: whole[:-3],
    "a line less": lambda whole: b"".join(whole.splitlines(keepends=True)[:-1]),
}


@pytest.mark.parametrize("cut", CUTS)
def test_curves_that_were_cut_short_are_named_and_nothing_is_lost(folder: RunFolder, cut: str):
    folder.metrics_file.write_bytes(CUTS[cut](folder.metrics_file.read_bytes()))
    with pytest.raises(InputError, match=r"metrics\.csv' is damaged.*delete metrics\.csv, and the curves begin anew"):
        run(folder)
    assert folder.ended
    if cut != "a line less":  # which without a digest nobody can tell from the curves of a shorter run
        (folder.path / MANIFEST).unlink()
        with pytest.raises(
            InputError, match=r"metrics\.csv' is damaged; delete metrics\.csv, and the curves begin anew"
        ):
            run(folder)


def test_a_question_about_a_run_with_damaged_curves_is_answered_and_the_report_stays(folder: RunFolder):
    folder.metrics_file.write_bytes(b"")
    listener = StopAt(1000)
    analyze(folder, reporter=listener)
    assert any("the report stays as it was" in said and "metrics.csv" in said for said in listener.said)


def test_curves_that_are_gone_begin_anew_and_that_is_said(folder: RunFolder):
    folder.metrics_file.unlink()
    listener = StopAt(1000)
    analyze(folder, reporter=listener)
    assert any("the report stays as it was: there are no curves" in said for said in listener.said)
    run(folder, reporter=listener)
    assert "there are no curves of the steps before 16: they begin anew" in listener.said


@pytest.mark.parametrize("content", [b"{}", b"", b"[1]", b'{"path": 3'])
@pytest.mark.parametrize("has_manifest", [True, False])
def test_a_damaged_result_is_named_with_what_makes_it_again(folder: RunFolder, content: bytes, has_manifest: bool):
    if not has_manifest:
        (folder.path / MANIFEST).unlink()
    folder.result_file.write_bytes(content)
    with pytest.raises(InputError, match=r"run\.json' is damaged.*`fieldlens fit --resume .*/run` makes it again"):
        folder.record()
    assert folder.finished_record() is None


def test_a_damaged_target_is_named(folder: RunFolder):
    arrays = bytearray(folder.target_file.read_bytes())
    arrays[len(arrays) // 2] ^= 1
    folder.target_file.write_bytes(arrays)
    with pytest.raises(InputError, match=r"target\.npz' is damaged"):
        run(folder)


def test_a_run_of_an_older_version_without_a_manifest_opens_and_goes_on(folder: RunFolder):
    (folder.path / MANIFEST).unlink()
    analyze(folder)
    assert not (folder.path / MANIFEST).exists()
    assert run(folder, with_training(folder.config(), steps=24)).steps == 24
    lines = (folder.path / MANIFEST).read_text().splitlines()
    assert any(line.endswith("  frames/0000024.png") for line in lines)


def test_a_folder_that_cannot_be_written_is_named_before_anything_is_drawn(
    folder: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("os.access", lambda path, _mode: folder.path not in (path, *Path(path).parents))
    monkeypatch.setattr("fieldlens.studies.runs.saved.initial_state", lambda *_: pytest.fail("opened"))
    with pytest.raises(InputError, match=r"cannot write .*analysis': .* is read-only; copy the run"):
        analyze(folder)
    with pytest.raises(InputError, match=r"cannot write .*renders': .* is read-only; .*--file"):
        render(folder)
    monkeypatch.undo()
    monkeypatch.setattr("os.access", lambda path, _mode: folder.path not in (path, *Path(path).parents))
    assert render(folder, file=tmp_path / "a.png").path.exists()


def test_the_same_run_has_the_same_manifest_but_for_what_tells_time(finished: RunFolder, tmp_path: Path):
    again = start(replace(finished.config(), output=finished.config().output), tmp_path / "run")
    run(again)
    timed = ("metrics.csv", "run.json", "report.html")

    def lines(folder: RunFolder) -> list[str]:
        return [line for line in (folder.path / MANIFEST).read_text().splitlines() if not line.endswith(timed)]

    assert lines(again) == lines(finished)
    first, second = (load_file(checkpoint_file(run.checkpoints, 16)) for run in (again, finished))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_a_damaged_picture_that_a_report_can_do_without_is_left_out_and_named(folder: RunFolder):
    folder.cameras.write_bytes(b"no picture")
    (folder.analysis / "confusion.png").write_bytes(b"no picture")
    (folder.analysis / "confusion.json").mkdir()
    run(folder)
    assert folder.ended
    page = html.unescape(folder.report.read_text())
    for file in (folder.cameras, folder.analysis / "confusion.json"):
        assert f"left out: cannot read {str(file)!r}" in page or f"left out: {str(file)!r} is damaged" in page
