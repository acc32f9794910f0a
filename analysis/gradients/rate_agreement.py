"""How fast a fit learnt what, beside what the kernel says it would.

Under small steps of plain gradient descent, and as long as the kernel stays what it is, the residual's part along an
eigenvector is multiplied by 1 - 2 s lambda / c at each step (`Kernel.decay`). An optimizer that scales parameters by
their own history, such as Adam, keeps no such rate: of its runs one can ask at most whether the order is the same.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64

from ..detail.statistics import rank_correlation
from .kernel import Kernel

LEAST_EIGENVALUE = 1e-10
"""Least eigenvalue looked at, as a share of the largest: below it, eigenvectors in fp64 are rounding."""


@dataclass(frozen=True, eq=False)
class RateAgreement:
    """Decay of a residual's parts along a kernel's eigenvectors, between two checkpoints."""

    eigenvalues: Float64[np.ndarray, " directions"]
    """Largest first."""
    decay: Float64[np.ndarray, " directions"]
    """log(|part before| / |part after|): how many factors of e a part has lost, negative where it has grown."""
    rank_correlation: float | None
    """Spearman's, in [-1, 1], of eigenvalue and decay: 1 if what the kernel says is quick went first. None where there
    are fewer than three directions, or one of the two does not vary."""


def rate_agreement(
    kernel: Kernel,
    before: Float[np.ndarray, "n c"],
    after: Float[np.ndarray, "n c"],
    *,
    directions: int | None = None,
) -> RateAgreement:
    """Whether parts of a residual along larger eigenvalues decayed more between two checkpoints.

    Args:
        kernel: of the network at the earlier checkpoint, say.
        before: residual of all channels at the kernel's points, at the earlier checkpoint.
        after: the same, at the later one.
        directions: how many leading eigenvectors to look at; by default all that are above rounding. Parts that are
            zero at either checkpoint are left out.
    """
    values = kernel.eigenvalues[:directions]
    first, last = kernel.parts(before)[:directions], kernel.parts(after)[:directions]
    counted = (values > LEAST_EIGENVALUE * values.max(initial=0.0)) & (first != 0) & (last != 0)
    values = values[counted]
    decay = np.log(np.abs(first[counted])) - np.log(np.abs(last[counted]))
    agreement = rank_correlation(values, decay) if len(values) > 2 else None
    return RateAgreement(values, decay, agreement)
