"""Names of folders and files made of what people call things: scenes, encodings, networks, views.

They can be copied to any file system, and typed in any shell without quotes. What a thing is really called stands in
the files within.
"""

import hashlib
import re
import unicodedata
from pathlib import Path

from .errors import InputError

CONFIG, COMPARISON, SWEEP = "config.yaml", "comparison.yaml", "sweep.yaml"
"""The files that make a folder a run, a comparison or a sweep: the last that are written when one begins."""

MOST_CHARACTERS, MOST_BYTES = 80, 140
"""Of a name; an encrypted folder of Linux takes 143 bytes, everything else more."""

_UNSAFE = re.compile(
    r"[\s\x00-\x2c/;<>?@\[\\\]^`{|}~\x7f-\xa0"  # what ASCII has besides letters, digits, and the safe - . _
    r"\ud800-\udfff\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufffe\uffff]+"  # cannot be written, or not be seen
)
_DEVICE = re.compile(r"(con|prn|aux|nul|(com|lpt)[0-9¹²³])(\.|$)", re.IGNORECASE)
"""What Windows takes for a device, whatever its ending."""

_FILES = "png jpg jpeg webp tif tiff gif exr npz npy json zip mp4 html csv ply"
"""Endings that people give to files and not to folders."""


def folder_name(name: str) -> str:
    """A name as a folder's, or as a part of a file's: a colon becomes a hyphen, all else that is unsafe an underscore.

    Of a long name the end is replaced by a digest of the whole, so that no two become one.

    >>> folder_name("fourier:8,include_input=true 4x128"), folder_name("my photo (1)"), folder_name("con")
    ('fourier-8_include_input-true_4x128', 'my_photo_1', '_con')
    """
    plain = unicodedata.normalize("NFC", name)  # as macOS may have it otherwise than the others
    allowed = _UNSAFE.sub("_", re.sub("[:=]", "-", plain)).strip("._ ") or "scene"
    if _DEVICE.match(allowed):
        allowed = f"_{allowed}"
    if len(allowed) <= MOST_CHARACTERS and len(allowed.encode()) <= MOST_BYTES:
        return allowed
    digest = hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    kept = allowed[: MOST_CHARACTERS - 9].encode()[: MOST_BYTES - 9].decode(errors="ignore")
    return f"{kept.rstrip('._ ')}_{digest}"


def folder_in(parent: Path, name: str) -> Path:
    """Where the folder of a name is made, if others may share it: those whose names differ in nothing but case do, as
    many file systems do not tell them apart."""
    new = folder_name(name)
    try:
        there = sorted(path.name for path in parent.iterdir())
    except OSError:  # it is not there yet, or whoever makes the folder will say what is wrong
        there = []
    return parent / next((other for other in there if other.casefold() == new.casefold()), new)


def require_folder_name(path: Path, option: str) -> None:
    """See that a folder that is to be made is not named as a file is.

    Raises:
        InputError: when it is, as somebody who writes so expects a file.
    """
    if path.suffix[1:].lower() in _FILES.split() and not path.exists():
        raise InputError(f"{option} takes a folder, and {path.name!r} is named like a file; leave out {path.suffix}")


def known_folder(parent: Path, name: str) -> Path:
    """Where the one folder of a name lies; that of an earlier version, if one is there."""
    new, earlier = parent / folder_name(name), parent / _earlier_name(name)
    return earlier if earlier.exists() and not new.exists() else new


def _earlier_name(name: str) -> str:
    """What earlier versions called a folder; plain raw coordinates had their interval in their word."""
    word = re.sub(r"^raw(?![:\w])", "raw:-1..1", name)
    allowed = re.sub(r"[\x00-\x1f/\\]", "_", word).strip(". ") or "scene"
    if len(allowed) <= 80:
        return allowed
    return f"{allowed[:71]} {hashlib.sha256(allowed.encode('utf-8', 'surrogateescape')).hexdigest()[:8]}"
