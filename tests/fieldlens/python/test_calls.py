"""The door for Python: the same runs as the command line makes, of words, arrays and tensors."""

import base64
import re
import subprocess
import sys
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import fieldlens
from fieldlens.analysis import Cells, Confusion, Kernel
from fieldlens.analysis.detail.statistics import Interval
from fieldlens.configs.errors import InputError
from fieldlens.python.runs import _for_each
from fieldlens.render.files import read_png
from tests.support.runs import small_picture
from tests.test_layering import HEAVY, ROOT

SMALL: dict[str, Any] = {
    "network": "2x16",
    "steps": 16,
    "batch_size": 128,
    "frames": "every:8",
    "threads": 1,
    "progress": False,
}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> fieldlens.Run:
    folder = tmp_path_factory.mktemp("run")
    picture = small_picture(folder / "picture.png")
    return fieldlens.fit(picture, encoding="raw", output_dir=folder / "outputs", **SMALL)


def test_importing_the_door_imports_nothing_heavy_and_knows_its_names() -> None:
    script = "import sys, fieldlens; print(*dir(fieldlens)); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    names, modules = done.stdout.splitlines()
    assert {*fieldlens.__all__} <= {*names.split()}
    assert HEAVY.isdisjoint(name.partition(".")[0] for name in modules.split())
    assert "fieldlens.python.calls" not in modules.split()
    with pytest.raises(AttributeError, match="no attribute 'fitt'"):
        fieldlens.fitt  # noqa: B018  # type: ignore[attr-defined]


@pytest.mark.parametrize("as_given", [lambda pixels: pixels, torch.from_numpy, lambda pixels: pixels / np.float32(255)])
def test_a_picture_as_numbers_is_fitted_as_its_file_is(here: Path, run: fieldlens.Run, as_given: Any) -> None:
    pixels = read_png(run.folder.parents[3] / "picture.png")
    again = fieldlens.fit(as_given(pixels), encoding="raw", **SMALL)
    assert again.folder.parts[:2] == ("outputs", "array")
    assert again.psnr_db == pytest.approx(run.psnr_db, abs=1e-4)
    np.testing.assert_allclose(again.target(), run.target(), atol=1e-7)
    more = fieldlens.fit(resume=again.folder, steps=24, progress=False)
    assert (more.folder, more.record.steps) == (again.folder, 24)
    assert np.array_equal(again.field([[0.3, 0.6]]), more.field([[0.3, 0.6]])), (
        "a run that was opened sees that it went on"
    )


@pytest.mark.parametrize(
    ("picture", "sentence"),
    [
        (np.zeros((3, 8, 8)), "has its channels first; put them last"),
        (np.zeros(8), "an array .height, width. or .height, width, channels., not .8,."),
        (np.zeros((8, 8, 7)), "the array has 7 channels; 1 to 4 can be fitted"),
        (np.zeros((8, 8), np.int64), "uint8 or uint16, not of int64"),
        (np.full((8, 8), np.nan), "NaN or infinite values in 64 of its pixels"),
        (np.zeros((0, 8)), "not .0, 8."),
        ("nowhere.png", "there is no file"),
    ],
)
def test_a_picture_that_cannot_be_fitted_gets_one_sentence(here: Path, picture: Any, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        fieldlens.fit(picture, progress=False)
    assert list(here.iterdir()) == []


def test_alpha_is_multiplied_in_as_a_files_is_and_light_is_none_below_zero(here: Path) -> None:
    straight = np.random.default_rng(0).random((8, 8, 4), np.float32)
    straight[0, 0] = [-1, 0.5, 1, 1]
    kept = fieldlens.fit(straight, **SMALL).target()
    expected = np.maximum(straight, 0)
    expected[..., :3] *= expected[..., 3:]
    np.testing.assert_allclose(kept, expected, atol=1e-6)


def test_a_field_at_pixel_centres_is_the_picture_of_it(run: fieldlens.Run) -> None:
    height, width = run.target().shape[:2]
    row, column = np.mgrid[:height, :width]
    points = (np.stack([column, row], -1) + 0.5) / max(height, width)
    values = run.field(points)
    drawn = np.asarray(run.picture())
    assert np.array_equal(np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8), drawn)
    assert np.array_equal(drawn, read_png(run.folder / "reconstruction.png"))
    as_tensor = run.field(torch.from_numpy(points))
    assert isinstance(as_tensor, torch.Tensor)
    assert np.array_equal(as_tensor.numpy(), values)
    assert run.picture(scale=2, region=(0.5, 0, 0.5, 1)).size == (width, 2 * height)
    with pytest.raises(InputError, match=r"points of this run are \(..., 2\), and these are \(4, 3\)"):
        run.field(np.zeros((4, 3)))
    assert run.field(np.zeros((5, 0, 2))).shape == (5, 0, 3)
    with pytest.raises(InputError, match="leave out directions"):
        run.field(points, points)


