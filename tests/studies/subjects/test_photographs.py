"""Whole runs of photographed scenes, from folder to report, through the command line."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from fieldlens import cli
from fieldlens.configs.encoding import Fourier
from fieldlens.configs.network import Network
from fieldlens.configs.run import FitConfig
from fieldlens.configs.space import Space
from fieldlens.fitting import initial_state, plan_of
from fieldlens.render.video import read_frames
from fieldlens.scenes.captures.transforms_writing import write_blender
from fieldlens.scenes.posed import PosedScene
from fieldlens.studies.subjects.photographs import PhotographsSubject
from tests.scenes.test_posed import capture
from tests.support.small_fits import training

pytestmark = pytest.mark.usefixtures("few_pictures_around")

OPTIONS = ["--steps", "12", "--network.width", "16", "--network.depth", "2", "--grid", "8", "--samples", "24"]
COMMON = [*OPTIONS, "--batch-size", "64", "--threads", "1", "--device", "cpu", "--precision", "fp32", "--json"]


def last_line(words: list[str], capfd: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert cli.main(words) == 0
    return json.loads(capfd.readouterr().out.splitlines()[-1])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of photographs, with as many held out as an interval needs; it is the working folder's `ball`."""
    monkeypatch.chdir(tmp_path)
    write_blender(capture(count=6, heldout=16), tmp_path / "ball")
    return tmp_path / "ball"


