"""A comparison: equal protocol, one video in step, one table, one report."""

import csv
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from fieldlens.configs.encoding import Fourier, Raw
from fieldlens.configs.errors import InputError
from fieldlens.configs.holding import held
from fieldlens.configs.network import Network
from fieldlens.configs.optimizer import Adam, Muon
from fieldlens.configs.records import to_json
from fieldlens.configs.run import CompareConfig, Output, Training
from fieldlens.fitting import Controls
from fieldlens.render.video import read_frames
from fieldlens.report import PICTURE_WORDS
from fieldlens.studies.runs.compare import (
    Comparison,
    completed,
    find_comparison,
    find_runs,
    fits,
    run_comparison,
    start_comparison,
)
from fieldlens.studies.runs.fit import run, start
from fieldlens.studies.runs.folder import find_run
from fieldlens.studies.runs.table import to_csv, to_markdown
from fieldlens.studies.subjects.found import Statistic, Summary
from tests.support.kills import KilledError, kill_at
from tests.support.runs import StopAt, small_picture, small_record


@pytest.fixture
def config(tmp_path: Path) -> CompareConfig:
    return CompareConfig(
        scene=str(small_picture(tmp_path / "picture.png")),
        training=Training(steps=16, batch_size=128, threads=1, device="cpu"),
        output=Output(output_dir=tmp_path / "outputs", frames="every:8"),
        encodings=(Raw(), Fourier(3)),
        networks=(Network(width=12, depth=2),),
    )


