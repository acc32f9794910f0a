"""Ctrl-C, SIGTERM and SIGHUP end a command in good order, and at once when they come again."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread

import pytest

from fieldlens import cli
from fieldlens.studies.runs import fit as fit_module
from fieldlens.studies.runs.recorder import FrameRecorder
from fieldlens.terminal import signals
from fieldlens.terminal.signals import Interrupted, interruptible, signals_interrupt

ENDING = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
SMALL = ["--steps", "100000", "--threads", "1", "--network.width", "4", "--network.depth", "1", "--frames", "every:2"]


@pytest.fixture(autouse=True)
def nothing_is_ignored_from_the_start() -> Iterator[None]:
    """As `nohup` and background jobs have it, which would be kept to."""
    usual = [signal.default_int_handler, *[signal.SIG_DFL] * 2]
    before = [signal.signal(number, what) for number, what in zip(ENDING, usual, strict=True)]
    yield
    for number, what in zip(ENDING, before, strict=True):
        signal.signal(number, what)


def at_step_4(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Have something happen in the middle of a fit."""
    record = FrameRecorder.record

    def recording(self, moment):
        if moment.step == 4 and moment.stopped_because is None:  # that of the end comes as well
            act()
        return record(self, moment)

    monkeypatch.setattr(FrameRecorder, "record", recording)


@pytest.mark.parametrize(("verb", "number"), [*(("fit", number) for number in ENDING), ("compare", signal.SIGTERM)])
def test_a_signal_writes_what_there_is_and_says_which_it_was(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    number: signal.Signals,
    verb: str,
):
    monkeypatch.chdir(tmp_path)
    at_step_4(monkeypatch, lambda: signal.raise_signal(number))
    small = SMALL if verb == "fit" else [*SMALL[:4], *SMALL[8:], "--networks", "1x4"]
    assert cli.main([verb, "signal:3,samples=16", *small, "--json"]) == 128 + number
    captured = capfd.readouterr()
    result = json.loads(captured.out.splitlines()[-1])
    assert result["stopped_because"] == "interrupted"
    assert f"fieldlens {verb} --resume" in captured.err
    assert "finishing the step, then writing what there is" in captured.err
    assert Path(result["video"]).exists()
    assert Path(result["report"]).exists()
    first = result if verb == "fit" else result["runs"][0]
    assert first["steps"] == 4
    assert (Path(first["path"]) / "checkpoints" / "0000004.safetensors").exists()
    assert [signal.getsignal(each) for each in ENDING] == [signal.default_int_handler, *[signal.SIG_DFL] * 2]


@pytest.mark.parametrize("number", ENDING)
def test_one_that_comes_again_ends_at_once(monkeypatch: pytest.MonkeyPatch, number: signal.Signals):
    monkeypatch.setattr(signals, "ONE_REQUEST", 0.0)
    stopped = []

    def twice() -> None:
        with interruptible(lambda: stopped.append(True)):
            signal.raise_signal(number)
            assert stopped
            signal.raise_signal(number)
            pytest.fail("it went on")

    with pytest.raises(Interrupted) as ended:
        twice()
    assert ended.value.status == 128 + number
    assert stopped == [True]


def test_signals_that_come_together_are_one_request():
    def raised(*numbers: signal.Signals) -> int:
        with interruptible(lambda: None) as interruption:
            for number in numbers:
                signal.raise_signal(number)
        return interruption.status

    assert raised(signal.SIGTERM, signal.SIGTERM, signal.SIGHUP) == 143  # as from timeout, or a service manager
    with pytest.raises(Interrupted):
        raised(signal.SIGTERM, signal.SIGINT)  # a person


def test_what_nohup_ignores_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with signals_interrupt(), interruptible(lambda: pytest.fail("nobody was to be told")):
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
            signal.raise_signal(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_beside_the_main_thread_nothing_is_handled_and_nothing_fails():
    entered = []

    def work() -> None:
        with signals_interrupt(), interruptible(lambda: None):
            entered.append(signal.getsignal(signal.SIGTERM))

    thread = Thread(target=work)
    thread.start()
    thread.join()
    assert entered == [signal.SIG_DFL]


@pytest.mark.parametrize(
    ("number", "said"), [(signal.SIGINT, "interrupted"), (signal.SIGTERM, "interrupted by SIGTERM")]
)
def test_work_that_has_nothing_to_show_says_so(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    number: signal.Signals,
    said: str,
):
    load = fit_module.load

    def interrupted_load(*args, **options):
        signal.raise_signal(number)
        return load(*args, **options)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(fit_module, "load", interrupted_load)
    assert cli.main(["compare", "signal:3,samples=16", "--steps", "8"]) == 128 + number
    assert capfd.readouterr().err.endswith(f"fieldlens: {said}\n")


def test_a_verb_that_cannot_stop_in_good_order_takes_away_what_is_half_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    def half(_words):
        from fieldlens.configs.files import whole_folder

        with whole_folder(tmp_path / "made"):
            os.kill(os.getpid(), signal.SIGTERM)
            signal.pause()

    monkeypatch.setattr("fieldlens.verbs.export.main", half)
    assert cli.main(["export"]) == 143
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr().err == "fieldlens: interrupted by SIGTERM\n"
