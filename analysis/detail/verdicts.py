"""The verdict in words: what is missing, and whether that goes with a lack of creases. Apart from them, how much of the
error other output weights would take away.

Each of them is the first of a list of rules that holds. The thresholds are fixed here, beforehand; nothing is chosen
after the numbers are seen. The words never say that creases are the reason: in one picture and one network, density and
error only go together or do not.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from fieldlens.configs.errors import counted

from .statistics import MIN_BLOCKS, Interval

NOTHING_MISSING = 0.01
"""Missing fraction under which nothing is called missing: the error is then 20 dB below the detail."""

EXPLANATORY = 0.2
"""Least size of a correlation that is called an explanation. A weaker one is under 4 % of the variation in ranks."""

PLENTY = 10.0
"""Crossings per pixel from which creases are not what is lacking. A line of straight pieces needs two bends per wave to
follow it, so one crossing per pixel for the shortest waves, of 2 px; this is ten times as much."""


MOSTLY = 2 / 3
"""Least share of the error that is called most of it."""

AMOUNTS = ((0.95, "almost all"), (MOSTLY, "most"), (0.4, "about half"), (0.1, "part"), (0.0, "a little"))
"""Words for shares that are missing, each from a least one on."""

SLIGHTLY = 1.2
"""Missing fraction up to which leaving the detail out would be only slightly better."""

UNSAID = "whether errors are larger where there are fewer creases cannot be said"
UNFORETOLD = "whether {early} foretell what is missing at {end} cannot be said"

SubjectWord = Literal["picture", "scene"]
"""What was looked at: a picture, in blocks of its windows, or a scene, in views."""


@dataclass(frozen=True)
class Findings:
    """The numbers that the verdict is made of."""

    band: str
    """Label of the finest octave that holds a hundredth of the target's variance."""
    diverged: bool = False
    """The reconstruction holds NaN or infinite values."""
    flat: bool = False
    """The target varies less than 8-bit rounding would make it."""
    missing: float | None = None
    """Residual over target energy in the band."""
    crossings_per_pixel: float | None = None
    """Typical (median over windows); None for a network without creases."""
    correlation: float | None = None
    """Partial rank correlation of crease density with residual energy given target energy; None if undefined."""
    interval: Interval | None = None
    blocks: int = 0
    """Blocks of windows that are resampled; of a scene, its views."""
    block_side: int = 64
    """Side of a picture's blocks, in pixels."""
    subject: SubjectWord = "picture"


@dataclass(frozen=True)
class Verdict:
    """The words on missing detail and on creases, and in one or two words each what they say."""

    detail: str
    """One of the outcomes of `DETAIL_RULES`."""
    creases: str
    """One of the outcomes of `CREASE_RULES`."""
    plenty: bool
    """There are tens of crossings per pixel: creases are not what is lacking."""
    sentences: tuple[str, str]


@dataclass(frozen=True)
class Rule:
    """An outcome, when it holds, and its words, in which figures stand in braces."""

    outcome: str
    when: Callable[[Findings], bool]
    words: str
    link: str = ""
    """What joins the words to "There are plenty of creases"."""


def _otherwise(_: Findings) -> bool:
    return True


DETAIL_RULES = (
    Rule(
        "diverged",
        lambda found: found.diverged,
        "the fit has diverged: some of its values are not finite, so what it lacks cannot be measured",
    ),
    Rule(
        "no detail",
        lambda found: found.flat,
        "this {subject} is of one tone, so it holds no detail that could be missing",
    ),
    Rule(
        "nothing missing",
        lambda found: found.missing is not None and found.missing < NOTHING_MISSING,
        "next to nothing of the finest detail ({wavelengths}) is missing: {missing}",
    ),
    Rule(
        "missing",
        lambda found: found.missing is not None and round(found.missing, 2) <= 1,  # as a person reads it
        "{amount} of the finest detail ({wavelengths}) is missing: {missing}",
    ),
    Rule(
        "wrong",
        _otherwise,
        "the finest detail ({wavelengths}) is wrong: leaving it out would be {better} (error {missing})",
    ),
)
"""First sentence. Its figure is the error's energy over the detail's, in the finest octave that holds at least a
hundredth of the target's variance."""

