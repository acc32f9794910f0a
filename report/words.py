"""What a page calls the parts of what is fitted: a picture or a 3D scene, or a signal."""

from dataclasses import dataclass

from fieldlens.report.guide import PICTURE_GUIDE, SIGNAL_GUIDE, Entries


@dataclass(frozen=True)
class Words:
    """What the texts of a page call the parts of what is fitted."""

    step: str
    """What lies from one sample to the next."""
    followed: str
    """What the curves of `Curves.energy_kept` show."""
    crossings: str
    """The unit of crease density."""
    in_cycles: bool
    """Whether frequencies are in cycles over the whole; if not, they are wavelengths in pixels."""
    guide: Entries
    """How the page's numbers are read."""
    mapped: str
    """Which octaves maps of speed and progress have."""
    psnr_of: str = ""
    """Which pixels the PSNR of curves is of, where not of all: "of 65,536 training pixels"."""
    energy_of: str = ""
    """Which part of the picture the other curves are of, where not of all."""


PICTURE_WORDS = Words(
    "pixel",
    "energy kept by wavelength",
    "crossings / px",
    in_cycles=False,
    guide=PICTURE_GUIDE,
    mapped="in the finest octave that matters",
)
"""Of pictures, and of 3D scenes, whose views are pictures."""

SIGNAL_WORDS = Words(
    "sample",
    "amplitude recovered by frequency, as a share of the signal's",
    "crossings / sample",
    in_cycles=True,
    guide=SIGNAL_GUIDE,
    mapped="octave by octave, with wavelengths in samples",
)
"""Of signals, which have samples and no pixels."""
