"""Crease maps and explanation of one field over pictures of unusual sizes, and the files that hold them."""

import json
from pathlib import Path

import numpy as np
import pytest

from fieldlens.analysis import MIN_WINDOW_PX
from fieldlens.configs.network import Network
from fieldlens.scenes.picture import Picture
from fieldlens.studies.subjects.found import Explained, write_explained
from fieldlens.studies.subjects.picture import explain_field, findings_files
from tests.support.small_fits import noise, start


@pytest.mark.parametrize("size", [(40, 9000), (1, 9000), (1, 1), (5, 3)])
def test_maps_are_never_too_coarse_for_the_windows(size: tuple[int, int]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    picture, field = Picture("noise", pixels), start().field
    findings = explain_field(field, picture, picture.target(), picture.draw(field), seed=0)
    assert findings.density is not None
    assert findings.density.stride <= MIN_WINDOW_PX
    assert len(findings.explanation.verdict.sentences) == 2
    assert findings.crossings_per_pixel is not None
    assert findings.capacity is not None
    assert findings.capacity.remaining.shape == findings.capacity.windows.shape


def test_noise_is_beyond_the_creases_and_the_files_say_so(tmp_path: Path) -> None:
    picture, field = noise(side=128), start().field
    target, drawn = picture.target(), noise(side=128, seed=1).target()
    findings = explain_field(field, picture, target, drawn, seed=0)
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


def test_a_field_without_creases_and_one_that_diverged_have_no_capacity() -> None:
    picture = noise(side=64)
    smooth = start(network=Network(width=8, depth=2, activation="sine")).field
    for field, drawn in ((smooth, 0.5), (start().field, np.nan)):
        findings = explain_field(field, picture, picture.target(), np.full((64, 64, 3), drawn, np.float32), seed=0)
        assert findings.capacity is None
        assert findings.capacity_verdict is None
        assert findings.to_json()["capacity"] is None


def test_where_nothing_is_missing_nothing_is_said_of_capacity() -> None:
    picture = noise(side=64)
    findings = explain_field(start().field, picture, picture.target(), picture.target(), seed=0)
    assert findings.capacity_verdict is None
    assert findings.to_json()["capacity"]["removed_from_unseen_pixels"] is None
