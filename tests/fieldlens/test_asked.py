"""Several runs are asked one by one, and what one cannot answer keeps none of the others from it."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from fieldlens.configs.errors import InputError
from fieldlens.studies.runs.folder import RunFolder
from fieldlens.terminal.console import Console
from fieldlens.verbs import asked
from fieldlens.verbs.asked import Asked

RUNS = {RunFolder(Path("raw_1x8")): "raw 1x8", RunFolder(Path("fourier-4_1x8")): "fourier:4 1x8"}


@dataclass(frozen=True)
class Found:
    """An answer of two lines."""

    path: str

    @property
    def lines(self) -> list[str]:
        return ["one", "two"]


def asked_of(runs: dict[RunFolder, str], monkeypatch: pytest.MonkeyPatch) -> Asked:
    monkeypatch.setattr("fieldlens.studies.runs.compare.find_runs", lambda _word, _output_dir: runs)
    return Asked("latest", Path("outputs"), ())


def refusing(*folders: str, sentence: Callable[[str], str]) -> Callable[[RunFolder], Found]:
    def ask(run: RunFolder) -> Found:
        if run.path.name in folders:
            raise InputError(sentence(run.path.name))
        return Found(str(run.path))

    return ask


def test_each_answers_under_its_name_and_in_one_json_object(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    ask = refusing(sentence=str)
    assert asked_of(RUNS, monkeypatch).answer(Console(), ask) == asked.DONE
    assert capfd.readouterr().out.splitlines() == ["raw 1x8", "  one", "  two", "fourier:4 1x8", "  one", "  two"]
    asked_of(RUNS, monkeypatch).answer(Console(json_last=True), ask)
    runs = [{"run": name, "path": name} for name in ("raw_1x8", "fourier-4_1x8")]
    assert json.loads(capfd.readouterr().out) == {"runs": runs}
    assert asked_of({RunFolder(Path("x")): ""}, monkeypatch).answer(Console(json_last=True), ask) == asked.DONE
    assert json.loads(capfd.readouterr().out) == {"path": "x"}, "one run has no list"


def test_one_that_refuses_keeps_no_other_from_answering(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    ask = refusing("raw_1x8", sentence=lambda _name: "it cannot")
    assert asked_of(RUNS, monkeypatch).answer(Console(), ask) == asked.WRONG_INPUT
    told = capfd.readouterr()
    assert told.out.splitlines() == ["fourier:4 1x8", "  one", "  two"]
    assert told.err.strip() == "raw 1x8: it cannot"


def test_what_all_refuse_is_said_once_and_what_differs_for_each(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    names = [run.path.name for run in RUNS]
    with pytest.raises(InputError, match=r"^it cannot$"):
        asked_of(RUNS, monkeypatch).answer(Console(), refusing(*names, sentence=lambda _name: "it cannot"))
    assert capfd.readouterr().err == ""
    with pytest.raises(InputError, match="none of the runs can answer"):
        asked_of(RUNS, monkeypatch).answer(Console(), refusing(*names, sentence=str))
    assert capfd.readouterr().err.splitlines() == ["raw 1x8: raw_1x8", "fourier:4 1x8: fourier-4_1x8"]


def test_a_file_that_is_named_is_one_for_each_of_several(monkeypatch: pytest.MonkeyPatch) -> None:
    several = asked_of(RUNS, monkeypatch)
    assert [several.path(Path("a/x.png"), run) for run in RUNS] == [
        Path("a/x_raw_1x8.png"),
        Path("a/x_fourier-4_1x8.png"),
    ]
    assert several.path(None, next(iter(RUNS))) is None
    alone = RunFolder(Path("x"))
    assert asked_of({alone: ""}, monkeypatch).path(Path("x.png"), alone) == Path("x.png")
