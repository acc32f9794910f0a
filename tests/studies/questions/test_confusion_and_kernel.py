"""Confusion and kernel of a finished run: the numbers in the files are those of its field."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from fieldlens.analysis import kernel, window_confusion
from fieldlens.analysis.detail.verdicts import percent
from fieldlens.configs.encoding import Raw
from fieldlens.configs.errors import InputError
from fieldlens.configs.files import read_json
from fieldlens.configs.records import from_json, to_json
from fieldlens.render.files import read_png
from fieldlens.studies.questions.confusion import measure_confusion
from fieldlens.studies.questions.kernel import measure_kernel
from fieldlens.studies.runs.answers import ConfusionFound, KernelFound
from fieldlens.studies.runs.checkpoints import checkpoint_steps
from fieldlens.studies.runs.fit import run, start
from fieldlens.studies.runs.folder import RunFolder
from fieldlens.studies.runs.saved import open_run, refresh_report
from tests.support.runs import small_config, small_picture


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A small run; not to be changed but for its analysis."""
    path = tmp_path_factory.mktemp("finished")
    folder = start(small_config(small_picture(path / "picture.png"), path / "outputs"))
    run(folder)
    return folder


def test_confusion_of_a_run_is_that_of_its_field(finished: RunFolder) -> None:
    drawn = measure_confusion(finished)
    told = to_json(drawn)
    assert Path(told.pop("path")) == finished.analysis / "confusion.png"
    assert told.pop("report") == str(finished.report)
    assert "pixels up to" in told.pop("summary")
    written = read_json(finished.analysis / "confusion.json")
    assert written == json.loads(json.dumps(told))
    assert from_json(ConfusionFound, written) == drawn.found
    assert (written["step"], written["radius_px"]) == (24, 2)
    assert written["local"]["pairs"] == written["global"]["pairs"] == 10_000
    assert -1 <= written["global"]["cosine"]["mean"] <= 1
    saved = open_run(finished)
    expected = window_confusion(saved.field, saved.view.target(), window_px=2)
    np.testing.assert_allclose(np.array(written["windows"]["cosine"], float), expected.cosine, atol=1e-6)
    drawn = read_png(finished.analysis / "confusion.png")
    assert drawn.shape[1] > 2 * 384


def test_the_kernel_of_a_run_is_that_of_its_field(finished: RunFolder) -> None:
    drawn = measure_kernel(finished)
    told = to_json(drawn)
    written = read_json(finished.analysis / "kernel.json")
    assert {name: value for name, value in told.items() if name not in ("path", "report", "summary")} == written
    assert from_json(KernelFound, written) == drawn.found
    batch = finished.scene().batch(torch.Generator().manual_seed(0), 768)
    expected = kernel(open_run(finished).field, batch.coordinates, "luma")
    assert written["pixels"] == 768
    assert written["entropy_rank"] == pytest.approx(expected.entropy_rank)
    np.testing.assert_allclose(written["leading_eigenvalues"], expected.eigenvalues[:64])
    shares = list(written["alignment"].values())
    assert shares == sorted(shares)
    assert list(written["alignment"]) == ["1", "4", "16", "64", "256"]
    assert (finished.analysis / "kernel.png").exists()
    agreement = written["rate_agreement"]
    assert agreement is None or -1 <= agreement["rank_correlation"] <= 1


def test_what_was_asked_for_is_in_the_report(finished: RunFolder) -> None:
    for file in finished.analysis.glob("c[eo]*.png"):
        file.unlink(missing_ok=True)
    refresh_report(finished, 24)
    assert "Gradient confusion" not in finished.report.read_text()
    found = measure_confusion(finished).found
    share = f"{percent(found.near.cosine.negative_share)} of pairs up to".replace(" %", "\u00a0%")
    assert "Gradient confusion, step 24" in finished.report.read_text()
    assert share in finished.report.read_text()


def test_of_an_older_step_the_report_says_nothing(tmp_path: Path) -> None:
    folder = start(small_config(small_picture(tmp_path / "picture.png"), tmp_path / "outputs"))
    run(folder)
    run(folder, replace(folder.config(), training=replace(folder.config().training, steps=30)))
    older, newest = checkpoint_steps(folder.checkpoints)
    before = folder.report.read_bytes()
    assert measure_confusion(folder, step=older).report == folder.report
    assert folder.report.read_bytes() == before
    measure_confusion(folder, step=newest)
    assert folder.report.read_bytes() != before


def test_a_fit_that_has_diverged_and_a_picture_too_small_are_refused(tmp_path: Path) -> None:
    tiny = start(small_config(small_picture(tmp_path / "tiny.png", 3, 3), tmp_path / "outputs", encoding=Raw()))
    run(tiny)
    with pytest.raises(InputError, match="4 pixels along a side; this picture has 3"):
        measure_confusion(tiny)
    assert measure_kernel(tiny).found.pixels == 9
