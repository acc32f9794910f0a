"""What a viewer costs a fit: nothing while nobody looks, and a bounded share of its time while somebody does."""

import time
from pathlib import Path

import pytest

from fieldlens.fitting import TrainingState
from fieldlens.studies.live import desk as desks
from fieldlens.studies.live.desk import Allowance
from fieldlens.studies.runs.recorder import FrameRecorder
from fieldlens.studies.subjects.found import Observation
from tests.support.live_fits import begun, live_fit


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
        while fit.hub.is_watched:
            time.sleep(0.01)
        fit.ask("/do", {"do": "step"})
        fit.wait_for(4)
        assert drawn == [3]
