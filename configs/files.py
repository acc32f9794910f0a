"""Files as bytes, text and JSON: read with one sentence for what is wrong, written whole or not at all."""

import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeAlias

from .errors import InputError

JsonObject: TypeAlias = dict[str, Any]
"""What a JSON file holds. `configs.records` makes it and takes it apart: nobody else needs its keys."""


def read_bytes(path: Path) -> bytes:
    """A file's content.

    Raises:
        InputError: when it is not there or cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {str(path)!r}: {error.strerror}") from None


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file whole or not at all, and on the disk before its name is; its folder is made where needed.

    Raises:
        InputError: when it cannot be written, by this or any other `write_*` here.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except OSError as error:
        raise InputError(f"cannot write {str(path)!r}: {error.strerror}") from None
    finally:
        with suppress(OSError):  # it is gone when all went well, and may never have been
            partial.unlink()


def write_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all, in UTF-8."""
    write_bytes(path, text.encode())


def write_json(path: Path, value: Any) -> None:
    """Write strict JSON: a number that is not finite is an error here, not a surprise for the reader."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path) -> JsonObject:
    """Read a JSON object that `write_json` wrote.

    Raises:
        InputError: when the file is missing or damaged.
    """
    data = read_bytes(path)
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:  # bytes that are no UTF-8 are one as well; brackets without end
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
    partial = whole.with_name(f".{whole.name}.{secrets.token_hex(4)}.partial")
    try:
        require_new(folder)
        partial.mkdir(parents=True)
        yield partial
        partial.rename(whole)
    except OSError as error:
        raise InputError(f"cannot write {str(folder)!r}: {error.strerror}") from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)
