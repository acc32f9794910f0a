"""What is said of methods: paired differences against SciPy, and no order where there is none to be told."""

import numpy as np
import pytest
from scipy import stats

from tests.support.sweeps import method, scores_from

A, B, C = map(method, ("a", "b", "c"))


def test_a_difference_is_scipys_paired_test_over_pictures_at_the_level_of_one_pair() -> None:
    a = {"one": [20.0, 20.4], "two": [30.0, 30.2], "three": [25.0, 25.6], "four": [27.0, 27.1]}
    b = {"one": [21.0, 21.6], "two": [30.9, 31.1], "three": [26.0, 26.2], "four": [27.2, 27.9]}
    scores = scores_from({"a": a, "b": b, "c": a})
    found = scores.difference(B, A)
    of_b, of_a = ([np.mean(seeds) for seeds in values.values()] for values in (b, a))
    theirs = stats.ttest_rel(of_b, of_a).confidence_interval(1 - 0.05 / 3)
    assert found is not None
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high))
    assert scores.sign(B, A) == 1
    assert scores.sign(A, B) == -1
    assert scores.sign(A, C) == 0, "they are the same"


def test_of_one_picture_a_difference_is_scipys_paired_test_over_seeds() -> None:
    a, b = [20.0, 20.4, 20.1, 20.2], [20.9, 21.6, 20.8, 21.5]
    found = scores_from({"a": {"one": a}, "b": {"one": b}}).difference(B, A)
    theirs = stats.ttest_rel(b, a).confidence_interval(0.95)
    assert found is not None
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high))


def test_pairing_decides_what_the_intervals_of_means_leave_open() -> None:
    """Pictures differ by 20 dB and the methods by one: their means' intervals overlap, their differences are alike."""
    hard, easy = {"one": [15.0], "two": [35.0], "three": [25.0]}, {"one": [16.0], "two": [36.1], "three": [25.9]}
    scores = scores_from({"a": hard, "b": easy})
    means = [scores.mean(one, "psnr_db") for one in (A, B)]
    assert means[0] is not None
    assert means[1] is not None
    assert means[0].high is not None
    assert means[1].low is not None
    assert means[0].high > means[1].low
    assert scores.ranks == {A: 2, B: 1}


def test_a_fit_is_set_against_that_of_its_own_picture_and_seed_and_one_without_is_left_out() -> None:
    scores = scores_from({"a": {"one": [20.0, 10.0, 21.0]}, "b": {"one": [21.0, None]}})
    found = scores.difference(B, A)
    assert found is not None
    assert (found.mean, found.values) == (1.0, 1)
    assert (scores.left_out(A), scores.left_out(B)) == (0, 1)


def test_of_three_pictures_two_that_have_numbers_decide_nothing_by_their_seeds() -> None:
    values = {"one": [20.0, 20.1, 20.2], "two": [25.0, 25.1, 25.2]}
    ahead = {picture: [psnr + 5 for psnr in seeds] for picture, seeds in values.items()}
    scores = scores_from({"a": {**values, "three": [22.0, 22.1, 22.2]}, "b": {**ahead, "three": [None] * 3}})
    found = scores.difference(B, A)
    assert found is not None
    assert (found.mean, found.low, found.over) == (pytest.approx(5), None, "none")
    assert scores.sign(B, A, "one") == 1, "of that picture alone they do"
    assert set(scores.ranks.values()) == {1}


def test_ranks_count_the_methods_that_are_decidedly_ahead() -> None:
    values = {"a": [20.0, 20.1, 20.2], "b": [25.0, 25.3, 24.9], "c": [25.1, 24.8, 25.2]}
    scores = scores_from({name: {"one": seeds} for name, seeds in values.items()})
    assert scores.ranks == {A: 3, B: 1, C: 1}
    assert scores.by_mean == (B, C, A)


def test_a_pictures_ranking_says_which_neighbours_its_seeds_tell_apart() -> None:
    values = {"a": [20.0, 20.1, 20.2], "b": [25.0, 25.3, 24.9], "c": [25.1, 24.8, 25.2]}
    scores = scores_from({name: {"one": seeds} for name, seeds in values.items()})
    assert scores.ranking("one").sentence == "b ? c > a"


def test_a_ranking_by_means_over_other_seeds_says_where_pairs_tell_the_reverse() -> None:
    ranking = scores_from({"a": {"one": [20.0, 20.1, 20.2, 29.0]}, "b": {"one": [21.0, 21.1, 21.2, None]}}).ranking(
        "one"
    )
    assert ranking.sentence == "a < b"


def test_the_worst_picture_is_that_of_the_lowest_mean() -> None:
    scores = scores_from({"a": {"one": [20.0, 30.0], "two": [24.0, 24.5], "three": [None]}})
    assert scores.worst(A) == ("two", 24.25)


def test_held_out_pixels_rank_where_there_are_any() -> None:
    values: dict[str, dict[str, list[float | None]]] = {"a": {"one": [20.0]}}
    assert scores_from(values).judged_by == "psnr_db"
    assert scores_from(values, heldout_psnr_db=18.0).judged_by == "heldout_psnr_db"
