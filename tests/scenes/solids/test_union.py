"""The surface of overlapping solids: as large as that of their union, and nowhere within it."""

from dataclasses import replace

import numpy as np
import pytest

from fieldlens.scenes.shape import CLAMP, Shape
from fieldlens.scenes.solids.mesh import Mesh
from fieldlens.scenes.solids.solid import Solid
from fieldlens.scenes.solids.union import FINEST
from tests.support.small_meshes import box, icosphere, joined


def unit(mesh: Mesh) -> Mesh:
    return mesh.in_unit_cube(mesh.bounds())


@pytest.mark.parametrize(
    ("mesh", "area"),
    [
        (joined(box(), box((0.5, 0.4, 0.3), (1.5, 1.4, 1.3))), 12 - 2 * (0.6 * 0.7 + 0.5 * 0.7 + 0.5 * 0.6)),
        (joined(box(), box((0.25, 0.25, 0.25), (0.75, 0.75, 0.75))), 6),
        (joined(box(), box((0.45, 0.45, 0.3), (0.5, 0.52, 1.3))), 6 + 0.3 * 2 * (0.05 + 0.07)),
        (joined(box(), box((1, 0, 0), (2, 1, 1))), 10),
        (joined(box(), box((1, 0.25, 0.25), (2, 0.75, 0.75))), 6 + 4 * 0.5),
    ],
    ids=["overlapping", "nested", "poking out", "glued", "touching"],
)
def test_it_has_the_area_of_the_union(mesh: Mesh, area: float) -> None:
    solid = Solid(unit(mesh))
    assert solid.surface.areas.sum() * mesh.bounds().side ** 2 == pytest.approx(area, rel=2e-3)


@pytest.mark.parametrize(
    "mesh",
    [
        icosphere(halvings=2),
        joined(icosphere(), icosphere(0.5, centre=(3, 0, 0))),
        joined(icosphere(), replace(icosphere(0.5), triangles=icosphere(0.5).triangles[:, ::-1])),
    ],
    ids=["one", "two", "hollow"],
)
def test_it_is_the_mesh_itself_where_nothing_overlaps(mesh: Mesh) -> None:
    there = unit(mesh)
    assert Solid(there).surface is there


def test_solids_that_all_but_touch_have_a_union_though_nothing_passes_through_anything() -> None:
    """A box within another, whose lid slopes from a gap that is too small to be seen to one that can be."""
    inner = box((0.25, 0.25, 0.25), (0.75, 0.75, 0.75))
    vertices = inner.vertices.copy()
    lid = vertices[:, 2] == 0.75
    vertices[lid, 2] = 1 - np.where(vertices[lid, 0] == 0.25, 1e-6, 4e-5)
    mesh = joined(box(), replace(inner, vertices=vertices))
    assert Solid(unit(mesh)).surface.areas.sum() * mesh.bounds().side ** 2 == pytest.approx(6, rel=0.02)


def test_distances_are_to_the_surface_of_the_union() -> None:
    """Two balls, whose union has the distance of the nearer one outside, and to a cap or to their circle inside."""
    apart, radius = 0.6, 0.5
    balls = joined(icosphere(radius, 4), icosphere(radius, 4, (apart, 0, 0)))
    shape = Shape(balls, "sdf", pool_size=2**13)
    points = shape.bounds.to_world(shape.pool.coordinates.double().numpy())
    x, aside = points[:, 0], np.hypot(points[:, 1], points[:, 2])
    one, other = np.hypot(x, aside), np.hypot(x - apart, aside)
    outside = np.minimum(one, other) - radius
    half = (radius**2 - (apart / 2) ** 2) ** 0.5  # the radius of their circle, at x = apart / 2
    circle = np.hypot(x - apart / 2, aside - half)
    # the nearest point of a ball is its own surface's where that lies on the union's: beyond the middle plane
    on_first = x * radius / np.maximum(one, 1e-9) <= apart / 2
    on_second = apart + (x - apart) * radius / np.maximum(other, 1e-9) >= apart / 2
    to_first = np.where(on_first, np.abs(radius - one), np.inf)
    to_second = np.where(on_second, np.abs(radius - other), np.inf)
    inwards = np.minimum(circle, np.minimum(to_first, to_second))
    truth = np.where(outside < 0, -inwards, outside) / shape.bounds.side
    sure = np.abs(truth) > 2e-3
    values = shape.pool.values[:, 0].numpy()
    np.testing.assert_allclose(values[sure], truth.clip(-CLAMP, CLAMP)[sure], atol=FINEST + 2e-3)
    assert any("their union" in note for note in shape.notes)
