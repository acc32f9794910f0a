"""From a picture file to an array, by whichever library keeps all of its bits.

Pillow reads everything of 8 bits, but quietly reduces colour of 16 bits, so those files go to OpenCV (PNG) and tifffile
(TIFF, float as well); OpenCV also reads Radiance .hdr. Each way in has two halves: `open_*` reads the header alone, so
that a limit on the number of pixels can be checked first, and gives an `Opened` whose `decode` reads the pixels.
"""

import io
import logging
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import tifffile
from jaxtyping import Shaped
from PIL import Image, ImageCms

from fieldlens.configs.errors import InputError

_ORIENTATION_TAG = 0x0112  # of EXIF and of TIFF
_FIRST_ONLY = ("first frame only",)


@dataclass(frozen=True)
class Decoded:
    """Values as the file has them, channels last, upright."""

    pixels: Shaped[np.ndarray, "h w c"]
    notes: tuple[str, ...] = ()
    premultiplied: bool = False  # the colours are multiplied by alpha already
    orientation: int = 1  # the tag by which the pixels were turned upright


@dataclass(frozen=True)
class Opened:
    """What the header says, and how to read the rest."""

    height: int
    width: int
    decode: Callable[[], Decoded]


def sniff(head: bytes) -> str | None:
    """The kind of picture file that begins with these bytes (32 are enough), whatever the file's name says.

    >>> sniff(b"GIF89a..."), sniff(b"Dear reader,")
    ('GIF', None)
    """
    if head[4:8] == b"ftyp":  # ISO media: the brands tell AVIF from HEIC
        return "AVIF" if re.search(rb"avi[fs]", head[8:]) else "HEIC" if re.search(rb"hei|hev|mif1", head[8:]) else None
    if head[:4] == b"RIFF":
        return "WEBP" if head[8:12] == b"WEBP" else None
    return next((kind for start, kind in _SIGNATURES if head.startswith(start)), None)


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
)


def open_picture(path: Path, kind: str) -> Opened:
    """Read the header of a file of a `kind` that `sniff` gave.

    Raises InputError for what cannot be read in principle, and whatever the library raises for damaged bytes.
    """
    match kind:
        case "TIFF":
            return _open_tiff(path)
        case "HDR":
            return _open_hdr(path)
        case "EXR":
            return _open_exr(path)
        case "HEIC":
            _register_heif(path)
            return _open_with_pillow(path, "HEIF")
        case _:
            return _open_with_pillow(path, kind)


# Orientation ----------------------------------------------------------------------------------------------------------

# By EXIF's number: 2 and 4 are mirrored, 3 is upside down, 5 to 8 lie on their sides (5 and 7 mirrored as well).
_TURNS: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    2: lambda pixels: pixels[:, ::-1],
    3: lambda pixels: pixels[::-1, ::-1],
    4: lambda pixels: pixels[::-1],
    5: lambda pixels: pixels.swapaxes(0, 1),
    6: lambda pixels: np.rot90(pixels, -1),
    7: lambda pixels: np.rot90(pixels, 2).swapaxes(0, 1),
    8: lambda pixels: np.rot90(pixels),
}


def _upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    return _TURNS[orientation](pixels) if orientation in _TURNS else pixels


