"""The speed of detail: against the kernel's matrix, autograd, and networks whose gradients are known on paper."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from jaxtyping import Float
from torch import Tensor, nn

from fieldlens.analysis import Detail, detail_speed, kernel, octave_details, relu_network, wave_speed
from fieldlens.analysis.detail.octaves import octave_waves
from fieldlens.analysis.detail.windows import Windows
from fieldlens.analysis.gradients import window_gradients
from fieldlens.configs.errors import InputError
from tests.support.gradient_fields import ENCODINGS, NETWORKS, InDouble
from tests.support.small_networks import centres, drawn, field_of
from tests.support.user_networks import encode, sequential

HEIGHT, WIDTH = 21, 26

REC709 = torch.tensor([0.2126, 0.7152, 0.0722])


def picture(height: int = HEIGHT, width: int = WIDTH) -> Float[np.ndarray, "h w 3"]:
    return np.random.default_rng(0).random((height, width, 3)).astype(np.float32)


def crooked(seed: int = 0) -> list[Detail]:
    """Three details in windows of which no edges but the picture's are the same, one of them a single window."""
    values = np.random.default_rng(seed).normal(size=(3, HEIGHT, WIDTH))
    edges = [([0, 5, 12, 21], [0, 9, 10, 26]), ([0, 7, 21], [0, 4, 18, 26]), ([0, 21], [0, 26])]
    return [
        Detail(y, Windows(np.array(rows), np.array(columns), 8), "some")
        for y, (rows, columns) in zip(values, edges, strict=True)
    ]


def by_kernel(K: Float[np.ndarray, "pixels pixels"], detail: Detail) -> Float[np.ndarray, "rows columns"]:
    """y' K y in each window, from the kernel's whole matrix."""
    numbers = np.arange(detail.windows.areas.size)
    of_pixel = detail.windows.spread(numbers.reshape(detail.windows.shape).astype(float)).ravel()
    y = np.where(of_pixel == numbers[:, None], detail.values.ravel(), 0)
    return np.einsum("wi,ij,wj->w", y, K, y, optimize=True).reshape(detail.windows.shape)


def by_autograd(function: nn.Module, detail: Detail) -> Float[np.ndarray, "parameters rows columns"]:
    """|gradient of sum of y luma over a window|^2, parameter by parameter in their own order."""
    points = centres(HEIGHT, WIDTH).view(HEIGHT, WIDTH, 2)
    y, windows = torch.from_numpy(detail.values), detail.windows
    found = np.zeros((len(list(function.parameters())), *windows.shape))
    for row, column in np.ndindex(*windows.shape):
        down = slice(windows.row_edges[row], windows.row_edges[row + 1])
        across = slice(windows.column_edges[column], windows.column_edges[column + 1])
        values = function(points[down, across].flatten(0, 1)).double()
        luma = values[:, :3] @ REC709.double() if values.shape[1] >= 3 else values[:, 0]
        gradients = torch.autograd.grad(y[down, across].flatten() @ luma, list(function.parameters()))
        found[:, row, column] = [float(part.double().square().sum()) for part in gradients]
    return found


def assert_close(found: np.ndarray, expected: np.ndarray, share: float) -> None:
    """Within a share of the largest: detail that hardly moves is a difference of large numbers."""
    np.testing.assert_allclose(found, expected, atol=share * np.abs(expected).max())


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_push_is_the_quadratic_form_of_the_kernel(encoding: str, network: str) -> None:
    field = field_of(encoding, network)
    K = kernel(field, centres(HEIGHT, WIDTH), "luma").matrix
    for found in detail_speed(field, crooked(), dtype=torch.float64):
        assert_close(found.push, by_kernel(K, found.detail), 1e-11)


