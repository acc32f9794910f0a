"""A sweep from beginning to end: what is made once is not made again, wherever it lies, and the tables follow."""

import csv
import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file
from scipy import stats

from fieldlens.configs.encoding import Fourier, Gaussian, Raw
from fieldlens.configs.errors import InputError
from fieldlens.configs.holding import held
from fieldlens.configs.records import to_json
from fieldlens.configs.run import FitConfig
from fieldlens.fitting import Controls
from fieldlens.studies.making.executor import Outcome, Outcomes, Work
from fieldlens.studies.runs.compare import find_runs
from fieldlens.studies.runs.fit import run, start
from fieldlens.studies.runs.folder import RunFolder
from fieldlens.studies.runs.reporter import Silent
from fieldlens.studies.sweeps.folder import Sweep, find_comparison_or_sweep, fits_below
from fieldlens.studies.sweeps.plan import Part
from fieldlens.studies.sweeps.sweep import record_of, run_sweep, start_sweep
from tests.support.kills import KilledError, kill_at
from tests.support.sweeps import small_sweep, without_drawings


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    without_drawings(monkeypatch)


class Counting(Silent):
    """Counts the fits that are made, and may stop after so many."""

    def __init__(self, stop_after: int = 10**9) -> None:
        self.controls, self.made, self.said, self._stop_after = Controls(), list[str](), list[str](), stop_after

    def say(self, sentence: str) -> None:
        self.said.append(sentence)

    def working(self, task: str, done: float) -> None:
        if found := re.match(r"fit \d+ of \d+: (.*)", task):
            self.made.append(found[1])
            self.controls.stop = len(self.made) >= self._stop_after


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def written(folders: Sequence[RunFolder]) -> dict[str, int]:
    return {folder.path.name: folder.result_file.stat().st_mtime_ns for folder in folders}


def fits_in(sweep: Sweep) -> list[RunFolder]:
    return [RunFolder(path.parent) for path in sorted(sweep.runs.glob("*/run.json"))]


def test_a_sweep_leaves_a_line_for_each_fit_and_a_summary_of_each_method(tmp_path: Path):
    sweep = start_sweep(small_sweep(tmp_path))
    counting = Counting()
    found = run_sweep(sweep, counting)
    assert (found.planned, found.finished, found.stopped_because) == (8, 8, "steps")
    assert [int(label[-1]) for label in counting.made] == [0] * 4 + [1] * 4, "one seed of everything first"
    lines = rows_of(sweep.fits_file)
    assert Counter((line["picture"], line["encoding"], line["seed"]) for line in lines) == Counter(
        (picture, encoding, seed)
        for picture in ("picture0", "picture1")
        for encoding in ("raw", "fourier:3")
        for seed in "01"
    )
    raw = [[float(line["psnr_db"]) for line in lines if line["picture"] == f"picture{n}" and line["encoding"] == "raw"]
           for n in (0, 1)]  # fmt: skip
    summary = {(line["method"], line["quantity"]): line for line in rows_of(sweep.summary_file)}
    of_raw = next(
        line for (name, quantity), line in summary.items() if name.startswith("raw") and quantity == "psnr_db"
    )
    assert float(of_raw["mean"]) == pytest.approx(np.mean(raw), rel=1e-5)
    assert of_raw["interval_over"] == "seeds"
    low, _ = stats.ttest_ind(raw[0], [-one for one in raw[1]]).confidence_interval(0.95)
    assert float(of_raw["low"]) == pytest.approx(low / 2, rel=1e-4)
    assert json.loads(sweep.result_file.read_text()) == to_json(found)
    assert record_of(sweep) == found


def test_a_fit_of_a_sweep_is_that_fit_alone_to_the_byte(tmp_path: Path):
    sweep = start_sweep(small_sweep(tmp_path, pictures=1, seeds=1))
    run_sweep(sweep)
    for folder in fits_in(sweep):
        alone = start(folder.config(), tmp_path / "alone" / folder.path.name)
        run(alone)
        ours, theirs = (load_file(sorted(one.checkpoints.iterdir())[-1]) for one in (folder, alone))
        assert {name: array.tobytes() for name, array in ours.items()} == {
            name: array.tobytes() for name, array in theirs.items()
        }


