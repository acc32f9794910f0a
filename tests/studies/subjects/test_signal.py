"""Runs of signals from end to end: the same folder as a picture's, the same bytes after an interruption."""

from dataclasses import replace

import numpy as np
import pytest

from fieldlens.analysis.detail.spectra import Recovered
from fieldlens.configs.encoding import Fourier, Raw
from fieldlens.configs.errors import InputError
from fieldlens.configs.files import read_json
from fieldlens.configs.network import Network
from fieldlens.configs.run import CompareConfig, FitConfig
from fieldlens.studies.questions.cells import draw_cells
from fieldlens.studies.questions.explanation import analyze
from fieldlens.studies.questions.rendering import render
from fieldlens.studies.runs.compare import run_comparison, start_comparison
from fieldlens.studies.runs.fit import run, start
from fieldlens.studies.runs.folder import RunFolder
from fieldlens.studies.runs.metrics import Metrics
from fieldlens.studies.subjects.signal import signal_verdict
from tests.support.runs import StopAt, small_config

WORD = "signal:1,4,samples=64"


def config(tmp_path, steps: int = 24, **changes) -> FitConfig:
    return replace(small_config(WORD, tmp_path, steps=steps), **changes)


def files(folder: RunFolder) -> dict[str, bytes]:
    """What must not depend on an interruption."""
    kept = [*folder.path.glob("frames/**/*.png"), *folder.path.glob("*.png"), *folder.analysis.glob("*")]
    return {str(path.relative_to(folder.path)): path.read_bytes() for path in kept}


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> RunFolder:
    folder = start(config(tmp_path_factory.mktemp("run")))
    run(folder)
    return folder


def test_a_run_leaves_what_that_of_a_picture_does(finished):
    result = finished.record()
    assert finished.video.stat().st_size > 1000
    assert "amplitude recovered by frequency" in finished.report.read_text()
    assert finished.frame_steps() == finished.frame_steps("reconstruction") == [0, 8, 16, 24]
    assert finished.frame_steps("density") == [0, 24]
    assert set(result.explained.amplitude_recovered or {}) == {"1 cycles", "4 cycles"}
    assert result.explained.verdict[0].startswith("Of the signal's amplitude there is")
    assert result.ssim is None
    creases = read_json(finished.analysis / "explain.json")["creases"]
    with np.load(finished.analysis / "creases.npz") as arrays:
        assert len(arrays["position"]) == creases["crossings"] == sum(creases["crossings_by_layer"])
        assert result.explained.crossings_per_pixel == pytest.approx(len(arrays["position"]) / 64)


def test_amplitudes_over_training_are_in_the_curves(finished):
    metrics = Metrics(finished.metrics_file)
    metrics.read()
    last = metrics.rows[-1]
    recovered = finished.record().explained.amplitude_recovered
    assert recovered is not None
    assert list(last.amplitudes) == pytest.approx(list(recovered.values()), rel=1e-3)
    assert (
        finished.metrics_file.read_text()
        .splitlines()[0]
        .endswith(",amplitude_1_cycles,amplitude_4_cycles,amplitude_error_1_cycles,amplitude_error_4_cycles")
    )
    errors = read_json(finished.analysis / "explain.json")["relative_error"]
    assert list(last.amplitude_errors) == pytest.approx(list(errors.values()), rel=1e-3)


def test_an_interrupted_fit_goes_on_to_the_same_bytes(finished, tmp_path):
    folder = start(config(tmp_path))
    stopping = StopAt(11)
    assert run(folder, None, stopping, stopping.controls).stopped_because == "interrupted"
    run(folder)
    assert files(folder) == files(finished)


def test_a_quick_fit_keeps_the_amplitudes_of_the_signal(finished, tmp_path):
    choices = config(tmp_path)
    folder = start(replace(choices, output=replace(choices.output, quick=True)))
    quick, whole = run(folder).explained.amplitude_recovered, finished.record().explained.amplitude_recovered
    assert quick is not None
    assert whole is not None
    assert quick == pytest.approx(whole, rel=1e-3)
    assert folder.report.exists()


def test_analysis_anew_says_the_same(finished):
    before = files(finished), finished.record().explained.verdict
    found = analyze(finished)
    assert (files(finished), found.summary.verdict) == before


def test_what_is_for_pictures_says_so(finished):
    for verb in (render, draw_cells):
        with pytest.raises(InputError, match="is for pictures"):
            verb(finished)


def test_encodings_are_compared_on_a_signal(tmp_path):
    shared = config(tmp_path, steps=8)
    comparison = start_comparison(
        CompareConfig(
            scene=WORD,
            training=shared.training,
            output=shared.output,
            encodings=(Raw(), Fourier(3)),
            networks=(Network(width=8, depth=1),),
        )
    )
    result = run_comparison(comparison)
    assert "sample step crosses" in result.verdict[1]
    assert comparison.video.stat().st_size > 1000
    assert "amplitude 4 cycles" in (comparison.path / "table.md").read_text()


def test_a_smooth_network_has_a_curve_and_no_creases(tmp_path):
    folder = start(config(tmp_path, steps=8, network=Network(width=8, depth=1, activation="sine")))
    result = run(folder)
    assert result.explained.crossings_per_pixel is None
    assert result.explained.verdict[-1] == "The network is smooth and has no creases."
    assert folder.frame_steps("density") == []


def test_the_verdict_says_which_frequencies_are_missing_and_whether_creases_could_do():
    half = Recovered(share=np.array([1.0, 0.1]), relative_error=np.array([0.02, 0.95]))
    there = Recovered(share=np.array([1.0, 1.0]), relative_error=np.array([0.02, 0.4]))
    needs = "the field is straight between them, and a wave takes 2 a period"
    assert signal_verdict((5, 40), half, 60, straight=True) == [
        "Of the signal's amplitude there is 100 % at 5 and 10 % at 40 cycles.",
        "At 40 cycles the error is half of the signal's amplitude or more.",
        f"The line crosses 60 creases, 1.5 for each period of the fastest wave; {needs}: these are too few.",
    ]
    assert signal_verdict((5, 40), there, 100, straight=True)[1:] == [
        "At no frequency is the error as much as half of the signal's amplitude.",
        f"The line crosses 100 creases, 2.5 for each period of the fastest wave; {needs}: by number they do.",
    ]
    assert "sets no limit" in signal_verdict((5, 40), there, 10, straight=False)[-1]
    lost = Recovered(np.array([np.nan, 1.0]), np.array([np.nan, 1.0]))
    assert signal_verdict((5, 40), lost, 10, straight=True) == ["The fit has diverged: there is nothing to explain."]
