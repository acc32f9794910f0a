"""Claims about the contest on tables made up for them, and a contest in miniature from beginning to end."""

import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from fieldlens import cli
from fieldlens.configs.encoding import Fourier, Raw
from fieldlens.configs.errors import InputError
from fieldlens.configs.network import Network
from fieldlens.configs.optimizer import Adam, Muon
from fieldlens.configs.run import FitConfig, Training
from fieldlens.configs.study import Contest, Study
from fieldlens.studies.contest.effects import PictureFits
from fieldlens.studies.contest.runs import ContestRuns, recorded_steps, table_path
from fieldlens.studies.contest.table import WindowTable
from fieldlens.studies.paper.claims_of_contest import CONTEST_CLAIMS
from fieldlens.studies.paper.figures_of_contest import CONTEST_DRAWINGS, OPTIMIZER_HEADS, league_rows, optimizer_rows
from fieldlens.studies.paper.judging import FAILS, HOLDS, UNDECIDED, Judged, judge
from fieldlens.studies.paper.page import run_paper
from tests.support.contest_tables import Columns, MadeRuns, made_table

NAMES = ("astronaut", "coffee", "chelsea", "rocket", "brick", "grass", "gravel")
CONTEST = Contest(pictures=NAMES, encodings=(Raw(), Fourier(4)), optimizers=(Adam(),), repeats=1)

Made = Callable[[Columns, np.random.Generator], tuple[Columns, np.ndarray]]


@cache
def made_runs(columns: Made, foretold: tuple[float, ...] = (50.0, 100.0)) -> MadeRuns:
    return MadeRuns(CONTEST, lambda config: made_table(config.seed, columns, foretold))


def judged(claim_id: str, columns: Made, foretold: tuple[float, ...] = (50.0, 100.0)) -> Judged:
    runs = made_runs(columns, foretold)
    (claim,) = (claim for claim in CONTEST_CLAIMS if claim.id == claim_id)
    return judge(claim, [PictureFits(runs, picture) for picture in NAMES], CONTEST.last_step)


def by_speed(noise: Columns, rng: np.random.Generator) -> tuple[Columns, np.ndarray]:
    """Where the network is slow, detail is missing; density makes speed, and waves fast."""
    speed = noise["density"] + noise["speed"]
    missing = -1.5 * speed + 0.5 * rng.normal(size=len(speed))
    return noise | {"speed": speed, "level_waves": noise["density"] + noise["level_waves"]}, missing


def by_leverage(noise: Columns, rng: np.random.Generator) -> tuple[Columns, np.ndarray]:
    """Speed and density have to do with what is missing as far as they go with leverage."""
    leverage = noise["leverage"]
    missing = -1.5 * leverage + 0.5 * rng.normal(size=len(leverage))
    return noise | {"speed": noise["speed"] + leverage, "density": noise["density"] + leverage}, missing


def by_nothing(noise: Columns, rng: np.random.Generator) -> tuple[Columns, np.ndarray]:
    return noise, rng.normal(size=len(noise["speed"]))


def by_density(noise: Columns, rng: np.random.Generator) -> tuple[Columns, np.ndarray]:
    """Creases mend by another way than speed."""
    return noise, -1.5 * noise["density"] + 0.5 * rng.normal(size=len(noise["speed"]))


@pytest.mark.parametrize(
    ("claim", "columns"),
    [*((claim, by_speed) for claim in ("X1", "X1b", "X2", "X3")), ("X1c", by_leverage), ("X1d", by_leverage)],
)
def test_claims_hold_where_it_is_as_they_say(claim: str, columns: Made) -> None:
    found = judged(claim, columns)
    assert found.verdict == HOLDS, found
    assert {part.units for part in found.parts} == {len(NAMES)}, "units are pictures"


@pytest.mark.parametrize(
    ("claim", "columns"),
    [
        ("X1", by_nothing),
        ("X1", by_density),
        ("X1c", by_density),
        ("X1c", by_speed),
        ("X2", by_density),
    ],
)
def test_claims_fall_where_it_is_not(claim: str, columns: Made) -> None:
    assert judged(claim, columns).verdict == FAILS


