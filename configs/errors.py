"""The one error a person can cause, and the hint that goes with a misspelt word."""

from collections.abc import Iterable
from difflib import get_close_matches


class InputError(ValueError):
    """Something the person gave cannot be used.

    The message is one plain sentence: what is wrong, where, and what to do next. The command line prints it as it is
    and exits with status 2, without a traceback.
    """


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """The end of a sentence about an unknown `word`: the nearest of `choices`, or what the choices are.

    >>> did_you_mean("forier", ["raw", "fourier"])
    "; did you mean 'fourier'?"
    >>> did_you_mean("xyzzy", ["raw", "fourier"])
    '; choose from fourier, raw'
    """
    known = sorted(choices)
    near = get_close_matches(word, known, n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else f"; choose from {', '.join(known)}"
