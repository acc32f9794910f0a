"""tyro's refusals as one sentence. These fail when it says or draws them otherwise."""

import os
import pty
import re
import subprocess
import sys
from dataclasses import dataclass
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Literal

import pytest

from fieldlens import cli
from fieldlens.configs.errors import InputError
from fieldlens.verbs.options import parse
from fieldlens.verbs.refusals import OURS


@dataclass(frozen=True)
class Choices:
    """Options of a verb that is not there."""

    steps: int = 8
    region: tuple[float, float] = (0.0, 1.0)
    colour: Literal["field", "density"] = "field"
    output_dir: Path = Path("outputs")
    written: tuple[str, Path] | None = None
    pictures_beside_each_other: int = 1


@pytest.mark.parametrize(
    ("columns", "encoding"), [("40", "utf-8"), ("80", "utf-8"), ("200", "utf-8"), ("80", "latin-1")]
)
@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--stpes", "8"], "there is no option --stpes; did you mean --steps?"),
        (["--stpes=8"], "there is no option --stpes"),
        (["--zzz"], "there is no option --zzz"),
        (["here"], "'here' is one word too many; what has spaces in it goes in quotes"),
        (["--steps"], "--steps needs a value"),
        (["--region", "1"], "--region needs 2 values"),
        (["--written", "demo:lattice"], "--written needs 2 values"),
        (["--steps", "many"], "--steps: 'many' is no whole number"),
        (["--colour", "purple"], "--colour does not take 'purple'; choose from density, field"),
        (["--colour", "fied"], "--colour does not take 'fied' (there are: field, density); did you mean 'field'?"),
        (
            ["--pictures-beside-each-other", "very many of them, as far as there is room"],
            "--pictures-beside-each-other: 'very many of them, as far as there is room' is no whole number",
        ),
    ],
)
def test_what_cannot_be_read_is_said_in_a_sentence_whatever_the_screen(
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    columns: str,
    encoding: str,
    words: list[str],
    sentence: str,
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setattr("sys.stdout", TextIOWrapper(BytesIO(), encoding=encoding))
    with pytest.raises(InputError) as caught:
        parse(Choices, "verb", "", words)
    see = " See" if sentence.endswith("?") else "; see"
    assert str(caught.value) == f"{sentence}{see} fieldlens verb --help"
    assert capfd.readouterr() == ("", "")


def test_help_is_no_mistake(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as leaving:
        parse(Choices, "verb", "", ["--help"])
    assert leaving.value.code == 0
    assert "--steps" in capfd.readouterr().out


@pytest.mark.parametrize(
    ("words", "ours"),
    [
        (["fit", "--lr", "3"], "there is no option --lr; here it is --learning-rate"),
        (["fit", "--gpu"], "there is no option --gpu; here it is --device cuda"),
        (["fit", "--epochs=3"], "there is no option --epochs; here it is --steps"),
        (["fit", "--iters", "3"], "there is no option --iters; here it is --steps"),
        (["fit", "-o", "x"], "there is no option -o; here it is --output-dir"),
        (["fit", "--width", "8"], "there is no option --width; here it is --network.width"),
        (["fit", "--device", "gpu"], "did you mean 'cuda'?"),
        (["compare", "--max_steps", "3"], "there is no option --max_steps; here it is --steps"),
        (["render", "-o", "x.png"], "there is no option -o; here it is --file"),
    ],
)
def test_what_other_programs_call_an_option_leads_to_ours(
    capfd: pytest.CaptureFixture[str], words: list[str], ours: str
) -> None:
    assert cli.main(words) == 2
    assert ours in capfd.readouterr().err


@pytest.mark.parametrize(("verb", "names"), OURS.items())
def test_what_it_is_here_is_an_option_of_the_verb(
    capfd: pytest.CaptureFixture[str], verb: str, names: dict[str, str]
) -> None:
    assert cli.main([verb, "--help"]) == 0
    helped = capfd.readouterr().out
    for name, ours in names.items():
        assert all(option in helped for option in ours.split() if option.startswith("--"))
        assert not re.search(rf"^\W*--{name} ", helped, re.MULTILINE), "that would be an option of the verb itself"


def test_help_and_version_are_verbs(capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["help"]) == cli.main(["--help"]) == 0
    first, second = capfd.readouterr().out.split("usage: fieldlens VERB")[1:]
    assert first.partition("\n\n")[2][:99] == second.partition("\n\n")[2][:99]
    assert cli.main(["version"]) == cli.main(["--version"]) == 0
    assert len(set(capfd.readouterr().out.split("\n")[:2])) == 1
    assert cli.main(["help", "fti"]) == 2
    assert "did you mean 'fit'?" in capfd.readouterr().err
    assert cli.main(["help", "fit"]) == 0
    assert "--learning-rate" in capfd.readouterr().out


def test_a_scene_without_a_verb_is_to_be_fitted(capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["my photo.jpg"]) == 2
    assert "did you mean `fieldlens fit 'my photo.jpg'`?" in capfd.readouterr().err


def test_on_a_terminal_where_tyro_draws_in_colour_it_is_the_same_sentence():
    ours, theirs = pty.openpty()
    try:
        ended = subprocess.run(
            [sys.executable, "-m", "fieldlens", "fit", "astronaut", "--nonsense", "3"],
            stdout=theirs,
            stderr=subprocess.PIPE,
            env=os.environ | {"TERM": "xterm-256color"},
            check=False,
            text=True,
        )
    finally:
        os.close(theirs)
        os.close(ours)
    assert ended.returncode == 2
    assert ended.stderr == "fieldlens: there is no option --nonsense; see fieldlens fit --help\n"
