"""Claims of the study: their numbers for histories whose truth is known."""

import re
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from jaxtyping import Float
from scipy.stats import rankdata

from fieldlens.analysis.detail.reasons import Reason, remedies
from fieldlens.configs.encoding import Fourier, Raw
from fieldlens.configs.optimizer import Adam, Muon
from fieldlens.configs.study import Study
from fieldlens.report import terms
from fieldlens.studies.paper.claims import CLAIMS
from fieldlens.studies.paper.effects import Fits, rising, times
from fieldlens.studies.paper.judging import FAILS, HOLDS, UNDECIDED, judge
from fieldlens.studies.paper.runs import Runs
from fieldlens.studies.runs.history import History, history_of


def test_a_report_explains_a_claim_that_it_names_in_the_claims_own_words() -> None:
    told = [
        remedies([reason], encoding, optimizer)
        for reason in get_args(Reason)
        for encoding in (Raw(), Fourier(4))
        for optimizer in (Adam(), Muon())
    ]
    named = set(re.findall(r"\b[A-Z]\d+\b", " ".join(told)))
    assert named == set(terms.CLAIMS)
    assert {claim.id: claim.statement for claim in CLAIMS if claim.id in named} == terms.CLAIMS


def falling_density(column: str = "crease_length") -> History:
    return history_of([(step, {column: 10.0 / (step + 1)}) for step in (0, 10, 100)])


class Made(Fits):
    """Fits whose histories are given: for claims whose truth is known."""

    def __init__(self, **histories: list[History]) -> None:
        object.__setattr__(self, "made", histories)

    def __call__(self, role: str) -> list[History]:
        return self.made[role]  # type: ignore[attr-defined]

    @property
    def width(self) -> int:
        return 100

    @property
    def neurons(self) -> int:
        return 400


def constant(**columns: float) -> History:
    return history_of([(step, columns) for step in (0, 10, 100)])


def measured(claim_id: str, part: int, fits: Fits) -> float | None:
    claim = next(claim for claim in CLAIMS if claim.id == claim_id)
    return claim.parts[part].measure(fits)


def test_a4_is_the_least_step_up_in_local_hamming_distance() -> None:
    raw = [constant(hamming_local__layer1=a, hamming_local__layer2=a) for a in (5.0, 10.0)]
    fits = Made(raw=raw, coarse=[constant(hamming_local=80.0)], fine=[constant(hamming_local=120.0)])
    assert measured("A4", 0, fits) == pytest.approx(np.log2(1.5))


def test_a8_counts_dead_neurons_of_wider_and_wider_intervals() -> None:
    raw = [constant(dead=count) for count in (199.0, 99.0, 49.0)]
    assert measured("A8", 0, Made(raw=raw)) == pytest.approx(1.0)
    assert measured("A8", 2, Made(raw=raw)) == pytest.approx(199 / 400)
    assert measured("A8", 3, Made(raw=raw)) is None, "none died"
    dying = history_of([(0, {"dead": 10.0}), (1600, {"dead": 40.0}), (32000, {"dead": 50.0})])
    assert measured("A8", 3, Made(raw=[dying])) == pytest.approx(30 / 40)


def test_a1_is_one_where_longer_waves_are_fitted_earlier() -> None:
    def falling(*half_steps: float) -> History:
        steps = (0, 1, 10, 100, 1000)
        rows = [(s, {f"error__{i}": 0.5 * h / max(s, 1e-3) for i, h in enumerate(half_steps)}) for s in steps]
        return history_of(rows)

    in_order, reverse = falling(500, 50, 5), falling(5, 50, 500)
    assert measured("A1", 0, Made(raw=[in_order] * 2, coarse=[in_order], fine=[in_order])) == pytest.approx(1)
    assert measured("A1", 0, Made(raw=[in_order] * 2, coarse=[in_order], fine=[reverse])) == pytest.approx(-1)


def test_doses_and_their_response_are_ranked_over_the_fits_of_a_role() -> None:
    def fitted(density: float, psnr_db: float, missing: float) -> History:
        rows = [(0, 9.0, 0.0, 1.0), (50, density, 1.0, 0.9), (100, 7.0, psnr_db, missing)]
        return history_of([(s, {"crease_length": d, "psnr_db": p, "missing": m}) for s, d, p, m in rows])

    more = [fitted(1.0, 20.0, 0.5), fitted(3.0, 24.0, 0.3), fitted(2.0, 22.0, 0.4)]
    for claim, role in (("N4", "raw"), ("N5", "biases")):
        assert [measured(claim, part, Made(**{role: more})) for part in (0, 1)] == pytest.approx([1, 1])
        worse = [fitted(1.0, 24.0, 0.1), fitted(2.0, 20.0, 0.2)]
        assert [measured(claim, part, Made(**{role: worse})) for part in (0, 1)] == pytest.approx([-1, -1])
    revived = Made(revived=[fitted(1.0, 20.0, 0.4), fitted(1.5, 21.0, 0.3), fitted(2.0, 23.0, 0.2)])
    assert [measured("N6", part, revived) for part in (0, 1, 2)] == pytest.approx([1, 3, 1])


