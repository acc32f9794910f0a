"""Why detail is missing, window by window: no creases, no speed, hindered by other places, or only more steps needed.

What the next step does to a window's missing energy E is its progress P, and what its own detail would do alone, by a
plain gradient step that lowers the loss as much, is its own push O. Both are energies per step, so that half of what is
missing would be mended after ln 2 E / P steps, or by its own push after ln 2 E / O. With T steps taken so far, the
first rule that holds says why a window still lacks what it lacks:

    on its way      half of it is mended within T more steps, as many again as were taken
    hindered        it would be, by its own push; but the step as a whole does less, or undoes it
    few creases     it would not, and there are fewer creases than the octave's longest waves need
    slow            it would not, though there are creases enough

To follow a wave, a line of straight pieces bends twice in each wavelength: that is the least density of creases, in
crossings per pixel. The rules are fixed here, beforehand. They say what is there, and name no cause but these.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np
from jaxtyping import Float, Int

from fieldlens.configs.encoding import Encoding, Fourier, Raw
from fieldlens.configs.optimizer import Muon, Optimizer

from .statistics import MIN_BLOCKS, RESAMPLES, Interval, block_draws, interval_of
from .verdicts import percent
from .windows import Place, Windows

Reason: TypeAlias = Literal["on its way", "hindered", "few creases", "slow"]
REASONS: tuple[Reason, ...] = ("on its way", "hindered", "few creases", "slow")

BENDS_PER_WAVE = 2
"""Of a curve of straight pieces that follows a wave: one at each of its extremes."""


@dataclass(frozen=True, eq=False)
class Motion:
    """What becomes of the missing detail of one octave in each of its windows."""

    blocks: Int[np.ndarray, "rows columns"]
    """The number of the block that each window belongs to; blocks are what is resampled."""
    longest_px: float
    """The octave's longest wavelength."""
    missing: Float[np.ndarray, "rows columns"]
    """Energy of the residual, a sum over each window; 0 or NaN in windows that are not asked."""
    floor: Float[np.ndarray, "rows columns"]
    """Energy below which nothing is called missing, such as that of 8-bit rounding."""
    progress: Float[np.ndarray, "rows columns"]
    """By how much the step that the fit would take lowers it."""
    own_push: Float[np.ndarray, "rows columns"]
    """By how much the window's own detail would, alone."""
    crossings: Float[np.ndarray, "rows columns"] | None
    """Creases met per pixel; None of a network without creases."""
    steps: int
    """Taken so far."""

    @classmethod
    def joined(cls, motions: Sequence["Motion"]) -> "Motion":
        """Of all windows of several views of one scene, in a row; their octaves and steps are the same."""
        firsts = np.cumsum([0, *(int(motion.blocks.max()) + 1 for motion in motions[:-1])])
        blocks = [motion.blocks + first for motion, first in zip(motions, firsts, strict=True)]
        crossings = [motion.crossings for motion in motions if motion.crossings is not None]
        return cls(
            blocks=_in_a_row(blocks),
            longest_px=motions[0].longest_px,
            missing=_in_a_row([motion.missing for motion in motions]),
            floor=_in_a_row([motion.floor for motion in motions]),
            progress=_in_a_row([motion.progress for motion in motions]),
            own_push=_in_a_row([motion.own_push for motion in motions]),
            crossings=_in_a_row(crossings) if len(crossings) == len(motions) else None,
            steps=motions[0].steps,
        )


def _in_a_row(maps: Sequence[np.ndarray]) -> np.ndarray:
    return np.concatenate([values.ravel() for values in maps])[None]


@dataclass(frozen=True)
class Share:
    """Of the energy that is missing."""

    share: float
    interval: Interval | None
    """By resampling blocks of the picture; None with too few of them."""


@dataclass(frozen=True, eq=False)
class Reasons:
    """Why each window lacks what it lacks."""

    of_window: Int[np.ndarray, "rows columns"]
    """Number of the reason in `REASONS`; -1 where nothing is missing."""
    shares: dict[Reason, Share]
    """How much of the missing energy lies in windows of each reason."""
    leading: Reason | None
    """The reason of most of it; None where the picture's blocks do not decide which that is, or nothing is missing."""
    steps_to_mend: float
    """So many steps like the next until half of what is on its way is mended; infinite where nothing is."""


