"""The toy crane: many small parts, each closed, and a sign that can be read."""

import numpy as np
import pytest
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from fieldlens.render.camera import looking_at, perspective
from fieldlens.scenes.demos import ANGLE_X, CAMERA_DISTANCE, pixel_size
from fieldlens.scenes.solids.crane import crane
from fieldlens.scenes.solids.photography import Studio

PIXEL = pixel_size(100)


@pytest.fixture(scope="module")
def parts() -> list[np.ndarray]:
    """The triangles of each part by their corners, (triangles, 3, 3); what shares no edge is two parts."""
    found = []
    for surface in crane():
        vertices, point = np.unique(surface.vertices.round(9), axis=0, return_inverse=True)
        triangles = point[surface.triangles]
        edges = np.sort(np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]), 1)
        edge = np.unique(edges, axis=0, return_inverse=True)[1]
        count = len(triangles)
        meet = np.tile(np.arange(count), 3), count + edge  # a graph of triangles, and of edges that they have
        graph = coo_array((np.ones(3 * count), meet), [count + edge.max() + 1] * 2)
        part = connected_components(graph, directed=False)[1][:count]
        found += [vertices[triangles[part == number]] for number in np.unique(part)]
    return found


def thickness(part: np.ndarray) -> float:
    """The shortest extent along the principal axes of the corners."""
    corners = np.unique(part.reshape(-1, 3), axis=0)
    axes = np.linalg.svd(corners - corners.mean(0), full_matrices=False)[2]
    return float(np.ptp(corners @ axes.T, axis=0).min())


def test_each_of_its_parts_faces_outwards(parts: list[np.ndarray]) -> None:
    for part in parts:
        a, b, c = np.moveaxis(part - part.mean((0, 1)), 1, 0)
        assert (a * np.cross(b, c)).sum() > 0  # six times the volume, by the divergence theorem


def test_it_has_hundreds_of_parts_of_which_most_are_thinner_than_two_pixels(parts: list[np.ndarray]) -> None:
    found = np.array([thickness(part) for part in parts]) / PIXEL
    assert len(found) > 400
    assert (found < 2).mean() > 0.9
    assert (found < 1).sum() > 150  # bars, rails and ropes


def test_its_tracks_are_closed_chains_whose_links_do_not_touch(parts: list[np.ndarray]) -> None:
    links = [part for part in parts if len(part) == 12 and thickness(part) == pytest.approx(0.032)]
    middles = np.array([np.unique(part.reshape(-1, 3), axis=0).mean(0) for part in links])
    for track in (middles[middles[:, 1] < 0], middles[middles[:, 1] > 0]):
        around = np.arctan2(track[:, 2] - track[:, 2].mean(), track[:, 0] - track[:, 0].mean())
        gaps = np.linalg.norm(np.diff(track[np.argsort(around)], axis=0, append=track[[np.argmin(around)]]), axis=1)
        assert 0.036 < gaps.min() < gaps.max() < 3 * PIXEL


@pytest.mark.parametrize("side", [-1, 1])
def test_its_sign_is_read_from_either_side(side: int) -> None:
    """An E is where it has to be: its middle bar is shorter, on the right, and its back is on the left."""
    camera = perspective(200, 200, ANGLE_X, looking_at((0.0, side * CAMERA_DISTANCE, 0.0), (0.0, 0.0, 0.0)))
    picture = Studio(crane()).photograph(camera, samples=2)[..., :3].mean(2)
    to_right, up = np.array([-float(side), 0.0, 0.0]), np.array([0.0, 0.0, 1.0])
    columns, rows = np.meshgrid(np.arange(5) - 5, np.arange(7) - 3)  # of the E, in dots from the middle of the sign
    dots = np.array([-0.2, side * 0.228, -0.15]) + 0.0215 * (columns[..., None] * to_right - rows[..., None] * up)
    xy, _ = camera.project(dots.reshape(-1, 3))
    across, down = np.floor(xy).astype(int).T
    dark = (picture[down, across] < 0.4).reshape(7, 5)
    expected = np.zeros((7, 5), bool)
    expected[:, 0] = expected[0] = expected[-1] = True
    expected[3, :4] = True
    np.testing.assert_array_equal(dark, expected)
