"""A whole fit: what its folder holds, and that it can be stopped, resumed and repeated to the byte."""

import csv
import errno
import json
import os
import pickle
from collections.abc import Callable, Container, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import load_file

from fieldlens.configs.encoding import Raw
from fieldlens.configs.errors import InputError
from fieldlens.configs.files import not_as_written
from fieldlens.configs.manifest import MANIFEST
from fieldlens.configs.network import Network
from fieldlens.configs.records import to_json
from fieldlens.configs.run import FitConfig, Target
from fieldlens.fitting import Change, Controls, Snapshot, TrainingState, initial_state
from fieldlens.fitting.by_hand import change_rate, change_target
from fieldlens.render.files import write_png
from fieldlens.render.video import read_frames
from fieldlens.studies.questions.explanation import analyze
from fieldlens.studies.runs.checkpoints import (
    DamagedCheckpointError,
    checkpoint_file,
    checkpoint_steps,
    read_checkpoint,
    write_checkpoint,
)
from fieldlens.studies.runs.fit import run, save, start
from fieldlens.studies.runs.folder import RunFolder, find_run
from fieldlens.studies.runs.metrics import Metrics
from fieldlens.studies.runs.recorder import FrameRecorder
from fieldlens.studies.runs.reporter import Moment
from fieldlens.studies.subjects.found import Row
from tests.support.runs import StopAt, small_config, small_picture, with_training


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    return small_picture(tmp_path / "picture.png")


@pytest.fixture
def config(picture: Path, tmp_path: Path) -> FitConfig:
    return small_config(picture, tmp_path / "outputs")


def weights(folder: RunFolder) -> dict[str, torch.Tensor]:
    return load_file(checkpoint_file(folder.checkpoints, checkpoint_steps(folder.checkpoints)[-1]))


def written(folder: RunFolder) -> dict[Path, int]:
    """When each file was written last, but for the manifest, which is touched."""
    files = (path for path in folder.path.rglob("*") if path.is_file() and path.name != MANIFEST)
    return {path: path.stat().st_mtime_ns for path in files}


