"""A mesh photographed from all sides: where it lies in the photographs, and in which colours."""

from dataclasses import replace
from functools import partial
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from fieldlens.configs.space import Space
from fieldlens.scenes.load import load
from fieldlens.scenes.mesh_photographs import photographed_mesh
from fieldlens.scenes.posed import PosedScene
from fieldlens.scenes.solids.mesh import Mesh
from fieldlens.scenes.solids.writing import write_mesh
from tests.support.small_meshes import box, icosphere

few = partial(photographed_mesh, side=25, train=4, heldout=2)

THERE = (300.0, -20.0, 7.0)


@pytest.mark.parametrize("up", [(0.0, 0.0, 1.0), (0.0, 1.0, 0.0)])
def test_a_vertex_is_seen_where_its_camera_projects_it(up: tuple[float, float, float]) -> None:
    mesh = replace(box((290.0, -22.0, 6.0), (310.0, -18.0, 8.0)), up=up)  # longest along x
    capture = few(mesh)
    np.testing.assert_allclose(capture.bounds.centre, THERE)
    for photograph in (*capture.train, *capture.heldout):
        rows, columns = np.nonzero(photograph.pixels[..., 3])
        xy, depth = photograph.camera.project(mesh.vertices)
        assert depth.min() > 0
        found = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        np.testing.assert_allclose(found, [*xy.min(0), *xy.max(0)], atol=1.01)  # in whole pixels
        assert abs(np.linalg.det(photograph.camera.pose[:3, :3]) - 1) < 1e-9


def test_what_is_up_in_the_mesh_is_up_for_the_cameras() -> None:
    for up in ((0.0, 0.0, 1.0), (0.0, 1.0, 0.0)):
        capture = few(replace(icosphere(3.0, halvings=1), up=up))
        assert all(photograph.camera.pose[:3, 1] @ np.array(up) > 0 for photograph in capture.train)


def test_colours_run_between_those_of_the_vertices_and_grey_stands_for_none() -> None:
    sphere = icosphere(2.0, halvings=2, centre=THERE)
    reds = (sphere.vertices[:, :1] - THERE[0]) / 4 + 0.5
    coloured = few(replace(sphere, colours=np.hstack([reds, 0 * reds, 1 - reds])))
    for photograph in coloured.train:
        inside = photograph.pixels[..., 3] == 255
        colours = photograph.pixels[inside].astype(float)
        assert not colours[:, 1].any()
        share = colours[:, 0] / (colours[:, 0] + colours[:, 2])  # light takes as much of both
        rows, columns = np.nonzero(inside)
        right = photograph.camera.pose[0, 0] * (columns - 12) - photograph.camera.pose[0, 1] * (rows - 12)
        assert abs(photograph.camera.pose[0, 2]) > 0.9 or np.corrcoef(share, right)[0, 1] > 0.5
    grey = few(sphere).train[0].pixels
    assert (grey[..., 0] == grey[..., 2]).all()


def test_a_mesh_is_fitted_as_a_radiance_field_where_that_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_module("fieldlens.scenes.load"), "photographed_mesh", few)
    sphere = icosphere(2.0, halvings=1)
    open_mesh = Mesh(sphere.vertices, sphere.triangles[1:], name="open")  # which has no inside
    write_mesh(tmp_path / "open.ply", open_mesh)
    scene = load(str(tmp_path / "open.ply"), space=Space(kind="radiance"))
    assert isinstance(scene, PosedScene)
    assert scene.name == "open"
    assert len(scene.capture.train) == 4
    assert any("light grey" in note for note in scene.notes)
