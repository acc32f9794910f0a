"""Files as bytes, text and JSON: read with one sentence for what is wrong, written whole or not at all."""

import json
import os
import re
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path
from typing import Any, TypeAlias

from .errors import InputError
from .holding import LOCK, remove_if_dead, require_there
from .manifest import begin_manifest, forget, record, recorded, verify, verify_file

JsonObject: TypeAlias = dict[str, Any]
"""What a JSON file holds. `configs.records` makes it and takes it apart: nobody else needs its keys."""


LARGEST_FILE = 1 << 30
"""Bytes of the largest file that is read into memory unless its reader allows more."""

MOST_JSON_VALUES = 4_000_000
"""Values in the largest JSON file that is read, which take some 300 MB: brackets cost twenty times their own length."""

_PIECE = 1 << 20
"""Bytes that are read at once of a file that is longer than it says."""

_NO_FILE = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def open_file(path: Path) -> BufferedReader:
    """A file, opened for reading. Every file that a person names, or that a run holds, is opened here.

    Only a regular file is: a pipe or a device may keep its reader waiting, or give bytes without end.

    Raises:
        InputError: when it is not there, is no regular file or cannot be read.
    """
    try:
        kind = stat.S_IFMT(path.stat().st_mode)
        if kind == stat.S_IFREG:
            return path.open("rb")
    except (OSError, ValueError) as error:  # ValueError: a zero byte in its name
        raise _cannot_read(path, error) from None
    raise InputError(f"cannot read {str(path)!r}: it is {_NO_FILE.get(kind, 'something else')}, and not a file")


def read_bytes(path: Path, at_most: int = LARGEST_FILE) -> bytes:
    """A file's content, which is at most `at_most` bytes.

    Raises:
        InputError: when it is larger, which is known before it is read, when it is not what its folder's manifest says
            that was written there, or as `open_file` does.
    """
    with open_file(path) as file:
        try:
            size = os.fstat(file.fileno()).st_size
            data = _content(file, size, at_most) if size <= at_most else b""
        except OSError as error:
            raise _cannot_read(path, error) from None
    if max(size, len(data)) > at_most:  # a file may grow, and those of /proc have no size
        raise InputError(
            f"cannot read {str(path)!r}: it has {max(size, len(data)):,} bytes, more than the {at_most:,} that are "
            "read of such a file"
        )
    verify(path, data)
    return data


def _content(file: BufferedReader, size: int, at_most: int) -> bytes:
    """All of a file that says its size, or what is one byte more than `at_most`: files grow, and those of /proc say 0.

    To read `at_most` bytes at once would take as many of memory, however few there are.
    """
    data = file.read(size + 1)
    if len(data) <= size:
        return data
    longer = bytearray(data)
    while len(longer) <= at_most and (more := file.read(min(_PIECE, at_most + 1 - len(longer)))):
        longer += more
    return bytes(longer)


def read_head(path: Path, count: int) -> bytes:
    """The first bytes of a file of any size, as many as there are up to `count`; raises as `open_file` does."""
    with open_file(path) as file:
        try:
            return file.read(count)
        except OSError as error:
            raise _cannot_read(path, error) from None


