"""The paper's study from beginning to end: fits, claims, figures, and a page that shows them."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from fieldlens.configs.errors import InputError, counted
from fieldlens.configs.files import look_after, remove, remove_leftovers, write_bytes, write_json, write_text
from fieldlens.configs.holding import held
from fieldlens.configs.records import to_json
from fieldlens.configs.storage import to_yaml
from fieldlens.configs.study import Contest, Study
from fieldlens.fitting import Controls
from fieldlens.report import ClaimRow, StudyFigure, StudyReport, StudyTable, study_html
from fieldlens.studies.contest.effects import PictureFits
from fieldlens.studies.contest.runs import ContestRuns, run_contest
from fieldlens.studies.making.executor import Executor
from fieldlens.studies.runs.reporter import Reporter, Silent

from .claims import CLAIMS
from .claims_of_contest import CONTEST_CLAIMS
from .effects import Fits
from .figures import DRAWINGS, Drawing, Source
from .figures_of_contest import CONTEST_DRAWINGS, LEAGUE_HEADS, OPTIMIZER_HEADS, league, league_rows, optimizer_rows
from .judging import FAILS, HOLDS, UNDECIDED, Claim, Judged, JudgedPart, judge
from .runs import MUON_ROLES, ROLES, Runs, run_study

TITLE = "Spectral bias of coordinate networks: the claims of Lazzari & Liu, measured"

FINISHED = "claims.json"
"""What was found; it is written last."""

Chosen = TypeVar("Chosen", Claim[Fits], Claim[PictureFits], Drawing[Runs], Drawing[ContestRuns])


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
    contest: Contest | None = None,
    only: Sequence[str] = (),
    reporter: Reporter | None = None,
    controls: Controls | None = None,
    executor: Executor | None = None,
) -> PaperFound:
    """Make what fits are missing, judge the claims, draw the figures, and write the page.

    Args:
        path: the study's folder. Fits that are there and were made by the same protocol are used again.
        contest: whose claims are judged beside those of the study; its fits are in a folder of their own in `path`.
        only: ids of claims and experiments, such as A4 and E2; all that there are fits for if none is named.
        executor: who makes the fits, where a person has chosen.

    Raises:
        InputError: for an unknown id or one that there are no fits for, a picture that cannot be read, or a folder
            that cannot be written, or that another process writes.
        KeyboardInterrupt: when stopped; the fits that are finished stay.
    """
    reporter, controls = reporter or Silent(), controls or Controls()
    asked = _asked(Runs(study, path), None if contest is None else ContestRuns(contest, path / "contest"), only)
    look_after(path)
    with held(path, reporter.say):
        return _run_paper(asked, only, reporter, controls, executor)


@dataclass(frozen=True)
class _Asked:
    """What was chosen of a study, and of its contest where it has one."""

    runs: Runs
    claims: Sequence[Claim[Fits]]
    drawings: Sequence[Drawing[Runs]]
    contest: ContestRuns | None
    """None as well where nothing of it was chosen."""
    contest_claims: Sequence[Claim[PictureFits]]
    contest_drawings: Sequence[Drawing[ContestRuns]]

    @property
    def roles(self) -> list[str]:
        """Those of the study's fits that are looked at."""
        return [role for role in ROLES if any(role in chosen.roles for chosen in (*self.claims, *self.drawings))]

    def judgements(self) -> list[Callable[[], Judged]]:
        """What judges each claim."""
        units = [Fits(self.runs, unit) for unit in self.runs.units]
        steps = self.runs.study.training.steps or 0
        judging = [partial(judge, claim, units, steps) for claim in self.claims]
        if (contest := self.contest) is None:
            return judging
        pictures = [PictureFits(contest, picture) for picture in contest.contest.pictures]
        last = contest.contest.last_step
        return judging + [partial(judge, claim, pictures, last) for claim in self.contest_claims]

    def figures(self) -> list[Callable[[], StudyFigure]]:
        """What draws each figure."""
        drawing = [partial(_figure, one, self.runs) for one in self.drawings]
        if self.contest is None:
            return drawing
        return drawing + [partial(_figure, one, self.contest) for one in self.contest_drawings]

    def tables(self) -> list[StudyTable]:
        """The league, where it was chosen, and the same by each optimizer where there are several."""
        if self.contest is None or all(drawing.draw is not league for drawing in self.contest_drawings):
            return []
        tables = [StudyTable("X1: the league", LEAGUE_HEADS, league_rows(self.contest))]
        if len(self.contest.contest.optimizers) > 1:
            title = "X1: at the end, by each optimizer alone"
            tables.append(StudyTable(title, OPTIMIZER_HEADS, optimizer_rows(self.contest)))
        return tables


