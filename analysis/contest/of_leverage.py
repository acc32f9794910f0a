"""The statistic by which a picture's missing detail is explained: does it go with a lack of leverage?

It is that of the contest, in one picture: the partial rank correlation of a number of each window with residual energy
there, given what the target's detail is like (`controls_of`), with an interval over blocks of the picture. Claims X1c
and X1d of the study ask how it holds over pictures.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from ..detail.bands import band_labels, band_picture, luma, spectrum
from ..detail.octaves import Detail
from ..detail.statistics import Interval
from ..detail.verdicts import EXPLANATORY, correlation_text
from .controls import controls_of
from .league import LEAST_WINDOWS, score_quantity

VERSION = 1
"""Of the statistic: what is correlated, with which controls. Numbers of one version can be compared."""


@dataclass(frozen=True)
class LeverageStatistic:
    """How leverage goes with what is missing, in the windows of the explained octave."""

    correlation: float | None
    """In [-1, 1], below 0 where more is missing where leverage is less; None with too few windows, where either is the
    same everywhere, and of a fit that has diverged."""
    interval: Interval | None
    """None with too few blocks."""
    windows: int
    controls: tuple[str, ...]
    """What is held equal."""
    version: int = VERSION

    @property
    def sentence(self) -> str | None:
        """What it says, where it is of a size that explains something and surely below zero."""
        if self.correlation is None or self.interval is None:
            return None
        if self.correlation > -EXPLANATORY or self.interval.high >= 0:
            return None
        return (
            "Among places of like detail, errors are larger where its leverage is less: "
            f"{correlation_text(self.correlation, self.interval)}."
        )


def leverage_statistic(
    leverage: Float[np.ndarray, "rows columns"],
    detail: Detail,
    target: Float[np.ndarray, "h w c"],
    reconstruction: Float[np.ndarray, "h w c"],
    *,
    seed: int,
) -> LeverageStatistic:
    """The statistic of a picture and its reconstruction, both clipped as a screen does and compared in luma.

    Args:
        leverage: of each window of the detail; NaN where it has none.
        detail: the target's, of one octave.
        seed: of the bootstrap.

    Raises:
        InputError: when the octave is none of the target's.
    """
    judged = np.isfinite(leverage).ravel()
    seen, shown = luma(target), luma(reconstruction)
    controls = controls_of(spectrum(seen), detail.label, detail.windows)
    if judged.sum() < LEAST_WINDOWS or not np.isfinite(shown).all():
        return LeverageStatistic(None, None, int(judged.sum()), controls.names)
    band = band_labels(*seen.shape).index(detail.label)
    missing = replace(detail, values=band_picture(spectrum(seen - shown), band)).energy / detail.windows.areas
    score = score_quantity(
        leverage.ravel()[judged],
        missing.ravel()[judged],
        controls.columns[:, judged],
        np.unique(detail.windows.blocks().ravel()[judged], return_inverse=True)[1],
        floor=detail.floor,
        seed=seed,
    )
    return LeverageStatistic(score.correlation, score.correlation_interval, int(judged.sum()), controls.names)