@pytest.mark.parametrize("claim", ["X1c", "X1d"])
def test_where_leverage_has_nothing_to_do_with_it_that_is_not_decided(claim: str) -> None:
    assert judged(claim, by_nothing).verdict == UNDECIDED


def test_without_an_effect_of_density_there_is_nothing_to_share_out() -> None:
    share = judged("X2", by_nothing).parts[1]
    assert share.verdict == UNDECIDED
    assert share.units < len(NAMES)


def test_the_numbers_of_x1_are_medians_over_pictures_of_means_over_fits() -> None:
    part = judged("X1", by_speed).parts[0]
    of_one = MadeRuns(replace(CONTEST, encodings=(Fourier(4),)), lambda config: made_table(config.seed, by_speed))
    rows = [
        row for row in league_rows(of_one) if row[:3] == ["fourier:4", "at the end", "speed of the target's detail"]
    ]
    assert rows[0][3].startswith(f"{-part.effect:+.2f}" if part.effect else "none")
    assert rows[0][4] == f"{len(NAMES)} of {len(NAMES)}"


def test_each_optimizer_alone_has_a_row_of_its_own_fits() -> None:
    def mostly_leverage(noise: Columns, rng: np.random.Generator) -> tuple[Columns, np.ndarray]:
        return noise, -noise["leverage"] + 0.1 * rng.normal(size=len(noise["leverage"]))

    def table(config: FitConfig) -> WindowTable:
        moved = isinstance(config.training.optimizer, Muon)
        made = made_table(1000 * moved + config.seed, mostly_leverage if moved else by_nothing)
        target = np.exp(made.controls[0]).mean()  # all windows of these tables are alike in size
        return replace(made, missing=np.full_like(made.missing, (0.25 if moved else 0.75) * target))

    both = MadeRuns(replace(CONTEST, encodings=(Raw(),), optimizers=(Adam(), Muon(0.05))), table)
    adam, muon = optimizer_rows(both)
    assert OPTIMIZER_HEADS[2:4] == ("missing", "leverage of the target's detail")
    assert (adam[:3], muon[:3]) == (["raw", "adam", "75 %"], ["raw", "muon:0.05", "25 %"])
    assert abs(float(adam[3].split()[0])) < 0.2
    assert float(muon[3].split()[0]) < -0.7
    assert all(abs(float(cell.split()[0])) < 0.2 for row in (adam, muon) for cell in row[4:])


@pytest.mark.parametrize(
    ("foretold", "off"),
    [((25.0, 200.0), 1.0), ((5.0, 10.0), np.log2(10)), ((np.inf, np.inf), 1e3), ((60.0, 80.0), 0.3)],
)
def test_x3_is_how_far_forecasts_are_from_the_steps_that_it_took(foretold: tuple[float, ...], off: float) -> None:
    part = judged("X3", by_speed, foretold).parts[0]
    assert part.effect == pytest.approx(-off, abs=0.01)
    assert (part.verdict == HOLDS) == (off < 1)


def test_x3_counts_what_was_not_mended_only_where_it_was_foretold_to_be() -> None:
    def slow(foretold: tuple[float, ...]) -> Judged:
        def table(seed: int) -> object:
            made = made_table(seed, by_speed, foretold)
            return replace(made, missing=np.where(made.recorded <= 50, 1.0, 0.6))

        runs = MadeRuns(CONTEST, lambda config: table(config.seed))  # type: ignore[arg-type, return-value]
        (claim,) = (claim for claim in CONTEST_CLAIMS if claim.id == "X3")
        return judge(claim, [PictureFits(runs, picture) for picture in NAMES], 400)

    assert slow((1000.0, np.inf)).parts[0].effect is None
    assert slow((350 / 4, 300 / 4)).parts[0].effect == pytest.approx(-2)
    assert slow((50.0, 50.0)).parts[1].effect is None, "no end was seen"