def test_a_comparison_leaves_video_tables_and_one_report(config: CompareConfig):
    comparison = start_comparison(config)
    result = run_comparison(comparison)
    assert comparison.path.parent == config.output.output_dir / "picture" / "compare"
    assert [run.encoding for run in result.runs] == ["raw", "fourier:3"]
    assert json.loads((comparison.path / "compare.json").read_text()) == to_json(result)
    assert len(list(read_frames(comparison.video))) == 3 + 24
    page = comparison.report.read_text()
    assert "raw" in page
    assert "fourier:3" in page
    with (comparison.path / "table.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["encoding"] for row in rows] == ["raw", "fourier:3"]
    assert float(rows[1]["psnr_db"]) == pytest.approx(result.runs[1].psnr_db)


def test_runs_of_a_comparison_are_what_the_same_fit_alone_gives(config: CompareConfig):
    compared = run_comparison(start_comparison(config)).runs
    for fit_config, compared_run in zip(fits(completed(config)), compared, strict=True):
        alone = run(start(fit_config))
        assert alone.psnr_db == compared_run.psnr_db
        assert alone.explained.primary_statistic == compared_run.explained.primary_statistic


def test_optimizers_are_compared_in_all_else_alike_and_named_where_they_are_not_adam(config: CompareConfig):
    network = (Network(width=12, depth=3),)
    both = replace(config, encodings=(Raw(),), networks=network, optimizers=(Adam(), Muon(0.05)))
    comparison = start_comparison(both)
    result = run_comparison(comparison)
    assert [run.name for run in result.runs] == ["raw 3x12", "raw 3x12 muon:0.05"]
    assert [folder.path.name for folder in comparison.runs()] == ["raw_3x12", "raw_3x12_muon-0.05"]
    adam, muon = result.runs
    assert adam.psnr_db != muon.psnr_db
    assert replace(muon.plan, optimizer=Adam(), learning_rate=adam.plan.learning_rate) == adam.plan
    with (comparison.path / "table.csv").open(newline="") as file:
        assert [row["optimizer"] for row in csv.DictReader(file)] == ["adam", "muon:0.05"]
    assert "| optimizer" in result.table
    assert "muon:0.05" in comparison.report.read_text()
    assert "optimizer" not in to_markdown([adam], PICTURE_WORDS)


def test_runs_have_one_optimizer_where_none_is_named_and_their_folders_the_names_that_were_chosen(
    config: CompareConfig,
):
    deep, flat = Network(width=12, depth=3), Network(width=12, depth=1)
    alike = completed(replace(config, encodings=(Raw(), Fourier(2)), networks=(deep,)))
    assert {type(fit.optimizer) for fit in fits(alike)} == {Muon}
    assert [Comparison(Path("it")).run_path(fit).name for fit in fits(alike)] == [
        "raw_3x12_muon",
        "fourier-2_3x12_muon",
    ]
    mixed = completed(replace(config, encodings=(Raw(),), networks=(deep, flat)))
    assert {fit.optimizer for fit in fits(mixed)} == {Adam()}, "one hidden layer has no matrix for muon"
    assert fits(completed(replace(alike, optimizers=(Muon(), Adam()), training=config.training)))[1].optimizer == Adam()


def test_one_optimizer_for_all_and_several_to_compare_exclude_each_other(config: CompareConfig):
    with pytest.raises(InputError, match="leave one out"):
        replace(config, training=replace(config.training, optimizer=Muon()), optimizers=(Adam(), Muon()))


def test_every_network_is_fitted_under_every_encoding_with_one_protocol(config: CompareConfig):
    both = replace(config, networks=(Network(width=8, depth=1), Network(width=16, depth=2)))
    made = fits(completed(both))
    assert [(str(fit.network), str(fit.encoding)) for fit in made] == [
        ("1x8", "raw"),
        ("1x8", "fourier:3"),
        ("2x16", "raw"),
        ("2x16", "fourier:3"),
    ]
    assert len({(fit.scene, fit.training, fit.target, fit.seed) for fit in made}) == 1


def test_what_is_left_open_is_raw_against_fourier_for_equal_steps():
    full = completed(CompareConfig(scene="astronaut"))
    assert [str(encoding) for encoding in full.encodings] == ["raw", "fourier:8"]
    assert full.training.steps == 1000


@pytest.mark.parametrize("limit", [{"seconds": 5.0}, {"target_psnr": 20.0}, {"plateau": 0.1}])
def test_limits_that_would_end_runs_at_different_steps_are_refused(config: CompareConfig, limit: dict):
    with pytest.raises(InputError, match="equal steps"):
        completed(replace(config, training=replace(config.training, **limit)))


def test_one_encoding_has_nothing_to_be_compared_with(config: CompareConfig):
    with pytest.raises(InputError, match="nothing to be compared with"):
        completed(replace(config, encodings=(Raw(), Raw())))


def test_an_interrupted_comparison_shows_what_there_is_and_goes_on_later(config: CompareConfig):
    uninterrupted = run_comparison(start_comparison(config))
    comparison, reporter = start_comparison(config), StopAt(9)
    first = run_comparison(comparison, reporter, reporter.controls)
    assert first.stopped_because == "interrupted"
    assert len(first.runs) == 1
    assert comparison.report.exists()
    resumed = run_comparison(Comparison(comparison.path))
    assert [run.psnr_db for run in resumed.runs] == [run.psnr_db for run in uninterrupted.runs]


def test_a_run_that_has_diverged_is_not_run_again_and_names_no_length(config: CompareConfig):
    comparison = start_comparison(replace(config, training=replace(config.training, learning_rate=1e29)))
    first = run_comparison(comparison)
    assert {run.stopped_because for run in first.runs} == {"diverged"}
    written = [(folder.path / "run.json").stat().st_mtime_ns for folder in comparison.runs()]
    told = StopAt(1000)
    run_comparison(comparison, told)
    assert [(folder.path / "run.json").stat().st_mtime_ns for folder in comparison.runs()] == written
    assert any("have diverged" in sentence for sentence in told.said)
    gaining = small_record(steps=16, stopped_because="steps", gained_db=1.0)
    early = small_record(steps=2, stopped_because="diverged")
    assert replace(first, runs=[early, gaining]).lines[-1].endswith("--steps 32")


def test_a_comparison_stopped_before_its_first_run_is_interrupted_and_goes_on_later(config: CompareConfig):
    comparison = start_comparison(config)
    with pytest.raises(KeyboardInterrupt):
        run_comparison(comparison, controls=Controls(stop=True))
    assert not comparison.report.exists()
    assert len(run_comparison(comparison).runs) == 2


def test_a_finished_comparison_says_that_nothing_is_left_and_how_a_longer_one_begins(config: CompareConfig):
    comparison, reporter = start_comparison(config), StopAt(1000)
    finished = run_comparison(comparison, reporter)
    steps = finished.runs[0].steps
    command = f"fieldlens compare --config {comparison.config_file} --steps {2 * steps}"
    assert finished.lines[-1] == f"longer  {command}"  # so few steps: all were still gaining
    assert not any("nothing is left" in sentence for sentence in reporter.said)
    run_comparison(comparison, reporter)
    assert f"all runs have their {steps} steps; a longer comparison begins anew, with {command}" in reporter.said[-1]
    level = replace(finished, runs=[replace(run, gained_db=0.0) for run in finished.runs])
    assert level.lines[-1].startswith("report")


def test_a_quick_comparison_shows_its_runs_without_density_and_says_what_was_left_out(config: CompareConfig):
    whole, quick = (
        start_comparison(replace(config, output=replace(config.output, quick=quick))) for quick in (False, True)
    )
    found = run_comparison(quick)
    assert any("`fieldlens analyze RUN` does it" in sentence for sentence in found.verdict)
    assert not any("`fieldlens analyze" in sentence for sentence in run_comparison(whole).verdict)
    with_density, without = (next(read_frames(comparison.video)) for comparison in (whole, quick))
    assert without.shape[0] < 0.7 * with_density.shape[0]
    for run_folder in quick.runs():
        assert f"fieldlens analyze {run_folder.path}" in quick.report.read_text().replace("&#x27;", "").replace("'", "")


def test_a_finished_comparison_is_shown_even_when_stopped_at_once(config: CompareConfig):
    comparison = start_comparison(config)
    finished = run_comparison(comparison)
    assert run_comparison(comparison, controls=Controls(stop=True)).runs == finished.runs


def test_damaged_files_of_a_comparison_are_made_again_or_named(config: CompareConfig):
    comparison = start_comparison(config)
    finished = run_comparison(comparison)
    first, second = comparison.runs()
    first.result_file.write_bytes(first.result_file.read_bytes()[:50])
    reporter = StopAt(1000)
    again = run_comparison(comparison, reporter)
    assert any(str(first.result_file) in said and "made again" in said for said in reporter.said)
    assert [run.psnr_db for run in again.runs] == [run.psnr_db for run in finished.runs]
    second.frame(8, "reconstruction").write_bytes(b"")
    run_comparison(comparison, reporter)
    assert any("1 recorded step (8)" in said for said in reporter.said)
    for file, data in [
        (first.analysis / "explain.json", b"[]"),
        (comparison.path / "comparison.yaml", b"scene: \xff"),
    ]:
        file.write_bytes(data)
        with pytest.raises(InputError, match=re.escape(str(file))):
            run_comparison(comparison)
        assert not comparison.result_file.exists()


def test_a_comparison_killed_at_any_of_its_last_writes_is_completed_by_a_resume(
    config: CompareConfig, monkeypatch: pytest.MonkeyPatch
):
    comparison = start_comparison(config)
    run_comparison(comparison)
    written = {path.name for path in comparison.path.iterdir()}
    last = next(reversed(comparison.runs()))
    for target in (
        *(last.path / name for name in ("progress.mp4", "report.html", "run.json")),
        *(comparison.path / name for name in ("compare.mp4", "report.html", "table.md", "compare.json")),
    ):
        target.unlink(missing_ok=True)
        if target.parent == last.path:
            last.result_file.unlink(missing_ok=True)
        with monkeypatch.context() as patched:
            kill_at(patched, target)
            with pytest.raises(KilledError):
                run_comparison(comparison)
        assert not comparison.result_file.exists()
    finished = run_comparison(comparison)
    assert finished.stopped_because == "steps"
    assert {path.name for path in comparison.path.iterdir()} == written
    assert all(folder.report.exists() and folder.video.exists() for folder in comparison.runs())


def test_a_comparison_that_another_process_writes_is_left_to_it(config: CompareConfig):
    comparison = start_comparison(config)
    with held(comparison.path), pytest.raises(InputError, match="is in use: process"):
        run_comparison(comparison)


def test_a_folder_that_is_no_comparison_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match="is no comparison"):
        find_comparison(str(tmp_path), tmp_path)


