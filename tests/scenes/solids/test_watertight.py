"""Edges counted, small holes closed, open meshes refused."""

from dataclasses import replace

import numpy as np
import pytest

from fieldlens.configs.errors import InputError
from fieldlens.scenes.solids.edges import EdgeCounts, count_edges
from fieldlens.scenes.solids.mesh import Mesh
from fieldlens.scenes.solids.watertight import watertight
from tests.support.small_meshes import box, icosphere, joined


def counts(mesh: Mesh) -> EdgeCounts:
    return count_edges(mesh.edges)


def test_closed_surfaces_have_no_odd_edges() -> None:
    assert counts(icosphere()) == EdgeCounts(0, 0, 0)
    assert watertight(box()).notes == ("watertight",)


def test_vertices_at_one_place_count_as_one() -> None:
    mesh = box()
    apart = Mesh(mesh.corners.reshape(-1, 3), np.arange(36).reshape(-1, 3))
    assert counts(apart) == EdgeCounts(0, 0, 0)


def test_a_triangle_that_is_turned_round_is_turned_back() -> None:
    mesh = box()
    triangles = mesh.triangles.copy()
    triangles[0] = triangles[0, ::-1]
    turned = replace(mesh, triangles=triangles)
    assert counts(turned) == EdgeCounts(0, 0, 3)
    closed = watertight(turned)
    assert "1 triangles turned round to face as their neighbours do" in closed.notes
    np.testing.assert_array_equal(closed.triangles, mesh.triangles)


def test_boxes_that_share_an_edge_are_watertight_and_not_manifold() -> None:
    mesh = joined(box(), box((1, 1, 0), (2, 2, 1)))
    assert counts(mesh) == EdgeCounts(0, 1, 0)
    assert "1 edges of more than two triangles" in watertight(mesh).notes


def test_a_box_without_a_side_is_refused_with_the_number_of_its_open_edges() -> None:
    mesh = box()
    with pytest.raises(InputError, match=r"'box' is open at 4 edges, so it has no inside; .*--kind radiance"):
        watertight(replace(mesh, triangles=mesh.triangles[2:]))


def test_a_sheet_is_refused() -> None:
    with pytest.raises(InputError, match="open at 3 edges"):
        watertight(Mesh(np.eye(3), np.array([[0, 1, 2]])))


def test_small_holes_are_closed_to_the_solid_that_was() -> None:
    whole = icosphere(halvings=3)
    near = [np.linalg.norm(whole.corners.mean(1) - pole, axis=1) < 0.25 for pole in ([0, 0, 1], [0, 0, -1])]
    torn = replace(whole, triangles=whole.triangles[~(near[0] | near[1])], colours=np.ones_like(whole.vertices))
    edges = counts(torn).open
    assert edges > 10
    mesh = watertight(torn)
    assert counts(mesh) == EdgeCounts(0, 0, 0)
    assert mesh.notes[0].startswith(f"2 holes closed ({edges} open edges), up to 0.2")
    assert mesh.volume == pytest.approx(whole.volume, rel=0.01)
    assert mesh.colours is not None
    assert len(mesh.colours) == len(mesh.vertices)


def test_small_holes_whose_borders_touch_are_refused() -> None:
    """Two triangles missing that share a corner: which border goes on where is not known."""
    whole = icosphere(halvings=3)
    corner = np.flatnonzero((whole.triangles == 0).any(1))
    first = whole.triangles[corner[0]]
    opposite = next(t for t in corner if len(set(whole.triangles[t]) & set(first)) == 1)
    torn = replace(whole, triangles=np.delete(whole.triangles, [corner[0], opposite], axis=0))
    with pytest.raises(InputError, match="open at 6 edges"):
        watertight(torn)
