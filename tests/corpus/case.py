"""A file or folder that somebody may give to the program, and how that has to end."""

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

REFUSED: Final = "refused"
"""One sentence that names it."""
EITHER: Final = "either"
"""A result or a sentence: what was damaged may matter or not."""

Content = bytes | Mapping[str, bytes] | Callable[[Path], object]
"""Of a file; of the files in a folder, by their names; or what makes it at a path."""


@dataclass(frozen=True)
class Case:
    """One of them."""

    name: str
    """Of the file or folder; its ending is that of its kind."""
    content: Content
    ends: Any = REFUSED
    """`REFUSED`, `EITHER`, or what its reader gives of it where it is to be read."""

    def write(self, folder: Path) -> Path:
        """Make it in a folder of its own, and give its path."""
        path = folder / self.name.rpartition(".")[0] / self.name
        if callable(self.content):
            path.parent.mkdir(parents=True, exist_ok=True)
            self.content(path)
            return path
        files = {"": self.content} if isinstance(self.content, bytes) else self.content
        for name, data in files.items():
            file = path / name if name else path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
        return path


@dataclass(frozen=True)
class Kind:
    """A kind of what is given, and the reader that it is given to."""

    name: str
    read: Callable[[Path], Any]
    """Gives a few numbers of what was read, by which a right result is known."""
    cases: Callable[[], Iterator[Case]]


def spoilt(name: str, whole: bytes, cut: Any = REFUSED) -> Iterator[Case]:
    """A whole file cut short at three places, with bytes changed at random in three ways, and with zeros for an end, as
    disks leave files when the power goes.

    Args:
        cut: how a file that was cut short ends.
    """
    stem, dot, ending = name.rpartition(".")
    for share in (0.03, 0.5, 0.95):
        yield Case(f"{stem}_cut_at_{share:g}{dot}{ending}", whole[: int(share * len(whole))], cut)
    for seed in range(3):
        drawn = random.Random(f"{name} {seed}")
        content = bytearray(whole)
        for _ in range(1 << (2 * seed)):  # 1, 4 and 16 of them, most in the header
            content[drawn.randrange(min(len(content), 200) if drawn.random() < 0.7 else len(content))] = (
                drawn.randrange(256)
            )
        yield Case(f"{stem}_spoilt_{seed}{dot}{ending}", bytes(content), EITHER)
    zeros = len(whole) // 2
    yield Case(f"{stem}_zeros{dot}{ending}", whole[:zeros] + bytes(len(whole) - zeros), EITHER)
