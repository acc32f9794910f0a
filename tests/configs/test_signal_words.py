"""Words of signals: inverse to their values, and wrong ones told in a sentence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldlens.configs.errors import InputError
from fieldlens.configs.signal import MOST_SAMPLES, Sines, is_signal, parse_signal


@given(st.sets(st.integers(1, 99), min_size=1, max_size=12), st.integers(200, MOST_SAMPLES))
def test_a_word_is_read_as_it_is_written(frequencies, samples):
    sines = Sines(tuple(frequencies), samples)
    assert parse_signal(str(sines)) == sines
    assert sines.frequencies == tuple(sorted(frequencies))


def test_what_is_left_out_has_a_default():
    assert parse_signal("signal") == Sines((5, 10, 20, 40), 1024)
    assert parse_signal("signal,samples=100") == Sines((5, 10, 20, 40), 100)
    assert str(parse_signal("signal:40,7,samples=1024")) == "signal:7,40"


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("signal:", "whole numbers"),
        ("signal:5,ten", "got 'ten'"),
        ("signal:5,2.5", "got '2.5'"),
        ("signal,5,10", "after a colon"),
        ("signal:5,5", "once"),
        ("signal:0,5", "1 to 511 cycles"),
        ("signal:512", "more with samples=N"),
        ("signal:5,samples=10", "1 to 4 cycles"),
        ("signal:1,samples=7", "8 to"),
        ("signal:5,sample=100", "did you mean 'samples'"),
        ("signal:5,samples=many", "got 'many'"),
        ("signal:5,samples=100,7", "'7' is no key"),
    ],
)
def test_a_word_that_cannot_be_is_refused_in_a_sentence(word, said):
    with pytest.raises(InputError, match=said):
        parse_signal(word)


def test_only_words_that_begin_with_the_name_are_signals():
    assert all(map(is_signal, ("signal", "signal:5", "signal,samples=9", "signal:nonsense")))
    assert not any(map(is_signal, ("signals", "my/signal:5", "signal.png", "")))
