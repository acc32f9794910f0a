"""From a picture file to an array, by whichever reader keeps all of its bits.

Each reader has two halves. Its `open_*` reads the header alone, so that what the picture costs can be checked before
anything is decoded, and gives an `Opened` whose `decode` reads the pixels.
"""

import re
from pathlib import Path

from .by_pillow import open_heic, open_with_pillow
from .decoded import Opened
from .exr import open_exr
from .hdr import open_hdr
from .png import open_png
from .raw import RAW, is_called_raw, raw_photograph
from .tiff import open_tiff

_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),
    (b"MM\0+", "TIFF"),
    (b"BM", "BMP"),
    (b"GIF8", "GIF"),
    (b"#?RADIANCE", "HDR"),
    (b"#?RGBE", "HDR"),
    (b"v/1\x01", "EXR"),
    (b"FUJIFILMCCD-RAW", RAW),
    (b"IIRO", RAW),  # Olympus, three ways
    (b"IIRS", RAW),
    (b"MMOR", RAW),
    (b"IIU\0", RAW),  # Panasonic, Leica
    (b"II\x1a\0\0\0HEAPCCDR", RAW),  # Canon's CRW
    (b"FOVb", RAW),  # Sigma
    (b"\0MRM", RAW),  # Minolta
)


def sniff(head: bytes) -> str | None:
    """The kind of picture file that begins with these bytes (32 are enough), whatever the file's name says.

    >>> sniff(b"GIF89a..."), sniff(b"Dear reader,")
    ('GIF', None)
    """
    if head[4:8] == b"ftyp":  # ISO media: the brands tell AVIF, HEIC and Canon's CR3 apart
        brands = ((rb"avi[fs]", "AVIF"), (rb"hei|hev|mif1", "HEIC"), (rb"crx ", RAW))
        return next((kind for brand, kind in brands if re.search(brand, head[8:])), None)
    if head[:4] == b"RIFF":
        return "WEBP" if head[8:12] == b"WEBP" else None
    kind = next((kind for start, kind in _SIGNATURES if head.startswith(start)), None)
    is_raw = head[8:10] == b"CR" or head[8:12] in (b"IIII", b"MMMM")  # Canon's CR2, Phase One's IIQ
    return RAW if kind == "TIFF" and is_raw else kind


def open_picture(path: Path, kind: str) -> Opened:
    """Read the header of a file of a `kind` that `sniff` gave.

    Raises InputError for what cannot be read in principle, and whatever the library raises for damaged bytes.
    """
    if kind == RAW or (kind == "TIFF" and is_called_raw(path)):
        raise raw_photograph(path)
    match kind:
        case "PNG":
            return open_png(path)
        case "TIFF":
            return open_tiff(path)
        case "HDR":
            return open_hdr(path)
        case "EXR":
            return open_exr(path)
        case "HEIC":
            return open_heic(path)
        case _:
            return open_with_pillow(path, kind)
