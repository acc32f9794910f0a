"""OpenEXR pictures, where the extra package is installed."""

import io
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path

import numpy as np

from fieldlens.configs.errors import InputError

from .by_pillow import needs_extra
from .decoded import FIRST_ONLY, Decoded, Opened


def open_exr(path: Path) -> Opened:
    """The first part of an OpenEXR file.

    Raises:
        InputError: where the package that reads it is not installed.
    """
    try:
        import OpenEXR  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise needs_extra(path, "EXR", "exr") from None
    with OpenEXR.File(str(path), header_only=True) as file:
        header = file.header()
        (left, top), (right, bottom) = header["dataWindow"]
        height, width, channels = int(bottom - top) + 1, int(right - left) + 1, len(header["channels"])
    return Opened(height, width, 4 * height * width * channels, partial(_decode, path))


def _decode(path: Path) -> Decoded:
    import OpenEXR  # pyright: ignore[reportMissingImports]

    with redirect_stdout(io.StringIO()), OpenEXR.File(str(path)) as file:  # of damage it prints, and goes on
        channels, several = file.channels(), len(file.parts) > 1
        name = next((name for name in ("RGBA", "RGB", "Y") if name in channels), None)
        if not channels:
            raise ValueError("its values cannot be decoded")
        if name is None:
            raise InputError(f"{str(path)!r} has the channels {', '.join(channels)}, but no RGB and no Y")
        pixels = np.array(channels[name].pixels)
        others = [other for other in channels if other != name]  # closing the file empties them
    left_out = (f"channels left out: {', '.join(others)}",) if others else ()
    pixels = pixels if pixels.ndim == 3 else pixels[:, :, None]
    return Decoded(pixels, ("linear light", *(FIRST_ONLY if several else ()), *left_out), premultiplied=True)