def timeless(folder: RunFolder) -> list[dict[str, str]]:
    """The rows of metrics.csv without their column of time."""
    with folder.metrics_file.open(newline="") as file:
        return [{k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader(file)]


def same_bytes(a: RunFolder, b: RunFolder) -> bool:
    """Whether two runs have the same state, metrics and frames."""
    first, second = weights(a), weights(b)
    states = first.keys() == second.keys() and all(torch.equal(first[k], second[k]) for k in first)
    frames = [
        sorted((file.relative_to(folder.path), file.read_bytes()) for file in (folder.path / "frames").rglob("*.png"))
        for folder in (a, b)
    ]
    return states and timeless(a) == timeless(b) and frames[0] == frames[1]


def test_a_run_leaves_all_that_its_folder_promises(config: FitConfig):
    folder = start(config)
    result = run(folder)
    assert folder.path.parent == config.output.output_dir / "picture" / "fourier-3"
    assert yaml.safe_load(folder.config_file.read_text())["encoding"] == "fourier:3"
    taken = {"optimizer": result.plan.optimizer, "learning_rate": result.plan.learning_rate}
    assert folder.config() == replace(config, training=replace(config.training, **taken))
    assert json.loads(folder.result_file.read_text()) == to_json(result)
    assert folder.record() == result
    assert result.steps == 24
    assert result.stopped_because == "steps"
    assert result.heldout_psnr_db is None
    assert len(result.explained.worst_places) == 2, "it says where"
    assert len(result.explained.verdict) == 3
    assert folder.frame_steps() == folder.frame_steps("reconstruction") == [0, 8, 16, 24]
    with folder.metrics_file.open() as file:
        bands = ["2_4_px", "4_8_px", "8_16_px", "16+_px"]  # of 24 px
        columns = [f"{kind}_{band}" for kind in ("energy_kept", "relative_error") for band in bands]
        assert file.readline().strip().split(",")[5:] == columns
    assert [row["step"] for row in timeless(folder)] == ["0", "8", "16", "24"]
    frames = list(read_frames(folder.video))
    assert len(frames) == 4 + 24  # 12 a second, the last held for two seconds more
    assert folder.latest.read_bytes() == folder.frame(24).read_bytes()
    assert folder.report.read_text().startswith("<!doctype html>")
    assert {file.name for file in folder.analysis.iterdir()} >= {"explain.json", "density.npz", "density.png"}
    assert not list(folder.path.rglob("*.partial"))


def test_psnr_in_run_json_is_that_of_the_written_reconstruction(config: FitConfig, picture: Path):
    folder = start(config)
    result = run(folder)
    target = iio.imread(picture) / 255
    drawn = iio.imread(folder.path / "reconstruction.png") / 255
    assert result.psnr_db == pytest.approx(-10 * np.log10(np.square(target - drawn).mean()), abs=0.02)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(config: FitConfig):
    folders = [start(config), start(config)]
    for folder in folders:
        run(folder)
    assert folders[0].path != folders[1].path
    assert same_bytes(*folders)
    other = start(replace(config, seed=1))
    run(other)
    assert not same_bytes(folders[0], other)


@pytest.mark.parametrize("stop_at", [1, 8, 13])
def test_a_resumed_fit_gives_the_bytes_of_one_that_was_never_stopped(config: FitConfig, stop_at: int):
    whole, stopped = start(config), start(config)
    run(whole)
    reporter = StopAt(stop_at)
    result = run(stopped, reporter=reporter, controls=reporter.controls)
    assert result.stopped_because == "interrupted"
    assert stopped.video.exists()
    assert stopped.report.exists()
    assert result.steps < 24
    assert run(stopped).stopped_because == "steps"
    assert same_bytes(whole, stopped)


@pytest.mark.parametrize("frames", ["every:8", "log", "all"])
def test_a_fit_that_is_extended_keeps_what_it_drew_and_its_new_limit(config: FitConfig, frames: str):
    folder = start(replace(config, output=replace(config.output, frames=frames)))
    run(folder)
    drawn, rows = folder.frame_steps(), timeless(folder)
    longer = with_training(folder.config(), steps=60)
    assert run(folder, longer).steps == 60
    assert folder.config() == longer
    assert set(drawn) <= set(folder.frame_steps())
    assert timeless(folder)[: len(rows)] == rows
    assert folder.frame_steps()[-1] == 60
    extended, extended_rows = folder.frame_steps(), timeless(folder)
    assert run(folder).steps == 60
    assert (folder.frame_steps(), timeless(folder)) == (extended, extended_rows)
    assert [int(row["step"]) for row in extended_rows] == extended


def test_a_checkpoint_is_written_last_so_that_a_cut_at_any_moment_costs_nothing_before_it(
    config: FitConfig, monkeypatch: pytest.MonkeyPatch
):
    whole, cut = start(config), start(config)
    run(whole)

    def cut_before_the_last(folder: Path, state: TrainingState, kept: Container[int] = ()) -> None:
        steps = [int(row["step"]) for row in timeless(cut)]
        assert steps == cut.frame_steps()
        assert steps[-1] <= state.step
        if state.step == 24:
            raise ConnectionAbortedError("the power went")
        write_checkpoint(folder, state, kept)

    with monkeypatch.context() as patched:
        patched.setattr("fieldlens.studies.runs.fit.write_checkpoint", cut_before_the_last)
        with pytest.raises(ConnectionAbortedError):
            run(cut)
    run(cut)
    assert same_bytes(whole, cut)


def test_a_disk_that_is_full_at_a_checkpoint_costs_nothing_before_it(
    config: FitConfig, monkeypatch: pytest.MonkeyPatch
):
    whole, full = start(config), start(config)
    run(whole)

    def no_room(_file: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def fills_up_at_16(folder: Path, state: TrainingState, kept: Container[int] = ()) -> None:
        with monkeypatch.context() as disk:
            if state.step == 16:
                disk.setattr(os, "fsync", no_room)
            write_checkpoint(folder, state, kept)

    with monkeypatch.context() as patched:
        patched.setattr("fieldlens.studies.runs.recorder.SAVE_EVERY", 0.0)
        patched.setattr("fieldlens.studies.runs.fit.write_checkpoint", fills_up_at_16)
        with pytest.raises(InputError, match="No space left on device"):
            run(full)
    assert checkpoint_steps(full.checkpoints) == [0, 8]
    assert [file.name for file in full.checkpoints.iterdir() if file.suffix != ".safetensors"] == []
    run(full)
    assert same_bytes(whole, full)


def test_the_state_is_saved_from_time_to_time(config: FitConfig, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("fieldlens.studies.runs.recorder.SAVE_EVERY", 0.0)
    saved: list[int] = []
    monkeypatch.setattr(
        "fieldlens.studies.runs.fit.write_checkpoint", lambda folder, state, kept: saved.append(state.step)
    )
    run(start(config))
    assert saved == [0, 8, 16, 24]


def test_a_checkpoint_for_each_frame_with_a_map_of_density_on_request(config: FitConfig):
    output = replace(config.output, frames="every:2", checkpoints="frames")
    folder = start(replace(config, output=output))
    run(folder)
    assert checkpoint_steps(folder.checkpoints) == folder.frame_steps("density") == [0, 8, 16, 24]


def test_a_damaged_checkpoint_is_passed_over_for_the_older_one_and_said(config: FitConfig):
    whole, damaged = start(config), start(config)
    run(whole)
    reporter = StopAt(9)
    run(damaged, reporter=reporter, controls=reporter.controls)
    newest = checkpoint_file(damaged.checkpoints, checkpoint_steps(damaged.checkpoints)[-1])
    data = bytearray(newest.read_bytes())
    data[-1] ^= 1
    newest.write_bytes(bytes(data))
    listener = StopAt(1000)
    run(damaged, reporter=listener)
    assert any("is damaged" in sentence and newest.name in sentence for sentence in listener.said)
    assert same_bytes(whole, damaged)


def test_a_flip_of_any_bit_of_a_checkpoint_is_noticed(config: FitConfig, tmp_path: Path):
    folder = start(config)
    run(folder)
    file = checkpoint_file(folder.checkpoints, 24)
    data = file.read_bytes()
    state = initial_state(config, folder.scene())
    read_checkpoint(file, state)
    header = 8 + int.from_bytes(data[:8], "little")
    for position in [*range(0, header, 7), *np.linspace(header, len(data) - 1, 40, dtype=int)]:
        flipped = bytearray(data)
        flipped[position] ^= 1 << (position % 8)
        file.write_bytes(flipped)
        with pytest.raises(DamagedCheckpointError):
            read_checkpoint(file, state)


def test_speed_is_by_the_points_that_were_seen_also_where_an_older_checkpoint_does_not_say(config: FitConfig):
    folder = start(config)
    whole = run(folder)
    each, steps = config.training.batch_size, config.training.steps
    assert each is not None
    assert steps is not None
    in_milliseconds = 0.00051  # which is how finely seconds are told
    assert steps * each / whole.samples_per_s == pytest.approx(whole.seconds, rel=1e-3, abs=in_milliseconds)
    state = initial_state(config, folder.scene())
    newest = checkpoint_file(folder.checkpoints, steps)
    read_checkpoint(newest, state)
    assert state.seen == steps * each
    state.seen, state.seconds = None, 2.0
    write_checkpoint(folder.checkpoints, state)
    read_checkpoint(newest, state)
    assert state.seen is None
    longer = with_training(config, steps=steps + 4)
    record = run(folder, longer)
    assert (steps + 4) * each / record.samples_per_s == pytest.approx(record.seconds, rel=1e-3, abs=in_milliseconds)
    read_checkpoint(checkpoint_file(folder.checkpoints, steps + 4), state)
    assert state.seen == (steps + 4) * each


def test_a_whole_checkpoint_of_another_version_is_named_as_such(config: FitConfig, monkeypatch: pytest.MonkeyPatch):
    folder = start(config)
    monkeypatch.setattr("fieldlens.studies.runs.checkpoints.SCHEMA", "fieldlens checkpoint 0")
    write_checkpoint(folder.checkpoints, initial_state(config, folder.scene()))
    monkeypatch.undo()
    with pytest.raises(InputError, match=r"another version of fieldlens \(fieldlens checkpoint 0\)"):
        run(folder)


@pytest.mark.parametrize(
    "content", [b"", b"\x08", b"\xff" * 64, pickle.dumps({"a": 1})], ids=["empty", "short", "junk", "pickle"]
)
def test_checkpoints_that_are_none_are_refused_in_one_sentence(config: FitConfig, content: bytes):
    folder = start(config)
    run(folder)
    for step in checkpoint_steps(folder.checkpoints):
        checkpoint_file(folder.checkpoints, step).write_bytes(content)
    with pytest.raises(InputError, match=r"every checkpoint in .* is damaged; .* begins anew"):
        run(folder)


def test_a_checkpoint_is_never_unpickled(config: FitConfig, tmp_path: Path):
    class Trap:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "executed",))

    folder = start(config)
    checkpoint_file(folder.checkpoints, 8).parent.mkdir()
    checkpoint_file(folder.checkpoints, 8).write_bytes(pickle.dumps(Trap()))
    with pytest.raises(InputError):
        run(folder)
    assert not (tmp_path / "executed").exists()


def test_a_checkpoint_of_another_network_is_refused(config: FitConfig):
    small, wide = start(config), start(replace(config, network=Network(width=20, depth=2)))
    run(small)
    wide.checkpoints.mkdir()
    for step in checkpoint_steps(small.checkpoints):
        checkpoint_file(wide.checkpoints, step).write_bytes(checkpoint_file(small.checkpoints, step).read_bytes())
    with pytest.raises(InputError, match="does not belong to this run's network"):
        run(wide)


@pytest.mark.parametrize("content", [b"\xff\xfe", b"step,seconds\nnine,1\n", b"step\n8\n"])
def test_a_damaged_file_of_curves_is_named(config: FitConfig, content: bytes):
    folder = start(config)
    run(folder)
    folder.metrics_file.write_bytes(content)
    with pytest.raises(InputError, match=r"metrics.csv' is damaged"):
        run(folder)
    folder.metrics_file.unlink()
    assert run(folder).steps == 24


def test_a_folder_of_another_schema_is_refused(config: FitConfig):
    folder = start(config)
    folder.config_file.write_text(folder.config_file.read_text().replace("schema: 3", "schema: 99"))
    with pytest.raises(InputError, match="another schema"):
        run(folder)


def test_a_fit_ends_at_its_target_or_at_a_plateau_and_says_which(config: FitConfig):
    assert run(start(with_training(config, steps=None, seconds=20.0, target_psnr=8.0))).stopped_because == "target"
    reached = run(start(with_training(config, steps=2000, plateau=90.0)))
    assert reached.stopped_because == "plateau"
    assert 100 <= reached.steps < 2000


def test_curves_have_the_bands_of_the_picture_and_those_of_an_earlier_version_are_read(tmp_path: Path):
    metrics = Metrics(tmp_path / "metrics.csv")
    metrics.rows = [
        Row(0, 0.0, None, 5.0, None, (None, None), (1.0, None)),
        Row(8, 1.0, 0.5, 9.0, 8.0, (0.5, 0.25), (0.75, 0.125)),
    ]
    metrics.write()
    header = "step,seconds,loss,psnr_db,heldout_psnr_db,energy_kept_2_4_px,energy_kept_4+_px,relative_error_2_4_px,"
    assert metrics.path.read_text().startswith(f"{header}relative_error_4+_px\n")
    again = Metrics(metrics.path)
    again.read()
    assert [(*row.energy_kept, *row.relative_error) for row in again.rows] == [
        (None, None, 1, None),
        (0.5, 0.25, 0.75, 0.125),
    ]
    earlier = "energy_kept_2_4_px,energy_kept_4_8_px,energy_kept_8_16_px,relative_error_2_4_px,relative_error_4_8_px"
    metrics.path.write_text(f"step,seconds,loss,psnr_db,heldout_psnr_db,{earlier}\n8,1.0,0.5,9,8,0.5,0.25,,0.75,\n")
    again.read()
    assert [(row.energy_kept, row.relative_error) for row in again.rows] == [([0.5, 0.25], [0.75])]


def test_no_plateau_is_looked_for_before_the_least_steps(tmp_path: Path):
    metrics = Metrics(tmp_path / "metrics.csv")
    metrics.rows = [Row(step, 1.0, 0.1, 20.0, None, ()) for step in (0, 100, 200, 400)]
    assert metrics.plateau(0.05, 100)
    assert metrics.plateau(0.05, 400)
    assert not metrics.plateau(0.05, 401)
    metrics.rows.append(Row(600, 2.0, 0.1, 20.1, None, ()))
    assert not metrics.plateau(0.05, 100)


def test_the_gain_is_that_of_the_last_third_of_the_steps(tmp_path: Path):
    metrics = Metrics(tmp_path / "metrics.csv")
    assert metrics.gained_db is None
    for step, psnr_db in ((0, 5.0), (150, 11.0), (200, 12.0), (250, 13.0), (300, 13.5)):
        metrics.add(Row(step, 1.0, 0.1, psnr_db, None, ()))
        if step == 0:
            assert metrics.gained_db is None
    assert metrics.gained_db == 13.5 - 12.0


def test_a_fit_that_was_still_gaining_ends_with_the_command_that_goes_on(config: FitConfig):
    record = run(start(with_training(config, steps=9)))
    assert record.gained_db is not None
    assert record.gained_db >= 0.25
    assert f"{record.gained_db:.2f} dB over the last third" in record.lines[-2]
    assert record.lines[-1] == f"go on   fieldlens fit --resume {record.path} --steps 18"
    assert not any("go on" in line for line in replace(record, gained_db=0.2).lines)


def test_going_on_with_a_fit_that_has_nothing_left_says_why(config: FitConfig):
    folder, reporter = start(config), StopAt(1000)
    run(folder, reporter=reporter)
    assert not any("nothing is left" in sentence for sentence in reporter.said)
    result = run(folder, reporter=reporter)
    assert result.steps == 24
    assert "nothing is left to train: it has reached its 24 steps; go on with --steps 48" in "\n".join(reporter.said)


def test_a_finished_fit_that_is_whole_is_left_as_it_is(config: FitConfig):
    folder, reporter = start(config), StopAt(1000)
    first = run(folder)
    before = written(folder)
    assert run(folder, reporter=reporter) == first
    assert written(folder) == before
    assert reporter.said[-1] == "all of its files are there and whole, so nothing was made again"


def test_a_finished_fit_is_left_as_it_is_by_whichever_name_and_made_again_where_it_was_moved(
    config: FitConfig, monkeypatch: pytest.MonkeyPatch
):
    folder, reporter = start(config), StopAt(1000)
    run(folder)
    before = written(folder)
    monkeypatch.chdir(folder.path.parent)
    run(RunFolder(Path(folder.path.name)), reporter=reporter)
    assert written(folder) == before
    moved = RunFolder(folder.path.rename(folder.path.with_name("moved")))
    assert run(moved, reporter=reporter).path == moved.path
    assert "run.json says that this folder is elsewhere: the end is made again" in reporter.said


def test_what_the_program_itself_took_away_is_not_missed(config: FitConfig):
    folder, reporter = start(config), StopAt(1000)
    run(folder)
    run(folder, quickly(config), reporter=reporter)
    assert not (folder.analysis / "explain.json").exists()
    before = written(folder)
    run(folder, reporter=reporter)
    assert written(folder) == before
    assert reporter.said[-1] == "all of its files are there and whole, so nothing was made again"


@pytest.mark.parametrize("name", ["report.html", "progress.mp4", "analysis/explain.json", "run.json"])
def test_what_a_finished_fit_lacks_is_made_again(config: FitConfig, name: str):
    folder = start(config)
    run(folder)
    whole = (folder.path / name).read_bytes()
    for damage in (Path.unlink, partial(Path.write_bytes, data=b"another")):
        damage(folder.path / name)
        run(folder)
        again = (folder.path / name).read_bytes()
        assert again == whole or (name == "run.json" and again != b"another")  # it says how long drawing took
        assert not_as_written(folder.path) == []


def test_a_finished_fit_goes_on_to_a_limit_that_was_edited(config: FitConfig):
    folder = start(config)
    run(folder)
    text = folder.config_file.read_text()
    folder.config_file.write_text(text.replace("steps: 24", "steps: 32"))
    assert run(folder).steps == 32


def test_a_quick_fit_leaves_the_explanation_out_and_says_how_to_make_it(config: FitConfig):
    folder = start(quickly(config))
    result = run(folder)
    (sentence,) = result.explained.verdict
    command = f"fieldlens analyze {folder.path}"
    assert command in sentence
    assert command in folder.report.read_text()
    assert command in "\n".join(result.lines)
    assert folder.frame_steps() == [0, 8, 16, 24]
    assert not folder.frame_steps("density")
    assert not folder.analysis.exists()
    assert folder.record() == result

    whole = start(config)
    explained = run(whole).explained
    assert analyze(folder).summary == explained
    assert folder.record().explained == explained
    assert command not in folder.report.read_text()


def test_a_fit_that_goes_on_quickly_keeps_no_explanation_of_an_earlier_end(config: FitConfig):
    folder = start(config)
    run(folder)
    assert (folder.analysis / "explain.json").exists()
    (folder.analysis / "cells.json").touch()
    run(folder, quickly(with_training(config, steps=32)))
    assert [file.name for file in folder.analysis.iterdir()] == ["cells.json"]
    again = run(folder, with_training(config, steps=40))
    assert again.explained.explained_band is not None
    assert folder.frame_steps("density")[-1] > 32


def test_a_quick_fit_that_goes_on_is_explained_and_keeps_its_frames_alike(config: FitConfig):
    folder = start(quickly(config))
    run(folder)
    assert run(folder, with_training(config, steps=32)).explained.explained_band is not None
    assert not folder.frame_steps("density")
    assert len({frame.shape for frame in read_frames(folder.video)}) == 1
    assert (folder.analysis / "density.png").exists()


def test_how_long_all_will_take_is_said_once_its_steps_are_timed(config: FitConfig, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("fieldlens.studies.runs.fit.WORTH_TELLING", 0.0)
    reporter = Told()
    run(start(config), reporter=reporter)
    (told,) = [sentence for sentence in reporter.said if " in all: " in sentence]
    assert "of explanation, video and report" in told
    assert reporter.left[0] is None  # nothing is timed yet
    assert all(left is not None and left > 0 for left in reporter.left[2:])
    run(start(quickly(config)), reporter=reporter)
    assert " of video and report" in reporter.said[-1]


class Told(StopAt):
    """A reporter that remembers what it was told of the time that is left."""

    def __init__(self) -> None:
        super().__init__(1000)
        self.left: list[float | None] = []

    def fitting(self, moment: Moment) -> None:
        self.left.append(moment.left)


def quickly(config: FitConfig) -> FitConfig:
    return replace(config, output=replace(config.output, quick=True))


def test_a_fit_that_diverges_ends_and_says_so(config: FitConfig):
    diverging = with_training(config, steps=1000, learning_rate=1e29, schedule="constant")
    result = run(start(diverging))
    assert result.stopped_because == "diverged"
    assert result.psnr_db is None
    assert "diverged" in result.explained.verdict[0]


def test_a_fit_whose_weights_are_finite_but_overflow_ends_and_says_so_and_goes_on(config: FitConfig):
    # one step makes the weights of two layers so large that their product is infinite
    folder = start(replace(with_training(config, steps=1, learning_rate=1e29), encoding=Raw()))
    for _ in range(2):
        result = run(folder)
        assert "diverged" in result.explained.verdict[0]
        assert result.explained.crossings_per_pixel is None


def test_seconds_end_a_fit_and_count_no_drawing(config: FitConfig):
    result = run(start(with_training(config, steps=None, seconds=0.05)))
    assert result.stopped_because == "seconds"
    assert 0.05 <= result.seconds < 1.0


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1), (2, 3)])
def test_the_smallest_pictures_fit(tmp_path: Path, size: tuple[int, int]):
    write_png(tmp_path / "tiny.png", np.full((*size, 3), 90, np.uint8))
    result = run(start(small_config(tmp_path / "tiny.png", tmp_path / "outputs", steps=8)))
    assert result.psnr_db is not None
    assert result.psnr_db > 5


