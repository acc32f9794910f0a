"""Pictures and arrays as files, written whole or not at all."""

from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8, UInt16

from fieldlens.configs.errors import InputError
from fieldlens.configs.files import read_bytes, write_bytes

from .png import checked_png


def write_png(path: Path, image: UInt8[np.ndarray, "h w 3"] | UInt8[np.ndarray, "h w 4"]) -> None:
    """Write an RGB picture, or one with straight alpha, as PNG."""
    write_bytes(path, png_bytes(image))


def write_grey16_png(path: Path, values: UInt16[np.ndarray, "h w"]) -> None:
    """Write numbers of 16 bits as a grey PNG."""
    write_bytes(path, cv2.imencode(".png", values)[1].tobytes())


def png_bytes(image: UInt8[np.ndarray, "h w 3"] | UInt8[np.ndarray, "h w 4"]) -> bytes:
    """An RGB picture, or one with straight alpha, as a PNG's bytes."""
    to_opencv = cv2.COLOR_RGB2BGR if image.shape[2] == 3 else cv2.COLOR_RGBA2BGRA
    return cv2.imencode(".png", cv2.cvtColor(image, to_opencv))[1].tobytes()


def read_png(path: Path) -> UInt8[np.ndarray, "h w 3"]:
    """Read a picture that `write_png` wrote, as RGB.

    Raises:
        InputError: when the file is missing or damaged.
    """
    data = read_bytes(path)
    try:
        whole = np.frombuffer(checked_png(BytesIO(data)).file(), np.uint8)
        return cv2.cvtColor(cv2.imdecode(whole, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    except (ValueError, cv2.error):
        raise InputError(f"{str(path)!r} is damaged; delete it, and the run can be drawn again") from None


def write_npz(path: Path, **arrays: np.ndarray) -> None:
    """Write arrays compressed; none may need pickle."""
    buffer = BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    write_bytes(path, buffer.getvalue())
