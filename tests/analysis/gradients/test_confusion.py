"""Gradient confusion: against autograd's gradients, one point at a time, and cases worked out by hand."""

import importlib
from typing import cast

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from fieldlens.analysis import confusion, confusion_map, global_pairs, kernel, local_pairs, pixel_confusion
from fieldlens.analysis.gradients.point_gradients import Loss, PointGradients, bytes_per_point, loss_gradients
from fieldlens.configs.errors import InputError
from fieldlens.configs.records import to_json
from fieldlens.fields import Field
from fieldlens.fields.encodings import HashGridEncoding
from tests.support.gradient_fields import COLLIDING, ENCODINGS, NETWORKS, InDouble, autograd_gradients, some
from tests.support.small_networks import field_of

# the package's name for each of these is the function
CONFUSION = importlib.import_module("fieldlens.analysis.gradients.confusion")
GRADIENTS = importlib.import_module("fieldlens.analysis.gradients.point_gradients")


def worst_error(found: Tensor, gradients: Tensor, i: Tensor, j: Tensor) -> float:
    """The largest error of inner products, as a share of the product of the gradients' lengths."""
    expected = (gradients[i] * gradients[j]).sum(-1)
    lengths = gradients.norm(dim=1)
    return float(((found.double() - expected).abs() / (lengths[i] * lengths[j])).max())


def matrix_of(gradients: PointGradients, block_points: int | None = None) -> Tensor:
    """All inner products of one direction, in the upper triangle."""
    n = gradients.points
    matrix = gradients.outputs.new_zeros(n, n)
    for start, block in gradients.gram_blocks(block_points):
        matrix[start : start + block.shape[1], start:] = block[0, :, 0]
    return matrix.triu()


def constant_field(channels: int = 1, value: float = 0.0) -> Field:
    """f = value everywhere, and only the output's bias moves it: at each point the gradient is 2 (f - y) / c."""
    field = field_of("raw", "1x3", channels)
    with torch.no_grad():
        for parameter in field.parameters():
            parameter.zero_()
        field.mlp.linears[-1].bias.fill_(value)
    return field


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_inner_products_are_those_of_the_gradients_autograd_finds(encoding: str, network: str) -> None:
    field, (x, y) = field_of(encoding, network), some(12)
    expected = autograd_gradients(field, x, y)
    every = confusion(field, x, y)
    i, j = torch.triu_indices(12, 12, 1)
    assert (every.first.tolist(), every.second.tolist()) == (i.tolist(), j.tolist())
    assert worst_error(torch.from_numpy(every.inner_product), expected, i, j) < 2e-5
    cosines = nn.functional.cosine_similarity(expected[i], expected[j]).numpy()
    np.testing.assert_allclose(every.cosine, cosines, atol=2e-5)

    given_pairs = confusion(field, x, y, pairs=(j, i))
    np.testing.assert_allclose(given_pairs.inner_product, every.inner_product, rtol=1e-4, atol=1e-6 * every.eta)
    np.testing.assert_allclose(given_pairs.cosine, every.cosine, atol=2e-6)
    np.testing.assert_allclose(given_pairs.residual_cosine, every.residual_cosine, atol=2e-6)


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_in_fp64_they_agree_to_rounding(encoding: str, network: str) -> None:
    field, (x, y) = field_of(encoding, network), some(8)
    expected = autograd_gradients(InDouble(field), x, y)
    gradients = loss_gradients(field, x, y.double(), dtype=torch.float64)
    i, j = torch.triu_indices(8, 8)
    assert worst_error(matrix_of(gradients)[i, j], expected, i, j) < 1e-13
    assert worst_error(gradients.inner_products(i, j)[0], expected, i, j) < 1e-13


def test_points_that_only_their_hash_brings_together_are_told_so() -> None:
    field, (x, y) = field_of(COLLIDING, "2x16"), some(40)
    table = cast(HashGridEncoding, field.encoding).table
    finest = slice(3 * 16, 4 * 16)  # the entries of the last level, whose squares have 1/64 of a side
    of_table = []
    for point, target in zip(x, y, strict=True):
        loss = (field(point[None]) - target).square().mean()
        of_table.append(torch.autograd.grad(loss, table)[0][finest].flatten().double())
    expected = torch.stack(of_table)
    entries = loss_gradients(field, x, y).table
    assert entries is not None
    last = PointGradients(  # nothing but the last level: a network whose gradients are zero
        torch.zeros(40, 3),
        (torch.zeros(40, 1),),
        (torch.zeros(1, 40, 1),),
        type(entries)(entries.rows[-1:], entries.weights[-1:], entries.deltas[-1:]),
    )
    found = matrix_of(last)
    far = torch.cdist(x, x) > 2 * 2**0.5 / 64
    assert float((expected @ expected.T)[far.triu()].abs().max()) > 1e-4  # otherwise this would test nothing
    torch.testing.assert_close(found.double(), (expected @ expected.T).triu(), rtol=1e-4, atol=1e-9)


