"""Animated pictures, which play where no video does: GIF and WebP, no larger than one may send."""

import math
from collections.abc import Sequence
from io import BytesIO
from typing import Any

import cv2
import numpy as np
from jaxtyping import UInt8
from PIL import Image

ANIMATED_ENDINGS = (".gif", ".webp")
"""What is written here."""

_HOW: dict[str, dict[str, Any]] = {".gif": {"format": "GIF"}, ".webp": {"format": "WebP", "quality": 80, "method": 1}}

_TRIED = 0.25
"""The scale at which it is seen how large frames are."""


def animation(
    frames: Sequence[UInt8[np.ndarray, "h w 3"]],
    ending: str,
    *,
    at_most: int,
    fps: float = 12.0,
    hold_last_seconds: float = 2.0,
) -> tuple[bytes, tuple[int, int]]:
    """Frames as an animation that begins anew after its last, which is held; reduced until it has `at_most` bytes.

    Args:
        frames: all of one size.
        ending: one of `ANIMATED_ENDINGS`.

    Returns:
        The file's content, and the height and width of what it shows.

    Raises:
        ValueError: when even a few pixels take more bytes.
    """
    tried, _ = _encoded(frames, _TRIED, ending, fps, hold_last_seconds)
    scale = min(1.0, _TRIED * math.sqrt(at_most / len(tried)))
    while min(frames[0].shape[:2]) * scale >= 1:
        data, size = _encoded(frames, scale, ending, fps, hold_last_seconds)
        if len(data) <= at_most:
            return data, size
        scale *= 0.9
    raise ValueError(f"animation: {len(frames)} frames do not fit into {at_most} bytes")


def _encoded(
    frames: Sequence[UInt8[np.ndarray, "h w 3"]], scale: float, ending: str, fps: float, hold_last_seconds: float
) -> tuple[bytes, tuple[int, int]]:
    height, width = (max(1, round(scale * side)) for side in frames[0].shape[:2])
    reduced = (cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA) for frame in frames)
    first, *others = (Image.fromarray(np.asarray(frame, np.uint8)) for frame in reduced)
    each = round(1000 / fps)
    durations = [each] * len(others) + [each + round(1000 * hold_last_seconds)]
    buffer = BytesIO()
    first.save(buffer, save_all=True, append_images=others, duration=durations, loop=0, **_HOW[ending])
    return buffer.getvalue(), (height, width)
