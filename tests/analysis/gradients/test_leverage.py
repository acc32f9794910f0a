"""The leverage of detail: against the hat matrix, and against every pixel's gradient found by autograd."""

import copy
from functools import partial

import numpy as np
import pytest
import torch
from jaxtyping import Float
from torch import Tensor

from fieldlens.analysis import Detail, detail_leverage, detail_speed, relu_network
from fieldlens.analysis.detail.windows import Windows
from fieldlens.analysis.gradients import window_gradients
from fieldlens.analysis.gradients.curvature import DAMPING, curvature
from fieldlens.analysis.gradients.curvature import _points as curvature_points
from fieldlens.configs.errors import InputError
from fieldlens.fields import Field
from tests.support.gradient_fields import ENCODINGS, NETWORKS, InDouble
from tests.support.small_networks import centres, field_of
from tests.support.user_networks import sequential

HEIGHT, WIDTH = 14, 17

WINDOWS = Windows(np.array([0, 5, 14]), np.array([0, 8, 17]), 8)

REC709 = torch.tensor([0.2126, 0.7152, 0.0722], dtype=torch.float64)


def detail(seed: int = 0, windows: Windows = WINDOWS) -> Detail:
    return Detail(np.random.default_rng(seed).normal(size=(HEIGHT, WIDTH)), windows, "some")


def jacobian(field: Field) -> list[Float[Tensor, "pixels _"]]:
    """Luma's gradient at every pixel by autograd, in fp64: a part for each layer, its bias behind its weights."""
    function = InDouble(field)
    values = function(centres(HEIGHT, WIDTH))
    luma = values[:, :3] @ REC709 if values.shape[1] >= 3 else values[:, 0]
    parameters = list(function.parameters())
    rows = [torch.autograd.grad(one, parameters, retain_graph=True) for one in luma]
    parts = [torch.stack([row[k] for row in rows]) for k in range(len(parameters))]
    of_layers, of_table = (parts, []) if len(parts) % 2 == 0 else (parts[:-1], parts[-1:])
    pairs = zip(of_layers[::2], of_layers[1::2], strict=True)
    return [*of_table, *(torch.cat([weight, bias[:, :, None]], 2) for weight, bias in pairs)]


def inputs(field: Field) -> list[Float[Tensor, "pixels _"]]:
    """What each layer is given at every pixel, and 1."""
    function, seen = InDouble(field), list[Tensor]()
    for linear in function.mlp.linears:
        linear.register_forward_hook(lambda _module, given, _out: seen.append(given[0].detach()))
    function(centres(HEIGHT, WIDTH))
    return [torch.cat([a, torch.ones(len(a), 1)], 1) for a in seen]


def damped(squares: Float[Tensor, "_ _"]) -> Float[Tensor, "_ _"]:
    return squares + DAMPING * squares.mean()


def by_window(y: Float[np.ndarray, "h w"]) -> Float[Tensor, "windows pixels"]:
    numbers = WINDOWS.spread(np.arange(4.0).reshape(2, 2)).ravel()
    return torch.from_numpy(np.where(numbers == np.arange(4)[:, None], y.ravel(), 0))


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_it_is_the_detail_in_the_factors_eigenbases_over_what_all_pixels_ask_there(encoding: str, network: str) -> None:
    """Every pixel's gradient by autograd, turned by eigenvectors that numpy finds of the factors it is a product of."""
    field = field_of(encoding, network)
    y = detail()
    (found,) = detail_leverage(field, [y], dtype=torch.float64)
    parts = jacobian(field)
    whole = by_window(y.values)
    if "hashgrid" in encoding:
        table, *parts = parts
        pushes = torch.einsum("wp,pij->wij", whole, table).square() / damped(table.square().sum(0))
        np.testing.assert_allclose(found.by_layer[0].ravel(), pushes.sum((1, 2)) / whole.square().sum(1), rtol=1e-4)
    for share, J, a in zip(found.by_layer[-len(parts) :], parts, inputs(field), strict=True):
        d = J[:, :, -1]  # the gradient by the biases
        U, V = (np.linalg.eigh((part.T @ part).numpy())[1] for part in (a, d))
        turned = torch.from_numpy(V.T) @ J @ torch.from_numpy(U)
        pushes = torch.einsum("wp,pij->wij", whole, turned).square() / damped(turned.square().sum(0))
        np.testing.assert_allclose(share.ravel(), pushes.sum((1, 2)) / whole.square().sum(1), rtol=1e-4)


def test_of_the_output_layer_it_is_the_regressions_leverage() -> None:
    """y' X (X'X + damping)^-1 X' y with the last layer's inputs and 1 for X: a ridge regression's hat matrix."""
    field = field_of("fourier:3", "2x12", channels=1)
    y = detail()
    (found,) = detail_leverage(field, [y], dtype=torch.float64)
    assert_regression(found.by_layer[-1], inputs(field)[-1], y)


def test_of_an_output_layer_without_bias_it_is_the_regressions_without_a_constant() -> None:
    model, y = sequential(2, 12, 1, bias=False), detail()
    (found,) = detail_leverage(relu_network(model), [y], dtype=torch.float64)
    with torch.no_grad():
        assert_regression(found.by_layer[-1], model.double()[:-1](centres(HEIGHT, WIDTH).double()), y)


