"""Runs of signals from end to end: the same folder as a picture's, the same bytes after an interruption."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from fieldlens.analysis import loss_step, octave_bands
from fieldlens.analysis.detail.spectra import Recovered
from fieldlens.configs.encoding import Fourier, Raw
from fieldlens.configs.errors import InputError
from fieldlens.configs.files import read_json
from fieldlens.configs.network import Network
from fieldlens.configs.run import CompareConfig, FitConfig
from fieldlens.configs.signal import Sines
from fieldlens.fitting import Plan, TrainingState, fit, initial_state, plan_of
from fieldlens.scenes.signal import Signal, sum_of_sines
from fieldlens.studies.foresight.foresight import Foresight
from fieldlens.studies.foresight.ways import OnPixels
from fieldlens.studies.questions.cells import draw_cells
from fieldlens.studies.questions.explanation import analyze
from fieldlens.studies.questions.rendering import render
from fieldlens.studies.runs.compare import run_comparison, start_comparison
from fieldlens.studies.runs.fit import run, start
from fieldlens.studies.runs.folder import RunFolder
from fieldlens.studies.runs.metrics import Metrics
from fieldlens.studies.subjects.signal import SignalSubject, signal_verdict
from tests.support.runs import StopAt, small_config, with_training
from tests.support.small_fits import training

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
    assert [finished.frame_steps(name) for name in ("density", "speed", "progress")] == [[0, 24]] * 3
    explained = read_json(finished.analysis / "explain.json")
    assert [speed["octave"] for speed in explained["speed"]] == ["8-16 px", "16-32 px", "32+ px"]
    assert sum(share["share"] for share in explained["reasons"]["shares"].values()) == pytest.approx(1)
    sentences = explained["reasons"]["sentences"]
    assert len(sentences) >= 2
    assert list(result.explained.verdict)[-len(sentences) :] == sentences
    assert set(result.explained.amplitude_recovered or {}) == {"1 cycles", "4 cycles"}
    assert result.explained.verdict[0].startswith("Of the signal's waves the reconstruction has ")
    assert result.ssim is None
    creases = explained["creases"]
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
    assert "A step of one sample crosses" in result.verdict[1]
    assert comparison.video.stat().st_size > 1000
    assert "amplitude 4 cycles" in (comparison.path / "table.md").read_text()


def test_a_smooth_network_has_a_curve_and_no_creases(tmp_path):
    folder = start(config(tmp_path, steps=8, network=Network(width=8, depth=1, activation="sine")))
    result = run(folder)
    assert result.explained.crossings_per_pixel is None
    assert result.explained.verdict[2] == "The network is smooth and has no creases."
    assert read_json(folder.analysis / "explain.json")["reasons"]["shares"]["few creases"]["share"] == 0
    assert folder.frame_steps("density") == []


def test_of_a_signal_that_is_there_no_reason_is_given_for_what_is_not(finished, tmp_path):
    assert any("most is missing around" in sentence for sentence in finished.record().explained.verdict)
    learnt = run(start(config(tmp_path, steps=300)))
    assert learnt.psnr_db is not None
    assert learnt.psnr_db > 40
    assert len(learnt.explained.verdict) == 3
    assert "missing" not in " ".join(learnt.explained.verdict)


def a_fit(learning_rate: float) -> tuple[Signal, TrainingState, Plan]:
    """Of a signal of 512 samples in full batches of plain steps, before its first step."""
    signal = sum_of_sines(Sines((1, 45), 512), seed=0)
    choices = FitConfig(
        training=training(learning_rate=learning_rate, batch_size=512, steps=4, schedule="constant"),
        encoding=Raw(),
        network=Network(16, 2),
    )
    return signal, initial_state(choices, signal), plan_of(choices, signal)


def test_progress_is_what_the_next_full_batch_does_to_each_octave() -> None:
    signal, state, plan = a_fit(1e-5)
    for _ in fit(state, signal, replace(plan, steps=3), []):
        pass
    foreseen = Foresight(signal, OnPixels(loss_step)).foresee(state, plan, 512)
    assert foreseen is not None
    assert foreseen.label == "8-16 px"

    def energies() -> list[float]:
        residual = signal.target()[..., 0].astype(np.float64) - signal.draw(state.field)[..., 0]
        return [float(np.square(octave).sum()) for octave in octave_bands(residual)]

    before = energies()
    for _ in fit(state, signal, plan, []):
        pass
    falls = np.array(before) - energies()
    found = np.array([octave.whole.sum() for octave in foreseen.octaves()])
    np.testing.assert_allclose(found, falls, atol=0.02 * np.abs(falls).max())


def test_a_signal_lacks_creases_where_all_neurons_are_dead() -> None:
    signal, state, plan = a_fit(1e-2)
    with torch.no_grad():
        for linear in state.field.mlp.linears[:-1]:
            linear.bias.fill_(-1e3)
    subject = SignalSubject(signal)
    assert list(subject.maps(state, plan)) == list(subject.map_looks)
    explained = subject.explain(state, plan, subject.finish(state.field, lambda _: None), progress=lambda _: None)
    *_, where, why, remedy = explained.summary.verdict
    assert where.startswith("Of waves of 8-16 samples most is missing around x = 0.")
    assert why == "Of what is missing, 100 % lies where there are too few creases to draw it."
    assert "A positional encoding, such as fourier:8, would make more creases" in remedy


def test_a_quick_fit_of_a_signal_that_diverges_has_no_amplitudes_to_tell(tmp_path) -> None:
    quick = with_training(config(tmp_path), learning_rate=1e30)
    record = run(start(replace(quick, output=replace(quick.output, quick=True))))
    assert (record.stopped_because, record.explained.amplitude_recovered) == ("diverged", None)
    assert read_json(record.path / "run.json")["psnr_db"] is None


def test_of_a_signal_whose_fit_has_diverged_no_reason_is_given() -> None:
    signal, state, plan = a_fit(1e-2)
    with torch.no_grad():
        state.field.mlp.linears[0].weight.fill_(np.nan)
    subject = SignalSubject(signal)
    assert subject.maps(state, plan) == {}
    explained = subject.explain(state, plan, subject.finish(state.field, lambda _: None), progress=lambda _: None)
    assert explained.summary.verdict == ("The fit has diverged: there is nothing to explain.",)
    assert explained.files.numbers["explain"]["reasons"] is None


def test_the_verdict_says_which_frequencies_are_missing_and_whether_creases_could_do():
    half = Recovered(share=np.array([1.0, 0.1]), relative_error=np.array([0.02, 0.95]))
    there = Recovered(share=np.array([1.0, 1.0]), relative_error=np.array([0.02, 0.4]))
    needs = "Between them the curve is straight, and a wave takes 2 a period"
    assert signal_verdict((5, 40), half, 60, straight=True) == [
        "Of the signal's waves the reconstruction has 100 % at 5 and 10 % at 40 cycles, in amplitude.",
        "At 40 cycles the error is at least half as large as the signal's wave.",
        f"Along the signal there are 60 creases, 1.5 for each period of the fastest wave. {needs}: these are too few.",
    ]
    assert signal_verdict((5, 40), there, 100, straight=True)[1:] == [
        "At every frequency the error is less than half as large as the signal's wave.",
        f"Along the signal there are 100 creases, 2.5 for each period of the fastest wave. {needs}: there are enough.",
    ]
    assert "sets no limit" in signal_verdict((5, 40), there, 10, straight=False)[-1]
    lost = Recovered(np.array([np.nan, 1.0]), np.array([np.nan, 1.0]))
    assert signal_verdict((5, 40), lost, 10, straight=True) == ["The fit has diverged: there is nothing to explain."]
