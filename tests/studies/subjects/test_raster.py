"""Crease maps and explanation of one field over pictures of unusual sizes, and the files that hold them."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from fieldlens.analysis import (
    MIN_WINDOW_PX,
    LeverageStatistic,
    detail_leverage,
    leverage_statistic,
    loss_step,
    octave_details,
)
from fieldlens.analysis.detail.bands import REC709, band_picture, spectrum
from fieldlens.analysis.detail.reasons import REASONS
from fieldlens.analysis.detail.statistics import Interval
from fieldlens.configs.encoding import Fourier, Raw
from fieldlens.configs.network import Network
from fieldlens.fields import Field
from fieldlens.fitting import TrainingState, fit
from fieldlens.scenes.picture import Picture
from fieldlens.studies.foresight.foresight import Foresight
from fieldlens.studies.foresight.ways import OnPixels
from fieldlens.studies.subjects.found import Explained, write_explained
from fieldlens.studies.subjects.raster import RasterMaps, explain_field, findings_files
from tests.support.small_fits import noise, plan, start


def foresight(picture: Picture) -> Foresight[Field]:
    return Foresight(picture, OnPixels(loss_step))


@pytest.mark.parametrize("size", [(40, 9000), (1, 9000), (1, 1), (5, 3)])
def test_maps_are_never_too_coarse_for_the_windows(size: tuple[int, int]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    picture, state = Picture("noise", pixels), start()
    findings = explain_field(state, plan(), foresight(picture), picture.draw(state.field))
    assert findings.density is not None
    assert findings.density.stride <= MIN_WINDOW_PX
    assert len(findings.explanation.verdict.sentences) == 2
    assert findings.crossings_per_pixel is not None
    assert findings.capacity is not None
    assert findings.capacity.remaining.shape == findings.capacity.windows.shape


def test_noise_is_beyond_the_creases_and_the_files_say_so(tmp_path: Path) -> None:
    picture = noise(side=128)
    target, drawn = picture.target(), noise(side=128, seed=1).target()
    findings = explain_field(start(), plan(), foresight(picture), drawn)
    said = findings.capacity_verdict
    assert said is not None
    assert said.outcome == "mostly capacity"
    write_explained(tmp_path, Explained(findings.summary(), findings_files(findings, picture, target, drawn)))
    explained = json.loads((tmp_path / "explain.json").read_text())
    assert explained["capacity"]["sentence"] == said.sentence
    assert explained["capacity"]["valid_windows"] == 16
    assert len(explained["verdict"]["sentences"]) == 2, "the verdict stays as it is"
    assert {gain["quantity"] for gain in explained["attribution"]["gains"]} > {"coarea", "crossings", "bend"}
    with np.load(tmp_path / "capacity.npz") as maps:
        assert maps["residual_energy"].mean() == pytest.approx(np.square(target - drawn).mean(), rel=1e-5)
        assert (maps["remaining_energy"] > 0.9 * maps["residual_energy"]).all()
    assert (tmp_path / "capacity.png").exists()


def test_files_have_the_leverage_of_each_window_and_the_verdict_what_it_surely_has_to_do_with_the_error(
    tmp_path: Path,
) -> None:
    picture, state = noise(side=128), start()
    target, drawn = picture.target(), noise(side=128, seed=1).target()
    findings = explain_field(state, plan(), foresight(picture), drawn)
    write_explained(tmp_path, Explained(findings.summary(), findings_files(findings, picture, target, drawn)))
    (found,) = detail_leverage(state.field, octave_details(target)[:1])
    with np.load(tmp_path / "leverage.npz") as maps:
        np.testing.assert_allclose(maps["leverage_by_layer"], found.by_layer, rtol=1e-4)
        assert str(maps["octave"]) == "2-4 px"
    assert (tmp_path / "leverage.png").exists()
    explained = json.loads((tmp_path / "explain.json").read_text())
    said, primary = explained["leverage"], explained["primary"]
    assert said["median"] == pytest.approx(np.median(found.mean), rel=1e-4)
    np.testing.assert_allclose(said["median_by_layer"], np.median(found.by_layer, (1, 2)), rtol=1e-4)
    with_error = leverage_statistic(found.mean, found.detail, target, drawn, seed=plan().seed).correlation
    assert (primary["quantity"], primary["version"]) == ("leverage", 1)
    assert primary["correlation"] == pytest.approx(with_error, abs=1e-3)
    leading, of_creases = findings.summary().primary_statistic, findings.summary().crease_statistic
    assert leading is not None
    assert of_creases is not None
    assert findings.statistic is not None
    assert (leading.value, leading.against) == (primary["correlation"], "leverage")
    assert (of_creases.value, of_creases.against) == (explained["against_creases"]["estimate"], "creases")
    assert with_error is not None
    assert not any("leverage" in sentence for sentence in findings.verdict), "of noise there is nothing to be sure of"
    without = replace(findings, statistic=replace(findings.statistic, correlation=None))
    assert without.to_json()["primary"] == explained["against_creases"]
    assert without.summary().primary_statistic == of_creases
    sure = LeverageStatistic(-0.4, Interval(-0.5, -0.3, 0.95, 999), 64, ())
    assert replace(findings, statistic=sure).verdict == (*findings.verdict, sure.sentence)


def test_a_field_without_creases_and_one_that_diverged_have_no_capacity() -> None:
    picture = noise(side=64)
    smooth = start(network=Network(width=8, depth=2, activation="sine"))
    for state, drawn in ((smooth, 0.5), (start(), np.nan)):
        findings = explain_field(state, plan(), foresight(picture), np.full((64, 64, 3), drawn, np.float32))
        assert findings.capacity is None
        assert findings.capacity_verdict is None
        assert findings.to_json()["capacity"] is None


def test_where_nothing_is_missing_nothing_is_said_of_capacity() -> None:
    picture = noise(side=64)
    findings = explain_field(start(), plan(), foresight(picture), picture.target())
    assert findings.capacity_verdict is None
    assert findings.to_json()["capacity"]["removed_from_unseen_pixels"] is None


@pytest.mark.parametrize("average", [0.0, 0.3])
def test_progress_is_what_the_next_step_of_the_fit_does_to_what_is_shown(average: float) -> None:
    """To first order: of one small step that sees every pixel once."""
    picture = noise(side=32)
    whole = plan(1e-5, picture, batch_size=32 * 32, average=average, steps=4, schedule="constant")
    state = start(average=average)
    for _ in fit(state, picture, replace(whole, steps=3), []):
        pass
    foreseen = foresight(picture).foresee(state, whole, 256)
    assert foreseen is not None

    def energy() -> float:
        residual = spectrum(picture.target() @ REC709 - picture.draw(state.field) @ REC709)
        return float(np.square(band_picture(residual, 0), dtype=np.float64).sum())

    before = energy()
    assert foreseen.octave.energy.sum() == pytest.approx(before, rel=1e-4)
    for _ in fit(state, picture, whole, []):
        pass
    assert foreseen.octave.whole.sum() == pytest.approx(before - energy(), rel=0.02)


def test_what_is_larger_than_is_looked_at_has_octaves_of_longer_waves() -> None:
    picture, state = Picture("noise", np.random.default_rng(0).integers(0, 256, (60, 96, 3), np.uint8)), start()
    foreseen = foresight(picture).foresee(state, plan(), 32)
    assert foreseen is not None
    assert foreseen.octave.label == "2-4 px"
    assert (foreseen.label, foreseen.longest_px, foreseen.reduced_by) == ("6-12 px", 12, 3)
    assert foreseen.octave.windows.row_edges[-1] == 20


def test_a_network_of_dead_neurons_lacks_creases_and_says_so() -> None:
    picture, state = noise(side=128), start()
    with torch.no_grad():
        for linear in state.field.mlp.linears[:-1]:
            linear.bias.fill_(-1e3)
    findings = explain_field(state, plan(), foresight(picture), picture.draw(state.field))
    assert findings.reasons is not None
    assert findings.reasons.shares["few creases"].share == 1
    missing, why, remedy = findings.verdict
    assert missing.endswith("of the finest detail (2-4 px) is missing: 100 %.")
    assert len(findings.worst_places) == 10
    assert why == "Of what is missing, 100 % lies where there are too few creases to draw it."
    assert "More octaves of the encoding would make more creases" in remedy


def test_a_fit_that_was_ended_early_needs_more_steps_alone() -> None:
    ramps = np.indices((64, 64)).sum(0)[..., None].repeat(3, 2) * 2
    picture = Picture("ramp", ramps.astype(np.uint8))
    whole = plan(1e-3, picture, batch_size=64 * 64, steps=200, schedule="constant")
    state = start(encoding=Raw(), network=Network(32, 2))
    for _ in fit(state, picture, replace(whole, steps=40), []):
        pass
    findings = explain_field(state, whole, foresight(picture), picture.draw(state.field))
    assert findings.reasons is not None
    assert findings.reasons.leading == "on its way"
    assert findings.reasons.steps_to_mend < 40


def opposed(left: float, right: float) -> Picture:
    """Two windows of 16 px with a wave of 4 px in each, so many times as high and from grey."""
    wave = 8 * np.cos(np.pi / 2 * np.arange(32) + 0.3) * np.repeat([left, right], 16)
    return Picture("opposed", np.tile((128 + wave).round().astype(np.uint8)[:, None], (16, 1, 3)))


def repeating() -> TrainingState[Field]:
    """A grey field that has come to step 100 and goes on by its output layer, whose inputs repeat every 16 of 32 px."""
    state = start(encoding=Fourier(6), network=Network(16, 1))
    first, last = state.field.mlp.linears
    x = torch.rand(50, 2, generator=torch.Generator().manual_seed(0))
    here, beside = (state.field.encoding(x + torch.tensor([shift, 0.0])) for shift in (0.0, 0.5))
    with torch.no_grad():
        first.weight[:, (here - beside).abs().amax(0) > 1e-3] = 0
        last.weight.zero_()
        last.bias.fill_(128 / 255)
    state.step = 100
    return state


@pytest.mark.parametrize(("left", "right", "reasons"), [(1, -2, [1, 0]), (1, 0, [0, -1])])
def test_a_window_is_hindered_by_one_with_the_opposite_gradient_and_on_its_way_without_it(
    left: float, right: float, reasons: list[int]
) -> None:
    picture, state = opposed(left, right), repeating()
    whole = plan(1e-3, picture, batch_size=16 * 32, steps=101, schedule="constant")
    findings = explain_field(state, whole, foresight(picture), picture.draw(state.field))
    assert findings.reasons is not None
    assert findings.foreseen is not None
    assert findings.reasons.of_window.tolist() == [reasons]
    why = findings.verdict[1]
    assert ("those for other places slow that down or undo it" in why) == (right != 0)
    windows = findings.foreseen.octave.windows

    def missing() -> np.ndarray:
        residual = spectrum(picture.target() @ REC709 - picture.draw(state.field) @ REC709)
        return windows.mean_of_map(np.square(band_picture(residual, 0)))[0]

    before = missing()
    for _ in fit(state, picture, whole, []):  # the step is really taken
        pass
    assert (missing()[0] > before[0]) == (right != 0)


def test_of_half_noise_and_half_ramps_a_smooth_fit_lacks_the_noise_alone_for_want_of_creases() -> None:
    pixels = (0.9 * np.indices((128, 128)).sum(0)).astype(np.uint8)[..., None].repeat(3, 2)
    pixels[:, 64:] = np.random.default_rng(0).integers(0, 256, (128, 64, 1), dtype=np.uint8)
    picture, state = Picture("half", pixels), start(encoding=Raw(), network=Network(16, 2))
    whole = plan(1e-2, picture, batch_size=2048, steps=100, schedule="constant")
    for _ in fit(state, picture, whole, []):
        pass
    findings = explain_field(state, whole, foresight(picture), picture.draw(state.field))
    assert findings.reasons is not None
    assert (findings.reasons.of_window[:, 4:] == REASONS.index("few creases")).all()
    assert (findings.reasons.of_window[:, :3] == -1).all(), (
        "nothing is missing of ramps; between both, waves reach over"
    )
    assert findings.reasons.shares["few creases"].share > 0.999
    _, why, _ = findings.verdict
    assert all(place.left >= 64 for place in findings.worst_places)
    assert why.startswith("Of what is missing, 100 % lies where there are too few creases")


def test_of_an_octave_that_is_drawn_but_for_rounding_no_reason_is_given() -> None:
    state = start(encoding=Fourier(6), network=Network(32, 2))
    with torch.no_grad():
        state.field.mlp.linears[-1].bias.fill_(0.5)
    state.step = 100
    drawn = noise(side=64).draw(state.field)
    assert drawn.min() > 0
    assert drawn.max() < 1
    picture = Picture("itself", (255 * drawn).round().astype(np.uint8))
    findings = explain_field(state, plan(), foresight(picture), drawn)
    missing, creases = findings.verdict
    assert missing.startswith("Next to nothing of the finest detail (2-4 px) is missing")
    assert findings.worst_places == ()
    assert creases == "There is nothing here for creases to explain."


def test_frames_have_the_maps_that_there_are() -> None:
    picture, state = noise(side=32), start()
    maps = RasterMaps(foresight(picture))
    assert list(maps.looks) == ["density", "speed", "progress"]
    assert {name: drawn.shape for name, drawn in maps.pictures(state, plan()).items()} == dict.fromkeys(
        maps.looks, (32, 32, 3)
    )
    with torch.no_grad():
        state.field.mlp.linears[0].weight.fill_(np.nan)
    assert maps.pictures(state, plan()) == {}
    flat = Picture("grey", np.full((32, 32, 3), 128, np.uint8))
    assert list(RasterMaps(foresight(flat)).looks) == ["density"]
