"""Choices check themselves when they are made, in Python as in files: types, bounds of every number, sizes of lists."""

import dataclasses
import inspect
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fieldlens.configs.encoding import ENCODINGS, Fourier, Gaussian, HashGrid, Positional, Raw
from fieldlens.configs.errors import MOST_CHARACTERS, InputError, shown
from fieldlens.configs.network import Network
from fieldlens.configs.records import Choices
from fieldlens.configs.run import CompareConfig, FitConfig, Output, Protocol, Target, Training
from fieldlens.configs.signal import Sines
from fieldlens.configs.space import Slice, Space
from fieldlens.configs.study import Contest, Study

KINDS = [
    *ENCODINGS.values(),
    Network,
    Training,
    Target,
    Output,
    FitConfig,
    CompareConfig,
    Protocol,
    Space,
    Slice,
    Sines,
]
ALL_KINDS = [*KINDS, Study, Contest]


def made(kind: Any, /, *values: Any, **named: Any) -> Any:
    """Choices as they are made outside of the tests, where nothing else looks at the types of arguments first."""
    choices = object.__new__(kind)
    inspect.unwrap(kind.__init__)(choices, *values, **named)
    return choices


def fields_of_numbers() -> list[tuple[type, str]]:
    """Every number of every kind of choices, found by its default or its type."""
    found = []
    for kind in ALL_KINDS:
        for part in dataclasses.fields(kind):
            if "int" in str(part.type) or "float" in str(part.type):
                found.append((kind, part.name))
    return found


def test_there_are_many_numbers() -> None:
    names = {name for _, name in fields_of_numbers()}
    assert {"width", "depth", "steps", "threads", "seed", "octaves", "grid", "samples", "repeats", "interval"} <= names


@pytest.mark.parametrize(("kind", "name"), fields_of_numbers())
@pytest.mark.parametrize("value", [10**400, -(10**400), math.nan, math.inf])
def test_no_number_is_without_bounds(kind: Any, name: str, value: float) -> None:
    is_list = "tuple" in str({part.name: part.type for part in dataclasses.fields(kind)}[name])
    for given in [(value,), (0, value), (value, 0)] if is_list else [value]:
        with pytest.raises(InputError) as caught:
            made(kind, **{name: given})
        assert len(str(caught.value)) < 300


@pytest.mark.parametrize("kind", ALL_KINDS)
def test_no_field_takes_what_is_of_no_type_at_all(kind: Any) -> None:
    for part in dataclasses.fields(kind):
        for value in (object(), [object()], {1: 2}):
            with pytest.raises(InputError, match=r"must be|takes"):
                made(kind, **{part.name: value})


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: made(Network, width="64"), "the network's width must be a whole number, got '64'"),
        (lambda: made(Training, steps=3.5), "--steps must be a whole number, got 3.5"),
        (lambda: made(Training, steps=True), "--steps must be a whole number, got True"),
        (lambda: made(Output, frames=5), "--frames must be a text, got 5"),
        (lambda: made(FitConfig, training=None), "--training must be a Training, got None"),
        (
            lambda: made(FitConfig, encoding=8),
            "--encoding must be one of Raw, Fourier, Positional, Basic, Gaussian, HashGrid, Own, got 8",
        ),
        (lambda: made(CompareConfig, encodings="raw"), "--encodings must be a list, got 'raw'"),
        (lambda: made(Space, kind="x"), "--kind must be one of auto, radiance, occupancy, sdf, got 'x'"),
        (lambda: made(Raw, (0,)), "raw's interval must be 2 values, got (0,)"),
        (lambda: made(Network, width=20000), "the network's width must be 1 to 16384, got 20000"),
        (lambda: made(Training, batch_size=10**15), "--batch-size must be at most 16777216, got 1000000000000000"),
        (lambda: made(Training, threads=10**9), "--threads must be at most 1024, got 1000000000"),
        (lambda: made(Training, seconds=1e300), "--seconds must be at most 31536000, got 1e+300"),
        (
            lambda: made(Training, steps=10**5000),
            "--steps must be at most 1000000000, got a whole number of 16610 bits",
        ),
        (lambda: made(Training, learning_rate=2e30), "--learning-rate must be at most 1e+30, got 2e+30"),
        (lambda: made(Training, revive_at=range(1, 10**9)), "--revive-at takes at most 1,000 values, got 1,001"),
        (lambda: made(Training, revive_at=(1,) * 100_000), "--revive-at takes at most 1,000 values, got 100,000"),
        (lambda: made(Fourier, 25), "fourier's octaves must be 1 to 24, got 25"),
        (lambda: made(Positional, features=3), "positional's features must be 4 to 65536, got 3"),
        (lambda: made(Gaussian, 0.0), "gaussian's scale must be a number above 0, got 0.0"),
        (lambda: made(HashGrid, levels=10**9), "hashgrid's levels must be 1 to 32, got 1000000000"),
        (lambda: made(FitConfig, scene="a" * 10**6), "--scene must have at most 4,096 characters, got 1,000,000"),
        (
            lambda: made(FitConfig, training=Training(steps=10**6), output=Output(frames="every:3")),
            "--frames every:3 makes 333,333 drawings of 1,000,000 steps, and a fit has at most 100,000; draw fewer "
            "with --frames every:N",
        ),
        (
            lambda: made(CompareConfig, encodings=(Raw(),) * 100, networks=(Network(),) * 11),
            "100 encodings by 11 networks are 1,100 fits, and a comparison has at most 1,000",
        ),
    ],
)
def test_what_does_not_fit_is_told_in_one_sentence(make: Any, sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        make()
    assert str(caught.value) == sentence


def test_what_does_no_harm_is_converted() -> None:
    assert isinstance(made(Output, output_dir="x").output_dir, Path)
    training = made(Training, steps=np.int64(5), learning_rate=np.float32(0.5), revive_at=[1, np.int32(2)])
    assert training == Training(steps=5, learning_rate=0.5, revive_at=(1, 2))
    assert type(training.steps) is int
    assert made(Training, revive_at=range(100, 400, 100)).revive_at == (100, 200, 300)
    fit = made(FitConfig, scene=Path("a.png"), network="2x8", encoding="fourier:3")
    assert fit == FitConfig("a.png", network=Network(8, 2), encoding=Fourier(3))
    assert made(CompareConfig, encodings=["raw", Fourier(3)]).encodings == (Raw(), Fourier(3))


def test_the_largest_number_that_a_sentence_names_is_taken() -> None:
    assert made(Training, learning_rate=1e30).learning_rate == 1e30
    assert made(FitConfig, seed=2**63 - 1).seed == 2**63 - 1
    with pytest.raises(InputError):
        made(FitConfig, seed=2**63)


def test_choices_are_all_that_there_is() -> None:
    leaves, left = set(ALL_KINDS), [Choices]
    while left:
        below = left.pop().__subclasses__()
        left += below
        leaves -= set(below)
    assert not leaves, "a kind that does not check itself"


def test_what_is_shown_stays_short() -> None:
    bomb: Any = ["x"] * 9
    for _ in range(40):
        bomb = [bomb] * 9
    assert len(shown(bomb)) < 300
    assert shown("a" * 10**6).startswith("'aaa")
    assert len(shown({1: "a" * 10**6, 2: [[[[1]]]]})) < 300
    assert len(str(InputError("a" * 10**6))) < MOST_CHARACTERS + 10
