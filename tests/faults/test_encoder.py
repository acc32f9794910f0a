"""An encoder that dies takes nothing with it but the video, which is made later of the frames."""

import json
import shutil
from pathlib import Path

import pytest

from fieldlens import cli
from fieldlens.configs.encoding import Fourier, Raw
from fieldlens.configs.errors import InputError
from fieldlens.configs.network import Network
from fieldlens.configs.run import CompareConfig, FitConfig
from fieldlens.render import video
from fieldlens.render.video import read_frames
from fieldlens.studies.questions.video import make_video
from fieldlens.studies.runs.compare import run_comparison, start_comparison
from fieldlens.studies.runs.fit import run, start
from fieldlens.studies.runs.folder import RunFolder
from tests.support.runs import StopAt, small_config, small_picture
from tests.support.same import held_by


def without_encoder(patched: pytest.MonkeyPatch, folder: Path, does: str = "exit 3") -> None:
    """From now on ffmpeg does this."""
    stand_in = folder / "ffmpeg"
    stand_in.write_text(f"#!/bin/sh\n{does}\n")
    stand_in.chmod(0o755)
    patched.setattr(video.imageio_ffmpeg, "get_ffmpeg_exe", lambda: str(stand_in))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[FitConfig, RunFolder]:
    """A run that nobody changes, and what it was to be."""
    place = tmp_path_factory.mktemp("whole")
    config = small_config(small_picture(place / "picture.png"), place / "outputs")
    folder = start(config)
    run(folder)
    return config, folder


@pytest.mark.parametrize("does", ["exit 3", "head -c 5000 >&2; kill -KILL $$", "exec missing-program"])
def test_a_run_whose_encoder_dies_is_whole_but_for_the_video_and_render_makes_that_later(
    whole: tuple[FitConfig, RunFolder],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    does: str,
):
    config, undisturbed = whole
    folder = start(config)
    folder.video.write_bytes(b"the video of fewer steps")
    listener = StopAt(1000)
    with monkeypatch.context() as patched:
        without_encoder(patched, tmp_path, does)
        record = run(folder, reporter=listener)
    assert (record.video, record.steps) == (None, 24)
    assert not folder.video.exists()
    (said,) = [sentence for sentence in listener.said if sentence.startswith("there is no progress.mp4: ")]
    assert said.endswith(f"`fieldlens render {folder.path} --video` makes it of them")
    assert said in record.notes
    assert said.replace("'", "&#x27;") in folder.report.read_text()
    assert not any(line.startswith("video") for line in record.lines)
    assert cli.main(["render", str(folder.path), "--video", "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["frames"] == 4
    assert held_by(folder.path) == held_by(undisturbed.path)
    assert folder.record().video == folder.video
    assert "there is no progress.mp4" not in folder.report.read_text()


def test_a_video_that_cannot_be_made_anew_leaves_the_one_that_is_there(
    whole: tuple[FitConfig, RunFolder],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
):
    folder = RunFolder(tmp_path / "run")
    shutil.copytree(whole[1].path, folder.path)
    before = {file: file.read_bytes() for file in folder.path.rglob("*") if file.is_file()}
    without_encoder(monkeypatch, tmp_path)
    assert cli.main(["render", str(folder.path), "--video"]) == 2
    assert capfd.readouterr().err.splitlines()[-1].startswith("fieldlens: the video cannot be written: ffmpeg stopped")
    assert {file: file.read_bytes() for file in folder.path.rglob("*") if file.is_file()} == before


def test_a_comparison_whose_encoder_dies_is_whole_but_for_its_videos_and_resume_makes_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    alone = small_config(small_picture(tmp_path / "picture.png"), tmp_path / "outputs")
    config = CompareConfig(
        scene=alone.scene,
        training=alone.training,
        output=alone.output,
        encodings=(Raw(), Fourier(3)),
        networks=(Network(width=8, depth=2),),
    )
    comparison, listener = start_comparison(config), StopAt(1000)
    with monkeypatch.context() as patched:
        without_encoder(patched, tmp_path)
        record = run_comparison(comparison, listener)
    assert [record.video, *(one.video for one in record.runs)] == [None] * 3
    assert comparison.report.exists()
    assert any(said.startswith("there is no compare.mp4: ") for said in listener.said)
    assert run_comparison(comparison).video == comparison.video
    assert comparison.video.exists()


def test_of_a_run_that_has_not_ended_the_video_is_that_of_the_frames_it_has(
    whole: tuple[FitConfig, RunFolder], tmp_path: Path
):
    config, ended = whole
    with pytest.raises(InputError, match="has no frames yet"):
        make_video(start(config))
    folder = RunFolder(tmp_path / "run")
    shutil.copytree(ended.path, folder.path)
    folder.result_file.unlink()
    for file in (*folder_of_frames(folder, 24), *folder_of_frames(folder, 16)):
        file.unlink()
    made = make_video(folder)
    assert (made.frames, made.report) == (2, None)
    assert len(list(read_frames(made.path))) == 2 + 24
    assert not folder.ended


def test_frames_that_are_back_are_in_the_video_again_and_no_longer_said_to_be_missing(
    whole: tuple[FitConfig, RunFolder], tmp_path: Path
):
    folder = RunFolder(tmp_path / "run")
    shutil.copytree(whole[1].path, folder.path)
    taken = {file: file.read_bytes() for file in folder_of_frames(folder, 16)}
    for file in taken:
        file.unlink()
    make_video(folder)
    (note,) = set(folder.record().notes) - set(whole[1].record().notes)
    assert note == "the pictures of 1 recorded step (16) are missing or damaged, and left out"
    assert held_by(folder.path) != held_by(whole[1].path)
    for file, data in taken.items():
        file.write_bytes(data)
    make_video(folder)
    assert held_by(folder.path) == held_by(whole[1].path)


def folder_of_frames(folder: RunFolder, step: int) -> list[Path]:
    """The pictures of a step."""
    return [file for kind in ("", "reconstruction") if (file := folder.frame(step, kind)).exists()]


@pytest.mark.parametrize("beside", [["--scale", "2"], ["--orbit", "8"], ["--file", "a.mp4"], ["--step", "3"]])
def test_what_has_no_effect_on_the_video_of_the_frames_is_refused(beside: list[str], capfd: pytest.CaptureFixture[str]):
    assert cli.main(["render", "--video", *beside]) == 2
    assert f"leave out {beside[0]}" in capfd.readouterr().err
