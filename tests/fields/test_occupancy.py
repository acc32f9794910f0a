"""The grid of where something is: how long it remembers, and what it keeps of things thinner than its cells."""

import pytest
import torch
from jaxtyping import Float
from torch import Tensor

from fieldlens.fields.occupancy import OccupancyGrid


def nothing(x: Float[Tensor, "n 3"]) -> Float[Tensor, " n"]:
    return torch.zeros(len(x))


@pytest.mark.parametrize("share", [1 / 8, 1.0, 8.0])
def test_every_cell_forgets_a_twentieth_at_each_look_however_many_are_looked_into(share: float) -> None:
    grid, generator = OccupancyGrid(4), torch.Generator().manual_seed(0)
    before = torch.arange(64.0).view(4, 4, 4)
    grid.density.copy_(before)
    for looks in range(1, 6):
        grid.look(nothing, 1.0, generator, share)
        torch.testing.assert_close(grid.density, 0.95**looks * before)


def test_a_cell_that_is_looked_into_at_many_points_keeps_the_most_that_is_seen_there() -> None:
    grid, seen = OccupancyGrid(1), list[Tensor]()

    def density(x: Float[Tensor, "n 3"]) -> Float[Tensor, " n"]:
        seen.append(x[:, 0])
        return x[:, 0]

    grid.look(density, 1.0, torch.Generator().manual_seed(0), share=100.0)
    assert len(seen[0]) == 100
    assert grid.density.item() == seen[0].max()


def test_a_cell_that_nobody_looked_into_stays_occupied_and_one_that_was_seen_empty_does_not() -> None:
    grid, asked = OccupancyGrid(4), list[Tensor]()

    def density(x: Float[Tensor, "n 3"]) -> Float[Tensor, " n"]:
        asked.append((4 * x).long())
        return 10.0 * (x[:, 0] > 0.5)  # a wall, without which what is seen is all alike

    grid.look(density, 1.0, torch.Generator().manual_seed(0), share=1.0)
    i, j, k = asked[0].T
    expected = torch.ones(4, 4, 4, dtype=torch.bool)
    expected[i, j, k] = i >= 2
    assert 0 < expected[:2].sum() < 32
    assert torch.equal(grid.occupied, expected)


@pytest.mark.parametrize("value", [0.0, float("nan")])
def test_a_grid_in_which_nothing_is_left_can_be_looked_at_and_fills_again(value: float) -> None:
    grid, generator = OccupancyGrid(2), torch.Generator().manual_seed(0)
    for _ in range(2):
        grid.look(lambda x: torch.full((len(x),), value), 1.0, generator, share=20.0)
        assert not grid.occupied.any()
    if value == 0:  # a field that diverged stays so
        grid.look(lambda x: torch.full((len(x),), 9.0), 1.0, generator, share=20.0)
        assert grid.occupied.all()


@pytest.mark.parametrize(("thickness", "kept"), [(0.1, 0.9), (0.2, 0.98)])
def test_a_sheet_that_is_thinner_than_its_cells_stays_and_what_is_empty_goes(thickness: float, kept: float) -> None:
    grid, generator = OccupancyGrid(16), torch.Generator().manual_seed(0)

    def density(x: Float[Tensor, "n 3"]) -> Float[Tensor, " n"]:
        """Half of the light is stopped in a step of 1/128."""
        return 89.0 * ((16 * x[:, 0] - 8 > 0) & (16 * x[:, 0] - 8 < thickness))

    for _ in range(400):
        grid.look(density, 1.28, generator, share=1 / 8)
    assert grid.occupied[8].float().mean() > kept
    assert not grid.occupied[:8].any()
    assert not grid.occupied[9:].any()
