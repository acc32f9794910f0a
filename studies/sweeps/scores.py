"""What a sweep's fits say of its methods: means with intervals, paired differences, and which order is decided."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

from fieldlens.analysis.detail.means import LEAST_PICTURES, LEVEL, NestedMean, nested_mean
from fieldlens.studies.runs.folder import RunFolder
from fieldlens.studies.runs.record import RunRecord

from .plan import Method, Planned

PSNR, HELD_OUT = "psnr_db", "heldout_psnr_db"


@dataclass(frozen=True)
class Finding:
    """A finished fit."""

    planned: Planned
    folder: RunFolder
    record: RunRecord
    lost: int = 0
    """How often it was lost with what made it, and begun again."""

    def number(self, quantity: str) -> float | None:
        """One of the numbers of its record, by name; None where it has none, as where it has diverged."""
        kept = quantity.removeprefix("energy_kept ")
        if kept != quantity:
            return self.record.energy_kept.get(kept)
        return getattr(self.record, quantity)


@dataclass(frozen=True)
class PerPicture:
    """How methods stand on one picture."""

    picture: str
    ranked: tuple[Method, ...]
    """By their mean over seeds, the best first."""
    told: tuple[int, ...]
    """For each but the last, 1 where seeds tell that it is ahead of the next, 0 where they do not; -1 where they tell
    that it is behind, as it may be where it lacks the fits of some seeds."""

    @property
    def sentence(self) -> str:
        """The ranking as a person reads it: `>` or `<` where seeds tell, `?` where they do not."""
        marks = ["", *({1: " > ", 0: " ? ", -1: " < "}[told] for told in self.told)]
        return "".join(mark + method.label for mark, method in zip(marks, self.ranked, strict=False))


class Scores:
    """The numbers of a sweep, as far as its fits are finished.

    Methods are compared by paired differences: of fits of the same picture with the same seed. An order is decided
    where the interval of the differences leaves 0 out, at a level that holds for all pairs of methods together
    (Bonferroni): 95 % for two methods, 98.3 % for the three pairs of three.
    """

    def __init__(self, methods: Sequence[Method], pictures: Sequence[str], findings: Sequence[Finding]) -> None:
        self.methods, self.pictures, self.findings = tuple(methods), tuple(pictures), tuple(findings)
        self._at: dict[tuple[Method, str, int], Finding] = {
            (one.planned.method, one.planned.picture, one.planned.seed): one for one in findings
        }
        self.seeds = sorted({one.planned.seed for one in findings})
        self._signs: dict[tuple[Method, Method, str | None], int] = {}

    @cached_property
    def judged_by(self) -> str:
        """What methods are ranked by: PSNR, of held-out pixels where there are any."""
        return HELD_OUT if any(one.number(HELD_OUT) is not None for one in self.findings) else PSNR

    @property
    def pair_level(self) -> float:
        """Confidence of the interval of one pair's differences."""
        pairs = len(self.methods) * (len(self.methods) - 1) // 2
        return 1 - (1 - LEVEL) / max(1, pairs)

    @cached_property
    def quantities(self) -> tuple[str, ...]:
        """What is summed up, by the names of run.json: those that some fit has, and that do not depend on a clock."""
        bands = dict.fromkeys(band for one in self.findings for band in list(one.record.energy_kept)[:4])
        names = (PSNR, HELD_OUT, "ssim", *(f"energy_kept {band}" for band in bands))
        return tuple(name for name in names if any(one.number(name) is not None for one in self.findings))

    def of(self, method: Method, picture: str | None = None) -> list[Finding]:
        """The finished fits by a method, of all pictures or of one, in the order of their seeds."""
        chosen = self.pictures if picture is None else (picture,)
        at = ((method, one, seed) for one in chosen for seed in self.seeds)
        return [self._at[place] for place in at if place in self._at]

    def at(self, method: Method, picture: str, seed: int) -> Finding | None:
        """One fit, if it is finished."""
        return self._at.get((method, picture, seed))

    def left_out(self, method: Method) -> int:
        """How many finished fits by a method have no number to be ranked by, as they have diverged."""
        return sum(one.number(self.judged_by) is None for one in self.of(method))

    def mean(self, method: Method, quantity: str, picture: str | None = None) -> NestedMean | None:
        """The mean of a quantity; of all pictures, or of one, whose interval is over seeds."""
        return self._nested(lambda at: self._number(method, at, quantity), picture, LEVEL)

    def difference(
        self, method: Method, other: Method, quantity: str | None = None, picture: str | None = None
    ) -> NestedMean | None:
        """By how much a method is ahead of another, over fits of the same picture with the same seed."""
        name = quantity or self.judged_by

        def paired(at: tuple[str, int]) -> float | None:
            a, b = self._number(method, at, name), self._number(other, at, name)
            return None if a is None or b is None else a - b

        return self._nested(paired, picture, self.pair_level)

    def sign(self, method: Method, other: Method, picture: str | None = None) -> int:
        """1 where a method is decidedly ahead of another, -1 where behind, 0 where it is not decided."""
        asked = (method, other, picture)
        if asked not in self._signs:
            found = self.difference(method, other, picture=picture)
            self._signs[asked] = 0 if found is None else found.sign
        return self._signs[asked]

    @cached_property
    def ranks(self) -> Mapping[Method, int]:
        """One more than the number of methods that are decidedly ahead: what is not told apart may share a rank."""
        return {one: 1 + sum(self.sign(other, one) > 0 for other in self.methods) for one in self.methods}

    @cached_property
    def by_mean(self) -> tuple[Method, ...]:
        """The methods that have a mean, the best first."""
        means = {one: found.mean for one in self.methods if (found := self.mean(one, self.judged_by))}
        return tuple(sorted(means, key=lambda one: -means[one]))

    def ranking(self, picture: str) -> PerPicture:
        """How the methods stand on one picture; those without a number there are left out."""
        means = {one: found.mean for one in self.methods if (found := self.mean(one, self.judged_by, picture))}
        ranked = sorted(means, key=lambda one: -means[one])
        told = tuple(self.sign(one, other, picture) for one, other in pairwise(ranked))
        return PerPicture(picture, tuple(ranked), told)

    def worst(self, method: Method) -> tuple[str, float] | None:
        """The picture on which a method's mean is lowest, with the mean."""
        means = {
            picture: found.mean
            for picture in self.pictures
            if (found := self.mean(method, self.judged_by, picture)) is not None
        }
        return min(means.items(), key=lambda pair: pair[1], default=None)

    def _number(self, method: Method, at: tuple[str, int], quantity: str) -> float | None:
        found = self._at.get((method, *at))
        return None if found is None else found.number(quantity)

    def _nested(
        self, number: Callable[[tuple[str, int]], float | None], picture: str | None, level: float
    ) -> NestedMean | None:
        chosen = self.pictures if picture is None else (picture,)
        values = [[value for seed in self.seeds if (value := number((one, seed))) is not None] for one in chosen]
        found = nested_mean(values, level)
        if found is None or found.over != "seeds" or picture is not None or len(self.pictures) < LEAST_PICTURES:
            return found
        # two of many pictures have numbers, as where fits diverged: seeds of these two decide nothing of the others
        return replace(found, low=None, high=None, over="none")