def as_stored(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """The inverse of turning upright: rows and columns as they stand in the file."""
    return _upright(pixels, {6: 8, 8: 6}.get(orientation, orientation))


def turned_note(orientation: int) -> tuple[str, ...]:
    """What is said of a picture that was turned upright."""
    return (f"turned upright as its orientation tag ({orientation}) says",) if orientation in _TURNS else ()


# Pillow ---------------------------------------------------------------------------------------------------------------


@contextmanager
def _pillow(path: Path, kind: str) -> Iterator[Image.Image]:
    """The file opened as `kind` and nothing else; the limit on pixels is ours to check, not Pillow's."""
    limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        # Opened here, not by Pillow, which would map the file and then mistake height and width of a TIFF on its side.
        # Of damaged files it warns on standard error; what matters of that it also raises.
        with (
            path.open("rb") as file,
            warnings.catch_warnings(action="ignore"),
            Image.open(file, formats=[kind]) as image,
        ):
            yield image
    finally:
        Image.MAX_IMAGE_PIXELS = limit


def _open_with_pillow(path: Path, kind: str) -> Opened:
    with _pillow(path, kind) as image:
        width, height = image.size
        notes = _FIRST_ONLY if getattr(image, "is_animated", False) else ()
    if kind == "PNG":
        with path.open("rb") as file:
            depth, colour_type = file.read(26)[24:]  # the header chunk always comes first
        if depth == 16:
            return Opened(height, width, partial(_decode_png16, path, is_grey_alpha=colour_type == 4))
    return Opened(height, width, partial(_decode_with_pillow, path, kind, notes))


def _decode_with_pillow(path: Path, kind: str, notes: tuple[str, ...]) -> Decoded:
    with _pillow(path, kind) as image:
        said = _orientation(image)
        image.load()
        left = _orientation(image)  # upright by now, if the reader of this kind has turned the picture itself
        mode, change = _plain_mode(image)
        pixels = np.asarray(image if image.mode == mode else image.convert(mode))
        profile = _profile(image)
    pixels = pixels if pixels.ndim == 3 else pixels[:, :, None]
    return Decoded(_upright(pixels, left), (*notes, *change, *profile), orientation=said)


def _plain_mode(image: Image.Image) -> tuple[str, tuple[str, ...]]:
    """The one of grey, grey + alpha, RGB and RGBA that holds all of the picture, and what is changed thereby."""
    transparent = "transparency" in image.info
    match image.mode:
        case "L" | "1":
            return ("LA" if transparent and image.mode == "L" else "L"), ()
        case "LA" | "RGBA":
            return image.mode, ()
        case "RGB":
            return ("RGBA" if transparent else "RGB"), ()
        case "P":
            return ("RGBA" if transparent else "RGB"), ("palette written out",)
        case "PA" | "RGBa":
            return "RGBA", ()
        case "La":
            return "LA", ()
        case other:
            return "RGB", (f"{other} converted to RGB",)


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION_TAG, 1))
    except Exception:  # broken EXIF data is no reason to refuse a good picture
        return 1


def _profile(image: Image.Image) -> tuple[str, ...]:
    """The colour space that the file names, if it names one."""
    data = image.info.get("icc_profile")
    if not data:
        return ()
    try:
        name = ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(data))).strip()
    except (OSError, ImageCms.PyCMSError):
        name = "unreadable"
    return (f"colour profile {name!r} not applied",)


def _register_heif(path: Path) -> None:
    try:
        import pillow_heif  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise _needs_extra(path, "HEIC", "heic") from None
    pillow_heif.register_heif_opener()


def _needs_extra(path: Path, kind: str, extra: str) -> InputError:
    return InputError(f"{str(path)!r} is a {kind} picture; to read those, run: pip install 'fieldlens[{extra}]'")


# OpenCV ---------------------------------------------------------------------------------------------------------------


def _decode_png16(path: Path, *, is_grey_alpha: bool) -> Decoded:
    with _pillow(path, "PNG") as image:
        orientation = _orientation(image)
    with _pillow(path, "PNG") as image:
        image.verify()  # chunk by chunk, so that libpng never has to complain on standard error
    pixels = _decode_with_opencv(path)
    # OpenCV has no grey + alpha and gives RGBA instead.
    pixels = pixels[:, :, [0, 3]] if is_grey_alpha else pixels
    return Decoded(_upright(pixels, orientation), orientation=orientation)


def _decode_with_opencv(path: Path) -> np.ndarray:
    """The file's values in RGB(A) order; by way of memory, for OpenCV cannot open every file name."""
    level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        pixels = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
    finally:
        cv2.utils.logging.setLogLevel(level)
    if pixels is None:
        raise ValueError("the data ends early or makes no sense")
    if pixels.ndim == 2:
        return pixels[:, :, None]
    return pixels[:, :, [2, 1, 0, 3][: pixels.shape[2]]]


