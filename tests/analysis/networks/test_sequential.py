"""Networks trained elsewhere: their numbers are those of the same network as a field, or autograd's."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from fieldlens.analysis import cells, count_cells, crease_density, crossings, refined_crossings, relu_network
from fieldlens.analysis.networks.scratch import Scratch
from fieldlens.configs.errors import InputError
from tests.support.gradient_fields import some
from tests.support.small_networks import field_of
from tests.support.user_networks import encode, sequential, sequential_of


@pytest.mark.parametrize("network", ["3x24", "2x16,leaky_relu", "2x16,sigmoid"])
@pytest.mark.parametrize("encoding", ["raw", "fourier:4", "gaussian:3,features=16"])
def test_a_field_and_its_layers_as_a_sequential_have_the_same_creases(encoding: str, network: str) -> None:
    field = field_of(encoding, network)
    ours, theirs = relu_network(field), relu_network(sequential_of(field), field.encoding)
    one, other = crossings(ours, 20, 28), crossings(theirs, 20, 28)
    np.testing.assert_array_equal(one.per_pixel, other.per_pixel)
    np.testing.assert_array_equal(one.live, other.live)
    density, same = crease_density(ours, 20, 28, bend=True), crease_density(theirs, 20, 28, bend=True)
    # a crease on the rim of the band around a point may fall to either side of it in fp32
    assert np.mean(np.abs(density.length - same.length) > 1e-4) < 1e-3
    assert density.bend is not None
    assert same.bend is not None
    assert same.bend.sum() == pytest.approx(density.bend.sum(), rel=1e-3)


@torch.no_grad()
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_tangents_through_a_users_encoding_are_autograds(dtype: torch.dtype, bias: bool) -> None:
    model = sequential(14, 12, 9, 3, slope=0.1, bias=bias).to(dtype)
    x = some(30)[0]
    layers = relu_network(model, encode).preactivations_with_tangents(x, Scratch(x.device))
    seen = [(layer.z.clone(), layer.tangents.clone()) for layer in layers]
    assert len(seen) == 2
    for index, (z, tangents) in enumerate(seen):
        with torch.enable_grad():
            points = x.to(dtype).requires_grad_()
            expected = model[: 2 * index + 1](encode(points))
            gradients = [torch.autograd.grad(column.sum(), points, retain_graph=True)[0] for column in expected.T]
        torch.testing.assert_close(z, expected.detach().float(), rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(tangents, torch.stack(gradients, 1).permute(2, 0, 1).float(), rtol=1e-3, atol=1e-4)


def test_cells_of_a_users_network_are_those_on_paper() -> None:
    first = nn.Linear(2, 2)
    with torch.no_grad():  # creases x = 0 and y = 0.5
        first.weight.copy_(torch.eye(2))
        first.bias.copy_(torch.tensor([0.0, -0.5]))
    model = nn.Sequential(first, nn.ReLU(), nn.Linear(2, 1))
    assert count_cells(relu_network(model)).count == 2
    on_minus_one_to_one = relu_network(model, lambda x: 2 * x - 1)
    found = cells(on_minus_one_to_one)
    assert sorted(found.areas) == pytest.approx([0.125, 0.125, 0.375, 0.375])
    with pytest.raises(InputError, match="straight creases"):
        cells(relu_network(sequential(14, 8, 1), encode))


def test_sequentials_inside_a_sequential_are_unrolled_and_modules_may_recur() -> None:
    flat, relu = sequential(2, 8, 8, 3), nn.ReLU()
    nested = nn.Sequential(nn.Sequential(flat[0], relu), nn.Sequential(flat[2], relu), flat[4])
    for one, other in zip(relu_network(nested).weights, relu_network(flat).weights, strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("octaves", [2, 5, 9])
def test_the_highest_frequency_of_a_users_waves_is_found(octaves: int) -> None:
    def waves(x: Tensor) -> Tensor:
        angle = (math.pi * x[:, :, None] * 2.0 ** torch.arange(octaves)).flatten(1)
        return torch.cat([x, angle.sin(), angle.cos()], 1)

    network = relu_network(sequential(2 + 4 * octaves, 8, 1), waves)
    assert network.highest_frequency == pytest.approx(2.0 ** (octaves - 2), rel=0.02)


def test_waves_that_repeat_with_the_pixels_do_not_deceive_the_search_for_steps() -> None:
    # a crease of cos(2 pi 64 x) at each quarter wave; on pixel corners it is 1 everywhere, half way between them -1
    first = nn.Linear(1, 1)
    nn.init.ones_(first.weight)
    nn.init.zeros_(first.bias)
    network = relu_network(
        nn.Sequential(first, nn.ReLU(), nn.Linear(1, 1)), lambda x: torch.cos(2 * math.pi * 64 * x[:, :1])
    )
    assert not crossings(network, 64, 64).per_pixel.any()
    np.testing.assert_allclose(refined_crossings(network, 64, 64).per_pixel[0], 2)


@pytest.mark.parametrize(
    ("function", "frequency"), [(None, 0.0), (lambda x: 3 * x.flip(1) - 1, 0.0), (lambda x: x * x, 1 / math.pi * 2)]
)
def test_affine_features_have_no_frequency(function: Callable[[Tensor], Tensor] | None, frequency: float) -> None:
    assert relu_network(sequential(2, 4, 1), function).highest_frequency == pytest.approx(frequency, rel=0.01)


def test_coordinates_of_other_dimensions_are_possible() -> None:
    assert relu_network(sequential(3, 4, 1)).weights[0].shape == (4, 3)
    line = relu_network(sequential(2, 4, 1), lambda t: torch.cat([t, t * t], 1), dim=1)
    assert line.encode(torch.rand(5, 1)).shape == (5, 2)
    with pytest.raises(InputError, match=r"takes 3 numbers.*points of 2 coordinates"):
        crossings(relu_network(sequential(3, 4, 1)), 8, 8)


class Own(nn.Module):
    """A network that is no Sequential."""


# torch's own need an engine of the processor; what they are called and where they come from is all that counts
QuantisedLinear = type("Linear", (nn.Identity,), {"__module__": "torch.ao.nn.quantized.dynamic.modules.linear"})

DIVERGED = sequential(2, 4, 1)
for parameter in DIVERGED[2].parameters():
    nn.init.constant_(parameter, math.nan)

MIXED = nn.Sequential(*list(sequential(2, 4, 4, 1, slope=0.1))[:3], *list(sequential(2, 4, 4, 1))[3:])


@pytest.mark.parametrize(
    ("module", "sentence"),
    [
        (Own(), r"^an Own cannot be analysed as it is; give its layers as a torch\.nn\.Sequential"),
        (nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1)), "^module 1 of the network is a Tanh; what can"),
        (nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Dropout(), nn.Linear(4, 1)), "module 2 .* Dropout"),
        (nn.Sequential(nn.Sequential(nn.Linear(2, 4), nn.GELU()), nn.Linear(4, 1)), r"module 0\.1 .* GELU"),
        (nn.Sequential(nn.Linear(2, 4), nn.Sigmoid(), nn.Linear(4, 1)), "module 1 .* Sigmoid"),
        (nn.Sequential(nn.Linear(2, 4), nn.Linear(4, 1)), "module 1 .* is a Linear where an activation belongs"),
        (nn.Sequential(nn.ReLU(), nn.Linear(2, 4)), "module 0 .* is a ReLU where a Linear belongs"),
        (nn.Sequential(nn.Linear(2, 4), nn.ReLU()), "ends with an activation"),
        (nn.Sequential(nn.Linear(2, 4)), "no hidden layer"),
        (nn.Sequential(), "no hidden layer"),
        (nn.Sequential(nn.Sigmoid()), "module 0 .* Sigmoid"),
        (
            nn.Sequential(Own(), *sequential(2, 4, 1)),
            "module 0 .* an Own; .*give what comes before the first Linear as",
        ),
        (nn.Sequential(nn.Linear(2, 4), nn.ELU(), nn.Linear(4, 1)), "module 1 of the network is an ELU"),
        (sequential(2, 4, 1, slope=1.0), "the slope 1 below zero as above it: .* no creases"),
        (torch.fx.symbolic_trace(sequential(2, 4, 1)), r"^a network that torch\.fx has traced cannot be looked into"),
        (MIXED, "the slopes 0 and 0.1 below zero"),
        (nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(5, 1)), "module 2 .* takes 5 numbers.*gives 4"),
        (DIVERGED, "module 2 .* not finite"),
        (sequential(2, 4, 1).to("meta"), "module 0 .* holds shapes and no numbers"),
        (nn.Sequential(nn.LazyLinear(4), nn.ReLU(), nn.LazyLinear(1)), "module 0 .* LazyLinear that has no weights"),
        (sequential(2, 4, 1).to(torch.float8_e5m2), "module 0 .* weights of the type float8_e5m2; .*float16, bfloat16"),
        (nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 1).double()), "types float32 and float64; make"),
        (nn.DataParallel(sequential(2, 4, 1)), r"^a DataParallel wraps the network: give its \.module$"),
        (sequential(2, 4, 1).state_dict(), "^an OrderedDict holds weights and no layers"),
        (nn.Sequential, "^the class Sequential is no network"),
        ("model.pt", "^a str is no network"),
    ],
)
def test_what_cannot_be_analysed_is_told_in_one_sentence(module: Any, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        relu_network(module)


@torch.inference_mode()
def in_inference_mode(x: Tensor) -> Tensor:
    return encode(x)


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        (lambda x: x, r"takes 14 numbers for each point; .* the shape \(1024, 2\)"),
        (lambda x: encode(x.detach()), "derivatives are all zero"),
        (lambda x: encode((9 * x).floor()), "derivatives are all zero"),
        (lambda x: torch.cat([encode(x)[:, :12], x.detach()], 1), "derivatives are all zero"),
        (lambda x: encode(x - x.mean(0)), "other features beside other points"),
        (lambda x: encode(x + torch.rand_like(x)), "other features beside other points, or each time"),
        (lambda x: encode(x) / 0, "not all finite"),
        (in_inference_mode, "cannot be computed and differentiated at points"),
        (lambda x: torch.from_numpy(np.tile(x.numpy(), 7)), "cannot be computed and differentiated at points"),
        (lambda x: encode(x @ torch.eye(3)), r"points of shape \(1024, 2\): RuntimeError: .*torch's operations"),
    ],
)
def test_an_encoding_that_does_not_suit_is_told_in_one_sentence(
    function: Callable[[Tensor], Tensor], sentence: str
) -> None:
    with pytest.raises(InputError, match=sentence):
        relu_network(sequential(14, 8, 1), function)


def test_a_quantised_network_is_told_apart_from_its_namesake() -> None:
    quantised = nn.Sequential(QuantisedLinear(2, 4), nn.ReLU(), nn.Linear(4, 1))
    with pytest.raises(InputError, match=r"^module 0 .* is a quantised Linear,"):
        relu_network(quantised)


def test_a_field_takes_no_second_encoding() -> None:
    with pytest.raises(InputError, match="a field has its own encoding"):
        relu_network(field_of("raw"), encode)
