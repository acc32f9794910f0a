"""What an explanation holds: the verdict, the statistic that decided it, and the secondary numbers, labelled so."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from .attribution import LEAST_SHARE, Attribution
from .bands import Energies
from .statistics import MIN_BLOCKS, Interval
from .verdicts import EXPLANATORY, NOTHING_MISSING, PLENTY, SubjectWord, Verdict
from .windows import FLOOR_SHARE, Windows

BAND_SHARE = 0.01
"""Least share of the target's variance in the octave that is looked at."""

LEAST_OPACITY = 0.5
"""Least mean opacity of a view's window that counts: a background has neither detail nor creases, and would tie."""

PARTIAL = "partial rank correlation with residual energy given target energy"
PLAIN = "rank correlation with missing fraction"


@dataclass(frozen=True)
class BandSummary:
    """One octave over the whole picture, or over all views of a scene."""

    label: str
    target_share: float | None
    """Share of the target's variance; None for a picture of one tone."""
    kept: float | None
    """Reconstruction over target energy, right detail or wrong; None where the target has none."""
    missing: float | None
    """Residual over target energy; None where the target has none."""
    coherence: float | None
    """Correlation of target and reconstruction in the band; None where either has no energy."""


@dataclass(frozen=True)
class Association:
    """How a density goes with missing detail, over the windows of one band."""

    density: str
    band: str
    statistic: str
    """`PARTIAL` or `PLAIN`."""
    estimate: float | None
    """In [-1, 1], below 0 where more is missing where creases are fewer; None if undefined or without creases."""
    interval: Interval | None
    """Only the primary one has an interval."""
    windows: int
    blocks: int


@dataclass(frozen=True)
class LowestQuarter:
    """The quarter of windows where a density is lowest: does it hold more than its share of what is missing?"""

    density: str
    missing_share: float | None
    """Its share of the residual energy."""
    target_share: float | None
    """Its share of the target energy: what it would hold of an error in proportion to detail."""
    ratio: float | None
    """missing_share / target_share."""


@dataclass(frozen=True)
class Explanation:
    """What `explain` found: the verdict, the numbers behind it, and the windows it was made in.

    Of a scene, `explain_views`, numbers are of all views together. What is there to be drawn is of the first view:
    `windows`, `energies`, `densities` and `missing_map`, in its windows of background as well.
    """

    verdict: Verdict
    band: str
    """Label of the primary band."""
    primary: Association
    secondary: tuple[Association, ...]
    attribution: Attribution | None
    """Which density explains most of the error in the primary band, beyond target energy; None without creases."""
    lowest_quarter: LowestQuarter | None
    """That of the primary density, in the primary band; None for a network without creases."""
    crossings_per_pixel: float | None
    """Typical: the median over windows of the primary density, as crossings; None for a network without creases."""
    bands: tuple[BandSummary, ...]
    windows: Windows
    """The windows of the primary band."""
    energies: Energies
    """Energies in these windows; NaN for a reconstruction that has diverged."""
    densities: dict[str, Float[np.ndarray, "rows columns"]]
    """Mean of each density in these windows."""
    seed: int
    resamples: int
    subject: SubjectWord

    def missing_map(self) -> Float[np.ndarray, "h w"]:
        """Missing fraction in the primary band at full size, each pixel with the value of its window.

        NaN in windows with hardly any detail: theirs is the error over the floor, which is no share of anything.
        """
        energies = self.energies
        return self.windows.spread(np.where(energies.target > energies.floor, energies.missing_fraction, np.nan))

    def to_json(self) -> dict[str, Any]:
        """Everything but the maps, for strict JSON: null for what is undefined, never NaN."""
        return {
            "verdict": {
                "sentences": list(self.verdict.sentences),
                "detail": self.verdict.detail,
                "creases": self.verdict.creases,
                "creases_not_lacking": self.verdict.plenty,
            },
            "primary": asdict(self.primary),
            "secondary": [asdict(association) for association in self.secondary],
            "attribution": None if self.attribution is None else asdict(self.attribution),
            "lowest_density_quarter": None if self.lowest_quarter is None else asdict(self.lowest_quarter),
            "typical_crossings_per_pixel": self.crossings_per_pixel,
            "bands": [asdict(band) for band in self.bands],
            "protocol": {
                "band": self.band,
                "least_band_share": BAND_SHARE,
                "window_px": self.windows.side,
                "blocks": "squares of windows" if self.subject == "picture" else "views",
                "block_px": self.windows.block_side if self.subject == "picture" else None,
                "least_opacity": None if self.subject == "picture" else LEAST_OPACITY,
                "least_blocks": MIN_BLOCKS,
                "floor_share": FLOOR_SHARE,
                "least_missing_fraction": NOTHING_MISSING,
                "least_explanatory_correlation": EXPLANATORY,
                "least_explanatory_share": LEAST_SHARE,
                "plenty_crossings_per_pixel": PLENTY,
                "resamples": self.resamples,
                "seed": self.seed,
            },
        }
