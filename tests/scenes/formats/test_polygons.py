"""Polygons as triangles: as much area as the polygon has by the shoelace formula, and all of it inside."""

import numpy as np
import pytest
from shapely import Polygon

from fieldlens.scenes.formats import polygons
from fieldlens.scenes.formats.parsed import Faces
from fieldlens.scenes.formats.polygons import cut

U = [(3, 3), (2, 3), (2, 1), (1, 1), (1, 3), (0, 3), (0, 0), (3, 0)]
WITH_A_HOLE = [(0, 0), (4, 0), (4, 4), (0, 4), (0, 0), (1, 1), (1, 3), (3, 3), (3, 1), (1, 1)]
"""Its border runs to the hole and back along one line."""


def one(corners: np.ndarray) -> tuple[np.ndarray, Faces]:
    """A polygon in a slanted plane."""
    x, y = corners.T
    return np.stack([x, y, 0.3 * x - 0.2 * y + 1], -1), Faces(np.array([len(x)]), np.arange(len(x)))


def around(radii: np.ndarray) -> np.ndarray:
    angles = np.arange(len(radii)) * 2 * np.pi / len(radii)
    return radii[:, None] * np.stack([np.cos(angles), np.sin(angles)], -1)


STAR = around(1 + 0.5 * (np.arange(60) % 2))
FLOWER = around(1 + 0.6 * np.cos(np.arange(200) / 200 * 2 * np.pi * 7))
CIRCLE = around(np.ones(1000))


@pytest.mark.parametrize("corners", [np.array(U, float), STAR, FLOWER, CIRCLE], ids=["U", "star", "flower", "circle"])
@pytest.mark.parametrize("turned", [False, True])
def test_triangles_fill_the_polygon_and_run_as_it_does(corners: np.ndarray, turned: bool) -> None:
    corners = corners[::-1] if turned else corners
    triangles, faces, notes = cut(*one(corners))
    assert (len(triangles), notes) == (len(corners) - 2, ())
    assert not faces.any()
    a, b, c = corners[triangles].swapaxes(0, 1)
    areas = ((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]) / 2
    assert ((areas < 0) == turned).all()
    whole = Polygon(corners)
    assert abs(areas.sum()) == pytest.approx(whole.area)
    assert all(whole.buffer(1e-9).covers(Polygon(corners[triangle])) for triangle in triangles)


def test_a_hole_that_the_border_runs_round_stays_open() -> None:
    vertices, faces = one(np.array(WITH_A_HOLE, float))
    a, b, c = vertices[cut(vertices, faces).triangles][..., :2].swapaxes(0, 1)
    areas = ((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]) / 2
    assert (areas > 0).all()
    assert areas.sum() == pytest.approx(16 - 4)


def test_the_fan_of_a_square_begins_at_its_first_corner() -> None:
    square = np.array([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]])
    assert cut(square, Faces(np.array([4]), np.arange(4))).triangles.tolist() == [[0, 1, 2], [0, 2, 3]]


def test_a_corner_on_a_side_is_a_corner_of_triangles_with_area() -> None:
    vertices, faces = one(np.array([(0, 0), (1, 0), (2, 0), (2, 2), (0, 2)], float))
    triangles = vertices[cut(vertices, faces).triangles]
    assert (
        np.linalg.norm(np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]), axis=1).min()
        > 0.1
    )


def test_polygons_of_all_sizes_keep_the_order_of_the_file_and_short_ones_are_told() -> None:
    vertices, _ = one(around(np.ones(50)))
    sizes = np.array([3, 2, 50, 4, 3])
    corners = np.concatenate([np.arange(size) for size in sizes])
    triangles, faces, notes = cut(vertices, Faces(sizes, corners))
    assert faces.tolist() == [0, *[2] * 48, 3, 3, 4]
    assert triangles[0].tolist() == [0, 1, 2]
    assert notes == ("1 faces of fewer than three corners left out",)


def test_a_polygon_that_crosses_itself_keeps_its_edges() -> None:
    """A star of five points drawn in one line has no ear at its crossings; each of its sides gets a triangle."""
    corners = around(np.ones(7))[(np.arange(7) * 3) % 7]
    triangles, _, _ = cut(*one(corners))
    assert len(triangles) == 5
    sides = {tuple(sorted(pair)) for a, b, c in triangles.tolist() for pair in ((a, b), (b, c), (c, a))}
    assert {tuple(sorted((i, (i + 1) % 7))) for i in range(7)} <= sides


def test_a_large_convex_polygon_is_cut_and_a_large_concave_one_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polygons, "MOST_CORNERS", 100)
    assert len(cut(*one(CIRCLE)).triangles) == 998
    with pytest.raises(ValueError, match=r"a polygon of 200 corners that is not convex, .* up to 100 corners"):
        cut(*one(FLOWER))
