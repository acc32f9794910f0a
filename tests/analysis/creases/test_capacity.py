"""The refit of the output layer finds what features can express, and is not taken in by noise it was fitted to."""

import dataclasses

import numpy as np
import pytest
import torch

from fieldlens.analysis import ReluNetwork, relu_network
from fieldlens.analysis.creases.capacity import MIN_FITTED, PIXELS_PER_FREEDOM, Capacity, capacity
from fieldlens.analysis.detail.windows import windows_of_side
from fieldlens.configs.errors import InputError
from fieldlens.fields import Field
from fieldlens.render.grid import draw, pixel_points
from tests.support.small_networks import field_of

SIDE = 64


def noise(side: int = SIDE, channels: int = 3, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((side, side, channels)).astype(np.float32)


def activations(field: Field, side: int) -> np.ndarray:
    """Of the last hidden layer at each pixel, fp64, by the field's own layers."""
    *_, z = (z.detach() for z in field.preactivations(pixel_points(side, side).flatten(0, 1)))
    return field.mlp.activate(z).double().numpy().reshape(side, side, -1)


def refit(field: Field, residual: np.ndarray, **choices) -> Capacity:
    residual = residual.astype(np.float32)
    return capacity(relu_network(field), residual, np.zeros_like(residual), **choices)


def of_other_weights(field: Field, side: int = SIDE) -> np.ndarray:
    """A residual that other output weights would take away."""
    rng = np.random.default_rng(3)
    h = activations(field, side)
    return h @ rng.standard_normal((h.shape[-1], 3)) + rng.standard_normal(3)


@pytest.mark.parametrize("network", ["3x24", "2x16,leaky_relu", "1x1"])
@pytest.mark.parametrize("encoding", ["raw", "fourier:4", "hashgrid:4,finest=40"])
def test_what_the_last_layer_can_express_is_removed(network: str, encoding: str) -> None:
    field = field_of(encoding, network)
    found = refit(field, of_other_weights(field))
    assert found.removed is not None
    assert found.whole_removed is not None
    assert found.removed > 1 - 1e-6
    assert found.whole_removed > 1 - 1e-6
    assert found.valid.all()


def test_a_residual_is_what_other_weights_would_have_to_add_to_the_reconstruction() -> None:
    field = field_of("fourier:4", "3x24")
    drawn = draw(field, SIDE, SIDE)
    target = (drawn + of_other_weights(field)).astype(np.float32)
    found = capacity(relu_network(field), target, drawn)
    assert found.removed == pytest.approx(1, abs=1e-6)
    assert found.residual.mean() == pytest.approx(np.square(target - drawn).mean(), rel=1e-6)


@pytest.mark.parametrize("encoding", ["raw", "fourier:8"])
def test_white_noise_is_not_removed_from_pixels_that_were_not_fitted(encoding: str) -> None:
    found = refit(field_of(encoding, "3x64"), noise(128))
    assert found.removed is not None
    assert found.null_removed is not None
    # d numbers fitted to n pixels of noise add about d / n of its energy
    assert -found.freedom.mean() / 512 - 0.02 < found.removed < 0.005
    assert found.null_removed < 0.005


def test_in_a_small_window_a_fit_removes_everything_it_was_fitted_to_and_nothing_else() -> None:
    """The trap: 65 numbers fit the 64 pixels of an 8 x 8 window exactly, whatever stands there."""
    field, residual = field_of("fourier:6", "2x256"), noise()
    h = activations(field, SIDE)
    left = 0.0
    for row in range(0, SIDE, 8):
        for column in range(0, SIDE, 8):
            here = slice(row, row + 8), slice(column, column + 8)
            features = np.concatenate([h[here].reshape(64, -1), np.ones((64, 1))], 1)
            values = residual[here].reshape(64, 3).astype(np.float64)
            left += np.square(values - features @ np.linalg.lstsq(features, values, rcond=1e-13)[0]).sum()
    assert left < 1e-3 * np.square(residual).sum()
    found = refit(field, residual, window_px=8)
    assert found.windows.shape == (8, 8)
    assert found.removed is not None
    assert found.removed < 0


def test_no_window_has_fewer_than_four_fitted_pixels_to_a_degree_of_freedom() -> None:
    field = field_of("fourier:6", "2x256")
    found = refit(field, of_other_weights(field), window_px=8, most_per_axis=None)
    assert found.freedom.max() <= 8 * 8 / 2 / PIXELS_PER_FREEDOM
    assert found.limited.all(), "and it is said that with more pixels the refit could do better"
    assert not refit(field_of("raw", "1x2"), noise()).limited.any()


def ridge_by_brute_force(
    features: np.ndarray, values: np.ndarray, unseen: np.ndarray, truth: np.ndarray
) -> tuple[float, float]:
    """The error on unseen pixels under the ridge of least leave-one-out error, and its degrees of freedom: each ridge,
    and each pixel that is left out, with normal equations of its own."""
    n = len(features)
    largest = np.linalg.norm(features - features.mean(0), 2) ** 2

    def solve(kept: np.ndarray, ridge: float) -> np.ndarray:
        x = np.concatenate([features[kept], np.ones((kept.sum(), 1))], 1)
        punished = np.diag([ridge] * features.shape[1] + [0.0])
        return np.linalg.solve(x.T @ x + punished, x.T)

    best = (np.inf, 0.0, 0.0)
    for exponent in np.linspace(6, -12, 37):
        everyone = np.ones(n, bool)
        with_one = np.concatenate([features, np.ones((n, 1))], 1)
        freedom = np.trace(with_one @ solve(everyone, largest * 10**exponent))
        if PIXELS_PER_FREEDOM * freedom > n:
            break
        score = 0.0
        for left_out in range(n):
            kept = everyone.copy()
            kept[left_out] = False
            # the mean is not punished, so leaving a pixel out moves the centre too
            weights = solve(kept, largest * 10**exponent) @ values[kept]
            score += np.square(values[left_out] - with_one[left_out] @ weights).sum()
        if score < best[0]:
            weights = solve(everyone, largest * 10**exponent) @ values
            predicted = np.concatenate([unseen, np.ones((len(unseen), 1))], 1) @ weights
            best = float(score), float(np.square(truth - predicted).sum()), float(freedom)
    return best[1:]


@pytest.mark.parametrize("amount", [0.05, 1.0])
def test_one_window_agrees_with_ridge_regression_by_brute_force(amount: float) -> None:
    side, field = 16, field_of("fourier:4", "2x12")
    residual = (of_other_weights(field, side) + amount * noise(side)).astype(np.float32)
    odd = (np.add.outer(np.arange(side), np.arange(side)) % 2).astype(bool)
    h, values = activations(field, side), residual.astype(np.float64)
    forth = ridge_by_brute_force(h[odd], values[odd], h[~odd], values[~odd])
    back = ridge_by_brute_force(h[~odd], values[~odd], h[odd], values[odd])
    found = refit(field, residual, window_px=side)
    assert found.remaining.item() * values.size == pytest.approx(forth[0] + back[0], rel=1e-4)
    assert found.freedom.item() == pytest.approx((forth[1] + back[1]) / 2, rel=1e-3)


def test_the_null_model_is_least_squares_on_as_many_of_the_longest_cosine_waves() -> None:
    side, field = 16, field_of("fourier:4", "2x12")
    residual = (of_other_weights(field, side) + noise(side)).astype(np.float32)
    found = refit(field, residual, window_px=side)
    # both halves have the same degrees of freedom here, but for rounding to a whole number
    index = np.indices((side, side)).reshape(2, -1)
    order = np.argsort(np.square(index).sum(0), kind="stable")
    waves = np.stack(
        [
            np.outer(*(np.cos(np.pi * k * (np.arange(side) + 0.5) / side) for k in index[:, term])).ravel()
            for term in order[: round(found.freedom.item())]
        ],
        1,
    )
    odd = (np.add.outer(np.arange(side), np.arange(side)) % 2).astype(bool).ravel()
    values = residual.reshape(-1, 3).astype(np.float64)
    left = sum(
        np.square(values[~half] - waves[~half] @ np.linalg.lstsq(waves[half], values[half], rcond=None)[0]).sum()
        for half in (odd, ~odd)
    )
    assert found.null_remaining.item() * values.size == pytest.approx(left, rel=1e-6)


def test_a_network_without_creases_in_the_picture_expresses_no_bump() -> None:
    y, x = np.indices((32, 32)) / 32
    bump = np.cos(2 * np.pi * x) * np.cos(2 * np.pi * y)
    affine = dataclasses.replace(relu_network(field_of("raw", "1x8")), biases=(torch.full((8,), 10.0), torch.zeros(3)))
    found = capacity(affine, np.stack([bump] * 3, -1).astype(np.float32), np.zeros((32, 32, 3), np.float32))
    assert found.removed == pytest.approx(0, abs=0.02)


def test_shares_of_a_window_add_up_and_the_whole_is_weighted_by_energy() -> None:
    field = field_of("fourier:4", "2x12")
    residual = of_other_weights(field)
    residual[:32, :32] = 10 * noise(32)
    found = refit(field, residual)
    assert found.remaining_share == pytest.approx(1 - found.dynamics_share)
    assert found.dynamics_share[0, 0] == pytest.approx(0, abs=0.05)
    assert found.dynamics_share[1, 1] == pytest.approx(1, abs=1e-5)
    assert found.removed == pytest.approx(1 - found.remaining.sum() / found.residual.sum())


def test_a_neuron_that_is_on_at_one_pixel_does_no_harm() -> None:
    """Its weight fits that pixel and nothing else; where it is steeper on unseen pixels the error would explode."""
    network = relu_network(field_of("raw", "1x8"))
    last = network.weights[-1]
    steep = torch.zeros(8, 2)
    steep[0] = torch.tensor([300.0, 300.0])
    # on in the corner: a hair above zero at one fitted pixel, far above at an unseen one beyond it
    corner = (steep[0] @ network.encode(torch.full((1, 2), (SIDE - 1.0) / SIDE))[0]).item()
    network = dataclasses.replace(
        network, weights=(steep, last), biases=(torch.full((8,), -corner + 1e-3), network.biases[1])
    )
    residual = noise()
    found = capacity(network, residual, np.zeros_like(residual))
    assert found.removed is not None
    assert found.removed > -0.05


def test_one_layer_for_the_whole_picture_cannot_do_what_a_layer_for_each_window_can() -> None:
    field = field_of("fourier:4", "2x12")
    sign = np.kron([[1, -1], [-1, 1]], np.ones((32, 32)))[..., None]
    found = refit(field, of_other_weights(field) * sign)
    assert found.removed == pytest.approx(1, abs=1e-5)
    assert found.whole_removed is not None
    assert found.whole_removed < 0.9


def dead(network: ReluNetwork) -> ReluNetwork:
    *hidden, last = network.biases
    return dataclasses.replace(network, biases=(*(torch.full_like(bias, -100.0) for bias in hidden), last))


@pytest.mark.parametrize("edit", ["dead", "zero", "twins"])
def test_features_that_say_nothing_leave_only_the_mean_to_be_fitted(edit: str) -> None:
    network = relu_network(field_of("raw", "2x16"))
    if edit == "dead":
        network = dead(network)
    elif edit == "zero":
        network = dataclasses.replace(network, weights=tuple(torch.zeros_like(weight) for weight in network.weights))
    else:
        network = dataclasses.replace(
            network,
            weights=tuple(w[:1].expand(len(w), -1) for w in network.weights[:-1]) + network.weights[-1:],
            biases=tuple(b[:1].expand(len(b)) for b in network.biases[:-1]) + network.biases[-1:],
        )
    residual = noise() + 3
    found = capacity(network, residual, np.zeros_like(residual))
    most = 2 if edit == "twins" else 1  # twins are one feature
    assert found.freedom.max() <= most + 1e-4
    assert found.removed == pytest.approx(0.9, abs=0.01), "the mean is nine tenths of the energy"


def test_no_residual_leaves_nothing_to_remove() -> None:
    found = refit(field_of("raw"), np.zeros((SIDE, SIDE, 3)))
    assert (found.removed, found.null_removed, found.whole_removed) == (None, None, None)
    assert np.isnan(found.remaining_share).all()
    assert found.remaining.max() == 0


@pytest.mark.parametrize(
    ("shape", "valid"), [((1, 1), False), ((3, 5), False), ((4, 4), True), ((1, 40), True), ((40, 2), True)]
)
def test_windows_with_too_few_pixels_are_not_valid(shape: tuple[int, int], valid: bool) -> None:
    residual = np.random.default_rng(0).standard_normal((*shape, 3)).astype(np.float32)
    found = capacity(relu_network(field_of("fourier:4")), residual, np.zeros_like(residual))
    assert valid == (shape[0] * shape[1] // 2 >= MIN_FITTED)
    assert found.valid.item() is valid
    assert (found.removed is not None) is valid
    assert np.isnan(found.remaining.item()) is not valid


def test_of_a_large_picture_the_middles_of_windows_are_taken() -> None:
    """What lies outside of them, here wild values, is not looked at."""
    field = field_of("fourier:4", "2x12")
    residual = 1000 * noise(128)
    expressible = of_other_weights(field, 128)
    for row in (16, 80):
        for column in (16, 80):
            here = slice(row, row + 32), slice(column, column + 32)
            residual[here] = expressible[here]
    found = refit(field, residual, most_per_axis=2)
    assert (found.windows.shape, found.patch_px) == ((2, 2), 32)
    assert found.removed == pytest.approx(1, abs=1e-5)
    assert refit(field, residual).patch_px is None


def test_the_error_of_the_share_is_that_of_leaving_out_a_window_in_turn() -> None:
    """The jackknife, which is known to agree for a quotient of sums."""
    rng = np.random.default_rng(0)
    residual, valid = rng.exponential(size=(8, 8)), np.ones((8, 8), bool)
    valid[0, :3] = False
    remaining = residual * rng.uniform(0.2, 0.9, (8, 8))
    found = Capacity(
        windows_of_side(512, 512, 32, most_per_axis=8),
        32,
        residual,
        remaining,
        remaining,
        remaining,
        ~valid,
        valid,
        None,
    )
    all_windows = [(r, m) for r, m, here in zip(residual.flat, remaining.flat, valid.flat, strict=True) if here]
    shares = []
    for left_out in range(len(all_windows)):
        rest = np.array(all_windows[:left_out] + all_windows[left_out + 1 :])
        shares.append(1 - rest[:, 1].sum() / rest[:, 0].sum())
    jackknife = np.sqrt((len(shares) - 1) * np.var(shares))
    assert found.removed_error == pytest.approx(jackknife, rel=0.05)
    assert dataclasses.replace(found, patch_px=None).removed_error is None


def test_what_is_not_finite_is_refused() -> None:
    network = relu_network(field_of("raw"))
    residual = noise()
    broken = dataclasses.replace(network, biases=(torch.full_like(network.biases[0], torch.nan), *network.biases[1:]))
    with pytest.raises(InputError, match="not finite"):
        capacity(broken, residual, residual)
    residual[5, 5] = np.inf
    with pytest.raises(InputError, match="not finite"):
        capacity(network, residual, np.zeros_like(residual))


def test_progress_reaches_the_end() -> None:
    told: list[float] = []
    refit(field_of("raw"), noise(), progress=told.append)
    assert told == [0.5, 1.0]