def from_to(**columns: tuple[float, float, float]) -> History:
    """First, midway and last."""
    return history_of([(step, {name: v[i] for name, v in columns.items()}) for i, step in enumerate((0, 50, 100))])


def test_n7_is_how_far_stable_rank_falls_by_adam_and_rises_by_muon() -> None:
    adam, muon = (from_to(stable_rank=(64.0, 20.0, last)) for last in (16.0, 32.0))
    fits = Made(**{"raw": [adam], "raw, muon": [muon]})
    assert [measured("N7", part, fits) for part in (0, 1)] == pytest.approx([2, -1])


def test_n8_is_what_muon_gains_and_how_much_less_it_gains_with_many_octaves() -> None:
    raw, fine = [constant(psnr_db=20.0)], [constant(psnr_db=30.0)]
    moved = {"raw, muon": [constant(psnr_db=25.0)], "fine, muon": [constant(psnr_db=33.0)]}
    searched = {"raw, searched": [constant(psnr_db=21.5)], "fine, searched": [constant(psnr_db=32.0)]}
    fits = Made(raw=raw, fine=fine, **moved, **searched)
    assert [measured("N8", part, fits) for part in range(4)] == pytest.approx([5, 2, 3.5, 2.5])


def test_n9_compares_crossings_and_dead_neurons_midway_and_at_the_end() -> None:
    adam = from_to(crossings=(9.0, 1.0, 2.0), dead__layer1=(0.0, 63.0, 127.0))
    muon = from_to(crossings=(1.0, 2.0, 8.0), dead__layer1=(99.0, 31.0, 0.0))
    fits = Made(**{"raw": [adam], "raw, muon": [muon]})
    assert [measured("N9", part, fits) for part in range(4)] == pytest.approx([1, 2, 1, 7])


def test_n10_is_what_of_the_gain_held_out_pixels_lack() -> None:
    def scored(trained: float, heldout: float) -> History:
        return constant(psnr_db=trained, heldout_psnr_db=heldout)

    raw, fine = [scored(20, 19), scored(25, 23)], [scored(30, 25), scored(40, 24)]
    fits = Made(**{"held out, raw": raw, "held out, fine": fine})
    assert [measured("N10", part, fits) for part in (0, 1)] == pytest.approx([1, 11])


def on_the_way(*scores: tuple[float, float]) -> History:
    """Trained and held-out PSNR at steps 0, 1, 2 and so on."""
    return history_of([(s, {"psnr_db": t, "heldout_psnr_db": h}) for s, (t, h) in enumerate(scores)])


def test_n10_compares_held_out_pixels_where_trained_ones_are_fitted_equally_well() -> None:
    def behind(adam: History, muon: History) -> float | None:
        return measured("N10", 2, Made(**{"held out, raw": [adam, muon]}))

    start = (5.0, 5.0)
    adam = on_the_way(start, (10, 10), (20, 18))
    further = on_the_way(start, (15, 14), (25, 22), (30, 23))
    assert behind(adam, further) == pytest.approx(0), "further along the same way"
    # at 15 Adam has 14 and at 20 it has 18; Muon 13 and 15.5: 1 ahead, then 2.5, and a straight line between them
    other = on_the_way(start, (15, 13), (25, 18))
    assert behind(adam, other) == pytest.approx((1 + 2.5) / 2)
    assert behind(other, adam) == pytest.approx(-(1 + 2.5) / 2)
    setback = on_the_way(start, (15, 13), (12, 0), (25, 18))
    assert behind(adam, setback) == pytest.approx((1 + 2.5) / 2), "each PSNR counts when it is first reached"
    assert behind(adam, on_the_way(start, (21, 20))) is None, "never at the same PSNR"
    assert behind(adam, on_the_way(start, (20, 15))) == pytest.approx(3), "at one PSNR alone"


def test_n11_is_how_much_narrower_cosines_spread_by_muon() -> None:
    fits = Made(**{"raw": [constant(confusion_local__std=0.5)], "raw, muon": [constant(confusion_local__std=0.3)]})
    assert measured("N11", 0, fits) == pytest.approx(0.2)


def dosed(density: float, rank: float, better: float) -> History:
    """A dose, and how good its fit is: what is missing falls with it and PSNR rises."""
    rows = {"crease_length": (0, density, 0), "stable_rank": (0, rank, 0)}
    return from_to(**rows, missing=(1, 1, 1 / better), psnr_db=(0, 0, 20 + better))