def reasons_of(motion: Motion, *, seed: int = 0, resamples: int = RESAMPLES) -> Reasons:
    """Sort windows by why they lack detail; see the rules above."""
    there = np.nan_to_num(motion.missing) > motion.floor
    energy = np.where(there, motion.missing, 0.0)
    horizon = np.log(2) * energy / max(motion.steps, 1)  # what has to be mended each step
    conditions = [motion.progress >= horizon, motion.own_push >= horizon]
    if motion.crossings is not None:
        conditions.append(motion.crossings < BENDS_PER_WAVE / motion.longest_px)
    else:
        conditions.append(np.zeros(energy.shape, np.bool_))
    of_window = np.where(there, np.select(conditions, [0, 1, 2], default=3), -1)
    on_its_way = of_window == 0
    pace = float(motion.progress[on_its_way].sum())
    return Reasons(
        of_window,
        *_shares(of_window, energy, motion.blocks, seed, resamples),
        steps_to_mend=float(np.log(2) * energy[on_its_way].sum() / pace) if pace > 0 else np.inf,
    )


def _shares(
    of_window: Int[np.ndarray, "rows columns"],
    energy: Float[np.ndarray, "rows columns"],
    block_of_window: Int[np.ndarray, "rows columns"],
    seed: int,
    resamples: int,
) -> tuple[dict[Reason, Share], Reason | None]:
    """Shares of the energy by reason, and the one that leads, if the blocks decide it."""
    total = float(energy.sum())
    if not total > 0:
        return {}, None
    blocks = block_of_window.ravel()
    count = int(blocks.max()) + 1
    by_reason = (np.where(of_window == number, energy, 0.0).ravel() for number in range(len(REASONS)))
    in_blocks = np.stack([np.bincount(blocks, values, count) for values in by_reason])
    whole = in_blocks.sum(1) / total
    first, second = np.argsort(-whole, kind="stable")[:2]
    shares: dict[Reason, Share]
    if count < MIN_BLOCKS:
        alone = np.isclose(whole[first], 1.0)  # there is no other that it could be
        shares = {reason: Share(float(value), None) for reason, value in zip(REASONS, whole, strict=True)}
        return shares, REASONS[first] if alone else None
    drawn = in_blocks @ block_draws(count, resamples, seed).T
    drawn /= np.where(drawn.sum(0) > 0, drawn.sum(0), np.nan)
    shares = {
        reason: Share(float(value), interval_of(values, count))
        for reason, value, values in zip(REASONS, whole, drawn, strict=True)
    }
    ahead = interval_of(drawn[first] - drawn[second], count)
    return shares, REASONS[first] if ahead is not None and ahead.low > 0 else None


_WHERE: dict[Reason, str] = {
    "on its way": "is being learnt: half of it would be there after about {steps} more steps at this pace",
    "hindered": "would be mended by its own steps, but those for other places slow that down or undo it",
    "few creases": "lies where there are too few creases to draw it",
    "slow": "lies where {enough}training hardly moves the detail",
}
"""What is said of a part of what is missing, by the reason."""

MORE_STEPS = "More steps would help."
NONE_KNOWN = "No remedy is known that the study of docs/paper.md backs."
BY_MUON = "Muon in place of Adam would learn fine detail faster (claim N8 of the study in docs/paper.md)."
UNTRIED = "The study of docs/paper.md has tried no remedy under this encoding."

WORTH_SAYING = 0.05
"""Least share of the missing energy that a reason is named for."""

REST = 0.015
"""Share of the missing energy from which on it is said that there are other reasons as well."""