@pytest.mark.parametrize("encoding", ["fourier:3", COLLIDING])
def test_blocks_chunks_and_groups_leave_the_numbers_as_they_are(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    field, (x, y) = field_of(encoding), some(23)
    pairs = local_pairs(1, 23, 60, 5, torch.Generator().manual_seed(0))
    whole, listed = loss_gradients(field, x, y), confusion(field, x, y, pairs=pairs)
    in_one = matrix_of(whole, 23)
    for rows in (1, 7, 22):
        torch.testing.assert_close(matrix_of(whole, rows), in_one, rtol=1e-5, atol=1e-7)
    monkeypatch.setattr(GRADIENTS, "_block_points", lambda _width: 5)
    monkeypatch.setattr(GRADIENTS, "CHUNK_NUMBERS", 200)
    monkeypatch.setattr(CONFUSION, "GROUP_BYTES", 9 * bytes_per_point(field))
    torch.testing.assert_close(matrix_of(loss_gradients(field, x, y)), in_one, rtol=1e-5, atol=1e-7)
    in_groups = confusion(field, x, y, pairs=pairs)
    np.testing.assert_allclose(in_groups.inner_product, listed.inner_product, rtol=1e-5, atol=1e-7)
    np.testing.assert_array_equal(in_groups.first, pairs[0])
    np.testing.assert_allclose(in_groups.residual_cosine, listed.residual_cosine, atol=1e-6)


def test_a_group_passes_each_of_its_points_once(monkeypatch: pytest.MonkeyPatch) -> None:
    passed = []

    def counting(field: Field, points: Tensor, targets: Tensor, *, loss: Loss) -> PointGradients:
        passed.append(len(points))
        return loss_gradients(field, points, targets, loss=loss)

    monkeypatch.setattr(CONFUSION, "loss_gradients", counting)
    field, (x, y) = field_of("raw"), some(10)
    first = torch.tensor([3, 3, 3, 7])
    confusion(field, x, y, pairs=(first, torch.tensor([7, 1, 3, 3])))
    assert passed == [3]


@pytest.mark.parametrize("encoding", ["raw", "fourier:3", COLLIDING])
def test_a_point_twice_has_cosine_one_and_minus_one_with_the_mirrored_target(encoding: str) -> None:
    field, (x, y) = field_of(encoding), some(1)
    with torch.no_grad():
        mirrored = 2 * field(x) - y
    found = confusion(field, x.repeat(3, 1), torch.cat([y, y, mirrored]))
    np.testing.assert_allclose(found.cosine, [1, -1, -1], atol=1e-6)
    np.testing.assert_allclose(found.residual_cosine, [1, -1, -1], atol=1e-6)
    assert np.abs(found.cosine).max() <= 1


def test_pairs_with_a_zero_gradient_are_counted_and_in_no_distribution() -> None:
    field, points = constant_field(value=0.5), some(4)[0]
    found = confusion(field, points, torch.tensor([[0.5], [0.0], [1.0], [0.25]]))
    assert found.zero_gradient.tolist() == [True, True, True, False, False, False]
    assert found.cosine.tolist() == [0, 0, 0, -1, 1, -1]
    summary = found.summary()
    assert (summary.pairs, summary.zero_gradient_pairs) == (6, 3)
    assert summary.cosine.mean == pytest.approx(-1 / 3)
    assert summary.cosine.negative_share == pytest.approx(2 / 3)

    listed = confusion(field, points, torch.full((4, 1), 0.5), pairs=(torch.tensor([0, 1]), torch.tensor([2, 3])))
    assert listed.zero_gradient.all()
    assert not np.isnan(listed.cosine).any()
    nothing = to_json(listed.summary())
    assert nothing["cosine"]["mean"] == nothing["residual_sign_share"] == nothing["eta"] == 0


def test_no_pairs_are_no_mistake() -> None:
    field, (x, y) = field_of("raw"), some(3)
    none = torch.zeros(0, dtype=torch.int64)
    for found in (confusion(field, x, y, pairs=(none, none)), confusion(field, x[:1], y[:1])):
        assert found.eta == 0
        assert found.summary().pairs == 0


def test_eta_is_the_worst_product_of_a_case_on_paper() -> None:
    # gradients 2 (0 - y): -2, 4, -6; products -8, 12, -24
    found = confusion(constant_field(), some(3)[0], torch.tensor([[1.0], [-2.0], [3.0]]))
    assert found.inner_product.tolist() == [-8, 12, -24]
    assert found.eta == 24
    assert found.sign.tolist() == [-1, 1, -1]
    assert confusion(constant_field(), some(3)[0], torch.tensor([[1.0], [2.0], [3.0]])).eta == 0


@pytest.mark.parametrize("network", ["3x24", "2x16,sine", "2x16,sigmoid"])
@pytest.mark.parametrize("encoding", ["raw", "fourier:3", COLLIDING])
def test_with_one_channel_a_cosine_is_the_residuals_sign_times_the_normalised_kernel(
    encoding: str, network: str
) -> None:
    field, (x, y) = field_of(encoding, network, channels=1), some(20, channels=1)
    found = confusion(field, x, y)
    normalised = kernel(field, x).normalised[found.first, found.second]
    residual = (field(x) - y).detach().numpy()[:, 0]
    signs = np.sign(residual[found.first] * residual[found.second])
    np.testing.assert_allclose(found.cosine, signs * normalised, atol=1e-5)
    np.testing.assert_allclose(found.residual_cosine, signs, atol=1e-6)
    np.testing.assert_allclose(found.strength, np.abs(normalised), atol=1e-5)
    assert found.summary().residual_sign_share == pytest.approx(np.mean(normalised > 0), abs=0.02)


def test_a_summary_has_the_quantiles_of_its_pairs() -> None:
    found = confusion(field_of("fourier:3"), *some(40))
    summary, cosine = found.summary(), np.sort(found.cosine)
    low, *_, high = summary.cosine.quantiles
    assert np.mean(cosine <= low) == pytest.approx(0.05, abs=0.002)
    assert np.mean(cosine <= high) == pytest.approx(0.95, abs=0.002)
    assert summary.cosine.half_width == pytest.approx((high - low) / 2)
    assert summary.strength.mean == pytest.approx(np.abs(cosine).mean(), rel=1e-5)
    assert summary.eta == max(0, -found.inner_product.min())


def test_what_cannot_be_measured_is_refused_in_one_sentence() -> None:
    field, (x, y) = field_of("raw"), some(4)
    with pytest.raises(InputError, match="targets are not all finite"):
        confusion(field, x, y.where(y != y[0, 0], torch.nan))
    with pytest.raises(InputError, match=r"all 199,990,000 pairs of 20,000 points would take 4\.5 GiB.*fewer points"):
        confusion(field, x[:1].expand(20_000, 2), y[:1].expand(20_000, 3))
    with torch.no_grad():
        field.mlp.linears[-1].bias.fill_(torch.inf)
    with pytest.raises(InputError, match="the field's values are not all finite"):
        confusion(field, x, y)


sides = st.integers(1, 9)


@given(height=sides, width=sides, radius=st.integers(1, 4), seed=st.integers(0, 5))
def test_local_pairs_are_two_pixels_within_the_radius(height: int, width: int, radius: int, seed: int) -> None:
    if height * width < 2:
        with pytest.raises(ValueError, match="no pixel"):
            local_pairs(height, width, 3, radius, torch.Generator())
        return
    first, second = local_pairs(height, width, 50, radius, torch.Generator().manual_seed(seed))
    apart = distance(first, second, width)
    assert int(torch.cat([first, second]).min()) >= 0
    assert int(torch.cat([first, second]).max()) < height * width
    assert int(apart.min()) >= 1
    assert int(apart.max()) <= radius
    again = local_pairs(height, width, 50, radius, torch.Generator().manual_seed(seed))
    assert torch.equal(second, again[1])


@given(height=sides, width=sides, beyond=st.integers(0, 4), seed=st.integers(0, 5))
def test_global_pairs_are_two_pixels_beyond_the_radius(height: int, width: int, beyond: int, seed: int) -> None:
    if max(height, width) <= 2 * beyond + 1:
        with pytest.raises(ValueError, match="may hold all"):
            global_pairs(height, width, 3, beyond, torch.Generator())
        return
    first, second = global_pairs(height, width, 50, beyond, torch.Generator().manual_seed(seed))
    assert int(torch.cat([first, second]).min()) >= 0
    assert int(torch.cat([first, second]).max()) < height * width
    assert int(distance(first, second, width).min()) > beyond


@pytest.mark.parametrize("draw", [local_pairs, global_pairs])
def test_every_partner_allowed_is_equally_likely(draw) -> None:
    first, second = draw(5, 6, 90_000, 2, torch.Generator().manual_seed(0))
    apart = distance(torch.arange(30)[:, None].expand(30, 30), torch.arange(30).expand(30, 30), 6)
    allowed = (apart <= 2) & (apart > 0) if draw is local_pairs else apart > 2
    counts = torch.zeros(30, 30).index_put_((first, second), torch.ones(90_000), accumulate=True)
    expected = allowed * 3000 / allowed.sum(1, keepdim=True)
    assert torch.equal(counts > 0, allowed)
    # Pearson's statistic: as many degrees of freedom as pairs of pixels, less one; its spread is the root of twice that
    pearson = float(((counts - expected).square()[allowed] / expected[allowed]).sum())
    freedom = int(allowed.sum()) - 1
    assert abs(pearson - freedom) < 4 * (2 * freedom) ** 0.5


def distance(first: Tensor, second: Tensor, width: int) -> Tensor:
    """The larger of the distances in rows and in columns."""
    return torch.maximum((first // width - second // width).abs(), (first % width - second % width).abs())


def test_confusion_of_pixels_is_that_of_their_centres() -> None:
    field = field_of("fourier:2")
    target = np.random.default_rng(0).random((3, 5, 3), np.float32)
    found = pixel_confusion(field, target, (torch.tensor([0, 14, 7]), torch.tensor([4, 1, 7])))
    centres = torch.tensor([[0.1, 0.1], [0.9, 0.1], [0.9, 0.5], [0.3, 0.1], [0.5, 0.3]])
    values = torch.from_numpy(target.reshape(-1, 3)[[0, 4, 14, 1, 7]])
    expected = confusion(field, centres, values, pairs=(torch.tensor([0, 2, 4]), torch.tensor([1, 3, 4])))
    np.testing.assert_allclose(found.cosine, expected.cosine, atol=1e-5)
    assert (found.first.tolist(), found.second.tolist()) == ([0, 14, 7], [4, 1, 7])


@pytest.mark.parametrize(("distance_px", "stride"), [(1, 1), (2, 1), (1, 2), (3, 3)])
def test_a_map_has_the_mean_cosine_with_the_neighbours(distance_px: int, stride: int) -> None:
    field, height, width = field_of("fourier:2"), 5, 7
    target = np.random.default_rng(0).random((height, width, 3), np.float32)
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    centres = (torch.stack([x, y], -1).flatten(0, 1) + 0.5) / width
    gradients = autograd_gradients(field, centres, torch.from_numpy(target).flatten(0, 1)).unflatten(0, (height, width))
    found = confusion_map(field, target, distance_px=distance_px, stride=stride)
    rows, columns = {1: (range(5), range(7)), 2: ((1, 3, 4), (1, 3, 5, 6)), 3: ((1, 4), (1, 4, 6))}[stride]
    for into_row, row in enumerate(rows):
        for into_column, column in enumerate(columns):
            steps = ((-distance_px, 0), (distance_px, 0), (0, -distance_px), (0, distance_px))
            around = [(row + down, column + right) for down, right in steps]
            cosines = [
                float(nn.functional.cosine_similarity(gradients[row, column], gradients[r, c], dim=0))
                for r, c in around
                if 0 <= r < height and 0 <= c < width
            ]
            assert found.neighbours[into_row, into_column] == len(cosines)
            assert found.cosine[into_row, into_column] == pytest.approx(np.mean(cosines), abs=1e-5)


def test_a_map_shows_where_neighbours_pull_apart() -> None:
    # the residual changes its sign between the third and the fourth column, and one pixel is fitted exactly
    target = np.ones((4, 6, 1), np.float32)
    target[:, 3:] = -1
    target[0, 0] = 0
    found = confusion_map(constant_field(), target)
    np.testing.assert_allclose(found.cosine[2], [1, 1, 0.5, 0.5, 1, 1])
    assert (found.cosine[0, 0], found.neighbours[0, 0]) == (0, 0)
    assert (found.cosine[0, 1], found.neighbours[0, 1]) == (1, 2)
    with pytest.raises(ValueError, match="at least 1 pixel"):
        confusion_map(constant_field(), target, distance_px=0)
