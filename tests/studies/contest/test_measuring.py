"""The table of a fit has what direct calls of the analysis give, in the windows of the explained octave."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from fieldlens.analysis import (
    capacity,
    crease_density,
    detail_leverage,
    gate_overlap,
    kernel,
    nearest_crease,
    octave_details,
    packed_patterns,
    refined_crossings,
    relu_network,
    window_confusion,
)
from fieldlens.analysis.detail.bands import luma, octave_bands
from fieldlens.analysis.detail.windows import windows_of
from fieldlens.configs.encoding import parse_encoding
from fieldlens.configs.network import Network
from fieldlens.configs.optimizer import Muon
from fieldlens.configs.run import FitConfig, Training
from fieldlens.configs.study import Contest
from fieldlens.fields import Field
from fieldlens.fitting import TrainingState, initial_state, plan_of
from fieldlens.scenes.picture import Picture
from fieldlens.studies.contest.measuring import Measured, Windowed
from fieldlens.studies.contest.quantities import CANDIDATES
from fieldlens.studies.contest.table import WindowTable
from tests.support.small_networks import centres

CONTEST = Contest(training=Training(steps=20, batch_size=64, average=0, precision="fp32"), early=0.1, foretold=(0.1,))


def picture(height: int, width: int, seed: int) -> Picture:
    """Noise, so that there is detail in each window of the finest octave."""
    return Picture("noise", np.random.default_rng(seed).random((height, width, 3), np.float32))


SCENE, LENT = picture(34, 48, 0), picture(48, 40, 1)


def begun(encoding: str, network: Network) -> tuple[Windowed, TrainingState[Field]]:
    config = FitConfig(
        encoding=parse_encoding(encoding),
        network=network,
        training=Training(steps=20, optimizer=Muon(0.02), learning_rate=3e-3, average=0, device="cpu"),
    )
    return Windowed(CONTEST, plan_of(config, SCENE), SCENE, LENT), initial_state(config, SCENE)


def measured(encoding: str, network: Network) -> tuple[WindowTable, Field]:
    """The table of a fit of which nothing is trained: its field is the same at all steps."""
    windowed, state = begun(encoding, network)
    rows: list[tuple[int, Measured]] = []
    for step in (1, 2, 20):
        state.step = step
        rows.append((step, windowed.measure(state)))
    return windowed.table(rows), state.field


@pytest.fixture(scope="module")
def fourier() -> tuple[WindowTable, Field]:
    return measured("fourier:4", Network(width=16, depth=2))


def test_windows_are_those_of_the_finest_octave_and_energies_those_of_its_residual(
    fourier: tuple[WindowTable, Field],
) -> None:
    table, field = fourier
    windows = windows_of(34, 48, 0)
    np.testing.assert_array_equal(table.row_edges, windows.row_edges)
    np.testing.assert_array_equal(table.column_edges, windows.column_edges)
    target, drawn = (next(iter(octave_bands(luma(values)))) for values in (SCENE.target(), SCENE.draw(field)))
    residual = windows.mean_of_map(np.square(target - drawn))
    np.testing.assert_allclose(table.residual, [residual.ravel()] * 2, rtol=1e-4)
    np.testing.assert_allclose(table.kept[1], windows.mean_of_map(np.square(drawn)).ravel(), rtol=1e-4)
    np.testing.assert_allclose(table.missing, np.mean(np.square(target - drawn)), rtol=1e-4)
    assert (table.steps.tolist(), table.recorded.tolist()) == ([2, 20], [1, 2, 20])


def test_crease_quantities_are_those_of_direct_calls(fourier: tuple[WindowTable, Field]) -> None:
    table, field = fourier
    network, windows, target = relu_network(field), windows_of(34, 48, 0), SCENE.target()
    density = crease_density(network, 34, 48, stride=2, bend=True)
    assert density.bend is not None
    refit = capacity(network, target, SCENE.draw(field))
    expected = {
        "density": windows.mean_of_map(density.length.sum(0)),
        "bend": windows.mean_of_map(density.bend.sum(0)),
        "crossings": windows.mean_of_map(refined_crossings(network, 34, 48, stride=4, max_refine=4).mean_per_pixel),
        "distance": windows.mean_of_map(nearest_crease(network, 34, 48, stride=2).px),
        "overlap": gate_overlap(packed_patterns(network, 34, 48), windows).within.mean(0),
        "capacity": windows.mean_of_map(refit.windows.spread(refit.remaining_share)),
        "confusion": window_confusion(field, target, window_px=16, stride=2).cosine,
    }
    for name, values in expected.items():
        np.testing.assert_allclose(table.quantities[name][1], values.ravel(), rtol=1e-4, err_msg=name)


def test_speed_push_and_help_are_those_of_the_kernel_of_all_pixels(fourier: tuple[WindowTable, Field]) -> None:
    table, field = fourier
    whole = kernel(field, centres(34, 48), "luma").matrix
    detail = next(iter(octave_bands(luma(SCENE.target()))))
    rows, columns = table.row_edges, table.column_edges
    inside = np.zeros((34, 48), bool)
    inside[rows[1] : rows[2], columns[2] : columns[3]] = True
    y = np.where(inside, detail, 0).ravel()
    place = 1 * 3 + 2
    assert table.quantities["speed"][1, place] == pytest.approx(y @ whole @ y / (y @ y), rel=1e-4)
    some = np.flatnonzero(inside.ravel())
    sampled = [p for p in some if (p // 48 - rows[1]) % 2 == 0 and (p % 48 - columns[2]) % 2 == 0]
    eigenvalues = np.linalg.eigvalsh(whole[np.ix_(sampled, sampled)])
    shares = np.maximum(eigenvalues, 0) / eigenvalues.sum()
    shares = shares[shares > 0]
    assert table.quantities["rank"][1, place] == pytest.approx(np.exp(-(shares * np.log(shares)).sum()), rel=1e-3)
    # a plain step of rate 1 lowers the window's squared error by own push and help together, to first order
    target, step = torch.from_numpy(SCENE.target().reshape(-1, 3)), 1e-4
    drawn = field(centres(34, 48))
    gradients = torch.autograd.grad((drawn - target).square().mean(), list(field.parameters()))
    with torch.no_grad():
        for parameter, gradient in zip(field.parameters(), gradients, strict=True):
            parameter.sub_(gradient, alpha=step)
        moved = field(centres(34, 48))
        for parameter, gradient in zip(field.parameters(), gradients, strict=True):
            parameter.add_(gradient, alpha=step)
    weights = np.array([0.2126, 0.7152, 0.0722])
    errors = []
    for values in (drawn.detach(), moved):
        residual = ((target - values).double().numpy() @ weights).reshape(34, 48)
        octave = next(iter(octave_bands(residual)))
        errors.append(float(np.square(octave[inside.reshape(34, 48)]).sum()))
    progress = (errors[0] - errors[1]) / step / errors[0]
    assert table.quantities["push"][1, place] + table.quantities["help"][1, place] == pytest.approx(progress, rel=0.02)


def test_speed_and_leverage_lent_to_another_picture_are_of_that_picture_where_the_fit_has_pixels(
    fourier: tuple[WindowTable, Field],
) -> None:
    table, field = fourier
    whole = kernel(field, centres(48, 40), "luma").matrix
    detail = next(iter(octave_bands(luma(LENT.target()))))
    windows = windows_of(48, 40, 0)
    lent = table.lent_speed.reshape(windows.shape)
    assert np.isnan(lent[2]).all(), "rows 32 to 48 reach beyond the 34 of its own picture"
    inside = np.zeros((48, 40), bool)
    inside[: windows.row_edges[1], windows.column_edges[1] :] = True
    y = np.where(inside, detail, 0).ravel()
    assert lent[0, 1] == pytest.approx(y @ whole @ y / (y @ y), rel=1e-4)
    (leverage,) = detail_leverage(field, [octave_details(LENT.target())[0]])
    within = np.isfinite(lent)
    assert np.isnan(table.lent_leverage.reshape(windows.shape)[~within]).all()
    np.testing.assert_allclose(table.lent_leverage.reshape(windows.shape)[within], leverage.mean[within], rtol=1e-4)


def test_foretold_steps_are_those_of_the_optimizers_own_step() -> None:
    windowed, state = begun("fourier:5", Network(width=16, depth=2))
    generator = torch.Generator().manual_seed(0)
    before = [parameter.detach().clone() for parameter in state.trained.parameters()]
    with torch.no_grad():  # a target that such a network can come to: what it draws with other weights
        for parameter in state.trained.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
        scene = Picture("other", SCENE.draw(state.trained))
        for parameter, first in zip(state.trained.parameters(), before, strict=True):
            parameter.copy_(first)
    state.step = 2
    foretold = replace(windowed, scene=scene).measure(state).foretold
    target = torch.from_numpy(scene.target().reshape(-1, 3))
    (state.trained(centres(34, 48)) - target).square().mean().backward()
    rate = 1 / np.sqrt(1 + 2 / 1000)
    state.optimizer.restore(state.optimizer.moments(), 2)
    state.optimizer.step(3e-3 * rate, rate)
    after = [parameter.detach().clone() for parameter in state.trained.parameters()]
    weights, energies = np.array([0.2126, 0.7152, 0.0722]), []
    with torch.no_grad():
        for share in (0.0, 0.01):  # a hundredth of the step, so that the first order is all there is to it
            for parameter, first, last in zip(state.trained.parameters(), before, after, strict=True):
                parameter.copy_(torch.lerp(first, last, share))
            residual = (target - state.trained(centres(34, 48))).double().numpy() @ weights
            energies.append(np.square(next(iter(octave_bands(residual.reshape(34, 48))))).sum())
    fall = (energies[0] - energies[1]) / 0.01
    assert fall > 0
    assert foretold == pytest.approx(np.log(2) * energies[0] / fall, rel=0.05)


def test_a_field_of_sines_has_the_kernels_candidates_alone() -> None:
    table, _ = measured("raw", Network(width=16, depth=2, activation="sine"))
    there = {name for name, values in table.quantities.items() if np.isfinite(values).all()}
    assert there == {"speed", "leverage", "level_waves", "push", "help", "confusion", "rank", "slope"}
    assert set(table.quantities) == {candidate.name for candidate in CANDIDATES}


def test_a_hash_grid_has_all_but_certain_bounds() -> None:
    table, _ = measured("hashgrid:2,log2_size=6,base=4,finest=16", Network(width=16, depth=2))
    nowhere = {name for name, values in table.quantities.items() if np.isnan(values).all()}
    assert nowhere == {"certified"}


def test_a_fit_that_has_diverged_has_no_number_and_no_forecast() -> None:
    windowed, state = begun("raw", Network(width=16, depth=2))
    with torch.no_grad():
        next(iter(state.field.parameters())).fill_(torch.nan)
    state.step = 2
    found = windowed.measure(state)
    assert np.isnan(found.residual).all()
    assert found.foretold == np.inf
    assert all(np.isnan(values).all() for values in found.quantities.values())
