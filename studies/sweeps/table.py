"""The tables of a sweep: a line for each fit, a line for each method and quantity, and what a person reads."""

from collections.abc import Callable, Sequence
from itertools import combinations, pairwise

from fieldlens.analysis.detail.means import LEAST_PICTURES, LEVEL, NestedMean
from fieldlens.configs.errors import counted
from fieldlens.report import PICTURE_WORDS, SIGNAL_WORDS
from fieldlens.report.table import decimals, whole_percent
from fieldlens.studies.runs.table import Cell, aligned, csv_row, csv_text

from .plan import Method
from .scores import HELD_OUT, Finding, Scores
from .tuning import Tuned

ABSENT = "n/a"

MOST_TOLD = 6
"""Pairs whose decided order is told in a sentence."""

TITLES = {"psnr_db": "PSNR dB", HELD_OUT: "held-out dB", "ssim": "SSIM"}


def fits_csv(scores: Scores) -> str:
    """A line for each finished fit, in the order in which they were planned."""
    return csv_text([_fit_row(one) for one in scores.findings])


def _fit_row(finding: Finding) -> dict[str, Cell]:
    record, planned = finding.record, finding.planned
    words = PICTURE_WORDS if record.explained.amplitude_recovered is None else SIGNAL_WORDS
    return {
        "picture": planned.picture,
        "method": planned.method.name,
        "seed": planned.seed,
        **csv_row(record, words),
        "learning_rate": record.plan.learning_rate,
        "steps": record.steps,
        "stopped_because": record.stopped_because,
        "device": record.plan.device_name,
        "lost": finding.lost,
        "path": str(finding.folder.path),
    }


def summary_csv(scores: Scores) -> str:
    """A line for each method and quantity, with nothing in it that depends on the clock, the machine's speed or where
    folders lie: the same fits give the same bytes."""
    first, *_ = scores.methods
    rows: list[dict[str, Cell]] = []
    for method in scores.methods:
        for quantity in scores.quantities:
            found, ahead = scores.mean(method, quantity), scores.difference(method, first, quantity)
            ahead = None if method == first else ahead
            rows.append(
                {
                    "method": method.name,
                    "quantity": quantity.replace(" ", "_"),
                    "fits": 0 if found is None else found.values,
                    "pictures": 0 if found is None else found.pictures,
                    **_numbers("", found),
                    "interval_over": None if found is None else found.over,
                    "sd_pictures": None if found is None else _short(found.between),
                    "sd_seeds": None if found is None else _short(found.within),
                    "compared_with": first.name,
                    **_numbers("difference_", ahead),
                    "difference_level": _short(scores.pair_level),
                    "rank": scores.ranks[method] if quantity == scores.judged_by and found is not None else None,
                }
            )
    return csv_text(rows)


def _numbers(prefix: str, found: NestedMean | None) -> dict[str, Cell]:
    values = (None, None, None) if found is None else (found.mean, found.low, found.high)
    return {f"{prefix}{name}": _short(value) for name, value in zip(("mean", "low", "high"), values, strict=True)}


def _short(value: float | None) -> str | None:
    return None if value is None else f"{value:.6g}"


def form_of(quantity: str) -> Callable[[float], str]:
    """How numbers of a quantity are written."""
    if quantity.startswith("energy_kept"):
        return whole_percent
    return decimals(3 if quantity == "ssim" else 2)


def title_of(quantity: str) -> str:
    """What a quantity's column is called.

    >>> title_of("psnr_db"), title_of("energy_kept 2-4 px")
    ('PSNR dB', 'kept 2-4 px')
    """
    return TITLES.get(quantity, quantity.replace("energy_kept", "kept"))


def interval_text(found: NestedMean | None, form: Callable[[float], str]) -> str:
    """Both ends of an interval, or that there is none."""
    if found is None or found.low is None or found.high is None:
        return ABSENT
    return f"{form(found.low)} to {form(found.high)}"


