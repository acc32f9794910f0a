"""Cells under encodings: against creases known in closed form, the forward pass, and the densities of the same net."""

import math
from dataclasses import replace

import numpy as np
import pytest
import scipy.integrate
import torch

from fieldlens.analysis import ReluNetwork, crease_density, relu_network
from fieldlens.analysis.networks.plane import Plane, on_plane
from fieldlens.analysis.partition.exact_cells import cells
from fieldlens.analysis.partition.interpolated_cells import (
    SurrogateCells,
    TooManyCellsError,
    foreseen_cells,
    interpolated_cells,
    largest_wave_number,
    mesh_axes,
    surrogate_cells,
)
from fieldlens.analysis.partition.subdivision import Window
from fieldlens.configs.encoding import parse_encoding
from fieldlens.configs.errors import InputError
from fieldlens.configs.network import parse_network
from fieldlens.fields import build

UNIT: Window = (0.0, 0.0, 1.0, 1.0)


def field_network(encoding: str, network: str = "3x24", dim: int = 2) -> ReluNetwork:
    generator = torch.Generator().manual_seed(0)
    return relu_network(build(parse_encoding(encoding), parse_network(network), dim, 3, generator))


def one_neuron(level: float) -> ReluNetwork:
    """z = cos(pi x) + cos(pi y) - level, on features sin and cos of pi x and pi y."""
    network = field_network("fourier:1", "1x2")
    weight = torch.tensor([[0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 0.0, 0.0]])
    weights = (weight, *network.weights[1:])
    return replace(network, weights=weights, biases=(torch.tensor([-level, 0.0]), *network.biases[1:]))


def even_mesh(window: Window, steps: int) -> tuple[np.ndarray, np.ndarray]:
    left, top, right, bottom = window
    return np.linspace(left, right, steps + 1), np.linspace(top, bottom, steps + 1)


def check(found: SurrogateCells) -> None:
    """What holds whatever the network and the mesh."""
    left, top, right, bottom = found.window
    assert found.areas.sum() == pytest.approx((right - left) * (bottom - top), rel=1e-9)
    assert found.areas.min() > 0
    assert len(found) == found.counts.count == found.counts.count_per_layer[-1] == found.cell.max() + 1
    steps = found.vertices[found.edges[:, 1]] - found.vertices[found.edges[:, 0]]
    border = 2 * (right - left) + 2 * (bottom - top)
    assert np.linalg.norm(steps, axis=1).sum() - border == pytest.approx(sum(found.counts.length_per_layer), abs=1e-9)
    of_layer = np.bincount(found.edge_layers + 1, np.linalg.norm(steps, axis=1), found.layers.hidden + 1)
    assert of_layer[0] == pytest.approx(border)
    np.testing.assert_allclose(of_layer[1:], found.counts.length_per_layer, rtol=0.02, atol=1e-9)
    # neighbours are told apart by some neuron, so no seam is left
    bits = np.concatenate([found.on(layer) for layer in range(len(found.patterns))], 1)
    assert (bits[found.neighbours[:, 0]] != bits[found.neighbours[:, 1]]).any(1).all()


# One neuron, whose crease is cos(pi x) + cos(pi y) = level.


def closed_form(level: float) -> tuple[float, float]:
    """Area of the corner in which the neuron is on, and the length of its crease, in the unit square."""
    last = math.acos(level - 1) / math.pi

    def height(x: float) -> float:
        return math.acos(level - math.cos(math.pi * x)) / math.pi

    area = scipy.integrate.quad(height, 0, last)[0]
    # the curve is symmetric about x = y, and flat enough for dy / dx from there to x = 0
    middle = math.acos(level / 2) / math.pi

    def speed(x: float) -> float:
        return math.hypot(1, math.sin(math.pi * x) / math.sin(math.pi * height(x)))

    return area, 2 * scipy.integrate.quad(speed, 0, middle)[0]


@pytest.mark.parametrize("level", [0.7, 1.3])
def test_area_and_length_of_one_crease_are_those_of_its_curve_and_err_as_the_pitch_squared(level: float) -> None:
    area, length = closed_form(level)
    errors = []
    for steps in (10, 20, 40):
        found = interpolated_cells(one_neuron(level), even_mesh(UNIT, steps))
        check(found)
        assert len(found) == 2
        assert found.neighbours.tolist() == [[0, 1]]
        (on,) = np.flatnonzero(found.on(0)[:, 0])
        errors.append([found.areas[on] - area, found.counts.length_per_layer[0] - length])
    assert np.abs(errors[-1]).max() < 1e-3
    ratios = np.array(errors)[:-1] / np.array(errors)[1:]
    np.testing.assert_allclose(ratios, 4, rtol=0.3)


