"""What would help: only what the study has changed, under encodings that it has tried."""

import pytest

from fieldlens.analysis.detail.reasons import REASONS
from fieldlens.analysis.detail.remedies import NONE_KNOWN, UNTRIED, remedies
from fieldlens.configs.encoding import Basic, Encoding, Fourier, Gaussian, HashGrid, Own, Positional, Raw
from fieldlens.configs.optimizer import Adam, Muon


@pytest.mark.parametrize(
    ("encoding", "few", "slow"),
    [
        (
            Raw(),
            "A positional encoding, such as fourier:8, would make more creases, and so would a wider interval of the "
            "coordinates (A2 and N4 of docs/paper.md).",
            "A positional encoding, such as fourier:8, would learn fine detail faster",
        ),
        (
            Fourier(6),
            "More octaves of the encoding would make more creases (A2 of docs/paper.md).",
            "More octaves of the encoding would learn fine detail faster",
        ),
    ],
)
def test_waves_help_raw_coordinates_and_octaves_and_muon_a_fit_that_has_it_not(
    encoding: Encoding, few: str, slow: str
) -> None:
    assert remedies(["few creases"], encoding, Muon()) == remedies(["few creases"], encoding, Adam()) == few
    assert remedies(["slow"], encoding, Muon()) == f"{slow} (A2 of docs/paper.md)."
    assert remedies(["slow"], encoding, Adam()) == (
        f"{slow}, and so would Muon in place of Adam (A2 and N8 of docs/paper.md)."
    )


@pytest.mark.parametrize("encoding", [HashGrid(), Gaussian(), Basic(), Positional(), Own("mine.py", "waves")], ids=str)
def test_where_the_study_has_tried_nothing_no_octaves_are_named(encoding: Encoding) -> None:
    assert remedies(["few creases", "slow"], encoding, Adam()) == UNTRIED
    everything = remedies(REASONS, encoding, Adam())
    assert everything == f"More steps would help. {NONE_KNOWN} {UNTRIED}"
    assert "ctaves" not in everything
