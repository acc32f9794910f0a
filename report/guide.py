"""How the page's numbers are read: of a picture or a 3D scene, and of a signal, which has samples and no pixels."""

from html import escape

Entries = tuple[tuple[str, str], ...]
"""Terms of the page with their meanings."""

_LEARNT = (
    "Half of its energy, error under a half",
    "The first recorded step at which {part} has half of the target's energy, be it right or wrong. Beside it, the "
    "first step at which its error is under one half: the root of the error's energy over the target's.",
)

_CREASES = (
    "A ReLU network is made of smooth pieces. They meet in creases, and only there can it bend sharply. Density is how "
    "many creases a step of one {step} crosses on average{seen}. Networks with sines in place of ReLUs have "
    "none, which is no fault."
)

_SPEED = (
    "Speed",
    "How strongly one step of training could move the detail {where}, if it had to mend nothing else. Where it is "
    "near zero, steps hardly change that detail. Compare places of one network, not networks with each other.",
)

_PROGRESS = (
    "Progress",
    "How many steps like the next one would mend half of what is missing {where}. Few steps: it is being learnt. One "
    "colour marks places that the step makes worse: steps for other places can undo what their own would mend.",
)

PICTURE_GUIDE: Entries = (
    (
        "PSNR",
        "How close the reconstruction comes to the target, in decibels over all training pixels, or in a scene over a "
        "sample of them. 6 dB more is half the error. Curves may be of fewer pixels, and then say so.",
    ),
    (
        "Held-out",
        "PSNR over pixels that the network never saw. Of a scene it is the mean over whole views; “view by view” has "
        "that of each.",
    ),
    (
        "SSIM",
        "How alike reconstruction and target are in brightness, contrast and pattern, place by place (Wang et al. "
        "2004). 1 is the same.",
    ),
    (
        "Kept",
        "The target is split into octaves of wavelength: 2–4 px is the finest texture, 32–64 px are broad shapes. The "
        "share says how much of each octave's energy the reconstruction has, in the right places or not. 100 % is as "
        "much as the target.",
    ),
    ("Density", _CREASES.format(step="pixel", seen=", in a scene on what the camera sees")),
    (
        "Window",
        "One of the squares that the picture is cut into, to measure detail place by place. A side is 16 px or more: "
        "four of the longest waves that are looked at.",
    ),
    (
        "Missing",
        "The error's energy over the detail's, window by window, in the finest octave that matters. 0 %: all detail is "
        "there. 100 %: none of it. More: what is there is wrong. Windows with hardly any detail are grey. Missing and "
        "kept need not add up to 100 %: detail that is drawn wrongly counts as kept energy, and as error.",
    ),
    (_SPEED[0], _SPEED[1].format(where="of a window")),
    (
        "Leverage",
        "How much of the detail of a window the network could change while all other places stay as they are. 1: its "
        "weights are free for it. Next to none: other places need the same weights. Networks can be compared by it.",
    ),
    (_PROGRESS[0], _PROGRESS[1].format(where="in a window")),
    (
        "Capacity",
        "Could these creases draw it better? The last layer is fitted anew in each window, with all creases left in "
        "place. The map shows how much of the error stays. Where little stays, these creases would do, and "
        "training has not found the weights. Where most stays, other weights of the last layer would not help.",
    ),
    (
        "Error against leverage",
        "Are errors larger where the network has less leverage? −1: always. 0: there is no such rule. +1: the other "
        "way round. Places are compared whose detail is alike: as strong, as sparse, and as much in one direction. In "
        "brackets is the range of 95 in 100 numbers that come out where parts of this picture are drawn anew.",
    ),
    (
        "Error against creases",
        "Are errors larger where creases are fewer? −1: always. 0: there is no such rule. +1: the other way round. "
        "Places are compared that are equally detailed. In brackets is the range of 95 in 100 numbers that come out "
        "where parts of this picture, or views of this scene, are drawn anew. It says what goes together here, and "
        "names no cause.",
    ),
    (
        "Spectra",
        "Power by wavelength. Where the curve of the residual, which is the error, meets the target's, nothing of that "
        "detail is there. The ring correlation says whether what is there is the right detail: 1 the same, 0 "
        "unrelated. Detail is resolved up to where it first falls under 1/7, or under 1/2.",
    ),
    (_LEARNT[0], _LEARNT[1].format(part="an octave")),
)

SIGNAL_GUIDE: Entries = (
    (
        "PSNR",
        "How close the reconstruction comes to the target, in decibels over all samples. 6 dB more is half the error.",
    ),
    (
        "Amplitude",
        "The reconstruction's amplitude at each frequency, as a share of the signal's own, in the right phase or not. "
        "100 % is all of it. Frequencies are in cycles over the whole signal.",
    ),
    ("Density", _CREASES.format(step="sample", seen="")),
    (_SPEED[0], _SPEED[1].format(where="of a stretch of the line")),
    (_PROGRESS[0], _PROGRESS[1].format(where="in a stretch of the line")),
    (
        "Spectra",
        "Power at each frequency. The target has peaks. Where the curve of the residual, which is the error, meets "
        "them, nothing of that wave is there.",
    ),
    (_LEARNT[0], _LEARNT[1].format(part="a frequency")),
)


def guide_html(entries: Entries) -> str:
    """Terms and their meanings as list items."""
    return "".join(f"<dt>{escape(term)}</dt><dd>{escape(meaning)}</dd>" for term, meaning in entries)
