"""The network that the analysis sees, made of a field or of a module that was trained elsewhere."""

from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fieldlens.configs.errors import InputError
from fieldlens.fields import Field
from fieldlens.fields.features import Features

from .as_run import POINTS, Run, left_as_it_was, probes, require_same, run
from .relu_network import Encode, ReluNetwork
from .sequential import stack_of, with_article


def relu_network(module: nn.Module | Any, encode: Encode | None = None, *, dim: int = 2) -> ReluNetwork:
    """What the analysis sees of a network; it shares the weights where they are fp32 already.

    A network trained elsewhere is a `torch.nn.Sequential` of Linear and ReLU or LeakyReLU in turns, all of one slope,
    with or without a Sigmoid at the end. The analysis gives it image coordinates: pixel centres (i + 0.5) / N, x before
    y, with N pixels along the longer side. Where it was trained on others, or on features of them, `encode` says how
    they come about:

        relu_network(model, lambda x: torch.cat([torch.sin(9 * x), torch.cos(9 * x)], 1))
        relu_network(model, lambda x: 2 * x - 1)    # trained on [-1, 1]

    A Sequential is run once, in evaluation mode and its own precision, its hooks with it, and what each layer gives is
    compared with what is analysed. So weights that a hook or a parametrisation computes (weight_norm, pruning) are
    those that count, and a module that does more than its layers' classes say is refused. All that it keeps is put
    back as it was.

    Args:
        module: a field of this project, or a Sequential.
        encode: for a Sequential, from coordinates (n, dim) to what its first layer takes (n, f): point by point, in
            torch's operations, as it is differentiated. It is given the network's dtype and device. Parameters of its
            own are no part of gradients by the parameters (`confusion`, `kernel`).
        dim: coordinates of a point, where there is an `encode`.

    Raises:
        InputError: when a field's activation is smooth (SIREN), for then it has no creases; when a module is neither,
            or a Sequential of other things (as `stack_of` says); when it computes something else than its layers by
            themselves; when the encoding does not suit it.
    """
    match module:
        case Field():
            if encode is not None:
                raise InputError("a field has its own encoding; leave out encode")
            return _of_field(module)
        case nn.Sequential():
            return _of_sequential(module, encode, dim)
    raise InputError(_why_not(module))


def _why_not(module: Any) -> str:
    """A sentence on what is no Sequential."""
    kind = with_article(module)
    match module:
        case Mapping():
            return f"{kind} holds weights and no layers: load it into the network first, by load_state_dict"
        case torch.jit.ScriptModule():
            return "a network of TorchScript cannot be looked into: give the one that it was made of"
        case torch.fx.GraphModule():  # named as what it was made of, such as Sequential
            return "a network that torch.fx has traced cannot be looked into: give the one that it was made of"
        case nn.Module():
            for name in ("module", "_orig_mod"):  # DataParallel, averages of weights, compiled networks
                if isinstance(vars(module)["_modules"].get(name), nn.Module):
                    return f"{kind} wraps the network: give its .{name}"
            return (
                f"{kind} cannot be analysed as it is; give its layers as a torch.nn.Sequential of Linear and ReLU or "
                "LeakyReLU, and what it does to coordinates before them as encode"
            )
    return f"{f'the class {module.__name__}' if isinstance(module, type) else kind} is no network"


def _of_field(field: Field) -> ReluNetwork:
    mlp, encoding = field.mlp, field.encoding
    if mlp.activation not in ("relu", "leaky_relu"):
        raise InputError(
            f"a network with the activation {mlp.activation!r} is smooth and has no creases to measure; "
            "use relu or leaky_relu for an analysis of creases"
        )
    network = ReluNetwork(
        encode=encoding,
        encode_with_tangents=encoding.value_and_tangents,
        weights=tuple(layer.weight.detach().float() for layer in mlp.linears),
        biases=tuple(layer.bias.detach().float() for layer in mlp.linears),
        negative_slope=mlp.negative_slope,
        sigmoid_output=mlp.output == "sigmoid",
        highest_frequency=encoding.config.highest_frequency,
        grid_resolutions=encoding.config.grid_resolutions,
        encode_second_derivatives=encoding.second_derivatives,
        dim=encoding.dim,
    )
    if network.is_finite:  # of a fit that has diverged it is for the analyses to say so
        require_same(network, _run_of_field(field), field)
    return network


@torch.no_grad()
def _run_of_field(field: Field) -> Run:
    x, mlp = _points(field.encoding.dim, field.device), field.mlp
    hidden = [z.clone() for z in field.preactivations(x)]
    outputs = [*hidden, mlp.linears[-1](mlp.activate(hidden[-1])), field(x)]
    places = [*(f"layer {number}" for number in range(1, len(outputs))), "the field as a whole"]
    return Run(field.encoding(x), outputs, places, field.hidden_dtype)


def _of_sequential(module: nn.Sequential, encode: Encode | None, dim: int) -> ReluNetwork:
    stack = stack_of(module)
    inputs, device = stack.linears[0].in_features, stack.device
    # half precision would not tell the coordinates of pixels apart
    features = Features(encode or (lambda x: x), inputs, torch.promote_types(stack.dtype, torch.float32))
    dim = dim if encode else inputs
    highest_frequency = features.highest_frequency(dim, device)
    with left_as_it_was(module), torch.no_grad():
        ran = run(module, stack, probes(features(_points(dim, device))))
        # read only now: hooks write a layer's weights when it runs
        weights = [_plain(linear.weight) for linear in stack.linears]
        biases = [None if linear.bias is None else _plain(linear.bias) for linear in stack.linears]
    stack.require_finite(weights, biases)
    network = ReluNetwork(
        encode=features,
        encode_with_tangents=features.value_and_tangents,
        weights=tuple(weights),
        biases=tuple(
            weight.new_zeros(len(weight)) if bias is None else bias
            for weight, bias in zip(weights, biases, strict=True)
        ),
        negative_slope=stack.negative_slope,
        sigmoid_output=stack.sigmoid_output,
        highest_frequency=highest_frequency,
        without_bias=frozenset(index for index, bias in enumerate(biases) if bias is None),
        dim=dim,
    )
    require_same(network, ran, module)
    return network


def _points(dim: int, device: torch.device) -> Float[Tensor, "n dim"]:
    """Random points of the domain."""
    generator = torch.Generator().manual_seed(0)
    return torch.rand(POINTS, dim, generator=generator, dtype=torch.float32, device="cpu").to(device)


def _plain(parameter: Tensor) -> Tensor:
    # one made in inference mode could not be differentiated through later
    return (parameter.clone() if parameter.is_inference() else parameter.detach()).float()
