"""Shapes as scenes: what a mesh says of points, by closed forms of a sphere; fits; views of mesh and field alike."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from fieldlens.analysis.creases.surface import compare_surfaces, extract_surface, iou
from fieldlens.analysis.detail.metrics import psnr_db
from fieldlens.analysis.detail.statistics import MIN_BLOCKS
from fieldlens.configs.encoding import Raw
from fieldlens.configs.errors import InputError
from fieldlens.configs.network import Network
from fieldlens.configs.run import FitConfig
from fieldlens.configs.space import Space
from fieldlens.fitting import fit, initial_state
from fieldlens.render.files import write_npz
from fieldlens.scenes.load import restore
from fieldlens.scenes.scene import Batch, Scene, View
from fieldlens.scenes.shape import CLAMP, SHAPE_KINDS, VIEW_ANGLE, Shape, ShapeKind, ShapeView, shape_of
from tests.support.small_fits import plan, same_bytes
from tests.support.small_meshes import box, icosphere

SPHERE = icosphere(30.0, 5, (100, 0, -7))
RADIUS = 1 / 2.4
"""Of the sphere in the unit cube: half of 1 / 1.2."""


def sphere(kind: ShapeKind, pool_size: int = 2**14) -> Shape:
    return Shape(SPHERE, kind, pool_size=pool_size)


def distance(x: Tensor) -> Tensor:
    """The field that is right everywhere."""
    return (x - 0.5).norm(dim=1, keepdim=True) - RADIUS


def test_a_shape_is_a_scene_and_what_it_gives_are_views() -> None:
    shape = sphere("sdf")
    assert isinstance(shape, Scene)
    assert all(isinstance(view, View) for view in shape.views())
    assert (shape.in_dim, shape.out_dim) == (3, 1)


def test_distances_are_those_to_the_sphere_clamped_and_negative_inside() -> None:
    pool = sphere("sdf").pool
    truth = distance(pool.coordinates).clamp(-CLAMP, CLAMP)
    # a chord lies below the sphere by half its length squared, over twice the radius
    torch.testing.assert_close(pool.values, truth, atol=2e-4, rtol=0)
    assert (pool.values == CLAMP).any()
    assert (pool.values == -CLAMP).any()


def test_occupancy_is_one_inside_and_zero_outside() -> None:
    pool = sphere("occupancy").pool
    truth = distance(pool.coordinates)
    sure = truth.abs() > 2e-4
    assert torch.equal(pool.values[sure], (truth < 0).float()[sure])


def test_half_of_each_batch_fills_the_cube_and_half_is_near_the_surface() -> None:
    shape = sphere("occupancy")
    batch = shape.batch(torch.Generator().manual_seed(0), 4096)
    uniform, near = batch.coordinates.split(2048)
    torch.testing.assert_close(uniform.mean(0), torch.full((3,), 0.5), atol=0.03, rtol=0)
    assert uniform.var(0).mean().item() == pytest.approx(1 / 12, rel=0.05)
    assert distance(near).std().item() == pytest.approx(0.01, rel=0.1)
    assert (batch.coordinates >= 0).all()
    assert (batch.coordinates <= 1).all()


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others() -> None:
    pools = [Shape(SPHERE, "sdf", seed, pool_size=2**10).pool for seed in (3, 3, 4)]
    assert pools[0].values.numpy().tobytes() == pools[1].values.numpy().tobytes()
    assert pools[0].coordinates.numpy().tobytes() == pools[1].coordinates.numpy().tobytes()
    assert not torch.equal(pools[0].coordinates, pools[2].coordinates)


@pytest.mark.parametrize("kind", SHAPE_KINDS)
def test_points_asked_before_training_are_those_that_it_would_ask_and_the_share_that_is_done_is_told(
    kind: ShapeKind,
) -> None:
    one, other = sphere(kind, 40_000), sphere(kind, 40_000)
    told: list[float] = []
    one.prepare(told.append)
    assert told == pytest.approx([0, 0.4096, 0.8192, 1])
    assert torch.equal(one.pool.coordinates, other.pool.coordinates)
    assert torch.equal(one.pool.values, other.pool.values)


@pytest.mark.parametrize("scale", [1e-3, 1e3, 1e6])
def test_units_make_no_difference(scale: float) -> None:
    one, other = (Shape(icosphere(r, 3, (r, 0, 0)), "sdf", pool_size=2**10).pool for r in (1.0, scale))
    torch.testing.assert_close(one.coordinates, other.coordinates, atol=1e-6, rtol=0)
    torch.testing.assert_close(one.values, other.values, atol=1e-5, rtol=0)


def test_which_way_triangles_face_makes_no_difference() -> None:
    mesh = icosphere(1, 3)
    turned = mesh.triangles.copy()
    turned[::2] = turned[::2, ::-1]
    one, other = Shape(mesh, "sdf", pool_size=2**12), Shape(replace(mesh, triangles=turned), "sdf", pool_size=2**12)
    for shape in (one, other):
        truth = distance(shape.pool.coordinates).clamp(-CLAMP, CLAMP)
        torch.testing.assert_close(shape.pool.values, truth, atol=3e-3, rtol=0)
    np.testing.assert_allclose(one.views()[0].target(64, 64), other.views()[0].target(64, 64), atol=1e-6)


def test_an_open_mesh_is_refused_and_a_watertight_one_is_said_to_be() -> None:
    torn = replace(box(), triangles=box().triangles[2:])
    with pytest.raises(InputError, match="open at 4 edges"):
        shape_of(torn, "sdf")
    shape = shape_of(box(), "occupancy")
    assert "watertight" in shape.notes
    assert any("logit" in note for note in shape.notes)


def test_the_loss_of_logits_is_the_cross_entropy() -> None:
    logits, truth = torch.tensor([[2.0], [-1.0]]), torch.tensor([[1.0], [1.0]])
    by_hand = -(math.log(1 / (1 + math.exp(-2))) + math.log(1 / (1 + math.exp(1)))) / 2
    assert sphere("occupancy").loss(logits, Batch(torch.zeros(2, 3), truth)).item() == pytest.approx(by_hand)


@pytest.mark.parametrize(
    ("predicted", "target", "loss", "slope"),
    [
        (0.03, 0.01, 0.02, 1.0),
        (-0.01, 0.02, 0.03, -1.0),
        (0.7, CLAMP, 0.0, 0.0),  # beyond the clamp on the right side: anything will do
        (-0.7, -CLAMP, 0.0, 0.0),
        (0.01, CLAMP, CLAMP - 0.01, -1.0),
        (0.7, -CLAMP, 0.7 + CLAMP, 1.0),  # on the wrong side there is a way back
        (0.7, 0.01, 0.69, 1.0),
    ],
)
def test_the_loss_of_distances_is_their_difference_up_to_the_clamp_with_a_way_back(
    predicted: float, target: float, loss: float, slope: float
) -> None:
    prediction = torch.tensor([[predicted]], requires_grad=True)
    value = sphere("sdf").loss(prediction, Batch(torch.zeros(1, 3), torch.tensor([[target]])))
    value.backward()
    assert value.item() == pytest.approx(loss)
    assert prediction.grad is not None
    assert prediction.grad.item() == slope


@pytest.mark.parametrize("kind", ["sdf", "occupancy"])
def test_a_small_network_recovers_the_sphere(kind: ShapeKind) -> None:
    shape = sphere(kind)
    state = initial_state(FitConfig(encoding=Raw(), network=Network(width=32, depth=3)), shape)
    for _ in fit(state, shape, plan(5e-3, steps=400, batch_size=1024), [400]):
        pass
    level = shape.level(state.field)
    assert iou(level, shape.unit_mesh, samples=20_000) > 0.95
    surface = extract_surface(level, 64)
    radii = np.linalg.norm(surface.vertices - 0.5, axis=1)
    assert np.abs(radii - RADIUS).mean() < 0.01
    agreement = compare_surfaces(surface, shape.unit_mesh, samples=5000)
    assert agreement.chamfer < 0.01
    assert agreement.normal_consistency > 0.95
    for view in shape.views()[:1]:
        assert psnr_db(view.target(64, 64), view.draw(state.field, 64, 64)) > 20


def test_a_fit_that_goes_on_from_a_saved_target_gives_the_bytes_of_one_that_was_never_stopped(tmp_path: Path) -> None:
    config = FitConfig(encoding=Raw(), network=Network(width=8, depth=2))
    shape = sphere("sdf", 2**10)
    whole = initial_state(config, shape)
    for _ in fit(whole, shape, plan(1e-3, steps=20), [20]):
        pass
    half = initial_state(config, shape)
    for _ in fit(half, shape, plan(1e-3, steps=10), [10]):
        pass
    write_npz(tmp_path / "target.npz", **shape.to_npz_arrays())
    restored = restore(tmp_path / "target.npz", Space())
    assert isinstance(restored, Shape)
    rest = initial_state(config, shape)
    rest.restore(half.tensors(), 10, 0.0)
    for _ in fit(rest, restored, plan(1e-3, steps=20), [20]):
        pass
    assert same_bytes(whole.tensors(), rest.tensors())
    assert (restored.name, restored.notes) == (shape.name, shape.notes)
    assert restored.mesh.up == shape.mesh.up


def test_a_saved_target_that_is_missing_damaged_or_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "target.npz"
    with pytest.raises(InputError, match="there is no saved target"):
        restore(path, Space())
    path.write_bytes(b"nothing")
    with pytest.raises(InputError, match="is no saved target, or is damaged"):
        restore(path, Space())
    write_npz(path, pixels=np.zeros((2, 2, 3)))
    with pytest.raises(InputError, match="is no saved target, or is damaged"):
        restore(path, Space())
    write_npz(path, **sphere("sdf").to_npz_arrays() | {"kind": np.array("density")})
    with pytest.raises(InputError, match="holds no shape"):
        restore(path, Space())


@pytest.mark.parametrize("kind", ["sdf", "occupancy"])
def test_the_mesh_and_the_field_that_is_right_look_the_same(kind: ShapeKind) -> None:
    """Silhouette, depth and normals agree but for the mesh's facets."""
    shape = sphere(kind)
    field = distance if kind == "sdf" else (lambda x: -20 * distance(x))
    for view in shape.views()[:2]:
        assert isinstance(view, ShapeView)
        mesh, seen = view.mesh_seen(96, 96), view.field_seen(field, 96, 96)
        there = np.isfinite(mesh.depth)
        across = math.tan(math.asin(math.sin(VIEW_ANGLE / 2) / 1.05)) / math.tan(VIEW_ANGLE / 2)
        assert there.mean() == pytest.approx(math.pi / 4 * across**2, abs=0.01)
        assert (there != np.isfinite(seen.depth)).mean() < 2e-3
        both = there & np.isfinite(seen.depth)
        np.testing.assert_allclose(mesh.depth[both], seen.depth[both], atol=0.01)
        assert np.abs(mesh.depth[both] - seen.depth[both]).mean() < 5e-4
        assert (mesh.normals * seen.normals).sum(-1)[both].min() > 0.99
        assert psnr_db(mesh.colour, seen.colour) > 30


