"""The network in blocks of rows: its values and gradients are autograd's, on any number of threads."""

import copy
import os
import threading
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from fieldlens.configs.encoding import Encoding, Fourier, HashGrid
from fieldlens.configs.network import Network
from fieldlens.fields import Field, blocks, build

ROWS = 331
"""No multiple of a block's, so that blocks and threads get unequal shares."""


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "LEAST_ROWS", 16)
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 1)
    monkeypatch.setattr(blocks, "LEAST_WORK", 1)


@pytest.fixture(params=[1, 2, 3])
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def make(network: Network, encoding: Encoding | None = None) -> Field:
    return build(encoding or Fourier(3), network, 2, 3, torch.Generator().manual_seed(4))


def points(n: int = ROWS) -> Tensor:
    return torch.rand(n, 2, generator=torch.Generator().manual_seed(9))


def in_double(field: Field, x: Tensor) -> tuple[Tensor, list[Tensor]]:
    """Values in fp64 by the formula, and the gradients of the mean of their squares that autograd finds."""
    parameters = [p.detach().double().requires_grad_() for p in field.mlp.parameters()]
    h = field.encoding(x).detach().double()
    for index in range(0, len(parameters), 2):
        z = h @ parameters[index].T + parameters[index + 1]
        last = index == len(parameters) - 2
        h = z if last else torch.where(z > 0, z, field.mlp.negative_slope * z)
    h = torch.sigmoid(h) if field.mlp.output == "sigmoid" else h
    return h.detach(), list(torch.autograd.grad(h.square().mean(), parameters))


@pytest.mark.parametrize("depth", [1, 3])
@pytest.mark.parametrize(("activation", "output"), [("relu", "linear"), ("leaky_relu", "linear"), ("relu", "sigmoid")])
def test_values_and_gradients_are_those_of_autograd_in_fp64(threads: int, activation, output, depth: int) -> None:
    field, x = make(Network(24, depth, activation, output)), points()
    assert blocks.goes_in_blocks(field.encoding(x), field.mlp.linears, torch.float32)
    values = field(x)
    values.square().mean().backward()
    expected, gradients = in_double(field, x)
    torch.testing.assert_close(values.double(), expected, rtol=1e-5, atol=1e-6)
    for parameter, gradient in zip(field.parameters(), gradients, strict=True):
        assert parameter.grad is not None
        torch.testing.assert_close(parameter.grad.double(), gradient, rtol=1e-4, atol=1e-7)


def test_as_many_rows_as_a_block_has_go_through_layer_by_layer() -> None:
    field = make(Network(24, 2))
    assert not blocks.goes_in_blocks(field.encoding(points(16)), field.mlp.linears, torch.float32)
    assert blocks.goes_in_blocks(field.encoding(points(17)), field.mlp.linears, torch.float32)


