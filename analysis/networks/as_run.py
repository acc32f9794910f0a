"""What a module computes when it runs, against what its layers are taken for: a class's name is no promise.

Hooks recompute weights (pruning, weight_norm), a subclass has a forward of its own, a layer runs twice: none of it
shows in a list of layers. So a module is run once, each layer's numbers are written down, and the network that is
analysed must have the same.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from fieldlens.configs.errors import InputError
from fieldlens.fields.features import first_line

from .relu_network import ReluNetwork
from .sequential import Stack, name_of

POINTS = 128
"""Random points of the domain at which networks are compared, and as many inputs on a larger scale."""
REACH = 100.0
"""How much larger those are than the domain's: what is cut off far from zero shows there."""
MOST_ROUNDING = 16
"""How many times the layers' own rounding a difference may be; another order of sums makes one or two."""
TOO_COARSE = 0.01
"""Rounding to fp32 in shares of a layer's range, from which on creases would be of the rounding."""


class TooLargeError(InputError):
    """A network's numbers overflow at points of the domain, as those of a fit that has diverged do."""


@dataclass(frozen=True, eq=False)
class Run:
    """A module's numbers on its way from features to outputs."""

    features: Float[Tensor, "n f"]
    """fp32: those of random points in the domain, then as many that are larger."""
    outputs: Sequence[Any]
    """What each Linear gave in turn, then the module: tensors, if it is as it should be."""
    places: Sequence[str]
    """What gave them, for a sentence."""
    dtype: torch.dtype
    """The type it ran in."""


def probes(features: Float[Tensor, "n f"]) -> Float[Tensor, "2*n f"]:
    """Features of points, and below them as many random ones on a larger scale."""
    generator = torch.Generator().manual_seed(1)
    wide = torch.rand(features.shape, generator=generator, dtype=torch.float32, device="cpu").to(features.device)
    return torch.cat([features, (2 * wide - 1) * features.abs().amax() * REACH])


@contextmanager
def left_as_it_was(module: nn.Module) -> Iterator[None]:
    """Have a module run as it is evaluated, without gradients; then all that it keeps is put back.

    Running writes: hooks set weights, spectral_norm iterates, a layer may count or draw random numbers. What a hook
    does outside of the module is done.
    """
    parts = list(module.modules())
    kept = [({**vars(part)}, {key: value.copy() for key, value in _containers(part)}) for part in parts]
    tensors = [(tensor, tensor.detach().clone()) for tensor in (*module.parameters(), *module.buffers())]
    device = next((tensor.device for tensor, _ in tensors), torch.device("cpu"))
    try:
        with (
            torch.inference_mode(False),
            torch.no_grad(),
            torch.random.fork_rng([device] if device.type == "cuda" else []),
            torch.autocast(device.type, enabled=False),
        ):
            for part in parts:  # not by eval(): where it is a person's own it may do more, such as merge weights
                part.training = False
                part._compiled_call_impl = None  # a compiled run may pass by the hooks that write numbers down
            yield
    finally:
        for part, (attributes, containers) in zip(parts, kept, strict=True):
            vars(part).clear()
            vars(part).update(attributes)
            for key, content in containers.items():  # refilled, for handles of hooks know the very dictionary
                _refill(vars(part)[key], content)
        with torch.no_grad():
            for tensor, before in tensors:
                if not tensor.is_inference() and not torch.equal(tensor, before):
                    tensor.copy_(before)


def _containers(part: nn.Module) -> Iterator[tuple[str, Any]]:
    return ((key, value) for key, value in vars(part).items() if isinstance(value, dict | list | set))


def _refill(container: Any, content: Any) -> None:
    container.clear()
    if isinstance(container, list):
        container.extend(content)
    else:
        container.update(content)


def run(module: nn.Module, stack: Stack, features: Float[Tensor, "n f"]) -> Run:
    """Run a module once, and write down what each of its layers gives.

    Raises:
        InputError: when it cannot be run, or runs other layers or in another order.
    """
    seen: list[tuple[nn.Linear, Any]] = []

    def listen(layer: nn.Linear, _inputs: Any, output: Any) -> None:
        # kept apart, for the activation may overwrite it
        seen.append((layer, output.clone() if isinstance(output, Tensor) else output))

    handles = [layer.register_forward_hook(listen) for layer in dict.fromkeys(stack.linears)]
    try:
        result = module(features.to(stack.dtype))
    except Exception as error:  # hooks and forwards of a person's own: they may raise anything
        raise InputError(
            f"the network cannot be run on {name_of(stack.dtype)} numbers of the shape {tuple(features.shape)}: "
            f"{first_line(error)}"
        ) from error
    finally:
        for handle in handles:
            handle.remove()
    if len(seen) != len(stack.linears) or any(
        one is not other for (one, _), other in zip(seen, stack.linears, strict=True)
    ):
        places = dict(zip(stack.linears, stack.places, strict=True))
        raise InputError(
            f"the network does not run its Linear modules {', '.join(stack.places)} once each in this order, but "
            f"{', '.join(places[layer] for layer, _ in seen) or 'none of them'}; {_likely_cause(module)}"
        )
    return Run(
        features,
        [*(output for _, output in seen), result],
        [*(f"module {place}" for place in stack.places), "the network as a whole"],
        stack.dtype,
    )


