"""A multi-layer perceptron on a processor, block of rows by block of rows, forward and backward.

Layer by layer over a whole batch, each layer's activations go out to memory and come back for every operation on them:
8192 rows of 256 neurons are 8 MB, a core's own cache holds 0.5 to 2. Here a block of rows that fits there goes through
all layers at once. Each thread takes rows of its own from the first layer to the last, so threads wait for one another
once in either direction and not at each operation. That is also what a machine shared with others is kinder to.

The sums over rows, the gradients of weights and biases, are sums of blocks in an order that the number of rows and of
threads decides: the same on each run.
"""

import functools
import itertools
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeAlias, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch._C._functorch import peek_interpreter_stack

BLOCK_BYTES = 2**19
"""Of one hidden layer's activations in a block. Half and twice as many are as fast within 5 %."""

LEAST_ROWS = 256
"""In a block of a wide network, and for a thread: with fewer, products spend their time on fetching the weights."""

LEAST_WORK = 2**26
"""Multiplications for a thread, where there are several, about a millisecond: with fewer, waking it costs too much."""

Layers: TypeAlias = list[tuple[Tensor, Tensor]]
"""Weights (out, in) and biases, each pair in the number format of its product."""


def block_rows(width: int, dtype: torch.dtype = torch.float32) -> int:
    """The most rows in a block, for hidden layers of that width and number format.

    >>> block_rows(256), block_rows(256, torch.bfloat16), block_rows(64), block_rows(4096)
    (512, 1024, 2048, 256)
    """
    return max(LEAST_ROWS, BLOCK_BYTES // (dtype.itemsize * width))


def goes_in_blocks(features: Float[Tensor, "n f"], linears: Sequence[nn.Linear], hidden_dtype: torch.dtype) -> bool:
    """Whether it is worth while, and everything is of the kind that `in_blocks` computes with."""
    plain = all(each.device.type == "cpu" and each.dtype == torch.float32 for each in (features, linears[0].weight))
    # torch.func's transforms see through torch's own operations only
    transformed = peek_interpreter_stack() is not None
    rows, threads = len(features), torch.get_num_threads()
    multiplications = rows * sum(layer.weight.numel() for layer in linears)
    enough_for_threads = rows >= threads * LEAST_ROWS and multiplications >= threads * LEAST_WORK
    more_than_a_block = rows > block_rows(linears[0].out_features, hidden_dtype)
    return plain and not transformed and more_than_a_block and (threads == 1 or enough_for_threads)


def in_blocks(
    features: Float[Tensor, "n f"],
    linears: Sequence[nn.Linear],
    negative_slope: float,
    hidden_dtype: torch.dtype,
    again: Callable[[], Tensor],
) -> Float[Tensor, "n c"]:
    """Values of a network of ReLUs, or leaky ones, whose gradients are autograd's to within rounding.

    Args:
        negative_slope: of the hidden layers' activation; 0 for ReLU.
        hidden_dtype: of the products between hidden layers; those of the first and the last are in fp32.
        again: the same values by torch's own operations, which is what gradients of gradients are taken of.
    """
    parameters = [parameter for layer in linears for parameter in (layer.weight, layer.bias)]
    differentiable = torch.is_grad_enabled() and any(each.requires_grad for each in (features, *parameters))
    return cast(Tensor, _InBlocks.apply(features, differentiable, negative_slope, hidden_dtype, again, *parameters))


class _InBlocks(torch.autograd.Function):
    """The pass through all layers as one operation of autograd's."""

    @staticmethod
    def forward(ctx: Any, *arguments: Any) -> Tensor:
        features, differentiable, slope, hidden_dtype, again, *parameters = arguments
        layers = _layers(parameters, hidden_dtype)
        values = features.new_empty(len(features), len(parameters[-1]))
        rows = block_rows(len(parameters[0]), hidden_dtype)

        def part(x: Tensor, out: Tensor) -> list[list[Tensor]]:
            blocks = zip(_even(x, rows), _even(out, rows), strict=True)
            return [_forward(*block, layers, slope, differentiable) for block in blocks]

        parts = _side_by_side(part, features, values)
        if differentiable:
            # the parts' activations are nobody's but ours, so autograd need not guard them as it does the inputs; they
            # stay as long as the values do, for whoever asks for gradients twice
            ctx.save_for_backward(features, *parameters)
            ctx.parts, ctx.slope, ctx.hidden_dtype, ctx.rows, ctx.again = parts, slope, hidden_dtype, rows, again
        return values

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> tuple[Tensor | None, ...]:
        features, *parameters = ctx.saved_tensors
        if torch.is_grad_enabled():  # the gradients are to have gradients
            wanted = [each for each in (features, *parameters) if each.requires_grad]
            found = iter(torch.autograd.grad(ctx.again(), wanted, gradients, create_graph=True))
            first, *others = (next(found) if each.requires_grad else None for each in (features, *parameters))
            return first, None, None, None, None, *others
        layers = _layers(parameters, ctx.hidden_dtype)
        to_features = torch.empty_like(features) if ctx.needs_input_grad[0] else None

        def part(x: Tensor, g: Tensor, into: Tensor, activations: list[list[Tensor]]) -> list[Tensor]:
            sums = [torch.zeros_like(parameter) for parameter in parameters]
            blocks = (_even(each, ctx.rows) for each in (x, g, into))
            for kept, (x_block, g_block, into_block) in zip(activations, zip(*blocks, strict=True), strict=True):
                g_block = _backward(x_block, g_block, kept, layers, ctx.slope, sums)
                if to_features is not None:
                    torch.mm(g_block, layers[0][0], out=into_block)
            return sums

        into = features if to_features is None else to_features
        first, *others = _side_by_side(part, features, gradients[0], into, each_its_own=ctx.parts)
        for other in others:
            for total, addend in zip(first, other, strict=True):
                total.add_(addend)
        return to_features, None, None, None, None, *first


def _layers(parameters: Sequence[Tensor], hidden_dtype: torch.dtype) -> Layers:
    pairs = list(zip(parameters[::2], parameters[1::2], strict=True))
    hidden = [(weight.to(hidden_dtype), bias.to(hidden_dtype)) for weight, bias in pairs[1:-1]]
    return [pairs[0], *hidden, pairs[-1]]


def _forward(x: Tensor, out: Tensor, layers: Layers, slope: float, keep: bool) -> list[Tensor]:
    """Writes a block's values to `out`; gives what each hidden layer handed on, where that is kept."""
    kept, h = [], x
    for (weight, bias), (next_weight, _) in itertools.pairwise(layers):
        h = torch.addmm(bias, h, weight.T)
        h = (torch.nn.functional.leaky_relu_(h, slope) if slope else h.relu_()).to(next_weight.dtype)
        if keep:
            kept.append(h)
    weight, bias = layers[-1]
    torch.addmm(bias, h, weight.T, out=out)
    return kept


def _backward(
    x: Tensor, g: Tensor, kept: list[Tensor], layers: Layers, slope: float, sums: Sequence[Tensor]
) -> Float[Tensor, "n width"]:
    """Adds a block's share to the gradients of weights and biases, in `sums` in turn; gives that of the first layer's
    pre-activations, for a gradient `g` of its values."""
    for index in reversed(range(len(layers))):
        weight, _ = layers[index]
        h = kept[index - 1] if index else x
        if weight.dtype == torch.float32:
            sums[2 * index].addmm_(g.T, h)
        else:
            sums[2 * index].add_(g.T @ h)
        sums[2 * index + 1].add_(g.sum(0, dtype=torch.float32))
        if index:
            g = (g @ weight).to(layers[index - 1][0].dtype)
            # either activation's sign is that of what it was given: what it handed on tells where it has which slope
            if slope:
                torch.ops.aten.leaky_relu_backward.grad_input(g, kept[index - 1], slope, True, grad_input=g)
            else:
                torch.ops.aten.threshold_backward.grad_input(g, kept[index - 1], 0, grad_input=g)
    return g


def _even(rows: Tensor, most: int) -> tuple[Tensor, ...]:
    """Blocks of nearly one size, of at most so many rows."""
    return rows.tensor_split(-(-len(rows) // most))


def _side_by_side(function: Callable[..., Any], *tensors: Tensor, each_its_own: Sequence[Any] | None = None) -> list:
    """What a function gives for consecutive rows of tensors, each thread with its own, in order.

    Args:
        each_its_own: what else it is given, one for each thread.
    """
    threads = torch.get_num_threads() if each_its_own is None else len(each_its_own)
    columns: list[Sequence[Any]] = [tensor.tensor_split(threads) for tensor in tensors]
    if each_its_own is not None:
        columns.append(each_its_own)
    if threads == 1:
        return [function(*(column[0] for column in columns))]

    inference = torch.is_inference_mode_enabled()

    def without_graph(*arguments: Any) -> Any:
        with torch.inference_mode() if inference else torch.no_grad():  # which is a thread's own choice
            return function(*arguments)

    return list(_workers(threads, os.getpid()).map(without_graph, *columns))


@functools.cache
def _workers(threads: int, process: int) -> ThreadPoolExecutor:  # noqa: ARG001  a fork has none of its parent's threads
    """So many threads of a process, whose operations use one thread each."""
    started = threading.Barrier(threads + 1)

    def start() -> None:
        torch.set_num_threads(1)
        started.wait()

    pool, torchs_own = ThreadPoolExecutor(threads, "rows", start), torch.get_num_threads()
    try:
        for _ in range(threads):
            pool.submit(int)
        started.wait()
    except BaseException:  # Ctrl-C, or a thread that cannot be had: those that wait would keep Python from ending
        started.abort()
        pool.shutdown(wait=False)
        raise
    finally:
        torch.set_num_threads(torchs_own)  # each of theirs was also what threads to come would start with
    return pool
