"""Whole runs of shapes, from a mesh's file to the report, through the command line."""

import json
from pathlib import Path

import pytest

from fieldlens import cli
from fieldlens.scenes.solids.writing import write_mesh
from tests.support.small_meshes import icosphere

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