@torch.no_grad()
def require_same(network: ReluNetwork, ran: Run, module: nn.Module) -> None:
    """Refuse a module whose numbers are not those of the network that would be analysed instead of it.

    They may differ by rounding. How much that is is measured: what the layers make in the module's own precision, or in
    fp32 if that is coarser, against fp64.

    Raises:
        TooLargeError: where there is nothing to compare.
        InputError: where they differ by more, with how much, where, and a likely cause.
    """
    dtype = torch.float32 if ran.dtype == torch.float64 else ran.dtype
    rounded, exact = (_layer_outputs(network, ran.features.to(kind)) for kind in (dtype, torch.float64))
    for place, found, own, expected in zip(ran.places, ran.outputs, rounded, exact, strict=True):
        if not isinstance(found, Tensor) or found.shape != expected.shape:
            gave = f"the shape {tuple(found.shape)}" if isinstance(found, Tensor) else f"a {type(found).__name__}"
            raise InputError(
                f"{place} gives {gave} where its layers give {tuple(expected.shape)}; {_likely_cause(module)}"
            )
        if not bool(own[:POINTS].isfinite().all()):
            raise TooLargeError(
                f"the numbers of {place} are too large for {name_of(dtype)} at points of the domain, so that there is "
                "nothing to measure; train it in a wider type, or scale its inputs down"
            )
        for rows, where in (
            (slice(POINTS), "in the unit cube of coordinates"),
            (slice(POINTS, None), f"where its inputs are up to {REACH:g} times as large"),
        ):
            held = own[rows].isfinite().all(1)  # what is large may overflow
            here, ours, right = found[rows][held].double(), own[rows][held].double(), expected[rows][held]
            if not len(right):
                continue
            largest, rounding = float(right.abs().max()), float((ours - right).abs().max())
            difference = float((here - right).abs().nan_to_num(torch.inf).max())
            if difference > MOST_ROUNDING * (rounding + torch.finfo(dtype).eps * largest):
                raise InputError(
                    f"the network computes something else than its layers' weights say: {where}, the numbers of "
                    f"{place} differ by up to {difference:.3g} (they go up to {largest:.3g}); {_likely_cause(module)}"
                )
            varies = float((right.amax(0) - right.amin(0)).max())
            if ran.dtype == torch.float64 and rounding > TOO_COARSE * varies:
                raise InputError(
                    f"an analysis is in float32, which is too coarse for this network: {where}, rounding moves the "
                    f"numbers of {place} by up to {rounding:.3g}, and they vary by {varies:.3g} in all; move its "
                    "inputs and biases nearer to zero"
                )


def _layer_outputs(network: ReluNetwork, features: Float[Tensor, "n f"]) -> Iterator[Float[Tensor, "n _"]]:
    """What each layer gives, and then the network, all in the features' type."""
    h = z = features
    for weight, bias in zip(network.weights, network.biases, strict=True):
        z = functional.linear(h, weight.to(h.dtype), bias.to(h.dtype))
        yield z
        h = functional.leaky_relu(z, network.negative_slope)
    yield z.sigmoid() if network.sigmoid_output else z


_LAYERS = (nn.Linear, nn.ReLU, nn.LeakyReLU, nn.Sigmoid, nn.Sequential)


def _likely_cause(module: nn.Module) -> str:
    causes = []
    for place, part in module.named_modules():
        called = f"its module {place}" if place else "the network itself"
        if part._forward_pre_hooks or part._forward_hooks:
            causes.append(f"{called} has hooks, which may change what it is given or gives")
        elif "forward" in vars(part) or (
            isinstance(part, _LAYERS) and type(part).forward not in [kind.forward for kind in _LAYERS]
        ):
            causes.append(f"{called}, a {type(part).__name__}, has a forward of its own")
    what = causes[0] if causes else "a part of it does more than its class says"
    return f"a likely cause: {what}; give the same function as plain Linear and activation modules"
