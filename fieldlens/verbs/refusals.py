"""What the parser refuses, as one sentence: the one place that reads what tyro draws.

tyro tells of a mistake in a box on standard error and leaves. Its hook for the same (`tyro._errors`) is private, may be
another in any release, and does not say which options were meant, so the box is the better ground; the tests of this
module fail when it is drawn otherwise.
"""

import ast
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr
from io import StringIO

from fieldlens.configs.errors import InputError, did_you_mean

_LENGTH = dict.fromkeys(("epochs", "iters", "iterations", "num-iters", "n-iters", "max-steps", "num-steps"), "--steps")
_FITTING = {
    **_LENGTH,
    "lr": "--learning-rate",
    "gpu": "--device cuda",
    "cuda": "--device cuda",
    "cpu": "--device cpu",
    "o": "--output-dir",
    "out": "--output-dir",
    "output": "--output-dir",
    "time": "--seconds",
    "size": "--max-side",
    "resize": "--max-side",
    "bs": "--batch-size",
    "batch": "--batch-size",
    "workers": "--threads",
    "psnr": "--target-psnr",
    "octaves": "--encoding fourier:8",
    "freqs": "--encoding fourier:8",
}
_OF_A_NETWORK = {
    "network": "--network.depth and --network.width",
    "width": "--network.width",
    "hidden": "--network.width",
    "hidden-dim": "--network.width",
    "hidden-size": "--network.width",
    "layers": "--network.depth",
    "num-layers": "--network.depth",
}
OURS: Mapping[str, Mapping[str, str]] = {
    "fit": _FITTING | _OF_A_NETWORK,
    "compare": {name: ours for name, ours in _FITTING.items() if name != "workers"}
    | dict.fromkeys(("octaves", "freqs"), "--encodings fourier:4 fourier:8"),
    "render": dict.fromkeys(("o", "out", "output"), "--file") | {"size": "--scale", "frames": "--orbit"},
    "export": dict.fromkeys(("o", "out", "output"), "--mesh"),
    "share": dict.fromkeys(("o", "out", "output"), "--file") | {"webp": "--file film.webp", "mp4": "--file film.mp4"},
    "figure": dict.fromkeys(("o", "file", "output"), "--out"),
    "view": {"browser": "--no-browser", "no-open": "--no-browser", "p": "--port"},
    "scenes": dict.fromkeys(("o", "out", "output"), "--thumbnails"),
    "paper": dict.fromkeys(("o", "out", "output"), "--output-dir"),
}
"""By verb: what other programs call its options, and what they are here."""

_COLOURS = re.compile(r"\x1b\[[\d;]*m")
"""Of a box where the output is a terminal."""

_CHOICES = {"gpu": "cuda", "jax": "auto", "siren": "sine", "sdf": "sdf", "nerf": "radiance", "density": "occupancy"}
"""Values of options as others write them."""


@contextmanager
def refused_in_a_sentence(verb: str, instead: str | None = None) -> Iterator[None]:
    """Around a call of tyro: what it refuses is said in its sentence, or in the one given `instead`.

    Raises:
        InputError: when the words cannot be read.
    """
    box = StringIO()
    try:
        with redirect_stderr(box):
            yield
    except SystemExit as leaving:
        if not leaving.code:  # after --help
            raise
        said = instead or sentence_in(box.getvalue(), verb)
        see = " See" if said.endswith("?") else "; see"
        raise InputError(f"{said}{see} fieldlens {verb} --help") from None


def sentence_in(box: str, verb: str = "") -> str:
    """What tyro says in the first part of its box, in our words, and the options that it thinks were meant.

    >>> box = "╭ ╮\\n│ Unrecognized options: --stpes, 8 │\\n│ ──── │\\n│ Perhaps you meant: │\\n│ --steps INT │"
    >>> print(sentence_in(box))
    there is no option --stpes; did you mean --steps?
    """
    lines = [line.strip("│╰╯ ") for line in _COLOURS.sub("", box).splitlines()]
    inside = itertools.dropwhile(lambda line: not (line.startswith("╭") or _is_rule(line)), lines)
    first, *parts = (list(part) for rule, part in itertools.groupby(list(inside)[1:], _is_rule) if not rule)
    meant = [line.split()[0] for part in parts for line in part if line.startswith("--")]
    hinted = any("meant" in line or "similar" in line.lower() for part in parts for line in part)
    return _said_anew(" ".join(filter(None, first)).rstrip("."), meant if hinted else [], verb)


def _said_anew(sentence: str, meant: Sequence[str], verb: str) -> str:
    """A sentence of tyro's as this program says it; as it is where it is another."""
    hint = f"; did you mean {' or '.join(meant)}?" if meant else ""
    if found := re.fullmatch(r"Unrecognized options: (.*)", sentence):
        words = found[1].split(", ")
        option = next((word.partition("=")[0] for word in words if re.match("--?[a-zA-Z]", word)), None)
        if option is None:
            return f"{words[0]!r} is one word too many; what has spaces in it goes in quotes"
        return no_such_option(option, verb, hint)
    if found := re.fullmatch(r"invalid choice ('.*') for argument '(.*)'\. Expected one of (\(.*\))", sentence):
        word, option, choices = ast.literal_eval(found[1]), found[2], ast.literal_eval(found[3])
        near = _CHOICES.get(word.lower())
        end = f"; did you mean {near!r}?" if near in choices else did_you_mean(word, choices)
        takes = "" if end.startswith("; choose") else f" (there are: {', '.join(choices)})"
        return f"{option} does not take {word!r}{takes}{end}"
    if found := re.fullmatch(r"Missing value for argument '(.*)'\. Expected (\d+) values", sentence):
        return f"{found[1]} needs {'a value' if found[2] == '1' else f'{found[2]} values'}"
    # what holds of several options together is said of the class that has them, whose name a person need not know
    return re.sub(r"^Error parsing (\w+Arguments: )?", "", sentence) + hint


def no_such_option(option: str, verb: str, hint: str) -> str:
    """That there is none, and what it is called here, or else the hint.

    >>> no_such_option("--lr", "fit", "")
    'there is no option --lr; here it is --learning-rate'
    """
    ours = name_here(option.lstrip("-"), verb)
    return f"there is no option {option}" + (f"; here it is {ours}" if ours else hint)


def name_here(name: str, verb: str) -> str | None:
    """What an option of other programs is in this one, if there is such a thing.

    >>> name_here("num-steps", "fit"), name_here("steps", "fit")
    ('--steps', None)
    """
    return OURS.get(verb, {}).get(name.replace("_", "-"))


def _is_rule(line: str) -> bool:
    """Whether a line of a box parts what is above it from what is below; where output is no UTF-8, it is of hyphens."""
    return bool(line) and not line.strip("─-")