def _cannot_read(path: Path, error: OSError | ValueError) -> InputError:
    return InputError(f"cannot read {str(path)!r}: {getattr(error, 'strerror', None) or error}")


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file whole or not at all, and on the disk before its name is; its folder is made where needed.

    Raises:
        InputError: when it cannot be written, or a folder that is `held` was taken away, by this or any other `write_*`
            here.
    """
    partial = unfinished(path)
    try:
        make_folder(path.parent)
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        record(path, data)
        os.replace(partial, path)
    except OSError as error:
        require_there(path)
        raise InputError(f"cannot write {str(path)!r}: {error.strerror}") from None
    finally:
        with suppress(OSError):  # it is gone when all went well, and may never have been
            partial.unlink()


def remove(path: Path) -> None:
    """Take a file away, if it is there.

    Raises:
        InputError: when it cannot be, or is no file.
    """
    with suppress(OSError):  # on a full disk it goes all the same, and is missed later
        forget(path)
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"cannot take away {str(path)!r}: {error.strerror}") from None


def make_folder(folder: Path) -> None:
    """Make a folder and those above it where they are not there, but none that this process holds.

    Raises:
        InputError: when one that it holds was taken away.
        OSError: when it cannot be made.
    """
    top = require_there(folder)
    if top is None:
        folder.mkdir(parents=True, exist_ok=True)
        return
    whole = Path(os.path.abspath(folder))
    for level in [level for level in (whole, *whole.parents) if level.is_relative_to(top) and level != top][::-1]:
        level.mkdir(exist_ok=True)


def unfinished(path: Path) -> Path:
    """The name of a file or folder until it is whole: of this process alone, and in the same folder."""
    return path.with_name(f".{os.getpid()}.{secrets.token_hex(4)}.partial")


def look_after(folder: Path) -> None:
    """Make a folder, if it is not there, whose files are recorded in its manifest from now on; of what killed processes
    left in it, what is unfinished goes.

    Raises:
        InputError: when it cannot be written.
    """
    try:
        make_folder(folder)
        begin_manifest(folder)
    except OSError as error:
        raise InputError(f"cannot write in {str(folder)!r}: {error.strerror}") from None
    remove_leftovers(folder)


def not_as_written(folder: Path) -> list[str] | None:
    """The files of a folder, by name, that are gone or are not what was written there; None where that is not known."""
    names = recorded(folder)
    return [name for name in names if not _is_as_written(folder / name)] if names else None


def _is_as_written(path: Path) -> bool:
    try:
        with open_file(path) as file:
            verify_file(path, file)
    except (InputError, OSError):
        return False
    return True


def remove_leftovers(folder: Path) -> None:
    """Take away what processes that were killed left unfinished in a folder, or anywhere below it, and their locks."""
    for path in list(folder.rglob(".*")):
        if path.name == LOCK:
            remove_if_dead(path)
        if not path.match(".*.partial"):
            continue
        process = re.fullmatch(r"\.(\d+)\.[0-9a-f]+\.partial", path.name)
        if process and _is_running(int(process[1])):
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with suppress(OSError):
                path.unlink()


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # another person's
        return True
    return True


def require_writable(folder: Path, instead: str) -> None:
    """Ask before a long piece of work whether its folder can be written.

    Args:
        instead: what to do where it cannot.

    Raises:
        InputError: when it, or the nearest folder above it that is there, cannot be written.
    """
    above = next((level for level in (folder, *folder.absolute().parents) if level.exists()), folder)
    if not (above.is_dir() and os.access(above, os.W_OK | os.X_OK)):
        reason = "is read-only" if above.is_dir() else "is no folder"
        raise InputError(f"cannot write {str(folder)!r}: {str(above)!r} {reason}; {instead}")


def numbered(folder: Path, ending: str) -> list[int]:
    """The numbers of files that `numbered_file` names, rising; copies and all else beside them are passed over."""
    numbers = (int(file.stem) for file in folder.glob(f"*{ending}") if re.fullmatch(r"[0-9]{1,18}", file.stem))
    return sorted(number for number in set(numbers) if numbered_file(folder, number, ending).is_file())


def numbered_file(folder: Path, number: int, ending: str) -> Path:
    """Where the file of a number lies in a folder of such files.

    >>> numbered_file(Path("frames"), 12, ".png").name
    '0000012.png'
    """
    return folder / f"{number:07d}{ending}"


def write_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all, in UTF-8.

    Bytes of a file's name that are no text, which Python holds as lone surrogates, are escaped as in \\udcff: JSON and
    YAML read these back as they were.
    """
    write_bytes(path, text.encode(errors="backslashreplace"))


def write_json(path: Path, value: Any) -> None:
    """Write strict JSON: a number that is not finite is an error here, not a surprise for the reader."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path, at_most: int = LARGEST_FILE) -> JsonObject:
    """Read a JSON object of a file of `at_most` bytes.

    Raises:
        InputError: when the file cannot be read, is too large or damaged.
    """
    return json_object(read_bytes(path, at_most), path)


def json_object(data: bytes, path: Path) -> JsonObject:
    """The JSON object in a file's content, or in a part of it.

    Raises:
        InputError: naming the file, when it is damaged or holds too many values.
    """
    if not data:
        raise InputError(f"{str(path)!r} is damaged: it is empty")
    if sum(map(data.count, (b"[", b"{", b",", b":"))) > MOST_JSON_VALUES:  # each value has one of these before it
        raise InputError(f"cannot read {str(path)!r}: it holds more than {MOST_JSON_VALUES:,} values")
    try:
        value = json.loads(data)
    except RecursionError:
        raise InputError(f"{str(path)!r} is damaged: its groups and lists are too deep within each other") from None
    except ValueError as error:  # bytes that are no UTF-8 are one as well
        raise InputError(f"{str(path)!r} is damaged: {error}") from None
    if not isinstance(value, dict):
        raise InputError(f"{str(path)!r} is damaged: it holds no JSON object")
    return value


def require_new(folder: Path) -> None:
    """Ask before a long piece of work whether its folder can be made.

    Raises:
        InputError: when it is there already and not empty.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{str(folder)!r} is there already; name a folder that is new or empty")


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """A folder to write into that becomes `folder` when all has gone well, and nothing where it has not.

    Raises:
        InputError: when the folder is there already and not empty, before anything is written, or cannot be written.
    """
    whole = folder.absolute()  # "." has no name of its own
    partial = unfinished(whole)
    try:
        require_new(folder)
        partial.mkdir(parents=True)
        yield partial
        partial.rename(whole)
    except OSError as error:
        raise InputError(f"cannot write {str(folder)!r}: {error.strerror}") from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)
