"""Tables and sentences of a sweep, read back from what was written."""

import csv

import pytest

from fieldlens.studies.sweeps.table import fits_csv, method_table, summary_csv, table_markdown, verdict
from fieldlens.studies.sweeps.tuning import Factors, Found, Tuned
from tests.support.sweeps import scores_from

VALUES: dict[str, dict[str, list[float | None]]] = {
    "a": {"one": [20.0, 20.2], "two": [30.0, 30.4], "three": [25.0, 25.2]},
    "b": {"one": [22.0, 22.1], "two": [32.1, 32.2], "three": [27.0, 27.4]},
    "c": {"one": [22.5, 21.6], "two": [31.8, 32.5], "three": [27.5, None]},
}


def test_a_summary_has_each_quantity_of_each_method_and_nothing_of_clocks_or_places() -> None:
    scores = scores_from(VALUES)
    rows = list(csv.DictReader(summary_csv(scores).splitlines()))
    assert [(row["method"], row["quantity"]) for row in rows] == [
        (method.name, quantity.replace(" ", "_")) for method in scores.methods for quantity in scores.quantities
    ]
    assert set(scores.quantities) == {"psnr_db", "ssim", "energy_kept 2-4 px"}
    of_c = next(row for row in rows if row["method"].startswith("c") and row["quantity"] == "psnr_db")
    found = scores.mean(scores.methods[2], "psnr_db")
    assert found is not None
    assert found.low is not None
    assert (int(of_c["fits"]), int(of_c["pictures"]), of_c["interval_over"]) == (5, 3, "pictures")
    assert [float(of_c[name]) for name in ("mean", "low")] == pytest.approx([found.mean, found.low], rel=1e-5)
    assert summary_csv(scores_from(VALUES, seconds=99.0, samples_per_s=1)) == summary_csv(scores)
    assert "seconds" not in rows[0]


def test_a_line_of_each_fit_says_what_it_was_and_how_long_it_took() -> None:
    rows = list(csv.DictReader(fits_csv(scores_from(VALUES)).splitlines()))
    assert len(rows) == 18
    assert [(row["picture"], row["seed"], row["psnr_db"]) for row in rows[:3]] == [
        ("one", "0", "20.0"),
        ("one", "1", "20.2"),
        ("two", "0", "30.0"),
    ]
    assert {"seconds", "energy_kept_2-4_px", "stopped_because", "path", "learning_rate"} <= set(rows[0])


def test_the_verdict_says_which_order_is_decided_and_which_is_not() -> None:
    said = verdict(scores_from(VALUES), planned=18)
    assert said[0] == "c comes closest to the target: 27.23 dB, over 3 pictures and 2 seeds."
    assert said[1].startswith("Decided: b over a by 2.00 dB (")
    assert "c over b" not in said[1]
    assert said[2].startswith("Not decided: c over b by ")
    assert "98.3 % each" in said[4]
    assert said[5].startswith("Intervals are over pictures")
    assert said[6] == "1 fit by c diverged, and is in no mean."


def test_what_pairs_decide_is_said_where_means_over_other_pictures_say_the_reverse() -> None:
    easy: dict[str, list[float | None]] = {"one": [20.0], "two": [20.1], "three": [20.3], "four": [60.0]}
    ahead: dict[str, list[float | None]] = {"one": [21.0], "two": [21.1], "three": [21.4], "four": [None]}
    said = verdict(scores_from({"a": easy, "b": ahead}), planned=8)
    assert said[0].startswith("a comes closest")
    assert said[1].startswith("Decided: b over a by 1.03 dB (")
    assert not any(sentence.startswith("Not decided") for sentence in said)


def test_a_verdict_of_some_fits_says_of_how_many_and_one_of_few_says_what_is_missing() -> None:
    few = verdict(scores_from({"a": {"one": [20.0]}, "b": {"one": [21.0]}}), planned=8)
    assert few[0] == "2 of 8 fits are finished; this is of those."
    assert few[-1] == "These are too few pictures and seeds for intervals: take three pictures, or three seeds."
    lost = verdict(scores_from({"a": {"one": [20.0], "two": [21.0], "three": [None]}}), planned=3)
    assert lost[1] == "Fewer than three pictures have a number, which are too few for an interval over pictures."
    seeds = verdict(scores_from({"a": {"one": [20.0, 20.1, 20.2]}}), planned=3)
    assert seeds[-1].startswith("One picture says little of others: intervals are over seeds")


def test_many_decided_pairs_are_counted() -> None:
    values = {name: {"one": [20.0 + 3 * at, 20.1 + 3 * at, 20.2 + 3 * at]} for at, name in enumerate("abcde")}
    assert "; and 4 other pairs." in verdict(scores_from(values), planned=15)[1]


def test_the_table_leaves_out_what_says_nothing_and_has_the_rates_that_were_searched() -> None:
    alone, _ = method_table(scores_from({"a": {"one": [20.0]}}))
    assert not {"rank", "sd pictures", "sd seeds", "rate ×"} & set(alone)
    scores = scores_from(VALUES)
    found = tuple(Found(one.name, Factors(3.16, 1.0), ()) for one in scores.methods)
    heads, rows = method_table(scores, Tuned(2**32, 5, found))
    assert [row[heads.index("rate ×")] for row in rows] == ["3.16"] * 3
    assert "scale ×" not in heads
    assert [row[heads.index("rank")] for row in rows] == ["3", "1", "1"]
    assert "by 5 fits of each scene" in verdict(scores, 18, Tuned(2**32, 5, found))[-1].replace("for each method ", "")


def test_the_table_ranks_picture_by_picture_and_names_each_methods_worst() -> None:
    text = table_markdown(scores_from(VALUES))
    assert "| one " in text
    assert "| a      | one, 20.10 dB |" in text


def test_of_two_methods_the_table_has_the_interval_of_each_mean_and_that_of_the_difference() -> None:
    """Of one pair alone both are of 95 %."""
    numbers = {"one": [20.0, 21.0], "two": [22.0, 23.0], "three": [30.0, 31.0]}
    further = {picture: [value + 5 for value in values] for picture, values in numbers.items()}
    heads, rows = method_table(scores_from({"a": numbers, "b": further}))
    mean, difference = (heads.index(name) for name in ("95 % interval", "95 % interval of that"))
    assert rows[0][mean] != ""
    assert rows[0][difference] == ""
    assert rows[1][difference].startswith("5.00")
    assert not rows[1][mean].startswith("5.00")
