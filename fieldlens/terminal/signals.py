"""What ends a command from outside: Ctrl-C, `kill`, the end of a job's time, a terminal that is closed."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Signals that ask a process to end."""

ONE_REQUEST = 1.0
"""Seconds. `timeout`, shells and service managers send SIGTERM and SIGHUP twice or both in a row, and mean it once."""


class Interrupted(KeyboardInterrupt):
    """A signal says that the command is to end now."""

    def __init__(self, number: int = signal.SIGINT) -> None:
        super().__init__(number)
        self.number = number

    came = False
    """Whether there was such a signal: `interruptible` gives one before any comes."""

    @property
    def status(self) -> int:
        """The exit status, as a shell has it: 130 after Ctrl-C, 143 after SIGTERM, 129 after SIGHUP."""
        return 128 + self.number

    def __str__(self) -> str:
        by = "" if self.number == signal.SIGINT else f" by {signal.Signals(self.number).name}"
        return f"interrupted{by}"


@contextmanager
def signals_interrupt() -> Iterator[None]:
    """What asks the process to end raises `Interrupted` meanwhile, so that what is half done is taken away."""

    def handle(number: int, _frame: FrameType | None) -> None:
        raise Interrupted(number)

    with _handling(handle):
        yield


@contextmanager
def interruptible(
    stop: Callable[[], None], promise: str = "finishing the step, then writing what there is"
) -> Iterator[Interrupted]:
    """The first signal calls `stop`, which lets the work end in good order as promised; the second ends it at once.

    Gives what says which signal it was, and the exit status that follows from it.

    Raises:
        Interrupted: at the second signal, and where the work says KeyboardInterrupt because it was stopped.
    """
    caught, first_at = Interrupted(), -1.0

    def handle(number: int, _frame: FrameType | None) -> None:
        nonlocal first_at
        if first_at < 0:
            first_at, caught.number, caught.came = time.monotonic(), number, True
            again = "Ctrl-C" if number == signal.SIGINT else signal.Signals(number).name
            _tell(f"\n{promise}; {again} again ends at once\n")
            stop()
        elif number == signal.SIGINT or time.monotonic() - first_at > ONE_REQUEST:
            raise Interrupted(number)

    with _handling(handle):
        try:
            yield caught
        except Interrupted:
            raise
        except KeyboardInterrupt:
            raise caught from None


@contextmanager
def _handling(handle: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Where Python lets us, in the main thread. A SIGTERM or SIGHUP that is ignored, as under nohup, stays so."""
    before = {}
    if threading.current_thread() is threading.main_thread():
        for number in _ENDING:
            if number == signal.SIGINT or signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.signal(number, handle)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)  # None: it was not set by Python


def _tell(sentence: str) -> None:
    """Past the stream, which may be in the middle of a line and cannot be entered twice."""
    with suppress(OSError, ValueError, AttributeError):  # there may be no standard error
        os.write(sys.stderr.fileno(), sentence.encode())
