"""A finished run measured at every checkpoint it kept."""

from dataclasses import replace

import numpy as np
import pytest

import fieldlens.studies.questions.all_checkpoints
from fieldlens.analysis import crease_density, relu_network
from fieldlens.studies.questions.all_checkpoints import measure_checkpoints
from fieldlens.studies.runs.charts import history_figure
from fieldlens.studies.runs.fit import run, start
from fieldlens.studies.runs.folder import RunFolder
from fieldlens.studies.runs.history import history_of, read_history
from fieldlens.studies.runs.quantities import QUANTITIES
from fieldlens.studies.runs.saved import open_run
from tests.support.runs import small_config, small_picture


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A run that keeps several checkpoints."""
    here = tmp_path_factory.mktemp("history")
    config = small_config(small_picture(here / "picture.png"), here)
    made = start(replace(config, output=replace(config.output, frames="every:2", checkpoints="frames")))
    run(made)
    return made


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures take most of the time, and only one test looks at them."""
    monkeypatch.setattr(fieldlens.studies.questions.all_checkpoints, "history_figure", lambda *_: b"<svg/>")


def test_every_checkpoint_is_measured_and_every_quantity_drawn(folder: RunFolder) -> None:
    found = measure_checkpoints(folder)
    history = read_history(found.path)
    assert history.steps.tolist() == found.steps
    assert len(found.steps) >= 4
    assert set(history.quantities) <= set(QUANTITIES)
    drawn = {file.stem for file in found.figures.glob("*.svg")}
    assert drawn == set(history.quantities)


def test_figures_of_patterns_say_where_samples_hold_the_count_down() -> None:
    shares = [0.2, 0.5, 0.7, 0.9]
    rows = [(step, {"patterns": 100 * s, "unique_share": s}) for step, s in zip((0, 1, 10, 100), shares, strict=True)]
    crowded, free = history_of(rows), history_of(rows[:2])
    for quantity in ("patterns", "unique_share"):
        assert b"At 2 of 4 steps (open circles) more than 60 %" in history_figure(crowded, quantity)
        assert b"open circles" not in history_figure(free, quantity)


def test_legends_name_layers_and_octaves_in_words() -> None:
    rows = [(step, {"dead__layer1": 1.0, "dead__layer2": 2.0, "error__2_4_px": 0.5}) for step in (0, 10)]
    drawn = history_figure(history_of(rows), "dead")
    assert b"<!-- layer 2 -->" in drawn
    assert b"layer2" not in drawn
    assert "2–4 px".encode() in history_figure(history_of(rows), "error")


@pytest.mark.usefixtures("undrawn")
def test_columns_are_what_the_checkpoints_own_field_has(folder: RunFolder) -> None:
    history = read_history(measure_checkpoints(folder).path)
    step = int(history.steps[1])
    saved = open_run(folder, step)
    density = crease_density(relu_network(saved.field), saved.view.height, saved.view.width)
    np.testing.assert_allclose(
        [values[1] for values in history.parts("crease_length").values()], density.length.mean((1, 2)), rtol=1e-5
    )


@pytest.mark.usefixtures("undrawn")
def test_what_is_measured_already_is_not_measured_again(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    measure_checkpoints(folder)
    before = folder.history_file.read_bytes()

    def never(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr(fieldlens.studies.questions.all_checkpoints, "measure", never)
    measure_checkpoints(folder)
    assert folder.history_file.read_bytes() == before


@pytest.mark.usefixtures("undrawn")
def test_an_interrupted_measurement_keeps_what_it_has(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = measure_checkpoints(folder).steps
    folder.history_file.unlink()
    original, calls = fieldlens.studies.questions.all_checkpoints.measure, []

    def interrupted(*args: object, **kwargs: object) -> object:
        calls.append(args)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return original(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(fieldlens.studies.questions.all_checkpoints, "measure", interrupted)
    with pytest.raises(KeyboardInterrupt):
        measure_checkpoints(folder)
    assert read_history(folder.history_file).steps.tolist() == whole[:2]
    assert measure_checkpoints(folder).steps == whole
    assert len(calls) == 3 + len(whole) - 2


@pytest.mark.usefixtures("undrawn")
def test_a_damaged_table_is_made_anew(folder: RunFolder) -> None:
    measure_checkpoints(folder)
    before = read_history(folder.history_file).steps.tolist()
    folder.history_file.write_text("step,psnr_db\n1,two\n")
    measure_checkpoints(folder)
    assert read_history(folder.history_file).steps.tolist() == before
