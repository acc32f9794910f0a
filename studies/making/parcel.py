"""A fit's folder as bytes, for a machine that does not see the same files.

It is a zip archive without compression: pictures, films and weights do not shrink. Read back, names are checked and so
is each file's checksum; nothing in it is run.
"""

import io
import os
import shutil
import zipfile
from pathlib import Path, PurePosixPath

from fieldlens.configs.errors import InputError
from fieldlens.configs.files import unfinished
from fieldlens.configs.names import CONFIG

LONGEST_NAME = 1000
"""Characters of a file's name with its folders."""


def packed(folder: Path) -> bytes:
    """All files below a folder; links are left out."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.is_symlink():
                # the date of a bare ZipInfo is always the same, and so are the bytes
                archive.writestr(zipfile.ZipInfo(path.relative_to(folder).as_posix()), path.read_bytes())
    return data.getvalue()


def unpack(data: bytes, folder: Path) -> Path:
    """Put the one folder that an archive holds below `folder`, whole or not at all; a fit's in its place makes way.

    Returns:
        Where it is now.

    Raises:
        InputError: when the archive is damaged, holds no folder or a name that leads elsewhere, or cannot be written;
            and when a folder that is no fit's is in its place, such as one that holds many.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = {_name(member): member for member in archive.infolist()}
            if len(members) < len(archive.infolist()) or sum(one.file_size for one in members.values()) > len(data):
                raise zipfile.BadZipFile("it holds a name twice, or more than its own size")
            files = {name: archive.read(member) for name, member in members.items()}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError, OSError) as error:
        raise InputError(f"the result of a fit came damaged: {error}") from None
    top = PurePosixPath(os.path.commonpath([name.parent for name in files])) if files else PurePosixPath()
    if top == PurePosixPath():
        raise InputError("the result of a fit came damaged: its files are in no folder of their own")
    place = folder / top
    if place.is_dir() and not (place / CONFIG).is_file():
        raise InputError(f"the result of a fit came damaged: {str(place)!r} is no fit's folder, and stays")
    partial = unfinished(place)
    try:
        for name, content in files.items():
            path = partial / name.relative_to(top)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        shutil.rmtree(place, ignore_errors=True)
        partial.rename(place)
    except OSError as error:
        raise InputError(f"cannot write {str(place)!r}: {error.strerror}") from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return place


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
