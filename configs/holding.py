"""A folder that one process writes at a time, and that no write makes anew where somebody takes it away meanwhile.

The lock is the operating system's, on the file `.lock` in the folder, and ends with the process that holds it, however
that ends. The file says who it is, for the sentence that a second process gets.
"""

import json
import os
import secrets
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from .errors import InputError

try:
    import fcntl
except ImportError:  # Windows has locks of another kind
    fcntl = None

LOCK = ".lock"


class InUseError(InputError):
    """Another process holds a folder."""


@dataclass(frozen=True)
class _Held:
    """A folder that this process holds."""

    path: Path
    descriptor: int
    """Of the folder itself, whatever it is called by now."""
    token: str
    """What its lock says, and no other does."""

    def is_there(self) -> bool:
        """Whether it still has its name."""
        try:
            there = os.path.samestat(os.stat(self.path), os.fstat(self.descriptor))
            # file systems that number their files anew would look moved
            return there or json.loads((self.path / LOCK).read_bytes())["token"] == self.token
        except (OSError, ValueError, KeyError, TypeError):
            return False

    def now(self) -> Path | None:
        """Where it is now, where the system tells."""
        with suppress(OSError):
            path = Path(os.readlink(f"/proc/self/fd/{self.descriptor}"))
            if os.path.samestat(path.stat(), os.fstat(self.descriptor)):
                return path
        return None


_held: list[_Held] = []


@contextmanager
def held(folder: Path, say: Callable[[str], None] = lambda _sentence: None, *, patience: float = 0.0) -> Iterator[None]:
    """Write a folder alone until the block is left.

    Args:
        say: is told where the file system has no locks.
        patience: seconds to wait for another process to leave it.

    Raises:
        InUseError: when another process holds it, naming that one.
        InputError: when it cannot be written.
    """
    if fcntl is None:
        say(f"this system's locks are not known: see that nothing else writes {str(folder)!r} meanwhile")
        yield
        return
    token, before = secrets.token_hex(8), time.monotonic()
    while (lock := _take(folder, token, say, last=time.monotonic() - before >= patience)) is None:
        time.sleep(0.05)
    try:
        here = _Held(Path(os.path.abspath(folder)), os.open(folder, os.O_RDONLY), token)
        _held.append(here)
        try:
            yield
        finally:
            _held.remove(here)
            if here.is_there():
                (here.path / LOCK).unlink(missing_ok=True)
            elif (moved := here.now()) is not None:
                (moved / LOCK).unlink(missing_ok=True)
            os.close(here.descriptor)
    finally:
        os.close(lock)


def remove_if_dead(lock: Path) -> None:
    """Take away the lock of a process that is gone. One that is held stays."""
    if fcntl is None:
        return
    with suppress(OSError):  # it is held, or cannot be written
        descriptor = os.open(lock, os.O_RDWR | os.O_NOFOLLOW)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_at(lock, descriptor):
                lock.unlink()
        finally:
            os.close(descriptor)


def writer_of(folder: Path) -> str | None:
    """Who is writing a folder, in words; None where nobody is, or that cannot be known. Asking changes nothing."""
    if fcntl is None:
        return None
    try:
        descriptor = os.open(folder / LOCK, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _holder(descriptor)
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return None


def require_there(path: Path) -> Path | None:
    """Make sure that no folder which this process holds, and in which `path` lies, was taken away.

    Returns:
        That folder; None where it holds none.

    Raises:
        InputError: when it was, saying where it is now.
    """
    whole = Path(os.path.abspath(path))
    for folder in reversed(_held):
        if whole.is_relative_to(folder.path):
            if not folder.is_there():
                moved = folder.now()
                where = "deleted, or moved to another disk," if moved is None else f"moved to {str(moved)!r}"
                goes_on = "" if moved is None else "; --resume goes on there from the last step that was saved"
                raise InputError(
                    f"{str(folder.path)!r} was {where} while it was being written, which ends here{goes_on}"
                )
            return folder.path
    return None


def _take(folder: Path, token: str, say: Callable[[str], None], *, last: bool) -> int | None:
    """The lock of a folder, open; None where it has to be tried again.

    Raises:
        InUseError: when another holds it and this is the last try.
        InputError: when it cannot be written.
    """
    assert fcntl is not None
    file = folder / LOCK
    try:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _holder(descriptor)
            os.close(descriptor)
            if last:
                raise InUseError(f"{str(folder)!r} is in use: {holder}; wait until it ends, or end it") from None
            return None
        except OSError:
            say(f"the disk of {str(folder)!r} keeps no locks: see that nothing else writes there meanwhile")
        if not _is_at(file, descriptor):  # its holder took it away as it left, before it was locked here
            os.close(descriptor)
            return None
        since = datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")
        said = {"pid": os.getpid(), "host": socket.gethostname(), "since": since, "token": token}
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(said).encode(), 0)
        return descriptor
    except FileNotFoundError:
        raise InputError(f"there is no folder {str(folder)!r}") from None
    except OSError as error:
        raise InputError(
            f"cannot write in {str(folder)!r} ({error.strerror}), where what goes on there is written; copy it to a "
            "place that you may write, and go on with the copy"
        ) from None


def _is_at(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _holder(descriptor: int) -> str:
    """Who holds a lock, as the file says."""
    try:
        said = json.loads(os.pread(descriptor, 1000, 0))
        return f"process {said['pid']} on {said['host']} has been writing there since {said['since']}"
    except (ValueError, KeyError, TypeError, RecursionError):
        return "another process is writing there"