def test_directions_are_one_for_each_point_or_one_for_all() -> None:
    points, one = torch.zeros(2, 4, 3), [0.0, 0.0, 1.0]
    assert torch.equal(_for_each(points, one), torch.tensor(one).expand(2, 4, 3))
    with pytest.raises(InputError, match=r"\(2, 4, 3\), or one for all \(3,\), and not \(5, 3\)"):
        _for_each(points, np.zeros((5, 3)))


def test_the_newest_folder_is_opened_whichever_it_is(here: Path) -> None:
    with pytest.raises(InputError, match="there is no run below 'outputs'"):
        fieldlens.open()
    noise = np.random.default_rng(0).random((8, 8))
    fitted = fieldlens.fit(noise, **SMALL)
    assert fieldlens.open() == fieldlens.open(fitted.folder) == fitted
    names = ["raw", "fourier:2"]
    choices = {**SMALL, "networks": [SMALL["network"]], "encodings": names}
    del choices["network"]
    comparison = fieldlens.compare(noise, **choices)
    assert isinstance(comparison, fieldlens.Comparison)
    assert fieldlens.open() == comparison
    assert [str(one.config.encoding) for one in comparison.runs] == names
    assert [one.psnr_db for one in comparison.runs] == [one.psnr_db for one in comparison.record.runs]
    assert comparison.record.table == (comparison.folder / "table.md").read_text()
    with pytest.raises(InputError, match="is a comparison: ask one of its runs"):
        fieldlens.explain("latest")
    with pytest.raises(InputError, match=r"^output_dir is where the latest run is looked for"):
        fieldlens.open(fitted.folder, output_dir="elsewhere")


def test_questions_are_those_of_the_command_line(run: fieldlens.Run) -> None:
    assert list(run.explain(progress=False).found.summary.verdict) == list(run.record.explained.verdict)
    cells = fieldlens.analyze(run, cells=True, region=(0, 0, 0.5, 0.5), progress=False)
    assert cells.lines[0] in repr(cells)
    assert (run.folder / "analysis" / "cells.json").is_file()
    for asked, sentence in [
        ({"cell": True}, "nothing to analyze that is called 'cell'; did you mean 'cells'"),
        ({"encoding": "raw"}, "nothing to analyze that is called 'encoding'"),
        ({"cells": True, "kernel": True}, "^cells and kernel are two analyses"),
        ({"region": (0, 0, 1, 1)}, "^region goes with cells"),
        ({"slice": "z=0.5"}, "^slice is for 3D scenes"),
    ]:
        with pytest.raises(InputError, match=sentence):
            run.analyze(progress=False, **asked)


