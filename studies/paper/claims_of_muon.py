"""Claims about Muon and Adam, and about the stable rank of hidden layers beside the density of creases, N7-N13.

Words and units are those of `claims_of_authors`. Muon's fits are of narrow raw coordinates where nothing else is said.
"""

from .claims_of_authors import spreads_when_looked_at
from .effects import (
    DENSITY,
    DOSES,
    DOUBLINGS,
    LEAST_CHANGE,
    RANK,
    Fits,
    at_first,
    at_last,
    difference,
    midway,
    ratio,
    times,
)
from .effects_of_muon import ahead_at_equal, foretold, gain_held_back, gain_less, more_foretold
from .judging import Claim, Part

BOTH = ("raw", "raw, muon")
"""Roles of the fits under narrow raw coordinates by either optimizer."""
MUON = "raw, muon"
"""The role whose fit is a dose of rank, beside those of density."""


def fewer_dead_by_muon(when: str) -> Part[Fits]:
    """That Muon leaves fewer neurons dead; one is added, as there may be none."""
    measured = midway if when == "midway" else at_last
    return Part(
        f"dead neurons {when}, Adam over Muon",
        lambda fits: float(times(measured(fits.narrow, "dead") + 1, measured(fits.muon, "dead") + 1)),
        DOUBLINGS,
    )


def beyond(by: str, given: str, called: tuple[str, str]) -> tuple[tuple[Part[Fits], Part[Fits]], ...]:
    """That one column midway foretells the end beyond another, with Muon and without, of either response.

    Each in two parts: that more of it goes with the better fit, and that it says more than the other does.

    Args:
        called: the two columns in words.
    """
    this, other = called
    return tuple(
        (
            Part(
                f"{sign}partial rank correlation of {this} midway and {words} at the end, given {other} midway, over "
                f"all doses {muon}",
                foretold(by, given, *more, response=response),
                zero=f"0 by convention: in every unit {other} alone puts {words} in order",
            ),
            Part(
                f"size of this correlation less that of {other}'s, given {this}",
                more_foretold(by, given, *more, response=response),
            ),
        )
        for more, muon in (((MUON,), "and Muon"), ((), "without Muon"))
        for response, sign, words in (("missing", "minus the ", "what is missing"), ("psnr_db", "", "PSNR"))
    )


MOVED: tuple[Claim[Fits], ...] = (
    Claim(
        "N7",
        "Under raw coordinates the stable rank of hidden layers falls in training by Adam, and does not by Muon.",
        "McGinnis et al. (arXiv 2512.14366), figures",
        BOTH,
        (
            Part(
                "fall of the mean stable rank from first to last, Adam",
                lambda fits: float(times(at_first(fits.narrow, RANK), at_last(fits.narrow, RANK))),
                DOUBLINGS,
                above=LEAST_CHANGE,
            ),
            Part(
                "its rise from first to last, Muon (7 % less is let pass)",
                lambda fits: float(times(at_last(fits.muon, RANK), at_first(fits.muon, RANK))),
                DOUBLINGS,
                above=-LEAST_CHANGE,
            ),
        ),
    ),
    Claim(
        "N8",
        "After equal steps Muon is ahead of Adam by 3 dB under raw coordinates, and by less with many octaves. It is "
        "ahead of Adam at its searched rate as well.",
        "up to 9 dB over the same architecture (McGinnis et al.)",
        (*BOTH, "fine", "fine, muon", "raw, searched", "fine, searched"),
        (
            Part("PSNR at the end, Muon over Adam", difference("psnr_db", "muon", "narrow"), "dB", above=3),
            Part("the same less what Muon gains under fine", gain_less("narrow", "fine"), "dB"),
            Part(
                "PSNR at the end, Muon over Adam at its searched rate", difference("psnr_db", "muon", "searched"), "dB"
            ),
            Part("the same less what Muon gains under fine", gain_less("searched", "fine_searched"), "dB"),
        ),
    ),
    Claim(
        "N9",
        "Muon has more crossings and fewer dead neurons than Adam, midway and at the end.",
        "not in either paper",
        BOTH,
        (
            Part("crossings midway, Muon over Adam", ratio("crossings", "muon", "narrow", midway), DOUBLINGS),
            Part("crossings at the end, the same", ratio("crossings", "muon", "narrow"), DOUBLINGS),
            fewer_dead_by_muon("midway"),
            fewer_dead_by_muon("at the end"),
        ),
    ),
    Claim(
        "N10",
        "What Muon gains over Adam is less on held-out pixels than on those that are trained on, and where these are "
        "fitted equally well, held-out ones are fitted less well by Muon.",
        "Dragutinović & Ranganath (arXiv 2603.00742): Muon gives up a bias to simple solutions",
        ("held out, raw", "held out, fine"),
        (
            Part("gain in PSNR on trained pixels less that on held-out ones", gain_held_back("held out, raw"), "dB"),
            Part("the same under fine", gain_held_back("held out, fine"), "dB"),
            Part(
                "PSNR of held-out pixels at equal PSNR of trained ones, Adam over Muon",
                ahead_at_equal("held out, raw"),
                "dB",
            ),
            Part("the same under fine", ahead_at_equal("held out, fine"), "dB"),
        ),
    ),
    Claim(
        "N11",
        "Local gradient confusion is narrower under Muon than under Adam.",
        "not in either paper",
        BOTH,
        spreads_when_looked_at("local cosines", "muon", "the same by Muon"),
    ),
    Claim(
        "N12",
        "Of doses with equal stable rank midway, those with denser creases midway are fitted better at the end, and "
        "density tells more of it than rank does.",
        "not in either paper; density against rank",
        (*DOSES, MUON),
        tuple(part for both in beyond(DENSITY, RANK, ("density", "stable rank")) for part in both),
    ),
    Claim(
        "N13",
        "Of doses with equal crease density midway, those with a higher stable rank midway are fitted better at the "
        "end.",
        "McGinnis et al. hold that rank is what matters; rank against density",
        (*DOSES, MUON),
        tuple(direction for direction, _ in beyond(RANK, DENSITY, ("stable rank", "density"))),
    ),
)
"""N7-N13, in the order of their names."""
