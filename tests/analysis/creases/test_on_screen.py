"""Creases as a camera sees them in a volume: against patterns on opaque surfaces, and loops over translucent rays."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from jaxtyping import Float
from torch import Tensor, nn

from fieldlens.analysis import ReluNetwork, ScreenDensity, crossings, footprint_density, relu_network, screen_density
from fieldlens.analysis.creases.on_screen import volume_screen_density
from fieldlens.analysis.networks.sampling import sampled_pixels
from fieldlens.configs.encoding import parse_encoding
from fieldlens.configs.errors import InputError
from fieldlens.configs.network import parse_network
from fieldlens.fields.radiance import DENSITY_SHIFT, RadianceField, build_radiance
from fieldlens.render.camera import Camera, looking_at, perspective
from tests.support.pictured_surfaces import picture_of, plane_through, seen, sphere
from tests.support.small_networks import network_of

EVERYWHERE = torch.ones(4, 4, 4, dtype=torch.bool)
CAMERA = perspective(56, 64, 0.3, looking_at((2.1, 1.4, 0.9), (0.5, 0.5, 0.5)))
MIDDLE, SLANT = (0.5, 0.5, 0.5), (-1.0, 0.2, -0.5)
STEP = 1 / 512

OfPoints = Callable[[Tensor], Tensor]


def from_middle(x: Float[Tensor, "n 3"]) -> Float[Tensor, "n 3"]:
    return x - 0.5


def of_plane(x: Float[Tensor, "n 3"]) -> Float[Tensor, "n 3"]:
    return x.new_tensor(SLANT).expand_as(x)


def ball(radius: float) -> OfPoints:
    """So dense that light goes no further than a step."""
    return lambda x: 1e5 * (from_middle(x).norm(dim=1) < radius)


def below_plane(x: Float[Tensor, "n 3"]) -> Float[Tensor, " n"]:
    return 1e5 * ((from_middle(x) * of_plane(x)).sum(1) > 0)


def fog(x: Float[Tensor, "n 3"]) -> Float[Tensor, " n"]:
    """Through its middle, a third of the light goes."""
    return 3 * torch.exp(-from_middle(x).square().sum(1) / 0.05)


OPAQUE = {
    "sphere": (ball(0.4), from_middle, sphere(0.4)),
    "plane": (below_plane, of_plane, plane_through(MIDDLE, SLANT)),
}


@pytest.mark.parametrize("encoding", ["raw", "fourier:3"])
@pytest.mark.parametrize("name", OPAQUE)
def test_an_opaque_surface_shows_the_crossings_that_patterns_on_it_do(name: str, encoding: str) -> None:
    network = network_of(encoding, "3x128", dim=3)
    density, normals, surface = OPAQUE[name]
    found = volume_screen_density(network, density, normals, EVERYWHERE, CAMERA, STEP)
    np.testing.assert_allclose(found.opacity, 1, atol=1e-5)
    per_layer = found.crossings_per_pixel.mean((1, 2))
    expected = crossings(picture_of(network, CAMERA, surface), 56, 64, refine=4).per_pixel.mean((0, 2, 3))
    # as for single points on the surface, plus half a step of depth, 1/1600 of the distance to the camera
    assert per_layer.sum() == pytest.approx(expected.sum(), rel=0.02)
    np.testing.assert_allclose(per_layer, expected, rtol=0.035)


def test_a_translucent_volume_shows_the_weighted_mean_of_its_samples_times_its_opacity() -> None:
    network, step = network_of("fourier:2", "2x32", dim=3), 1 / 32
    camera = perspective(4, 5, 0.5, looking_at((2.1, 1.4, 0.9), MIDDLE))
    expected = looped(network, fog, from_middle, camera, step)
    for least_weight, tolerance in ((0.0, 2e-3), (0.05, 0.05)):
        found = volume_screen_density(network, fog, from_middle, EVERYWHERE, camera, step, least_weight=least_weight)
        np.testing.assert_allclose(found.opacity, expected.opacity, atol=1e-3)
        total, of_all = found.crossings_per_pixel.sum(0), expected.crossings_per_pixel.sum(0)
        np.testing.assert_allclose(total, of_all, atol=tolerance * of_all.max())
        assert total.mean() == pytest.approx(of_all.mean(), rel=tolerance)
    assert 0.2 < expected.opacity.max() < 0.8


def looped(network: ReluNetwork, density: OfPoints, normals: OfPoints, camera: Camera, step: float) -> ScreenDensity:
    """All samples of one ray after another: each lets through what its density does over its step."""
    origins, directions = camera.rays()
    shown, opacity = [], []
    for origin, direction in zip(origins, directions, strict=True):
        planes = torch.stack([-origin / direction, (1 - origin) / direction])
        enter, leave = float(planes.amin(0).max()), float(planes.amax(0).min())
        light, total = 1.0, torch.zeros(len(network.width_per_layer))
        for number in range(max(0, math.ceil((leave - enter) / step))):
            point = (origin + (enter + (number + 0.5) * step) * direction)[None]
            stopped = -math.expm1(-float(density(point)) * step)
            here = footprint_density(network, point, *camera.footprint(point, normals(point)))[:, 0]
            total += light * stopped * here
            light *= 1 - stopped
        shown.append(total)
        opacity.append(1 - light)
    size = camera.height, camera.width
    return ScreenDensity(torch.stack(shown, 1).reshape(-1, *size).numpy(), np.array(opacity, np.float32).reshape(size))


def slab_field(encoding: str) -> RadianceField:
    """Of random weights, but that its density, by one neuron a layer that is always on, is solid behind the plane."""
    field = build_radiance(parse_encoding(encoding), None, parse_network("2x128"), 4, torch.Generator().manual_seed(0))
    first, second, last = field.position.mlp.linears
    steepness, always = 2e4, 10.0
    normal = torch.tensor(SLANT)
    with torch.no_grad():
        low, high = field.position.encoding(
            torch.tensor([[0.0] * 3, [1.0] * 3])
        )  # the coordinates are its first features
        first.weight[0] = 0.0
        first.weight[0, :3] = normal / (high - low)[:3]
        first.bias[0] = always - float(normal.sum() * 0.5 + first.weight[0, :3] @ low[:3])
        for layer, bias in ((second, 0.0), (last, -DENSITY_SHIFT - steepness * always)):
            layer.weight[0], layer.bias[0] = 0.0, bias
        second.weight[0, 0], last.weight[0, 0] = 1.0, steepness
    return field


def test_a_radiance_field_is_seen_by_its_own_density_and_normals() -> None:
    field = slab_field("raw")
    found = screen_density(field, CAMERA, STEP)
    np.testing.assert_allclose(found.opacity, 1, atol=1e-3)
    counted = crossings(
        picture_of(relu_network(field.position), CAMERA, plane_through(MIDDLE, SLANT)), 56, 64, refine=4
    )
    expected = counted.per_pixel.mean((0, 2, 3))
    np.testing.assert_allclose(found.crossings_per_pixel.mean((1, 2)), expected, rtol=0.03)


def test_a_picture_of_twice_the_pixels_shows_half_the_crossings_in_each() -> None:
    network = network_of("fourier:3", "3x128", dim=3)
    means = [
        volume_screen_density(network, ball(0.4), from_middle, EVERYWHERE, camera, STEP).crossings_per_pixel.mean()
        for camera in (CAMERA, CAMERA.resized(112, 128))
    ]
    assert means[0] == pytest.approx(2 * means[1], rel=0.02)


def test_a_pixel_that_sees_nothing_shows_no_crossings() -> None:
    network = network_of("fourier:3", "2x64", dim=3)
    found = volume_screen_density(network, ball(0.15), from_middle, EVERYWHERE, CAMERA, STEP)
    meets = seen(CAMERA, sphere(0.15), torch.tensor([[32.0, 28.0], [0.5, 0.5]]))[0].isfinite().all(1)
    assert meets.tolist() == [True, False]
    hit = found.opacity > 0.5
    assert 0.1 < hit.mean() < 0.9
    assert (found.crossings_per_pixel[:, ~hit] == 0).all()
    assert found.crossings_per_pixel[:, hit].mean() > 0
    nothing = volume_screen_density(network, fog, from_middle, ~EVERYWHERE, CAMERA, STEP)
    assert (nothing.crossings_per_pixel == 0).all()
    assert (nothing.opacity == 0).all()


def test_where_samples_are_left_out_those_that_count_stand_for_them() -> None:
    """The mean over the picture hardly depends on how many are left out."""
    network = network_of("fourier:3", "3x64", dim=3)
    camera, step = CAMERA.resized(28, 32), 1 / 64
    all_count, most, heavy = (
        volume_screen_density(network, fog, from_middle, EVERYWHERE, camera, step, least_weight=least)
        for least in (0.0, 0.05, 0.2)
    )
    np.testing.assert_array_equal(most.opacity, all_count.opacity)
    assert most.crossings_per_pixel.mean() == pytest.approx(all_count.crossings_per_pixel.mean(), rel=0.01)
    assert heavy.crossings_per_pixel.mean() == pytest.approx(all_count.crossings_per_pixel.mean(), rel=0.06)


def test_rays_at_once_or_some_at_a_time_see_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    field, shares = slab_field("raw"), []
    whole = screen_density(field, CAMERA, 1 / 128, progress=shares.append)
    assert shares == [1.0]
    monkeypatch.setattr("fieldlens.analysis.creases.on_screen.RAYS_AT_ONCE", 1000)
    parts = screen_density(field, CAMERA, 1 / 128, progress=shares.append)
    assert (len(shares), shares[-1]) == (5, 1.0)
    assert (np.abs(whole.crossings_per_pixel - parts.crossings_per_pixel) > 1e-4).mean() < 1e-3
    np.testing.assert_allclose(whole.opacity, parts.opacity, atol=1e-5)


def test_a_map_of_every_stride_th_pixel_has_the_whole_maps_values_there() -> None:
    field = slab_field("fourier:3")
    whole, some = (screen_density(field, CAMERA, 1 / 128, stride=stride) for stride in (1, 5))
    rows, columns = (sampled_pixels(side, 5).numpy() for side in (CAMERA.height, CAMERA.width))
    np.testing.assert_allclose(some.crossings_per_pixel, whole.crossings_per_pixel[:, rows][:, :, columns], rtol=1e-4)
    np.testing.assert_allclose(some.opacity, whole.opacity[rows][:, columns], rtol=1e-5)


def test_a_field_without_creases_or_with_weights_that_are_no_numbers_is_refused() -> None:
    generator = torch.Generator().manual_seed(0)
    smooth = build_radiance(parse_encoding("raw"), None, parse_network("2x8,sine"), 4, generator)
    with pytest.raises(InputError, match="smooth and has no creases"):
        screen_density(smooth, CAMERA, STEP)
    broken = slab_field("raw")
    nn.init.constant_(broken.position.mlp.linears[1].bias, math.nan)
    with pytest.raises(InputError, match="not finite"):
        screen_density(broken, CAMERA, STEP)