def test_what_is_finished_is_not_made_again_after_a_stop(tmp_path: Path):
    sweep, counting = start_sweep(small_sweep(tmp_path, seeds=1)), Counting(stop_after=3)
    first = run_sweep(sweep, counting, counting.controls)
    assert (first.stopped_because, first.finished) == ("interrupted", 3)
    assert first.verdict[0].startswith("3 of 4 fits are finished")
    assert first.lines[-1] == f"go on   fieldlens compare --resume {sweep.path}"
    before, again = written(fits_in(sweep)), Counting()
    second = run_sweep(Sweep(sweep.path), again)
    assert second.finished == 4
    assert len(again.made) == 1
    assert before.items() <= written(fits_in(sweep)).items()
    last = Counting()
    assert run_sweep(Sweep(sweep.path), last).table == second.table
    assert last.made == []


def test_a_finished_fit_is_found_wherever_it_lies_below_the_outputs(tmp_path: Path):
    config = small_sweep(tmp_path, pictures=1, seeds=1)
    first = start_sweep(config)
    whole, counting = run_sweep(first), Counting()
    (tmp_path / "outputs" / "kept" / "deep").mkdir(parents=True)
    first.runs.rename(tmp_path / "outputs" / "kept" / "deep" / "moved")
    second = start_sweep(replace(config, seeds=2))
    found = run_sweep(second, counting)
    assert len(counting.made) == 2, "those with the new seed"
    assert found.finished == 4
    shared = [row for row in rows_of(second.fits_file) if row["seed"] == "0"]
    assert {Path(row["path"]).parent.name for row in shared} == {"moved"}
    assert whole.planned == len(shared)
    assert "../" in second.report.read_text(encoding="utf-8")


def test_the_same_fits_give_the_same_summary_whoever_made_them_and_in_whatever_order(tmp_path: Path):
    config = small_sweep(tmp_path, pictures=1)
    alone = start_sweep(replace(config, output=replace(config.output, output_dir=tmp_path / "alone")))
    run_sweep(alone)
    parts = [start_sweep(config) for _ in range(3)]
    for number in (2, 0, 1):
        part = run_sweep(parts[number], part=Part(number + 1, 3))
        assert part.stopped_because == ("jobs" if number != 1 else "steps")
    gathered, counting = start_sweep(config), Counting()
    run_sweep(gathered, counting)
    assert counting.made == []
    assert gathered.summary_file.read_bytes() == alone.summary_file.read_bytes()


class Refusing:
    """Makes the first of the fits that it is handed, and cannot make the next."""

    def outcomes(self, configs: Sequence[FitConfig], work: Work, controls: Controls) -> Outcomes:
        yield Outcome(configs[0], work.make(configs[0], work.folder, controls))
        yield Outcome(configs[1], None, ("killed",))


def test_a_fit_that_cannot_be_made_does_not_hide_those_that_are(tmp_path: Path):
    sweep = start_sweep(small_sweep(tmp_path, pictures=1, seeds=1))
    with pytest.raises(InputError, match=r"1 fit could not be made: .* 'killed'"):
        run_sweep(sweep, executor=Refusing())
    assert [row["encoding"] for row in rows_of(sweep.fits_file)] == ["raw"]
    assert not sweep.result_file.exists()
    page = sweep.report.read_text(encoding="utf-8")
    assert "The command ended early: 1 fit could not be made" in page
    assert "1 of 2 fits are finished; this is of those." in page
    assert run_sweep(sweep).finished == 2
    assert "ended early" not in sweep.report.read_text(encoding="utf-8")


class LosingOnce:
    """Makes all fits, the first when it had been lost once."""

    def outcomes(self, configs: Sequence[FitConfig], work: Work, controls: Controls) -> Outcomes:
        for number, config in enumerate(configs):
            yield Outcome(config, work.make(config, work.folder, controls), () if number else ("killed",))


def test_a_fit_that_was_lost_is_told_by_every_table_that_has_it(tmp_path: Path):
    config = small_sweep(tmp_path, pictures=1, seeds=1)
    first = start_sweep(config)
    run_sweep(first, executor=LosingOnce())
    more = start_sweep(replace(config, seeds=2))
    run_sweep(more)
    for sweep, expected in ((first, ["1", "0"]), (more, ["1", "0", "0", "0"])):
        assert [row["lost"] for row in rows_of(sweep.fits_file)] == expected
    first.path.rename(tmp_path / "outputs" / "moved")
    run_sweep(more)
    assert [row["lost"] for row in rows_of(more.fits_file)] == ["1", "0", "0", "0"]


