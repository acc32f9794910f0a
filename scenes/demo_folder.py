"""Demo scenes as folders, computed on first use and kept in the user's cache.

A folder's name holds a digest of all that decides its pictures: the code that draws them, the mesh, Open3D's version
and the numbers chosen. So a scene that has changed gets a folder of its own, and an old one is never taken for it.
"""

import hashlib
import importlib.metadata
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from fieldlens.configs.errors import InputError
from fieldlens.render import camera

from . import demos
from .captures import transforms_writing
from .captures.transforms_writing import write_blender
from .demos import HELDOUT_PHOTOS, PHOTO_SIDE, TEAPOT, TRAIN_PHOTOS, Demo, photographed
from .solids import crane, surfaces

CACHE = "FIELDLENS_CACHE"
"""The environment variable that names the cache."""


def demo_folder(
    demo: Demo,
    cache: Path | None = None,
    *,
    side: int = PHOTO_SIDE,
    train: int = TRAIN_PHOTOS,
    heldout: int = HELDOUT_PHOTOS,
    progress: Callable[[float], None] = lambda _share: None,
) -> Path:
    """The folder of a demo scene's photographs, in Blender's layout; computed where it is not there yet.

    Several processes may ask for the same one at once: each writes a folder of its own, and the first that is whole is
    kept.

    Args:
        cache: the folder that it is below; by default `cache_folder()`.
        progress: is told the share that is done, unless nothing has to be done.

    Raises:
        InputError: when the cache cannot be written.
    """
    cache = cache_folder() if cache is None else cache
    folder = cache / "demos" / f"{demo.name}-{side}px-{digest(demo, side, train, heldout)}"
    if folder.is_dir():  # it appears whole or not at all
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder.parent).close()  # better to know now than when all is drawn
    except OSError as error:
        raise InputError(_cannot_keep(cache, str(error.strerror))) from None
    capture = photographed(demo, side, train, heldout, progress)
    try:
        write_blender(capture, folder)
    except InputError as error:
        if not folder.is_dir():  # another process was no quicker either
            raise InputError(_cannot_keep(cache, str(error))) from None
    return folder


def _cannot_keep(cache: Path, why: str) -> str:
    return f"cannot keep demo scenes in {str(cache)!r} ({why}); set {CACHE} to a folder that can be written"


def cache_folder() -> Path:
    """`$FIELDLENS_CACHE`, else `fieldlens` below `$XDG_CACHE_HOME` or `~/.cache`; it need not be there.

    Raises:
        InputError: when none of the variables is set and there is no home.
    """
    if named := os.environ.get(CACHE):
        return Path(named)
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if base.is_absolute():  # the XDG specification has others ignored
        return base / "fieldlens"
    try:
        return Path.home() / ".cache" / "fieldlens"
    except RuntimeError:
        raise InputError(f"there is no home folder to keep demo scenes in; set {CACHE} to a folder") from None


def digest(demo: Demo, side: int, train: int, heldout: int) -> str:
    """16 hexadecimal digits that change with anything that a scene's pictures depend on."""
    found = hashlib.sha256(repr((demo.name, side, train, heldout, importlib.metadata.version("open3d"))).encode())
    drawing = Path(__file__).with_name("solids") / "photography.py"  # not imported: that would take seconds
    modules = (camera, demos, crane, surfaces, transforms_writing)
    for part in (TEAPOT, drawing, *(Path(str(module.__file__)) for module in modules)):
        found.update(hashlib.sha256(part.read_bytes()).digest())
    return found.hexdigest()[:16]
