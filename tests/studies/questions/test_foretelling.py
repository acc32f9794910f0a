"""What the creases of checkpoints say of the end: in the file, the table, the summary and the report."""

from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

import fieldlens.studies.questions.all_checkpoints
import fieldlens.studies.questions.foretelling
from fieldlens.analysis import early_prediction, explain
from fieldlens.configs.files import read_json
from fieldlens.configs.network import Network
from fieldlens.studies.questions.all_checkpoints import measure_checkpoints
from fieldlens.studies.questions.foretelling import foretell
from fieldlens.studies.runs.checkpoints import checkpoint_steps
from fieldlens.studies.runs.fit import run, start
from fieldlens.studies.runs.folder import RunFolder
from fieldlens.studies.runs.history import history_of, read_foretelling, read_history
from fieldlens.studies.runs.saved import open_run
from fieldlens.studies.subjects.creases import creased
from tests.support.runs import small_config, small_picture

SECTION = "do early creases foretell what is missing?"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A run of 24 steps that keeps several checkpoints, and can be judged by its 16 blocks."""
    here = tmp_path_factory.mktemp("foretelling")
    config = small_config(small_picture(here / "picture.png", 256, 256), here)
    made = start(replace(config, output=replace(config.output, frames="every:2", checkpoints="frames")))
    run(made)
    return made


def test_at_the_end_both_are_the_verdicts_statistic_and_before_it_only_what_they_are_of_differs(folder: RunFolder):
    told = foretell(folder, checkpoint_steps(folder.checkpoints))
    assert told is not None
    assert [row.step for row in told.checkpoints] == checkpoint_steps(folder.checkpoints)
    last = told.checkpoints[-1]
    primary = read_json(folder.analysis / "explain.json")["against_creases"]
    assert last.now == last.end
    assert last.end.estimate == pytest.approx(primary["estimate"], abs=1e-6)
    assert last.end.interval is not None
    assert asdict(last.end.interval) == pytest.approx(primary["interval"], abs=1e-6)

    early, end = open_run(folder, told.checkpoints[1].step), open_run(folder)
    network = creased(early.field)
    assert network is not None
    density = fieldlens.studies.questions.foretelling.crease_density(network, 256, 256).length.sum(0)
    target = early.view.target()
    now = explain(target, early.view.draw(early.field), {"coarea": density}).primary.estimate
    foretold = early_prediction(density, target, end.view.draw(end.field)).estimate
    assert told.checkpoints[1].now.estimate == pytest.approx(now)
    assert told.checkpoints[1].end.estimate == pytest.approx(foretold)


def test_the_early_step_is_the_checkpoint_nearest_to_a_tenth_of_the_way(folder: RunFolder):
    told = foretell(folder, checkpoint_steps(folder.checkpoints))
    assert told is not None
    steps = [step for step in checkpoint_steps(folder.checkpoints) if 0 < step < 24]
    nearest = min(steps, key=lambda step: max(step / 2.4, 2.4 / step))
    assert (told.early_step, told.end_step) == (nearest, 24)
    assert f"the creases of step {nearest} " in (told.sentence or "").lower()


def test_what_was_said_of_these_checkpoints_is_not_asked_again(folder: RunFolder, monkeypatch: pytest.MonkeyPatch):
    steps = checkpoint_steps(folder.checkpoints)
    told = foretell(folder, steps)

    def never(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr(fieldlens.studies.questions.foretelling, "early_prediction", never)
    assert foretell(folder, steps) == told
    with pytest.raises(AssertionError):
        foretell(folder, steps[:-1])  # the end is another


def test_it_stands_in_the_table_the_result_and_the_report(folder: RunFolder, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(fieldlens.studies.questions.all_checkpoints, "history_figure", lambda *_: b"<svg/>")
    assert SECTION not in folder.report.read_text()
    found = measure_checkpoints(folder)
    told = read_json(folder.foretelling_file)
    history = read_history(found.path)
    for column, key in (("crease_missing", "now"), ("crease_foretold", "end")):
        np.testing.assert_allclose(history[column], [row[key]["estimate"] for row in told["checkpoints"]], rtol=1e-5)
    assert found.foretold is not None
    assert found.foretold == read_foretelling(folder.foretelling_file)
    assert found.foretold.sentence == told["sentence"]
    page = folder.report.read_text().replace("\N{NO-BREAK SPACE}", " ")
    assert told["sentence"] in page
    assert "Stronger than correlation, and reported apart from it" in page
    assert 'href="./analysis/over_training/psnr_db.svg"' in page
    measured = replace_history(folder, end=30)
    fieldlens.studies.questions.all_checkpoints.refresh_report(folder, 24)
    assert SECTION not in folder.report.read_text(), "of another end"
    folder.history_file.write_bytes(measured)


def replace_history(folder: RunFolder, end: int) -> bytes:
    """The table as if it were of a run that ended elsewhere; what it was before."""
    before = folder.history_file.read_bytes()
    rows = read_history(folder.history_file).rows()
    fieldlens.studies.questions.all_checkpoints.write_history(
        folder.history_file, history_of([*rows[:-1], (end, rows[-1][1])])
    )
    return before


def test_a_network_without_creases_foretells_nothing(tmp_path: Path):
    config = small_config(small_picture(tmp_path / "picture.png"), tmp_path)
    made = start(replace(config, network=Network(width=8, depth=1, activation="sine")))
    run(made)
    assert foretell(made, checkpoint_steps(made.checkpoints)) is None
    assert not made.foretelling_file.exists()
