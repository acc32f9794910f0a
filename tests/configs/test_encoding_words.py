"""Encodings and their words: each is the other's inverse, and a wrong word is answered with what to write."""

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldlens.configs.encoding import (
    ENCODINGS,
    Basic,
    Encoding,
    Fourier,
    Gaussian,
    HashGrid,
    Own,
    Positional,
    Raw,
    parse_encoding,
)
from fieldlens.configs.errors import InputError, did_you_mean

numbers = st.floats(-1e6, 1e6)
features = st.integers(4, 65536)
bases = st.integers(1, 2**20)

encodings: st.SearchStrategy[Encoding] = st.one_of(
    st.tuples(numbers, numbers).filter(lambda ends: ends[0] < ends[1]).map(Raw),
    st.builds(Fourier, st.integers(1, 24), st.booleans()),
    st.builds(Positional, st.floats(0, 24, exclude_min=True), features),
    st.just(Basic()),
    st.builds(Gaussian, st.floats(0, 1e6, exclude_min=True), features),
    bases.flatmap(
        lambda base: st.builds(
            HashGrid,
            st.integers(1, 32),
            st.integers(1, 16),
            st.integers(4, 24),
            st.just(base),
            st.integers(base, 2**20),
        )
    ),
)


@given(encodings)
def test_an_encoding_is_what_its_word_is_read_as(encoding: Encoding) -> None:
    assert parse_encoding(str(encoding)) == encoding


@given(encodings)
def test_a_word_that_was_read_is_written_the_same(encoding: Encoding) -> None:
    word = str(encoding)
    assert str(parse_encoding(word)) == word


@given(encodings)
def test_a_word_can_stand_in_a_shell_and_in_yaml_without_quotes(encoding: Encoding) -> None:
    assert re.fullmatch(r"[a-z]+(:[-+.\da-z]+)?(,[a-z_\d]+=[-+.\da-z]+)*", str(encoding))


@pytest.mark.parametrize(
    ("word", "encoding"),
    [
        ("raw", Raw((-1.0, 1.0))),
        ("raw:0..1", Raw((0.0, 1.0))),
        ("raw:-3..-2.5", Raw((-3.0, -2.5))),
        ("fourier", Fourier(8)),
        ("fourier:4", Fourier(4)),
        (" fourier:4\n", Fourier(4)),
        ("fourier:4,include_input=true", Fourier(4, include_input=True)),
        ("fourier,octaves=3", Fourier(3)),
        ("positional:5.5,features=64", Positional(5.5, 64)),
        ("basic", Basic()),
        ("gaussian:1e1", Gaussian(10.0)),
        ("hashgrid:4,finest=64,base=8", HashGrid(4, base=8, finest=64)),
        ("mine.py:waves", Own("mine.py", "waves")),
        ("/a b,c/mine:1.py:waves", Own("/a b,c/mine:1.py", "waves")),
        ("python:waves", Own("python", "waves")),
    ],
)
def test_words_mean_what_they_say(word: str, encoding: Encoding) -> None:
    assert parse_encoding(word) == encoding


