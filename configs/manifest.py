"""What the files of a folder were when they were written: a digest of each in `manifest.sha256`, as sha256sum has it.

A folder is looked after once it has that file; folders made before there was one are read as they are. Two kinds of
files are left out: YAML, which a person may edit, and checkpoints, which carry digests of their own.

A line is added before the file that it is of gets its name, and none is ever taken away. A process that is killed
between the two leaves a line too many, never a whole file without one; so a file may be as any of its lines says.
What the program takes away gets a line of its own, a comment to sha256sum, or it would be missed for ever.
"""

import hashlib
import os
import re
from collections.abc import Collection, Mapping, Set
from functools import lru_cache
from io import BufferedReader
from pathlib import Path

from .errors import InputError

MANIFEST = "manifest.sha256"

LEFT_OUT = (".yaml", ".safetensors")
"""Endings of files that have no line."""

DEEPEST = 4
"""How many folders above a file are asked whether they have a manifest."""

_GONE = "# gone"
"""In place of a digest, before the name of a file that was taken away."""

_LINE = re.compile(rf"([0-9a-f]{{64}}|{_GONE})  (.+)")


def begin_manifest(folder: Path) -> None:
    """Look after a folder from now on; what it holds already stays as it is.

    Raises:
        OSError: when it cannot be written.
    """
    (folder / MANIFEST).touch()


def record(path: Path, data: bytes) -> None:
    """Note what a file is about to be, where a folder above it is looked after.

    Raises:
        OSError: when that cannot be written.
    """
    found = _manifest_of(path)
    if found is None:
        return
    manifest, name = found
    # of a file that is new, a line that goes with the power is not missed: it costs no wait
    _add(manifest, f"{hashlib.sha256(data).hexdigest()}  {name}\n", waits=path.exists())


def forget(path: Path) -> None:
    """Note that a file is about to be taken away, so that it is not looked for.

    Raises:
        OSError: when that cannot be written.
    """
    found = _manifest_of(path)
    if found is not None and found[1] in recorded(found[0].parent):
        _add(found[0], f"{_GONE}  {found[1]}\n", waits=False)


def _add(manifest: Path, line: str, *, waits: bool) -> None:
    """Add a line, and wait until the disk has it or not."""
    with manifest.open("ab+") as file:
        if file.tell():
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":  # the power went while a line was written
                line = "\n" + line
        file.write(os.fsencode(line))
        if waits:
            file.flush()
            os.fsync(file.fileno())


def verify(path: Path, data: bytes) -> None:
    """Compare what a file holds with what was written there, where that is known.

    Raises:
        InputError: when it is something else.
    """
    known = _known(path)
    if known and hashlib.sha256(data).hexdigest() not in known:
        raise _damaged(path)


def verify_file(path: Path, file: BufferedReader) -> None:
    """`verify` of a file of any size, which is read from its beginning and not held; it is at its beginning again then.

    Raises:
        InputError: when it is something else.
        OSError: when it cannot be read.
    """
    known = _known(path)
    if known and hashlib.file_digest(file, "sha256").hexdigest() not in known:
        raise _damaged(path)
    file.seek(0)


def recorded(folder: Path) -> list[str]:
    """The names of files that should be there, as they are from a folder; none where it is not looked after."""
    try:
        digests, gone = _read(folder / MANIFEST)
    except OSError:
        return []
    return sorted(digests.keys() - gone)


def _known(path: Path) -> Collection[str]:
    """The digests that a file may have; none where that is not known."""
    found = _manifest_of(path)
    if found is None:
        return ()
    manifest, name = found
    try:
        digests, _ = _read(manifest)
    except OSError:
        return ()
    return digests.get(name, ())


def _damaged(path: Path) -> InputError:
    return InputError(
        f"{str(path)!r} is damaged: it is not what was written there, by {MANIFEST}; put back a copy of it, or "
        f"delete {MANIFEST} if you changed the file yourself"
    )


def _manifest_of(path: Path) -> tuple[Path, str] | None:
    """The manifest that a file belongs to, and the file's name in it."""
    whole = Path(os.path.abspath(path))
    if whole.suffix in LEFT_OUT or "\n" in str(whole):
        return None
    for folder in whole.parents[:DEEPEST]:
        if (manifest := folder / MANIFEST).is_file() and not manifest.is_symlink():
            return manifest, whole.relative_to(folder).as_posix()
    return None


def _read(manifest: Path) -> tuple[Mapping[str, set[str]], Set[str]]:
    """By a file's name, all digests that it may have; and the names of those that were taken away."""
    status = manifest.stat()
    return _read_once(manifest, status.st_ino, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=8)
def _read_once(manifest: Path, *_version: int) -> tuple[Mapping[str, set[str]], Set[str]]:
    digests, gone = dict[str, set[str]](), set[str]()
    for line in os.fsdecode(manifest.read_bytes()).split("\n"):
        if parts := _LINE.fullmatch(line):
            said, name = parts.groups()
            if said == _GONE:
                gone.add(name)
            else:
                gone.discard(name)
                digests.setdefault(name, set()).add(said)
    return digests, gone
