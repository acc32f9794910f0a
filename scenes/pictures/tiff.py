"""TIFF pictures: which of a file's pictures is meant, what its bands are, and their values with all of their bits.

What is lossless is unpacked to the bytes of samples, whatever they stand for, and given its meaning here: libraries
differ in which bands they take for alpha, and read samples with a sign as if they had none. Only what needs a decoder
of its own (JPEG, fax) is a library's from end to end.
"""

import io
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from jaxtyping import Shaped, UInt8
from PIL import Image

from fieldlens.configs.errors import InputError
from fieldlens.configs.files import open_file, read_bytes

from .by_pillow import decoded, pillow, profile_note
from .decoded import FIRST_ONLY, ORIENTATION_TAG, Decoded, Opened, upright
from .raw import raw_photograph
from .tiff_strips import LOSSLESS, Strips, read_strips
from .tiff_tags import Directory, Structure, read_structure

_WHITE_IS_ZERO, _GREY, _RGB, _PALETTE, _CMYK, _YCBCR, _LAB = 0, 1, 2, 3, 5, 6, 8
_COLOURS = {_WHITE_IS_ZERO: 1, _GREY: 1, _RGB: 3, _PALETTE: 1, _CMYK: 4, _YCBCR: 3, _LAB: 3}
"""By photometric interpretation, the bands that it gives a meaning to."""

_RAW = (32803, 34892)
"""Photometric interpretations of raw photographs: the sensor's own colours, in a mosaic or not."""

_LOSSY = {2: (0, 1), 3: (0, 1), 4: (0, 1), 6: (_YCBCR,), 7: (0, 1, _RGB, _YCBCR), 50001: (_RGB,)}
"""Compressions that Pillow decodes as a whole, and the photometric interpretations that it then gets right."""

_DEPTHS = {"uint": (1, 2, 4, 8, 16), "float": (16, 32, 64)}
_FORMATS = {1: "uint", 2: "int", 3: "float", 4: "uint", 5: "complex int", 6: "complex"}

_ASSOCIATED, _UNASSOCIATED = 1, 2
"""Extra bands that are alpha: the colours are multiplied by it, or not."""

MOST_BANDS = 64
"""Of a picture of which only three or four are used."""


@dataclass(frozen=True)
class _Page:
    """One picture of a file, in what its tags mean."""

    directory: Directory
    photometric: int
    bits: int
    kind: str
    """Of samples: uint or float."""
    bands: tuple[int, ...]
    """Those that are used: colours, and alpha where there is one."""
    alpha: int | None
    """How its alpha is meant, if it has one."""
    notes: tuple[str, ...]


def open_tiff(path: Path) -> Opened:
    """The first full picture of a TIFF.

    Raises:
        InputError: for a raw photograph, and for values that are not read.
        ValueError: when it is damaged.
    """
    with open_file(path) as file:
        structure = read_structure(file)
    directory, notes = _chosen(path, structure)
    page = _page(path, directory, notes)
    height, width = directory.number(257), directory.number(256)
    if directory.number(259, 1) not in LOSSLESS:
        return Opened(height, width, 4 * height * width, partial(_decode_by_pillow, path, structure, page))
    strips = Strips.of(directory, structure.order, page.bits, page.kind)
    return Opened(height, width, strips.size, partial(_decode, path, page, strips))


def _chosen(path: Path, structure: Structure) -> tuple[Directory, tuple[str, ...]]:
    """The picture that is meant, and what is said of the others."""
    found = structure.directories
    if any(50706 in each.tags or each.number(262) in _RAW for each in found):  # the version of DNG
        raise raw_photograph(path)
    pictures = [each for each in found if each.area and not each.is_mask]
    if not pictures:
        raise ValueError("no picture in it")
    notes = []
    whole = [each for each in pictures if not each.is_preview]
    if not whole:
        whole = [max(pictures, key=lambda each: each.area)]
        notes.append("a preview, as the file says, of a picture that is not there")
    chosen, *others = whole
    if others:
        notes += FIRST_ONLY
        larger = max(others, key=lambda each: each.area)
        if larger.area > chosen.area:
            notes.append(f"another of its pictures is larger: {larger.number(256)}x{larger.number(257)}")
    if pictures[0] is not chosen:
        notes.append(f"not its preview of {pictures[0].number(256)}x{pictures[0].number(257)}")
    if any(each.is_mask for each in found):
        notes.append("its mask of transparency is not used")
    return chosen, tuple(notes)


