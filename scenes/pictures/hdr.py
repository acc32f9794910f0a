"""Radiance .hdr pictures, and what else OpenCV decodes: it keeps 16 bits and floats."""

import re
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Shaped

from fieldlens.configs.errors import InputError
from fieldlens.configs.files import open_file, read_bytes

from .area import rows_at_once
from .decoded import Decoded, Opened

_HEADER = 1 << 16
"""Bytes in which the size has to stand."""


def open_hdr(path: Path) -> Opened:
    """A Radiance picture, in which a pixel is three mantissas of 8 bits and an exponent.

    Raises:
        InputError: where it holds another colour space than RGB.
        ValueError: when its header is damaged.
    """
    with open_file(path) as file:
        header = file.read(_HEADER)
    size = re.search(rb"\n\n-Y (\d{1,9}) \+X (\d{1,9})\n", header)
    if size is None:
        raise ValueError("no size of the form -Y height +X width in its header")
    if b"xyze" in header[: size.start()]:
        raise InputError(f"{str(path)!r} holds XYZ colours, which are not read; save it as RGB")
    height, width = int(size[1]), int(size[2])
    return Opened(height, width, 12 * height * width, partial(_decode, path))


def _decode(path: Path) -> Decoded:
    return Decoded(by_opencv(read_bytes(path)), ("linear light",))


def by_opencv(content: bytes) -> Shaped[np.ndarray, "h w c"]:
    """A file's values in RGB(A) order; by way of memory, for OpenCV cannot open every file name.

    Raises:
        ValueError: when the data is damaged.
    """
    level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as problem:
        raise MemoryError if problem.code == cv2.Error.StsNoMem else ValueError(problem.err) from None
    finally:
        cv2.utils.logging.setLogLevel(level)
    if pixels is None:
        raise ValueError("the data ends early or makes no sense")
    if pixels.ndim == 2:
        return pixels[:, :, None]
    for rows in rows_at_once(pixels):  # in place: a copy of a large picture costs as much again
        pixels[rows, :, :3] = pixels[rows, :, 2::-1]
    return pixels
