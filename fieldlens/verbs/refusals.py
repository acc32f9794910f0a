"""What the parser refuses, as one sentence: the one place that reads what tyro draws.

tyro tells of a mistake in a box on standard error and leaves. Its hook for the same (`tyro._errors`) is private, may be
another in any release, and does not say which options were meant, so the box is the better ground; the tests of this
module fail when it is drawn otherwise.
"""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from io import StringIO

from fieldlens.configs.errors import InputError


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
        raise InputError(f"{instead or sentence_in(box.getvalue())}; see fieldlens {verb} --help") from None


def sentence_in(box: str) -> str:
    """What tyro says in the first part of its box, and the options that it thinks were meant.

    >>> print(sentence_in("╭ Unknown ╮\\n│ Unknown: --stpes │\\n│ ──── │\\n│ Perhaps you meant: │\\n│ --steps INT │"))
    Unknown: --stpes; did you mean --steps?
    """
    lines = [line.strip("│╰╯ ") for line in box.splitlines()]
    inside = itertools.dropwhile(lambda line: not (line.startswith("╭") or _is_rule(line)), lines)
    first, *parts = (list(part) for rule, part in itertools.groupby(list(inside)[1:], _is_rule) if not rule)
    meant = [line.split()[0] for part in parts for line in part if line.startswith("--")]
    hinted = any("meant" in line or "similar" in line.lower() for part in parts for line in part)
    sentence = " ".join(filter(None, first)).rstrip(".")
    return f"{sentence}; did you mean {' or '.join(meant)}?" if meant and hinted else sentence


def _is_rule(line: str) -> bool:
    """Whether a line of a box parts what is above it from what is below; where output is no UTF-8, it is of hyphens."""
    return bool(line) and not line.strip("─-")
