"""Why detail is missing: windows made so that the reason is known, shares by hand, and what is said of them."""

from typing import Any

import numpy as np
import pytest
from jaxtyping import Float

from fieldlens.analysis.detail.reasons import (
    BY_MUON,
    MORE_STEPS,
    NONE_KNOWN,
    REASONS,
    UNTRIED,
    Motion,
    Reason,
    reasons_of,
    reasons_sentences,
    remedies,
    steps_in_words,
    worst_places,
)
from fieldlens.analysis.detail.windows import Place, windows_of_side
from fieldlens.configs.encoding import Basic, Encoding, Fourier, Gaussian, HashGrid, Own, Positional, Raw
from fieldlens.configs.optimizer import Adam, Muon

OF_FOURIER: dict[str, Any] = {"encoding": Fourier(6), "optimizer": Adam()}

STEPS = 100
PACE = np.log(2) / STEPS
"""The share of a window's missing energy that has to be mended in a step to count as on its way."""


def motion(
    missing: Float[np.ndarray, "rows columns"],
    *,
    progress: float | Float[np.ndarray, "rows columns"] = 0.0,
    own_push: float | Float[np.ndarray, "rows columns"] = 0.0,
    crossings: float | Float[np.ndarray, "rows columns"] | None = 5.0,
) -> Motion:
    """Windows of 16 px of the octave of 2-4 px, with progress and push as multiples of `PACE` times what is missing."""
    rows, columns = missing.shape
    return Motion(
        windows_of_side(16 * rows, 16 * columns, 16).blocks(),
        longest_px=4,
        missing=missing,
        floor=np.full(missing.shape, 1e-6),
        progress=PACE * missing * progress,
        own_push=PACE * missing * own_push,
        crossings=None if crossings is None else np.broadcast_to(crossings, missing.shape),
        steps=STEPS,
    )


@pytest.mark.parametrize(
    ("progress", "own_push", "crossings", "reason"),
    [
        (1.01, 0.0, 0.0, "on its way"),
        (0.99, 1.01, 0.0, "hindered"),
        (-3.0, 1.01, 9.0, "hindered"),
        (0.99, 0.99, 0.49, "few creases"),
        (0.99, 0.99, 0.51, "slow"),
        (0.0, 0.0, None, "slow"),
        (1.01, 0.0, None, "on its way"),
    ],
)
def test_the_first_rule_that_holds_is_the_reason(
    progress: float, own_push: float, crossings: float | None, reason: Reason
) -> None:
    """With 2 bends in a wave of 4 px half a crossing per pixel is the least."""
    found = reasons_of(motion(np.ones((9, 9)), progress=progress, own_push=own_push, crossings=crossings))
    assert (found.of_window == REASONS.index(reason)).all()
    assert found.leading == reason
    assert found.shares[reason].share == 1


def test_shares_are_of_the_missing_energy_and_not_of_windows() -> None:
    missing = np.ones((8, 8))
    missing[0, 0] = 64 + 63  # two thirds of all
    progress = np.zeros((8, 8))
    progress[0, 0] = 2.0
    found = reasons_of(motion(missing, progress=progress))
    assert found.shares["on its way"].share == pytest.approx(127 / 190)
    assert found.shares["slow"].share == pytest.approx(63 / 190)
    assert found.leading is None  # four blocks decide nothing


def test_steps_to_mend_are_of_all_that_is_on_its_way() -> None:
    missing = np.array([[1.0, 3.0, 5.0]])
    found = reasons_of(motion(missing, progress=np.array([[2.0, 1.0, 0.5]])))
    # half of 1 + 3 at 2 + 3 times PACE a step
    assert found.steps_to_mend == pytest.approx(np.log(2) * 4 / (PACE * 5))


@pytest.mark.parametrize(("halves", "leading"), [(0.5, None), (0.8, "few creases")])
def test_a_reason_leads_only_where_blocks_of_the_picture_decide_it(halves: float, leading: Reason | None) -> None:
    missing = np.ones((32, 32))
    few = np.random.default_rng(0).random((8, 8)) < halves  # whole blocks of 4 x 4 windows
    crossings = np.where(np.kron(few, np.ones((4, 4))) > 0, 0.1, 9.0)
    found = reasons_of(motion(missing, crossings=crossings))
    assert found.leading == leading
    interval = found.shares["few creases"].interval
    assert interval is not None
    assert interval.low < found.shares["few creases"].share < interval.high


def test_where_nothing_is_missing_nothing_is_said() -> None:
    found = reasons_of(motion(np.full((8, 8), 1e-7)))
    assert (found.of_window == -1).all()
    assert (found.shares, found.leading) == ({}, None)
    assert reasons_sentences(found, has_creases=True, **OF_FOURIER) == ()


def test_windows_that_are_not_asked_do_not_count() -> None:
    missing = np.ones((8, 8))
    missing[1::2] = np.nan
    progress = np.where(np.isnan(missing), np.nan, 2.0)
    found = reasons_of(motion(missing, progress=progress))
    assert (found.of_window[1::2] == -1).all()
    assert found.shares["on its way"].share == 1


def test_sentences_name_the_reasons_worth_saying_the_largest_first() -> None:
    missing = np.ones((1, 100))
    progress = np.where(np.arange(100) < 30, 2.0, 0.0)[None]
    crossings = np.where(np.arange(100) < 97, 0.1, 9.0)[None]  # of 3 %, too little to be named, there are enough
    why, *_ = reasons_sentences(
        reasons_of(motion(missing, progress=progress, crossings=crossings)), has_creases=True, **OF_FOURIER
    )
    assert why == (
        "Of what is missing, 67 % lies where there are too few creases to draw it; 30 % is being learnt: half of it "
        "would be there after about 50 more steps at this pace; the rest has other reasons."
    )


