"""Gradients through the renderer: against a backward pass for each pixel, and against views before and after a step."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
import torch
from jaxtyping import Float
from torch import Tensor

from fieldlens.analysis import Detail, Speed, screen_movement, screen_speed
from fieldlens.analysis.detail.bands import REC709
from fieldlens.analysis.detail.windows import Windows
from fieldlens.analysis.gradients import along_rays
from fieldlens.configs.encoding import parse_encoding
from fieldlens.configs.errors import InputError
from fieldlens.configs.network import parse_network
from fieldlens.fields.radiance import RadianceField, build_radiance
from fieldlens.render.camera import looking_at, perspective
from fieldlens.render.volume import render_rays

HEIGHT, WIDTH = 5, 7
CAMERA = perspective(HEIGHT, WIDTH, 0.5, looking_at((2.1, 1.4, 0.9), (0.5, 0.5, 0.5)))
STEP_LENGTH, GREY = 1 / 24, 0.8
WINDOWS = Windows(np.array([0, 2, 5]), np.array([0, 3, 4, 7]), 2)

FIELDS = [
    ("raw", "fourier:2", "2x16"),
    ("fourier:3", None, "3x12,leaky_relu"),
    ("gaussian:2,features=8", "raw", "2x16,sine"),
    ("hashgrid:3,log2_size=6,finest=20", "fourier:1", "2x12"),
    ("fourier:2", "hashgrid:2,log2_size=5,finest=20", "2x12"),
]
"""Encodings of place and of direction, and the network."""


def field_of(place: str, direction: str | None, network: str, solid: float = 0.0) -> RadianceField:
    """A field as it is built: fog, or as much denser as `solid` says; with tables that are not next to zero."""
    generator = torch.Generator().manual_seed(0)
    turned = None if direction is None else parse_encoding(direction)
    field = build_radiance(parse_encoding(place), turned, parse_network(network), 4, generator)
    with torch.no_grad():
        for name, parameter in field.named_parameters():
            if name.endswith("table"):
                parameter.uniform_(-1, 1, generator=generator)
        field.position.mlp.linears[-1].bias[0] += solid
    return field


def seen(field: RadianceField) -> Float[Tensor, "pixels 3"]:
    """What the camera sees."""
    found = render_rays(field.radiance, CAMERA.rays(), field.occupied, STEP_LENGTH)
    return found.over(torch.full((3,), GREY))


def jacobian(field: RadianceField) -> Float[np.ndarray, "pixels 3 parameters"]:
    """A backward pass for each channel of each pixel, in fp64 afterwards."""
    rows = []
    for value in seen(field).flatten():
        parts = torch.autograd.grad(value, list(field.parameters()), retain_graph=True)
        rows.append(torch.cat([part.flatten() for part in parts]).double())
    return torch.stack(rows).view(HEIGHT * WIDTH, 3, -1).numpy()


def random_step(field: RadianceField, length: float = 1.0) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(2)
    return {name: length * torch.randn(p.shape, generator=generator) for name, p in field.named_parameters()}


def moved_by(field: RadianceField, step: Mapping[str, Tensor]) -> Float[np.ndarray, "h w 3"]:
    return screen_movement(field, CAMERA, STEP_LENGTH, GREY, step)


def speed_of(field: RadianceField, detail: Detail) -> Speed:
    return screen_speed(field, CAMERA, STEP_LENGTH, GREY, detail)


def some_detail(every: int = 1) -> Detail:
    return Detail(np.random.default_rng(0).normal(size=(HEIGHT, WIDTH)), WINDOWS, "some", every=every)


@pytest.mark.parametrize("solid", [0.0, 6.0])
@pytest.mark.parametrize("parts", FIELDS)
def test_pushes_and_movements_are_those_of_the_jacobian_pixel_by_pixel(
    parts: tuple[str, str | None, str], solid: float
) -> None:
    field, detail = field_of(*parts, solid=solid), some_detail()
    J = jacobian(field)
    of_luma = np.einsum("pcq,c->pq", J, REC709)
    found = speed_of(field, detail)
    for (row, column), push in np.ndenumerate(found.push):
        inside = np.zeros((HEIGHT, WIDTH), bool)
        inside[slice(*WINDOWS.row_edges[row : row + 2]), slice(*WINDOWS.column_edges[column : column + 2])] = True
        y = np.where(inside, detail.values, 0).ravel()
        assert push == pytest.approx(y @ (of_luma @ of_luma.T) @ y, rel=1e-4)
    step = random_step(field)
    flat = torch.cat([change.flatten() for change in step.values()]).double().numpy()
    expected = (J @ flat).reshape(HEIGHT, WIDTH, 3)
    np.testing.assert_allclose(moved_by(field, step), expected, atol=1e-4 * np.abs(expected).max())


def test_parts_of_a_push_are_those_of_tables_and_layers_and_add_up() -> None:
    field, detail = field_of("hashgrid:3,log2_size=6,finest=20", "fourier:1", "2x12"), some_detail()
    found = speed_of(field, detail)
    np.testing.assert_allclose(found.by_layer.sum(0), found.push)
    whole = Windows(np.array([0, HEIGHT]), np.array([0, WIDTH]), 5)
    y = torch.from_numpy(detail.values.ravel()).float()
    gradients = torch.autograd.grad(y @ (seen(field) @ torch.tensor(REC709)), list(field.parameters()))
    squares = [float(part.square().sum()) for part in gradients]
    layers = [squares[0], *(weight + bias for weight, bias in zip(squares[1::2], squares[2::2], strict=True))]
    np.testing.assert_allclose(speed_of(field, replace(detail, windows=whole)).by_layer[:, 0, 0], layers, rtol=1e-4)


@pytest.mark.parametrize("solid", [0.0, 6.0])
def test_a_small_step_moves_the_view_as_foretold(solid: float) -> None:
    field = field_of("fourier:3", "fourier:2", "3x16", solid)
    step = random_step(field, 3e-5)
    before, foretold = seen(field).detach(), moved_by(field, step)
    with torch.no_grad():
        for name, parameter in field.named_parameters():
            parameter.add_(step[name])
    happened = (seen(field).detach() - before).numpy().reshape(HEIGHT, WIDTH, 3)
    assert np.abs(foretold - happened).max() < 0.02 * np.abs(happened).max()


def test_what_sees_nothing_is_neither_pushed_nor_moved() -> None:
    field = field_of("raw", "fourier:2", "2x16")
    field.occupancy.occupied.fill_(False)
    assert not moved_by(field, random_step(field)).any()
    assert not speed_of(field, some_detail()).push.any()


def test_rays_may_go_by_in_any_runs_and_windows_be_asked_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    field, detail = field_of("raw", "fourier:2", "2x16"), some_detail()
    step = random_step(field)
    push, moved = speed_of(field, detail).push, moved_by(field, step)
    monkeypatch.setattr(along_rays, "RAYS_AT_ONCE", 4)
    np.testing.assert_allclose(speed_of(field, detail).push, push, rtol=1e-4)
    np.testing.assert_allclose(moved_by(field, step), moved, atol=1e-5 * np.abs(moved).max())
    some = some_detail(every=2)
    alone = speed_of(field, some).push
    assert some.asked.sum() == 1
    np.testing.assert_allclose(alone[some.asked], push[some.asked], rtol=1e-4)
    assert np.isnan(alone[~some.asked]).all()


def test_steps_of_other_fields_and_of_no_numbers_are_refused() -> None:
    field, other = field_of("raw", None, "2x8"), field_of("raw", None, "2x9")
    with pytest.raises(InputError, match="not of this field"):
        moved_by(field, random_step(other))
    with pytest.raises(InputError, match="not finite"):
        moved_by(field, random_step(field, float("nan")))
    with torch.no_grad():
        field.colour.linears[0].weight.fill_(float("nan"))
    with pytest.raises(InputError, match="not all finite"):
        speed_of(field, some_detail())
