"""The league on tables whose winner is known, and the chain on tables whose way is known."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import rankdata

from fieldlens.configs.encoding import Raw
from fieldlens.configs.optimizer import Adam, Muon
from fieldlens.configs.run import FitConfig
from fieldlens.configs.study import Contest
from fieldlens.studies.contest.scores import (
    When,
    correlation_with_missing,
    density_and_waves,
    league_of,
    mediation_of,
    scores_of,
)
from fieldlens.studies.contest.table import WindowTable
from tests.support.contest_tables import Columns, MadeRuns, made_table

NAMES = ("astronaut", "coffee", "chelsea", "rocket", "brick", "grass", "gravel")
CONTEST = Contest(pictures=NAMES, encodings=(Raw(),), optimizers=(Adam(), Muon()), repeats=2)


def won_by_speed(noise: Columns, rng: np.random.Generator) -> tuple[Columns, np.ndarray]:
    return noise, -noise["speed"] + 0.5 * noise["density"] + 0.3 * rng.normal(size=len(noise["speed"]))


def table_of(config: FitConfig) -> WindowTable:
    moved = isinstance(config.training.optimizer, Muon)
    return made_table(1000 * moved + config.seed, won_by_speed)


def test_the_league_is_won_by_what_the_missing_detail_was_made_of() -> None:
    first, second, *rest = league_of(MadeRuns(CONTEST, table_of), Raw(), When.END)
    assert (first.quantity, second.quantity) == ("speed", "density")
    assert first.correlation is not None
    assert second.correlation is not None
    assert first.correlation.pictures == len(NAMES)
    assert first.correlation.median < -0.6
    assert first.correlation.below_zero == 1
    assert second.correlation.median > 0.2
    assert second.correlation.below_zero == 0
    assert first.correlation.interval is not None
    assert first.correlation.interval.high < -0.6
    assert first.gain is not None
    assert first.gain.median > 0.05
    for each in rest:
        assert each.correlation is not None
        assert abs(each.correlation.median) < 0.15
        assert each.gain is not None
        assert each.gain.median < 0.01


def test_a_correlation_is_that_of_what_regression_on_ranks_leaves() -> None:
    table = made_table(3, won_by_speed)
    ranks = [rankdata(values) for values in (table.quantities["speed"][1], table.residual[1], *table.controls)]
    precision = np.linalg.inv(np.corrcoef(ranks))
    expected = -precision[0, 1] / np.sqrt(precision[0, 0] * precision[1, 1])
    assert scores_of(table, When.END)["speed"].correlation == pytest.approx(expected)
    assert correlation_with_missing(table, table.quantities["speed"][1]) == pytest.approx(expected)


def test_early_candidates_are_asked_of_the_end() -> None:
    table = made_table(4, won_by_speed)
    early = np.random.default_rng(5).normal(size=table.residual.shape[1])
    speed = np.stack([early, table.quantities["speed"][1]])
    moved = replace(
        table, quantities={**table.quantities, "speed": speed}, residual=np.stack([np.exp(early), table.residual[1]])
    )
    found = scores_of(moved, When.EARLY)["speed"].correlation
    assert found == pytest.approx(correlation_with_missing(table, early))
    assert found is not None
    assert abs(found) < 0.3, "the residual of the early step would give 1"


def test_all_are_judged_on_the_same_windows_and_what_is_defined_nowhere_is_left_out() -> None:
    table = made_table(6, won_by_speed)
    quantities = {name: values.copy() for name, values in table.quantities.items()}
    quantities["speed"][:, :20] = np.nan
    quantities["distance"][:] = np.nan
    found = scores_of(replace(table, quantities=quantities), When.END)
    assert "distance" not in found
    cut = replace(
        table,
        blocks=table.blocks[20:],
        controls=table.controls[:, 20:],
        residual=table.residual[:, 20:],
        kept=table.kept[:, 20:],
        quantities={name: values[:, 20:] for name, values in table.quantities.items()},
    )
    alone = scores_of(cut, When.END)
    for name, one in found.items():
        assert one.correlation == pytest.approx(alone[name].correlation)


def test_too_few_windows_and_a_fit_that_has_diverged_have_no_scores() -> None:
    table = made_table(7, won_by_speed)
    few = {name: np.where(np.arange(144) < 15, values, np.nan) for name, values in table.quantities.items()}
    assert scores_of(replace(table, quantities=few), When.END) == {}
    diverged = replace(table, residual=np.full_like(table.residual, np.nan))
    assert scores_of(diverged, When.END) == {}
    assert mediation_of(diverged) is None
    assert correlation_with_missing(diverged, table.quantities["speed"][1]) is None


def chained(noise: Columns, rng: np.random.Generator, direct: float = 0.0) -> tuple[Columns, np.ndarray]:
    """Density makes speed, speed mends; of the direct way as much as is said."""
    speed = noise["density"] + 0.5 * noise["speed"]
    missing = -speed - direct * noise["density"] + 0.2 * rng.normal(size=len(speed))
    return noise | {"speed": speed, "level_waves": speed + noise["level_waves"]}, missing


def test_mediation_is_whole_where_density_works_through_speed_alone_and_less_where_it_does_not() -> None:
    whole = mediation_of(made_table(8, chained))
    half = mediation_of(made_table(8, lambda noise, rng: chained(noise, rng, direct=1.5)))
    assert whole is not None
    assert half is not None
    assert whole.share == pytest.approx(1, abs=0.2)
    assert half.share is not None
    assert half.share < 0.7


def test_density_goes_with_waves_where_it_makes_them() -> None:
    made, noise = made_table(9, chained), made_table(9, won_by_speed)
    ranks = [rankdata(made.quantities[name][1]) for name in ("density", "level_waves")]
    assert density_and_waves(made) == pytest.approx(np.corrcoef(ranks)[0, 1])
    assert (density_and_waves(made) or 0) > 0.4
    assert abs(density_and_waves(noise) or 0) < 0.2
    sines = {**made.quantities, "density": np.full_like(made.residual, np.nan)}
    assert density_and_waves(replace(made, quantities=sines)) is None
    assert mediation_of(replace(made, quantities=sines)) is None
