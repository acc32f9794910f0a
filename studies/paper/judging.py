"""Claims as measurements: an effect in every unit of a study, its mean and interval over units, and a verdict.

A part of a claim is a number that is above a threshold if the part is true. The rule is the same for all and fixed
here: the interval of the mean over units lies above the threshold, or below it, or it is undecided. A part that speaks
of the median has the interval of the median, by resampling units. A claim holds when all its parts do, and does not
when one of them does not. Parts that speak of longer training than a study's are measured but not asked: they decide
nothing.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from fieldlens.analysis.detail.means import mean_interval
from fieldlens.analysis.detail.statistics import over_pictures
from fieldlens.configs.files import JsonObject
from fieldlens.configs.records import fields_of, with_before

Unit = TypeVar("Unit")

HOLDS, FAILS, UNDECIDED, NOT_ASKED = "holds", "does not hold", "undecided", "not asked"
"""Verdicts on claims and their parts; only a part can be not asked."""


@dataclass(frozen=True)
class Part(Generic[Unit]):
    """One number of a claim."""

    name: str
    """What is measured, so that it reads as a sentence with the number."""
    measure: Callable[[Unit], float | None]
    """The number in one unit; None where it is not defined."""
    unit: str = ""
    above: float = 0
    """The part is true if the number is above this."""
    least_steps: int = 0
    """Steps of training that the claim speaks of: a study of shorter fits does not ask it."""
    median: bool = False
    """Whether the number is the median over units, and not the mean."""
    zero: str = ""
    """What to say where the number is 0 in all units by convention: nothing was measured, and the part is undecided."""


@dataclass(frozen=True)
class Claim(Generic[Unit]):
    """A statement of the paper, or about it."""

    id: str
    statement: str
    authors: str
    """The authors' number, or where the statement comes from."""
    roles: tuple[str, ...]
    """Roles of the fits that the claim looks at."""
    parts: tuple[Part[Unit], ...]


@dataclass(frozen=True)
class JudgedPart:
    """A part with its number."""

    name: str
    effect: float | None
    """Mean of the number over the units that have it, or their median where the part speaks of it; None where none
    has."""
    interval: tuple[float, float] | None
    """Ends of the 95 % interval of the mean, or of the median; None for fewer than three units, or six."""
    unit: str
    holds_above: float
    units: int
    """How many units have the number."""
    verdict: str
    left_out: int = 0
    """How many units do not have it, and are not in the mean."""
    reason: str = ""
    """Why the part is not asked, or undecided for another reason than its interval."""


@dataclass(frozen=True)
class Judged:
    """A claim with its verdict."""

    id: str
    statement: str
    authors: str
    verdict: str
    parts: tuple[JudgedPart, ...]

    @property
    def asked(self) -> int:
        """How many parts the study was long enough to ask."""
        return sum(part.verdict != NOT_ASKED for part in self.parts)

    @property
    def outcome(self) -> str:
        """The verdict, and of how many parts where that is not all."""
        some = f" ({self.asked} of {len(self.parts)} parts asked)"
        return self.verdict + (some if self.asked < len(self.parts) else "")

    @property
    def deciding(self) -> JudgedPart:
        """The first part that has the claim's verdict, or the first of all if none was asked."""
        return next((part for part in self.parts if part.verdict == self.verdict), self.parts[0])

    def to_json(self) -> JsonObject:
        """As claims.json has it: with the number that decides."""
        part = fields_of(self.deciding)
        number = {key: part[key] for key in ("effect", "interval", "unit", "holds_above", "units")}
        plain = with_before(fields_of(self), "verdict", number)
        return with_before(plain, "parts", {"parts_asked": self.asked})


def judge(claim: Claim[Unit], units: Sequence[Unit], steps: int) -> Judged:
    """Measure a claim in every unit of a study whose fits take so many steps, and say whether it holds."""
    parts = tuple(_judge_part(part, units, steps) for part in claim.parts)
    verdicts = {part.verdict for part in parts}
    undecided = UNDECIDED in verdicts or verdicts == {NOT_ASKED}
    verdict = FAILS if FAILS in verdicts else UNDECIDED if undecided else HOLDS
    return Judged(claim.id, claim.statement, claim.authors, verdict, parts)


def _judge_part(part: Part[Unit], units: Sequence[Unit], steps: int) -> JudgedPart:
    values = [value for value in map(part.measure, units) if value is not None and math.isfinite(value)]
    effect, interval, least = _median(values) if part.median else _mean(values)
    verdict, reason = UNDECIDED, ""
    n, left_out = len(values), len(units) - len(values)
    if steps < part.least_steps:
        verdict, reason = NOT_ASKED, f"speaks of {part.least_steps:,} steps"
    elif not values:
        reason = "not defined in these fits"
    elif part.zero and not any(values):
        reason = part.zero
    elif interval is None:
        reason = f"fewer than {least} units"
    elif interval[0] > part.above:
        verdict = HOLDS
    elif interval[1] <= part.above:
        verdict = FAILS
    return JudgedPart(part.name, effect, interval, part.unit, part.above, n, verdict, left_out, reason)


def _mean(values: Sequence[float]) -> tuple[float | None, tuple[float, float] | None, str]:
    """The mean with its interval, and how many values that takes."""
    return sum(values) / len(values) if values else None, mean_interval(values), "three"


def _median(values: Sequence[float]) -> tuple[float | None, tuple[float, float] | None, str]:
    """The median with its interval, and how many values that takes."""
    found = over_pictures([[value] for value in values])
    interval = found and found.interval
    return found and found.median, (interval.low, interval.high) if interval else None, "six"