def percent_of(level: float) -> str:
    """A confidence as a heading has it.

    >>> percent_of(0.95), percent_of(1 - 0.05 / 3)
    ('95 %', '98.3 %')
    """
    return f"{100 * level:.3g} %"


def method_table(scores: Scores, tuned: Tuned | None = None) -> tuple[list[str], list[list[str]]]:
    """Heads and rows of what a person reads of the methods; columns that say nothing are left out."""
    first, judged = scores.methods[0], scores.judged_by
    form, several = form_of(judged), len(scores.methods) > 1
    columns: dict[str, Callable[[Method], str]] = {
        "method": lambda one: one.label,
        title_of(judged): lambda one: _mean(scores.mean(one, judged), form),
        f"{percent_of(LEVEL)} interval": lambda one: interval_text(scores.mean(one, judged), form),
    }
    if several:
        columns |= {
            f"against {first.label}": lambda one: "" if one == first else _signed(scores.difference(one, first)),
            f"{percent_of(scores.pair_level)} interval of that": lambda one: (
                "" if one == first else interval_text(scores.difference(one, first), form)
            ),
            "rank": lambda one: str(scores.ranks[one]) if scores.mean(one, judged) else ABSENT,
        }
    for quantity in _told(scores):
        if quantity != judged:
            columns[title_of(quantity)] = lambda one, name=quantity: _mean(scores.mean(one, name), form_of(name))
    if len(scores.pictures) > 1:
        columns["sd pictures"] = lambda one: _spread(scores.mean(one, judged), "between")
    if len(scores.seeds) > 1:
        columns["sd seeds"] = lambda one: _spread(scores.mean(one, judged), "within")
    if tuned is not None:
        columns["rate ×"] = lambda one: f"{tuned.of(one.name).rate:g}"
        if any(one.factors.scale != 1 for one in tuned.found):
            columns["scale ×"] = lambda one: f"{tuned.of(one.name).scale:g}"
    columns["s"] = lambda one: _seconds(scores.of(one))
    columns["fits"] = lambda one: str(len(scores.of(one)))
    return list(columns), [[text(one) for text in columns.values()] for one in scores.methods]


def _told(scores: Scores) -> list[str]:
    """The quantities of a table that a person reads: of octaves the two finest."""
    kept = [name for name in scores.quantities if name.startswith("energy_kept")]
    return [name for name in scores.quantities if name not in kept[2:]]


def table_markdown(scores: Scores, tuned: Tuned | None = None) -> str:
    """The methods as a table that reads on a terminal as well, and below it how they rank on each picture."""
    parts = [aligned(*method_table(scores, tuned))]
    if len(scores.methods) > 1 and len(scores.pictures) > 1:
        rows = [[picture, scores.ranking(picture).sentence] for picture in scores.pictures]
        parts.append(aligned(["picture", "ranking on it alone (> told apart by its seeds, ? not)"], rows))
        worst = [[one.label, _worst(scores, one)] for one in scores.methods]
        parts.append(aligned(["method", "worst picture"], worst))
    return "\n".join(parts)


def _worst(scores: Scores, method: Method) -> str:
    found = scores.worst(method)
    return ABSENT if found is None else f"{found[0]}, {found[1]:.2f} dB"


def _mean(found: NestedMean | None, form: Callable[[float], str]) -> str:
    return ABSENT if found is None else form(found.mean)


def _signed(found: NestedMean | None) -> str:
    return ABSENT if found is None else ("+" if found.mean > 0 else "") + decimals(2)(found.mean)


def _spread(found: NestedMean | None, which: str) -> str:
    value = None if found is None else getattr(found, which)
    return ABSENT if value is None else f"{value:.2f}"


def _seconds(findings: Sequence[Finding]) -> str:
    """The mean time of training of a fit."""
    return ABSENT if not findings else f"{sum(one.record.seconds for one in findings) / len(findings):.1f}"