def test_views_are_as_many_as_an_interval_takes_from_all_around_above_and_below() -> None:
    away = np.array([view.camera.position for view in sphere("sdf").views()]) - 0.5
    assert len(away) >= MIN_BLOCKS
    assert len({tuple(direction) for direction in away.round(6).tolist()}) == len(away)
    assert np.abs(away.mean(0)).max() < 1e-6
    assert (away[0::2, 2] > 0).all()
    assert (away[1::2, 2] < 0).all()


def test_a_part_of_a_view_is_that_part_at_any_size() -> None:
    shape = sphere("sdf")
    view = shape.views()[0]
    whole = view.draw(distance, 64, 64)
    part = view.draw(distance, 32, 16, (0.25, 0.5, 0.5, 1.0))
    np.testing.assert_allclose(part, whole[32:, 16:32], atol=1e-3)


def test_a_view_has_as_many_pixels_as_it_is_asked_for_or_its_own() -> None:
    view = sphere("occupancy").views()[0]
    assert view.target().shape == (view.height, view.width, view.channels)
    assert view.target(20, 30).shape == view.draw(lambda x: -distance(x), 20, 30).shape == (20, 30, 3)
    assert view.preview == (view.height, view.width)


def test_the_direction_that_is_up_is_up() -> None:
    """A flat box is seen from above, and so is wider than high, if its thin axis is up."""
    flat = box((0, 0, 0), (1, 0.1, 1))
    heights_over_widths = []
    for up in ((0.0, 1.0, 0.0), (0.0, 0.0, 1.0)):
        view = Shape(replace(flat, up=up), "sdf").views()[0]
        seen = view.target().min(2) < 1
        heights_over_widths.append(np.ptp(np.nonzero(seen.any(1))) / np.ptp(np.nonzero(seen.any(0))))
    assert heights_over_widths[0] < 0.7 < heights_over_widths[1]