NOTHING_TO_EXPLAIN = ("diverged", "no detail", "nothing missing")
"""Outcomes of the first sentence that leave nothing for the second to explain."""


def _too_few_blocks(found: Findings) -> bool:
    """There is no interval to speak of."""
    return found.blocks < MIN_BLOCKS


def _unseen(found: Findings) -> bool:
    """No view of a scene has a window to compare."""
    return found.subject != "picture" and not found.blocks


def _undefined(found: Findings) -> bool:
    """One of the two that are correlated does not vary."""
    return found.correlation is None or found.interval is None


def _explains(found: Findings) -> bool:
    """The correlation is of a size that explains something, and surely below zero."""
    return (
        found.correlation is not None
        and found.interval is not None
        and found.correlation <= -EXPLANATORY
        and found.interval.high < 0
    )


def _surely_above(correlation: float) -> Callable[[Findings], bool]:
    """The whole interval lies above this correlation."""
    return lambda found: found.interval is not None and found.interval.low > correlation


CREASE_RULES = (
    Rule(
        "nothing to explain",
        lambda found: _first(DETAIL_RULES, found).outcome in NOTHING_TO_EXPLAIN,
        "there is nothing here for creases to explain",
    ),
    Rule(
        "n/a",
        lambda found: found.crossings_per_pixel is None,
        "this network has no creases, so they cannot explain what it lacks",
    ),
    Rule("undecided", _unseen, f"{UNSAID}: the field fills half of a window, or more, in none of the views"),
    Rule("undecided", _too_few_blocks, f"{UNSAID}: the {{subject}} {{makes_blocks}}, and {MIN_BLOCKS} are needed"),
    Rule("undecided", _undefined, f"{UNSAID}: their number, or the error, is the same everywhere"),
    Rule(
        "goes with",
        _explains,
        "among equally detailed places, errors are larger where there are fewer creases: {statistic}",
        link="Still, ",
    ),
    Rule(
        "does not explain it here",
        _surely_above(0),
        "among equally detailed places, errors are larger where there are more creases, not fewer: {statistic}",
    ),
    Rule(
        "does not explain it here",
        _surely_above(-EXPLANATORY),
        "among equally detailed places, errors are hardly larger where there are fewer creases: {statistic}",
    ),
    Rule("undecided", _otherwise, f"{UNSAID}: {{statistic}}"),
)
"""Second sentence."""


def verdict(found: Findings) -> Verdict:
    """The words for these findings."""
    detail, creases = _first(DETAIL_RULES, found), _first(CREASE_RULES, found)
    figures = _figures(found)
    words = creases.words.format(**figures)
    plenty = (found.crossings_per_pixel or 0) >= PLENTY
    if plenty and creases.outcome != "nothing to explain":
        joined = f"{creases.link}{words}" if creases.link else _capital(words)
        words = f"there are plenty of creases ({figures['crossings']}). {joined}"
    sentences = _sentence(detail.words.format(**figures)), _sentence(words)
    return Verdict(detail.outcome, creases.outcome, plenty, sentences)


@dataclass(frozen=True)
class CapacityVerdict:
    """Whether the creases at hand could express what is missing."""

    outcome: Literal["mostly dynamics", "both", "mostly capacity"]
    sentence: str


def capacity_verdict(removed: float, by_waves: float, window_px: int, error: float | None = None) -> CapacityVerdict:
    """The words for shares of residual energy, of all wavelengths, that refits remove from pixels they did not see.

    `removed` by output weights of its own in each window of `window_px`, `by_waves` by as many cosine waves; `error` is
    the standard error of `removed` where some windows stand for the whole picture.
    "mostly dynamics" from two thirds, "mostly capacity" up to one third, "both" in between.
    """
    sampled = "" if error is None else f", give or take {percent(error)}"
    outcome, amount, so = "both", "Partly", ""
    if removed >= MOSTLY:
        outcome, amount, so = "mostly dynamics", "Yes", " By this measure training is lacking, not creases."
    elif removed <= 1 - MOSTLY:
        outcome, amount = "mostly capacity", "A little" if removed > 0 else "No"
        so = " By this measure most of the error is beyond these creases."
    shares = [percent(share) if share > 0 else "nothing" for share in (removed, by_waves)]
    sentence = (
        f"Could these creases do better? {amount}: refitting only the last layer, in windows of {window_px} px, "
        f"removes {shares[0]} of the error{sampled}. A refit of as many plain cosine waves removes {shares[1]}.{so}"
    )
    return CapacityVerdict(outcome, sentence)


