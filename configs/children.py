"""Processes that a program starts: Python of our own finds its modules where we do, and nowhere else.

Python started with `-c` or `-m`, as `multiprocessing` starts it, looks for modules in the working folder first, and in
every folder that PYTHONPATH names, also by a relative or an empty name: a person's `random.py` would be run. `-I` would
leave PYTHONPATH out altogether, which may be how this program itself is found, and the packages of the user's site.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


def module_path() -> list[str]:
    """Where this process finds modules, without the working folder and what PYTHONPATH names by a relative name.

    Both stay where this package, or the script that was started, lies there: a person has chosen these.
    """
    chosen = {_folder(__name__.partition(".")[0], up=2), _folder("__main__", up=1)}
    relative = [name for name in os.environ.get("PYTHONPATH", "").split(os.pathsep) if not os.path.isabs(name)]
    doubtful = {os.path.realpath(name) for name in (os.curdir, *relative)}
    named = [entry for entry in sys.path if os.path.isabs(entry)]
    return [entry for entry in named if os.path.realpath(entry) in chosen or os.path.realpath(entry) not in doubtful]


@contextmanager
def trusted_children() -> Iterator[None]:
    """Processes that `multiprocessing` starts in this block, its own helpers too, take `module_path` for theirs.

    It hands the environment of this process on, and this process' path besides: both are changed in the block.
    """
    before, path = {name: os.environ.get(name) for name in _NAMES}, sys.path[:]
    sys.path[:] = module_path()
    os.environ.update(zip(_NAMES, (os.pathsep.join(sys.path), "1"), strict=True))
    try:
        yield
    finally:
        sys.path[:] = path
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


_NAMES = ("PYTHONPATH", "PYTHONSAFEPATH")


def _folder(module: str, up: int) -> str | None:
    """The folder of a module's file, or one above it; None where it has no file."""
    file = getattr(sys.modules.get(module), "__file__", None)
    return None if file is None else os.path.realpath(os.path.join(file, *[os.pardir] * up))
