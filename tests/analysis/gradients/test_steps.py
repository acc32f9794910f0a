"""Steps and what they move: against torch's own forward mode, autograd's gradient, and a step really taken."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call, jvp

from fieldlens.analysis import Step, loss_step, loss_step_at, movement, movement_at, relu_network
from fieldlens.configs.errors import InputError
from fieldlens.fields.encodings import HashGridEncoding
from tests.support.gradient_fields import ENCODINGS, NETWORKS, InDouble, some
from tests.support.small_networks import centres, field_of
from tests.support.user_networks import encode, sequential


def random_changes(module: nn.Module) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(2)
    return {name: torch.randn(value.shape, generator=generator) for name, value in module.named_parameters()}


def by_indexing(encoding: HashGridEncoding, rows: Tensor, weights: Tensor) -> Tensor:
    """A hash grid's features: forward mode sees through this, and not through torch's embedding bags."""
    return (encoding.table[rows] * weights[..., None]).sum(-2).flatten(1)


def moved_by_torch(module: nn.Module, changes: dict[str, Tensor], points: Tensor) -> Tensor:
    """J step by torch.func, in the module's precision."""
    parameters = {name: value.detach() for name, value in module.named_parameters()}
    tangents = {name: changes[name].to(value) for name, value in parameters.items()}
    return jvp(lambda values: functional_call(module, values, (points,)), (parameters,), (tangents,))[1]


