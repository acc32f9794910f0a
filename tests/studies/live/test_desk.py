"""What a viewer costs a fit: nothing while nobody looks, and a bounded share of its time while somebody does."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fieldlens.configs.network import Network
from fieldlens.fields import RadianceField
from fieldlens.fitting import Plan, TrainingState
from fieldlens.studies.live import answers
from fieldlens.studies.live import desk as desks
from fieldlens.studies.live.asked import View
from fieldlens.studies.live.desk import Allowance
from fieldlens.studies.live.orbit import Orbit
from fieldlens.studies.runs.recorder import FrameRecorder
from fieldlens.studies.subjects.found import Observation
from fieldlens.studies.subjects.picture import PictureSubject
from tests.support.live_fits import begun, live_fit, waiting_config
from tests.support.small_runs import small_radiance_config


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


def test_work_that_is_only_done_when_allowed_takes_its_share_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, allowance, worked = Clock(), Allowance(), 0.0
    monkeypatch.setattr(desks, "time", clock)
    began = clock.now
    while clock.now < began + 1000:
        if allowance.allows:
            with allowance.spent():
                clock.now += 0.5
                worked += 0.5
        clock.now += 0.01  # a step of training
    assert worked / (clock.now - began) == pytest.approx(desks.SHARE, rel=0.05)


def test_nothing_is_drawn_while_nobody_looks_and_nobody_pays_for_a_viewer_that_has_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with live_fit(tmp_path) as fit:
        begun(fit)
        drawn = []
        observe = FrameRecorder.observe

        def watched(recorder: FrameRecorder, state: TrainingState) -> Observation:
            drawn.append(state.step)
            return observe(recorder, state)

        monkeypatch.setattr(FrameRecorder, "observe", watched)
        for _ in range(3):
            fit.ask("/do", {"do": "step"})
        fit.wait_for(3)
        assert drawn == []
        with fit.watched() as news:
            next(one for one in news if one["facts"]["Step"] == "3")
        assert drawn == [3]
        fit.wait_until_nobody_looks()
        fit.ask("/do", {"do": "step"})
        fit.wait_for(4)
        assert drawn == [3]


def test_what_the_camera_sees_is_drawn_before_anything_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn, observe, picture = [], FrameRecorder.observe, Orbit.picture

    def observed(recorder: FrameRecorder, state: TrainingState) -> Observation:
        drawn.append("the view in frames")
        return observe(recorder, state)

    def pictured(orbit: Orbit, field: RadianceField, view: View) -> np.ndarray:
        drawn.append("what the camera sees")
        return picture(orbit, field, view)

    with live_fit(tmp_path, small_radiance_config(tmp_path, steps=1000)) as fit:
        begun(fit)
        fit.ask("/do", {"do": "step"})
        fit.wait_for(1)
        monkeypatch.setattr(FrameRecorder, "observe", observed)
        monkeypatch.setattr(Orbit, "picture", pictured)
        monkeypatch.setattr(desks, "LEAST_SECONDS", 60.0)
        with fit.watched() as news:
            next(news)
            assert fit.ask("/view?azimuth=0&elevation=20&away=1").status == 200
            monkeypatch.setattr(desks, "LEAST_SECONDS", 0.0)
            next(one for one in news if one["frames"][-1]["step"] == 1)
    assert drawn[:2] == ["what the camera sees", "the view in frames"]


def test_a_map_that_a_field_cannot_have_is_asked_of_it_once_a_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, maps = [], PictureSubject.maps

    def counted(subject: PictureSubject, state: TrainingState, plan: Plan) -> object:
        asked.append(state.step)
        return maps(subject, state, plan)

    monkeypatch.setattr(PictureSubject, "maps", counted)
    with live_fit(tmp_path, replace(waiting_config(tmp_path), network=Network(8, 2, activation="sine"))) as fit:
        with begun(fit).watched("density") as news:
            for one, _ in zip(news, range(4), strict=False):
                assert "density" not in one["maps"], "sines have no creases"
        assert asked == [0]


def test_a_question_that_fails_is_told_and_ends_no_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(answers, "what_is_at", broken)
    with live_fit(tmp_path) as fit:
        failed = begun(fit).ask("/at?x=0.5&y=0.5")
        sentence = "this went wrong in the program itself (ZeroDivisionError)"
        assert (failed.status, failed.json) == (500, {"error": sentence})
        assert fit.ask("/do", {"do": "step"}).json == {"step": 0}
