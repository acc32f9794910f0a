"""What is inside, by winding numbers: against sums of solid angles, and solids in words."""

from dataclasses import replace

import numpy as np
import pytest

from fieldlens.scenes.solids.facing import facing
from fieldlens.scenes.solids.mesh import Mesh
from fieldlens.scenes.solids.solid import Solid
from fieldlens.scenes.solids.winding import Winding
from tests.support.small_meshes import box, icosphere, joined

UNIT = box()
OVER = box((0.5, 0.4, 0.3), (1.5, 1.4, 1.3))
WITHIN = box((0.25, 0.25, 0.25), (0.75, 0.75, 0.75))
AWAY = box((3, 3, 3), (4, 4, 4))


def turned(mesh: Mesh, every: int = 1) -> Mesh:
    """With every so many triangles turned round."""
    triangles = mesh.triangles.copy()
    triangles[::every] = triangles[::every, ::-1]
    return replace(mesh, triangles=triangles)


def by_solid_angles(mesh: Mesh, points: np.ndarray) -> np.ndarray:
    """Winding numbers as sums of the solid angles of all triangles, over 4 pi (van Oosterom and Strackee 1983)."""
    a, b, c = (mesh.corners[None, :, corner] - points[:, None] for corner in range(3))
    la, lb, lc = (np.linalg.norm(side, axis=2) for side in (a, b, c))
    above = np.einsum("nmc,nmc->nm", a, np.cross(b, c))
    below = la * lb * lc + (a * b).sum(2) * lc + (b * c).sum(2) * la + (c * a).sum(2) * lb
    return (2 * np.arctan2(above, below)).sum(1) / (4 * np.pi)


@pytest.mark.parametrize(
    "mesh",
    [
        icosphere(0.7, 2, (0.5, 0.5, 0.5)),
        joined(UNIT, OVER),
        joined(UNIT, OVER, WITHIN, turned(WITHIN), icosphere(0.6, 2, (1, 1, 1))),
        joined(UNIT, UNIT),
        joined(UNIT, box((1, 0, 0), (2, 1, 1))),
        joined(UNIT, box((1, 0.2, 0.2), (2, 1.3, 0.9))),
        joined(UNIT, box((0.5, 0.5, 0), (1.5, 1.5, 1))),
    ],
    ids=["sphere", "overlapping", "many", "twice", "glued", "touching", "coplanar"],
)
def test_numbers_are_those_of_the_solid_angles(mesh: Mesh) -> None:
    points = np.random.default_rng(0).uniform(-0.2, 1.7, (2000, 3)).astype(np.float32)
    expected = by_solid_angles(mesh, points.astype(np.float64))
    sure = np.abs(expected - expected.round()) < 1e-3
    assert sure.mean() > 0.99
    np.testing.assert_array_equal(Winding(mesh)(points)[sure], expected.round()[sure])


INSIDE_OUT = "its triangles face inwards, and are all turned round"
BOTH, FIRST, SECOND = (0.7, 0.7, 0.7), (0.1, 0.1, 0.1), (1.4, 1.3, 1.2)


@pytest.mark.parametrize(
    ("mesh", "inside", "outside", "notes"),
    [
        (joined(UNIT, OVER), [BOTH, FIRST, SECOND], [AWAY.vertices[0]], []),
        (turned(joined(UNIT, OVER)), [BOTH, FIRST, SECOND], [], [INSIDE_OUT]),
        (joined(UNIT, turned(OVER)), [BOTH, FIRST, SECOND], [], ["1 of its parts face inwards, and are turned round"]),
        (joined(UNIT, WITHIN), [BOTH, FIRST], [], []),
        (joined(UNIT, turned(WITHIN)), [FIRST], [BOTH], ["1 of its parts within others face inwards"]),
        (joined(turned(UNIT), WITHIN), [FIRST], [BOTH], [INSIDE_OUT, "1 of its parts within others face inwards"]),
        (joined(UNIT, turned(AWAY)), [FIRST, (3.5, 3.5, 3.5)], [], ["1 of its parts face inwards, and are turned"]),
        (joined(UNIT, UNIT), [BOTH], [SECOND], []),
        (joined(UNIT, turned(UNIT)), [BOTH], [SECOND], ["12 triangles are the backs of others, and left out"]),
        (joined(UNIT, turned(UNIT), AWAY), [BOTH, (3.5, 3.5, 3.5)], [SECOND], ["12 triangles are the backs"]),
        (turned(UNIT, every=5), [BOTH], [SECOND], ["3 triangles turned round to face as their neighbours do"]),
        (joined(UNIT, box((1, 1, 0), (2, 2, 1))), [BOTH, (1.5, 1.5, 0.5)], [(1.5, 0.5, 0.5)], []),
    ],
)
def test_solids_that_overlap_are_a_union_and_shells_that_face_inwards_within_others_are_hollows(
    mesh: Mesh, inside: list, outside: list, notes: list[str]
) -> None:
    found = facing(mesh)
    assert [note[: len(words)] for note, words in zip(found.notes, notes, strict=False)] == notes
    solid = Solid(mesh)
    points = np.array([*inside, *outside], np.float32)
    assert solid.inside(points).tolist() == [True] * len(inside) + [False] * len(outside)


def klein_bottle(around: int = 60, across: int = 40) -> Mesh:
    """A figure of eight that goes round in a ring and is turned by half a turn on the way: closed, with one side."""
    u, v = np.meshgrid(np.arange(around) * 2 * np.pi / around, np.arange(across) * 2 * np.pi / across, indexing="ij")
    out = 2 + np.cos(u / 2) * np.sin(v) - np.sin(u / 2) * np.sin(2 * v)
    up = np.sin(u / 2) * np.sin(v) + np.cos(u / 2) * np.sin(2 * v)
    vertices = np.stack([out * np.cos(u), out * np.sin(u), up], -1).reshape(-1, 3)
    triangles = []
    for i, j in np.ndindex(around, across):
        ends = [(i, j), (i, j + 1), (i + 1, j), (i + 1, j + 1)]
        a, b, c, d = (k % around * across + (n if k < around else -n) % across for k, n in ends)
        triangles += [(a, c, b), (b, c, d)]
    return Mesh(vertices, np.array(triangles))


def test_a_surface_of_one_side_holds_what_is_behind_an_odd_number_of_its_triangles() -> None:
    found = facing(klein_bottle())
    assert not found.agrees
    assert found.notes == ("its triangles cannot all face outwards: inside is where a way out meets an odd number",)
    points = np.array([(2.7, 0, 0), (1.3, 0, 0), (0, 0, 0), (4, 0, 0)], np.float32)
    assert Solid(klein_bottle()).inside(points).tolist() == [True, True, False, False]
