"""The default learning rates are those of the search that the documentation shows."""

import re
from pathlib import Path

import pytest

from fieldlens.configs.encoding import ENCODINGS, parse_encoding
from fieldlens.configs.network import Network
from fieldlens.configs.optimizer import default_learning_rate

TABLE = Path(__file__).parent.parent.parent / "docs" / "learning_rates.md"


def best_rates() -> dict[str, float]:
    """The rate in bold in each row of the table."""
    rows = [line.strip("| \n").split(" | ") for line in TABLE.read_text().splitlines() if line.startswith("| ")]
    head, *rest = rows
    return {row[0]: float(head[[bool(re.match(r"\*\*", cell)) for cell in row].index(True)]) for row in rest}


@pytest.mark.parametrize("word", ["raw", "raw:0..1", "basic", "fourier:4", "fourier:8", "positional:6", "gaussian:10"])
def test_the_default_rate_is_the_one_the_search_chose(word: str):
    assert default_learning_rate(parse_encoding(word), Network()) == best_rates()[word]


def test_hash_grids_and_sine_networks_have_rates_of_their_own():
    assert default_learning_rate(parse_encoding("hashgrid:16"), Network()) == best_rates()["hashgrid:16"]
    sine = default_learning_rate(parse_encoding("raw"), Network(activation="sine"))
    assert sine == best_rates()["raw, sine network"]


def test_every_encoding_has_a_default():
    for cls in ENCODINGS.values():
        assert default_learning_rate(cls(), Network()) > 0
