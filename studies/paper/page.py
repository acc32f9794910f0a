"""The paper's study from beginning to end: fits, claims, figures, and a page that shows them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from fieldlens.configs.errors import InputError, counted
from fieldlens.configs.files import look_after, remove, write_bytes, write_json, write_text
from fieldlens.configs.holding import held
from fieldlens.configs.records import to_json
from fieldlens.configs.storage import to_yaml
from fieldlens.configs.study import Study
from fieldlens.fitting import Controls
from fieldlens.report import ClaimRow, StudyFigure, StudyReport, study_html
from fieldlens.studies.runs.reporter import Reporter, Silent

from .claims import CLAIMS
from .effects import Fits
from .figures import DRAWINGS, Drawing
from .judging import FAILS, HOLDS, UNDECIDED, Claim, Judged, JudgedPart, judge
from .runs import MUON_ROLES, ROLES, Runs, run_study

TITLE = "Spectral bias of coordinate networks: the claims of Lazzari & Liu, measured"

FINISHED = "claims.json"
"""What was found; it is written last."""

Chosen = TypeVar("Chosen", Claim[Fits], Drawing)


@dataclass(frozen=True)
class PaperFound:
    """What a study found, and where its page stands: claims.json."""

    path: Path
    report: Path
    claims: tuple[Judged, ...]


def run_paper(
    study: Study,
    path: Path,
    *,
    only: Sequence[str] = (),
    reporter: Reporter | None = None,
    controls: Controls | None = None,
) -> PaperFound:
    """Make what fits are missing, judge the claims, draw the figures, and write the page.

    Args:
        path: the study's folder. Fits that are there and were made by the same protocol are used again.
        only: ids of claims and experiments, such as A4 and E2; all that the study has fits for if none is named.

    Raises:
        InputError: for an unknown id or one that the study has no fits for, a picture that cannot be read, or a folder
            that cannot be written, or that another process writes.
        KeyboardInterrupt: when stopped; the fits that are finished stay.
    """
    reporter, controls = reporter or Silent(), controls or Controls()
    runs = Runs(study, path)
    claims, drawings = _chosen(runs, only)
    look_after(path)
    with held(path, reporter.say):
        return _run_paper(runs, claims, drawings, only, reporter, controls)


def _run_paper(
    runs: Runs,
    claims: Sequence[Claim[Fits]],
    drawings: Sequence[Drawing],
    only: Sequence[str],
    reporter: Reporter,
    controls: Controls,
) -> PaperFound:
    study, path = runs.study, runs.path
    roles = [role for role in ROLES if any(role in chosen.roles for chosen in (*claims, *drawings))]
    if not run_study(runs, roles, reporter, controls):
        reporter.say("stopped; the fits that are finished stay, and the same command goes on")
        raise KeyboardInterrupt
    here = path / f"only {' '.join(only)}" if only else path  # the whole study's page stays as it is
    judged = []
    for number, claim in enumerate(claims):
        reporter.working("judging claims", number / len(claims))
        if controls.stop:
            raise KeyboardInterrupt
        judged.append(judge(claim, [Fits(runs, unit) for unit in runs.units], study.training.steps or 0))
    found = PaperFound(here, here / "report.html", tuple(judged))
    remove(here / FINISHED)  # it is of other fits, perhaps
    write_text(here / "study.yaml", to_yaml(study))
    figures = []
    for number, drawing in enumerate(drawings):
        reporter.working("drawing figures", number / len(drawings))
        figures.append(StudyFigure(drawing.id, drawing.title, drawing.caption, drawing.svg(runs)))
        write_bytes(here / "figures" / f"{drawing.id}.svg", figures[-1].svg)
    summary = _summary(study, judged, muon=not MUON_ROLES.isdisjoint(roles))
    page = StudyReport(TITLE, summary, [_row(claim) for claim in judged], figures, _protocol(study))
    write_text(here / "claims.md", claims_markdown(judged, summary, figures))
    write_text(found.report, study_html(page))
    write_json(here / FINISHED, to_json(found))
    return found


def claims_markdown(judged: Sequence[Judged], summary: Sequence[str], figures: Sequence[StudyFigure]) -> str:
    """The claims as a table, and below it the figures, for a document."""
    lines = [*summary, "", "| claim | statement | authors | measured | verdict |", "|---|---|---|---|---|"]
    for claim in judged:
        parts = "<br>".join(f"{part.name}: {number(part)} ({_outcome(part)})" for part in claim.parts)
        cells = (claim.id, claim.statement, claim.authors, parts, f"**{claim.outcome}**")
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    for figure in figures:
        picture = f"![{figure.title}](figures/{figure.id}.svg)"
        lines += ["", f"### {figure.id}: {figure.title}", "", picture, "", figure.caption]
    return "\n".join(lines) + "\n"


def claims_table(claims: Sequence[Judged]) -> str:
    """The claims as lines for a screen: id, verdict, and the number that decided it."""
    lines = []
    for claim in claims:
        effect = "n/a" if claim.deciding.effect is None else f"{claim.deciding.effect:.3g} {claim.deciding.unit}"
        asked = f"  ({claim.asked} of {len(claim.parts)} parts asked)" if claim.asked < len(claim.parts) else ""
        lines.append(f"{claim.id:<4} {claim.verdict:<14} {effect}{asked}")
    return "\n".join(line.rstrip() for line in lines)


def number(part: JudgedPart) -> str:
    """An effect with its interval, its unit, what it must be above, and how many units have it.

    >>> number(JudgedPart("gain", 5.25, (4.0, 6.5), "dB", 3.0, 4, HOLDS))
    '5.25 dB [4, 6.5] > 3, n = 4'
    >>> number(JudgedPart("gain", 5.25, None, "dB", 3.0, 2, UNDECIDED, left_out=1))
    '5.25 dB > 3, n = 2 (1 left out)'
    """
    if part.effect is None:
        return "n/a"
    unit = f" {part.unit}" if part.unit else ""
    interval = "" if part.interval is None else f" [{part.interval[0]:.3g}, {part.interval[1]:.3g}]"
    left_out = f" ({part.left_out} left out)" if part.left_out else ""
    return f"{part.effect:.3g}{unit}{interval} > {part.holds_above:.3g}, n = {part.units}{left_out}"


def _outcome(part: JudgedPart) -> str:
    return f"{part.verdict}: {part.reason}" if part.reason else part.verdict


def _chosen(runs: Runs, only: Sequence[str]) -> tuple[list[Claim[Fits]], list[Drawing]]:
    fitted = {role for role in ROLES if any(runs.playing(unit, role) for unit in runs.units)}

    def wanted(things: Sequence[Chosen]) -> list[Chosen]:
        return [thing for thing in things if (not only or thing.id in only) and fitted.issuperset(thing.roles)]

    claims, drawings = wanted(CLAIMS), wanted(DRAWINGS)
    known = dict.fromkeys(thing.id for thing in (*CLAIMS, *DRAWINGS))
    for word in only:
        if word not in known:
            there_are = ", ".join(known)
            raise InputError(f"{word!r} is no claim and no experiment of the study (there are: {there_are})")
        if word not in {thing.id for thing in (*claims, *drawings)}:
            raise InputError(f"{word} needs fits that this study does not make; try --tier cpu")
    return claims, drawings


def _summary(study: Study, judged: Sequence[Judged], *, muon: bool) -> list[str]:
    counts = Counter(claim.verdict for claim in judged)
    pictures = ", ".join(study.pictures)
    claims = [
        f"Of {counted(len(judged), 'claim')} {counted(counts[HOLDS], 'holds', 'hold')}, "
        f"{counted(counts[FAILS], 'does', 'do')} not, and {counted(counts[UNDECIDED], 'is', 'are')} undecided in this "
        "study.",
    ]
    moved = (
        f"Where claims speak of Muon, {study.muon} moves the matrices between hidden layers, under narrow raw "
        "coordinates if nothing else is said."
    )
    return [
        *(claims if judged else []),
        f"The study fits {pictures} at {study.max_side} px by {study.network} networks for {study.training.steps:,} "
        f"steps, {counted(study.repeats, 'time')} each; narrow and wide raw coordinates are {study.raw[0]} and "
        f"{study.raw[1]}, coarse and fine encodings {study.coarse} and {study.fine}.",
        *([moved] if muon else []),
    ]


def _row(claim: Judged) -> ClaimRow:
    parts = [(part.name, number(part), _outcome(part)) for part in claim.parts]
    return ClaimRow(claim.id, claim.statement, claim.authors, claim.verdict, claim.outcome, parts)


def _protocol(study: Study) -> dict[str, str]:
    def words(value: object) -> str:
        if isinstance(value, Mapping):
            return ", ".join(f"{key} {inner}" for key, inner in value.items() if inner is not None)
        if value is None or value in ("", []):
            return "none"
        return ", ".join(map(words, value)) if isinstance(value, list) else str(value)

    return {key: words(value) for key, value in to_json(study).items()}
