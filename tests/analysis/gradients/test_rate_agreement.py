"""Rates of learning: what the kernel predicts, against a control of plain gradient descent, and ranks on paper."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from fieldlens.analysis import Kernel, kernel, rate_agreement, relu_network
from tests.support.gradient_fields import some
from tests.support.user_networks import encode, sequential


def descended(model: nn.Module, x: Tensor, y: Tensor, optimizer: torch.optim.Optimizer, steps: int) -> np.ndarray:
    """The residual after some full-batch steps on the sum over points of the mean squared error over channels."""
    for _ in range(steps):
        optimizer.zero_grad()
        (model(x) - y).square().mean(1).sum().backward()
        optimizer.step()
    return (model(x) - y).detach().numpy()


@pytest.fixture
def started() -> tuple[nn.Sequential, Kernel, Tensor, Tensor]:
    """A network in fp64, the kernel of 24 points, their features, and targets two channels wide."""
    model, (points, y) = sequential(14, 512, 2).double(), some(24, 2)
    return model, kernel(relu_network(model, encode), points), encode(points.double()), y.double()


@pytest.mark.parametrize(("share", "steps"), [(0.02, 20), (0.5, 1), (0.1, 100)])
def test_plain_gradient_descent_keeps_the_kernels_rates(started, share: float, steps: int) -> None:
    model, found, x, y = started
    before = (model(x) - y).detach().numpy()
    step_size = share * 2 / found.eigenvalues[0] / 2  # the leading part shrinks by `share` a step
    predicted = found.decay(step_size, steps)
    assert predicted[0] == pytest.approx((1 - share) ** steps)
    after = descended(model, x, y, torch.optim.SGD(model.parameters(), lr=step_size), steps)
    leading = slice(12)
    measured = (found.parts(after) / found.parts(before))[leading]
    tolerance = 0.05 * np.abs(found.parts(before)).max()  # the kernel of a finite width moves a little
    np.testing.assert_allclose(found.parts(after), predicted * found.parts(before), atol=tolerance)
    assert np.corrcoef(measured, predicted[leading])[0, 1] > 0.99
    agreement = rate_agreement(found, before, after, directions=12).rank_correlation
    assert agreement is not None
    assert agreement > 0.9


def known_kernel(values: list[float]) -> Kernel:
    return Kernel(np.diag(values), np.eye(1))


def test_decay_is_the_logarithm_of_what_a_part_has_lost() -> None:
    found = known_kernel([4.0, 3.0, 2.0, 1.0])
    before = np.array([[1.0], [2.0], [-3.0], [4.0]])
    agreement = rate_agreement(found, before, before * np.exp([[-3.0], [-2.0], [-1.0], [0.5]]))
    np.testing.assert_allclose(agreement.eigenvalues, [4, 3, 2, 1])
    np.testing.assert_allclose(agreement.decay, [3, 2, 1, -0.5])
    assert agreement.rank_correlation == pytest.approx(1)
    backwards = rate_agreement(found, before, before * np.exp([[0.0], [-1.0], [-2.0], [-3.0]]))
    assert backwards.rank_correlation == pytest.approx(-1)
    # 1 and 2 change places among four: 1 - 6 (1 + 1) / (4 (16 - 1))
    swapped = rate_agreement(found, before, before * np.exp([[-2.0], [-3.0], [-1.0], [0.0]]))
    assert swapped.rank_correlation == pytest.approx(0.8)


def test_parts_that_are_zero_or_rounding_are_left_out() -> None:
    found = known_kernel([4.0, 3.0, 2.0, 1e-12])
    before, after = np.array([[1.0], [0.0], [1.0], [1.0]]), np.array([[0.5], [0.1], [0.7], [9.0]])
    agreement = rate_agreement(found, before, after)
    np.testing.assert_allclose(agreement.eigenvalues, [4, 2])
    assert agreement.rank_correlation is None
    nothing = rate_agreement(known_kernel([0.0, 0.0]), before[:2], after[:2])
    assert len(nothing.decay) == 0
    assert nothing.rank_correlation is None


def test_parts_are_coordinates_in_the_eigenvectors_of_all_channels(started) -> None:
    _, found, _, y = started
    parts = found.parts(y.numpy())
    np.testing.assert_allclose(found.eigen.vectors @ parts, y.T.flatten().numpy(), atol=1e-10)
