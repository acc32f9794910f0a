"""Whole runs of shapes, from a mesh's file to the report, through the command line."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from fieldlens import cli
from fieldlens.analysis import relu_network
from fieldlens.render.files import read_npz
from fieldlens.scenes.solids.mesh import Mesh
from fieldlens.scenes.solids.writing import write_mesh
from fieldlens.studies.runs.folder import find_run
from fieldlens.studies.runs.saved import open_run
from fieldlens.studies.subjects.solid import SolidSubject, tangents
from tests.support.small_meshes import icosphere

pytestmark = pytest.mark.usefixtures("few_pictures_around")

OPTIONS = [
    "--encoding",
    "raw",
    "--network.width",
    "16",
    "--network.depth",
    "2",
    "--steps",
    "150",
    "--learning-rate",
    "1e-2",
]
COMMON = [*OPTIONS, "--batch-size", "512", "--frames", "every:75", "--threads", "1", "--device", "cpu", "--json"]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a ball in it."""
    monkeypatch.chdir(tmp_path)
    write_mesh(tmp_path / "ball.ply", icosphere(halvings=2))
    return tmp_path


def test_a_run_says_how_far_the_surface_is_from_the_mesh(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["fit", "ball.ply", "--kind", "occupancy", *COMMON]) == 0
    told = capfd.readouterr()
    assert told.err.index("reading the mesh  0 %") < told.err.index("asking the mesh at points  100 %")
    result = json.loads(told.out.splitlines()[-1])
    run = Path(result["path"])
    assert 0.3 < result["iou"] <= 1
    assert 0 < result["chamfer"] < 0.1
    assert "IoU" in result["verdict"][0]
    assert result["crossings_per_pixel"] > 0
    for name in ("progress.mp4", "report.html", "analysis/density.png", "analysis/explain.json"):
        assert (run / name).stat().st_size > 0, name
    views = json.loads((run / "analysis" / "views.json").read_text())["views"]
    assert len(views) == 18
    assert views[0]["psnr_db"] == pytest.approx(result["psnr_db"])
    assert "View by view" in (run / "report.html").read_text(encoding="utf-8")
    (run / "analysis" / "views.png").unlink()
    assert cli.main(["analyze", str(run), "--json"]) == 0
    assert (run / "analysis" / "views.png").exists()
    assert json.loads(capfd.readouterr().out.splitlines()[-1])["iou"] == pytest.approx(result["iou"])


def test_a_field_without_a_surface_is_told_so_with_what_to_do(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["fit", "ball.ply", *COMMON, "--steps", "1", "--learning-rate", "1e-9"]) == 0
    verdict = json.loads(capfd.readouterr().out.splitlines()[-1])["verdict"]
    assert verdict == ["What was learnt has no surface yet: more steps, or another learning rate, may give it one."]
    assert cli.main(["export", "latest", "--mesh", "ball.stl"]) == 2
    assert "has no surface; train it further with `fieldlens fit --resume outputs/" in capfd.readouterr().err


def test_the_surface_of_a_report_is_the_fields_and_has_the_creases_that_a_pixel_crosses(here: Path) -> None:
    assert cli.main(["fit", "ball.ply", *COMMON]) == 0
    folder = find_run("latest", here / "outputs")
    saved, surface = open_run(folder), read_npz(folder.analysis / "surface.npz", 2**26)
    points = torch.from_numpy(surface["vertices"])
    subject = saved.subject
    assert isinstance(subject, SolidSubject)
    level = subject.shape.level(saved.field)
    outwards = points + 0.02 * torch.nn.functional.normalize(points - 0.5)
    assert (level(outwards) > level(points)).float().mean() > 0.99
    assert level(points).abs().mean() < 0.05 * level(outwards).abs().mean()

    # a step of one pixel across the surface, in directions all around: how many neurons it switches
    network = relu_network(saved.field)
    camera = subject.view.camera
    pixel = np.linalg.norm(camera.position - 0.5) / camera.focal[0]
    mesh = Mesh(surface["vertices"].astype(np.float64), surface["triangles"].astype(np.int64))
    across, down = (torch.from_numpy(side).float() for side in tangents(mesh.vertex_normals))
    switched = []
    for angle in np.linspace(0, np.pi, 16, endpoint=False):
        half = pixel / 2 * (np.cos(angle) * across + np.sin(angle) * down)
        before, after = (
            torch.cat([layer > 0 for layer in network.preactivations(points + end * half)], 1) for end in (-1, 1)
        )
        switched.append((before != after).float().sum(1).mean())
    assert float(np.mean(surface["crossings"])) == pytest.approx(float(np.mean(switched)), rel=0.1)


def test_tangents_are_of_length_one_and_at_right_angles() -> None:
    normals = np.random.default_rng(0).normal(size=(50, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    frames = np.stack([normals, *tangents(normals)], 1)
    np.testing.assert_allclose(frames @ frames.swapaxes(1, 2), np.broadcast_to(np.eye(3), (50, 3, 3)), atol=1e-12)
