"""Fields: how they start, what they compute, and in which precision."""

import copy
import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from fieldlens.configs.encoding import Encoding, Fourier, Gaussian, HashGrid, Raw
from fieldlens.configs.network import Network
from fieldlens.fields import Field, build
from fieldlens.fields.field import SINE_RATE


def make(network: Network, encoding: Encoding | None = None, seed: int = 0) -> Field:
    return build(encoding or Fourier(3), network, 2, 3, torch.Generator().manual_seed(seed))


def points(n: int = 64) -> Tensor:
    return torch.rand(n, 2, generator=torch.Generator().manual_seed(9))


# --- start


def test_layers_have_the_sizes_of_the_choice() -> None:
    field = make(Network(width=16, depth=3))
    sizes = [(layer.in_features, layer.out_features) for layer in field.mlp.linears]
    assert sizes == [(12, 16), (16, 16), (16, 16), (16, 3)]


@pytest.mark.parametrize("activation", ["relu", "leaky_relu"])
def test_weights_and_biases_start_with_pytorch_s_distribution(activation) -> None:
    field = make(Network(width=200, depth=2, activation=activation))
    torch.manual_seed(0)
    for ours in field.mlp.linears:
        theirs = [nn.Linear(ours.in_features, ours.out_features) for _ in range(20)]
        for name in ("weight", "bias"):
            mine = getattr(ours, name).detach()
            bound = torch.stack([getattr(layer, name).detach() for layer in theirs]).abs().max()
            assert mine.abs().max() <= bound * 1.01
            if mine.numel() >= 200:  # enough for moments: those of a uniform distribution, compared with theirs
                reference = torch.stack([getattr(layer, name).detach() for layer in theirs])
                assert mine.abs().max() > 0.95 * bound
                assert mine.mean().abs() < 4 * bound / math.sqrt(3 * mine.numel())
                torch.testing.assert_close(mine.std(), reference.std(), rtol=0.12, atol=0)
                torch.testing.assert_close((mine**4).mean(), (reference**4).mean(), rtol=0.3, atol=0)


def test_a_spread_multiplies_the_first_layer_s_biases_and_nothing_else() -> None:
    as_ever, spread = make(Network(width=9, depth=2)), make(Network(width=9, depth=2, bias_spread=3))
    for (name, one), other in zip(as_ever.named_parameters(), spread.parameters(), strict=True):
        torch.testing.assert_close(other, one * (3 if name == "mlp.layers.0.bias" else 1))


def test_siren_starts_with_sitzmann_s_bounds() -> None:
    field = make(Network(width=256, depth=3, activation="sine"), Raw())
    first, *others = field.mlp.linears
    assert 0.98 / 2 < first.weight.abs().max() <= 1 / 2
    for layer in others:
        bound = math.sqrt(6 / 256) / 30
        assert 0.98 * bound < layer.weight.abs().max() <= bound


def test_siren_s_hidden_layers_keep_their_variance() -> None:
    # Sitzmann et al., theorem 1.8: 30 z is normal with deviation 1 in every hidden layer after the first. The biases,
    # uniform in +-1/sqrt(width), add 30^2 / (3 width) to the variance.
    width = 2048
    field = make(Network(width=width, depth=4, activation="sine"), Raw())
    for layer in field.mlp.linears:
        nn.init.zeros_(layer.bias)
    _, *deeper = field.preactivations(points(128))
    for z in deeper:
        assert (SINE_RATE * z).std().item() == pytest.approx(1, abs=0.1)