def test_little_work_is_not_handed_to_threads(threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    field = make(Network(24, 2))
    work = ROWS * (12 * 24 + 24 * 24 + 24 * 3)
    for least, goes in ((work // threads, True), (work // threads + 1, threads == 1)):
        monkeypatch.setattr(blocks, "LEAST_WORK", least)
        assert blocks.goes_in_blocks(field.encoding(points()), field.mlp.linears, torch.float32) == goes


def test_what_an_encoding_learns_gets_its_gradients(threads: int) -> None:
    field = make(Network(24, 2), HashGrid(2, base=2, finest=8))
    other, x = copy.deepcopy(field), points()
    field(x).square().mean().backward()
    # few rows at a time go layer by layer, and gradients add up
    for few in x.split(16):
        (other(few).square().sum() / (3 * ROWS)).backward()
    for (name, ours), theirs in zip(field.named_parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(ours.grad, theirs.grad, rtol=1e-4, atol=1e-7, msg=name)


@pytest.mark.parametrize("depth", [1, 3])
def test_bf16_rounds_where_layer_by_layer_does(threads: int, depth: int) -> None:
    field = make(Network(32, depth)).in_precision(torch.bfloat16)
    other, x = copy.deepcopy(field), points()
    values = field(x)
    values.square().mean().backward()
    few = [other(part) for part in x.split(16)]
    torch.testing.assert_close(values, torch.cat(few), rtol=0, atol=0.01 * values.detach().abs().max().item())
    torch.cat(few).square().mean().backward()
    for (name, ours), theirs in zip(field.named_parameters(), other.parameters(), strict=True):
        assert ours.grad is not None and theirs.grad is not None, name  # noqa: PT018
        assert ours.grad.dtype == torch.float32
        assert (ours.grad - theirs.grad).norm() < 0.01 * theirs.grad.norm(), name


def test_gradients_have_the_same_bytes_each_time(threads: int) -> None:
    field, x = make(Network(24, 3)), points()
    once, again = (torch.autograd.grad(field(x).square().mean(), list(field.parameters())) for _ in range(2))
    assert all(torch.equal(one, other) for one, other in zip(once, again, strict=True))


def test_gradients_of_gradients_are_those_of_a_network_on_paper() -> None:
    # f = v relu(w x): where it is on, df/dx = v w, whose derivatives are v and w
    field = build(Fourier(1), Network(1, 1), 1, 1, torch.Generator())
    first, last = field.mlp.linears
    first.weight.data, last.weight.data = torch.tensor([[2.0, 0.0]]), torch.tensor([[5.0]])
    for layer in field.mlp.linears:
        torch.nn.init.zeros_(layer.bias)
    features = torch.ones(128, 2, requires_grad=True)
    (slope,) = torch.autograd.grad(field.mlp(features).sum(), features, create_graph=True)
    assert slope[:, 0].unique().item() == 10
    to_first, to_last = torch.autograd.grad(slope[:, 0].mean(), [first.weight, last.weight])
    assert to_first.tolist() == [[5.0, 0.0]]
    assert to_last.item() == 2


def test_transforms_of_torch_func_see_through_it() -> None:
    field, x = make(Network(24, 2)), points()
    tangents, expected = (torch.func.jvp(field, (few,), (torch.ones_like(few),))[1] for few in (x, x[:16]))
    torch.testing.assert_close(tangents[:16], expected)


def test_a_frozen_weight_gets_no_gradient_and_the_others_do(threads: int) -> None:
    field = make(Network(24, 2))
    frozen = field.mlp.linears[1].weight.requires_grad_(False)
    field(points()).sum().backward()
    assert [p is frozen for p in field.parameters()] == [p.grad is None for p in field.parameters()]


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_values_without_gradients_are_the_same(threads: int, mode: type[torch.no_grad | torch.inference_mode]) -> None:
    field, x = make(Network(24, 3)), points()
    with mode():
        values = field(x)
    assert not values.requires_grad
    assert torch.equal(values, field(x))


def test_a_mistake_in_a_thread_is_raised(threads: int) -> None:
    field = make(Network(24, 2))
    with pytest.raises(RuntimeError):
        field.mlp(torch.rand(ROWS, 11))


def test_a_forked_process_has_threads_of_its_own() -> None:
    ours = blocks._workers(2, os.getpid())
    assert blocks._workers(2, os.getpid()) is ours
    assert blocks._workers(2, os.getpid() + 1) is not ours


def test_a_pool_that_is_interrupted_while_it_starts_leaves_no_thread_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    class Interrupted(threading.Barrier):
        def wait(self, timeout: float | None = None) -> int:
            if threading.current_thread() is threading.main_thread():
                raise KeyboardInterrupt
            return super().wait(timeout)

    blocks._workers.cache_clear()
    monkeypatch.setattr(threading, "Barrier", Interrupted)
    before, threads = set(threading.enumerate()), torch.get_num_threads()
    with pytest.raises(KeyboardInterrupt):
        blocks._workers(3, os.getpid())
    for thread in set(threading.enumerate()) - before:
        thread.join(timeout=10)
        assert not thread.is_alive()
    assert torch.get_num_threads() == threads


def test_threads_that_others_start_have_as_many_of_torch_s_as_before(threads: int) -> None:
    blocks._workers.cache_clear()
    make(Network(24, 2))(points())
    seen: list[int] = []
    thread = threading.Thread(target=lambda: seen.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    assert [*seen, torch.get_num_threads()] == [threads, threads]