def test_a_sweep_needs_its_pictures_files_no_more(tmp_path: Path):
    config = small_sweep(tmp_path, seeds=1)
    sweep = start_sweep(config)
    for word in config.scenes:
        Path(word).unlink()
    moved = tmp_path / "elsewhere"
    sweep.path.rename(moved)
    assert run_sweep(Sweep(moved)).finished == 4


def test_a_sweep_killed_at_any_of_its_writes_is_completed_by_a_resume(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    sweep = start_sweep(small_sweep(tmp_path, pictures=1, seeds=1))
    whole = run_sweep(sweep)
    summary, before = sweep.summary_file.read_bytes(), written(fits_in(sweep))
    last = fits_in(sweep)[-1]
    for target in (last.report, last.result_file, sweep.fits_file, sweep.summary_file, sweep.report, sweep.result_file):
        target.unlink(missing_ok=True)
        last.result_file.unlink(missing_ok=True)
        with monkeypatch.context() as patched:
            kill_at(patched, target)
            with pytest.raises(KilledError):
                run_sweep(sweep)
        assert not sweep.result_file.exists()
    assert run_sweep(sweep).verdict == whole.verdict
    assert sweep.summary_file.read_bytes() == summary
    after = written(fits_in(sweep))
    assert {name for name in after if after[name] != before[name]} == {last.path.name}


def test_a_fit_whose_beginning_was_cut_short_is_begun_anew(tmp_path: Path):
    sweep = start_sweep(small_sweep(tmp_path, pictures=1, seeds=1))
    run_sweep(sweep)
    folder = fits_in(sweep)[0]
    folder.config_file.unlink()
    folder.result_file.unlink()
    counting = Counting()
    assert run_sweep(sweep, counting).finished == 2
    assert len(counting.made) == 1


def test_fits_that_diverge_are_told_and_are_in_no_mean(tmp_path: Path):
    config = small_sweep(tmp_path, seeds=1)
    found = run_sweep(start_sweep(replace(config, training=replace(config.training, learning_rate=1e29))))
    assert found.finished == found.planned, "they are not made again"
    assert found.verdict == ["No fit has a PSNR yet."]
    assert {one.rank for one in found.methods} == {None}


def test_one_method_with_several_seeds_is_a_sweep_as_well(tmp_path: Path):
    config = small_sweep(tmp_path, pictures=1, seeds=3, encodings=(Fourier(3),))
    found = run_sweep(start_sweep(config))
    assert found.path.parent == config.output.output_dir / "picture0" / "compare"
    assert (found.methods[0].fits, found.methods[0].rank) == (3, 1)
    assert found.methods[0].low is not None
    assert "against" not in found.table


def test_a_signal_is_drawn_anew_by_each_seed_as_a_fit_of_it_is(tmp_path: Path):
    config = small_sweep(tmp_path, pictures=1, scene="signal:2,5,samples=64", encodings=(Raw(),))
    sweep = start_sweep(config)
    run_sweep(sweep)
    first, second = sorted(fits_in(sweep), key=lambda folder: folder.config().seed)
    assert not np.array_equal(first.scene().views()[0].target(), second.scene().views()[0].target())
    alone = start(second.config(), tmp_path / "alone")
    np.testing.assert_array_equal(alone.scene().views()[0].target(), second.scene().views()[0].target())


def test_two_pictures_of_one_name_are_told_apart(tmp_path: Path):
    config = small_sweep(tmp_path, seeds=1)
    other = tmp_path / "other" / "picture0.png"
    other.parent.mkdir()
    Path(config.more_scenes[0]).rename(other)
    sweep = start_sweep(replace(config, more_scenes=(str(other),)))
    run_sweep(sweep)
    assert {row["picture"] for row in rows_of(sweep.fits_file)} == {config.scene, str(other)}


def test_a_picture_that_cannot_be_read_is_named_before_anything_is_written(tmp_path: Path):
    config = small_sweep(tmp_path)
    (tmp_path / "broken.png").write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"broken\.png"):
        start_sweep(replace(config, more_scenes=(str(tmp_path / "broken.png"),)))
    assert not config.output.output_dir.exists() or list(config.output.output_dir.iterdir()) == []


def test_a_sweep_that_another_process_writes_is_left_to_it(tmp_path: Path):
    sweep = start_sweep(small_sweep(tmp_path))
    with held(sweep.path), pytest.raises(InputError, match="is in use: process"):
        run_sweep(sweep)


