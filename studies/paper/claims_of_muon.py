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
    better_foretold,
    difference,
    foretold,
    gain_held_back,
    midway,
    ratio,
    times,
)
from .judging import Claim, Part

BOTH = ("raw", "raw, muon")
"""Roles of the fits under narrow raw coordinates by either optimizer."""
MUON = "raw, muon"
"""The role whose fit is a dose of rank, beside those of density."""


def fewer_dead(when: str) -> Part[Fits]:
    """That Muon leaves fewer neurons dead; one is added, as there may be none."""
    measured = midway if when == "midway" else at_last
    return Part(
        f"dead neurons {when}, Adam over Muon",
        lambda fits: float(times(measured(fits.narrow, "dead") + 1, measured(fits.muon, "dead") + 1)),
        DOUBLINGS,
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
        "After equal steps Muon is ahead of Adam by 3 dB under raw coordinates, and by less with many octaves.",
        "up to 9 dB over the same architecture (McGinnis et al.)",
        (*BOTH, "fine", "fine, muon"),
        (
            Part("PSNR at the end, Muon over Adam", difference("psnr_db", "muon", "narrow"), "dB", above=3),
            Part(
                "the same less what Muon gains under fine",
                lambda fits: (
                    at_last(fits.muon, "psnr_db")
                    - at_last(fits.narrow, "psnr_db")
                    - (at_last(fits.fine_muon, "psnr_db") - at_last(fits.fine, "psnr_db"))
                ),
                "dB",
            ),
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
            fewer_dead("midway"),
            fewer_dead("at the end"),
        ),
    ),
    Claim(
        "N10",
        "What Muon gains over Adam is less on held-out pixels than on those that are trained on.",
        "Dragutinović & Ranganath (arXiv 2603.00742): Muon gives up a bias to simple solutions",
        ("held out, raw", "held out, fine"),
        (
            Part("gain in PSNR on trained pixels less that on held-out ones", gain_held_back("held out, raw"), "dB"),
            Part("the same under fine", gain_held_back("held out, fine"), "dB"),
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
        "Crease density midway says of what is missing at the end what stable rank does not, and more than rank says.",
        "not in either paper; density against rank",
        (*DOSES, MUON),
        (
            Part(
                "minus the partial rank correlation of density midway and what is missing at the end, given stable "
                "rank midway, over all doses and Muon",
                foretold(DENSITY, RANK, MUON),
            ),
            Part("the same less that of rank given density", better_foretold(DENSITY, RANK, MUON)),
            Part("the first without Muon", foretold(DENSITY, RANK)),
            Part("the second without Muon", better_foretold(DENSITY, RANK)),
        ),
    ),
    Claim(
        "N13",
        "Stable rank midway says of what is missing at the end what crease density does not.",
        "McGinnis et al. hold that rank is what matters; rank against density",
        (*DOSES, MUON),
        (
            Part(
                "minus the partial rank correlation of stable rank midway and what is missing at the end, given "
                "density midway, over all doses and Muon",
                foretold(RANK, DENSITY, MUON),
            ),
            Part("the same without Muon", foretold(RANK, DENSITY)),
        ),
    ),
)
"""N7-N13, in the order of their names."""