@pytest.mark.parametrize("every", [2, 3, 9])
def test_windows_that_are_asked_alone_are_as_fast_as_among_all(every: int) -> None:
    field, details = field_of("fourier:3", "2x16"), octave_details(picture(150, 130))[:2]
    of_all = detail_speed(field, details)
    some = detail_speed(field, [replace(detail, every=every) for detail in details])
    for whole, part in zip(of_all, some, strict=True):
        asked = part.detail.asked
        assert asked.sum() == np.prod([max(1, (count + every - 1 - every // 2) // every) for count in asked.shape])
        np.testing.assert_allclose(part.push[asked], whole.push[asked], rtol=1e-4)
        assert np.isnan(part.per_energy[~asked]).all()


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("network", ["2x16", "2x16,sigmoid"])
def test_alpha_has_no_part_in_it(network: str, channels: int) -> None:
    field = field_of("fourier:3", network, channels)
    for found in detail_speed(field, crooked()):
        assert_close(found.push, by_autograd(field, found.detail).sum(0), 1e-5)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_parts_are_autograds_layer_by_layer(encoding: str) -> None:
    field = field_of(encoding)
    for found in detail_speed(field, crooked(), dtype=torch.float64):
        *of_layers, last = by_autograd(InDouble(field), found.detail)
        if len(of_layers) == 6:  # what is no layer's is a table
            parts = [last, *of_layers]
            expected = [parts[0], parts[1] + parts[2], parts[3] + parts[4], parts[5] + parts[6]]
        else:
            parts = [*of_layers, last]
            expected = [parts[0] + parts[1], parts[2] + parts[3], parts[4] + parts[5]]
        assert_close(found.by_layer, np.stack(expected), 1e-10)
        np.testing.assert_allclose(found.by_layer.sum(0), found.push, rtol=1e-12)


@pytest.mark.parametrize("encoding", ["raw", "hashgrid:4,finest=40"])
def test_it_does_not_matter_in_what_runs_the_pixels_go_by(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    field = field_of(encoding)
    whole = detail_speed(field, crooked())
    for points in (40, 10_000):
        monkeypatch.setattr(window_gradients, "RUN_POINTS", points)
        for found, expected in zip(detail_speed(field, crooked()), whole, strict=True):
            assert_close(found.by_layer, expected.by_layer, 1e-5)


def test_details_of_a_picture_are_its_octaves_and_their_speed_is_the_kernels() -> None:
    field, details = field_of("fourier:4", "3x24"), octave_details(picture(40, 33))
    assert [detail.label for detail in details] == ["2-4 px", "4-8 px", "8-16 px", "16+ px"]
    assert [detail.windows.shape for detail in details] == [(2, 2), (1, 1), (1, 1), (1, 1)]
    luma = picture(40, 33) @ REC709.numpy()
    energies = [detail.energy for detail in details]
    np.testing.assert_allclose(sum(energy.sum() for energy in energies), luma.var() * luma.size, rtol=1e-5)
    for each, of_luma in zip(details, octave_details(luma), strict=True):
        np.testing.assert_allclose(each.values, of_luma.values, atol=1e-6)
    K = kernel(field, centres(40, 33), "luma").matrix
    for found in detail_speed(field, details):
        assert_close(found.push, by_kernel(K, found.detail), 1e-4)
        np.testing.assert_allclose(found.per_energy, found.push / found.energy)


def test_a_speed_is_none_where_there_is_no_detail() -> None:
    values = np.zeros((HEIGHT, WIDTH))
    values[0, 0], values[0, 9] = 1, 3
    windows = crooked()[0].windows
    (found,) = detail_speed(field_of("raw"), [Detail(values, windows, "some", floor=2 / windows.areas[0, 0])])
    assert np.isfinite(found.per_energy[0, 1])
    assert np.isnan(found.per_energy).sum() == 8
    np.testing.assert_array_equal(found.energy[0], [1, 9, 0])
    (found,) = detail_speed(field_of("raw"), [Detail(values, windows, "some")])
    assert np.isfinite(found.per_energy[0, :2]).all()
    assert np.isnan(found.per_energy).sum() == 7


def test_the_floor_of_an_octave_is_the_rounding_in_it() -> None:
    rounded = [detail.floor for detail in octave_details(picture(), peak=2.0)]
    assert sum(rounded) == pytest.approx((2 / 255) ** 2 / 12)


def test_neurons_that_are_off_push_nothing_but_the_outputs_bias() -> None:
    # z = -1 - x - y is below 0 everywhere in the picture, so the luma is the output's bias and its gradient 1 by that
    network = drawn(([[-1.0, -1.0], [-1.0, -1.0]], [-1.0, -1.0]), ([[1.0, 2.0]], [0.5]))
    for found in detail_speed(network, crooked()):
        detail = found.detail
        edges = detail.windows.row_edges[:-1], detail.windows.column_edges[:-1]
        sums = np.add.reduceat(np.add.reduceat(detail.values, edges[0], 0), edges[1], 1)
        assert not found.by_layer[0].any()
        np.testing.assert_allclose(found.push, np.square(sums), rtol=1e-4, atol=1e-5)


def test_one_pixel_of_a_neuron_on_paper() -> None:
    # f = 2 relu(3 x + y - 1) at (3.5, 1.5) / 4: z = 2, so that the gradient is (2 x, 2 y), 2, 2 and 1
    network, values = drawn(([[3.0, 1.0]], [-1.0]), ([[2.0]], [0.0])), np.zeros((2, 4))
    values[1, 3] = 5
    whole = Windows(np.array([0, 2]), np.array([0, 4]), 4)
    (found,) = detail_speed(network, [Detail(values, whole, "some")])
    np.testing.assert_allclose(found.by_layer[:, 0, 0], [25 * (1.75**2 + 0.75**2 + 4), 25 * (4 + 1)])
    np.testing.assert_allclose(found.per_energy, [[1.75**2 + 0.75**2 + 9]])


@pytest.mark.parametrize("bias", [True, False])
def test_the_speed_of_a_users_network_is_autograds(bias: bool) -> None:
    model = sequential(14, 16, 12, 3, slope=0.1, bias=bias)

    class Whole(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, x: Tensor) -> Tensor:
            return self.model(encode(x))

    for found in detail_speed(relu_network(model, encode), crooked()):
        assert_close(found.push, by_autograd(Whole(), found.detail).sum(0), 1e-5)


@pytest.mark.parametrize("encoding", ["raw", "fourier:4", "hashgrid:4,finest=40"])
def test_along_a_line_a_push_is_the_quadratic_form_of_the_kernel_of_its_samples(encoding: str) -> None:
    field, signal = field_of(encoding, "3x24", channels=1, dim=1), picture(1, 100)[..., :1]
    K = kernel(field, (torch.arange(100)[:, None] + 0.5) / 100, "luma").matrix
    details = octave_details(signal)
    assert [detail.windows.shape for detail in details[:3]] == [(1, 6), (1, 3), (1, 1)]
    for found in detail_speed(field, details, dtype=torch.float64):
        assert_close(found.push, by_kernel(K, found.detail), 1e-9)


def test_a_users_network_of_one_coordinate_is_asked_along_a_line() -> None:
    model, y = sequential(1, 16, 12, 1), picture(1, 40)[..., 0] - 0.5
    (found,) = detail_speed(relu_network(model), [Detail(y, Windows(np.array([0, 1]), np.array([0, 40]), 40), "all")])
    values = model((torch.arange(40)[:, None] + 0.5) / 40)[:, 0]
    gradients = torch.autograd.grad(torch.from_numpy(y[0]) @ values, list(model.parameters()))
    assert found.push.item() == pytest.approx(sum(float(part.square().sum()) for part in gradients), rel=1e-5)


@pytest.mark.parametrize("band", [0, 1])
def test_waves_are_moved_as_level_cosines_of_the_octaves_centre_are(band: int) -> None:
    field = field_of("fourier:4", "3x24")
    y, x = np.mgrid[:40, :33] + 0.5
    rate = 2 * np.pi * (0.5 / 2**band) / 2**0.5
    directions = [(1, 0), (2**-0.5, 2**-0.5), (0, 1), (-(2**-0.5), 2**-0.5)]
    windows = octave_waves(40, 33, band)[0].windows
    waves = [wave(rate * (along * x + down * y)) for along, down in directions for wave in (np.cos, np.sin)]
    expected = [
        found.per_energy for found in detail_speed(field, [Detail(wave, windows, "").levelled() for wave in waves])
    ]
    np.testing.assert_allclose(wave_speed(field, 40, 33, band), np.mean(expected, 0), rtol=1e-3)


def test_what_cannot_be_asked_is_refused_in_one_sentence() -> None:
    field, details = field_of("raw"), crooked()
    with pytest.raises(InputError, match=r"^speed of detail is of pictures.*goes from 3 to 3$"):
        detail_speed(field_of("raw", dim=3), details)
    with pytest.raises(InputError, match=r"^speed of detail is of pictures.*1 along a single row.*goes from 1 to 3$"):
        detail_speed(field_of("raw", dim=1), details)
    with pytest.raises(InputError, match=r"^speed of detail is of pictures.*goes from 2 to 5$"):
        detail_speed(field_of("raw", channels=5), details)
    with pytest.raises(InputError, match=r"^details of one picture have one size; got 26x21 and 33x40$"):
        detail_speed(field, [*details, *octave_details(picture(40, 33))])
    for band in (-1, 3):
        with pytest.raises(InputError, match=f"^there is no band {band}: pictures of 26x21 have 3, numbered from 0$"):
            wave_speed(field, HEIGHT, WIDTH, band)
    assert detail_speed(field, []) == []


def test_progress_ends_with_the_picture() -> None:
    told: list[float] = []
    detail_speed(field_of("raw"), crooked(), progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 1