def test_a_sine_network_fits_and_has_no_creases(config: FitConfig):
    folder = start(replace(config, network=Network(width=16, depth=2, activation="sine")))
    result = run(folder)
    assert result.explained.crossings_per_pixel is None
    assert result.explained.dead_neurons is None
    assert json.loads((folder.analysis / "explain.json").read_text())["creases"] is None
    assert not (folder.analysis / "density.png").exists()


@pytest.mark.parametrize("name", ['a b\'s "c"', "<script>alert(1)</script>", "\N{GRINNING FACE} & <b>", "..."])
def test_odd_file_names_come_out_right_everywhere(tmp_path: Path, name: str):
    (tmp_path / "in").mkdir()
    picture = tmp_path / "in" / f"{name.replace('/', '∕')}.png"
    small_picture(picture)
    folder = start(small_config(picture, tmp_path / "outputs", steps=8))
    result = run(folder)
    assert folder.config().scene == str(picture)
    assert json.loads(folder.result_file.read_text())["scene"] == picture.stem == result.scene
    assert folder.path.parent.parent.parent == tmp_path / "outputs"
    page = folder.report.read_text()
    assert "<script>alert(1)" not in page
    assert "& <b>" not in page


def test_held_out_pixels_are_scored_apart_and_not_trained_on(picture: Path, tmp_path: Path):
    config = small_config(picture, tmp_path / "outputs", steps=16)
    result = run(start(replace(config, target=Target(holdout="checkerboard"))))
    assert result.heldout_psnr_db is not None
    assert result.heldout_psnr_db != result.psnr_db


