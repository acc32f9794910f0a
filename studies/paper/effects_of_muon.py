"""What claims about Muon and about stable rank are measured by, in the words of `effects`."""

import numpy as np
from jaxtyping import Float

from fieldlens.analysis.detail.statistics import partial_rank_correlation, rank_correlation
from fieldlens.studies.runs.history import History

from .effects import DOSES, Fits, Measure, at_last, difference, midway

BETTER = {"missing": -1.0, "psnr_db": 1.0}
"""Columns at the end that are foretold, and whether less of them or more is the better fit."""


def gain_less(raw: str, fine: str) -> Measure:
    """A measure: what Muon gains in PSNR at the end under narrow raw coordinates, less what it gains under fine.

    Args:
        raw, fine: of `Fits`, what it is compared with under either.
    """

    under_raw, under_fine = difference("psnr_db", "muon", raw), difference("psnr_db", "fine_muon", fine)

    def measure(fits: Fits) -> float | None:
        ours, theirs = under_raw(fits), under_fine(fits)
        return None if ours is None or theirs is None else ours - theirs

    return measure


def gain_held_back(role: str) -> Measure:
    """A measure: what Muon gains in PSNR on the pixels trained on, less what it gains on those held out."""

    def measure(fits: Fits) -> float:
        adam, muon = fits(role)
        trained, heldout = (at_last(muon, name) - at_last(adam, name) for name in ("psnr_db", "heldout_psnr_db"))
        return trained - heldout

    return measure


def ahead_at_equal(role: str) -> Measure:
    """A measure: PSNR of held-out pixels, Adam's less Muon's, where trained pixels have an equal PSNR.

    The mean over all PSNR of trained pixels that both have been at after step 0, in dB; None where there is none. Along
    each history held-out PSNR is interpolated between the measured steps that first reached a PSNR.
    """

    def measure(fits: Fits) -> float | None:
        adam, muon = (_when_reached(history) for history in fits(role))
        if not (adam.size and muon.size):
            return None
        low, high = max(adam[0, 0], muon[0, 0]), min(adam[0, -1], muon[0, -1])
        if low > high:
            return None
        levels = np.unique(np.clip([*adam[0], *muon[0]], low, high))
        ahead = np.interp(levels, *adam) - np.interp(levels, *muon)
        if low == high:
            return float(ahead[0])
        return float(np.sum((ahead[1:] + ahead[:-1]) / 2 * np.diff(levels)) / (high - low))

    return measure


def _when_reached(history: History) -> Float[np.ndarray, "2 reached"]:
    """PSNR of trained and of held-out pixels at the steps after 0 at which that of trained ones was at its highest."""
    trained, heldout = history["psnr_db"][1:], history["heldout_psnr_db"][1:]
    before = np.fmax.accumulate([-np.inf, *trained[:-1]]) if len(trained) else trained
    return np.stack([trained, heldout])[:, trained > before]


def foretold(by: str, given: str, *more: str, response: str = "missing") -> Measure:
    """A measure: how well a column midway foretells a column at the end, where another one midway is equal.

    The partial rank correlation over all doses of a unit, above 0 where more of the column goes with the better fit. It
    is set to 0 where the other column alone puts the responses in order, so that nothing is left to say, and None where
    both columns are in one order, so that they cannot be told apart.

    Args:
        more: roles whose fits are doses as well.
        response: a column of `BETTER`.
    """

    def measure(fits: Fits) -> float | None:
        # a fit may play two roles: the same history then, which counts once
        every = {id(history): history for role in (*DOSES, *more) for history in fits(role)}.values()
        rows = [(midway(h, by), midway(h, given), BETTER[response] * at_last(h, response)) for h in every]
        if not np.isfinite(rows).all():
            return None
        doses, others, fitted = np.array(rows).T
        correlation = partial_rank_correlation(doses, fitted, others)
        if correlation is not None:
            return correlation
        settled, alike = rank_correlation(others, fitted), rank_correlation(others, doses)
        if settled is None or alike is None:
            return None
        return 0.0 if abs(settled) > 1 - 1e-9 > abs(alike) else None

    return measure


def more_foretold(by: str, other: str, *more: str, response: str = "missing") -> Measure:
    """A measure: how much stronger one column's correlation of `foretold` is than another's, whatever their signs."""
    one, two = foretold(by, other, *more, response=response), foretold(other, by, *more, response=response)

    def measure(fits: Fits) -> float | None:
        ours, theirs = one(fits), two(fits)
        return None if ours is None or theirs is None else abs(ours) - abs(theirs)

    return measure
