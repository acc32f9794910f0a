"""The neural tangent kernel: against torch.func's Jacobians, a step of gradient descent, and spectra known on paper."""

import numpy as np
import pytest
import torch
from torch.func import functional_call, jacrev

from fieldlens.analysis import Kernel, kernel
from fieldlens.configs.errors import InputError
from tests.support.gradient_fields import COLLIDING, NETWORKS, InDouble, some
from tests.support.small_networks import field_of


def jacobian(field: torch.nn.Module, points: torch.Tensor) -> torch.Tensor:
    """(channels * points, parameters) in fp64, channel by channel."""
    parameters = {name: parameter.detach() for name, parameter in field.named_parameters()}
    parts = jacrev(lambda values: functional_call(field, values, (points,)))(parameters)
    return torch.cat([part.transpose(0, 1).flatten(0, 1).flatten(1) for part in parts.values()], 1).double()


@pytest.mark.filterwarnings("ignore:There is a performance drop")  # torch's, of embedding bags in a Jacobian
@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("encoding", ["raw", "fourier:4", "gaussian:3,features=16", COLLIDING])
def test_a_kernel_is_the_product_of_jacobians(encoding: str, network: str) -> None:
    field, (x, _) = field_of(encoding, network), some(15)
    J = jacobian(InDouble(field), x)
    expected = (J @ J.T).numpy()
    np.testing.assert_allclose(kernel(field, x).matrix, expected, atol=1e-12 * np.abs(expected).max())


def test_a_kernel_is_that_of_the_field_in_fp32_too() -> None:
    field, (x, _) = field_of("fourier:4", "3x24"), some(15)
    J = jacobian(field, x)
    expected = (J @ J.T).numpy()
    np.testing.assert_allclose(kernel(field, x).matrix, expected, atol=1e-5 * np.abs(expected).max())


def test_a_kernel_is_symmetric_and_positive_semidefinite() -> None:
    found = kernel(field_of("raw", "3x24"), some(60)[0])
    np.testing.assert_array_equal(found.matrix, found.matrix.T)
    assert found.eigen.values.min() > -1e-12 * found.eigen.values.max()
    assert np.all(np.diff(found.eigenvalues) <= 0)
    assert found.eigenvalues.min() >= 0
    assert found.eigenvalues.sum() == pytest.approx(np.trace(found.matrix))
    values, vectors = found.eigen
    np.testing.assert_allclose(found.matrix @ vectors, vectors * values, atol=1e-10 * values.max())
    normalised = found.normalised
    np.testing.assert_allclose(normalised.diagonal(), 1)
    assert np.abs(normalised).max() <= 1


def test_one_channel_and_luma_are_parts_of_the_whole() -> None:
    field, (x, _) = field_of("fourier:3"), some(9)
    whole = kernel(field, x).matrix.reshape(3, 9, 3, 9)
    np.testing.assert_allclose(kernel(field, x, 1).matrix, whole[1, :, 1], rtol=1e-12)
    rec709 = np.array([0.2126, 0.7152, 0.0722])
    np.testing.assert_allclose(
        kernel(field, x, "luma").matrix, np.einsum("pnqm,p,q->nm", whole, rec709, rec709), rtol=1e-12
    )
    grey = field_of("raw", channels=2)
    np.testing.assert_array_equal(kernel(grey, x, "luma").matrix, kernel(grey, x, 0).matrix)


def test_blocks_leave_a_kernel_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    field, (x, _) = field_of(COLLIDING), some(20)
    in_one = kernel(field, x).matrix
    monkeypatch.setattr(
        "fieldlens.analysis.gradients.point_gradients.CHUNK_NUMBERS", 3 * 20 * 9
    )  # three points' rows at a time
    in_blocks = kernel(field, x).matrix
    np.testing.assert_allclose(in_blocks, in_one, atol=1e-12 * np.abs(in_one).max())
    np.testing.assert_array_equal(in_blocks, in_blocks.T)