def test_the_first_pitch_keeps_the_bound_and_refining_says_what_it_changed() -> None:
    network = one_neuron(0.7)
    assert largest_wave_number(network) == pytest.approx(math.pi)
    found = surrogate_cells(network, UNIT)
    check(found)
    assert found.count_per_pitch == (2, 2)
    assert found.change == 0
    assert found.tolerance == 0.02
    first, second = found.pitches
    assert second == pytest.approx(first / 2)
    assert (math.pi * first) ** 2 / 8 <= 0.01
    assert found.pitch == second


@pytest.mark.parametrize(
    "encoding", ["fourier:5", "fourier:4,interval=-1..1", "basic", "positional:4,features=8", "gaussian:6,features=9"]
)
def test_features_are_within_a_hundredth_of_their_interpolant_on_the_first_mesh(encoding: str) -> None:
    network = field_network(encoding)
    window = (0.3, 0.2, 0.37, 0.29)
    x, y = mesh_axes(network, window)
    corners = torch.tensor([[x[0], y[0]], [x[1], y[0]], [x[1], y[1]]]).double()
    shares = torch.from_numpy(np.random.default_rng(0).dirichlet(np.ones(3), 2000))
    exact = network.encode((shares @ corners).float())
    interpolated = shares @ network.encode(corners.float()).double()
    worst = float((exact - interpolated).abs().max())
    assert worst < 0.0101
    if encoding != "gaussian:6,features=9":  # whose fastest wave may be flat, or run along the other diagonal
        assert worst > 0.004


# Seams.


@pytest.mark.parametrize("steps", [1, 3, 16])
def test_a_network_without_creases_in_the_window_has_one_cell_whatever_the_mesh(steps: int) -> None:
    network = field_network("fourier:3", "2x8")
    raised = replace(network, biases=tuple(bias + 100 for bias in network.biases))
    found = interpolated_cells(raised, even_mesh(UNIT, steps))
    check(found)
    assert found.counts.count_per_layer == (1, 1)
    assert found.counts.length_per_layer == (0.0, 0.0)
    assert found.on(0).all()
    assert len(found.cell) == 2 * steps**2
    assert len(found.edges) == 4 * steps  # the window's border


@pytest.mark.parametrize("negative_slope", [0.0, 0.1])
def test_without_an_encoding_the_mesh_leaves_no_trace(negative_slope: float) -> None:
    network = replace(field_network("raw:-2..2", "3x16"), negative_slope=negative_slope)
    exact = cells(network)
    found = interpolated_cells(network, even_mesh(UNIT, 7))
    check(found)
    assert found.counts.count_per_layer == exact.counts.count_per_layer
    assert found.counts.length_per_layer == pytest.approx(exact.counts.length_per_layer)
    np.testing.assert_allclose(np.sort(found.areas), np.sort(exact.areas), atol=1e-12)
    assert len(found.neighbours) == len(exact.neighbours)
    assert surrogate_cells(network, UNIT).count_per_pitch == (len(exact), len(exact))


def test_a_crease_along_a_seam_stays_a_border() -> None:
    network = field_network("raw:0..1", "1x1")
    along = replace(
        network,
        weights=(torch.tensor([[1.0, 0.0]]), *network.weights[1:]),
        biases=(torch.tensor([-0.5]), *network.biases[1:]),
    )
    found = interpolated_cells(along, even_mesh(UNIT, 4))
    check(found)
    assert found.areas.tolist() == [0.5, 0.5]
    assert found.counts.length_per_layer == (1.0,)


# Random networks.


@pytest.mark.parametrize("encoding", ["fourier:3", "gaussian:3,features=16", "positional:3,features=16", "basic"])
def test_patterns_in_cells_are_those_of_the_forward_pass_but_near_creases(encoding: str) -> None:
    network = field_network(encoding)
    found = surrogate_cells(network, (0.2, 0.3, 0.5, 0.6))
    check(found)
    assert len(found) > 30
    x = torch.from_numpy(found.points).float()
    wrong = 0
    for layer, z in enumerate(network.preactivations(x)):
        differ = found.on(layer) != (z > 0).numpy()
        # features are within 0.3 % of their interpolant, so only small pre-activations can differ
        assert float(z.abs()[torch.from_numpy(differ)].max() if differ.any() else 0) < 0.01 * float(z.abs().max())
        wrong += int(differ.sum())
    assert wrong < 0.003 * found.counts.count * sum(network.width_per_layer)


