"""Runs that are over, served with their networks: what is answered, and what is not."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from fieldlens.configs.encoding import Fourier, Raw
from fieldlens.configs.errors import InputError
from fieldlens.studies.live.asked import Place
from fieldlens.studies.live.place import what_is_at
from fieldlens.studies.live.standing import StandingRun, page_of_runs
from fieldlens.studies.runs.fit import start
from fieldlens.studies.runs.folder import RunFolder
from fieldlens.studies.runs.saved import open_run
from tests.support.live_runs import ServedRuns, served_runs
from tests.support.runs import small_config, small_picture
from tests.support.small_runs import fitted


def quick_run(parent: Path, encoding: Fourier | Raw) -> RunFolder:
    """A fit of a small picture that was not explained."""
    config = small_config(small_picture(parent / "picture.png"), parent / "outputs", steps=6)
    return fitted(replace(config, encoding=encoding, output=replace(config.output, quick=True)))


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedRuns]:
    """Two of one picture."""
    parent = tmp_path_factory.mktemp("runs")
    with served_runs(quick_run(parent, Raw()), quick_run(parent, Fourier(3))) as standing:
        yield standing


def test_the_page_is_the_report_of_all_runs_with_places_for_the_maps_that_it_lacks(runs: ServedRuns) -> None:
    html = runs.ask("/").body.decode()
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', html)
    assert found is not None
    data = json.loads(found[1])
    assert [run["label"] for run in data["runs"]] == ["raw", "fourier:3"]
    for run, standing in zip(data["runs"], runs.runs, strict=True):
        assert [frame["step"] for frame in run["frames"]] == standing.folder.frame_steps("reconstruction")
        overlays = {overlay["name"]: overlay["image"] for overlay in run["overlays"]}
        assert overlays.keys() == {*standing.answers.map_names}
        assert set(overlays.values()) == {None}, "--quick draws no maps"
    assert "2 runs side by side: raw at" in html


def test_a_place_is_told_of_the_run_that_is_asked(runs: ServedRuns) -> None:
    for number, standing in enumerate(runs.runs):
        saved = open_run(standing.folder)
        seen = saved.subject.observe(saved.field)
        expected = what_is_at(Place(x=0.4, y=0.6), saved.subject, saved.field, seen)
        answer = runs.ask(f"/at?x=0.4&y=0.6&run={number}").json
        assert answer == expected | {"At step": f"{saved.step:,}"}


def test_a_map_on_request_is_the_network_s(runs: ServedRuns) -> None:
    saved = open_run(runs.runs[1].folder)
    drawn = saved.subject.maps(saved.state, saved.plan)["density"]
    answer = runs.ask("/drawn?run=1&name=density")
    image = cv2.imdecode(np.frombuffer(answer.body, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    np.testing.assert_array_equal(image[..., ::-1], drawn)


@pytest.mark.parametrize(
    ("path", "sent", "sentence"),
    [
        ("/do", {"do": "step"}, "this run is over: `fieldlens fit --resume` lets it go on"),
        ("/learning_rate", {"rate": 1}, "this run is over: `fieldlens fit --resume` lets it go on"),
        ("/at?x=0&y=0&run=2", None, "there are 2 runs on this page, from 0, and none of number 2"),
        ("/at?x=0&y=0&run=x", None, "run must be a whole number, got 'x'"),
        ("/at?x=0&y=0&run=-1", None, "run must be a whole number, got '-1'"),
        ("/drawn?name=densitty", None, "there is no map 'densitty'; did you mean 'density'?"),
        ("/drawn?name=../../etc", None, "there is no map '../../etc'; choose from density, error, progress, speed"),
        ("/view?azimuth=0&elevation=0&away=1", None, "a camera can only be moved around a 3D scene"),
        ("/photograph?number=0", None, "a camera can only be moved around a 3D scene"),
    ],
)
def test_what_cannot_be_answered_is_told_in_one_sentence(
    runs: ServedRuns, path: str, sent: object, sentence: str
) -> None:
    answer = runs.ask(path, sent)
    assert (answer.status, answer.json) == (400, {"error": sentence})


def test_without_the_token_nothing_is_answered(runs: ServedRuns) -> None:
    for path in ("/", "/at?x=0&y=0", "/drawn?name=density"):
        assert runs.ask(path, token="wrong").status == 403


def test_a_run_writes_nothing_by_being_looked_at(tmp_path: Path) -> None:
    folder = quick_run(tmp_path, Raw())
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    with served_runs(folder) as run:
        assert run.ask("/drawn?name=error").status == 200
        assert run.ask("/motion?x=0.5&y=0.5").status == 200
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_a_run_that_has_not_ended_is_told_how_it_can(tmp_path: Path) -> None:
    folder = start(small_config(small_picture(tmp_path / "picture.png"), tmp_path / "outputs"))
    with pytest.raises(InputError, match=r"fieldlens fit --resume .* makes it again"):
        StandingRun(folder)


def test_runs_of_different_pictures_are_not_laid_over_each_other(tmp_path: Path) -> None:
    other = small_config(small_picture(tmp_path / "other.png", width=20), tmp_path / "outputs", steps=2)
    others = fitted(replace(other, output=replace(other.output, quick=True)))
    runs = [StandingRun(quick_run(tmp_path, Raw())), StandingRun(others)]
    with pytest.raises(InputError, match="these runs are of different scenes"):
        page_of_runs(runs, ["one", "other"])
