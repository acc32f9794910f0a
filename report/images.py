"""Pictures as a page holds or asks for them: exact where pixels are few and judged one by one, compact where many."""

from base64 import b64encode
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import UInt8

LARGEST_SIDE = 2048
"""Longer pictures are reduced by area averaging: a page of several full-size scans would be slow to open."""

EXACT_SIDE = 512
"""Up to this side a still picture is a PNG, so that no codec's loss is mistaken for the network's."""

EXACT_FRAME_SIDE = 64
"""Frames come by the hundred; only tiny ones, where a codec's blocks would show, are PNGs."""

EARLIER_SIDE = 256
"""Pixels of the longer side of a map of an earlier step: a reader sees how it grows, and reads numbers off the last."""

RGBImage = UInt8[np.ndarray, "h w 3"]


@dataclass(frozen=True)
class Encoded:
    """A picture as a browser takes it."""

    media_type: str
    data: bytes

    @property
    def uri(self) -> str:
        """The whole picture as an address."""
        return f"data:{self.media_type};base64,{b64encode(self.data).decode('ascii')}"


def encoded_still(image: RGBImage, largest_side: int = LARGEST_SIDE) -> Encoded:
    """A target or a final reconstruction: exact up to `EXACT_SIDE`."""
    return _encoded(image, exact_side=EXACT_SIDE, quality=92, largest_side=largest_side)


def encoded_frame(image: RGBImage, largest_side: int = LARGEST_SIDE) -> Encoded:
    """One of many frames: about 15 kB at 256x256."""
    return _encoded(image, exact_side=EXACT_FRAME_SIDE, quality=85, largest_side=largest_side)


def encoded_map(image: RGBImage, largest_side: int = LARGEST_SIDE) -> Encoded:
    """A map: its colours are read off a scale, so exact up to half of `EXACT_SIDE`."""
    return _encoded(image, exact_side=EXACT_SIDE // 2, quality=92, largest_side=largest_side)


def encoded_earlier(image: RGBImage) -> Encoded:
    """A map of an earlier step, one of many: at most `EARLIER_SIDE` across, about 10 kB."""
    return _encoded(image, exact_side=EXACT_FRAME_SIDE, quality=80, largest_side=EARLIER_SIDE)


def encoded_sheet(image: RGBImage) -> Encoded:
    """Many small pictures on one sheet, at its own size: each has its place on it by pixels."""
    return _encoded(image, exact_side=EXACT_FRAME_SIDE, quality=85, largest_side=max(image.shape[:2]))


def _encoded(image: RGBImage, *, exact_side: int, quality: int, largest_side: int = LARGEST_SIDE) -> Encoded:
    shown = _reduced(image, largest_side)
    exact = max(shown.shape[:2]) <= exact_side
    kind, parameters = ("png", []) if exact else ("webp", [cv2.IMWRITE_WEBP_QUALITY, quality])
    # cv2 orders channels blue, green, red.
    _, data = cv2.imencode(f".{kind}", np.ascontiguousarray(shown[..., ::-1]), parameters)
    return Encoded(f"image/{kind}", data.tobytes())


def _reduced(image: RGBImage, largest_side: int) -> UInt8[np.ndarray, "shown_h shown_w 3"]:
    height, width = image.shape[:2]
    if max(height, width) <= largest_side:
        return image
    scale = largest_side / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.uint8)