def test_latest_is_the_newest_run_and_a_folder_that_is_no_run_is_refused(config: FitConfig, tmp_path: Path):
    with pytest.raises(InputError, match="no run below"):
        find_run("latest", tmp_path / "outputs")
    start(config)
    second = start(config)
    assert find_run("latest", tmp_path / "outputs").path == second.path
    with pytest.raises(InputError, match="is no run folder"):
        find_run(str(tmp_path), tmp_path)
    with pytest.raises(InputError, match="does not exist"):
        find_run(str(tmp_path / "nowhere"), tmp_path)


def test_an_output_folder_that_cannot_be_written_is_refused(config: FitConfig, tmp_path: Path):
    (tmp_path / "file").write_text("in the way")
    blocked = replace(config, output=replace(config.output, output_dir=tmp_path / "file" / "deeper"))
    with pytest.raises(InputError, match="--output-dir"):
        start(blocked)


class Hand:
    """A person who makes one change at a step of a fit, and makes the fit look at itself there."""

    def __init__(self, step: int, change: Callable[[FrameRecorder, Snapshot], None]) -> None:
        self.step, self.change, self.controls = step, change, Controls(steps_allowed=step)

    def begin(self, recorder: FrameRecorder, config: FitConfig, notes: Sequence[str]) -> None:
        self.recorder = recorder

    def look(self, moment: Snapshot) -> None:
        if moment.step == self.step and self.controls.waits:
            self.change(self.recorder, moment)
            self.controls.steps_allowed = None


