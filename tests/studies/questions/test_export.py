"""A fitted scene as other programs get it: meshes in the world's coordinates, depth in the world's units."""

import json
import math
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from fieldlens import cli
from fieldlens.configs.errors import InputError
from fieldlens.fields import Field, RadianceField
from fieldlens.fitting import initial_state
from fieldlens.scenes.posed import PosedScene
from fieldlens.scenes.shape import Shape
from fieldlens.scenes.solids.mesh import Mesh
from fieldlens.scenes.solids.reading import read_mesh
from fieldlens.scenes.solids.writing import WRITTEN_ENDINGS
from fieldlens.studies.questions import export
from fieldlens.studies.questions.export import export_depth, export_mesh
from fieldlens.studies.runs.folder import RunFolder
from fieldlens.studies.runs.saved import Saved, open_run
from fieldlens.studies.subjects.photographs import HALVING
from tests.support.runs import small_config, small_picture
from tests.support.small_meshes import icosphere
from tests.support.small_runs import fitted, small_radiance

MIDDLE, RADIUS = (0.55, 0.5, 0.45), 0.3


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A small radiance field; not to be changed."""
    return small_radiance(tmp_path_factory.mktemp("radiance"))


@pytest.fixture
def ball(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any radiance field is a ball whose density falls by e each 1/20 of the cube, red as seen from above."""

    def density(field: RadianceField, x: torch.Tensor) -> torch.Tensor:
        return 5.545 * torch.exp(20 * (RADIUS - (x - x.new_tensor(MIDDLE)).norm(dim=1)))

    def radiance(field: RadianceField, x: torch.Tensor, directions: torch.Tensor, *_: object) -> tuple:
        red = (directions[:, 2:] < 0).float()
        return torch.cat([red, 0 * red, 1 - red], 1), 1e3 * density(field, x)

    monkeypatch.setattr(RadianceField, "density", density)
    monkeypatch.setattr(RadianceField, "radiance", radiance)
    monkeypatch.setattr(RadianceField, "occupied", torch.ones(4, 4, 4, dtype=torch.bool))


def test_the_mesh_is_the_surface_at_which_a_few_steps_stop_half_the_light(ball: None, run: RunFolder, tmp_path: Path):
    found = export_mesh(run, tmp_path / "ball.ply", resolution=24)
    scene = open_run(run).scene
    assert isinstance(scene, PosedScene)
    assert found.level is not None
    assert 1 - math.exp(-found.level * HALVING * scene.step_length) == pytest.approx(0.5)
    mesh, bounds = read_mesh(found.path), scene.capture.bounds
    middle = bounds.to_world(np.array([MIDDLE]))
    away = np.linalg.norm(mesh.vertices - middle, axis=1)
    # 32 steps along the cube: ln 2 times 32 over 4 is 5.545
    np.testing.assert_allclose(away, RADIUS * bounds.side, rtol=0.01)
    assert mesh.colours is not None
    above = mesh.vertices[:, 2] - middle[0, 2] > 0.1 * bounds.side
    np.testing.assert_allclose(mesh.colours[above], np.tile([1.0, 0, 0], (above.sum(), 1)), atol=1e-6)
    assert mesh.volume > 0


def test_a_lower_density_lies_farther_out(ball: None, run: RunFolder, tmp_path: Path):
    found = export_mesh(run, tmp_path / "ball.ply", resolution=24, level=5.545 * math.exp(-1))
    scene = open_run(run).scene
    assert isinstance(scene, PosedScene)
    bounds = scene.capture.bounds
    away = np.linalg.norm(read_mesh(found.path).vertices - bounds.to_world(np.array([MIDDLE])), axis=1)
    np.testing.assert_allclose(away, (RADIUS + 0.05) * bounds.side, rtol=0.01)


@pytest.mark.parametrize("ending", WRITTEN_ENDINGS)
def test_every_format_is_read_back(ball: None, run: RunFolder, tmp_path: Path, ending: str):
    found = export_mesh(run, tmp_path / f"ball{ending}", resolution=8)
    mesh = read_mesh(found.path)
    assert len(mesh.triangles) == found.triangles
    assert (mesh.colours is None) == (ending == ".stl")
    assert bool(found.notes) == (ending != ".ply")


def test_crease_density_colours_a_mesh_on_the_scale_that_is_said(ball: None, run: RunFolder, tmp_path: Path):
    found = export_mesh(run, tmp_path / "ball.ply", resolution=16, colour="density")
    assert found.density_per_diagonal is not None
    low, high = found.density_per_diagonal
    assert 0 < low < high
    colours = read_mesh(found.path).colours
    assert colours is not None
    assert len(np.unique(colours, axis=0)) > 4