@dataclass(frozen=True)
class PredictionVerdict:
    """Whether the creases of an early checkpoint say where detail is missing at the end."""

    outcome: str
    """One of the outcomes of `PREDICTION_RULES`."""
    sentence: str


PREDICTION_RULES = (
    Rule("undecided", _too_few_blocks, f"{UNFORETOLD}: the picture has {{blocks}}, and {MIN_BLOCKS} are needed"),
    Rule("undecided", _undefined, f"{UNFORETOLD}: one of the two is the same everywhere"),
    Rule(
        "foretell",
        _explains,
        "{early} foretell what is missing at {end}. Among equally detailed places, errors are larger then where these "
        "were fewer: {statistic}",
    ),
    Rule(
        "do not foretell",
        _surely_above(-EXPLANATORY),
        "{early} do not foretell what is missing at {end}. Among equally detailed places, errors are then hardly "
        "larger where they were fewer: {statistic}",
    ),
    Rule("undecided", _otherwise, f"{UNFORETOLD}: {{statistic}}"),
)


def prediction_verdict(found: Findings, early_step: int, end_step: int) -> PredictionVerdict:
    """The sentence for what `early_prediction` found, by the thresholds of the verdict's second sentence.

    `found` needs the band, the correlation with its interval, and how many blocks it was made in.
    """
    rule = _first(PREDICTION_RULES, found)
    steps = {"early": f"the creases of step {early_step:,}", "end": f"step {end_step:,}"}
    return PredictionVerdict(rule.outcome, _sentence(rule.words.format(**_figures(found), **steps)))


def percent(share: float) -> str:
    """A share in words: two figures where it is small, none that claim more than they can.

    >>> percent(0.714), percent(0.0213), percent(0.0002), percent(1.34)
    ('71 %', '2.1 %', 'under 0.1 %', '134 %')
    """
    if share < 0.001:
        return "under 0.1 %"
    return f"{100 * share:.1f} %" if share < 0.0995 else f"{100 * share:.0f} %"


def correlation_text(correlation: float, interval: Interval) -> str:
    """A correlation with its interval, as sentences have it.

    >>> correlation_text(-0.391, Interval(-0.5, -0.204, 0.95, 999))
    '-0.39 (95 %: -0.50 to -0.20)'
    """
    low, high = _signed(interval.low), _signed(interval.high)
    return f"{_signed(correlation)} ({100 * interval.level:.0f} %: {low} to {high})"


def _first(rules: tuple[Rule, ...], found: Findings) -> Rule:
    return next(rule for rule in rules if rule.when(found))


def _figures(found: Findings) -> dict[str, str]:
    picture = found.subject == "picture"
    blocks, missing = counted(found.blocks, "block" if picture else "view"), found.missing or 0
    return {
        "subject": found.subject,
        "wavelengths": found.band.replace("+ px", " px and more"),
        "missing": percent(missing),
        "amount": next(word for least, word in AMOUNTS if missing >= least),
        "better": "slightly better" if missing <= SLIGHTLY else "better",
        "crossings": f"about {found.crossings_per_pixel or 0:.0f} per pixel",
        "blocks": blocks,
        "makes_blocks": f"has {blocks} of {found.block_side} px" if picture else f"is shown in {blocks}",
        "statistic": _statistic(found),
    }


def _statistic(found: Findings) -> str:
    """A correlation with its interval."""
    if found.correlation is None or found.interval is None:
        return "no interval"
    return correlation_text(found.correlation, found.interval)


def _signed(value: float) -> str:
    """Two decimals and a sign; zero has a plus, also where it was rounded from below."""
    return f"{round(value, 2) + 0.0:+.2f}"


def _sentence(words: str) -> str:
    return f"{_capital(words)}."


def _capital(words: str) -> str:
    return words[0].upper() + words[1:]
