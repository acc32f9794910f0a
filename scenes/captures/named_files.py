"""The files that a file of cameras names, by names that may be spelled a little otherwise than the files are.

A name stays inside the folder of the file of cameras. What stands there under that name may be a symbolic link, to a
file or a folder anywhere: a person made it, to keep photographs on another disk. Only regular files are taken.
"""

import os
from collections import Counter
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path, PureWindowsPath
from typing import Any

from fieldlens.configs.errors import InputError

PICTURE_ENDINGS = ("", ".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".exr", ".bmp", ".avif", ".heic", ".gif")
"""What may be left out of a picture's name; the first that is there is taken."""

_MOST_COMPARED = 2000
"""Names in a folder among which the nearest is sought, which takes a few milliseconds."""


class AbsentError(InputError):
    """A file of cameras names a file that is not there."""


@dataclass(frozen=True)
class _Listing:
    names: tuple[str, ...]
    """Sorted."""
    exact: frozenset[str]
    in_small: dict[str, str]
    """The names by what they are in small letters, where no other is the same then."""


class NamedFiles:
    """Files below a folder, by name. What the folder holds is listed once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._listings: dict[Path, _Listing] = {}

    def find(self, what: str, named: Any, endings: tuple[str, ...] = ("",)) -> Path:
        """The regular file that has the name, without or with one of the endings, in capital letters or small ones.

        Raises:
            AbsentError: beginning with `what`, where there is none, with what there is.
            InputError: for what is no name, leads out of the folder or is no regular file.
        """
        if not isinstance(named, str) or not named:
            raise InputError(f"{what} is no name of a file")
        parts = inside(named)
        if parts is None:
            raise InputError(f"{what} {named!r} lies outside of the folder; paths have to be relative and stay inside")
        for ending in endings:
            file = self.folder.joinpath(*parts[:-1], parts[-1] + ending)
            if os.path.isfile(file):
                return file
        for ending in endings:
            file = self._spelled_otherwise((*parts[:-1], parts[-1] + ending))
            if file is not None and os.path.isfile(file):
                return file
        file = self.folder.joinpath(*parts)
        if (reason := _why_not(file)) is not None:
            raise InputError(f"{what} {named!r} {reason}")
        if (target := link_to_nothing(file)) is not None:
            raise AbsentError(f"{what} {named!r} is a symbolic link to {str(target)!r}, which is not there")
        has_none = Path(parts[-1]).suffix.casefold() not in endings[1:]
        tried = (
            f", nor with the ending of a picture ({', '.join(endings[1:5])}, ...)" if endings[1:] and has_none else ""
        )
        raise AbsentError(f"{what} {named!r} is not there{tried}{self._instead(parts)}")

    def names(self, folder: Path) -> tuple[str, ...]:
        """What a folder holds, sorted; nothing where it is none or cannot be listed."""
        return self._listing(folder).names

    def _listing(self, folder: Path) -> _Listing:
        if folder not in self._listings:
            try:
                names = tuple(sorted(entry.name for entry in folder.iterdir()))
            except (OSError, ValueError):
                names = ()
            often = Counter(name.casefold() for name in names)
            in_small = {name.casefold(): name for name in names if often[name.casefold()] == 1}
            self._listings[folder] = _Listing(names, frozenset(names), in_small)
        return self._listings[folder]

    def _spelled_otherwise(self, parts: tuple[str, ...]) -> Path | None:
        """What has the name but for capital letters; None where that is nothing, or more than one."""
        place = self.folder
        for part in parts:
            listing = self._listing(place)
            spelling = part if part in listing.exact else listing.in_small.get(part.casefold())
            if spelling is None:
                return None
            place = place / spelling
        return place

    def _instead(self, parts: tuple[str, ...]) -> str:
        """What there is where a file is not."""
        place, below = self.folder, ""
        for part in parts[:-1]:
            place, below = place / part, f"{below}{part}/"
            if not os.path.isdir(place):
                return f"; there is no folder {below!r}"
        names = self.names(place)
        if not names:
            return "; its folder is empty"
        near = [name for name in names if Path(name).stem.casefold() == Path(parts[-1]).stem.casefold()]
        if not near and len(names) <= _MOST_COMPARED:
            near = get_close_matches(parts[-1], names, n=1)
        if near:
            return f"; there is {below + near[0]!r:.100}"
        first, *others = names
        more = f" and {len(others):,} more" if others else ""
        return f"; its folder holds {first!r:.100}{more}"


def inside(named: str) -> tuple[str, ...] | None:
    """The parts of a relative path, without dots; None where it leaves the folder, be it only for a moment.

    A backslash separates folders too: files of cameras come from Windows as well.

    >>> inside("./train/r_0"), inside("images\\\\a.png"), inside("../a.png"), inside("C:/a.png")
    (('train', 'r_0'), ('images', 'a.png'), None, None)
    """
    path = PureWindowsPath(named)
    if path.anchor:
        return None
    parts: list[str] = []
    for part in path.parts:
        if part != "..":
            parts.append(part)
        elif not parts:
            return None
        else:
            parts.pop()
    return tuple(parts) or None


def _why_not(path: Path) -> str | None:
    """Why something that is there is no file to read; None where nothing is there."""
    try:
        if path.is_dir():
            return "is a folder, not a file"
        return "is no regular file" if path.exists() else None
    except PermissionError as problem:
        return f"cannot be read: {problem.strerror}"
    except (OSError, ValueError):
        return None


def link_to_nothing(path: Path) -> Path | None:
    """What a symbolic link leads to, of one that leads nowhere, as no file is there; None where it is no link."""
    try:
        return path.readlink() if path.is_symlink() else None
    except (OSError, ValueError):
        return None
