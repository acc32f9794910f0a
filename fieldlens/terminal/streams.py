"""Where words go: standard output and error that outlive their readers, and text that no terminal takes for a command.

A reader that goes away, a full disk behind a redirection, a stream that was closed or whose encoding lacks a letter are
failures of the surroundings. They end no work: words are dropped or escaped, and the exit status says so at the end.
"""

import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout, suppress
from typing import Any, Protocol, TextIO, cast, runtime_checkable

_STEERING = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, line ends, turns of the writing's direction, and bytes of a file's name that are no text."""


def printable(text: str) -> str:
    r"""A text as it may stand in a line on a terminal: names of files and words of configurations hold anything.

    >>> print(printable("фото \x1b[31m\n.png"))
    фото \x1b[31m\n.png
    """
    return _STEERING.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


@runtime_checkable
class Writable(Protocol):
    """What a stream of text can do."""

    @property
    def encoding(self) -> str | None:
        """None of a text in memory."""
        ...

    def write(self, text: str, /) -> int:
        """Take a text; gives its length."""
        ...

    def flush(self) -> None:
        """Hand on what was taken."""
        ...

    def fileno(self) -> int:
        """The number of the file behind it; OSError where there is none."""
        ...


class Stream:
    """A text stream that never raises: what can no longer be written is dropped, and `failure` says why; letters that
    its encoding lacks are escaped. All else is the stream's own."""

    def __init__(self, stream: Writable) -> None:
        self._stream = stream
        self.failure: str | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write, or drop."""
        encoding = self._stream.encoding or "utf-8"
        possible = text.encode(encoding, "backslashreplace").decode(encoding)
        self._try(lambda: self._stream.write(possible))
        return len(text)

    def flush(self) -> None:
        """Hand on what was written."""
        self._try(self._stream.flush)

    def _try(self, act: Callable[[], object]) -> None:
        if self.failure is not None:
            return
        try:
            act()
        except (OSError, ValueError) as error:  # ValueError: it was closed
            self.failure = (error.strerror if isinstance(error, OSError) else None) or str(error)
            _lead_nowhere(self._stream)


@contextmanager
def lasting_streams() -> Iterator[Stream]:
    """Standard output and error are such streams meanwhile; gives that of output."""
    _occupy_closed()
    with ExitStack() as stack:
        nowhere = stack.enter_context(open(os.devnull, "w", encoding="utf-8"))
        output, error = Stream(sys.stdout or nowhere), Stream(sys.stderr or nowhere)
        stack.enter_context(redirect_stdout(cast(TextIO, output)))
        stack.enter_context(redirect_stderr(cast(TextIO, error)))
        yield output


def _occupy_closed() -> None:
    """Let the numbers of streams that were closed for us lead nowhere: else the next file that is opened gets one, and
    what a library prints goes into it."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest that is free, which is this one


def _lead_nowhere(stream: Writable) -> None:
    """What the stream still holds would fail once more when the interpreter leaves, and change its exit status."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