@pytest.mark.parametrize("encoding", ["fourier:4", "gaussian:4,features=16"])
def test_count_and_crease_length_converge_as_the_pitch_falls(encoding: str) -> None:
    network = field_network(encoding)
    window = (0.4, 0.4, 0.6, 0.6)
    counts, lengths = [], []
    for steps in (4, 16, 64, 128):
        found = interpolated_cells(network, even_mesh(window, steps))
        counts.append(len(found))
        lengths.append(sum(found.counts.length_per_layer))
    off = np.abs(np.array(lengths[:-1]) / lengths[-1] - 1)
    assert (off[1:] < off[:-1] / 2).all()
    assert off[2] < 2e-3
    assert abs(counts[2] / counts[3] - 1) < 0.01
    settled = surrogate_cells(network, window, tolerance=0.01)
    assert settled.change <= 0.01
    assert len(settled) == pytest.approx(counts[-1], rel=0.02)
    assert sum(settled.counts.length_per_layer) == pytest.approx(lengths[-1], rel=0.01)


@pytest.mark.parametrize("encoding", ["fourier:5", "gaussian:6,features=32"])
def test_crease_length_is_that_of_the_co_area_density_in_the_window(encoding: str) -> None:
    network = field_network(encoding, "3x48")
    left, top, side = 0.35, 0.55, 0.08
    found = surrogate_cells(network, (left, top, left + side, top + side))
    near = on_plane(network, Plane((left, top), (side, 0.0), (0.0, side)))
    coarea = crease_density(near, 192, 192).length.mean((1, 2)) * 192 * side
    np.testing.assert_allclose(found.counts.length_per_layer, coarea, rtol=0.03)
    assert sum(found.counts.length_per_layer) == pytest.approx(coarea.sum(), rel=0.01)


def test_a_hash_grids_creases_are_exact_along_its_own_lines() -> None:
    network = field_network("hashgrid:3,base=4,finest=12", "2x24")
    table = network.encode.table  # type: ignore[union-attr]
    torch.nn.init.uniform_(table, -1, 1, generator=torch.Generator().manual_seed(1))
    window = (0.25, 0.25, 0.75, 0.75)
    found = surrogate_cells(network, window, tolerance=0.05)
    check(found)
    x, _ = mesh_axes(network, window)
    assert {0.25, 0.5, 1 / 3, 7 / 12} <= set(x.tolist())
    # where borders of cells meet the line x = 1/3, some neuron is zero
    a, b = found.vertices[found.edges[:, 0]], found.vertices[found.edges[:, 1]]
    touching = np.concatenate([a[np.abs(a[:, 0] - 1 / 3) < 1e-12], b[np.abs(b[:, 0] - 1 / 3) < 1e-12]])
    points = np.unique(touching[(touching[:, 1] > 0.2501) & (touching[:, 1] < 0.7499)].round(12), axis=0)
    assert len(points) > 3
    z = torch.cat([layer.clone() for layer in network.preactivations(torch.from_numpy(points).float())], 1)
    assert float(z.detach().abs().min(1).values.max()) < 1e-5


# Planes.


def test_on_a_plane_through_a_volume_cells_are_those_of_the_forward_pass() -> None:
    plane = Plane((0.1, 0.2, 0.3), (0.7, 0.1, 0.2), (0.0, 0.6, 0.4))
    for encoding in ("raw", "fourier:2"):
        network = field_network(encoding, dim=3)
        on = on_plane(network, plane)
        if encoding == "raw":
            found = cells(on)
            points = found.centroids
        else:
            found = surrogate_cells(on, UNIT)
            points = found.points
        x = np.array(plane.origin) + points[:, :1] * plane.u + points[:, 1:] * plane.v
        for layer, z in enumerate(network.preactivations(torch.from_numpy(x).float())):
            assert (found.on(layer) != (z > 0).numpy()).mean() < 2e-3
        value, tangents = on.encode_with_tangents(torch.from_numpy(points[:5]).float())
        near = torch.from_numpy(points[:5]).double().requires_grad_()
        for feature, slope in enumerate(tangents.unbind(2)):
            (gradient,) = torch.autograd.grad(on.encode(near)[:, feature].sum(), near)
            torch.testing.assert_close(slope.double(), gradient, atol=1e-3, rtol=1e-4)
        torch.testing.assert_close(value, on.encode(torch.from_numpy(points[:5]).float()))


