"""The statistics' tables say what explain.json says, and nothing that a person could not read."""

import re

from fieldlens.report.statistics import statistics_html

INTERVAL = {"low": -0.5, "high": -0.25, "level": 0.95, "resamples": 1000}
PARTIAL = "partial rank correlation with residual energy given target energy"


def cells(html: str) -> list[list[str]]:
    """The texts of each row."""
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in re.findall(r"<tr>(.*?)</tr>", html)]


def test_each_part_is_a_table_of_its_numbers():
    html = statistics_html(
        {
            "bands": [{"label": "2-4 px", "target_share": 0.02, "kept": 0.5, "missing": None}],
            "primary": {
                "density": "coarea",
                "band": "2-4 px",
                "statistic": PARTIAL,
                "estimate": -0.4,
                "interval": INTERVAL,
            },
            "secondary": [
                {"density": "bend", "band": "2-4 px", "statistic": PARTIAL, "estimate": 0.1, "interval": None},
                {"density": "crossings", "band": "2-4 px", "statistic": PARTIAL, "estimate": None, "interval": None},
            ],
            "speed": [
                {"octave": "2-4 px", "tenth_of_windows_below": 0.5, "median": 12.0, "tenth_of_windows_above": None}
            ],
            "reasons": {"octave": "2-4 px", "shares": {"slow": {"share": 0.8, "interval": INTERVAL}}},
            "capacity": {"removed_from_unseen_pixels": 0.59, "removed_by_as_many_cosine_waves": None},
            "creases": {"dead_neurons_by_layer": [3, 0], "live_neurons_by_layer": [5, 8]},
        }
    )
    rows = cells(html)
    assert ["2-4 px", "2 %", "50 %", "n/a"] in rows
    assert ["crease density", "2-4 px", "with the error, at equal detail", "−0.40", "−0.50 to −0.25"] in rows
    assert ["bend of the creases", "2-4 px", "with the error, at equal detail", "0.10", ""] in rows
    assert not any(row[0] == "crossings" for row in rows)
    assert ["2-4 px", "0.5", "12", "n/a"] in rows
    assert ["creases enough, but steps hardly move it", "80 %", "−50 % to −25 %"] in rows
    assert ["output weights of its own in each window", "59 %"] in rows
    assert ["layer", "neurons that switch", "dead neurons"] in rows
    assert ["1", "5", "3"] in rows
    assert ["2", "8", "0"] in rows


def test_a_signal_has_its_waves():
    html = statistics_html({"amplitude_over_target": {"5 cycles": 0.98}, "relative_error": {"5 cycles": 0.04}})
    assert ["5 cycles", "98 %", "4 %"] in cells(html)


def test_no_key_of_the_file_is_shown_and_what_is_unknown_is_left_out():
    assert statistics_html({"something_new": {"inner_key": 3}, "protocol": {"window_px": 16}, "capacity": None}) == ""
