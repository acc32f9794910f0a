"""The page and the charts of a sweep, as a reader of the files finds them."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from fieldlens.report import Ends, Link, PictureRow, Shown, SweepReport, sweep_html
from fieldlens.studies.subjects.found import Row
from fieldlens.studies.sweeps import figures
from fieldlens.studies.sweeps.figures import drawings
from fieldlens.studies.sweeps.sweep import run_sweep, start_sweep
from tests.support.browsers import chromium, cut_meanings
from tests.support.sweeps import scores_from, small_sweep


def test_the_page_leads_to_the_report_of_each_fit_and_charts_lie_beside_it_as_svg_and_pdf(tmp_path: Path) -> None:
    sweep = start_sweep(small_sweep(tmp_path, pictures=1, tune=1))
    run_sweep(sweep)
    text = sweep.report.read_text(encoding="utf-8")
    links = set(re.findall(r'href="(runs/[^"]+/report\.html)"', text))
    assert links == {f"runs/{path.parent.name}/report.html" for path in sweep.runs.glob("*/run.json")}
    assert len(links) == 4
    assert all((sweep.path / link).is_file() for link in links)
    assert "<script" not in text
    names = ("means", "differences", "curves", "energy")
    assert {path.name for path in sweep.figures.iterdir()} == {
        f"{one}.{end}" for one in names for end in ("svg", "pdf")
    }
    assert sweep.figures.joinpath("means.svg").read_bytes().startswith(b"<?xml")
    assert sweep.figures.joinpath("means.pdf").read_bytes().startswith(b"%PDF")
    assert "The search for rates: 1 fit of each scene" in text


def test_what_is_drawn_of_intervals_is_where_the_numbers_say() -> None:
    values = {"one": [20.0], "two": [24.0], "three": [22.0]}
    scores = scores_from({"a": values, "b": {picture: [psnr + 1 + psnr / 100] for picture, (psnr,) in values.items()}})
    found = scores.difference(scores.methods[1], scores.methods[0])
    axis = drawings(scores)["differences"][2]().axes[0]
    (bar,) = [np.asarray(line.get_xdata(), float).tolist() for line in axis.lines if line.get_linewidth() == 2]
    assert found is not None
    assert bar == pytest.approx([found.low, found.high])
    assert [label.get_text() for label in axis.get_yticklabels()] == ["b"]


def test_a_fit_that_diverged_does_not_cut_the_curves_of_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """It ended after its first step, and the others after the third."""

    class Kept:
        def __init__(self, file: Path) -> None:
            steps = (1,) if file.parent.name == "a two 0" else (1, 2, 3)
            self.rows = [Row(step, step / 10, 0.1, 20.0 + step, None, ()) for step in steps]

        def read(self) -> None:
            """Nothing: they are there."""

    monkeypatch.setattr(figures, "Metrics", Kept)
    over_steps = drawings(scores_from({"a": {"one": [23.0], "two": [None]}}))["curves"][2]().axes[0]
    assert [np.asarray(line.get_xdata()).tolist() for line in over_steps.lines] == [[1, 2, 3]]


REPORT = SweepReport(
    title="<b>two</b> pictures",
    sentences=["a comes closest.", "Nothing is decided."],
    methods=["a", "b"],
    heads=["method", "PSNR dB"],
    rows=[["a", "20.00"], ["b", "n/a"]],
    means=[Ends(20.0, 10.0, 30.0), None],
    pictures=[
        PictureRow(
            "cat & dog",
            np.zeros((4, 4, 3), np.uint8),
            "a ? b",
            [Shown(None, "20.00 dB", [Link("seed 0: 20.00", "runs/a #1/report.html")]), None],
        )
    ],
    figures=[],
    tables=[],
    protocol={"training.steps": "8"},
)


def test_the_page_escapes_what_people_named_and_says_what_is_not_finished() -> None:
    text = sweep_html(REPORT)
    assert "&lt;b&gt;two&lt;/b&gt;" in text
    assert "cat &amp; dog" in text
    assert 'href="runs/a%20%231/report.html"' in text
    assert "not finished" in text
    HTMLParser().feed(text)


def test_what_a_word_means_is_seen_whole_though_it_stands_near_the_top_of_the_page(tmp_path: Path) -> None:
    said = ["a comes closest.", "An order is decided where the interval leaves 0 out."]
    (tmp_path / "report.html").write_text(sweep_html(replace(REPORT, sentences=said)), encoding="utf-8")
    with chromium() as browser:
        for width in (1280, 380):
            page = browser.new_page(viewport={"width": width, "height": 800})
            page.goto((tmp_path / "report.html").as_uri())
            assert page.locator(".term").all_inner_texts() == ["decided", "interval", "PSNR"]
            assert cut_meanings(page) == []
            page.close()


@pytest.mark.parametrize("ends", [Ends(20.0, None, None), Ends(20.0, 20.0, 20.0)])
def test_a_mean_without_an_interval_is_a_dot(ends: Ends) -> None:
    circle = re.search(r'<circle cx="([\d.]+)"', sweep_html(replace(REPORT, means=[ends, None])))
    assert circle is not None
    assert np.isfinite(float(circle[1]))
