"""PNG pictures of any depth, checked against all their checksums before they are decoded.

What is no picture never reaches a decoder: Pillow refuses files whose texts are long, and none of them reads all
transparent colours right.
"""

import zlib
from functools import partial
from io import BytesIO
from pathlib import Path

import numpy as np
from jaxtyping import Shaped, UInt8

from fieldlens.configs.files import open_file
from fieldlens.render.png import CheckedPng, checked_png, read_png_header

from .by_pillow import orientation_of, pillow, profile_note
from .decoded import FIRST_ONLY, Decoded, Opened, upright
from .hdr import by_opencv

_LARGEST_PROFILE = 1 << 22
"""Bytes of the largest colour profile whose name is looked for."""


def open_png(path: Path) -> Opened:
    """A PNG.

    Raises:
        ValueError: when its header is damaged.
    """
    with open_file(path) as file:
        header = read_png_header(file)
    channels = 4 if header.colour_type == 3 else header.channels
    size = header.height * header.width * channels * (2 if header.depth == 16 else 1)
    return Opened(header.height, header.width, size, partial(_decode, path))


def _decode(path: Path) -> Decoded:
    with open_file(path) as file:
        png = checked_png(file)
    notes = FIRST_ONLY if int.from_bytes(png.chunks.get(b"acTL", b"")[:4]) > 1 else ()
    pixels = _samples(png)
    if png.header.colour_type == 3:
        pixels = _written_out(pixels, png.chunks[b"PLTE"], png.chunks.get(b"tRNS"))
        notes = (*notes, "palette written out")
    elif png.header.colour_type in (0, 2) and b"tRNS" in png.chunks:
        pixels = _with_alpha(pixels, png.chunks[b"tRNS"], png.header.depth)
    orientation = _orientation(png)
    return Decoded(upright(pixels, orientation), (*notes, *_colour_notes(png)), orientation=orientation)


def _samples(png: CheckedPng) -> Shaped[np.ndarray, "h w c"]:
    """Grey or colours over the whole range of 8 or 16 bits, or the numbers of a palette's colours."""
    if png.header.depth == 16:
        pixels = by_opencv(png.file())
        # OpenCV has no grey + alpha and gives RGBA instead.
        return pixels[:, :, [0, 3]] if png.header.colour_type == 4 else pixels
    with pillow(BytesIO(png.file()), "PNG") as image:
        pixels = np.asarray(image.convert("L") if image.mode == "1" else image)
    return pixels if pixels.ndim == 3 else pixels[:, :, None]


def _written_out(
    numbers: UInt8[np.ndarray, "h w 1"], palette: bytes, alpha: bytes | None
) -> UInt8[np.ndarray, "h w c"]:
    colours = np.frombuffer(palette, np.uint8).reshape(-1, 3)
    if int(numbers.max()) >= len(colours):
        raise ValueError("its palette lacks colours that its pixels have")
    if alpha is not None:  # colours without an alpha of their own are opaque
        opacity = np.full((len(colours), 1), 255, np.uint8)
        opacity[: len(alpha), 0] = np.frombuffer(alpha, np.uint8)[: len(colours)]
        colours = np.hstack([colours, opacity])
    return colours[numbers[:, :, 0]]


def _with_alpha(pixels: Shaped[np.ndarray, "h w c"], transparent: bytes, depth: int) -> Shaped[np.ndarray, "h w c+1"]:
    """Grey or RGB with alpha: nothing where a pixel is the transparent colour, all elsewhere."""
    if len(transparent) < 2 * pixels.shape[2]:
        raise ValueError("its transparent colour is cut short")
    top = np.iinfo(pixels.dtype).max
    most = (1 << depth) - 1
    colour = (np.frombuffer(transparent, ">u2")[: pixels.shape[2]] & most) * (top // most)
    alpha = np.where((pixels == colour).all(axis=2, keepdims=True), 0, top).astype(pixels.dtype)
    return np.concatenate([pixels, alpha], axis=2)


def _orientation(png: CheckedPng) -> int:
    try:
        with pillow(BytesIO(png.file(b"eXIf", b"tEXt", b"zTXt", b"iTXt")), "PNG") as image:
            return orientation_of(image)
    except (ValueError, OSError, SyntaxError):  # a broken text is no reason to refuse a good picture
        return 1


def _colour_notes(png: CheckedPng) -> tuple[str, ...]:
    """What the file says of its colours that is not applied."""
    if b"iCCP" in png.chunks:
        packed = png.chunks[b"iCCP"].partition(b"\0")[2][1:]
        try:
            return profile_note(zlib.decompressobj().decompress(packed, _LARGEST_PROFILE))
        except zlib.error:
            return profile_note(b"")
    gamma = int.from_bytes(png.chunks.get(b"gAMA", b"")[:4]) / 100_000
    if gamma and b"sRGB" not in png.chunks and abs(gamma * 2.2 - 1) > 0.05:
        return (f"gamma {gamma:.4g} not applied",)
    return ()