def _run_paper(
    asked: _Asked, only: Sequence[str], reporter: Reporter, controls: Controls, executor: Executor | None
) -> PaperFound:
    path = asked.runs.path
    made = run_study(asked.runs, asked.roles, reporter, controls, executor)
    if asked.contest is not None:
        made = made and run_contest(asked.contest, reporter, controls, executor)
    remove_leftovers(path)  # of fits whose process was killed and which were begun again
    if not made:
        reporter.say("stopped; the fits that are finished stay, and the same command goes on")
        raise KeyboardInterrupt
    here = path / f"only {' '.join(only)}" if only else path  # the whole study's page stays as it is
    judged, judgements = [], asked.judgements()
    for number, judgement in enumerate(judgements):
        reporter.working("judging claims", number / len(judgements))
        if controls.stop:
            raise KeyboardInterrupt
        judged.append(judgement())
    found = PaperFound(here, here / "report.html", tuple(judged))
    remove(here / FINISHED)  # it is of other fits, perhaps
    write_text(here / "study.yaml", to_yaml(asked.runs.study))
    if asked.contest is not None:
        write_text(here / "contest.yaml", to_yaml(asked.contest.contest))
    drawn, drawings = [], asked.figures()
    for number, drawing in enumerate(drawings):
        reporter.working("drawing figures", number / len(drawings))
        drawn.append(drawing())
        write_bytes(here / "figures" / f"{drawn[-1].id}.svg", drawn[-1].svg)
    summary, tables = _summary(asked, judged), asked.tables()
    page = StudyReport(TITLE, summary, [_row(claim) for claim in judged], drawn, tables, _protocol(asked))
    write_text(here / "claims.md", claims_markdown(judged, summary, drawn, tables))
    write_text(found.report, study_html(page))
    write_json(here / FINISHED, to_json(found))
    return found


def _figure(drawing: Drawing[Source], source: Source) -> StudyFigure:
    return StudyFigure(drawing.id, drawing.title, drawing.caption, drawing.svg(source))


def claims_markdown(
    judged: Sequence[Judged],
    summary: Sequence[str],
    figures: Sequence[StudyFigure],
    tables: Sequence[StudyTable] = (),
) -> str:
    """The claims as a table, and below it the figures and other tables, for a document."""
    rows = []
    for claim in judged:
        parts = "<br>".join(f"{part.name}: {number(part)} ({_outcome(part)})" for part in claim.parts)
        rows.append((claim.id, claim.statement, claim.authors, parts, f"**{claim.outcome}**"))
    lines = [*summary, "", *_markdown_table(("claim", "statement", "authors", "measured", "verdict"), rows)]
    for figure in figures:
        picture = f"![{figure.title}](figures/{figure.id}.svg)"
        lines += ["", f"### {figure.id}: {figure.title}", "", picture, "", figure.caption]
    for table in tables:
        lines += ["", f"### {table.title}", "", *_markdown_table(table.heads, table.rows)]
    return "\n".join(lines) + "\n"


def _markdown_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [heads, *rows]
    written = ["| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |" for cells in lines]
    return [written[0], "|" + "---|" * len(heads), *written[1:]]


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


