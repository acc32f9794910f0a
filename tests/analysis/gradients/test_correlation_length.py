"""Correlation lengths of the kernel: a kernel known on paper, and the matrix of a fine line of points."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from fieldlens.analysis import ReluNetwork, kernel, kernel_correlation_length, relu_network
from fieldlens.analysis.gradients.kernel import Channels
from fieldlens.configs.errors import InputError
from fieldlens.fields import Field
from tests.support.gradient_fields import COLLIDING
from tests.support.small_networks import field_of
from tests.support.user_networks import sequential


def wave_network(cycles: float) -> ReluNetwork:
    """Of one neuron that is always on: K(x, x') = 2 + cos(2 pi cycles (x - x')), whatever y is."""

    def waves(x: Tensor) -> Tensor:
        angle = 2 * math.pi * cycles * x[:, :1]
        return torch.cat([torch.ones_like(angle), angle.cos(), angle.sin()], 1)

    first, last = nn.Linear(3, 1, bias=False), nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        first.weight.copy_(torch.tensor([[1.0, 0.0, 0.0]]))
        last.weight.fill_(1.0)
    return relu_network(nn.Sequential(first, nn.ReLU(), last), waves)


@pytest.mark.parametrize("cycles", [3.0, 20.0])
def test_the_length_of_a_wave_is_that_on_paper(cycles: float) -> None:
    # (2 + cos) / 3 is 1/2 where the cosine is -1/2: a third of a wave away
    found = kernel_correlation_length(wave_network(cycles), 48, 64, stride=8)
    assert found.x.shape == (6, 8)
    np.testing.assert_allclose(found.x, 64 / (3 * cycles), rtol=0.01)
    assert np.isinf(found.y).all()
    higher = kernel_correlation_length(wave_network(cycles), 48, 64, stride=8, level=2 / 3)
    np.testing.assert_allclose(higher.x, 64 / (4 * cycles), rtol=0.01)


def test_what_stays_up_as_far_as_is_looked_is_infinite() -> None:
    near = kernel_correlation_length(wave_network(2.0), 16, 64, longest_px=10)
    assert np.isinf(near.x).all()


def first_fall(field: Field, centre: Tensor, step: Tensor, channels: Channels, level: float, scale: int) -> float:
    """By the matrix of the points at a ladder of distances along a step of one pixel, in fp64."""
    distances = [0.0] + [0.125 * 2 ** (rung / 4) for rung in range(37)]
    points = torch.stack([centre + distance * step for distance in distances])
    inside = ((points >= 0) & (points <= torch.tensor([32.0, 24.0]))).all(1)
    points = points[: int(inside.sum())]
    n, matrix = len(points), kernel(field, points / scale, channels).matrix
    traced = np.sum([matrix[at : at + n, at : at + n] for at in range(0, len(matrix), n)], axis=0)
    profile = traced[0] / np.sqrt(traced[0, 0] * traced.diagonal())
    for rung in range(1, n):
        if profile[rung] <= level:
            return float(np.interp(-level, -profile[rung - 1 : rung + 1], distances[rung - 1 : rung + 1]))
    return math.inf


@pytest.mark.parametrize(("encoding", "channels"), [("raw", "all"), ("fourier:5", "luma"), (COLLIDING, 1)])
def test_lengths_are_those_of_the_matrix_of_a_line_of_points(encoding: str, channels: Channels) -> None:
    field = field_of(encoding, "2x32")
    found = kernel_correlation_length(field, 24, 32, stride=12, channels=channels, level=0.8)
    assert found.x.shape == found.y.shape == (2, 3)
    assert np.isfinite(found.x).any()
    for row, y in enumerate((6.5, 18.5)):
        for column, x in enumerate((6.5, 18.5, 30.5)):
            for axis, lengths in zip(torch.eye(2), (found.x, found.y), strict=True):
                ways = [first_fall(field, torch.tensor([x, y]), way, channels, 0.8, 32) for way in (-axis, axis)]
                finite = [length for length in ways if length < math.inf]
                expected = sum(finite) / len(finite) if finite else math.inf
                assert lengths[row, column] == pytest.approx(expected, rel=1e-3)


def test_a_pixel_without_gradient_has_no_length() -> None:
    model = sequential(2, 4, 1, bias=False)
    for parameter in model.parameters():
        nn.init.zeros_(parameter)
    found = kernel_correlation_length(relu_network(model), 8, 8, stride=4)
    assert np.isnan(found.x).all()
    assert np.isnan(found.y).all()


def test_groups_leave_lengths_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    field, shares = field_of("fourier:4"), list[float]()
    whole = kernel_correlation_length(field, 20, 20, stride=4)
    monkeypatch.setattr("fieldlens.analysis.gradients.correlation_length.GROUP_BYTES", 4_000)
    in_groups = kernel_correlation_length(field, 20, 20, stride=4, progress=shares.append)
    np.testing.assert_allclose(in_groups.x, whole.x, rtol=1e-4)
    np.testing.assert_allclose(in_groups.y, whole.y, rtol=1e-4)
    assert len(shares) > 2
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_what_cannot_be_measured_is_refused() -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        kernel_correlation_length(field_of("raw"), 8, 8, level=1.0)
    with pytest.raises(InputError, match="there is no channel 3"):
        kernel_correlation_length(field_of("raw"), 8, 8, channels=3)