def verdict(scores: Scores, planned: int, tuned: Tuned | None = None) -> list[str]:
    """What the table says, in sentences: who is ahead, what is decided and what is not, and what intervals are over.

    Args:
        planned: how many fits there are to be.
        tuned: what a search for rates found, if there was one.
    """
    done = len(scores.findings)
    sentences = [] if done == planned else [f"{done} of {counted(planned, 'fit')} are finished; this is of those."]
    if not scores.by_mean:
        return [*sentences, "No fit has a PSNR yet."]
    best = scores.by_mean[0]
    found = scores.mean(best, scores.judged_by)
    assert found is not None  # it has a mean, and so it is among them
    what = "held-out pixels" if scores.judged_by == HELD_OUT else "the target"
    over = f"{counted(found.pictures, 'picture')} and {counted(len(scores.seeds), 'seed')}"
    sentences.append(f"{best.label} comes closest to {what}: {found.mean:.2f} dB, over {over}.")
    if len(scores.by_mean) > 1:
        sentences += _orders(scores)
    sentences.append(_what_over(scores, found))
    for method in scores.methods:
        if lost := scores.left_out(method):
            sentences.append(
                f"{counted(lost, 'fit')} by {method.label} diverged, and {'is' if lost == 1 else 'are'} in no mean."
            )
    if begun_again := sum(one.lost > 0 for one in scores.findings):
        sentences.append(
            f"{counted(begun_again, 'fit')} {'was' if begun_again == 1 else 'were'} lost on the way and begun again; "
            "table.csv says which, and how often."
        )
    if tuned is not None:
        sentences.append(
            f"Rates were searched first, for each method by {counted(tuned.fits_of_each, 'fit')} of each scene with "
            f"seed {tuned.seed}, which is not reported."
        )
    return sentences


def _orders(scores: Scores) -> list[str]:
    """Which pairs are decided, those next to each other first; and which neighbours are not."""

    def told(pair: tuple[Method, Method]) -> str:
        found = scores.difference(*pair)
        by = "" if found is None else f" by {decimals(2)(found.mean)} dB ({interval_text(found, decimals(2))})"
        return f"{pair[0].label} over {pair[1].label}{by}"

    place = {method: number for number, method in enumerate(scores.by_mean)}
    pairs = sorted(combinations(scores.by_mean, 2), key=lambda pair: (place[pair[1]] - place[pair[0]], place[pair[0]]))
    # where fits are missing, a method may be ahead in pairs and behind by its mean over other fits
    decided = [(a, b) if sign > 0 else (b, a) for a, b in pairs if (sign := scores.sign(a, b))]
    undecided = [pair for pair in pairwise(scores.by_mean) if not scores.sign(*pair)]
    sentences = []
    if decided:
        more = len(decided) - MOST_TOLD
        rest = f"; and {counted(more, 'other pair')}" if more > 0 else ""
        sentences.append(f"Decided: {'; '.join(map(told, decided[:MOST_TOLD]))}{rest}.")
    if undecided:
        sentences.append(f"Not decided: {'; '.join(map(told, undecided))}.")
    together = ", of all pictures together," if len(scores.pictures) > 1 else ""
    sentences.append(
        "Differences are paired: on the same picture with the same seed. An order is decided where the interval of its "
        f"difference{together} leaves 0 out."
    )
    if scores.pair_level != LEVEL:
        level, all_pairs = percent_of(scores.pair_level), percent_of(LEVEL)
        sentences.append(
            f"These intervals are of {level} each, so that all pairs of methods together hold at {all_pairs}."
        )
    return sentences


def _what_over(scores: Scores, found: NestedMean) -> str:
    """What intervals are over."""
    match found.over:
        case "pictures":
            return "Intervals are over pictures, with seeds within them: of pictures like these (Student's t)."
        case "seeds":
            few = "One picture says" if len(scores.pictures) == 1 else "So few pictures say"
            return f"{few} little of others: intervals are over seeds, of what was fitted here alone (Student's t)."
    if len(scores.pictures) >= LEAST_PICTURES:
        return "Fewer than three pictures have a number, which are too few for an interval over pictures."
    return "These are too few pictures and seeds for intervals: take three pictures, or three seeds."
