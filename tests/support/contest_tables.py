"""Tables of windows made up for the contest's claims, whose truth is known."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from jaxtyping import Float

from fieldlens.configs.run import FitConfig
from fieldlens.configs.study import Contest
from fieldlens.studies.contest.quantities import CANDIDATES
from fieldlens.studies.contest.runs import ContestRuns
from fieldlens.studies.contest.table import WindowTable

SIDE = 12
"""Windows along each axis."""

Columns = dict[str, Float[np.ndarray, " n"]]


def made_table(
    seed: int,
    columns: Callable[[Columns, np.random.Generator], tuple[Columns, Float[np.ndarray, " n"]]],
    foretold: tuple[float, ...] = (50.0, 100.0),
) -> WindowTable:
    """A table of 12 x 12 windows in 9 blocks, of a fit of 400 steps whose missing energy is 1 / step.

    Args:
        columns: given noise for each candidate, what candidates are and the log of what is missing beside what the six
            controls say of it.
        foretold: at steps 50 and 100, which take as many steps until half is mended.
    """
    rng = np.random.default_rng(seed)
    n = SIDE**2
    controls = rng.normal(size=(6, n))
    found, effect = columns({candidate.name: rng.normal(size=n) for candidate in CANDIDATES}, rng)
    residual = np.exp(controls.sum(0) + effect)
    rows, across = np.divmod(np.arange(n), SIDE)
    recorded = np.array([1, 10, 20, 50, 100, 150, 200, 300, 400])
    edges = 16 * np.arange(SIDE + 1)
    return WindowTable(
        row_edges=edges,
        column_edges=edges,
        blocks=3 * (rows // 4) + across // 4,
        controls=controls,
        rounding=np.array(1e-9),
        steps=np.array([40, 400]),
        residual=np.stack([2 * residual, residual]),
        kept=rng.uniform(size=(2, n)),
        quantities={name: np.stack([values, values]) for name, values in found.items()},
        lent_speed=found["speed"],
        lent_leverage=found["leverage"],
        recorded=recorded,
        missing=1 / recorded,
        foretelling=np.array([50, 100]),
        foretold=np.array(foretold),
    )


class MadeRuns(ContestRuns):
    """Runs of a contest whose tables are made up and not read."""

    def __init__(self, contest: Contest, make: Callable[[FitConfig], WindowTable]) -> None:
        super().__init__(contest, Path("nowhere"))
        self._make = make
        self._made: dict[FitConfig, WindowTable] = {}

    def table(self, config: FitConfig) -> WindowTable:
        """The fit's own, and the same one each time. Networks are as fast for the next picture as that one's own."""
        if config not in self._made:
            optimizer, repeat = config.training.optimizer, config.seed % self.contest.repeats
            assert optimizer is not None
            following = self.config(self.next_picture(config.scene), config.encoding, optimizer, repeat)
            lent = self._make(following).quantities
            self._made[config] = replace(
                self._make(config), lent_speed=lent["speed"][1], lent_leverage=lent["leverage"][1]
            )
        return self._made[config]
