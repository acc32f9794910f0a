"""The one error a person can cause, and parts of the sentences that people read."""

import reprlib
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

MOST_CHARACTERS = 4000
"""Of a message: what is left out of a longer one is its middle."""


class InputError(ValueError):
    """Something the person gave cannot be used.

    The message is one plain sentence: what is wrong, where, and what to do next. The command line prints it as it is
    and exits with status 2, without a traceback.
    """

    def __init__(self, message: str) -> None:
        if len(message) > MOST_CHARACTERS:  # it may tell a word as it was given, of any length
            message = f"{message[: MOST_CHARACTERS // 2]} [...] {message[-MOST_CHARACTERS // 2 :]}"
        super().__init__(message)


class _Short(reprlib.Repr):
    """Stays short whatever it is of: YAML's aliases make lists that are endless when written out."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel, self.maxstring, self.maxother = 2, 80, 80

    def repr_int(self, x: int, level: int) -> str:  # noqa: ARG002  the signature is that of the library
        # Python refuses to write out the digits of very large ones
        return repr(x) if x.bit_length() <= 128 else f"a whole number of {x.bit_length()} bits"


def shown(value: Any) -> str:
    """A value in a sentence, cut where it is long or deep.

    >>> shown("many"), shown([[[[1]]]])
    ("'many'", '[[[...]]]')
    """
    return _Short().repr(value)


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """The end of a sentence about an unknown `word`: the nearest of `choices`, or what the choices are.

    >>> did_you_mean("forier", ["raw", "fourier"])
    "; did you mean 'fourier'?"
    >>> did_you_mean("xyzzy", ["raw", "fourier"])
    '; choose from fourier, raw'
    """
    known = sorted(choices)
    near = get_close_matches(word[:80], known, n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else f"; choose from {', '.join(known)}"


def counted(number: int, one: str, many: str | None = None) -> str:
    """A number of things; `many` is the plural where that is not `one` with an s.

    >>> counted(1, "view"), counted(0, "view"), counted(12000, "vertex", "vertices")
    ('1 view', '0 views', '12,000 vertices')
    """
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"
