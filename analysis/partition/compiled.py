"""Functions compiled by numba, and kept on the disk from one command to the next where the disk lets us."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, cast

from numba import njit
from numba.core.caching import FunctionCache
from numba.core.dispatcher import Dispatcher


class _ForgivingCache(FunctionCache):
    """Spares time and nothing else: where it is damaged or cannot be written, functions are compiled anew."""

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """What was kept, or None."""
        try:
            return super().load_overload(sig, target_context)
        except Exception:  # what damaged bytes raise when they are unpickled may be anything
            with suppress(OSError):
                self.flush()
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep it, or not: the disk may be full, or have become read-only."""
        with suppress(OSError):
            super().save_overload(sig, data)


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function as machine code, with divisions by zero as numpy has them, and free of the interpreter's lock.

    The code is kept beside the function's file, else in the user's own cache folder. Where neither can be written (an
    installation that is read-only, and no home) it is compiled by each command, which takes half a minute in all. A
    folder that others write to would not do: what is kept there is run.
    """
    dispatcher = njit(error_model="numpy", nogil=True)(function)
    if isinstance(dispatcher, Dispatcher):  # not where numba is told to compile nothing
        with suppress(RuntimeError):  # there is no place
            cast(Any, dispatcher)._cache = _ForgivingCache(function)  # as cache=True does with numba's own
    return dispatcher
