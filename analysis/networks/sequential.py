"""A network trained elsewhere: the layers of a `torch.nn.Sequential`, by their classes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from fieldlens.configs.errors import InputError

DTYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
"""Of weights that an analysis can take."""


@dataclass(frozen=True, eq=False)
class Stack:
    """Hidden layers of one activation, and an output layer."""

    linears: tuple[nn.Linear, ...]
    """The output layer last."""
    places: tuple[str, ...]
    """Where each stands in the network, such as "2", or "1.0" for the first of the second module's."""
    negative_slope: float
    """Slope of the activation where a neuron is off: 0 for ReLU."""
    sigmoid_output: bool
    dtype: torch.dtype
    """Of the weights."""
    device: torch.device

    def require_finite(self, weights: Sequence[Tensor], biases: Sequence[Tensor | None]) -> None:
        """Refuse weights and biases, layer by layer, that are not numbers.

        Raises:
            InputError: when one is infinite or NaN, also because it is too large for fp32.
        """
        for place, *tensors in zip(self.places, weights, biases, strict=True):
            if not all(bool(tensor.isfinite().all()) for tensor in tensors if tensor is not None):
                raise InputError(
                    f"module {place} of the network has weights that are not finite in float32, so that there is "
                    "nothing to measure; its training has diverged"
                )


def stack_of(module: nn.Sequential) -> Stack:
    """The layers of a Sequential, also of Sequentials inside it. Weights are not read: a hook may write them later.

    Raises:
        InputError: when they are not Linear and ReLU or LeakyReLU in turns, Linear first and last (a Sigmoid may
            follow), with one slope, sizes that fit onto each other, and weights of one type on one device.
    """
    parts = list(_unrolled(module))
    sigmoid = len(parts) > 1 and isinstance(parts[-1][1], nn.Sigmoid)
    parts = parts[:-1] if sigmoid else parts
    for place, part in parts:
        if not isinstance(part, nn.Linear | nn.ReLU | nn.LeakyReLU):
            if "quantized" in type(part).__module__:
                raise InputError(
                    f"module {place} of the network is a quantised {type(part).__name__}, whose numbers jump: analyse "
                    "the network as it was before it was quantised"
                )
            before = "give what comes before the first Linear as encode, and " if part is parts[0][1] else ""
            raise InputError(
                f"module {place} of the network is {with_article(part)}; what can be analysed is Linear and ReLU or "
                f"LeakyReLU in turns, with or without a Sigmoid at the end ({before}leave out what does nothing once "
                "trained, such as Dropout)"
            )
    for number, (place, part) in enumerate(parts):
        if isinstance(part, nn.Linear) == bool(number % 2):
            raise InputError(
                f"module {place} of the network is a {type(part).__name__} where "
                f"{'an activation' if number % 2 else 'a Linear'} belongs: Linear and ReLU or LeakyReLU take turns"
            )
    linears = [(place, part) for place, part in parts if isinstance(part, nn.Linear)]
    if parts and len(parts) == 2 * len(linears):
        raise InputError("the network ends with an activation; it should end with a Linear, or a Sigmoid after one")
    if len(linears) < 2:
        raise InputError("the network has no hidden layer, and so no creases: it takes Linear, ReLU, Linear at least")
    _check_sizes(linears)
    dtype, device = _one_type_and_device(linears)
    return Stack(
        tuple(linear for _, linear in linears),
        tuple(place for place, _ in linears),
        _one_slope([part for _, part in parts if not isinstance(part, nn.Linear)]),
        sigmoid,
        dtype,
        device,
    )


def _unrolled(module: nn.Sequential, above: str = "") -> Iterator[tuple[str, nn.Module]]:
    """All modules with their places, such as "2", or "1.0" for the first of the second one's."""
    for number, part in enumerate(module):
        if isinstance(part, nn.Sequential):
            yield from _unrolled(part, f"{above}{number}.")
        else:
            yield f"{above}{number}", part


def _check_sizes(linears: list[tuple[str, nn.Linear]]) -> None:
    for place, linear in linears:
        if any(nn.parameter.is_lazy(parameter) for parameter in linear.parameters()):
            raise InputError(
                f"module {place} of the network is a {type(linear).__name__} that has no weights yet: run the network "
                "on some inputs first"
            )
        if not linear.in_features or not linear.out_features:
            raise InputError(
                f"module {place} of the network is a Linear from {linear.in_features} numbers to {linear.out_features}"
            )
    for (_, before), (place, after) in pairwise(linears):
        if before.out_features != after.in_features:
            raise InputError(
                f"module {place} of the network takes {after.in_features} numbers, and the layer before it gives "
                f"{before.out_features}"
            )


def _one_type_and_device(linears: list[tuple[str, nn.Linear]]) -> tuple[torch.dtype, torch.device]:
    parameters = [(place, parameter) for place, linear in linears for parameter in linear.parameters()]
    for place, parameter in parameters:
        if parameter.is_meta:
            raise InputError(
                f"module {place} of the network is on the device meta, which holds shapes and no numbers: load the "
                "weights first"
            )
        if parameter.layout != torch.strided:
            raise InputError(f"module {place} of the network has sparse weights; make them dense, by to_dense()")
        if parameter.dtype not in DTYPES:
            raise InputError(
                f"module {place} of the network has weights of the type {name_of(parameter.dtype)}; those that can be "
                f"analysed are of {', '.join(map(name_of, DTYPES))}"
            )
    for what, found, remedy in (
        ("of the types", {name_of(parameter.dtype) for _, parameter in parameters}, "float()"),
        ("on the devices", {str(parameter.device) for _, parameter in parameters}, "to(device)"),
    ):
        if len(found) > 1:
            raise InputError(
                f"the network's weights are {what} {' and '.join(sorted(found))}; make them one, as by "
                f"model.{remedy}, and analyse that"
            )
    return parameters[0][1].dtype, parameters[0][1].device


def with_article(thing: object) -> str:
    """What kind of thing it is.

    >>> with_article(torch.nn.ELU())
    'an ELU'
    """
    kind = type(thing).__name__
    return f"{'an' if kind[0] in 'AEIOU' else 'a'} {kind}"


def name_of(dtype: torch.dtype) -> str:
    """A type of numbers, such as float32."""
    return str(dtype).removeprefix("torch.")


def _one_slope(activations: list[nn.Module]) -> float:
    slopes = sorted({part.negative_slope if isinstance(part, nn.LeakyReLU) else 0.0 for part in activations})
    if len(slopes) > 1:
        listed = " and ".join(f"{slope:g}" for slope in slopes)
        raise InputError(
            f"the network's activations have the slopes {listed} below zero (0 is ReLU); an analysis takes one for all"
        )
    if slopes[0] == 1:
        raise InputError(
            "the network's activations have the slope 1 below zero as above it: they change nothing, and so there are "
            "no creases"
        )
    return slopes[0]
