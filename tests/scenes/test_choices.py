"""What is chosen for a scene has an effect there, or is refused."""

import dataclasses
from pathlib import Path
from typing import get_args

import pytest

from fieldlens.configs.errors import InputError
from fieldlens.configs.run import Output, Target, Training
from fieldlens.configs.space import Space
from fieldlens.scenes.choices import FOR, SORTS, TAKES, Sort, refuse_unused
from fieldlens.scenes.load import sort_of

FOR_EVERY_SCENE = {
    *(field.name for field in dataclasses.fields(Training)),
    *(field.name for field in dataclasses.fields(Output)),
} - {"revive_at", "turntable"}


def test_every_choice_is_for_every_scene_or_for_some() -> None:
    choices = {field.name for group in (Training, Target, Space, Output) for field in dataclasses.fields(group)}
    assert choices | {"sigmoid"} == FOR_EVERY_SCENE | set(FOR)
    assert set(SORTS) == set(TAKES) == set(get_args(Sort))


@pytest.mark.parametrize("name", FOR)
@pytest.mark.parametrize("sort", get_args(Sort))
def test_a_choice_is_taken_by_a_scene_or_refused_with_what_it_is_for(sort: Sort, name: str) -> None:
    if name in TAKES[sort]:
        refuse_unused("x", sort, [name, "steps"])
        return
    with pytest.raises(InputError, match=f"is for {FOR[name]}, and 'x' is {SORTS[sort]}: "):
        refuse_unused("x", sort, ["steps", name])


@pytest.mark.parametrize(
    ("word", "sort"),
    [
        ("a.png", "picture"),
        ("a.NPZ", "points"),
        ("ball.PLY", "mesh"),
        ("album", "photographs"),
        ("cameras.json", "photographs"),
        ("astronaut", "built-in picture"),
        ("signal", "signal"),
        ("signal:5", "signal"),
        ("demo:teapot", "demo"),
    ],
)
def test_a_word_says_what_sort_of_scene_it_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, word: str, sort: Sort
) -> None:
    monkeypatch.chdir(tmp_path)
    for file in ("a.png", "a.NPZ", "ball.PLY", "cameras.json"):
        Path(file).touch()
    Path("album").mkdir()
    assert sort_of(word, Space()) == sort
    assert sort_of(word, Space(kind="radiance")) == ("photographed mesh" if sort == "mesh" else sort)