MINIATURE = Contest(
    pictures=("astronaut", "coffee"),
    encodings=(Fourier(4),),
    optimizers=(Adam(),),
    repeats=1,
    max_side=80,
    network=Network(width=8, depth=2),
    training=Training(steps=40, batch_size=512, average=0, precision="fp32", device="cpu"),
    early=0.5,
    foretold=(0.2,),
    recorded=4,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("contest")
    run_paper(Study(), path, contest=MINIATURE, only=("X1", "X2", "X3"))
    return path


def test_a_contest_alone_makes_its_own_fits_judges_its_claims_and_draws_its_figures(folder: Path) -> None:
    assert not (folder / "runs").exists(), "no fit of the study is asked for"
    here = folder / "only X1 X2 X3"
    result = json.loads((here / "claims.json").read_text())
    assert {claim["id"]: claim["verdict"] for claim in result["claims"]} == dict.fromkeys(("X1", "X2", "X3"), UNDECIDED)
    assert {file.stem for file in (here / "figures").glob("*.svg")} == {drawing.id for drawing in CONTEST_DRAWINGS}
    document, page = (here / "claims.md").read_text(), (here / "report.html").read_text()
    for text in (document, page):
        assert "The contest, of the claims X, fits astronaut, coffee at 80 px" in text
        assert "speed of the target&#x27;s detail" in text.replace("target's", "target&#x27;s")
    assert "the contest&#x27;s encodings" in page
    assert len(document.split("### X1: the league")[1].splitlines()) > 20


def test_fits_of_a_contest_are_found_again_and_those_of_another_protocol_are_not(folder: Path) -> None:
    runs = ContestRuns(MINIATURE, folder / "contest")
    assert all(map(runs.finished, runs.fits))
    table = runs.table(runs.fits[0])
    assert table.recorded.tolist() == recorded_steps(MINIATURE) == [1, 3, 8, 12, 20, 40]
    assert table.foretelling.tolist() == [8]
    before = {config.scene: table_path(runs.folder(config)).stat().st_mtime_ns for config in runs.fits}
    run_paper(Study(), folder, contest=MINIATURE, only=("X3",))
    assert before == {config.scene: table_path(runs.folder(config)).stat().st_mtime_ns for config in runs.fits}
    others = (replace(MINIATURE, recorded=5), replace(MINIATURE, max_side=48), replace(MINIATURE, early=0.1))
    for other in others:
        changed = ContestRuns(other, folder / "contest")
        assert not any(map(changed.finished, changed.fits)), other


def test_networks_are_lent_to_the_next_picture_and_the_last_ones_to_the_first(folder: Path) -> None:
    runs = ContestRuns(MINIATURE, folder / "contest")
    first, last = runs.fits
    assert runs.next_picture(last.scene) == first.scene
    assert runs.lender(first) == last
    table = runs.table(last)
    assert len(table.lent_speed) == len(table.lent_leverage) == len(runs.table(first).blocks)
    assert len({config.seed for config in runs.fits}) == 2


def test_more_seeds_add_fits_and_change_none_and_no_two_share_theirs(tmp_path: Path) -> None:
    few, many = (ContestRuns(replace(CONTEST, repeats=repeats), tmp_path).fits for repeats in (1, 3))
    assert many[: len(few)] == few
    seeds = {(config.scene, config.encoding, config.optimizer): [] for config in many}
    for config in many:
        seeds[config.scene, config.encoding, config.optimizer].append(config.seed)
    assert all(len(set(of_one)) == 3 for of_one in seeds.values())
    assert len({(config.scene, config.seed) for config in many}) == len({config.seed for config in many})


def test_a_number_of_seeds_that_cannot_be_is_refused(capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["paper", "--seeds", "0"]) == 2
    assert "--seeds must be 1 to 1000, got 0" in capfd.readouterr().err


def test_a_study_without_a_contest_refuses_its_claims(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="X2 is of the contest"):
        run_paper(Study(), tmp_path, only=("X2",))
    assert not list(tmp_path.iterdir())


def test_a_contest_is_of_pictures(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is none"):
        run_paper(Study(), tmp_path, contest=replace(MINIATURE, pictures=("demo:teapot",)), only=("X1",))