@pytest.mark.parametrize(
    ("on_its_way", "undecided"), [(2, "whether this is the reason of most of it"), (30, "which of these leads")]
)
def test_where_too_few_blocks_decide_the_words_fit_the_number_of_reasons(on_its_way: int, undecided: str) -> None:
    progress = np.where(np.arange(100) < on_its_way, 2.0, 0.0).reshape(10, 10)
    found = reasons_of(motion(np.ones((10, 10)), progress=progress))
    assert found.leading is None
    sentence, helping = reasons_sentences(found, has_creases=True, **OF_FOURIER)
    assert sentence.endswith(f"There are too few windows, or they are too unlike, to be sure {undecided}.")
    assert ("More steps would help." in helping) == (on_its_way == 30)
    assert "More octaves" in helping


def test_of_a_network_without_creases_nothing_is_said_of_them() -> None:
    why, _ = reasons_sentences(reasons_of(motion(np.ones((8, 8)), crossings=None)), has_creases=False, **OF_FOURIER)
    assert why == "Of what is missing, 100 % lies where training hardly moves the detail."


@pytest.mark.parametrize(
    ("encoding", "few", "slow"),
    [
        (
            Raw(),
            "A positional encoding, such as fourier:8, would make more creases, and so would a wider interval of the "
            "coordinates (claims A2 and N4 of the study in docs/paper.md).",
            "A positional encoding, such as fourier:8, would learn fine detail faster",
        ),
        (
            Fourier(6),
            "More octaves of the encoding would make more creases (claim A2 of the study in docs/paper.md).",
            "More octaves of the encoding would learn fine detail faster",
        ),
    ],
)
def test_waves_help_raw_coordinates_and_octaves_and_muon_a_fit_that_has_it_not(
    encoding: Encoding, few: str, slow: str
) -> None:
    assert remedies(["few creases"], encoding, Muon()) == remedies(["few creases"], encoding, Adam()) == few
    assert remedies(["slow"], encoding, Muon()) == f"{slow} (claim A2 of the study in docs/paper.md)."
    assert remedies(["slow"], encoding, Adam()) == (
        f"{slow}, and so would Muon in place of Adam (claims A2 and N8 of the study in docs/paper.md)."
    )


def test_no_more_octaves_are_named_than_the_pixels_tell_apart() -> None:
    more = "More octaves of the encoding would learn fine detail faster"
    assert remedies(["slow"], Fourier(8), Adam(), resolution=256).startswith(more)
    assert Fourier(9).aliasing_note(128) is not None
    assert remedies(["slow"], Fourier(8), Adam(), resolution=128) == BY_MUON
    assert remedies(["slow"], Fourier(8), Muon(), resolution=128) == NONE_KNOWN
    assert remedies(["few creases"], Fourier(8), Adam(), resolution=128) == NONE_KNOWN
    assert remedies(["on its way", "slow"], Fourier(8), Muon(), resolution=128) == MORE_STEPS


@pytest.mark.parametrize("encoding", [HashGrid(), Gaussian(), Basic(), Positional(), Own("mine.py", "waves")], ids=str)
def test_where_the_study_has_tried_nothing_no_octaves_are_named(encoding: Encoding) -> None:
    assert remedies(["few creases", "slow"], encoding, Adam()) == UNTRIED
    everything = remedies(REASONS, encoding, Adam())
    assert everything == f"More steps would help. {UNTRIED}"
    assert remedies(["hindered"], encoding, Adam()) == NONE_KNOWN
    assert "ctaves" not in everything


def test_several_views_are_one_scene_whose_blocks_are_those_of_each() -> None:
    """Two views of nine blocks each, of different windows: together they are enough to be resampled."""
    rng = np.random.default_rng(0)
    one, other = (motion(rng.random((12, columns)), progress=1.5 * rng.random((12, columns))) for columns in (12, 13))
    joined = Motion.joined([one, other])
    assert reasons_of(one).leading is None
    assert reasons_of(joined).leading == "slow"
    assert np.unique(joined.blocks).tolist() == list(range(18))
    parts = [reasons_of(part).of_window.ravel() for part in (one, other)]
    np.testing.assert_array_equal(reasons_of(joined).of_window[0], np.concatenate(parts))
    energies = [part.missing.sum() for part in (one, other)]
    for reason, share in reasons_of(joined).shares.items():
        of_each = [reasons_of(part).shares[reason].share for part in (one, other)]
        assert share.share == pytest.approx(np.average(of_each, weights=energies))


def test_the_worst_places_are_where_most_energy_is_missing() -> None:
    missing = np.array([[1.0, 2.0], [np.nan, 4.0]])
    assert worst_places(missing, windows_of_side(32, 32, 16), most=2) == (Place(16, 16, 16), Place(16, 0, 16))
    twice = worst_places(missing, windows_of_side(32, 32, 16), reduced_by=2, most=1)
    assert [place.label for place in twice] == ["x 48, y 48"]


@pytest.mark.parametrize(("steps", "words"), [(0.2, "1"), (14.4, "14"), (149_999, "150,000")])
def test_steps_are_said_to_two_digits(steps: float, words: str) -> None:
    assert steps_in_words(steps) == words