def test_a_point_twice_has_normalised_kernel_one_and_adds_nothing() -> None:
    found = kernel(field_of("raw", channels=1), some(1)[0].repeat(2, 1))
    np.testing.assert_allclose(found.normalised, 1, rtol=1e-12)
    assert found.entropy_rank == pytest.approx(1, abs=1e-9)


def test_a_small_step_moves_the_field_by_kernel_times_residual() -> None:
    field, (x, y) = field_of("fourier:2", "2x16,sine"), some(10)
    found, double = kernel(field, x), InDouble(field)
    before, rate = double(x), 1e-7
    (before - y).square().mean(1).sum().backward()
    torch.optim.SGD(double.parameters(), lr=rate).step()
    with torch.no_grad():
        moved = (double(x) - before).T.flatten().numpy() / rate
    residual = (before - y).detach().T.flatten().numpy()
    expected = -found.matrix @ residual * 2 / 3
    np.testing.assert_allclose(moved, expected, atol=1e-3 * np.abs(expected).max())


def with_spectrum(values: list[float]) -> Kernel:
    """A kernel of one channel with these eigenvalues, in a basis that is not the axes'."""
    basis = np.linalg.qr(np.random.default_rng(0).normal(size=(len(values), len(values))))[0]
    return Kernel(basis @ np.diag(values) @ basis.T, np.eye(1))


def test_effective_ranks_are_those_of_spectra_on_paper() -> None:
    flat, one, uneven = with_spectrum([2.0] * 5), with_spectrum([3.0, 0, 0]), with_spectrum([0.5, 0.25, 0.25])
    assert (flat.entropy_rank, flat.participation_ratio) == pytest.approx((5, 5))
    assert (one.entropy_rank, one.participation_ratio) == pytest.approx((1, 1))
    # the entropy of (1/2, 1/4, 1/4) is 3/2 ln 2; squares add up to 3/8
    assert (uneven.entropy_rank, uneven.participation_ratio) == pytest.approx((2**1.5, 8 / 3))
    nothing = Kernel(np.zeros((2, 2)), np.eye(1))
    assert (nothing.entropy_rank, nothing.participation_ratio) == (0, 0)
    assert not nothing.normalised.any()


def test_alignment_is_a_step_for_an_eigenvector_and_adds_up_to_one() -> None:
    found = with_spectrum([4.0, 3.0, 2.0, 1.0])
    for index in range(4):
        np.testing.assert_allclose(found.alignment(found.eigen.vectors[:, [index]]), np.arange(4) >= index, atol=1e-12)
    mixed = found.eigen.vectors @ np.array([[3.0], [0], [4], [0]])
    np.testing.assert_allclose(found.alignment(mixed), [0.36, 0.36, 1, 1])
    assert not found.alignment(np.zeros((4, 1))).any()


def test_alignment_takes_a_residual_of_all_channels_in_the_points_order() -> None:
    field, (x, y) = field_of("fourier:2"), some(6)
    residual = y.double().numpy()
    whole = kernel(field, x)
    leading = whole.eigen.vectors[:, 0].reshape(3, 6).T
    expected = (leading * residual).sum() ** 2 / np.square(residual).sum()
    assert whole.alignment(residual)[0] == pytest.approx(expected)
    green = kernel(field, x, 1)
    assert green.alignment(residual)[0] == pytest.approx(
        float(green.eigen.vectors[:, 0] @ residual[:, 1]) ** 2 / np.square(residual[:, 1]).sum()
    )


def test_what_is_too_large_or_not_there_is_refused_in_one_sentence() -> None:
    field, (x, _) = field_of("raw"), some(1)
    many = x.expand(4096, 2)
    with pytest.raises(InputError, match=r"^the kernel of 4,096 points and 3 channels has 12,288 rows.*2,730 points"):
        kernel(field, many)
    with pytest.raises(InputError, match=r"^the kernel of 8,193 points and 1 channel has.*at most 8,192 points$"):
        kernel(field, x.expand(8193, 2), "luma")
    for channel in (3, -1):
        with pytest.raises(InputError, match=f"there is no channel {channel}: the field has 3"):
            kernel(field, x, channel)