def assert_regression(leverage: Float[np.ndarray, "2 2"], X: Float[Tensor, "pixels _"], y: Detail) -> None:
    ridge = X.T @ X
    ridge += DAMPING * ridge.trace() / len(ridge) * torch.eye(len(ridge))
    for share, part in zip(leverage.ravel(), by_window(y.values), strict=True):
        g = X.T @ part
        assert share == pytest.approx(float(g @ torch.linalg.solve(ridge, g) / (part @ part)), rel=1e-6)
        assert 0 < share < 1


def test_what_the_last_layer_can_draw_has_leverage_1_and_what_it_cannot_has_0() -> None:
    field = field_of("fourier:3", "2x12", channels=1)
    X = inputs(field)[-1].numpy()
    one = Windows(np.array([0, HEIGHT]), np.array([0, WIDTH]), 8)
    noise = np.random.default_rng(0).normal(size=len(X))
    weights = np.linalg.lstsq(X, noise, rcond=None)[0]
    # of what can be drawn the strongest direction, which damping takes next to nothing from
    within = np.linalg.svd(X, full_matrices=False)[0][:, 0]
    outside = noise - X @ weights
    details = [Detail(y.reshape(HEIGHT, WIDTH), one, "some") for y in (within, outside)]
    can, cannot = (each.by_layer[-1].item() for each in detail_leverage(field, details, dtype=torch.float64))
    assert can == pytest.approx(1, abs=0.01)
    assert cannot == pytest.approx(0, abs=1e-10)


def test_it_does_not_depend_on_how_large_a_layers_weights_are_where_speed_does() -> None:
    """Of a ReLU network twice one layer's weights and half the next one's draw the same."""
    field = field_of("fourier:3", "2x16")
    scaled = copy.deepcopy(field)
    first, second, *_ = scaled.mlp.linears
    with torch.no_grad():
        for part in (first.weight, first.bias):
            part.mul_(8)
        second.weight.div_(8)
    y = detail()
    one, other = (detail_leverage(each, [y])[0].by_layer for each in (field, scaled))
    # an input that is always 1 stays while the others change, so that the second layer's basis is another
    np.testing.assert_allclose(other[[0, 2]], one[[0, 2]], rtol=1e-3)
    slow, fast = (detail_speed(each, [y])[0].by_layer for each in (field, scaled))
    assert (fast[1] > 10 * slow[1]).all()


def test_a_window_without_detail_has_none_and_one_that_is_not_asked_neither() -> None:
    field, y = field_of("raw"), detail()
    values = y.values.copy()
    values[:5, :8] = 0
    (found,) = detail_leverage(field, [Detail(values, WINDOWS, "some", floor=1e-9)])
    assert np.isnan(found.mean).tolist() == [[True, False], [False, False]]
    (some,) = detail_leverage(field, [Detail(y.values, WINDOWS, "some", every=2)])
    assert np.isfinite(some.mean).sum() == some.detail.asked.sum() < 4


@pytest.mark.parametrize("encoding", ["raw", "hashgrid:4,finest=40"])
def test_it_does_not_matter_in_what_runs_the_pixels_go_by(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    field = field_of(encoding)
    (whole,) = detail_leverage(field, [detail()])
    monkeypatch.setattr(window_gradients, "RUN_POINTS", 40)
    (found,) = detail_leverage(field, [detail()])
    np.testing.assert_allclose(found.by_layer, whole.by_layer, rtol=1e-4)


def test_progress_rises_to_the_end_and_what_cannot_be_asked_is_refused() -> None:
    for ask in (partial(curvature, field_of("raw"), 40, 40), partial(detail_leverage, field_of("raw"), [detail()])):
        seen: list[float] = []
        ask(progress=seen.append)
        assert seen == sorted(seen)
        assert 0.5 in seen, "the curvature is half of it"
        assert seen[-1] == 1
    with pytest.raises(InputError, match=r"^curvature is of pictures.*goes from 3 to 3$"):
        detail_leverage(field_of("raw", dim=3), [detail()])
    assert detail_leverage(field_of("raw"), []) == []


@pytest.mark.parametrize("encoding", ["raw", "fourier:6"])
def test_a_pixel_of_each_square_stands_for_all_of_them(encoding: str) -> None:
    """Waves of `fourier:6` are as short as 64 px / 32, which every other pixel would not see."""
    field = field_of(encoding)
    whole, drawn = (curvature(field, 64, 64, stride=stride, dtype=torch.float64) for stride in (1, 2))
    for every, some in zip(whole.asked, drawn.asked, strict=True):
        assert float(some.sum()) == pytest.approx(float(every.sum()), rel=0.05)
    again = curvature(field, 64, 64, stride=2, dtype=torch.float64)
    assert all(torch.equal(one, other) for one, other in zip(drawn.asked, again.asked, strict=True))


def test_squares_at_the_edges_are_cut_off_there() -> None:
    found = curvature(field_of("raw"), 5, 7, stride=3, dtype=torch.float64)
    last = found.inputs[-1] @ found.inputs[-1].T  # orthonormal, whatever was drawn
    torch.testing.assert_close(last, torch.eye(len(last), dtype=torch.float64))
    points = curvature_points(5, 7, 3) * 7
    assert len(points) == 6
    assert (points[:, 0] < 7).all()
    assert (points[:, 1] < 5).all()
    squares = (points // 3).tolist()
    assert sorted(squares) == [[x, y] for x in (0.0, 1.0, 2.0) for y in (0.0, 1.0)]