@pytest.mark.parametrize(
    ("encoding", "word"),
    [
        (Raw(), "raw"),
        (Raw((0, 1)), "raw:0..1"),
        (Fourier(), "fourier:8"),
        (Fourier(include_input=True), "fourier:8,include_input=true"),
        (Positional(), "positional:6"),
        (Basic(), "basic"),
        (Gaussian(), "gaussian:10"),
        (HashGrid(16, log2_size=19), "hashgrid:16,log2_size=19"),
    ],
)
def test_a_main_number_is_always_written_and_all_else_where_it_differs(encoding: Encoding, word: str) -> None:
    assert str(encoding) == word


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("forier:8", "did you mean 'fourier'?"),
        ("fourier8", "unknown encoding 'fourier8'; did you mean 'fourier:8'?"),
        ("HashGrid16,features=4", "did you mean 'hashgrid:16'?"),
        ("Gaussian", "did you mean 'gaussian'?"),
        ("hash", "did you mean 'hashgrid'?"),
        ("xyzzy", "choose from basic, fourier, gaussian, hashgrid, positional, raw"),
        ("", "choose from"),
        ("siren", "--network.activation sine"),
        ("nerf", "did you mean 'fourier'?"),
        ("raw,fourier:8", "separated by spaces"),
        ("fourier:8,gaussian:10,features=8", "separated by spaces"),
        ("gaussian:10,feature=64", "did you mean 'features'?"),
        ("gaussian:10,zz=64", "choose from features, scale"),
        ("basic,octaves=2", "takes none"),
        ("basic:1", "basic takes no value"),
        ("fourier:8,include_input", "write include_input=VALUE"),
        ("fourier:8,include_input=yes", "fourier's include_input must be true or false, got 'yes'"),
        ("fourier:", "fourier's octaves must be a whole number, got ''"),
        ("fourier:2.5", "fourier's octaves must be a whole number, got '2.5'"),
        ("gaussian:wide", "gaussian's scale must be a number, got 'wide'"),
        ("gaussian:inf", "gaussian's scale must be a number, got 'inf'"),
        ("raw:1", "raw's interval must be an interval such as -1..1, got '1'"),
        ("raw:0..nan", "raw's interval must be an interval such as -1..1, got '0..nan'"),
        ("fourier:8,octaves=9", "octaves is given more than once"),
        ("gaussian:10,features=64,features=32", "features is given more than once"),
    ],
)
def test_a_word_that_cannot_be_read_is_refused_with_what_to_write(word: str, hint: str) -> None:
    with pytest.raises(InputError, match=re.escape(hint)) as refusal:
        parse_encoding(word)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    "word",
    [
        "raw:1..1",
        "raw:1..-1",
        "fourier:0",
        "fourier:25",
        "positional:0",
        "positional:25",
        "positional:6,features=3",
        "positional:6,features=100000",
        "gaussian:0",
        "gaussian:-1",
        "gaussian:10,features=0",
        "gaussian:10,features=1000000000",
        "hashgrid:0",
        "hashgrid:33",
        "hashgrid:16,features=0",
        "hashgrid:16,features=17",
        "hashgrid:16,log2_size=3",
        "hashgrid:16,log2_size=25",
        "hashgrid:16,base=0",
        "hashgrid:16,base=64,finest=32",
        "hashgrid:16,finest=2000000",
    ],
)
def test_a_value_out_of_range_is_refused_by_the_encodings_name(word: str) -> None:
    name = word.partition(":")[0]
    with pytest.raises(InputError, match=name) as refusal:
        parse_encoding(word)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("end", [math.inf, -math.inf, math.nan])
def test_an_interval_that_is_not_finite_is_refused_however_it_is_made(end: float) -> None:
    for interval in [(0.0, end), (end, 0.0)]:
        with pytest.raises(InputError, match="raw"):
            Raw(interval)


@given(st.text())
def test_any_text_is_an_encoding_or_refused_in_one_sentence(text: str) -> None:
    sentence = ""
    try:
        parse_encoding(text)
    except InputError as refusal:
        sentence = str(refusal)
    assert "\n" not in sentence


@pytest.mark.parametrize("name", ENCODINGS)
def test_the_name_alone_gives_the_defaults(name: str) -> None:
    assert parse_encoding(name) == ENCODINGS[name]()


@given(st.sampled_from(sorted(ENCODINGS)), st.data())
def test_one_slip_of_a_letter_is_understood(name: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(name) - 1))
    slip = name[:place] + name[place + 1 :]
    assert did_you_mean(slip, ENCODINGS).endswith(f"did you mean {name!r}?")


def test_a_hint_without_a_near_word_lists_the_choices_in_order() -> None:
    assert did_you_mean("qqq", iter(["b", "a"])) == "; choose from a, b"
