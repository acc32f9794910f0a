"""How the page's numbers are read: of a picture or a 3D scene, and of a signal, which has samples and no pixels."""

from html import escape

Entries = tuple[tuple[str, str], ...]
"""Terms of the page with their meanings."""

_LEARNT = (
    "Half of its energy, error under a half",
    "The first recorded step at which {part} has half of the target's energy, be it right or wrong; and at which its "
    "error, the root of the residual's over the target's energy, is under one half.",
)

PICTURE_GUIDE: Entries = (
    (
        "PSNR",
        "How close the reconstruction comes to the target, in decibels over all training pixels; 6 dB more is half the "
        "error. Held-out PSNR is the same over pixels the network never saw; of a scene, the mean over whole views.",
    ),
    (
        "Kept",
        "The target is split into octaves of wavelength: 2–4 px is the finest texture, 32–64 px are broad shapes. The "
        "share says how much of each octave's energy the reconstruction has; 100 % is all of it.",
    ),
    (
        "Creases and density",
        "A ReLU network is made of smooth pieces that meet in creases, and can bend sharply only there. Density is the "
        "length of crease per area: how many creases a step of one pixel crosses on average, in a scene on what the "
        "camera sees. Networks with sine activations have none, which is no fault.",
    ),
    (
        "Missing detail",
        "The share of the target's energy, in the finest octave that matters, which the residual still holds in each "
        "window: 0 where the detail is there, 1 where all of it is absent, more where something wrong stands in its "
        "place.",
    ),
    (
        "Spectra",
        "Power in rings of frequency, marked by wavelength: where the residual's curve meets the target's, nothing of "
        "that detail is there. The ring correlation says whether what is there is the right detail: 1 the same, 0 "
        "unrelated. Resolved is the detail up to where it first falls under 1/7, or under 1/2.",
    ),
    (_LEARNT[0], _LEARNT[1].format(part="an octave")),
    (
        "Primary statistic",
        "The partial rank correlation of density with residual energy, given the target's own energy, fixed before "
        "looking. Clearly below zero: detail is missing where creases are few. The interval comes from resampling "
        "blocks of this picture, or views of this scene; it speaks of this picture or scene and this network.",
    ),
    ("“Goes with”", "The verdict reports what occurs together. It does not say that one causes the other."),
)

SIGNAL_GUIDE: Entries = (
    (
        "PSNR",
        "How close the reconstruction comes to the target, in decibels over all samples; 6 dB more is half the error.",
    ),
    (
        "Amplitude",
        "The reconstruction's amplitude at each frequency of the signal, as a share of the signal's own, in the right "
        "phase or not; 100 % is all of it. Frequencies are in cycles over the whole signal.",
    ),
    (
        "Creases and density",
        "A ReLU network is made of smooth pieces that meet in creases, and can bend sharply only there. Density is how "
        "many creases a step from one sample to the next crosses on average. Networks with sine activations have none, "
        "which is no fault.",
    ),
    (
        "Spectra",
        "Power at each frequency: the target's peaks, and where the residual's curve meets them, nothing of that wave "
        "is there.",
    ),
    (_LEARNT[0], _LEARNT[1].format(part="a frequency")),
)


def guide_html(entries: Entries) -> str:
    """Terms and their meanings as list items."""
    return "".join(f"<dt>{escape(term)}</dt><dd>{escape(meaning)}</dd>" for term, meaning in entries)