def reasons_sentences(
    reasons: Reasons,
    *,
    has_creases: bool,
    encoding: Encoding,
    optimizer: Optimizer,
    resolution: int | None = None,
    too_little: str = "There are too few windows, or they are too unlike",
) -> tuple[str, ...]:
    """Why detail is missing, and what would help; nothing where none is missing.

    Args:
        encoding, optimizer, resolution: of the fit, on which it depends what would help; see `remedies`.
        too_little: what is said of the windows where they do not decide which reason leads.
    """
    shares: list[tuple[float, Reason]] = [(found.share, reason) for reason, found in reasons.shares.items()]
    if not shares:
        return ()
    steps = steps_in_words(reasons.steps_to_mend) if np.isfinite(reasons.steps_to_mend) else ""
    figures = {"steps": steps, "enough": "creases are enough, but " * has_creases}
    shares.sort(reverse=True)
    worth = [pair for pair in shares if pair[0] >= WORTH_SAYING]
    parts = [f"{percent(share)} {_WHERE[reason].format(**figures)}" for share, reason in worth]
    if sum(share for share, _ in worth) < 1 - REST:
        parts.append("the rest has other reasons")
    why = f"Of what is missing, {'; '.join(parts)}."
    if reasons.leading is None:
        undecided = "which of these leads" if len(worth) > 1 else "whether this is the reason of most of it"
        why = f"{why} {too_little}, to be sure {undecided}."
    helped: list[Reason] = [reasons.leading] if reasons.leading else [reason for _, reason in worth]
    return why, remedies(helped, encoding, optimizer, resolution)


def remedies(reasons: Iterable[Reason], encoding: Encoding, optimizer: Optimizer, resolution: int | None = None) -> str:
    """What would help against these reasons, each once: what a claim of docs/paper.md has changed and measured. That
    nothing is known to is only said where it is so of all of them.

    Its fits are of raw coordinates and of octaves of sines and cosines. So no change is named under other encodings,
    such as hash grids, which have no octaves.

    Args:
        encoding, optimizer: of the fit, which is told of nothing that it has.
        resolution: pixels that the longer side of the picture has, which tell no more than so many octaves apart; None
            where there is no such number.
    """
    found = dict.fromkeys(_remedy(reason, encoding, optimizer, resolution) for reason in reasons)
    known = [remedy for remedy in found if remedy != NONE_KNOWN]
    return " ".join(known or found)


def _remedy(reason: Reason, encoding: Encoding, optimizer: Optimizer, resolution: int | None) -> str:
    if reason == "on its way":
        return MORE_STEPS
    if reason == "hindered":
        return NONE_KNOWN
    of_raw = isinstance(encoding, Raw)
    if not (of_raw or isinstance(encoding, Fourier)):
        return UNTRIED
    if isinstance(encoding, Fourier) and resolution is not None:
        more = replace(encoding, octaves=encoding.octaves + 1)
        if more.aliasing_note(resolution) is not None:
            return BY_MUON if reason == "slow" and not isinstance(optimizer, Muon) else NONE_KNOWN
    waves = f"A positional encoding, such as {Fourier()}, would" if of_raw else "More octaves of the encoding would"
    if reason == "few creases":
        wider = ", and so would a wider interval of the coordinates (claims A2 and N4" if of_raw else " (claim A2"
        return f"{waves} make more creases{wider} of the study in docs/paper.md)."
    if isinstance(optimizer, Muon):
        return f"{waves} learn fine detail faster (claim A2 of the study in docs/paper.md)."
    muon = "and so would Muon in place of Adam (claims A2 and N8 of the study in docs/paper.md)"
    return f"{waves} learn fine detail faster, {muon}."


def steps_in_words(steps: float) -> str:
    """A number of steps to two digits.

    >>> steps_in_words(1234.5), steps_in_words(0.3)
    ('1,200', '1')
    """
    return f"{max(1, round(float(f'{steps:.2g}'))):,}"


def worst_places(
    missing: Float[np.ndarray, "rows columns"], windows: Windows, reduced_by: float = 1, most: int = 3
) -> tuple[Place, ...]:
    """The windows with the most missing energy, most first.

    Args:
        reduced_by: pixels of the picture in one of the windows'.

    >>> windows = Windows(np.array([0, 16, 32]), np.array([0, 16]), 16)
    >>> worst_places(np.array([[1.0], [3.0]]), windows, most=1)
    (Place(left=0.0, top=16.0, side=16.0),)
    """
    order = np.argsort(-np.nan_to_num(missing), axis=None, kind="stable")[:most]
    rows, columns = (places.tolist() for places in np.unravel_index(order, missing.shape))
    tops, lefts = windows.row_edges * float(reduced_by), windows.column_edges * float(reduced_by)
    return tuple(
        Place(
            float(lefts[column]),
            float(tops[row]),
            float(max(tops[row + 1] - tops[row], lefts[column + 1] - lefts[column])),
        )
        for row, column in zip(rows, columns, strict=True)
    )
