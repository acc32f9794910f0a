"""Pictures of 8 bits that Pillow reads: JPEG, WebP, GIF, BMP, AVIF and HEIC."""

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageFile

from fieldlens.configs.errors import InputError
from fieldlens.configs.files import open_file

from .decoded import FIRST_ONLY, ORIENTATION_TAG, Decoded, Opened, upright

_HEAD = 1 << 16
"""Bytes in which an AVIF or HEIC says how many bits its samples have."""


@contextmanager
def pillow(file: io.BufferedReader | io.BytesIO, kind: str) -> Iterator[ImageFile.ImageFile]:
    """The file opened as `kind` and nothing else; the limit on pixels is ours to check, not Pillow's.

    By its name, Pillow would map a file, and then mistake height and width of a TIFF on its side. Of damaged files it
    warns on standard error; what matters of that it also raises.
    """
    limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(file, formats=[kind]) as image:
            yield image
    finally:
        Image.MAX_IMAGE_PIXELS = limit


def open_heic(path: Path) -> Opened:
    """A HEIC picture.

    Raises:
        InputError: where the package that reads it is not installed.
    """
    try:
        import pillow_heif  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise needs_extra(path, "HEIC", "heic") from None
    pillow_heif.register_heif_opener()
    return open_with_pillow(path, "HEIF")


def open_with_pillow(path: Path, kind: str) -> Opened:
    """A picture of a kind that Pillow reads."""
    with open_file(path) as file:
        deep = _reduced_bits(file.read(_HEAD)) if kind in ("AVIF", "HEIF") else ()
        file.seek(0)
        with pillow(file, kind) as image:
            width, height = image.size
            several = FIRST_ONLY if getattr(image, "is_animated", False) else ()
            notes = (*deep, *several, *(_uncovered(image) if kind == "GIF" else ()))
    return Opened(height, width, 4 * height * width, partial(_decode, path, kind, notes))


def _uncovered(image: ImageFile.ImageFile) -> tuple[str, ...]:
    """What is said of a GIF whose first frame is smaller than it, and has nothing transparent to fill the rest with."""
    covered = all(part.extents == (0, 0, *image.size) for part in image.tile)
    return () if covered or "transparency" in image.info else ("its first frame is smaller; around it, colour 0",)


def _decode(path: Path, kind: str, notes: tuple[str, ...]) -> Decoded:
    with open_file(path) as file, pillow(file, kind) as image:
        return decoded(image, notes)


def decoded(image: Image.Image, notes: tuple[str, ...]) -> Decoded:
    """All pixels of an opened picture."""
    said = orientation_of(image)
    image.load()
    left = orientation_of(image)  # upright by now, if the reader of this kind has turned the picture itself
    mode, change = _plain_mode(image)
    pixels = np.asarray(image if image.mode == mode else image.convert(mode))
    pixels = pixels if pixels.ndim == 3 else pixels[:, :, None]
    profile = profile_note(image.info.get("icc_profile"))
    return Decoded(upright(pixels, left), (*notes, *change, *profile), orientation=said)


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
        case "CMYK" | "YCbCr" | "LAB" as other:
            return "RGB", (f"{other} converted to RGB",)
        case other:
            raise ValueError(f"its pixels are of the kind {other}")


def orientation_of(image: Image.Image) -> int:
    """The tag of EXIF, 1 where there is none."""
    try:
        return int(image.getexif().get(ORIENTATION_TAG, 1))
    except Exception:  # broken EXIF data is no reason to refuse a good picture
        return 1


def profile_note(data: bytes | None) -> tuple[str, ...]:
    """The colour space that the file names, if it names one."""
    if data is None:
        return ()
    try:
        name = ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(data))).strip()
    except (OSError, ImageCms.PyCMSError):
        name = "unreadable"
    return (f"colour profile {name!r} not applied",)


def _reduced_bits(head: bytes) -> tuple[str, ...]:
    """What is lost of an AVIF or HEIC of more than 8 bits: its box `pixi` has the number of channels and their bits."""
    said = re.search(rb"pixi\0\0\0\0[\x01-\x04](.)", head, re.DOTALL)
    bits = said[1][0] if said else 8
    return (f"{bits} bits of a sample reduced to 8",) if bits > 8 else ()


def needs_extra(path: Path, kind: str, extra: str) -> InputError:
    """That pictures of a kind are read by a package that is not installed, and how it is."""
    return InputError(f"{str(path)!r} is a {kind} picture; to read those, run: pip install 'fieldlens[{extra}]'")