def _open_hdr(path: Path) -> Opened:
    with path.open("rb") as file:
        size = re.search(rb"\n\n-Y (\d+) \+X (\d+)\n", file.read(1 << 16))
    if size is None:
        raise ValueError("no size of the form -Y height +X width in its header")
    return Opened(int(size[1]), int(size[2]), lambda: Decoded(_decode_with_opencv(path), ("linear light",)))


# tifffile -------------------------------------------------------------------------------------------------------------


@contextmanager
def _tiff_page(path: Path) -> Iterator[tifffile.TiffPage]:
    """The first page; tifffile's own complaints are kept from the terminal, for its exceptions say the same."""
    logger = logging.getLogger("tifffile")
    before, logger.disabled = logger.disabled, True
    try:
        with tifffile.TiffFile(path) as file:
            page = file.pages.first
            if not isinstance(page, tifffile.TiffPage):
                raise ValueError("no page in it")
            yield page
    finally:
        logger.disabled = before


def _open_tiff(path: Path) -> Opened:
    with _tiff_page(path) as page:
        height, width = page.imagelength, page.imagewidth
        bits = page.bitspersample
        plain = page.photometric in (0, 1, 2)  # white is zero, black is zero, RGB
        notes = _FIRST_ONLY if len(page.parent.pages) > 1 else ()  # asked of Pillow, this would spoil the orientation
    if bits <= 8:
        return Opened(height, width, partial(_decode_with_pillow, path, "TIFF", notes))
    if not plain or bits % 16:
        raise InputError(f"{str(path)!r} has {bits} bits a sample in a way that is not read; save it as RGB of 16 bits")
    return Opened(height, width, partial(_decode_tiff, path, notes))


def _decode_tiff(path: Path, notes: tuple[str, ...]) -> Decoded:
    with _tiff_page(path) as page:
        if page.dtype is None or (page.dtype.kind != "f" and page.dtype != np.uint16):
            raise InputError(f"{str(path)!r} holds {page.dtype} samples; save it with 8 or 16 bits, or as float")
        tag = page.tags.get(_ORIENTATION_TAG)
        orientation = int(tag.value) if tag else 1
        pixels = _tiff_pixels(path, page, orientation)
        if page.photometric == 0 and pixels.dtype.kind == "u":
            pixels = np.iinfo(pixels.dtype).max - pixels
        premultiplied = 1 in page.extrasamples
    return Decoded(pixels, notes, premultiplied, orientation)


def _tiff_pixels(path: Path, page: tifffile.TiffPage, orientation: int) -> np.ndarray:
    try:
        pixels = page.asarray()
    except ValueError as problem:
        if "imagecodecs" not in str(problem):
            raise
        # OpenCV has the compressions that tifffile leaves to another package, and turns TIFFs upright itself.
        return _decode_with_opencv(path)
    axes = {"YX": pixels[:, :, None], "YXS": pixels, "SYX": np.moveaxis(pixels, 0, -1)}
    if page.axes not in axes:
        raise ValueError(f"its axes are {page.axes}")
    return _upright(axes[page.axes], orientation)


# OpenEXR --------------------------------------------------------------------------------------------------------------


def _open_exr(path: Path) -> Opened:
    try:
        import OpenEXR  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise _needs_extra(path, "EXR", "exr") from None
    with OpenEXR.File(str(path), header_only=True) as file:
        (left, top), (right, bottom) = file.header()["dataWindow"]
    return Opened(int(bottom - top) + 1, int(right - left) + 1, partial(_decode_exr, path))


def _decode_exr(path: Path) -> Decoded:
    import OpenEXR  # pyright: ignore[reportMissingImports]

    with OpenEXR.File(str(path)) as file:
        channels = file.channels()
        name = next((name for name in ("RGBA", "RGB", "Y") if name in channels), None)
        if name is None:
            raise InputError(f"{str(path)!r} has the channels {', '.join(channels)}, but no RGB and no Y")
        pixels = np.array(channels[name].pixels)
    return Decoded(pixels if pixels.ndim == 3 else pixels[:, :, None], ("linear light",), premultiplied=True)
