"""Muon: its iteration against a singular value decomposition, its steps against torch's, its memory through a pause."""

import numpy as np
import pytest
import torch

from fieldlens.configs.encoding import Fourier
from fieldlens.configs.network import Network
from fieldlens.configs.optimizer import Adam, Muon
from fieldlens.fields import build_radiance, hidden_matrices
from fieldlens.fitting import TrainingState, fit
from fieldlens.fitting.muon import Muon as MovesMatrices
from fieldlens.fitting.muon import orthogonalised
from fieldlens.fitting.revive import revive
from tests.support.small_fits import noise, plan, same_bytes, start

NETWORK = Network(8, 4)
MATRICES = [f"mlp.layers.{index}.weight" for index in (1, 2, 3)]


def muon(seed: int = 0) -> TrainingState:
    return start(seed, network=NETWORK, optimizer=Muon())


def after(steps: int, state: TrainingState) -> TrainingState:
    for _ in fit(state, noise(), plan(1e-2, steps=steps), []):
        pass
    return state


@pytest.mark.parametrize("shape", [(6, 6), (4, 9), (9, 4)])
def test_the_iteration_keeps_singular_vectors_and_takes_the_quintic_of_each_value_five_times(
    shape: tuple[int, int],
) -> None:
    matrices = np.random.default_rng(0).normal(size=(3, *shape))
    found = orthogonalised(torch.tensor(matrices, dtype=torch.float32)).numpy()
    for matrix, ours in zip(matrices, found, strict=True):
        u, s, v = np.linalg.svd(matrix, full_matrices=False)
        s = s / np.linalg.norm(s)
        for _ in range(5):
            s = 3.4445 * s - 4.7750 * s**3 + 2.0315 * s**5
        assert ours == pytest.approx(u * s @ v, abs=1e-4)


def test_a_matrix_of_zeros_stays_one() -> None:
    assert not orthogonalised(torch.zeros(1, 3, 3)).any()


def test_steps_are_torch_s_but_for_the_rounding_of_its_bf16() -> None:
    generator = torch.Generator().manual_seed(0)
    start_at = [torch.randn(shape, generator=generator) for shape in ((6, 6), (6, 6), (8, 4), (4, 8))]
    ours, theirs = ([torch.nn.Parameter(value.clone()) for value in start_at] for _ in range(2))
    mine = MovesMatrices({str(index): value for index, value in enumerate(ours)}, 0.1, 0.95, torch.bfloat16)
    its = torch.optim.Muon(theirs, lr=0.1, momentum=0.95, weight_decay=0.0)
    for _ in range(3):
        for one, other in zip(ours, theirs, strict=True):
            one.grad = torch.randn(one.shape, generator=generator)
            other.grad = one.grad.clone()
        mine.step(rate=0.0, share=1.0)
        its.step()
    for one, other, was in zip(ours, theirs, start_at, strict=True):
        assert (one - was).abs().max() > 0.05
        assert torch.allclose(one, other, atol=5e-3)


def test_the_schedule_scales_its_own_rate_and_the_fit_s_rate_does_not() -> None:
    moved = {}
    for rate, share in ((0.1, 1.0), (7.0, 1.0), (0.1, 0.25)):
        matrix = torch.nn.Parameter(torch.zeros(4, 4))
        matrix.grad = torch.eye(4)
        MovesMatrices({"it": matrix}, 0.02, 0.0).step(rate, share)
        moved[rate, share] = matrix.detach()
    assert torch.equal(moved[0.1, 1.0], moved[7.0, 1.0])
    assert torch.allclose(moved[0.1, 0.25], moved[0.1, 1.0] / 4)
    assert torch.allclose(moved[0.1, 1.0].diagonal(), torch.tensor(-0.02), atol=0.005)


def test_it_has_the_matrices_between_hidden_layers_and_adam_all_else() -> None:
    names = {name.removeprefix("moments.") for name in muon().tensors() if name.startswith("moments.")}
    others = {f"mlp.layers.{index}.{part}" for index in range(5) for part in ("weight", "bias")} - set(MATRICES)
    assert names == {f"{name}.momentum" for name in MATRICES} | {
        f"{name}.{kind}" for name in others for kind in ("mean", "mean_square")
    }


def test_of_a_radiance_field_it_has_the_matrices_of_the_field_of_positions_and_not_those_of_colours() -> None:
    field = build_radiance(Fourier(2), None, NETWORK, 4, torch.Generator())
    assert list(hidden_matrices(field)) == [f"position.{name}" for name in MATRICES]
    assert list(hidden_matrices(muon().field)) == MATRICES


def test_the_rest_moves_as_adam_moves_it_and_the_matrices_do_not() -> None:
    by_muon, by_adam = after(1, muon()), after(1, start(network=NETWORK, optimizer=Adam()))
    mine, its = (dict(state.field.named_parameters()) for state in (by_muon, by_adam))
    assert [name for name in mine if not torch.equal(mine[name], its[name])] == MATRICES


def test_a_fit_that_was_stopped_and_restored_has_the_bytes_of_one_that_was_not() -> None:
    paused = after(3, muon())
    other = muon(seed=5)
    other.restore(paused.tensors(), paused.step, paused.seconds)
    assert same_bytes(after(6, other).tensors(), after(6, muon()).tensors())


def test_revival_clears_the_momentum_of_the_revived_and_of_no_other() -> None:
    state = after(3, muon())
    with torch.no_grad():
        state.field.mlp.linears[1].bias[0] = -50
    before = {name: moment.clone() for name, moment in state.optimizer.moments().items()}
    points = noise().batch(torch.Generator(), 32).coordinates
    dead = [~(z > 0).any(0) for z in state.field.preactivations(points)]
    assert revive(state, points, torch.Generator()) >= 1
    moments = state.optimizer.moments()
    for index in (1, 2, 3):
        now, was = (held[f"mlp.layers.{index}.weight.momentum"] for held in (moments, before))
        gone = dead[index][:, None] | dead[index - 1][None, :]
        assert not now[gone].any()
        assert torch.equal(now[~gone], was[~gone])
        assert was[~gone].any()
