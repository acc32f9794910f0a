"""Gradients of networks trained elsewhere, and of other losses: against autograd and torch.func."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call, jacrev
from torch.nn import functional

from fieldlens.analysis import confusion, kernel, relu_network
from fieldlens.configs.errors import InputError
from tests.support.gradient_fields import COLLIDING, some
from tests.support.small_networks import field_of
from tests.support.user_networks import encode, sequential, sequential_of


def squared(outputs: Tensor, targets: Tensor) -> Tensor:
    return (outputs - targets).square().mean(1)


def autograd_cosines(
    function: Callable[[Tensor], Tensor],
    parameters: list[Tensor],
    points: Tensor,
    targets: Tensor,
    loss: Callable[[Tensor, Tensor], Tensor] = squared,
) -> tuple[Tensor, Tensor]:
    """Inner products and cosines of all pairs, from one backward pass for each point."""
    rows = [
        torch.cat([part.flatten() for part in torch.autograd.grad(one, parameters, retain_graph=True)])
        for one in loss(function(points), targets)
    ]
    gradients = torch.stack(rows).double()
    i, j = torch.triu_indices(len(points), len(points), 1)
    return (gradients[i] * gradients[j]).sum(1), functional.cosine_similarity(gradients[i], gradients[j])


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("slope", [0.0, 0.2])
def test_confusion_of_a_users_network_is_autograds(slope: float, bias: bool) -> None:
    model, (x, y) = sequential(14, 16, 12, 3, slope=slope, bias=bias), some(12)
    model.append(nn.Sigmoid())
    products, cosines = autograd_cosines(lambda x: model(encode(x)), list(model.parameters()), x, y)
    network = relu_network(model, encode)
    every = confusion(network, x, y)
    np.testing.assert_allclose(every.inner_product, products, atol=2e-5 * float(products.abs().max()))
    np.testing.assert_allclose(every.cosine, cosines, atol=2e-5)
    listed = confusion(network, x, y, pairs=(torch.from_numpy(every.second), torch.from_numpy(every.first)))
    np.testing.assert_allclose(listed.cosine, cosines, atol=2e-5)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_kernel_of_a_users_network_is_the_product_of_jacobians(dtype: torch.dtype, bias: bool) -> None:
    model, x = sequential(14, 16, 12, 3, slope=0.1, bias=bias).to(dtype), some(10)[0]
    parameters = {name: parameter.detach() for name, parameter in model.named_parameters()}
    features = encode(x.to(dtype))
    parts = jacrev(lambda values: functional_call(model, values, (features,)))(parameters)
    J = torch.cat([part.transpose(0, 1).flatten(0, 1).flatten(1) for part in parts.values()], 1).double()
    found = kernel(relu_network(model, encode), x).matrix
    np.testing.assert_allclose(found, (J @ J.T).numpy(), atol=1e-5 * float(J.square().sum(1).max()))


@pytest.mark.parametrize("encoding", ["raw", "fourier:4", "gaussian:3,features=16"])
def test_a_field_and_its_layers_as_a_sequential_have_the_same_gradients(encoding: str) -> None:
    field, (x, y) = field_of(encoding, "2x16,leaky_relu"), some(20)
    network = relu_network(sequential_of(field), field.encoding)
    ours, theirs = confusion(field, x, y), confusion(network, x, y)
    np.testing.assert_array_equal(ours.cosine, theirs.cosine)
    np.testing.assert_array_equal(kernel(field, x).matrix, kernel(network, x).matrix)


@pytest.mark.parametrize("encoding", ["raw", COLLIDING])
def test_what_relu_network_makes_of_a_field_has_the_fields_gradients(encoding: str) -> None:
    field, (x, y) = field_of(encoding), some(20)
    np.testing.assert_array_equal(confusion(field, x, y).cosine, confusion(relu_network(field), x, y).cosine)


def test_parameters_of_a_users_encoding_are_left_out() -> None:
    front, model, (x, y) = nn.Linear(2, 6), sequential(6, 10, 3), some(8)

    def learnt(x: Tensor) -> Tensor:
        return torch.sin(front(x))

    _, cosines = autograd_cosines(lambda x: model(learnt(x)), list(model.parameters()), x, y)
    np.testing.assert_allclose(confusion(relu_network(model, learnt), x, y).cosine, cosines, atol=2e-5)


def absolute(outputs: Tensor, targets: Tensor) -> Tensor:
    return (outputs - targets).abs().sum(1)


def huber(outputs: Tensor, targets: Tensor) -> Tensor:
    return functional.huber_loss(outputs, targets, reduction="none", delta=0.2).mean(1)


def logarithmic(outputs: Tensor, targets: Tensor) -> Tensor:
    return functional.binary_cross_entropy_with_logits(outputs, targets, reduction="none").sum(1)


@pytest.mark.parametrize("network", ["3x24", "2x16,sine", "2x16,sigmoid"])
@pytest.mark.parametrize("loss", [squared, absolute, huber, logarithmic])
def test_any_loss_that_is_a_sum_over_points_has_autograds_gradients(
    loss: Callable[[Tensor, Tensor], Tensor], network: str
) -> None:
    field, (x, y) = field_of("fourier:3", network), some(10)
    products, cosines = autograd_cosines(field, list(field.parameters()), x, y, loss)
    found = confusion(field, x, y, loss=loss)
    np.testing.assert_allclose(found.inner_product, products, atol=2e-5 * float(products.abs().max()))
    np.testing.assert_allclose(found.cosine, cosines, atol=2e-5)
    slopes = torch.autograd.grad(loss(values := field(x).detach().requires_grad_(), y).sum(), values)[0]
    expected = functional.cosine_similarity(slopes[found.first], slopes[found.second])
    np.testing.assert_allclose(found.residual_cosine, expected, atol=1e-5)


def test_a_loss_that_mixes_points_is_refused() -> None:
    with pytest.raises(InputError, match="one number for each point"):
        confusion(field_of("raw"), *some(5), loss=lambda outputs, targets: (outputs - targets).square().mean())


def test_layers_without_bias_have_no_gradient_by_one() -> None:
    # f = relu(x): the gradient by both weights at x > 0 is (x, x), so that cosines are 1 and products 2 x x'
    model = nn.Sequential(nn.Linear(1, 1, bias=False), nn.ReLU(), nn.Linear(1, 1, bias=False))
    for parameter in model.parameters():
        nn.init.ones_(parameter)
    found = kernel(relu_network(model), torch.tensor([[0.5], [1.0], [-1.0]]))
    np.testing.assert_allclose(found.matrix, [[0.5, 1, 0], [1, 2, 0], [0, 0, 0]])
