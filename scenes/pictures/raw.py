"""Raw photographs, which are known and refused: what any reader of pictures finds in them is a preview."""

from pathlib import Path

from fieldlens.configs.errors import InputError

RAW = "RAW"
"""The kind of a camera's raw photograph."""

_ENDINGS = (
    *(".3fr", ".ari", ".arw", ".cap", ".cr2", ".cr3", ".crw", ".dcr", ".dng", ".erf", ".fff", ".gpr", ".iiq", ".k25"),
    *(".kdc", ".mdc", ".mef", ".mos", ".mrw", ".nef", ".nrw", ".orf", ".pef", ".ptx", ".raf", ".raw", ".rw2", ".rwl"),
    *(".sr2", ".srf", ".srw", ".x3f"),
)
"""How cameras call their raw files. Most are TIFFs inside, in which the first picture is a preview."""


def is_called_raw(path: Path) -> bool:
    """Whether a file's name ends as those of raw photographs do."""
    return path.suffix.lower() in _ENDINGS


def raw_photograph(path: Path) -> InputError:
    """That a raw photograph cannot be read, and what to do."""
    return InputError(
        f"{str(path)!r} is a camera's raw photograph, of which only a preview could be read; export it as TIFF or PNG "
        "from your raw converter"
    )
