"""Files below a folder as bytes, for a machine that does not see the same files: what a fit is made from goes there,
and the fit's folder comes back.

They are a zip archive without compression: pictures, films and weights do not shrink. Read back, names are checked and
so is each file's checksum; nothing in it is run.
"""

import io
import os
import shutil
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from fieldlens.configs.errors import InputError
from fieldlens.configs.files import read_bytes, unfinished
from fieldlens.configs.names import CONFIG

MOST_BYTES = 256 << 20
"""Of one archive. It is held in memory as a whole, by all that it goes through: client, scheduler and worker."""

LONGEST_NAME = 1000
"""Characters of a file's name with its folders."""


def files_in(folder: Path) -> list[Path]:
    """All files below a folder; links are left out."""
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink()]


def packed(folder: Path, files: Iterable[Path]) -> bytes:
    """Some of the files below a folder.

    Raises:
        InputError: when they are more than `MOST_BYTES`, which is known before they are read, or cannot be read.
    """
    data, files = io.BytesIO(), list(files)
    size = sum(os.stat(path).st_size for path in files if path.is_file())
    if size > MOST_BYTES:
        raise InputError(
            f"{str(folder)!r} has {size:,} bytes for one fit, more than the {MOST_BYTES:,} that are sent where files "
            "are not shared; have workers see the files of the command, as docs/cluster.md says"
        )
    with zipfile.ZipFile(data, "w", zipfile.ZIP_STORED) as archive:
        for path in files:
            # the date of a bare ZipInfo is always the same, and so are the bytes
            archive.writestr(zipfile.ZipInfo(path.relative_to(folder).as_posix()), read_bytes(path))
    return data.getvalue()


def lay_out(data: bytes, folder: Path) -> list[Path]:
    """Put all files of an archive into a folder that is new.

    Returns:
        Where they are.

    Raises:
        InputError: when the archive is damaged or holds a name that leads elsewhere, or they cannot be written.
    """
    try:
        return _written(_opened(data, "what a fit is made from"), folder)
    except OSError as error:
        raise InputError(f"cannot write {str(folder)!r}: {error.strerror}") from None


def unpack(data: bytes, folder: Path) -> Path:
    """Put the one folder that an archive holds below `folder`, whole or not at all; a fit's in its place makes way.

    Returns:
        Where it is now.

    Raises:
        InputError: when the archive is damaged, holds no folder or a name that leads elsewhere, or cannot be written;
            and when a folder that is no fit's is in its place, such as one that holds many.
    """
    files = _opened(data, "the result of a fit")
    top = PurePosixPath(os.path.commonpath([name.parent for name in files])) if files else PurePosixPath()
    if top == PurePosixPath():
        raise InputError("the result of a fit came damaged: its files are in no folder of their own")
    place = folder / top
    if place.is_dir() and not (place / CONFIG).is_file():
        raise InputError(f"the result of a fit came damaged: {str(place)!r} is no fit's folder, and stays")
    partial = unfinished(place)
    try:
        _written({name.relative_to(top): content for name, content in files.items()}, partial)
        shutil.rmtree(place, ignore_errors=True)
        partial.rename(place)
    except OSError as error:
        raise InputError(f"cannot write {str(place)!r}: {error.strerror}") from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return place


def _written(files: Mapping[PurePosixPath, bytes], folder: Path) -> list[Path]:
    """Files that were written into a folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return [folder / name for name in files]


def _opened(data: bytes, what: str) -> Mapping[PurePosixPath, bytes]:
    """The files in an archive by their names.

    Args:
        what: it is, for a sentence.

    Raises:
        InputError: when it is damaged or holds a name that leads elsewhere.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = {_name(member): member for member in archive.infolist()}
            if len(members) < len(archive.infolist()) or sum(one.file_size for one in members.values()) > len(data):
                raise zipfile.BadZipFile("it holds a name twice, or more than its own size")
            return {name: archive.read(member) for name, member in members.items()}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError, OSError) as error:
        raise InputError(f"{what} came damaged: {error}") from None


def _name(member: zipfile.ZipInfo) -> PurePosixPath:
    """The name of a file in an archive, which leads to nothing outside of it."""
    name = PurePosixPath(member.filename)
    parts = member.filename.split("/")
    doubtful = any(part in ("", ".", "..") or "\\" in part for part in parts)
    if doubtful or len(member.filename) > LONGEST_NAME or not member.filename.isprintable():
        raise zipfile.BadZipFile(f"no file can be called {member.filename[:80]!r}")
    if member.compress_type != zipfile.ZIP_STORED:
        raise zipfile.BadZipFile("it is compressed")
    return name
