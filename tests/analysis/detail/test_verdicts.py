"""The words of the verdict follow from the numbers by the stated rules."""

import dataclasses
import itertools
import re
from pathlib import Path

import pytest

from fieldlens.analysis.detail.statistics import Interval
from fieldlens.analysis.detail.verdicts import (
    CREASE_RULES,
    DETAIL_RULES,
    PREDICTION_RULES,
    Findings,
    capacity_verdict,
    percent,
    prediction_verdict,
    verdict,
)

DOCS = Path(__file__).parents[3] / "docs" / "explain.md"

USUAL = Findings(
    band="2-4 px",
    missing=0.71,
    crossings_per_pixel=1.4,
    correlation=-0.35,
    interval=Interval(-0.48, -0.2, 0.95, 1000),
    blocks=16,
)


def changed(**changes: object) -> Findings:
    return dataclasses.replace(USUAL, **changes)  # pyright: ignore[reportArgumentType]


def correlating(correlation: float, low: float, high: float, **changes: object) -> Findings:
    return changed(correlation=correlation, interval=Interval(low, high, 0.95, 1000), **changes)


def test_missing_detail_that_goes_with_few_creases_in_full():
    assert verdict(USUAL).sentences == (
        "Most of the finest detail (2-4 px) is missing: 71 %.",
        "Among equally detailed places, errors are larger where there are fewer creases: -0.35 (95 %: -0.48 to -0.20).",
    )


@pytest.mark.parametrize(
    ("correlation", "low", "high", "creases"),
    [
        (-0.35, -0.48, -0.20, "goes with"),
        (-0.25, -0.45, -0.01, "goes with"),
        (-0.25, -0.45, +0.01, "undecided"),
        (-0.15, -0.25, -0.05, "undecided"),  # surely below zero, but is it enough to explain anything?
        (-0.15, -0.19, -0.11, "does not explain it here"),  # surely below zero, and surely next to nothing
        (+0.01, -0.12, +0.14, "does not explain it here"),
        (+0.01, -0.22, +0.24, "undecided"),
        (+0.30, +0.15, +0.45, "does not explain it here"),
        (-0.20, -0.30, -0.10, "goes with"),
    ],
)
def test_the_interval_decides(correlation, low, high, creases):
    assert verdict(correlating(correlation, low, high)).creases == creases


def test_more_creases_where_more_is_missing_is_said_as_it_is():
    assert "larger where there are more creases, not fewer" in verdict(correlating(0.3, 0.1, 0.5)).sentences[1]


def test_zero_is_never_written_as_minus_zero():
    assert ": +0.00 (95 %: +0.00 to +0.10)" in verdict(correlating(-0.001, -0.004, 0.1)).sentences[1]


def test_an_interval_that_holds_its_estimate_is_never_both_explained_and_not():
    values = [v / 20 for v in range(-20, 21)]
    for low, middle, high in itertools.combinations(values, 3):
        found = correlating(middle, low, high)
        holding = {rule.outcome for rule in CREASE_RULES if rule.outcome != "undecided" and rule.when(found)}
        assert len(holding) <= 1


def test_with_tens_of_crossings_there_are_plenty_of_creases_whatever_the_correlation():
    for found, words in (
        (changed(crossings_per_pixel=36.2), "Still, among equally detailed places, errors are larger"),
        (correlating(0, -0.1, 0.1, crossings_per_pixel=36.2), "Among equally detailed places, errors are hardly"),
        (changed(blocks=9, interval=None, crossings_per_pixel=36.2), "Whether errors are larger"),
    ):
        result = verdict(found)
        assert result.plenty
        prefix = "There are plenty of creases (about 36 per pixel). "
        assert result.sentences[1].startswith(prefix + words)


def test_few_crossings_are_not_said_to_be_plenty():
    result = verdict(changed(crossings_per_pixel=9.9))
    assert not result.plenty
    assert "plenty" not in result.sentences[1]


def test_too_few_blocks_leave_it_undecided_whatever_the_correlation():
    for blocks, words in ((9, "9 blocks of 64 px"), (1, "1 block of 64 px")):
        result = verdict(changed(correlation=-0.9, interval=None, blocks=blocks))
        assert result.creases == "undecided"
        assert result.sentences[1].endswith(f"the picture has {words}, and 16 are needed.")


def test_an_undefined_correlation_leaves_it_undecided():
    result = verdict(changed(correlation=None, interval=None))
    assert result.creases == "undecided"
    assert "is the same everywhere" in result.sentences[1]


def test_a_network_without_creases_is_not_applicable_and_no_error():
    result = verdict(changed(crossings_per_pixel=None, correlation=None, interval=None))
    assert result.creases == "n/a"
    assert result.sentences[1] == "This network has no creases, so they cannot explain what it lacks."


def test_what_reads_as_100_percent_is_missing_and_not_worse_than_none():
    for fraction in (0.996, 1.0, 1.004):
        said = verdict(changed(missing=fraction)).sentences[0]
        assert said == "Almost all of the finest detail (2-4 px) is missing: 100 %."
    assert verdict(changed(missing=1.006)).detail == "wrong"


@pytest.mark.parametrize(
    ("found", "detail", "words"),
    [
        (changed(diverged=True, missing=None), "diverged", "not finite"),
        (changed(flat=True, missing=None), "no detail", "of one tone"),
        (changed(missing=0.004), "nothing missing", "(2-4 px) is missing: 0.4 %"),
        (changed(missing=1.34), "wrong", "leaving it out would be better (error 134 %)"),
    ],
)
def test_other_first_sentences(found, detail, words):
    result = verdict(found)
    assert result.detail == detail
    assert words in result.sentences[0]
    assert (result.creases == "nothing to explain") == (detail != "wrong")


