"""All claims of a study: those of the authors, those that answer them, and those about density in image space.

A1-A16 are the paper's statements, C1-C4 those that its own figures contradict or that its measure cannot carry. N1-N6
are about density in image space, which the paper does not measure, N7-N13 about optimizers and stable rank. Words and
units are those of `claims_of_authors`.
"""

from .claims_of_authors import RAW, STATED
from .claims_of_muon import MOVED
from .effects import (
    DOUBLINGS,
    LEAST_CHANGE,
    Fits,
    against_none,
    at_last,
    density_midway,
    fall,
    gain_in_patterns,
    off_prediction,
    ratio,
    rise,
    times,
    wider,
    with_dose,
)
from .judging import Claim, Part
from .runs import EPOCH


def doses(role: str, over: str) -> tuple[Part[Fits], ...]:
    """That a dose of density has its response, over the fits of a role."""
    missing = with_dose(role, "missing")
    return (
        Part(f"rank correlation over {over} of density midway and PSNR at the end", with_dose(role, "psnr_db")),
        Part(
            f"minus that of density midway and what is missing of the explained octave, over {over}",
            lambda fits: None if (correlation := missing(fits)) is None else -correlation,
        ),
    )


CLAIMS: tuple[Claim[Fits], ...] = (
    *STATED,
    Claim(
        "C1",
        "At the end of training raw coordinates have less global Hamming distance than many octaves.",
        "contradicted by the authors' figures: 460 and 450 at epoch 1000",
        ("raw", "fine"),
        (
            Part(
                "Hamming distance of opposite quadrants at the end, fine over narrow raw",
                ratio("hamming_opposite", "fine", "narrow"),
                DOUBLINGS,
                least_steps=1000 * EPOCH,
            ),
        ),
    ),
    Claim(
        "C2",
        "At the end of training raw coordinates have more global gradient confusion than many octaves.",
        "contradicted by the authors' figures: half widths 0.02 and 0.1 to 0.25 at epoch 1000",
        ("raw", "fine"),
        (
            Part(
                "spread of global cosines at the end, narrow raw over fine",
                wider("global", "narrow", "fine"),
                least_steps=1000 * EPOCH,
            ),
        ),
    ),
    Claim(
        "C3",
        "More octaves put more regions to use, counted as distinct patterns of pixels.",
        "262,144 of 262,144: every pixel has its own, so that the count says nothing",
        ("coarse", "fine"),
        (Part("distinct patterns, fine over coarse, where at most 60 % are unique", gain_in_patterns, DOUBLINGS),),
    ),
    Claim(
        "C4",
        "Regions around pixels are wider with more octaves, in image space.",
        "holds by the authors' measure only, which is in no image space",
        ("coarse", "fine"),
        (
            Part(
                "distance to the nearest crease at the end, fine over coarse",
                ratio("crease_distance", "fine", "coarse"),
                DOUBLINGS,
            ),
        ),
    ),
    Claim(
        "N1",
        "Under raw coordinates crease density first falls below that of the untrained network, then grows again.",
        "not in the paper; its first counts of patterns suggest it",
        RAW,
        (
            Part(
                "fall of crease density to its least, narrow raw",
                fall("narrow", "crease_length"),
                DOUBLINGS,
                above=LEAST_CHANGE,
            ),
            Part("rise from there to the end", rise("narrow", "crease_length"), DOUBLINGS, above=LEAST_CHANGE),
        ),
    ),
    Claim(
        "N2",
        "In an untrained network crease density grows with the octaves L like sqrt((4^L - 1) / L).",
        "not in the paper",
        ("coarse", "fine"),
        (
            Part(
                "minus the distance from that growth, coarse to fine",
                lambda f: -off_prediction(f),
                DOUBLINGS,
                above=-0.2,
            ),
        ),
    ),
    Claim(
        "N3",
        "Within a trained network of raw coordinates creases bend more where there is more detail, and more is missing "
        "where creases are few.",
        "not in the paper; an open question",
        RAW,
        (
            Part(
                "rank correlation of bend density with the target's energy, wide raw",
                lambda fits: at_last(fits.wide, "bend_detail"),
            ),
            Part(
                "minus the partial rank correlation of crease density with missing detail, wide raw",
                lambda fits: -at_last(fits.wide, "crease_missing"),
            ),
        ),
    ),
    Claim(
        "N4",
        "Raw coordinates on intervals that give more creases midway are fitted better at an equal number of steps.",
        "not in the paper; a dose and its response, though a wider interval changes more than the density",
        RAW,
        doses("raw", "intervals"),
    ),
    Claim(
        "N5",
        "So it is with first-layer biases that are spread before training: more creases midway, a better fit.",
        "not in the paper; a dose and its response",
        ("biases",),
        doses("biases", "spreads"),
    ),
    Claim(
        "N6",
        "Reviving dead neurons makes creases denser midway, and the fit better after as many steps.",
        "not in the paper; a dose and its response",
        ("revived",),
        (
            Part(
                "density midway, revived most often over never",
                against_none("revived", lambda most, none: float(times(density_midway(most), density_midway(none)))),
                DOUBLINGS,
            ),
            Part(
                "PSNR at the end, the same",
                against_none("revived", lambda most, none: at_last(most, "psnr_db") - at_last(none, "psnr_db")),
                "dB",
            ),
            Part(
                "missing of the explained octave, never over most often",
                against_none(
                    "revived", lambda most, none: float(times(at_last(none, "missing"), at_last(most, "missing")))
                ),
                DOUBLINGS,
            ),
        ),
    ),
    *MOVED,
)
"""A, C and N, each in the order of their names."""
