"""Claims about the contest: what says where detail is missing, by what way creases do, and what a forecast is worth.

Their units are pictures, for what explains missing detail is to hold in pictures that nobody chose it by: a number is
of all fits of one picture, under encodings, by optimizers and with seeds, and it is the median over pictures that has
to be on one side. The numbers to reach were fixed before any picture of the contest was looked at.
"""

from fieldlens.studies.contest.effects import (
    Effect,
    Group,
    PictureFits,
    ahead,
    by_other_networks,
    correlation,
    encoded,
    forecast_order,
    given_kept,
    negative,
    off_forecast,
    raw,
    through_speed,
    with_waves,
)
from fieldlens.studies.contest.quantities import DENSITY, LEVERAGE, SPEED
from fieldlens.studies.contest.scores import When

from .judging import Claim, Part

NOT_THEIRS = "not in the paper, which has creases and the speed of gradient descent go together"


def typical(name: str, effect: Effect, above: float = 0.0) -> Part[PictureFits]:
    """A part whose number is the median over pictures."""
    return Part(f"median over pictures of {name}", effect, above=above, median=True)


def against_missing(what: str, effect: Effect, above: float = 0.0) -> Part[PictureFits]:
    """A part of a correlation that is to be negative."""

    def turned(picture: PictureFits) -> float | None:
        value = effect(picture)
        return None if value is None else -value

    return typical(f"minus the partial rank correlation of {what}", turned, above)


def sign_right(what: str, effect: Effect) -> Part[PictureFits]:
    """A part that nine of ten pictures are to have."""
    return Part(f"share of pictures in which that is negative, {what}", negative(effect), above=0.89)


GROUPS: tuple[tuple[str, Group], ...] = (("encoded", encoded), ("raw", raw))
"""Fits with an encoding and without."""

LEAST = {"encoded": 0.45, "raw": 0.25}
"""What speed's correlation has to reach in them."""


def no_tautology(what: str, name: str) -> tuple[Part[PictureFits], ...]:
    """Parts of a candidate that is to say something of the end where it cannot have drawn it itself."""
    return tuple(
        part
        for word, group in GROUPS
        for part in (
            against_missing(
                f"{what} at a tenth of the steps and missing detail at the end, {word}",
                correlation(name, When.EARLY, group),
            ),
            against_missing(
                f"{what} and missing detail given the energy kept as well, {word}", given_kept(name, group)
            ),
            against_missing(
                f"missing detail and its {what} in networks fitted to another picture, {word}",
                by_other_networks(name, group),
            ),
        )
    )


CONTEST_CLAIMS: tuple[Claim[PictureFits], ...] = (
    Claim(
        "X1",
        "Where a network is slow to move the target's detail, it is missing at the end, and speed says so better than "
        "crease density: among windows whose detail is alike in energy, peakiness and orientation.",
        NOT_THEIRS,
        (),
        tuple(
            part
            for word, group in GROUPS
            for part in (
                against_missing(
                    f"speed and missing detail at the end, {word}", correlation(SPEED, When.END, group), LEAST[word]
                ),
                sign_right(word, correlation(SPEED, When.END, group)),
                typical(f"how far it lies below that of crease density, {word}", ahead(SPEED, DENSITY, group)),
            )
        ),
    ),
    Claim(
        "X1b",
        "That is no tautology: early speed says it of the end, speed says it where as much detail was drawn already, "
        "and so does the speed of networks that were fitted to another picture.",
        "not in the paper; weights that drew a detail may also move it fast",
        (),
        no_tautology("speed", SPEED),
    ),
    Claim(
        "X1c",
        "Detail is missing where the directions that would move it are those that other pixels ask for as well: its "
        "leverage says better than speed, and better than crease density, where detail is missing.",
        "not in the paper, whose gradient confusion is of the same kind; this claim was made when one seed of the "
        "contest had been looked at",
        (),
        tuple(
            part
            for word, group in GROUPS
            for part in (
                against_missing(
                    f"leverage and missing detail at the end, {word}", correlation(LEVERAGE, When.END, group)
                ),
                sign_right(word, correlation(LEVERAGE, When.END, group)),
                typical(f"how far it lies below that of speed, {word}", ahead(LEVERAGE, SPEED, group)),
                typical(f"how far it lies below that of crease density, {word}", ahead(LEVERAGE, DENSITY, group)),
            )
        ),
    ),
    Claim(
        "X1d",
        "That is no tautology either: early leverage says it of the end, leverage says it where as much detail was "
        "drawn already, and so does the leverage in networks that were fitted to another picture.",
        "not in the paper",
        (),
        no_tautology("leverage", LEVERAGE),
    ),
    Claim(
        "X2",
        "Under raw coordinates creases make fine waves fast, and most of what crease density has to do with missing "
        "detail goes through the detail's speed.",
        NOT_THEIRS,
        (),
        (
            typical("the rank correlation of crease density and speed of fine waves, raw", with_waves(raw)),
            typical(
                "the share of density's effect on missing detail that goes through speed, raw", through_speed(raw), 0.5
            ),
        ),
    ),
    Claim(
        "X3",
        "The next step foretells, within a factor of two, how many more mend half of what is missing of the octave.",
        "not in the paper",
        (),
        (
            typical(
                "minus the median distance of foretold steps from those that it took, in powers of two,",
                lambda picture: None if (off := off_forecast(picture)) is None else -off,
                -1.0,
            ),
            typical("the rank correlation of foretold steps with those that it took", forecast_order, 0.5),
        ),
    ),
)
"""In the order of their names."""