def test_the_open_band_is_named_in_words():
    assert "(128 px and more)" in verdict(changed(band="128+ px")).sentences[0]


def all_verdicts():
    """Every rule's words at least once, over a grid of findings."""
    intervals = [(-0.6, -0.3), (-0.3, 0.1), (-0.1, 0.1), (0.3, 0.5)]
    correlations = [(None, None), *(((low + high) / 2, (low, high)) for low, high in intervals)]
    for (value, ends), blocks, crossings, missing, flag in itertools.product(
        correlations, (1, 16), (None, 2.0, 40.0), (0.0, 0.5, 2.0), (None, "flat", "diverged")
    ):
        interval = None if ends is None or blocks < 16 else Interval(ends[0], ends[1], 0.95, 1000)
        found = changed(correlation=value, interval=interval, blocks=blocks, crossings_per_pixel=crossings)
        found = dataclasses.replace(found, missing=missing)
        yield verdict(dataclasses.replace(found, **{flag: True}) if flag else found)


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        (0.02, "A little of the finest detail (2-4 px) is missing: 2.0 %."),
        (0.3, "Part of the finest detail (2-4 px) is missing: 30 %."),
        (0.5, "About half of the finest detail (2-4 px) is missing: 50 %."),
        (0.94, "Most of the finest detail (2-4 px) is missing: 94 %."),
        (0.96, "Almost all of the finest detail (2-4 px) is missing: 96 %."),
        (1.06, "The finest detail (2-4 px) is wrong: leaving it out would be slightly better (error 106 %)."),
    ],
)
def test_an_amount_in_words_goes_with_its_figure(missing, words):
    assert verdict(changed(missing=missing)).sentences[0] == words


def test_a_verdict_is_short_sentences_that_never_speak_of_causes():
    for result in all_verdicts():
        assert len(result.sentences) == 2
        for sentence in result.sentences:
            assert re.fullmatch(r"[A-Z][^{}]*[^.]\.", sentence)
            assert all(len(short.split()) < 25 for short in re.split(r"\. (?=[A-Z])", sentence))
            assert not re.search(r"caus|because|due to|lead", sentence, re.I)
            assert "nan" not in sentence.split()


def test_every_outcome_can_happen_and_is_documented():
    text = DOCS.read_text()
    results = list(all_verdicts())
    assert {result.detail for result in results} == {rule.outcome for rule in DETAIL_RULES}
    assert {result.creases for result in results} == {rule.outcome for rule in CREASE_RULES}
    for rule in (*DETAIL_RULES, *CREASE_RULES):
        assert f"`{rule.outcome}`" in text


@pytest.mark.parametrize(
    ("share", "words"), [(0.0, "under 0.1 %"), (0.0951, "9.5 %"), (0.0996, "10 %"), (0.5, "50 %"), (12.0, "1200 %")]
)
def test_percent_claims_two_figures_where_it_is_small(share, words):
    assert percent(share) == words


@pytest.mark.parametrize(
    ("removed", "outcome", "amount"),
    [
        (0.98, "mostly dynamics", "Yes"),
        (2 / 3, "mostly dynamics", "Yes"),
        (0.66, "both", "Partly"),
        (0.34, "both", "Partly"),
        (1 / 3, "mostly capacity", "A little"),
        (-0.1, "mostly capacity", "No"),
    ],
)
def test_capacity_or_dynamics_is_a_matter_of_thirds(removed, outcome, amount):
    said = capacity_verdict(removed, 0.2, 32)
    assert said.outcome == outcome
    assert f"`{outcome}`" in DOCS.read_text()
    assert said.sentence.startswith(f"Could these creases do better? {amount}: refitting only the last layer")


def test_the_capacity_sentence_gives_its_numbers_and_leaves_out_what_is_not_known():
    said = capacity_verdict(0.691, 0.755, 32).sentence
    assert "in windows of 32 px, removes 69 % of the error. A refit of as many plain cosine waves removes 76 %." in said
    assert "removes 69 % of the error, give or take 4.1 %." in capacity_verdict(0.691, 0.755, 32, 0.041).sentence
    assert "removes nothing of the error" in capacity_verdict(-0.3, 0.1, 32).sentence


@pytest.mark.parametrize(
    ("value", "ends", "blocks", "outcome"),
    [
        (-0.35, (-0.48, -0.2), 16, "foretell"),
        (-0.35, (-0.7, 0.01), 16, "undecided"),
        (-0.1, (-0.19, 0.0), 16, "do not foretell"),
        (0.3, (0.1, 0.5), 16, "do not foretell"),
        (-0.35, None, 4, "undecided"),
        (None, None, 16, "undecided"),
    ],
)
def test_early_creases_foretell_by_the_verdicts_own_thresholds(value, ends, blocks, outcome):
    interval = None if ends is None else Interval(ends[0], ends[1], 0.95, 1000)
    said = prediction_verdict(Findings("2-4 px", correlation=value, interval=interval, blocks=blocks), 1200, 12000)
    assert said.outcome == outcome
    assert "the creases of step 1,200" in said.sentence.lower()
    assert f"`{outcome}`" in DOCS.read_text()
    assert not re.search(r"caus|because|due to|lead|[{}]|nan", said.sentence)


def test_every_outcome_of_a_prediction_is_one_of_three():
    assert {rule.outcome for rule in PREDICTION_RULES} == {"foretell", "do not foretell", "undecided"}
