"""Cells tile by tile, against those of the whole window and the co-area density."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from fieldlens.analysis import crease_density, relu_network
from fieldlens.analysis.partition.cells_per_tile import cells_per_tile
from fieldlens.analysis.partition.exact_cells import Layers, count_cells
from fieldlens.analysis.partition.subdivision import Window
from fieldlens.configs.encoding import parse_encoding
from fieldlens.configs.errors import InputError
from fieldlens.configs.network import parse_network
from fieldlens.fields import build

SQUARE: Window = (-1.0, -1.0, 1.0, 1.0)


def random_layers(width: int, depth: int) -> Layers:
    torch.manual_seed(0)
    linears = [nn.Linear(a, b) for a, b in pairwise([2, *[width] * depth, 1])]
    weights = tuple(linear.weight.detach().double().numpy() for linear in linears)
    return Layers(weights, tuple(linear.bias.detach().double().numpy() for linear in linears))


def cut_along_tiles(layers: Layers, lines_x: np.ndarray, lines_y: np.ndarray) -> Layers:
    """The same network with neurons in its first layer whose creases are the tiles' borders, and which do nothing."""
    extra = np.concatenate([np.tile([1.0, 0.0], (len(lines_x), 1)), np.tile([0.0, 1.0], (len(lines_y), 1))])
    first = np.concatenate([layers.weights[0], extra])
    bias = np.concatenate([layers.biases[0], -lines_x, -lines_y])
    second = np.concatenate([layers.weights[1], np.zeros((len(layers.biases[1]), len(extra)))], 1)
    return Layers((first, second, *layers.weights[2:]), (bias, *layers.biases[1:]))


def test_sums_over_tiles_are_those_of_the_whole() -> None:
    layers = random_layers(24, 3)
    found = cells_per_tile(layers, SQUARE, (3, 5))
    whole = count_cells(layers, SQUARE)
    assert found.length.sum((1, 2)) == pytest.approx(whole.length_per_layer)
    # a cell counts in each tile that it reaches into: as many pieces as the tiles' borders cut the cells into
    cut = cut_along_tiles(layers, np.linspace(-1, 1, 6)[1:-1], np.linspace(-1, 1, 4)[1:-1])
    assert found.count.sum() == count_cells(cut, SQUARE).count > whole.count
    assert found.tile_area == pytest.approx(4 / 15)


def test_each_tile_is_a_window_of_its_own() -> None:
    layers = random_layers(16, 2)
    found = cells_per_tile(layers, (0.0, -1.0, 1.0, 0.0), (2, 4))
    alone = count_cells(layers, (0.25, -0.5, 0.5, 0.0))
    assert found.count[1, 1] == alone.count
    assert tuple(found.length[:, 1, 1]) == pytest.approx(alone.length_per_layer)


def test_one_crease_drawn_on_paper() -> None:
    # x + y = 1 from the left top corner of the unit square's lowest x to the other: through 4 of 3 x 3 tiles' insides
    layers = Layers((np.array([[1.0, 1.0]]), np.ones((1, 1))), (np.array([-1.0]), np.zeros(1)))
    found = cells_per_tile(layers, tiles=(3, 3))
    assert found.count.tolist() == [[1, 1, 2], [1, 2, 1], [2, 1, 1]]
    np.testing.assert_allclose(found.length[0], np.fliplr(np.eye(3)) * math.sqrt(2) / 3, atol=1e-12)


def test_the_density_is_the_co_area_density_of_each_tile() -> None:
    field = build(parse_encoding("raw:-2..2"), parse_network("3x48"), 2, 3, torch.Generator().manual_seed(0))
    network = relu_network(field)
    shares: list[float] = []
    found = cells_per_tile(network, tiles=(4, 4), progress=shares.append)
    assert shares == pytest.approx(np.arange(1, 17) / 16)
    side = 256
    coarea = crease_density(network, side, side).length.sum(0) * side
    tiled = coarea.reshape(4, side // 4, 4, side // 4).mean((1, 3))
    np.testing.assert_allclose(found.density.sum(0), tiled, rtol=0.03)
    # more creases, more cells: the two maps rank tiles alike
    assert np.corrcoef(found.density.sum(0).ravel(), np.sqrt(found.count.ravel()))[0, 1] > 0.95


def test_mistakes_are_refused() -> None:
    with pytest.raises(InputError, match="at least one"):
        cells_per_tile(random_layers(2, 1), SQUARE, (0, 3))
    with pytest.raises(InputError, match="window"):
        cells_per_tile(random_layers(2, 1), (0, 0, 0, 1))
    huge = Layers((np.array([[1e200, 0.0]]), np.array([[1e200]]), np.ones((1, 1))), (np.zeros(1),) * 3)
    with pytest.raises(InputError, match="overflow"):
        cells_per_tile(huge, SQUARE, (2, 2))