def test_a_sweep_stopped_before_its_first_fit_is_interrupted_and_goes_on_later(tmp_path: Path):
    sweep = start_sweep(small_sweep(tmp_path, pictures=1, seeds=2))
    with pytest.raises(KeyboardInterrupt):
        run_sweep(sweep, controls=Controls(stop=True))
    with pytest.raises(InputError, match=r"sweep\.json.*makes it again"):
        record_of(sweep)
    assert run_sweep(sweep).finished == 4


def test_the_latest_is_the_newest_of_comparisons_and_sweeps(tmp_path: Path):
    config = small_sweep(tmp_path)
    sweep = start_sweep(config)
    output_dir = config.output.output_dir
    assert find_comparison_or_sweep("latest", output_dir) == sweep
    assert find_comparison_or_sweep(str(sweep.path), tmp_path) == sweep
    with pytest.raises(InputError, match="is no comparison"):
        find_comparison_or_sweep(str(tmp_path), output_dir)


def test_run_folders_are_found_at_any_depth_and_not_within_each_other(tmp_path: Path):
    for folder in ("a/b/0123456789abcdef_one", "0123456789abcdef_two", "a/fedcba9876543210/frames/0123456789abcdef"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "config.yaml").touch()
    (tmp_path / "a/fedcba9876543210/config.yaml").touch()
    found = fits_below(tmp_path)
    assert {path.name for path in found["0123456789abcdef"]} == {"0123456789abcdef_one", "0123456789abcdef_two"}
    assert list(found) == ["0123456789abcdef", "fedcba9876543210"]


def test_rates_are_searched_with_a_seed_of_their_own_and_the_best_are_taken(tmp_path: Path):
    config = small_sweep(tmp_path, pictures=1, seeds=1, tune=3, encodings=(Raw(), Gaussian(2.0, features=8)))
    sweep, counting = start_sweep(config), Counting()
    found = run_sweep(sweep, counting)
    assert len(counting.made) == 2 * 3 + 2
    tuned = sweep.tuned()
    assert tuned is not None
    assert {len(one.trials) for one in tuned.found} == {3}, "the same number for each method"
    for one in tuned.found:
        scores = {trial.factors: trial.score_db for trial in one.trials}
        assert scores[one.factors] == max(score for score in scores.values() if score is not None)
    assert {folder.config().seed for folder in fits_in(sweep)} == {0}
    trials = [RunFolder(path.parent) for path in sweep.trials.glob("*/run.json")]
    assert {folder.config().seed for folder in trials} == {tuned.seed}
    assert tuned.seed != 0
    assert "rate ×" in found.table
    assert any("for each method by 3 fits of each scene" in sentence for sentence in found.verdict)
    trained = {row["method"]: float(row["learning_rate"]) for row in rows_of(sweep.fits_file)}
    defaults = {row: folder.record().plan.learning_rate for row, folder in _defaults(sweep, trials)}
    for one in tuned.found:
        assert trained[one.method] == pytest.approx(defaults[one.method] * one.factors.rate, rel=1e-2)
    again = Counting()
    run_sweep(sweep, again)
    assert again.made == []


def _defaults(sweep: Sweep, trials: Sequence[RunFolder]) -> list[tuple[str, RunFolder]]:
    """By each method's name, one of the fits of the search by the defaults: the rate in the middle of three."""
    found = []
    for method in sweep.grid().methods:
        own = [folder for folder in trials if str(folder.config().encoding).startswith(method.label[:3])]
        found.append((method.name, sorted(own, key=lambda folder: folder.record().plan.learning_rate)[len(own) // 2]))
    return found


def test_rates_are_not_searched_by_a_share_of_the_fits(tmp_path: Path):
    with pytest.raises(InputError, match="--jobs cannot share out"):
        run_sweep(start_sweep(small_sweep(tmp_path, tune=2)), part=Part(1, 2))


def test_what_is_asked_of_one_run_names_a_fit_of_a_sweep_in_place_of_it(tmp_path: Path) -> None:
    sweep = start_sweep(small_sweep(tmp_path))
    run_sweep(sweep)
    fit = min(sweep.runs.glob("*/config.yaml")).parent
    for word in (str(sweep.path), "latest"):
        with pytest.raises(InputError, match="compares several scenes or seeds") as refused:
            find_runs(word, tmp_path / "outputs")
        assert repr(str(fit)) in str(refused.value)
    assert list(find_runs(str(fit), tmp_path / "outputs")) == [RunFolder(fit)]