def test_a_field_follows_from_its_generator_alone() -> None:
    network = Network(width=8, depth=2)
    one, same, other = (make(network, Gaussian(2.0, 8), seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not any(torch.equal(one[name], other[name]) for name in one)


# --- values


@pytest.mark.parametrize("output", ["linear", "sigmoid"])
@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "sine"])
def test_values_are_those_of_the_formula(activation, output) -> None:
    field = make(Network(width=8, depth=2, activation=activation, output=output), Raw((0.0, 1.0)))
    x = points()
    activate = {
        "relu": lambda z: z.clamp(min=0),
        "leaky_relu": lambda z: torch.where(z > 0, z, 0.01 * z),
        "sine": lambda z: (30 * z).sin(),
    }[activation]
    h = x.double()
    for index, layer in enumerate(field.mlp.linears):
        z = h @ layer.weight.double().T + layer.bias.double()
        h = z if index == 2 else activate(z)
    expected = 1 / (1 + (-h).exp()) if output == "sigmoid" else h
    torch.testing.assert_close(field(x).double(), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("shape", [(), (1,), (0,), (5,), (3, 4), (2, 0, 3)])
@pytest.mark.parametrize("encoding", [Raw(), HashGrid(2, base=2, finest=4)], ids=str)
def test_points_may_come_in_any_shape(encoding: Encoding, shape: tuple[int, ...]) -> None:
    field, x = make(Network(width=4, depth=1), encoding), torch.rand(*shape, 2)
    values = field(x)
    assert values.shape == (*shape, 3)
    torch.testing.assert_close(values.reshape(-1, 3), field(x.reshape(-1, 2)))


def test_a_net_on_paper() -> None:
    # |x - 1/4| by two neurons: relu(x - 1/4) + relu(1/4 - x)
    field = build(Raw((0.0, 1.0)), Network(width=2, depth=1), 1, 1, torch.Generator())
    first, last = field.mlp.linears
    first.weight.data, first.bias.data = torch.tensor([[1.0], [-1.0]]), torch.tensor([-0.25, 0.25])
    last.weight.data, last.bias.data = torch.ones(1, 2), torch.zeros(1)
    x = torch.tensor([[0.0], [0.25], [0.75]])
    assert field(x).flatten().tolist() == [0.25, 0.0, 0.5]
    (z,) = field.preactivations(x)
    assert z.tolist() == [[-0.25, 0.25], [0.0, 0.0], [0.5, -0.5]]


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "sine"])
def test_preactivations_are_those_of_the_forward_pass(activation) -> None:
    field = make(Network(width=8, depth=3, activation=activation))
    seen: list[Tensor] = []

    def see(layer: nn.Module, given: tuple[Tensor], z: Tensor) -> None:
        seen.append(z.clone())

    for layer in field.mlp.linears[:1]:  # the hidden products bypass the layers' own call
        layer.register_forward_hook(see)
    x = points()
    values, layers = field(x), list(field.preactivations(x))
    assert [tuple(z.shape) for z in layers] == [(64, 8)] * 3
    assert torch.equal(seen[0], layers[0])
    torch.testing.assert_close(field.mlp.linears[-1](field.mlp.activate(layers[-1])), values)


def test_preactivations_come_one_layer_at_a_time() -> None:
    field = make(Network(width=8, depth=3))
    called: list[int] = []
    for index, layer in enumerate(field.mlp.linears):
        layer.register_forward_hook(lambda *_, index=index: called.append(index))
    layers = field.preactivations(points())
    for index in range(3):
        next(layers)
        assert called == list(range(index + 1))


# --- precision


def test_bf16_is_close_to_fp32_and_its_values_are_fp32() -> None:
    field = make(Network(width=32, depth=3))
    exact, rounded = field(points()), field.in_precision(torch.bfloat16)(points())
    assert rounded.dtype == torch.float32
    assert not torch.equal(exact, rounded)
    torch.testing.assert_close(rounded, exact, rtol=0, atol=0.02 * exact.abs().max().item())


def test_bf16_rounds_nothing_before_the_hidden_products_and_nothing_after() -> None:
    field = make(Network(width=32, depth=2))
    x, bf16 = points(), torch.bfloat16
    first, hidden, last = field.mlp.linears
    h = functional.relu(first(field.encoding(x))).to(bf16)
    h = functional.relu(functional.linear(h, hidden.weight.to(bf16), hidden.bias.to(bf16)))
    assert torch.equal(field.in_precision(bf16)(x), last(h.float()))
    # values between the steps of bf16: the last layer was not rounded
    assert not torch.equal(field.in_precision(bf16)(x), field.in_precision(bf16)(x).to(bf16).float())


def test_bf16_tells_neighbouring_pixels_of_a_large_picture_apart() -> None:
    field = make(Network(width=32, depth=2), Raw((0.0, 4096.0)))
    neighbours = torch.tensor([[0.9, 0.5], [0.9 + 1 / 4096, 0.5]])
    assert torch.equal(*neighbours.to(torch.bfloat16)), "they are one in bf16"
    one, other = field.in_precision(torch.bfloat16)(neighbours)
    assert not torch.equal(one, other)


@pytest.mark.parametrize("encoding", [Fourier(3), HashGrid(2, base=2, finest=8)], ids=str)
def test_bf16_gradients_arrive_at_fp32_weights(encoding: Encoding) -> None:
    field = make(Network(width=32, depth=3, activation="leaky_relu"), encoding)
    exact = copy.deepcopy(field)
    field.in_precision(torch.bfloat16)(points()).square().mean().backward()
    exact(points()).square().mean().backward()
    for (name, ours), theirs in zip(field.named_parameters(), exact.parameters(), strict=True):
        assert ours.dtype == torch.float32
        assert ours.grad is not None and theirs.grad is not None, name  # noqa: PT018
        assert ours.grad.dtype == torch.float32
        similarity = functional.cosine_similarity(ours.grad.flatten(), theirs.grad.flatten(), 0)
        assert similarity > 0.99, name
