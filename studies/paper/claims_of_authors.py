"""The statements of Lazzari & Liu (arXiv 2301.05816), A1-A16, as measurements on the fits of a study.

Raw coordinates "narrow" are on [0, 1], "wide" on [-1, 1]; "coarse" and "fine" are the study's two positional encodings.
Ratios are in powers of two: 1 is twice as much.
"""

import numpy as np

from .effects import (
    DOUBLINGS,
    LEAST_CHANGE,
    Fits,
    at_first,
    at_last,
    bands_in_order,
    change_with_size,
    decline,
    deep_cosines,
    difference,
    early_death,
    fall,
    fewer_dead,
    least_global_over_local,
    least_growth,
    least_local_spread,
    least_step_in_cells,
    monotone,
    off_random,
    per_neuron,
    ratio,
    rise,
    rising,
    times,
    wider,
)
from .judging import Claim, Part
from .runs import EPOCH, LOOKED_AT

RAW, RAW_AND_ENCODED = ("raw",), ("raw", "coarse", "fine")
"""Roles of the fits that claims look at: raw coordinates alone, and those beside the two encodings."""


def spreads_when_looked_at(cosines: str, less: str, called: str = "") -> tuple[Part[Fits], ...]:
    """That gradients of near pairs spread wider under narrow raw coordinates, each time that the authors look.

    Args:
        less: of `Fits`, where they spread less.
        called: it, in the part's name.
    """
    return tuple(
        Part(
            f"spread of {cosines} after {step:,} steps, narrow raw over {called or less}",
            wider("local", "narrow", less, step),
            least_steps=step,
        )
        for step in LOOKED_AT
    )