def test_a_run_leaves_all_that_its_folder_promises(
    folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # after so few steps the field shows hardly more than one colour, and no place of such a field is told
    monkeypatch.setattr("fieldlens.studies.subjects.photographs.collapse", lambda _views: None)
    result = last_line(["fit", "ball", "--encoding", "fourier:2", *COMMON], capfd)
    run = Path(result["path"])
    assert result["heldout_psnr_db"] > 0
    assert result["steps"] == 12
    assert result["verdict"]
    for name in ("config.yaml", "target.npz", "run.json", "metrics.csv", "progress.mp4", "report.html", "cameras.png"):
        assert (run / name).stat().st_size > 0, name
    for name in ("explain.json", "density.png", "density.npz", "error.png", "missing.png", "spectra.json"):
        assert (run / "analysis" / name).stat().st_size > 0, name
    explained = json.loads((run / "analysis" / "explain.json").read_text())
    creases = explained["creases"]
    assert creases["crossings_per_pixel"] == pytest.approx(sum(creases["crossings_per_pixel_by_layer"]))
    assert result["dead_neurons"] == sum(creases["dead_neurons_by_layer"])
    assert sum(share["share"] for share in explained["reasons"]["shares"].values()) == pytest.approx(1)
    assert result["verdict"][-len(explained["reasons"]["sentences"]) :] == explained["reasons"]["sentences"]
    assert explained["reasons"]["sentences"][0].startswith("Over all views, ")
    places = result["worst_places"]
    assert 0 < len(places) <= 10
    view = json.loads((run / "analysis" / "views.json").read_text())["views"][0]["name"]
    assert result["worst_in"] == view
    page = (run / "report.html").read_text(encoding="utf-8")
    assert f"In {view}, the view that the pictures above show:" in page
    assert 'href="#place=' in page
    assert [speed["octave"] for speed in explained["speed"]] == [explained["reasons"]["octave"]]
    for name in ("speed", "progress"):
        assert cv2.imread(str(run / "analysis" / f"{name}.png")).shape == (16, 16, 3)  # type: ignore[union-attr]
    frames = list(read_frames(run / "progress.mp4"))
    drawn = sorted((run / "frames").glob("*.png"))
    assert len(drawn) == 13
    assert len(frames) >= len(drawn)
    page = (run / "report.html").read_text(encoding="utf-8")
    assert "ball, fourier:2" in page
    views = json.loads((run / "analysis" / "views.json").read_text())["views"]
    assert len(views) == 16
    assert explained["reasons"]["views"] == [view["name"] for view in views]
    mean = sum(view["psnr_db"] for view in views) / 16
    assert mean == pytest.approx(result["heldout_psnr_db"], abs=1e-9)
    assert "View by view" in page
    assert f"Mean PSNR of 16 views: {mean:.2f} dB" in page


def test_resumed_equals_uninterrupted_to_the_byte(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    whole = last_line(["fit", "ball", "--encoding", "raw", *COMMON, "--steps", "20"], capfd)
    first = last_line(["fit", "ball", "--encoding", "raw", *COMMON, "--steps", "9"], capfd)
    assert cli.main(["fit", "--resume", first["path"], "--steps", "20"]) == 0
    names = ("checkpoints/0000020.safetensors", "reconstruction.png", "frames/0000020.png", "analysis/density.png")
    for name in names[1:]:
        assert (Path(whole["path"]) / name).read_bytes() == (Path(first["path"]) / name).read_bytes(), name
    one, other = (Path(run["path"]) / names[0] for run in (whole, first))
    # all but the seconds in its header: the tensors are the last of a checkpoint's bytes
    size = one.stat().st_size // 2
    assert one.read_bytes()[-size:] == other.read_bytes()[-size:]


def test_a_comparison_of_a_scene_sets_its_runs_side_by_side(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    words = ["compare", "ball", "--encodings", "raw", "fourier:2", "--networks", "2x16", "--steps", "6", "--grid", "8"]
    result = last_line([*words, "--samples", "24", "--batch-size", "64", "--json"], capfd)
    assert [run["encoding"] for run in result["runs"]] == ["raw", "fourier:2"]
    assert Path(result["video"]).exists()
    assert "held-out dB" in (Path(result["path"]) / "table.md").read_text()


def test_a_run_is_explained_again_without_training(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    run = last_line(["fit", "ball", "--encoding", "raw", *COMMON], capfd)
    again = last_line(["analyze", run["path"], "--json"], capfd)
    assert again["verdict"] == run["verdict"]
    assert again["crossings_per_pixel"] == pytest.approx(run["crossings_per_pixel"])
    for option in ("--confusion", "--kernel", "--all-checkpoints"):
        assert cli.main(["analyze", run["path"], option]) == 2
        assert f"{option} is for pictures, and this run is of a 3D scene" in capfd.readouterr().err


def test_of_a_fit_that_has_diverged_no_reason_is_given() -> None:
    scene = PosedScene(capture(count=2, heldout=2), Space(grid=8, samples=24))
    config = FitConfig(training=training(), encoding=Fourier(2), network=Network(16, 2))
    state, subject = initial_state(config, scene), PhotographsSubject(scene)
    with torch.no_grad():
        state.field.position.mlp.linears[0].weight.fill_(np.nan)
    finished = subject.finish(state.field, lambda _: None)
    explained = subject.explain(state, plan_of(config, scene), finished, progress=lambda _: None)
    assert explained.files.numbers["explain"]["reasons"] is None
    assert not {"speed", "progress"} & set(explained.files.pictures)
    assert "diverged" in explained.summary.verdict[0]


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["fit", "ball", "--holdout", "checkerboard"], "--holdout is for pictures"),
        (["fit", "ball", "--kind", "sdf"], "--kind sdf is for meshes"),
        (["fit", "ball", "--revive-at", "5"], "--revive-at is for scenes that are trained on points"),
        (["fit", "demo:latice"], "did you mean 'lattice'?"),
        (["fit", "nothing"], "'nothing' is no folder of posed photographs"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    folder: Path, words: list[str], hint: str, capfd: pytest.CaptureFixture[str]
) -> None:
    (folder.parent / "nothing").mkdir()
    assert cli.main(words) == 2
    assert hint in capfd.readouterr().err


def test_pictures_of_the_run_are_pictures_of_the_scene(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    run = last_line(["fit", "ball", "--encoding", "raw", *COMMON, "--max-side", "8"], capfd)
    drawn = cv2.imread(str(Path(run["path"]) / "reconstruction.png"))
    assert drawn is not None
    assert drawn.shape == (8, 8, 3)
    assert np.ptp(drawn) > 0
