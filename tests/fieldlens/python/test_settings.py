"""Keyword arguments mean what the command line's options do, and mistakes get its sentences, with keywords in them."""

import typing
from pathlib import Path
from typing import Any

import pytest

from fieldlens import cli
from fieldlens.configs.errors import InputError
from fieldlens.configs.run import CompareConfig, FitConfig
from fieldlens.python import calls
from fieldlens.python.keywords import CompareKeywords, FitKeywords
from fieldlens.python.settings import beginning_of, with_settings
from fieldlens.verbs.compare import CompareArguments
from fieldlens.verbs.executor import ExecutorOptions
from fieldlens.verbs.fit import FitArguments
from fieldlens.verbs.options import arguments_from, config_in, parse
from tests.test_reachable import leaves


@pytest.mark.parametrize(
    ("words", "settings"),
    [
        ([], {}),
        (["--encoding", "fourier:4", "--seed", "7"], {"encoding": "fourier:4", "seed": 7}),
        (["--seconds", "20", "--optimizer", "adam"], {"seconds": 20, "optimizer": "adam"}),
        (["--steps", "9", "--revive-at", "2", "5"], {"steps": 9, "revive_at": [2, 5]}),
        (["--network.width", "64", "--network.depth", "2"], {"network": "2x64"}),
        (["--max-side", "64", "--holdout", "checkerboard"], {"max_side": 64, "holdout": "checkerboard"}),
        (["--direction", "none", "--kind", "sdf"], {"direction": None, "kind": "sdf"}),
        (
            ["--output-dir", "there", "--turntable", "--quick"],
            {"output_dir": "there", "turntable": True, "quick": True},
        ),
    ],
)
def test_keywords_are_the_choices_of_the_same_words(words: list[str], settings: dict[str, Any]) -> None:
    typed = parse(FitArguments, "fit", "", ["x.png", *words], arguments_from(FitArguments, FitConfig()))
    assert with_settings(FitConfig(), {"scene": "x.png", **settings}, "fit") == config_in(typed, FitConfig)


def test_lists_of_words_are_lists() -> None:
    lists = {"encodings": ["raw", "fourier:2"], "networks": ["2x8", "2x4,sine"], "optimizers": ["adam", "muon"]}
    words = [word for name, values in lists.items() for word in (f"--{name}", *values)]
    typed = parse(CompareArguments, "compare", "", words, arguments_from(CompareArguments, CompareConfig()))
    assert with_settings(CompareConfig(), lists, "compare") == config_in(typed, CompareConfig)


@pytest.mark.parametrize(
    ("keywords", "config", "arguments"),
    [(FitKeywords, FitConfig, FitArguments), (CompareKeywords, CompareConfig, CompareArguments)],
)
def test_every_choice_is_a_keyword_and_nothing_else(keywords: type, config: type, arguments: type) -> None:
    of_network = {"width", "depth", "activation", "output", "bias_spread"} if config is FitConfig else set()
    expected = set(leaves(config)) - of_network - {"scene", "more_scenes"} | {"resume", "config", "preset"}
    expected |= {"network"} if config is FitConfig else set(leaves(ExecutorOptions))
    assert set(typing.get_type_hints(keywords)) == expected


@pytest.mark.parametrize(
    ("verb", "words", "settings"),
    [
        ("fit", ["--steps", "0"], {"steps": 0}),
        ("fit", ["--encoding", "forier"], {"encoding": "forier"}),
        ("fit", ["--schedule", "cosine"], {"schedule": "cosine"}),
        ("fit", ["--preset", "author"], {"preset": "author"}),
        ("fit", ["--frames", "every:0"], {"frames": "every:0"}),
        ("fit", ["--turntable"], {"turntable": True}),
        ("fit", ["--lr", "1"], {"lr": 1}),
        ("fit", ["--resume", "nowhere", "--preset", "authors"], {"resume": "nowhere", "preset": "authors"}),
        ("compare", ["--seconds", "3"], {"seconds": 3}),
        ("compare", ["--networks", "4"], {"networks": ["4"]}),
    ],
)
def test_a_mistake_gets_the_sentence_of_the_command_line_in_the_words_of_python(
    verb: str, words: list[str], settings: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    scene = [] if "resume" in settings else ["astronaut"]
    assert cli.main([verb, *scene, *words]) == 2
    sentence = capfd.readouterr().err.strip().removeprefix("fieldlens: ")
    with pytest.raises(InputError) as raised:
        getattr(calls, verb)(*scene, **settings)
    said = str(raised.value)
    assert "--" not in said
    assert f"see fieldlens {verb}" not in said
    assert same_words(said.partition("; help(")[0]) in same_words(sentence)
    assert list(tmp_path.iterdir()) == []


def same_words(sentence: str) -> str:
    """A sentence without what sets an option apart from a keyword."""
    for mark, plain in (("--", ""), ("-", " "), ("_", " "), ("=", " "), ("'", ""), ('"', ""), ("keyword", "option")):
        sentence = sentence.replace(mark, plain)
    return sentence


@pytest.mark.parametrize(
    ("function", "settings", "sentence"),
    [
        (calls.fit, {"lr": 1}, "there is no keyword 'lr'; here it is learning_rate; help(fieldlens.fit) lists them"),
        (calls.fit, {"width": 8}, "there is no keyword 'width'; here it is network=\"4x128\"; help(fieldlens.fit)"),
        (calls.fit, {"octaves": 8}, "there is no keyword 'octaves'; here it is encoding=\"fourier:8\"; help("),
        (
            calls.fit,
            {"gpu": 0},
            "there is no keyword 'gpu'; here it is device=\"cuda\"; help(fieldlens.fit) lists them",
        ),
        (calls.fit, {"stpes": 3}, "there is no keyword 'stpes'; did you mean 'steps'? help(fieldlens.fit) lists them"),
        (calls.compare, {"worker": 2}, "there is no keyword 'worker'; did you mean 'workers'?"),
        (calls.fit, {"presets": "x"}, "there is no keyword 'presets'; did you mean 'preset'?"),
        (calls.fit, {"steps": 3, "revive_at": [9]}, "revive_at=9 never comes: steps=3 is the end"),
        (calls.compare, {"encodings": ["fourier8"]}, "unknown encoding 'fourier8'; did you mean 'fourier:8'?"),
        (calls.compare, {"target_psnr": 30.0}, "so it has no target_psnr; give its length with steps"),
    ],
)
def test_a_mistake_names_keywords_and_what_was_given(
    function: Any, settings: dict[str, Any], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as raised:
        function("astronaut", **settings)
    assert sentence in str(raised.value)


def test_a_keyword_that_is_nearly_one_is_answered_with_it() -> None:
    with pytest.raises(InputError, match="there is no keyword 'stpes'; did you mean 'steps'"):
        with_settings(FitConfig(), {"stpes": 3}, "fit")


def test_where_a_fit_begins_is_taken_out_but_for_the_folder() -> None:
    settings = {"preset": "authors", "output_dir": Path("there"), "steps": 3}
    begins = beginning_of(settings)
    assert (begins.preset, begins.output_dir, begins.resume) == ("authors", Path("there"), None)
    assert settings == {"output_dir": Path("there"), "steps": 3}
