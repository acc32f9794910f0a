"""Where a field has something: a grid over the unit cube that follows the density while it is being learnt.

After the occupancy grid of Instant NGP (Mueller et al. 2022, appendix E.2): each cell keeps a maximum of the density
seen in it, which decays, and cells that could not be seen anyway are skipped. Cell [i, j, k] spans [i/r, (i+1)/r] in
x, and so on. All of it is in buffers, so it is saved and restored with the field's weights.
"""

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

DECAY = 0.95
"""What every cell's running maximum of the density is multiplied by at each look, whether it is looked into or not."""


class OccupancyGrid(nn.Module):
    """A cube of cells, and in which of them there is or may be something."""

    density: Float[Tensor, "r r r"]
    occupied: Bool[Tensor, "r r r"]
    possible: Bool[Tensor, "r r r"]

    def __init__(self, resolution: int, possible: Bool[Tensor, "r r r"] | None = None) -> None:
        """A grid that has not been looked at: every cell is occupied that is not known to be empty.

        Args:
            resolution: cells along a side.
            possible: cells that are not known to be empty; all of them by default.
        """
        super().__init__()
        shape = (resolution,) * 3
        possible = torch.ones(shape, dtype=torch.bool) if possible is None else possible.clone()
        self.register_buffer("density", torch.full(shape, torch.inf))  # not yet looked at
        self.register_buffer("possible", possible)
        self.register_buffer("occupied", possible.clone())

    @property
    def resolution(self) -> int:
        """Cells along a side."""
        return len(self.occupied)

    @torch.no_grad()
    def look(
        self, density: Callable[[Tensor], Tensor], threshold: float, generator: torch.Generator, share: float
    ) -> None:
        """Look at the density in some cells, at one random point of each, and mark anew which are occupied.

        First the running maximum of every cell decays by `DECAY`; then it is raised to what is seen. A cell that is
        looked into often forgets no sooner than others, so that what fills a small part of it is not lost. A cell is
        occupied if its running maximum is above `threshold`, or above the mean over all possible cells where that is
        less, so that a field that is thin everywhere is not lost. Cells that have never been looked at are.

        Args:
            density: of points (n, 3) in the unit cube.
            share: of the possible cells that are looked at, half of them drawn from all, half from the occupied ones.
        """
        possible, occupied = self.possible.flatten().nonzero()[:, 0], self.occupied.flatten().nonzero()[:, 0]
        count = max(1, round(share * len(possible) / 2))
        # as many random numbers whatever is occupied: other fields see the same data after it
        draws = torch.rand(2, count, generator=generator)
        inside = torch.rand(2 * count, 3, generator=generator).to(self.density.device)
        cells = torch.cat([_drawn(possible, draws[0]), _drawn(occupied, draws[1])])
        seen = density((self._corner(cells) + inside[: len(cells)]) / self.resolution).to(self.density.dtype)
        flat = self.density.view(-1).mul_(DECAY)
        before = flat[cells]
        flat[cells] = before.where(before.isfinite(), 0.0)
        flat.scatter_reduce_(0, cells, seen, "amax")  # a cell may be drawn twice: the larger counts
        known = flat[possible]
        mean = known[known.isfinite()].mean()
        self.occupied.copy_((self.density > torch.clamp(mean, max=threshold)) & self.possible)

    def density_at(self, x: Float[Tensor, "n 3"]) -> Float[Tensor, " n"]:
        """The running maximum of the density in the cells of points of the unit cube; 0 in those never looked at."""
        i, j, k = (x * self.resolution).long().clamp_(0, self.resolution - 1).T
        return self.density[i, j, k].nan_to_num(posinf=0.0)

    def _corner(self, cells: Int[Tensor, " n"]) -> Int[Tensor, "n 3"]:
        r = self.resolution
        return torch.stack([cells // (r * r), cells // r % r, cells % r], 1)


def _drawn(cells: Int[Tensor, " n"], draws: Float[Tensor, " k"]) -> Int[Tensor, " m"]:
    """One of the cells for each draw from [0, 1); none where there is no cell."""
    if not len(cells):
        return cells
    return cells[(draws.to(cells.device) * len(cells)).long().clamp_(max=len(cells) - 1)]
