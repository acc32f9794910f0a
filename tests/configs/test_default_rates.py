"""What moves the weights by default, and how fast, is what the search in the documentation found."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from fieldlens.configs.encoding import ENCODINGS, parse_encoding
from fieldlens.configs.network import Network
from fieldlens.configs.optimizer import Adam, Muon, default_learning_rate, default_optimizer, with_rate

TABLE = Path(__file__).parent.parent.parent / "docs" / "learning_rates.md"
BOLD = re.compile(r"\*\*")


def rows(title: str) -> Iterator[dict[str, list[str]]]:
    """The lines of a table, by the heads of its columns; heads may be empty or stand twice."""
    (section,) = re.findall(rf"^## {re.escape(title)}\n\n(.*?)(?:\n\n|\Z)", TABLE.read_text(), re.MULTILINE | re.DOTALL)
    head, _, *lines = [line.strip("|").split("|") for line in section.splitlines()]
    for line in lines:
        row: dict[str, list[str]] = {}
        for name, cell in zip(head, line, strict=True):
            row.setdefault(name.strip(), []).append(cell.strip())
        yield row


def bold(row: dict[str, list[str]]) -> str:
    """The head of the column that is bold, among those that are rates."""
    (name,) = [name for name, (cell, *_) in row.items() if re.match(r"[\d.]+$", name) and BOLD.match(cell)]
    return name


ADAM = {row["encoding"][0]: row for row in rows("4x128: Adam")}
MUON = {row["encoding"][0]: row for row in rows("4x128: Muon, in equal seconds")}


@pytest.mark.parametrize("row", ADAM)
def test_the_default_rates_are_those_the_search_chose(row: str):
    network = Network(activation="sine" if row.endswith("sine network") else "relu")
    encoding = parse_encoding(row.partition(",")[0])
    (own,) = [cell for cell in (*MUON[row]["Muon's rate"], *MUON[row].get("", [])) if BOLD.search(cell)]
    muon = Muon(float(own.partition(":")[0]))
    assert default_learning_rate(encoding, network, Adam()) == float(bold(ADAM[row]))
    assert with_rate(Muon(), encoding, network) == muon
    assert default_learning_rate(encoding, network, muon) == float(bold(MUON[row]))
    assert float(MUON[row]["gain on Adam, dB"][0]) > 0.5
    assert default_optimizer(encoding, network) == muon


def test_every_encoding_that_is_searched_has_a_row():
    searched = {type(parse_encoding(row.partition(",")[0])) for row in ADAM}
    assert searched == set(ENCODINGS.values())
    assert "raw, sine network" in ADAM


@pytest.mark.parametrize("row", [row["encoding"][0] for row in rows("4x256: Muon, in equal seconds")])
def test_it_is_ahead_of_adam_in_the_wider_network_as_well(row: str):
    (wide,) = [one for one in rows("4x256: Muon, in equal seconds") if one["encoding"][0] == row]
    assert float(wide["gain on Adam, dB"][0]) > 0.5
