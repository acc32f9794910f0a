"""What a report shows of what was learnt: spectra, since when octaves are there, and networks."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from scipy.fft import dctn, idctn

from fieldlens.configs.encoding import Code, Fourier, Own
from fieldlens.configs.records import from_json, to_json
from fieldlens.studies.runs.checkpoints import checkpoint_file, checkpoint_steps
from fieldlens.studies.runs.fit import run, start
from fieldlens.studies.runs.folder import RunFolder
from fieldlens.studies.runs.learnt import kept_networks, learnt_parts, spectra_part
from fieldlens.studies.runs.saved import open_run
from fieldlens.studies.subjects.found import Row
from fieldlens.studies.subjects.missing import SavedSpectra, picture_spectra, signal_spectra
from tests.support.runs import small_config, small_picture

NOISE = np.random.default_rng(0).uniform(0.3, 0.7, (96, 96)).astype(np.float32)


def low_passed(picture: np.ndarray, cut: float) -> np.ndarray:
    """Without the coefficients of the cosine transform above a frequency in cycles per pixel."""
    coefficients = np.asarray(dctn(picture, norm="ortho"))
    rows, columns = (np.arange(side) / (2 * side) for side in picture.shape)
    coefficients[np.hypot(rows[:, None], columns) > cut] = 0
    return np.asarray(idctn(coefficients, norm="ortho"), np.float32)


def as_written(spectra: SavedSpectra) -> SavedSpectra:
    """As a file of strict JSON has them."""
    return from_json(SavedSpectra, json.loads(json.dumps(to_json(spectra), allow_nan=False)))


def test_a_low_pass_is_resolved_up_to_its_cut_and_what_is_left_is_the_target_beyond():
    found = as_written(picture_spectra(NOISE[..., None], low_passed(NOISE, 0.2)[..., None]))
    assert to_json(found)["resolved_frequency"] == pytest.approx(
        {"ring correlation 1/7": 0.2, "ring correlation 1/2": 0.2}, abs=0.02
    )
    shown = spectra_part(found)
    beyond = np.array(shown.frequency) > 0.23
    target, residual = (np.array(shown.power_db[name], float) for name in ("target", "residual"))
    np.testing.assert_allclose(residual[beyond], target[beyond], atol=1e-3)
    assert residual[np.array(shown.frequency) < 0.18].max() < target.min() - 40


def test_white_noise_and_the_rounding_to_8_bits_are_as_loud_as_their_variances_say():
    shown = spectra_part(picture_spectra(NOISE[..., None], NOISE[..., None]))
    fine = np.array(shown.power_db["target"], float)[np.array(shown.frequency) > 0.2]
    per_coefficient = NOISE.var() / NOISE.size
    assert fine.mean() == pytest.approx(10 * np.log10(per_coefficient), abs=0.3)
    assert shown.rounding_db == pytest.approx(10 * np.log10((1 / 255) ** 2 / 12 / NOISE.size))


def test_a_drawing_that_is_not_finite_has_a_target_and_nothing_else():
    found = picture_spectra(NOISE[..., None], np.full_like(NOISE, np.nan)[..., None])
    shown = spectra_part(as_written(found))
    assert None not in shown.power_db["target"]
    assert set(shown.power_db["residual"]) == {None}


def test_a_signals_wave_is_one_peak_in_the_file():
    t = (np.arange(128) + 0.5) / 128
    wave = 0.5 + 0.25 * np.sin(2 * np.pi * 5 * t)
    found = signal_spectra(wave, 0.5 + 0.4 * (wave - 0.5))
    peak = found.frequency.index(5.0)
    assert found.target[peak] == pytest.approx(0.25**2 / 2 / 2)  # half the square, shared by sine and cosine
    assert found.residual[peak] == pytest.approx(0.6**2 * 0.25**2 / 2 / 2)
    assert not spectra_part(found).resolved


def row(step: int, kept: list[float | None], error: list[float | None], amplitudes: list[float] | None = None) -> Row:
    return Row(step, 0.0, None, 20.0, None, kept, error, amplitudes or (), error if amplitudes else ())


def test_octaves_are_there_from_the_step_that_halves_energy_or_error():
    rows = [
        row(0, [0.0, 0.1, None], [1.0, 0.9, None]),
        row(10, [0.1, 0.6, None], [0.9, 0.6, None]),
        row(20, [0.2, 0.4, None], [0.8, 0.4, None]),
        row(30, [0.3, 0.7, None], [0.7, 0.3, None]),
    ]
    fine, coarse, empty = learnt_parts(rows, ["2-4 px", "4-8 px", "8+ px"], in_cycles=False)
    assert (fine.half_energy, fine.half_error) == ((None, None), (None, None))
    assert (coarse.half_energy, coarse.half_error) == ((10, 30), (20, 20))
    assert (empty.half_energy, empty.half_error) == ((None, None), (None, None))


def test_an_amplitude_of_seven_tenths_is_not_yet_half_of_the_energy():
    rows = [row(0, [], [0.6], [0.7]), row(5, [], [0.4], [0.71])]
    (part,) = learnt_parts(rows, ["5 cycles"], in_cycles=True)
    assert (part.half_energy, part.half_error) == ((5, 5), (5, 5))


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A small run with two checkpoints."""
    folder = tmp_path_factory.mktemp("run")
    made = start(small_config(small_picture(folder / "p.png"), folder / "outputs"))
    run(made)
    assert len(checkpoint_steps(made.checkpoints)) == 2
    return made