def halve_rate(recorder: FrameRecorder, moment: Snapshot) -> None:
    recorder.note(change_rate(moment.state, recorder.plan, recorder.plan.learning_rate / 2))


def test_a_rate_changed_by_hand_is_in_run_json_and_the_fit_goes_on_with_it(config: FitConfig):
    whole, cut = start(config), start(config)
    first, second = Hand(5, halve_rate), Hand(5, halve_rate)
    record = run(whole, controls=first.controls, onlooker=first)
    rate = record.plan.learning_rate
    assert json.loads(whole.result_file.read_text())["changed_by_hand"] == [
        {"step": 5, "what": "learning_rate", "from": rate, "to": rate / 2}
    ]
    assert record.notes[-1] == f"learning rate {rate:g} became {rate / 2:g} at step 5, by hand"
    stop = StopAt(10)
    stop.controls = second.controls
    assert run(cut, reporter=stop, controls=second.controls, onlooker=second).stopped_because == "interrupted"
    again = StopAt(99)
    assert run(cut, reporter=again).changed_by_hand == record.changed_by_hand
    assert record.notes[-1] in again.said
    assert same_bytes(whole, cut)
    assert not same_bytes(whole, _unchanged(config))


def _unchanged(config: FitConfig) -> RunFolder:
    folder = start(config)
    assert run(folder).changed_by_hand is None
    assert not folder.changes_file.exists()
    return folder