def left_to_say(by: Float[np.ndarray, " n"], given: Float[np.ndarray, " n"], better: Float[np.ndarray, " n"]) -> float:
    """Correlation of what ranks have left once a straight line through those of `given` is taken off."""
    given, *others = (rankdata(values) for values in (given, by, better))
    return float(np.corrcoef([other - np.polyval(np.polyfit(given, other, 1), given) for other in others])[0, 1])


def test_n12_and_n13_are_what_density_and_rank_say_of_the_end_where_the_other_is_equal() -> None:
    generator = np.random.default_rng(0)
    density, rank = generator.uniform(1, 9, (2, 8))
    better = density + rank + generator.uniform(0, 5, 8)
    made = [dosed(*values) for values in zip(density, rank, better, strict=True)]
    # the first of the intervals is also the first of the revivals, and counts once
    fits = Made(**{"raw": made[:3], "biases": made[3:5], "revived": [made[0], *made[5:7]], "raw, muon": [made[7]]})
    for n, density_parts, rank_parts in ((8, (0, 2), (0, 1)), (7, (4, 6), (2, 3))):  # with Muon, and without
        said = left_to_say(density[:n], rank[:n], better[:n]), left_to_say(rank[:n], density[:n], better[:n])
        assert [measured("N12", part, fits) for part in density_parts] == pytest.approx([said[0]] * 2)
        assert [measured("N13", part, fits) for part in rank_parts] == pytest.approx([said[1]] * 2)
        ahead = [measured("N12", part + 1, fits) for part in density_parts]
        assert ahead == pytest.approx([abs(said[0]) - abs(said[1])] * 2)


def in_doses(density: tuple[float, ...], rank: tuple[float, ...], better: tuple[float, ...]) -> Made:
    made = [dosed(*values) for values in zip(density, rank, better, strict=True)]
    return Made(**{"raw": made[:2], "biases": made[2:-2], "revived": [made[-2]], "raw, muon": [made[-1]]})


def test_psnr_and_what_is_missing_are_ranked_each_by_itself() -> None:
    made = [dosed(density, rank, density) for density, rank in ((1, 3), (2, 1), (3, 4))]
    worse = from_to(crease_length=(0, 4, 0), stable_rank=(0, 2, 0), missing=(1, 1, 0.01), psnr_db=(0, 0, 1))
    fits = Made(**{"raw": made, "biases": [], "revived": [], "raw, muon": [worse]})
    assert measured("N12", 0, fits) == pytest.approx(1)
    said = left_to_say(np.array([1, 2, 3, 4]), np.array([3, 1, 4, 2]), np.array([2, 3, 4, 1]))
    assert measured("N12", 2, fits) == pytest.approx(said)


def test_a_correlation_of_the_wrong_sign_is_no_support() -> None:
    density, rank, better = (1, 2, 3, 4, 5, 6), (1, 3, 5, 2, 6, 4), (3, 2, 4, 1, 6, 5)
    of_density, of_rank = (
        left_to_say(np.array(by), np.array(given), np.array(better)) for by, given in ((density, rank), (rank, density))
    )
    turned = tuple(7 - value for value in rank)  # a higher rank goes with a worse fit now, as strongly as before
    right, wrong = in_doses(density, rank, better), in_doses(density, turned, better)
    assert [measured("N13", part, wrong) for part in (0, 1)] == pytest.approx([-of_rank] * 2)
    assert [measured("N13", part, right) for part in (0, 1)] == pytest.approx([of_rank] * 2)
    for fits in (right, wrong):
        ahead = [measured("N12", part, fits) for part in (1, 3)]
        assert ahead == pytest.approx([abs(of_density) - abs(of_rank)] * 2), "which way rank goes is no help to density"


def test_denser_creases_that_go_with_worse_fits_do_not_hold() -> None:
    worse = in_doses((4, 3, 2, 1), (3, 1, 4, 2), (1, 2, 3, 4))
    assert [measured("N12", part, worse) for part in (0, 2)] == pytest.approx([-1, -1])
    claim = next(one for one in CLAIMS if one.id == "N12")
    judged = judge(claim, [worse] * 3, 100)
    assert (judged.parts[0].verdict, judged.parts[1].verdict, judged.verdict) == (FAILS, HOLDS, FAILS)


def test_where_density_alone_puts_the_fits_in_order_rank_has_nothing_to_say() -> None:
    order, mixed = (1, 2, 3, 4), (3, 1, 4, 2)
    settled, alike = in_doses(order, mixed, order), in_doses(order, order, mixed)
    assert [measured("N12", part, settled) for part in (0, 1)] == pytest.approx([1, 1])
    assert measured("N13", 0, settled) == 0
    assert measured("N12", 0, alike) is None, "density and rank are in one order"
    assert measured("N13", 0, alike) is None


