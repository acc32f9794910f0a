"""Doses of crease density: what is held equal is equal, and what is reported is what was measured."""

import json

import numpy as np
import pytest

from analysis import crease_density, explain, relu_network
from analysis.statistics import rank_correlation
from configs.encoding import parse_encoding
from configs.network import Network
from configs.run import FitConfig, Training
from fields.interventions import spread_biases
from fitting import fit, initial_state
from scenes.picture import Picture
from studies.doses import Dose, DoseResponse, bias_doses, dose_response, interval_doses, revival_doses
from tests.small_fits import CPU, noise

SMALL = Network(width=16, depth=2)
QUICK = Training(batch_size=256, device="cpu", precision="fp32")


def respond(doses: list[Dose], picture: Picture | None = None, **choices) -> DoseResponse:
    return dose_response(picture or noise(32), doses, **{"steps": 8, "network": SMALL, "training": QUICK} | choices)


def test_a_row_is_what_a_fit_of_its_own_gives() -> None:
    picture, encoding = noise(32), parse_encoding("raw:-1..1")
    row = respond([Dose("spread", encoding, bias_factor=2.0)], picture, seeds=(5,)).rows[0]
    state = initial_state(FitConfig(encoding=encoding, network=SMALL, seed=5), 2, 3)
    spread_biases(state.field, 2.0)
    density = {}
    for snapshot in fit(state, picture, Training(steps=8, batch_size=256), CPU, 3e-3, [4, 8]):
        if snapshot.scheduled:
            density[snapshot.step] = crease_density(relu_network(state.field), 32, 32).crossings_per_pixel.mean()
    assert (row.density_midway, row.density) == pytest.approx((density[4], density[8]))
    found = explain(picture.target(), picture.draw(state.field), {"coarea": None})
    assert row.missing == pytest.approx(found.bands[0].missing)
    assert (row.dose, row.seed, row.revived) == ("spread", 5, 0)


def test_wider_intervals_have_denser_creases_from_the_first_step_on() -> None:
    response = respond(interval_doses(), steps=2, seeds=(0, 1), network=Network(width=64, depth=4))
    for seed in (0, 1):
        densities = [row.density_midway or np.nan for row in response.rows if row.seed == seed]
        assert densities == sorted(densities)
        assert densities[-1] > 2 * densities[0]


def test_the_summary_is_over_the_doses_of_a_seed() -> None:
    response = respond(interval_doses(), seeds=(0, 1, 2))
    by_seed = []
    for seed in (0, 1, 2):
        rows = [row for row in response.rows if row.seed == seed]
        assert [row.dose for row in rows] == ["raw:0..1", "raw:-1..1", "raw:-2..2", "raw:-3..3"]
        missing = [row.missing for row in rows if row.missing is not None]
        by_seed.append(rank_correlation(np.array([row.density_midway for row in rows]), np.array(missing)))
    assert response.rank_correlation_by_seed == pytest.approx(by_seed)
    assert response.rank_correlation == pytest.approx(np.mean(by_seed))
    # a level for each seed and one slope, by general least squares
    x = np.log([row.density_midway or np.nan for row in response.rows])
    levels = np.kron(np.eye(3), np.ones((4, 1)))
    weights = np.linalg.lstsq(
        np.column_stack([levels, x]), np.log([row.missing or np.nan for row in response.rows]), rcond=None
    )[0]
    assert response.slope == pytest.approx(weights[-1])


def test_reviving_happens_at_its_steps_and_before_them_nothing_differs() -> None:
    encoding = parse_encoding("raw:0..1")
    never, once, thrice = respond(revival_doses(encoding, 32), steps=32, seeds=(0,)).rows
    assert (never.revived, once.revived > 0, thrice.revived >= once.revived) == (0, True, True)
    early, late = respond([Dose("no", encoding), Dose("late", encoding, revive_at=(6,))], seeds=(0,)).rows
    assert early.density_midway == late.density_midway
    assert early.density != late.density


def test_without_a_dose_two_fits_are_the_same_and_nothing_is_correlated() -> None:
    twice = [Dose("one", parse_encoding("raw")), Dose("other", parse_encoding("raw"))]
    response = respond(twice, seeds=(0,))
    one, other = response.rows
    assert (one.density, one.missing, one.psnr_db) == (other.density, other.missing, other.psnr_db)
    assert (response.rank_correlation, response.slope) == (None, None)


def test_results_are_strict_json_even_of_a_fit_that_diverged() -> None:
    response = respond(
        bias_doses(parse_encoding("raw"), (1.0, 2.0)),
        seeds=(0,),
        training=Training(batch_size=256, device="cpu", precision="fp32", learning_rate=1e30),
    )
    assert response.rows[0].missing is None
    assert response.rows[0].psnr_db is None
    text = json.loads(json.dumps(response.to_json(), allow_nan=False))
    assert text["rows"][1]["dose"] == "biases x 2"