def test_the_latest_comparison_is_the_newest_that_was_made_whole(config: CompareConfig):
    output_dir = config.output.output_dir
    with pytest.raises(InputError, match=r"there is no comparison below .*; make one with `fieldlens compare`"):
        find_comparison("latest", output_dir)
    first, second = start_comparison(config), start_comparison(config)
    assert find_comparison("latest", output_dir) == second
    (second.path / "comparison.yaml").unlink()
    assert find_comparison("latest", output_dir) == first
    assert find_comparison(str(first.path), output_dir) == first


def test_runs_of_a_comparison_are_named_by_their_path(config: CompareConfig):
    comparison = start_comparison(config)
    inside = list(comparison.runs())
    with pytest.raises(InputError, match=r"there are only comparisons below .*: `fieldlens compare --resume /"):
        find_run("latest", config.output.output_dir)
    assert find_run(str(inside[1].path), config.output.output_dir) == inside[1]
    alone = start(fits(completed(config))[0])
    assert find_run("latest", config.output.output_dir) == alone


def test_the_runs_that_have_begun_of_a_comparison_are_found_with_their_names(config: CompareConfig):
    output_dir = config.output.output_dir
    config = replace(config, training=replace(config.training, optimizer=Adam()))
    comparison = start_comparison(config)
    with pytest.raises(InputError, match=r"no run of the comparison .* has begun yet"):
        find_runs("latest", output_dir)
    raw, encoded = comparison.runs()
    raw.path.rename(raw.path.with_name("raw:-1..1 2x12"))  # as an earlier version called it
    raw, encoded = comparison.runs()
    assert raw.config().encoding == Raw()
    (raw.checkpoints / "0000000.safetensors").parent.mkdir()
    (raw.checkpoints / "0000000.safetensors").touch()
    assert find_runs("latest", output_dir) == find_runs(str(comparison.path), output_dir) == {raw: "raw 2x12"}
    alone = start(fits(completed(config))[1])
    assert find_runs("latest", output_dir) == find_runs(str(alone.path), output_dir) == {alone: ""}
    assert find_runs(str(encoded.path), output_dir) == {encoded: ""}


def test_tables_leave_out_what_no_run_has_and_say_when_there_is_no_interval():
    detail = Summary(
        verdict=(),
        explained_band="2-4 px",
        crossings_per_pixel=None,
        dead_neurons=3,
        primary_statistic=Statistic(-0.37, -0.47, None),
    )
    record = small_record(ssim=None, energy_kept={"2-4 px": 0.314, "4-8 px": None}, explained=detail)
    table = to_markdown([record, record], PICTURE_WORDS)
    assert len({len(line) for line in table.splitlines()}) == 1
    assert "SSIM" not in table
    assert "31 %" in table
    assert "−0.37 (no interval)" in table
    (row,) = csv.DictReader(to_csv([record], PICTURE_WORDS).splitlines())
    assert row["error_against_creases"] == "-0.37"
    assert row["error_against_creases_high"] == row["ssim"] == ""