def test_a_network_of_ones_own_is_explained_as_the_same_field_is(run: fieldlens.Run) -> None:
    """The field's weights in a Sequential, on coordinates scaled as plain raw scales them."""
    linears = run._opened(None).field.mlp.linears
    model = nn.Sequential(linears[0], nn.ReLU(), linears[1], nn.ReLU(), linears[2])
    found = fieldlens.explain(model, run.target(), encode=lambda x: 2 * x - 1)
    assert found.psnr_db == pytest.approx(run.psnr_db, abs=0.01)
    assert found.crossings.mean() == pytest.approx(run.record.explained.crossings_per_pixel, rel=0.2)
    shown = np.rint(np.clip(found.reconstruction, 0, 1) * 255)
    assert np.abs(shown - np.asarray(run.picture())).max() <= 1
    assert found.lines[1:] == list(found.explanation.verdict.sentences), "leverage is not sure with so few windows"
    of_fit = np.load(run.folder / "analysis" / "leverage.npz")
    assert found.leverage is not None
    assert found.leverage.detail.label == of_fit["octave"]
    assert found.leverage.by_layer == pytest.approx(of_fit["leverage_by_layer"], rel=1e-3, nan_ok=True)
    of_fit = np.load(run.folder / "analysis" / "speed.npz")
    for speed in found.speeds:
        assert speed.per_energy == pytest.approx(of_fit[f"speed {speed.detail.label}"], rel=1e-3, nan_ok=True)
    assert found.against_leverage is not None
    statistic = run.record.explained.primary_statistic
    of_fit = statistic.value if statistic is not None and statistic.against == "leverage" else None
    assert found.against_leverage.correlation == of_fit, "neither has one: there are too few windows"
    assert found._repr_html_().count("<img") == 1
    with pytest.raises(InputError, match="gives 3 numbers for each pixel, and the picture has 1 channels"):
        fieldlens.explain(model, np.zeros((8, 8)))
    with pytest.raises(InputError, match="give the picture that it was trained on"):
        fieldlens.explain(model)  # type: ignore[call-overload]
    with pytest.raises(InputError, match="a network has no checkpoints"):
        fieldlens.explain(model, run.target(), step=8)  # type: ignore[call-overload]
    with pytest.raises(InputError, match="explained by a picture, and 'signal:2,5' is none"):
        fieldlens.explain(model, "signal:2,5")


def test_a_network_of_ones_own_shows_its_maps_but_of_a_picture_of_one_tone() -> None:
    torch.manual_seed(0)
    model, rng = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 1)), np.random.default_rng(0)
    detailed, flat = (fieldlens.explain(model, values) for values in (rng.random((128, 128, 1)), np.ones((48, 48))))
    assert len(detailed.speeds) > 1
    assert detailed.against_leverage is not None
    sure = replace(detailed.against_leverage, correlation=-0.5, interval=Interval(-0.6, -0.4, 0.95, 1000))
    said = replace(detailed, against_leverage=sure).lines
    assert said[1] == detailed.lines[1]
    assert said[2].startswith("Among places of like detail, errors are larger where its leverage is less: -0.50")
    assert (flat.speeds, flat.leverage, flat.against_leverage) == ((), None, None)
    assert _drawn(detailed).height > _drawn(flat).height, "with a row of maps more"


def _drawn(found: fieldlens.NetworkExplained) -> Image.Image:
    encoded = re.findall(r"base64,([^\"]+)", found._repr_html_())
    return Image.open(BytesIO(base64.b64decode(encoded[0])))


def test_a_network_of_ones_own_answers_as_the_analysis_does(run: fieldlens.Run) -> None:
    linears = run._opened(None).field.mlp.linears
    model = nn.Sequential(linears[0], nn.ReLU(), linears[1], nn.ReLU(), linears[2])
    encode, target = (lambda x: 2 * x - 1), run.target()
    found = fieldlens.analyze(model, target, encode=encode, cells=True)
    asked = run.analyze(cells=True, progress=False).found
    assert isinstance(found, Cells)
    assert found.counts.count == asked.found.cells  # type: ignore[attr-defined]
    assert isinstance(fieldlens.analyze(model, target, encode=encode, confusion=True), Confusion)
    assert isinstance(fieldlens.analyze(model, target, encode=encode, kernel=True), Kernel)
    with pytest.raises(InputError, match="of a network ask one of cells"):
        fieldlens.analyze(model, target, encode=encode, kernel=True, region=(0, 0, 1, 1))
    with pytest.raises(InputError, match="leave out picture, encode and seed"):
        fieldlens.analyze(run, target)  # type: ignore[call-overload]