def test_units_whose_density_and_rank_are_alike_are_counted_and_zeros_by_convention_decide_nothing() -> None:
    order, mixed = (1, 2, 3, 4), (3, 1, 4, 2)
    settled, alike = in_doses(order, mixed, order), in_doses(order, order, mixed)
    rank, density = (next(one for one in CLAIMS if one.id == name) for name in ("N13", "N12"))
    part = judge(rank, [settled] * 3 + [alike], 100).parts[0]
    assert (part.units, part.left_out, part.effect, part.verdict) == (3, 1, 0, UNDECIDED)
    assert part.reason == "0 by convention: in every unit density alone puts what is missing in order"
    assert judge(density, [settled] * 3, 100).parts[0].verdict == HOLDS


def test_a16_is_how_much_wider_cosines_of_pixels_spread_than_those_of_digits() -> None:
    raw = [constant(confusion_local__std=0.5)] * 2
    digits = [constant(confusion_local__std=0.2)]
    assert measured("A16", 0, Made(raw=raw, digits=digits)) == pytest.approx(0.3)


def test_a9_is_near_one_for_random_patterns() -> None:
    fits = Made(raw=[constant(hamming_global__layer1=10.0)], fine=[constant(hamming_global__layer1=48.0)])
    assert measured("A9", 0, fits) == pytest.approx(48 / 50)
    assert measured("A9", 1, fits) == pytest.approx(120 / 512 - 0.1)


def test_c3_is_not_defined_where_most_patterns_are_unique() -> None:
    few, more = constant(unique_share=0.1, patterns=100.0), constant(unique_share=0.6, patterns=600.0)
    all_unique = constant(unique_share=0.9, patterns=900.0)
    assert measured("C3", 0, Made(coarse=[few], fine=[more])) == pytest.approx(np.log2(6))
    assert measured("C3", 0, Made(coarse=[few], fine=[all_unique])) is None


def test_a7_compares_counts_only_where_all_can_be_compared() -> None:
    def growing(*shares: float) -> History:
        return history_of(
            [(s, {"unique_share": u, "patterns": 1000 * u}) for s, u in zip((0, 32, 64), shares, strict=True)]
        )

    raw = [growing(0.5, 0.1, 0.2), growing(0.5, 0.2, 0.3)]
    saturating = Made(raw=raw, few=[growing(0.5, 0.4, 0.7)], fine=[growing(1, 1, 1)])
    assert measured("A7", 1, saturating) == pytest.approx(np.log2(1 / 0.7))
    assert measured("A7", 2, saturating) == pytest.approx(np.log2(1.5))


@pytest.mark.parametrize(
    ("claim", "part", "against"),
    [
        ("A13", 0, {"one octave": [constant(unique_share=1.0)]}),
        ("N1", 1, {"raw": [falling_density()]}),
        ("A12", 1, {"fine": [falling_density("narrowness")]}),
    ],
)
def test_a_clear_counter_example_is_below_the_threshold(
    claim: str, part: int, against: dict[str, list[History]]
) -> None:
    value = measured(claim, part, Made(**against))
    assert value is not None
    assert value < next(one for one in CLAIMS if one.id == claim).parts[part].above


@pytest.mark.parametrize(("ratio", "distance"), [(1.0, 0.0), (2.0, 1.0), (0.5, 1.0)])
def test_n2_is_how_far_density_is_from_the_slope_of_the_features(ratio: float, distance: float) -> None:
    fits = Made(coarse=[constant(crease_length=1.0)], fine=[constant(crease_length=ratio * slope_ratio())])
    object.__setattr__(fits, "runs", Runs(Study(coarse_octaves=2, fine_octaves=3), Path("nowhere")))
    assert measured("N2", 0, fits) == pytest.approx(-distance, abs=1e-4)


def slope_ratio() -> float:
    """Of the features of 3 octaves to those of 2, by finite differences over all of a period."""
    x = np.linspace(0, 2, 100_001)

    def slope(octaves: int) -> float:
        features = [wave(2**o * np.pi * x) for o in range(octaves) for wave in (np.sin, np.cos)]
        return float(np.sqrt(np.mean([np.square(np.diff(feature) / np.diff(x)) for feature in features])))

    return slope(3) / slope(2)


def test_rising_is_the_least_ratio_in_powers_of_two() -> None:
    assert rising([1.0, 2.0, 16.0]) == pytest.approx(1.0)
    assert rising([np.array([1.0, 4.0]), np.array([2.0, 2.0])]) == pytest.approx(-1.0)
    np.testing.assert_allclose(times(np.array([8.0, 1.0]), 2.0), [2, -1])
