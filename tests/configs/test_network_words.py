"""Networks and their words."""

import re
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldlens.configs.errors import InputError
from fieldlens.configs.network import Activation, Network, Output, parse_network

networks = st.builds(
    Network,
    st.integers(1, 16384),
    st.integers(1, 64),
    st.sampled_from(get_args(Activation)),
    st.sampled_from(get_args(Output)),
    st.floats(0, 1e6),
)


@given(networks)
def test_a_network_is_what_its_word_is_read_as(network: Network) -> None:
    assert parse_network(str(network)) == network


@pytest.mark.parametrize(
    ("word", "network"),
    [
        ("4x256", Network(256, 4)),
        (" 2x64,sine ", Network(64, 2, "sine")),
        ("2x64,sigmoid,leaky_relu", Network(64, 2, "leaky_relu", "sigmoid")),
        ("2x64,relu,linear", Network(64, 2)),
        ("2x64,bias_spread=0.5,sine", Network(64, 2, "sine", bias_spread=0.5)),
    ],
)
def test_words_give_depth_then_width_then_kinds_in_any_order(word: str, network: Network) -> None:
    assert parse_network(word) == network


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("256", "DEPTHxWIDTH, such as 4x256"),
        ("4×256", "DEPTHxWIDTH, such as 4x256"),
        ("4x-1", "DEPTHxWIDTH, such as 4x256"),
        ("", "DEPTHxWIDTH, such as 4x256"),
        ("4x0", "width must be 1 to 16384, got 0"),
        ("4x20000", "width must be 1 to 16384, got 20000"),
        ("0x4", "depth must be 1 to 64, got 0"),
        ("65x4", "depth must be 1 to 64, got 65"),
        ("4x256,gelu", "'gelu' is neither an activation (relu, leaky_relu, sine) nor an output (linear, sigmoid)"),
        ("4x256,bias_spread=wide", "must be a number, got '4x256,bias_spread=wide'"),
        ("4x256,bias_spread=1,bias_spread=2", "more than one bias spread"),
        ("4x256,bias_spread=nan", "must be 0 to 1000000, got nan"),
        ("4x256,bias_spread=-1", "must be 0 to 1000000, got -1"),
        ("4x256,", "'' is neither an activation"),
        ("4x256,relu,sine", "more than one activation"),
        ("4x256,sigmoid,sigmoid", "more than one output"),
    ],
)
def test_a_word_that_names_no_network_is_refused_with_what_to_write(word: str, hint: str) -> None:
    with pytest.raises(InputError, match=re.escape(hint)) as refusal:
        parse_network(word)
    assert "\n" not in str(refusal.value)


@given(st.text())
def test_any_text_is_a_network_or_refused_in_one_sentence(text: str) -> None:
    sentence = ""
    try:
        parse_network(text)
    except InputError as refusal:
        sentence = str(refusal)
    assert "\n" not in sentence