def test_the_mesh_of_a_shape_is_its_zero_level_in_the_meshes_own_coordinates(
    run: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    config = small_config("sphere.ply", tmp_path)
    shape = Shape(icosphere(2.0, centre=(5.0, 0.0, 0.0)), "sdf")
    state = initial_state(config, shape)
    monkeypatch.setattr(Field, "forward", lambda field, x, *_: (x - 0.5).norm(dim=1, keepdim=True) - 0.25)
    monkeypatch.setattr(export, "open_run", lambda *_, **__: Saved(config, shape, state, torch.device("cpu")))
    found = export_mesh(run, tmp_path / "sphere.obj", resolution=24)
    away = np.linalg.norm(read_mesh(found.path).vertices - [5.0, 0.0, 0.0], axis=1)
    np.testing.assert_allclose(away, 0.25 * shape.bounds.side, rtol=0.01)
    assert found.level is None
    with pytest.raises(InputError, match="--level is for radiance fields"):
        export_mesh(run, tmp_path / "other.ply", level=1.0)


def test_depth_of_a_ball_is_that_of_a_ball(ball: None, run: RunFolder, tmp_path: Path):
    found = export_depth(run, tmp_path / "depth")
    scene = open_run(run).scene
    assert isinstance(scene, PosedScene)
    bounds, content = scene.capture.bounds, json.loads((tmp_path / "depth" / "depth.json").read_text())
    # the one in the middle first
    assert [view["view"] for view in content["views"]] == ["test/r_1.png", "test/r_0.png"]
    for view, entry in zip(scene.views(), content["views"], strict=True):
        camera = view.photograph.camera
        arrays = np.load(tmp_path / "depth" / entry["npz"])
        counts = cv2.imread(str(tmp_path / "depth" / entry["png"]), cv2.IMREAD_UNCHANGED)
        assert counts is not None
        assert counts.dtype == np.uint16
        np.testing.assert_array_equal(counts == 0, np.isnan(arrays["depth"]))
        seen = counts > 0
        in_world = counts[seen] * content["world_units_per_count"]
        np.testing.assert_allclose(in_world, arrays["depth"][seen], atol=content["world_units_per_count"])
        np.testing.assert_allclose(arrays["camera_to_world"], camera.pose, atol=1e-9)
        middle = bounds.to_world(np.array([MIDDLE]))
        (column, row), (depth,) = camera.project(middle)[0][0], camera.project(middle)[1]
        nearest = arrays["depth"][int(row), int(column)]
        # 1e3 as dense it ends the light about 0.3 + ln(1e3) / 20 from its middle, or where the cube does
        assert depth - 0.9 * bounds.side < nearest < depth - 0.25 * bounds.side
        rays = camera.rays().directions.double().numpy() @ camera.forward
        cosine = rays.reshape(seen.shape)[seen]
        np.testing.assert_allclose(arrays["distance"][seen] * cosine, arrays["depth"][seen], rtol=1e-5)
    assert found.views == 2
    with pytest.raises(InputError, match="is there already"):
        export_depth(run, tmp_path / "depth")


def test_an_export_that_is_interrupted_leaves_nothing(run: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def press(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(export, "write_npz", press)
    with pytest.raises(KeyboardInterrupt):
        export_depth(run, tmp_path / "depth")
    assert not list(tmp_path.iterdir())


def test_a_field_without_that_density_has_no_surface(run: RunFolder, tmp_path: Path):
    with pytest.raises(InputError, match=r"no surface of density 1e\+12; choose a lower --level, or train"):
        export_mesh(run, tmp_path / "none.ply", resolution=8, level=1e12)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--mesh", "mesh.fbx"], "a mesh is written as .ply, .obj, .glb, .stl"),
        (["--mesh", "mesh.stl", "--colour", "density"], "--colour density has no place in an STL"),
        (["--mesh", "mesh.ply", "--level", "-1"], "--level is a density"),
        (["--mesh", "mesh.ply", "--resolution", "1"], "2 to 1024 cells"),
        (["--depth", "there", "--resolution", "8"], "--resolution goes with --mesh"),
        ([], "name what to export"),
        (["--mesh", "mesh.ply", "--depth", "there"], "one of them"),
    ],
)
def test_a_mistake_gets_one_sentence_and_status_2(
    run: RunFolder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    words: list[str],
    sentence: str,
):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["export", str(run.path), *words]) == 2
    assert sentence in capfd.readouterr().err.splitlines()[-1]
    assert not list(tmp_path.iterdir())


def test_a_folder_for_a_mesh_is_refused_before_the_run_is_opened(tmp_path: Path):
    (tmp_path / "mesh.ply").mkdir()
    with pytest.raises(InputError, match=r"mesh\.ply' is a folder; name a file in it, such as '.*mesh\.ply/mesh\.ply'"):
        export_mesh(RunFolder(tmp_path / "none"), tmp_path / "mesh.ply")


def test_pictures_have_neither_mesh_nor_depth(tmp_path: Path):
    run = fitted(small_config(small_picture(tmp_path / "picture.png"), tmp_path, steps=1))
    with pytest.raises(InputError, match=r"^--mesh is for 3D scenes, and this run is of a picture$"):
        export_mesh(run, tmp_path / "mesh.ply")
    with pytest.raises(InputError, match=r"^--depth is for photographs, and this run is of a picture$"):
        export_depth(run, tmp_path / "depth")


def test_vertex_normals_of_a_sphere_point_away_from_its_middle():
    sphere: Mesh = icosphere(2.0)
    np.testing.assert_allclose((sphere.vertex_normals * sphere.vertices).sum(1), 2.0, rtol=1e-3)