def gradients_of(module: nn.Module, points: Tensor, targets: Tensor) -> dict[str, Tensor]:
    """Of the mean squared error, by autograd."""
    (module(points) - targets).square().mean().backward()
    return {name: parameter.grad for name, parameter in module.named_parameters() if parameter.grad is not None}


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_movement_is_the_product_with_the_jacobian_that_torch_finds(
    encoding: str, network: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    field = field_of(encoding, network)
    changes = random_changes(field)
    step = Step.of_named(field, changes)
    with monkeypatch.context() as patched:
        patched.setattr(HashGridEncoding, "_gather", by_indexing)
        expected = moved_by_torch(InDouble(field), changes, centres(5, 7)).numpy().reshape(5, 7, 3)
    np.testing.assert_allclose(movement(field, 5, 7, step, dtype=torch.float64), expected, rtol=1e-11)
    np.testing.assert_allclose(movement(field, 5, 7, step), expected, atol=2e-5 * np.abs(expected).max())


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_loss_s_step_is_minus_the_gradient_that_autograd_finds(encoding: str, network: str) -> None:
    field, target = field_of(encoding, network), np.random.default_rng(0).random((5, 7, 3), np.float32)
    expected = gradients_of(InDouble(field), centres(5, 7), torch.from_numpy(target).double().flatten(0, 1))
    found = loss_step(field, target, dtype=torch.float64).named(field)
    assert found.keys() == expected.keys()
    for name, gradient in expected.items():
        np.testing.assert_allclose(found[name], -gradient, atol=1e-12 * float(gradient.abs().max()))


@pytest.mark.parametrize("encoding", ["raw", "fourier:4", "hashgrid:4,finest=40"])
def test_along_a_line_steps_and_movements_are_those_at_its_samples(encoding: str) -> None:
    field, signal = field_of(encoding, channels=1, dim=1), np.random.default_rng(0).random((1, 9, 1), np.float32)
    samples = (torch.arange(9)[:, None] + 0.5) / 9
    step = loss_step(field, signal)
    expected = loss_step_at(field, samples, torch.from_numpy(signal[0]))
    for found, at_samples in zip(step.named(field).values(), expected.named(field).values(), strict=True):
        np.testing.assert_array_equal(found, at_samples)
    np.testing.assert_array_equal(movement(field, 1, 9, step)[0], movement_at(field, samples, step))
    with pytest.raises(InputError, match=r"^this movement is of pictures.*goes from 1 to 1$"):
        movement(field, 2, 9, step)


@pytest.mark.parametrize("bias", [True, False])
def test_a_users_network_has_the_same_steps_and_movements(bias: bool) -> None:
    model, (x, y) = sequential(14, 16, 12, 3, slope=0.1, bias=bias).append(nn.Sigmoid()), some(40)
    network, whole = relu_network(model, encode), nn.Sequential(model)  # named as if within another
    features = encode(x)
    gradients = list(gradients_of(whole, features, y).values())
    step = loss_step_at(network, x, y)
    weights, biases = (gradients[::2], gradients[1::2]) if bias else (gradients, [torch.zeros(n) for n in (16, 12, 3)])
    for found, gradient in zip((*step.weights, *step.biases), (*weights, *biases), strict=True):
        np.testing.assert_allclose(found, -gradient, atol=1e-6)
    changes = {name: -parameter.grad for name, parameter in whole.named_parameters() if parameter.grad is not None}
    expected = moved_by_torch(whole, changes, features)
    np.testing.assert_allclose(movement_at(network, x, step), expected, atol=1e-6)


def test_runs_of_points_leave_steps_and_movements_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    field, target = field_of("hashgrid:4,finest=40"), np.random.default_rng(0).random((9, 9, 3), np.float32)
    whole = loss_step(field, target)
    moved = movement(field, 9, 9, whole)
    monkeypatch.setattr("fieldlens.analysis.gradients.steps.block_rows", lambda *_: 7)
    shares: list[float] = []
    in_runs = loss_step(field, target, progress=shares.append)
    assert len(shares) == 12
    for one, other in zip(in_runs.named(field).values(), whole.named(field).values(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
    np.testing.assert_allclose(movement(field, 9, 9, whole), moved, atol=1e-6)


def test_only_pixels_that_count_have_a_say() -> None:
    field, target = field_of("fourier:3"), np.random.default_rng(0).random((6, 4, 3), np.float32)
    counted = np.zeros((6, 4), bool)
    counted[1:3, 2] = counted[5, 0] = True
    x, y = centres(6, 4)[torch.from_numpy(counted).flatten()], torch.from_numpy(target[counted])
    expected = gradients_of(field, x, y)
    for name, change in loss_step(field, target, counted=counted).named(field).items():
        np.testing.assert_allclose(change, -expected[name], atol=1e-6)
    with pytest.raises(InputError, match="no point"):
        loss_step(field, target, counted=counted & False)


def test_another_loss_has_its_own_step() -> None:
    def absolute(values: Tensor, targets: Tensor) -> Tensor:
        return (values - targets).abs().sum(1)

    field, (x, y) = field_of("fourier:3"), some(20)
    names, parameters = zip(*field.named_parameters(), strict=True)
    gradients = torch.autograd.grad(absolute(field(x), y).mean(), parameters)
    found = loss_step_at(field, x, y, loss=absolute).named(field)
    for name, gradient in zip(names, gradients, strict=True):
        np.testing.assert_allclose(found[name], -gradient, atol=1e-6)


def test_names_and_layers_say_the_same_and_a_scaled_step_moves_as_much_further() -> None:
    field = field_of("hashgrid:2,finest=20", "2x8")
    changes = random_changes(field)
    step = Step.of_named(field, changes)
    assert step.named(field).keys() == changes.keys()
    assert all(change is changes[name] for name, change in step.named(field).items())
    moved = movement(field, 3, 3, step)
    np.testing.assert_allclose(movement(field, 3, 3, step.scaled(-2.5)), -2.5 * moved, rtol=1e-5)


def test_steps_of_other_networks_and_of_no_numbers_are_refused() -> None:
    field, other = field_of("raw", "2x8"), field_of("raw", "3x8")
    step = Step.of_named(field, random_changes(field))
    with pytest.raises(InputError, match="not of this network"):
        movement(other, 2, 2, step)
    with pytest.raises(InputError, match="not finite"):
        movement(field, 2, 2, step.scaled(float("nan")))
    with pytest.raises(InputError, match="targets are not all finite"):
        loss_step(field, np.full((2, 2, 3), np.nan, np.float32))
