"""The average of a fit's weights: against the sum it stands for, through a pause, and in what is drawn of it."""

import numpy as np
import pytest
import torch
from torch import Tensor

from fieldlens.configs.encoding import Fourier, HashGrid
from fieldlens.configs.network import Network
from fieldlens.configs.optimizer import Muon
from fieldlens.fields import build_radiance
from fieldlens.fitting import TrainingState, fit
from fieldlens.fitting.averaging import with_own_parameters
from fieldlens.fitting.revive import revive
from tests.support.small_fits import noise, plan, same_bytes, start

NETWORK = Network(8, 4)


def averaged(seed: int = 0, share: float = 0.25) -> TrainingState:
    return start(seed, network=NETWORK, optimizer=Muon(), average=share)


def after(steps: int, state: TrainingState, share: float = 0.25) -> TrainingState:
    for _ in fit(state, noise(), plan(1e-2, steps=steps, average=share), []):
        pass
    return state


def trained_weights(steps: int) -> tuple[TrainingState, list[dict[str, Tensor]]]:
    """A fit, and its weights after each step."""
    state, seen = averaged(), []
    for moment in fit(state, noise(), plan(1e-2, steps=steps, average=0.25), range(1, steps + 1)):
        if moment.step:
            seen.append({name: value.detach().clone() for name, value in state.trained.named_parameters()})
    return state, seen


def test_it_is_the_polynomially_weighted_mean_of_the_weights_after_each_step() -> None:
    state, seen = trained_weights(9)
    # with eta = 3 the weights of step t count (t + 1) (t + 2) t: the recursion written out
    counts = np.array([step * (step + 1) * (step + 2) for step in range(1, 10)], dtype=float)
    for name, value in state.field.named_parameters():
        stacked = torch.stack([weights[name] for weights in seen]).double().numpy()
        mean = np.tensordot(counts / counts.sum(), stacked, 1)
        assert value.detach().numpy() == pytest.approx(mean, abs=1e-6)
    assert any(not torch.equal(a, b) for a, b in zip(state.field.parameters(), state.trained.parameters(), strict=True))


def test_over_all_steps_it_is_their_plain_mean() -> None:
    state, seen = start(average=1), []
    for moment in fit(state, noise(), plan(1e-2, steps=5, average=1), range(1, 6)):
        if moment.step:
            seen.append(state.trained.mlp.linears[0].weight.detach().clone())
    assert torch.allclose(state.field.mlp.linears[0].weight, torch.stack(seen).mean(0), atol=1e-6)


def test_training_is_the_same_whatever_is_averaged() -> None:
    without = after(6, start(network=NETWORK, optimizer=Muon()), share=0)
    assert without.field is without.trained
    mine = after(6, averaged())
    assert all(torch.equal(a, b) for a, b in zip(mine.trained.parameters(), without.trained.parameters(), strict=True))


def test_before_the_first_step_it_is_what_training_begins_with() -> None:
    state, plain = averaged(), start(network=NETWORK)
    ours, theirs = state.field.parameters(), plain.field.parameters()
    assert all(torch.equal(one, other) for one, other in zip(ours, theirs, strict=True))


def test_the_state_holds_both_and_a_fit_that_was_restored_has_the_bytes_of_one_that_was_not() -> None:
    paused = after(3, averaged())
    other = averaged(seed=5)
    other.restore(paused.tensors(), paused.step, paused.seconds)
    assert same_bytes(paused.tensors(), other.tensors())
    assert same_bytes(after(7, other).tensors(), after(7, averaged()).tensors())
    names = set(paused.tensors())
    assert {name.replace("field.", "trained.") for name in names if name.startswith("field.mlp")} <= names


def test_a_learnt_encoding_is_averaged_with_the_network() -> None:
    state = start(encoding=HashGrid(2, base=2, finest=8), average=0.5)
    after(4, state, share=0.5)
    tables = [dict(field.named_parameters()) for field in (state.field, state.trained)]
    names = [name for name in tables[0] if name.startswith("encoding")]
    assert names
    assert all(not torch.equal(tables[0][name], tables[1][name]) for name in names)


def test_where_a_scene_has_something_is_known_to_both_fields() -> None:
    trained = build_radiance(Fourier(2), None, NETWORK, 4, torch.Generator())
    field = with_own_parameters(trained)
    trained.occupancy.occupied[0] = False
    assert field.occupancy is trained.occupancy
    assert not any(a is b for a, b in zip(field.parameters(), trained.parameters(), strict=True))


def test_revived_neurons_are_seen_at_once() -> None:
    state = after(3, averaged())
    with torch.no_grad():
        for field in (state.field, state.trained):
            field.mlp.linears[0].bias[0] = -50
    points = noise().batch(torch.Generator(), 32).coordinates
    revive(state, points, torch.Generator())
    assert (next(iter(state.field.preactivations(points)))[:, 0] > 0).any()