def copied(fitted: RunFolder, folder: Path) -> RunFolder:
    shutil.copytree(fitted.path, folder / "run")
    return RunFolder(folder / "run")


def test_a_page_carries_the_checkpoints_networks_with_the_newest_as_exact_as_it_is_saved(fitted: RunFolder):
    kept, why_not = kept_networks(fitted, fitted.scene(), alone=True)
    steps = checkpoint_steps(fitted.checkpoints)
    assert [network.step for network in kept] == steps
    assert [network.precision for network in kept] == ["float16", "float32"]
    saved = load_file(checkpoint_file(fitted.checkpoints, steps[-1]))
    for number, weight in enumerate(kept[-1].field.weights):
        assert np.array_equal(weight, saved[f"field.mlp.layers.{number}.weight"])
    assert why_not == ""


def test_beside_others_a_run_has_its_newest_network_only(fitted: RunFolder):
    kept, _ = kept_networks(fitted, fitted.scene(), alone=False)
    assert [network.step for network in kept] == checkpoint_steps(fitted.checkpoints)[-1:]


def test_a_damaged_checkpoint_is_passed_over(fitted: RunFolder, tmp_path: Path):
    folder = copied(fitted, tmp_path)
    first, last = checkpoint_steps(folder.checkpoints)
    checkpoint_file(folder.checkpoints, last).write_bytes(b"no checkpoint")
    kept, _ = kept_networks(folder, folder.scene(), alone=True)
    assert [network.step for network in kept] == [first]
    assert kept[0].precision == "float32"


def test_what_is_too_large_for_a_page_is_left_out_and_the_newest_said_why(
    fitted: RunFolder, monkeypatch: pytest.MonkeyPatch
):
    field = open_run(fitted).field
    one = 4 * sum(parameter.numel() for parameter in field.parameters())
    monkeypatch.setattr("fieldlens.studies.runs.learnt.MOST_BYTES", one)
    kept, _ = kept_networks(fitted, fitted.scene(), alone=True)
    assert [network.step for network in kept] == checkpoint_steps(fitted.checkpoints)[-1:]
    monkeypatch.setattr("fieldlens.studies.runs.learnt.MOST_BYTES", one - 1)
    kept, why_not = kept_networks(fitted, fitted.scene(), alone=True)
    assert kept == []
    assert why_not.startswith("The network is not in this page, because it has 0.0 MB of weights.")


def test_a_fit_that_diverged_has_no_network_to_look_into(fitted: RunFolder, monkeypatch: pytest.MonkeyPatch):
    def diverged(folder: Path, state: object, steps: list[int]) -> list[int]:
        with torch.no_grad():
            state.field.mlp.linears[0].bias[0] = float("nan")  # type: ignore[attr-defined]
        return [24]

    monkeypatch.setattr("fieldlens.studies.runs.learnt.read_each", diverged)
    kept, why_not = kept_networks(fitted, fitted.scene(), alone=True)
    assert (kept, "diverged" in why_not) == ([], True)


def test_a_signal_has_no_plane_to_look_at(tmp_path: Path):
    folder = start(small_config("signal:2,5", tmp_path / "outputs", steps=4, encoding=Fourier(2)))
    run(folder)
    assert kept_networks(folder, folder.scene(), alone=True) == ([], "")


def test_a_network_behind_an_encoding_of_ones_own_is_in_no_page_which_says_why(tmp_path: Path):
    own = Own("mine.py", "waves", Code(lambda x: torch.cat([x, x.sin()], 1), b""))
    made = start(small_config(small_picture(tmp_path / "p.png"), tmp_path / "outputs", encoding=own, steps=2))
    run(made)
    kept, why_not = kept_networks(made, made.scene(), alone=True)
    assert kept == []
    assert "a function of Python, which no page can run" in why_not
    assert why_not in made.report.read_text(encoding="utf-8")