STATED: tuple[Claim[Fits], ...] = (
    Claim(
        "A1",
        "Low frequencies are fitted before high ones, under any encoding.",
        "figures; Rahaman et al. 2019",
        RAW_AND_ENCODED,
        (
            Part(
                "rank correlation of wavelength with how early the error is under a half, at its least", bands_in_order
            ),
        ),
    ),
    Claim(
        "A2",
        "Raw coordinates leave high frequencies unfitted where positional encoding fits them.",
        "19.3 to 25.6 dB (Tancik et al. 2020)",
        ("raw", "fine"),
        (
            Part(
                "PSNR of fine over the better of narrow and wide raw",
                lambda f: at_last(f.fine, "psnr_db") - max(at_last(h, "psnr_db") for h in (f.narrow, f.wide)),
                "dB",
                above=3,
            ),
        ),
    ),
    Claim(
        "A3",
        "Local gradient confusion is wider for raw coordinates than for positional encoding.",
        "half widths about 0.95 to 0.25 at epoch 15, 0.5 to 0.2 at epoch 1000 (from figures)",
        ("raw", "fine"),
        spreads_when_looked_at("local cosines", "fine"),
    ),
    Claim(
        "A4",
        "Local Hamming distance: narrow raw below wide raw below coarse below fine, at all times.",
        "70, 87, 280, 325 of 2048 at epoch 1000 (from figures)",
        RAW_AND_ENCODED,
        (
            Part(
                "least step up in this order, at any time",
                lambda fits: rising([history["hamming_local"] for history in fits.four]),
                DOUBLINGS,
            ),
        ),
    ),
    Claim(
        "A5",
        "Patterns differ less, and gradients are more confused, between near pixels than between far ones.",
        "figures",
        RAW_AND_ENCODED,
        (
            Part("global over local Hamming distance, at its least", least_global_over_local, DOUBLINGS),
            Part("local over global spread of cosines at the end, at its least", least_local_spread),
        ),
    ),
    Claim(
        "A6",
        "Global Hamming distance rises throughout for raw coordinates; with many octaves it peaks and declines.",
        "155 to 460; 405, 590 at its peak, 450 (from figures)",
        ("raw", "fine"),
        (
            Part(
                "rank correlation of step and Hamming distance of opposite quadrants from step 320 on, narrow raw",
                lambda fits: monotone(fits.narrow.since("hamming_opposite", 10 * EPOCH)),
                above=0.9,
                least_steps=100 * EPOCH,
            ),
            Part(
                "decline from the peak, fine",
                lambda fits: decline(fits.fine["hamming_opposite"]),
                "share of the peak",
                above=0.2,
                least_steps=300 * EPOCH,
            ),
        ),
    ),
    Claim(
        "A7",
        "Distinct patterns: narrow raw, wide raw, one octave, two, many, in rising order, and not falling in training.",
        "197k, 219k, 236k, 252k, 262k of 262,144 at epoch 1000 (from figures)",
        ("raw", "few", "fine"),
        (
            Part(
                "cells in nine windows, at the end: least step up from narrow to wide raw to few octaves",
                least_step_in_cells,
                DOUBLINGS,
            ),
            Part(
                "distinct patterns, saturated as they are: fine over few octaves, at its least",
                lambda fits: rising([fits("few")[-1].since("patterns", EPOCH), fits.fine.since("patterns", EPOCH)]),
                DOUBLINGS,
                above=-0.01,
            ),
            Part(
                "least growth from one time to the next from step 32 on, raw (5 % less is let pass)",
                least_growth,
                DOUBLINGS,
                above=-0.07,
            ),
        ),
    ),
    Claim(
        "A8",
        "Raw coordinates on narrow intervals leave neurons dead, and training kills more of them early.",
        "632, 329, 189, 151 of 2048 at first; 1075, 867, 772, 742 at the end",
        RAW,
        (
            Part("least step down in dead neurons, narrow to wide, at first", lambda f: fewer_dead(f, 0), DOUBLINGS),
            Part("the same at the end", lambda fits: fewer_dead(fits, -1), DOUBLINGS),
            Part(
                "dead at the end, narrow raw",
                lambda fits: at_last(fits.narrow, "dead") / fits.neurons,
                "share of neurons",
                above=0.45,
                least_steps=50 * EPOCH,
            ),
            Part("of those that die, dead after 1,600 steps", early_death, "share", above=0.5, least_steps=500 * EPOCH),
        ),
    ),
    Claim(
        "A9",
        "What positional encoding adds sits in the first layer: its patterns are nearly random there.",
        "217-243 of 256; raw 67-110 (from figures)",
        ("raw", "fine"),
        (
            Part(
                "closeness to random patterns, fine, layer 1, at its least",
                lambda f: 1 - off_random(f),
                "1 is random",
                above=0.85,
            ),
            Part(
                "margin of narrow raw below 120 of 512 neurons, layer 1, at its least",
                lambda fits: 120 / 512 - float(np.max(fits.narrow["hamming_global__layer1"])) / fits.width,
                "share of neurons",
            ),
        ),
    ),
    Claim(
        "A10",
        "Raw coordinates need larger weights: products of spectral norms fall from raw to coarse to fine.",
        "530k and 657k, 418k, 205k at epoch 1000 (from figures)",
        RAW_AND_ENCODED,
        (
            Part("narrow raw over coarse", ratio("norm_product", "narrow", "coarse"), DOUBLINGS),
            Part("wide raw over coarse", ratio("norm_product", "wide", "coarse"), DOUBLINGS),
            Part("coarse over fine", ratio("norm_product", "coarse", "fine"), DOUBLINGS),
        ),
    ),
    Claim(
        "A11",
        "In training the neurons of deeper layers turn the same way, with more octaves more so.",
        "figures",
        ("coarse", "fine"),
        (
            Part("least mean cosine of a deeper layer, fine", lambda fits: min(deep_cosines(fits.fine))),
            Part("last layer over second, fine", lambda fits: deep_cosines(fits.fine)[-1] - deep_cosines(fits.fine)[0]),
            Part(
                "mean over deeper layers, fine over coarse",
                lambda fits: float(np.mean(deep_cosines(fits.fine)) - np.mean(deep_cosines(fits.coarse))),
            ),
        ),
    ),
    Claim(
        "A12",
        "By the authors' measure regions first shrink, then grow, and end wider with more octaves.",
        "4.8e-4, 1.8e-4 to 2.8e-4, 4.1e-4 (4 octaves) to 6.3e-4 (20) (from figures)",
        ("coarse", "fine"),
        (
            Part(
                "the measure falls, fine",
                fall("fine", "narrowness"),
                DOUBLINGS,
                above=LEAST_CHANGE,
                least_steps=200 * EPOCH,
            ),
            Part(
                "and rises again, fine",
                rise("fine", "narrowness"),
                DOUBLINGS,
                above=LEAST_CHANGE,
                least_steps=500 * EPOCH,
            ),
            Part(
                "the measure at the end, fine over coarse",
                ratio("narrowness", "fine", "coarse"),
                DOUBLINGS,
                least_steps=1000 * EPOCH,
            ),
        ),
    ),
    Claim(
        "A12b",
        "In image space more octaves have nearer creases, before training.",
        "not measured; the opposite of A12's order",
        ("coarse", "fine"),
        (
            Part(
                "distance to the nearest crease in image space at first, coarse over fine",
                ratio("crease_distance", "coarse", "fine", at_first),
                DOUBLINGS,
            ),
        ),
    ),
    Claim(
        "A13",
        "An encoding of one frequency leaves random pixels with shared patterns.",
        "fewer than 4096 of 4096",
        ("one octave",),
        (
            Part(
                "pixels whose pattern another has as well, at its least",
                lambda fits: 1 - float(np.max(fits("one octave")[0]["unique_share"])),
                "share of pixels",
                above=0.01,
            ),
        ),
    ),
    Claim(
        "A14",
        "Larger networks have more Hamming distance but less of it per neuron; local distance per neuron is much less "
        "for raw coordinates, and hardly changes with size.",
        "figures",
        ("sizes, raw", "sizes, fine"),
        (
            Part(
                "least step up with size, global, fine",
                lambda fits: rising([at_last(h, "hamming_global") for h in fits("sizes, fine")]),
                DOUBLINGS,
            ),
            Part(
                "least step down with size, global per neuron, fine",
                lambda fits: rising(per_neuron(fits, "sizes, fine", "hamming_global")[::-1]),
                DOUBLINGS,
            ),
            Part(
                "local per neuron, fine over narrow raw, at its least over sizes",
                lambda fits: min(
                    float(times(fine, raw))
                    for fine, raw in zip(
                        per_neuron(fits, "sizes, fine", "hamming_local"),
                        per_neuron(fits, "sizes, raw", "hamming_local"),
                        strict=True,
                    )
                ),
                DOUBLINGS,
                above=1,
            ),
            Part(
                "minus the change of local per neuron from the smallest to the largest, narrow raw",
                lambda fits: -change_with_size(fits),
                DOUBLINGS,
                above=-0.5,
            ),
        ),
    ),
    Claim(
        "A15",
        "Denser coordinates make it harder: the same picture on half the interval has less local Hamming distance, "
        "more local confusion, and is fitted less.",
        "70 and 87 of 2048 at epoch 1000 (from figures)",
        RAW,
        (
            Part("local Hamming distance, wide over narrow", ratio("hamming_local", "wide", "narrow"), DOUBLINGS),
            Part(
                "spread of local cosines at the end, narrow over wide",
                wider("local", "narrow", "wide"),
                least_steps=100 * EPOCH,
            ),
            Part("PSNR, wide over narrow", difference("psnr_db", "wide", "narrow"), "dB"),
        ),
    ),
    Claim(
        "A16",
        "In many dimensions gradients are less confused: digits, against raw coordinates of a picture.",
        "cosines of 25 nearest and 25 farthest at 0 for MNIST, Fashion and CIFAR (from figures)",
        ("raw", "digits"),
        spreads_when_looked_at("cosines of near pairs", "digits"),
    ),
)
"""A1-A16, in the order of their names."""