def test_a_target_set_by_hand_ends_the_fit_at_the_next_frame(config: FitConfig):
    def low_target(recorder: FrameRecorder, moment: Snapshot) -> None:
        recorder.plan, change = change_target(moment.state, recorder.plan, 1.0)
        recorder.note(change)

    hand = Hand(5, low_target)
    folder = start(config)
    record = run(folder, controls=hand.controls, onlooker=hand)
    assert (record.stopped_because, record.steps, record.plan.target_psnr_db) == ("target", 8, 1.0)
    stop = StopAt(16)
    assert run(folder, with_training(config, steps=32), stop, stop.controls).stopped_because == "interrupted"
    on = run(folder)
    assert (on.stopped_because, on.steps) == ("steps", 32), "other limits have replaced it for good"
    assert on.changed_by_hand is not None
    assert on.changed_by_hand[-1] == Change(8, "target_psnr_db", 1.0, None)


def test_a_snapshot_keeps_a_checkpoint_and_maps_of_its_step(config: FitConfig):
    folder = start(with_training(config, steps=64))

    def snapshot(recorder: FrameRecorder, moment: Snapshot) -> None:
        recorder.snapshot(moment)
        save(folder, moment.state, recorder)

    hand = Hand(5, snapshot)
    run(folder, controls=hand.controls, onlooker=hand)
    assert checkpoint_steps(folder.checkpoints)[0] == 5
    assert 5 in folder.frame_steps("density")
    assert 5 in folder.frame_steps()


def test_a_snapshot_stays_whole_when_the_fit_goes_on_from_it(config: FitConfig):
    folder = start(config)

    def snapshot_then_die(recorder: FrameRecorder, moment: Snapshot) -> None:
        recorder.snapshot(moment)
        save(folder, moment.state, recorder)
        raise OSError(errno.EIO, "gone")

    hand = Hand(5, snapshot_then_die)
    with pytest.raises(OSError, match="gone"):
        run(folder, controls=hand.controls, onlooker=hand)
    kept = folder.frame(5).read_bytes()
    stop = StopAt(99)
    run(folder, reporter=stop)
    assert "going on from step 5" in stop.said
    assert folder.frame(5).read_bytes() == kept
    assert 5 in folder.frame_steps("density")
    assert "5" in [row["step"] for row in timeless(folder)]