def test_a_window_seen_as_a_plane_has_the_same_cells() -> None:
    network = field_network("raw")
    left, top, right, bottom = 0.2, 0.1, 0.6, 0.9
    near = on_plane(network, Plane((left, top), (right - left, 0.0), (0.0, bottom - top)))
    here = cells(network, (left, top, right, bottom))
    assert cells(near).counts.count_per_layer == here.counts.count_per_layer
    np.testing.assert_allclose(np.sort(cells(near).areas) * 0.4 * 0.8, np.sort(here.areas), atol=1e-9)


@pytest.mark.parametrize(
    ("origin", "u", "v"),
    [((0, 0), (1, 0), (2, 0)), ((0, 0), (0, 0), (0, 1)), ((0, 0, 0), (1, 0), (0, 1)), ((0, math.nan), (1, 0), (0, 1))],
)
def test_what_is_no_plane_is_refused(origin: tuple[float, ...], u: tuple[float, ...], v: tuple[float, ...]) -> None:
    with pytest.raises(InputError, match="plane"):
        Plane(tuple(map(float, origin)), tuple(map(float, u)), tuple(map(float, v)))


def test_volumes_without_a_plane_are_refused() -> None:
    for encoding in ("raw", "fourier:2"):
        with pytest.raises(InputError, match="on a plane"):
            surrogate_cells(field_network(encoding, dim=3), UNIT)
    with pytest.raises(InputError, match="on a plane"):
        cells(field_network("raw", dim=3))
    with pytest.raises(InputError, match="hash grid"):
        on_plane(field_network("hashgrid:2"), Plane((0.0, 0.0), (1.0, 1.0), (1.0, -1.0)))


# Windows that are too large, and other mistakes.


@pytest.mark.parametrize("encoding", ["fourier:3", "gaussian:2,features=16"])
def test_the_number_of_cells_is_foreseen_and_a_window_that_is_too_large_names_one_that_would_do(encoding: str) -> None:
    network = field_network(encoding, "3x48")
    window = (0.3, 0.3, 0.5, 0.5)
    found = surrogate_cells(network, window)
    assert 1 + sum(foreseen_cells(network, window)) == pytest.approx(len(found), rel=0.35)
    limit = len(found) // 8
    with pytest.raises(TooManyCellsError, match="would hold about") as refused:
        surrogate_cells(network, window, max_cells=limit)
    side = 0.2 * refused.value.shrink
    assert f"{side:.2g} x {side:.2g}" in str(refused.value)
    near, far = 0.4 - side / 2, 0.4 + side / 2
    smaller = surrogate_cells(network, (near, near, far, far), max_cells=limit, tolerance=0.2)
    assert limit / 3 < len(smaller) < 2 * limit


def test_a_count_that_does_not_settle_is_an_error_and_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fieldlens.analysis.partition.interpolated_cells.HALVINGS", 1)
    network = field_network("fourier:3", "3x48")
    with pytest.raises(InputError, match="still changes by"):
        surrogate_cells(network, (0.3, 0.3, 0.5, 0.5), tolerance=1e-9)


def test_networks_without_weights_have_one_cell() -> None:
    network = field_network("fourier:2", "2x4")
    flat = replace(network, weights=tuple(weight * 0 for weight in network.weights))
    for shift in (-1.0, 0.0, 1.0):
        found = surrogate_cells(replace(flat, biases=tuple(bias * 0 + shift for bias in flat.biases)), UNIT)
        assert found.counts.count == 1
        assert found.on(1).tolist() == [[shift > 0] * 4]


def test_weights_that_are_not_finite_and_windows_without_area_are_refused() -> None:
    network = field_network("fourier:2")
    with pytest.raises(InputError, match="window"):
        surrogate_cells(network, (0, 1, 1, 1))
    with pytest.raises(InputError, match="tolerance"):
        surrogate_cells(network, UNIT, tolerance=0)
    with pytest.raises(InputError, match="limit"):
        surrogate_cells(network, UNIT, max_cells=0)
    huge = replace(network, weights=tuple(weight * 1e30 for weight in network.weights))
    assert len(surrogate_cells(huge, (0.3, 0.3, 0.4, 0.4))) > 1
    network.weights[1][0, 0] = math.nan
    with pytest.raises(InputError, match="not finite"):
        surrogate_cells(network, UNIT)


def test_an_encoding_of_unknown_frequency_is_refused_until_it_tells() -> None:
    known = field_network("fourier:2")
    unknown = replace(known, encode=lambda x: known.encode(x) + 0.0, highest_frequency=0.0)
    with pytest.raises(InputError, match="highest_frequency"):
        surrogate_cells(unknown, UNIT)
    told = surrogate_cells(replace(unknown, highest_frequency=1.0), UNIT)
    assert len(told) == pytest.approx(len(surrogate_cells(known, UNIT)), rel=0.02)
