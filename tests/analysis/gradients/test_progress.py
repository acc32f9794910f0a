"""Progress: against errors before and after a step really taken, and cases in which each part is known."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import Tensor

from fieldlens.analysis import OctaveProgress, ReluNetwork, Step, loss_step, movement, octave_bands, octave_progress
from fieldlens.analysis.detail.bands import REC709
from fieldlens.configs.encoding import Fourier
from fieldlens.configs.optimizer import Adam, Muon, Optimizer
from fieldlens.fields import Field
from fieldlens.fitting import TrainingState, fit, foreseen_step
from tests.support.gradient_fields import InDouble
from tests.support.small_fits import noise, plan, start
from tests.support.small_networks import centres, field_of

SIDE = 40
RATE = 0.05
LUMA = np.array(REC709)


def fitted(optimizer: Optimizer) -> TrainingState[Field]:
    """A fit of noise after three steps."""
    state = start(encoding=Fourier(5), optimizer=optimizer)
    for _ in fit(state, noise(SIDE), plan(optimizer=optimizer, steps=3), []):
        pass
    return state


def drawn(field: Field, changes: dict[str, Tensor] | None = None, share: float = 1.0) -> np.ndarray:
    """The field over the picture in fp64, after a share of a step."""
    whole = InDouble(field)
    with torch.no_grad():
        for name, parameter in whole.named_parameters():
            if changes is not None:
                parameter.add_(changes[name].double(), alpha=share)
        return whole(centres(SIDE, SIDE)).numpy().reshape(SIDE, SIDE, -1)


def progress_of(field: Field, target: np.ndarray, changes: dict[str, Tensor]) -> list[OctaveProgress]:
    moved = movement(field, SIDE, SIDE, Step.of_named(field, changes))
    return list(octave_progress(target - drawn(field), moved))


def window_sums(picture: np.ndarray, found: OctaveProgress) -> np.ndarray:
    rows, columns = (list(pairwise(edges)) for edges in (found.windows.row_edges, found.windows.column_edges))
    return np.array([[picture[top:bottom, left:right].sum() for left, right in columns] for top, bottom in rows])


@pytest.mark.parametrize("optimizer", [None, Adam(), Muon(0.02)])
def test_a_small_part_of_a_step_changes_the_octaves_errors_by_that_part_of_the_progress(
    optimizer: Optimizer | None,
) -> None:
    state, target = fitted(optimizer or Adam()), noise(SIDE).target()
    field, step = state.trained, loss_step(state.trained, target)
    if optimizer is None:
        changes = step.scaled(RATE).named(field)
    else:
        changes = foreseen_step(state, plan(optimizer=optimizer, steps=9), step.scaled(-1).named(field))
    before, after = (list(octave_bands((target - drawn(field, changes, share)) @ LUMA)) for share in (0.0, 1e-4))
    found = progress_of(field, target, changes)
    assert [octave.label for octave in found] == ["2-4 px", "4-8 px", "8-16 px", "16+ px"]
    for octave, was, becomes in zip(found, before, after, strict=True):
        fall = (np.square(was) - np.square(becomes)) / 1e-4
        assert np.abs(octave.per_pixel - fall).max() < 0.01 * np.abs(fall).max()
        sums = window_sums(fall, octave)
        assert np.abs(octave.whole - sums).max() < 0.01 * np.abs(sums).max()
        assert octave.whole.sum() == pytest.approx(fall.sum(), rel=0.01)
        np.testing.assert_allclose(octave.energy, window_sums(np.square(was), octave), rtol=1e-9)


def test_octaves_add_up_to_the_residual_and_to_what_its_variance_loses() -> None:
    field, target = field_of("fourier:4"), noise(SIDE).target()
    changes = loss_step(field, target).scaled(RATE).named(field)
    found = progress_of(field, target, changes)
    residual = (target - drawn(field)) @ LUMA
    np.testing.assert_allclose(sum(octave.missing for octave in found), residual - residual.mean(), atol=1e-6)
    moved = movement(field, SIDE, SIDE, Step.of_named(field, changes)) @ LUMA
    expected = 2 * ((residual - residual.mean()) * moved).sum()
    assert sum(octave.whole.sum() for octave in found) == pytest.approx(expected, rel=1e-6)


def window_steps(field: Field, octave: OctaveProgress, channels: int) -> list[dict[str, Tensor]]:
    """The sum of y_i J_i over each window, by autograd, window by window."""
    values = field(centres(SIDE, SIDE)).reshape(SIDE, SIDE, channels)
    luma = values[..., :3] @ torch.tensor(REC709) if channels >= 3 else values[..., 0]
    pulls = luma * torch.from_numpy(octave.missing).float()
    names, parameters = zip(*field.named_parameters(), strict=True)
    steps = []
    for top, bottom in pairwise(octave.windows.row_edges):
        for left, right in pairwise(octave.windows.column_edges):
            pull = pulls[top:bottom, left:right].sum()
            gradient = torch.autograd.grad(pull, parameters, retain_graph=True)
            steps.append(dict(zip(names, gradient, strict=True)))
    return steps


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_own_push_is_what_the_window_s_part_of_the_step_does_and_all_parts_are_the_step(channels: int) -> None:
    field = field_of("fourier:4", channels=channels)
    weights = np.zeros(channels)
    weights[: 3 if channels >= 3 else 1] = LUMA if channels >= 3 else 1
    lacking = np.random.default_rng(0).normal(size=(SIDE, SIDE))
    # a residual without a mean, that is nothing but luma
    residual = (lacking - lacking.mean())[..., None] * weights / np.square(weights).sum()
    target = (drawn(field) + residual).astype(np.float32)
    step = loss_step(field, target).scaled(RATE)
    total = {name: torch.zeros_like(change) for name, change in step.named(field).items()}
    of_step = 2 * RATE / (SIDE * SIDE * channels * np.square(weights).sum())
    for octave in octave_progress(residual, movement(field, SIDE, SIDE, step)):
        steps = window_steps(field, octave, channels)
        push = np.array([sum(float(part.square().sum()) for part in own.values()) for own in steps])
        split = octave.split(push.reshape(octave.whole.shape), RATE, channels=channels)
        np.testing.assert_allclose(split.own + split.help, octave.whole, rtol=1e-12)
        of_half = octave.split(push.reshape(octave.whole.shape), RATE, channels=channels, pixels=SIDE * SIDE // 2)
        np.testing.assert_allclose(of_half.own, 2 * split.own)  # a mean over fewer pixels weighs each of them more
        alone = Step.of_named(field, {name: part * of_step for name, part in steps[0].items()})
        rows, columns = octave.windows.row_edges, octave.windows.column_edges
        here = slice(rows[0], rows[1]), slice(columns[0], columns[1])
        moved = movement(field, SIDE, SIDE, alone) @ weights
        assert split.own[0, 0] == pytest.approx(2 * (octave.missing * moved)[here].sum(), rel=1e-4)
        for own in steps:
            for name, part in own.items():
                total[name] += part * of_step
    longest = max(float(change.abs().max()) for change in total.values())
    for name, change in step.named(field).items():
        np.testing.assert_allclose(total[name], change, atol=1e-4 * longest)


def one_weight(feature: np.ndarray) -> ReluNetwork:
    """f = weight x feature of the pixel, weight 0."""
    height, width = feature.shape

    def encode(x: Tensor) -> Tensor:
        column, row = (x * max(height, width)).long().T
        return torch.from_numpy(feature).float()[row, column][:, None]

    def without_tangents(x: Tensor) -> tuple[Tensor, Tensor]:
        raise AssertionError("nothing here is differentiated by coordinates")

    return ReluNetwork(encode, without_tangents, (torch.zeros(1, 1),), (torch.zeros(1),), without_bias=frozenset({0}))


def wave_along_x(wavelength: float) -> np.ndarray:
    """A wave in a picture of 64 x 128, which is two windows of the octave of 8 to 16 px."""
    return np.tile(np.cos(2 * np.pi * (np.arange(128) + 0.5) / wavelength), (64, 1))


def test_of_two_windows_that_pull_one_weight_apart_the_weaker_is_hindered_and_the_stronger_held_up() -> None:
    wave, sides = wave_along_x(8 * np.sqrt(2)), np.where(np.arange(128) < 64, 1.0, -0.5)
    network, residual = one_weight(wave), (wave * sides)[..., None]
    step = loss_step(network, residual.astype(np.float32)).scaled(RATE)
    assert float(step.weights[0]) > 0
    octave = list(octave_progress(residual, movement(network, 64, 128, step)))[2]
    assert (octave.label, octave.whole.shape) == ("8-16 px", (1, 2))
    push = np.square(window_sums(octave.missing * wave, octave))
    split = octave.split(push, RATE, channels=1)
    strong, weak = split.own[0] + split.help[0]
    assert strong > 0 > weak
    assert (split.help < 0).all()
    assert (split.own > 0).all()
    assert octave.steps_to_mend[0, 0] < np.inf == octave.steps_to_mend[0, 1]


def test_a_linear_model_mends_half_of_what_it_misses_in_as_many_steps_as_foretold() -> None:
    wave = wave_along_x(8)
    network, target = one_weight(wave), wave[..., None].astype(np.float32)
    rate = 0.01
    moved = movement(network, 64, 128, loss_step(network, target).scaled(rate))
    foretold = {octave.label: octave.steps_to_mend_all for octave in octave_progress(target, moved)}
    weight, energies = 0.0, []
    for _ in range(200):  # plain gradient descent on the mean squared error, whose gradient is 2 (w - 1) mean(wave^2)
        energies.append((1 - weight) ** 2)
        weight -= rate * 2 * (weight - 1) * np.square(wave).mean()
    happened = int(np.argmax(np.array(energies) <= 0.5))
    assert 30 < happened < 40
    # the octaves on either side of 8 px share the wave, and it is mended alike in both
    assert foretold["4-8 px"] == pytest.approx(foretold["8-16 px"], rel=1e-4)
    assert happened - 1 <= foretold["8-16 px"] <= happened + 1