def _page(path: Path, directory: Directory, notes: tuple[str, ...]) -> _Page:
    """What a picture's tags mean, where it can be read."""

    def need(holds: bool, what: str) -> None:
        if not holds:
            raise InputError(f"{str(path)!r} {what}")

    photometric, bands = directory.number(262), directory.number(277, 1)
    compression = directory.number(259, 1)
    need(directory.number(32997, 1) <= 1, "is a volume of several layers, which is not read; save one layer")
    need(262 in directory.tags, "does not say what its values stand for, grey or colours; save it anew")
    need(photometric in _COLOURS, f"has colours of a kind ({photometric}) that is not read; save it as RGB or grey")
    need(bands <= MOST_BANDS, f"has {bands:,} channels; 1 to 4 can be fitted")
    bits, kinds = (_alike(directory, tag, bands) for tag in (258, 339))
    kind = _FORMATS.get(kinds, "unknown")
    need(
        bits in _DEPTHS.get(kind, ()),
        f"holds samples of the type {kind}{bits}; save it with 8 or 16 bits without a sign, or as float",
    )
    used, alpha, left_out = _bands(path, directory, _COLOURS[photometric], bands)
    if compression in LOSSLESS:
        need(photometric != _YCBCR, "holds YCbCr colours without JPEG, which are not read; save it as RGB")
        need(
            bits == 8 or photometric in (_WHITE_IS_ZERO, _GREY, _RGB) or (bits < 8 and photometric == _PALETTE),
            f"has {bits} bits a sample in a way that is not read; save it as RGB of 16 bits",
        )
        need(bits >= 8 or bands == 1, f"has {bands} bands of {bits} bits, which are not read; save it with 8 bits")
        need(photometric != _WHITE_IS_ZERO or kind == "uint", "holds floats of which 0 is white, which are not read")
        plain = photometric in (_GREY, _RGB, _PALETTE) or alpha != _ASSOCIATED
        need(plain, "has inks multiplied by alpha, which are not read; save it as RGB")
        need(directory.number(266, 1) == 1, "holds its bits in reverse order, which is not read; save it anew")
        need(
            photometric != _CMYK or directory.number(332, 1) == 1,
            "has other inks than CMYK, which are not read; save it as RGB",
        )
    else:
        need(
            photometric in _LOSSY.get(compression, ()) and bands == len(used) and directory.number(284, 1) == 1,
            f"is compressed in a way ({compression}) that is not read; save it uncompressed, or with LZW or deflate",
        )
    return _Page(directory, photometric, bits, kind, used, alpha, (*notes, *left_out))


def _alike(directory: Directory, tag: int, bands: int) -> int:
    """The value of a tag that has one for each band, which have to agree."""
    values = directory.tags.get(tag, (1,))[:bands]
    if len(set(values)) > 1 or len(values) not in (1, bands):
        raise ValueError("its samples are not all of one type")
    return values[0]


def _bands(
    path: Path, directory: Directory, colours: int, bands: int
) -> tuple[tuple[int, ...], int | None, tuple[str, ...]]:
    """The bands that are used, how alpha is meant where there is one, and what is said of those left out."""
    extra = max(bands - colours, 0)
    meant = (*directory.tags.get(338, ()), *[0] * extra)[:extra]
    alpha = next((place for place, use in enumerate(meant) if use in (_ASSOCIATED, _UNASSOCIATED)), None)
    unknown = extra - (alpha is not None)
    if bands < colours:
        raise ValueError("it has fewer bands than colours")
    if unknown > 1 and colours == 1:
        raise InputError(
            f"{str(path)!r} has {bands} channels, and says of none but one what it is; 1 to 4 can be fitted, saved as "
            "grey or RGB"
        )
    used = (*range(colours), *(() if alpha is None else (colours + alpha,)))
    notes = (f"{unknown} of its {bands} bands, neither colour nor alpha, left out",) if unknown else ()
    return used, None if alpha is None else meant[alpha], notes


def _decode(path: Path, page: _Page, strips: Strips) -> Decoded:
    with open_file(path) as file:
        samples = read_strips(file, strips, page.bands)
    count = _COLOURS[page.photometric]
    pixels, converted = _coloured(page, samples[:, :, :count])
    if page.alpha is not None:
        pixels = np.concatenate([pixels, samples[:, :, count:]], axis=2)
    profile = page.directory.tags.get(34675)
    notes = (*page.notes, *converted, *profile_note(None if profile is None else bytes(profile)))
    orientation = page.directory.number(ORIENTATION_TAG, 1)
    return Decoded(upright(pixels, orientation), notes, page.alpha == _ASSOCIATED, orientation)


def _coloured(page: _Page, samples: Shaped[np.ndarray, "h w s"]) -> tuple[Shaped[np.ndarray, "h w c"], tuple[str, ...]]:
    """Grey or RGB, and what was changed for it."""
    match page.photometric:
        case 3:
            return _palette(page)[samples[:, :, 0]], ("palette written out",)
        case 5 | 8 as inks:
            mode = "CMYK" if inks == _CMYK else "LAB"
            image = Image.frombytes(mode, samples.shape[1::-1], np.ascontiguousarray(samples).tobytes())
            return np.asarray(image.convert("RGB")), (f"{mode} converted to RGB",)
        case _:
            if page.bits < 8:
                samples = samples * np.uint8(255 // ((1 << page.bits) - 1))
            return (np.iinfo(samples.dtype).max - samples if page.photometric == _WHITE_IS_ZERO else samples), ()


def _palette(page: _Page) -> UInt8[np.ndarray, "n 3"]:
    values = np.array(page.directory.tags.get(320, ()), np.uint16)
    if len(values) != 3 << page.bits:
        raise ValueError("its palette makes no sense")
    # Some writers have bytes in it in place of words; libtiff knows them in the same way.
    return (values >> 8 if values.max() > 255 else values).astype(np.uint8).reshape(3, -1).T


def _decode_by_pillow(path: Path, structure: Structure, page: _Page) -> Decoded:
    first = page.directory is structure.directories[0]
    with (
        open_file(path) if first else _begun_with(path, structure, page.directory) as file,
        pillow(file, "TIFF") as image,
    ):
        return decoded(image, page.notes)


def _begun_with(path: Path, structure: Structure, directory: Directory) -> io.BytesIO:
    """The file as if it began with another of its directories: it is the first that libtiff decodes."""
    content = bytearray(read_bytes(path))
    at, size = (8, 8) if structure.big else (4, 4)
    content[at : at + size] = directory.offset.to_bytes(size, "little" if structure.order == "<" else "big")
    return io.BytesIO(bytes(content))
