"""tyro's refusals as one sentence. These fail when it says or draws them otherwise."""

from dataclasses import dataclass
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Literal

import pytest

from fieldlens.configs.errors import InputError
from fieldlens.verbs.options import parse


@dataclass(frozen=True)
class Choices:
    """Options of a verb that is not there."""

    steps: int = 8
    region: tuple[float, float] = (0.0, 1.0)
    colour: Literal["field", "density"] = "field"
    output_dir: Path = Path("outputs")
    pictures_beside_each_other: int = 1


@pytest.mark.parametrize(
    ("columns", "encoding"), [("40", "utf-8"), ("80", "utf-8"), ("200", "utf-8"), ("80", "latin-1")]
)
@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--stpes", "8"], "Unrecognized options: --stpes, 8; did you mean --steps?"),
        (["--zzz"], "Unrecognized options: --zzz"),
        (["here"], "Unrecognized options: here"),
        (["--steps"], "Missing value for argument '--steps'. Expected 1 values"),
        (["--steps", "many"], "Error parsing --steps: 'many' is no whole number"),
        (["--colour", "red"], "invalid choice 'red' for argument '--colour'. Expected one of ('field', 'density')"),
        (
            ["--pictures-beside-each-other", "very many of them, as far as there is room"],
            "Error parsing --pictures-beside-each-other: 'very many of them, as far as there is room' is "
            "no whole number",
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
    assert str(caught.value) == f"{sentence}; see fieldlens verb --help"
    assert capfd.readouterr() == ("", "")


def test_help_is_no_mistake(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as leaving:
        parse(Choices, "verb", "", ["--help"])
    assert leaving.value.code == 0
    assert "--steps" in capfd.readouterr().out
