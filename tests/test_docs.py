"""The texts for people: what they link to is there, and the commands they show are read as they stand."""

import importlib
import re
import shlex
from pathlib import Path

import pytest

from docs import house, keywords
from docs.figures.__main__ import FIGURES
from fieldlens.cli import VERBS
from fieldlens.configs.run import CompareConfig, FitConfig
from fieldlens.verbs.options import arguments_from, beginning, parse, starting_config

ROOT = Path(__file__).resolve().parent.parent
PICTURED = ("explain.md", "analysis.md", "scenes.md")
"""Their pictures are those of `python -m docs.figures`, in this order; README has some more."""
TEXTS = [*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("docs/*.md"))]


def links(text: str) -> list[str]:
    """Targets of links and pictures that are files: no addresses, and without the place in the file."""
    targets = re.findall(r"\]\(([^)\s]+)\)", text)
    return [target.partition("#")[0] for target in targets if not re.match(r"#|\w+:", target)]


def commands(text: str) -> list[list[str]]:
    """The words after `fieldlens` of all command lines in blocks of code, which are indented by four."""
    lines = re.findall(r"^    (?:\.venv/bin/)?fieldlens (.*)$", text, re.MULTILINE)
    return [shlex.split(line, comments=True) for line in lines]


SHOWN = [words for file in TEXTS for words in commands(file.read_text(encoding="utf-8"))]


def test_links_and_commands_are_found_in_a_text() -> None:
    text = "[one](a/b.md#c) ![two](d.png) [three](https://e.org/f.md) [four](#g)\n\n    fieldlens fit 'h i' # j\n"
    assert links(text) == ["a/b.md", "d.png"]
    assert commands(text) == [["fit", "h i"]]


@pytest.mark.parametrize("file", TEXTS, ids=lambda file: file.name)
def test_every_relative_link_leads_to_a_file(file: Path) -> None:
    targets = links(file.read_text(encoding="utf-8"))
    assert [target for target in targets if not (file.parent / target).is_file()] == []


def test_every_picture_is_shown_and_says_in_words_what_it_shows() -> None:
    shown = {}
    for file in TEXTS:
        for words, target in re.findall(r"!\[([^\]]*)\]\(([^)\s]+)\)", file.read_text(encoding="utf-8")):
            shown[(file.parent / target).resolve()] = words
    folders = [ROOT / "docs" / name for name in ("pictures", "paper")]
    assert set(shown) == {file for folder in folders if folder.exists() for file in folder.iterdir()}
    assert all(shown.values())


def test_the_pictures_of_these_texts_are_those_that_one_command_makes() -> None:
    texts = "".join((ROOT / "docs" / name).read_text(encoding="utf-8") for name in PICTURED)
    shown = re.findall(r"\]\(pictures/(\w+)\.png\)", texts)
    assert shown == [name for name in FIGURES if name in shown]  # in the order of the texts
    readme = re.findall(r"\]\(docs/pictures/(\w+)\.png\)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert {*shown, *readme} == {*FIGURES, "demo"}, "that of the demo is drawn by its benchmark"


def test_the_picture_of_the_house_is_the_one_that_its_script_draws() -> None:
    assert (ROOT / "docs/pictures/house.svg").read_text(encoding="utf-8") == house.picture()


def test_the_keyword_arguments_are_those_that_their_script_writes() -> None:
    assert keywords.FILE.read_text(encoding="utf-8") == keywords.written()


@pytest.mark.parametrize("words", SHOWN, ids=" ".join)
def test_every_command_shown_can_be_read(words: list[str]) -> None:
    verb, *rest = words
    kind = getattr(importlib.import_module(f"fieldlens.verbs.{verb}"), f"{verb.capitalize()}Arguments")
    config = {"fit": FitConfig, "compare": CompareConfig}.get(verb)
    default = None if config is None else arguments_from(kind, starting_config(config, verb, beginning(verb, rest)))
    assert isinstance(parse(kind, verb, "", rest, default), kind)


def test_the_readme_shows_every_verb() -> None:
    assert {words[0] for words in commands((ROOT / "README.md").read_text(encoding="utf-8"))} == set(VERBS)