def _asked(runs: Runs, contest: ContestRuns | None, only: Sequence[str]) -> _Asked:
    fitted = {role for role in ROLES if any(runs.playing(unit, role) for unit in runs.units)}

    def wanted(things: Sequence[Chosen]) -> list[Chosen]:
        return [thing for thing in things if (not only or thing.id in only) and fitted.issuperset(thing.roles)]

    of_contest = (*CONTEST_CLAIMS, *CONTEST_DRAWINGS)
    claims, drawings = wanted(CLAIMS), wanted(DRAWINGS)
    contest_claims = wanted(CONTEST_CLAIMS) if contest else []
    contest_drawings = wanted(CONTEST_DRAWINGS) if contest else []
    known = dict.fromkeys(thing.id for thing in (*CLAIMS, *DRAWINGS, *of_contest))
    chosen = {thing.id for thing in (*claims, *drawings, *contest_claims, *contest_drawings)}
    for word in only:
        if word not in known:
            there_are = ", ".join(known)
            raise InputError(f"{word!r} is no claim and no experiment of the study (there are: {there_are})")
        if word not in chosen and word in {thing.id for thing in of_contest}:
            raise InputError(f"{word} is of the contest, which has pixels at their centres; leave out --grid authors")
        if word not in chosen:
            raise InputError(f"{word} needs fits that this study does not make; try --tier cpu")
    of_study = contest if contest_claims or contest_drawings else None
    return _Asked(runs, claims, drawings, of_study, contest_claims, contest_drawings)


def _summary(asked: _Asked, judged: Sequence[Judged]) -> list[str]:
    counts = Counter(claim.verdict for claim in judged)
    claims = [
        f"Of {counted(len(judged), 'claim')} {counted(counts[HOLDS], 'holds', 'hold')}, "
        f"{counted(counts[FAILS], 'does', 'do')} not, and {counted(counts[UNDECIDED], 'is', 'are')} undecided in this "
        "study.",
    ]
    return [
        *(claims if judged else []),
        *(_study_summary(asked.runs.study, asked.roles) if asked.claims or asked.drawings else []),
        *([] if asked.contest is None else [_contest_summary(asked.contest.contest)]),
    ]


def _study_summary(study: Study, roles: Sequence[str]) -> list[str]:
    pictures = ", ".join(study.pictures)
    moved = (
        f"Where claims speak of Muon, {study.muon} moves the matrices between hidden layers, under narrow raw "
        "coordinates if nothing else is said."
    )
    return [
        f"The study fits {pictures} at {study.max_side} px by {study.network} networks for {study.training.steps:,} "
        f"steps, {counted(study.repeats, 'time')} each; narrow and wide raw coordinates are {study.raw[0]} and "
        f"{study.raw[1]}, coarse and fine encodings {study.coarse} and {study.fine}.",
        *([] if MUON_ROLES.isdisjoint(roles) else [moved]),
    ]


def _contest_summary(contest: Contest) -> str:
    encodings, optimizers = (", ".join(map(str, words)) for words in (contest.encodings, contest.optimizers))
    return (
        f"The contest, of the claims X, fits {', '.join(contest.pictures)} at {contest.max_side} px by "
        f"{contest.network} networks for {contest.last_step:,} steps, under {encodings}, by {optimizers}, "
        f"{counted(contest.repeats, 'time')} each. Its units are pictures."
    )


def _row(claim: Judged) -> ClaimRow:
    parts = [(part.name, number(part), _outcome(part)) for part in claim.parts]
    return ClaimRow(claim.id, claim.statement, claim.authors, claim.verdict, claim.outcome, parts)


def _protocol(asked: _Asked) -> dict[str, str]:
    def words(value: object) -> str:
        if isinstance(value, Mapping):
            return ", ".join(f"{key} {inner}" for key, inner in value.items() if inner is not None)
        if value is None or value in ("", []):
            return "none"
        return ", ".join(map(words, value)) if isinstance(value, list) else str(value)

    of_study = {key: words(value) for key, value in to_json(asked.runs.study).items()}
    contest = {} if asked.contest is None else to_json(asked.contest.contest)
    return of_study | {f"the contest's {key}": words(value) for key, value in contest.items()}
