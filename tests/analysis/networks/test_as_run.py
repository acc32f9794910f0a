"""A network that is analysed is the module as it runs: the module itself is the oracle, or it is refused."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations, prune, spectral_norm, weight_norm

from fieldlens.analysis import ReluNetwork, relu_network
from fieldlens.configs.errors import InputError
from tests.support.gradient_fields import some
from tests.support.small_networks import field_of
from tests.support.user_networks import encode, sequential


@torch.no_grad()
def analysed(network: ReluNetwork, x: Tensor) -> Tensor:
    """What the network that is analysed gives at points."""
    *_, z = network.preactivations(x)
    return nn.functional.leaky_relu(z, network.negative_slope) @ network.weights[-1].T + network.biases[-1]


def pruned(layer: nn.Linear) -> None:
    prune.l1_unstructured(layer, "weight", 0.5)


@torch.no_grad()
@pytest.mark.filterwarnings("ignore:.*weight_norm.*:FutureWarning")
@pytest.mark.parametrize("train", [True, False])
@pytest.mark.parametrize(
    "change",
    [
        weight_norm,
        spectral_norm,
        pruned,
        parametrizations.weight_norm,
        parametrizations.spectral_norm,
        parametrizations.orthogonal,
    ],
)
def test_weights_that_are_computed_when_a_module_runs_are_those_that_count(
    change: Callable[[Any], Any], train: bool
) -> None:
    model = sequential(2, 12, 12, 3)
    for index in (0, 2, 4):
        change(model[index])
    for name, parameter in model.named_parameters():  # as by a step of training, after which nothing has run
        if "weight" in name:
            parameter.mul_(1.5)
    model.train(train)
    before, flags = copy.deepcopy(model.state_dict()), [part.training for part in model.modules()]
    network, x = relu_network(model), some(40)[0]
    assert [part.training for part in model.modules()] == flags
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, before[name]), name
    torch.testing.assert_close(analysed(network, x), model.eval()(x))


class Residual(nn.Sequential):
    """A Sequential with a forward of its own."""

    def forward(self, input: Tensor) -> Tensor:
        return input + super().forward(input)


class Twice(nn.Sequential):
    """One that runs its layers two times."""

    def forward(self, input: Tensor) -> Tensor:
        return super().forward(input) + super().forward(-input)


class Scaled(nn.Linear):
    """A Linear with a forward of its own."""

    def forward(self, input: Tensor) -> Tensor:
        return 30 * super().forward(input)


class Capped(nn.ReLU):
    """ReLU, but for what is large."""

    def forward(self, input: Tensor) -> Tensor:
        return input.clamp(0, 6)


class Failing(nn.Linear):
    """A Linear that does not run."""

    def forward(self, input: Tensor) -> Tensor:
        raise RuntimeError(f"no {len(input)}\nfor me")


class Listing(nn.Linear):
    """A Linear that gives more than its numbers."""

    def forward(self, input: Tensor) -> Any:
        return [super().forward(input)]


def hooked(index: int | None, register: str, hook: Callable[..., Any]) -> nn.Sequential:
    model = sequential(2, 12, 12, 3)
    getattr(model if index is None else model[index], register)(hook)
    return model


def without_last_layer(model: nn.Sequential) -> nn.Sequential:
    """The same where no hidden neuron counts, as before training starts from zero."""
    nn.init.zeros_(model.get_parameter("4.weight"))
    return model


def double(*given: Any) -> Any:
    return 2 * given[-1] if isinstance(given[-1], Tensor) else tuple(2 * item for item in given[-1])


def plus_five(_layer: nn.Module, _inputs: Any, output: Tensor) -> Tensor:
    return output + 5


FORWARD, BEFORE = "register_forward_hook", "register_forward_pre_hook"


@pytest.mark.parametrize(
    ("module", "sentence"),
    [
        (
            nn.Sequential(nn.Linear(2, 8), nn.ReLU(), Residual(nn.Linear(8, 8)), nn.ReLU(), nn.Linear(8, 1)),
            r"numbers of module 4 differ by up to .*: its module 2, a Residual, has a forward of its own",
        ),
        (nn.Sequential(Scaled(2, 8), nn.ReLU(), nn.Linear(8, 1)), r"of module 0 differ .*module 0, a Scaled"),
        (
            nn.Sequential(nn.Linear(2, 64), Capped(), nn.Linear(64, 1)),
            r"up to 100 times as large, the numbers of module 2 .*module 1, a Capped",
        ),
        (Residual(*sequential(2, 8, 2)), "the network as a whole differ .*the network itself, a Residual"),
        (Twice(*sequential(2, 8, 2)), "Linear modules 0, 2 once each in this order, but 0, 2, 0, 2; .* a Twice"),
        (hooked(0, FORWARD, double), "of module 0 differ .*its module 0 has hooks"),
        (hooked(2, BEFORE, double), "of module 2 differ .*its module 2 has hooks"),
        (hooked(None, FORWARD, double), "the network as a whole differ .*the network itself has hooks"),
        (without_last_layer(hooked(1, FORWARD, double)), "of module 2 differ .*its module 1 has hooks"),
        (
            nn.Sequential(Failing(2, 8), nn.ReLU(), nn.Linear(8, 1)),
            r"float32 numbers .*\(256, 2\): RuntimeError: no 256$",
        ),
        (nn.Sequential(nn.Linear(2, 8), nn.ReLU(), Listing(8, 1)), r"module 2 gives a list where .*\(256, 1\)"),
    ],
)
def test_a_module_that_computes_something_else_is_refused_with_how_much_and_why(
    module: nn.Module, sentence: str
) -> None:
    with pytest.raises(InputError, match=f"(?s){sentence}"):
        relu_network(module)


def test_the_difference_that_is_told_is_that_of_the_numbers() -> None:
    # the one neuron is x + 1 at points of [0, 1]^2, and a hook adds 5
    first = nn.Linear(2, 1)
    with torch.no_grad():
        first.weight.copy_(torch.tensor([[1.0, 0.0]]))
        first.bias.fill_(1)
    first.register_forward_hook(plus_five)
    with pytest.raises(InputError, match=r"differ by up to 5 \(they go up to (1\.9\d|2)\)"):
        relu_network(nn.Sequential(first, nn.ReLU(), nn.Linear(1, 1)))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("sizes", [(2, 16, 1), (2, *[96] * 10, 3)])
def test_rounding_is_no_difference_and_a_thousandth_part_of_a_layer_is(
    sizes: tuple[int, ...], dtype: torch.dtype
) -> None:
    model = sequential(*sizes).to(dtype)
    assert relu_network(model).weights[0].dtype == torch.float32
    part = {torch.float16: 0.1, torch.bfloat16: 0.5}.get(dtype, 1e-3)

    def change(_layer: nn.Module, _inputs: Any, output: Tensor) -> Tensor:
        return (1 + part) * output

    model[0].register_forward_hook(change)
    with pytest.raises(InputError, match="module 0 differ"):
        relu_network(model)


def test_numbers_that_a_type_cannot_hold_are_told() -> None:
    wide, far = sequential(2, 8, 8, 1).half(), sequential(2, 8, 1).double()
    with torch.no_grad():
        wide.get_parameter("0.weight").mul_(6e4)
        wide.get_parameter("2.weight").mul_(6e4)
        far.get_parameter("0.bias").add_(1e6)
    with pytest.raises(InputError, match="of module 2 are too large for float16"):
        relu_network(wide)
    with pytest.raises(InputError, match=r"float32, which is too coarse .*module 0 by up to 0\.03"):
        relu_network(far)


def test_a_module_is_left_as_it_was() -> None:
    class Counting(nn.Linear):
        """A Linear that writes down much, and draws a random number."""

        def __init__(self, inputs: int, outputs: int) -> None:
            super().__init__(inputs, outputs)
            self.register_buffer("seen", torch.zeros(1))
            self.times, self.batches = 0, list[int]()

        def forward(self, input: Tensor) -> Tensor:
            assert not self.training
            self.get_buffer("seen").add_(torch.rand(1))
            self.times += 1
            self.batches.append(len(input))
            return super().forward(input)

    counting = Counting(14, 8)
    model = nn.Sequential(counting, nn.ReLU(inplace=True), nn.Linear(8, 1)).train()
    kept = counting.batches
    handle = model[2].register_forward_hook(lambda *_: None)
    random = torch.get_rng_state()
    network = relu_network(model, encode)
    assert torch.equal(torch.get_rng_state(), random)
    assert all(part.training for part in model.modules())
    assert (counting.get_buffer("seen").item(), counting.times, counting.batches) == (0, 0, [])
    assert counting.batches is kept
    assert all(parameter.grad is None and parameter.requires_grad for parameter in model.parameters())
    handle.remove()
    assert not any(part._forward_hooks for part in model.modules())
    assert network.weights[0].data_ptr() == counting.weight.data_ptr()


def test_weights_made_in_inference_mode_are_plain_ones_after() -> None:
    with torch.inference_mode():
        model = sequential(2, 8, 1)
        inside = relu_network(model)
    for network in (inside, relu_network(model)):
        assert not any(tensor.is_inference() for tensor in (*network.weights, *network.biases))
    assert not inside.weights[0].requires_grad


def test_a_layer_may_stand_in_several_places() -> None:
    shared = nn.Linear(8, 8)
    model = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), shared, nn.ReLU(), shared, nn.ReLU(), nn.Linear(8, 1))
    x = some(20)[0]
    torch.testing.assert_close(analysed(relu_network(model), x), model(x).detach())


def test_a_field_is_compared_with_itself_as_well() -> None:
    field = field_of("fourier:3", "2x8")
    handle = field.mlp.linears[1].register_forward_hook(double)
    with pytest.raises(InputError, match="of layer 2 differ by"):
        relu_network(field)
    handle.remove()
    field.register_forward_hook(double)
    with pytest.raises(InputError, match="the field as a whole differ by"):
        relu_network(field)


@pytest.mark.parametrize("encoding", ["raw:-3..3", "fourier:12", "gaussian:40,features=64", "hashgrid:4", "positional"])
@pytest.mark.parametrize("network", ["2x64,leaky_relu", "6x48,sigmoid"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_field_of_any_precision_is_itself(encoding: str, network: str, dtype: torch.dtype) -> None:
    assert relu_network(field_of(encoding, network).in_precision(dtype)).weights
