"""Where cameras stand around a scene: a picture to look at before training.

Cameras that look the wrong way, a cube in the wrong place and a scene that lies on its side are seen here at a glance,
and hours later otherwise.
"""

import math
from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import Float64, UInt8

from .camera import Camera, Vector, looking_at, perspective, upwards
from .colour import LAYER_COLOURS, to_rgb
from .grid import CUBE_DIAGONAL
from .lines import SUBPIXEL_BITS, below, lines_over
from .panel import Tile, panel
from .text import BACKGROUND, INK, LINE, QUIET_INK, Rgb, draw_text, text_width

TRAIN_COLOUR, HELDOUT_COLOUR = LAYER_COLOURS[0], LAYER_COLOURS[1]

AXIS_COLOURS: tuple[Rgb, ...] = ((240, 96, 88), (124, 204, 92), (104, 140, 250))
"""Colours of the x, y and z axes, as modelling programs have them."""

_SIDE = 560
_ROOM = 12  # rows above and below all that is drawn
_THUMBNAIL = 216
_NAME = 15  # height of an axis's name
_OPACITIES = (0.45, 0.65, 0.85, 1.0)  # cameras are drawn in groups from far to near, two of them behind the cube
_GROUPS = (0.5, 0.0, -0.5)  # between them, how far they are beyond the cube's middle, in extents
_PYRAMID_EDGES = [(0, 1), (0, 2), (0, 3), (0, 4), (1, 2), (2, 3), (3, 4), (4, 1)]
_CUBE_EDGES = np.array([(a, b) for a in range(8) for b in range(a + 1, 8) if (a ^ b) in (1, 2, 4)])
_CORNERS = np.array([[(corner >> axis) & 1 for axis in range(3)] for corner in range(8)], np.float64)


def cameras_overview(
    train: Sequence[Camera],
    heldout: Sequence[Camera],
    centre: Vector,
    side: float,
    photographs: Sequence[tuple[str, UInt8[np.ndarray, "_ _ _"]]] = (),
    title: str = "cameras",
) -> UInt8[np.ndarray, "H W 3"]:
    """The cameras as small pyramids around the cube of the scene, from the side and from above, over some photographs.

    A pyramid has its tip where the camera stands and opens towards what it sees, with a small triangle above the top
    edge of the picture. Upwards is the axis of the world that is upwards for most cameras.

    Args:
        centre, side: of the cube, in units of the world.
        photographs: names and pictures, RGB or RGBA of 8 bits with alpha premultiplied; as many as fit are shown.
    """
    cameras = [*train, *heldout]
    middle = np.asarray(centre, np.float64)
    places = np.stack([camera.position for camera in cameras])
    extent = max(float(np.linalg.norm(places - middle, axis=1).max()), side * CUBE_DIAGONAL / 2)
    depth = _depth(places, extent)
    pyramids = np.stack([_pyramid(camera, depth) for camera in cameras])
    colours = [TRAIN_COLOUR] * len(train) + [HELDOUT_COLOUR] * len(heldout)
    up = upwards(cameras)
    corners = middle + side * (_CORNERS - 0.5)
    views = [
        _drawn(_observer(middle, extent, up, elevation, angle), corners, pyramids, colours, extent)
        for elevation, angle in ((0.42, 0.6), (math.pi / 2, 0.05))
    ]
    used = np.flatnonzero((np.hstack(views) != BACKGROUND).any((1, 2)))
    rows = slice(max(used[0] - _ROOM, 0), used[-1] + _ROOM)
    step = 10.0 ** math.floor(math.log10(side) - 2)
    at = ", ".join(f"{round(value / step) * step:.4g}" for value in middle)
    captions = f"from the side; the cube's side is {side:.4g}", f"from above; the cube's middle is at ({at})"
    tiles = [Tile(view[rows], caption) for view, caption in zip(views, captions, strict=True)]
    image = below(panel(tiles, title, min_side=1, columns=2), _legend(len(train), len(heldout)))
    if not photographs:
        return image
    count = max(1, image.shape[1] // (_THUMBNAIL + 16))
    chosen = [photographs[k] for k in np.linspace(0, len(photographs) - 1, min(count, len(photographs))).astype(int)]
    thumbnails = [Tile(_thumbnail(pixels), name) for name, pixels in chosen]
    return below(image, panel(thumbnails, _shown(len(chosen), len(photographs)), min_side=1, columns=len(chosen)))


def _shown(count: int, total: int) -> str:
    return f"{count} of {total} photographs" if count < total else "photographs"


def _observer(
    middle: Float64[np.ndarray, "3"], extent: float, up: Float64[np.ndarray, "3"], elevation: float, angle: float
) -> Camera:
    """A camera that has all within `extent` of the middle in its frame."""
    axis = int(np.argmax(np.abs(up)))
    first, second = np.eye(3)[(axis + 1) % 3], np.eye(3)[(axis + 2) % 3]
    level = math.sin(0.5) * first - math.cos(0.5) * second
    distance = 1.12 * extent / math.sin(angle / 2)
    eye = middle + distance * (math.cos(elevation) * level + math.sin(elevation) * up)
    return perspective(_SIDE, _SIDE, angle, looking_at(eye, middle, up if elevation < 1.5 else second))


def _depth(places: Float64[np.ndarray, "n 3"], extent: float) -> float:
    """How deep pyramids are: little enough to leave room between neighbours, and enough to be seen."""
    some = places[:: max(1, len(places) // 500)]
    gaps = np.linalg.norm(some[:, None] - places[None], axis=2)
    gaps[gaps == 0] = np.inf  # to itself, and to cameras in the same place
    return float(np.clip(0.7 * np.median(gaps.min(1)), 0.06 * extent, 0.16 * extent))


def _pyramid(camera: Camera, depth: float) -> Float64[np.ndarray, "6 3"]:
    """The tip, the four corners of the picture from the left top one clockwise, and the tip of the mark above it."""
    h, w = camera.height, camera.width
    xy = np.array([[0, 0], [w, 0], [w, h], [0, h], [w / 2, -0.3 * h]])
    right_down = depth * (xy - np.array(camera.centre)) / np.array(camera.focal)
    own = np.array([[0.0, 0.0, 0.0], *([x, -y, -depth] for x, y in right_down)])
    return own @ camera.pose[:3, :3].T + camera.position


def _drawn(
    observer: Camera,
    corners: Float64[np.ndarray, "8 3"],
    pyramids: Float64[np.ndarray, "n 6 3"],
    colours: Sequence[Rgb],
    extent: float,
) -> UInt8[np.ndarray, "h w 3"]:
    image = np.full((observer.height, observer.width, 3), BACKGROUND, np.uint8)
    flat, depths = observer.project(pyramids.reshape(-1, 3))
    shapes, depths = flat.reshape(-1, 6, 2), depths.reshape(-1, 6)[:, 0]
    beyond = (depths - observer.project(corners.mean(0)[None])[1]) / extent
    for group, opacity in enumerate(_OPACITIES):
        if 2 * group == len(_OPACITIES):
            image = _cube(image, observer, corners)
        for colour in dict.fromkeys(colours):
            chosen = [k for k in np.flatnonzero(np.digitize(beyond, _GROUPS) == group).tolist() if colours[k] == colour]
            image = _pyramids(image, shapes[chosen], colour, opacity)
    _name_axes(image, observer.project(corners)[0])
    return image


def _pyramids(
    image: UInt8[np.ndarray, "h w 3"], shapes: Float64[np.ndarray, "n 6 2"], colour: Rgb, opacity: float
) -> UInt8[np.ndarray, "h w 3"]:
    image = _filled(image, shapes[:, 1:5], colour, 0.3 * opacity)
    image = _filled(image, shapes[:, [1, 2, 5]], colour, 0.8 * opacity)
    return lines_over(image, shapes[:, _PYRAMID_EDGES].reshape(-1, 2, 2), opacity, colour)


def _cube(
    image: UInt8[np.ndarray, "h w 3"], observer: Camera, corners: Float64[np.ndarray, "8 3"]
) -> UInt8[np.ndarray, "h w 3"]:
    """The cube's edges, those of the corner that is least in x, y and z in the colours of the axes."""
    at, _ = observer.project(corners)
    outline = cv2.convexHull(at.astype(np.float32)).reshape(1, -1, 2).astype(np.float64)
    image = _filled(image, outline, INK, 0.07)
    image = lines_over(image, at[_CUBE_EDGES], 0.5, QUIET_INK)
    for axis, colour in enumerate(AXIS_COLOURS):
        image = lines_over(image, at[[0, 1 << axis]][None], 1.0, colour)
    return image


def _name_axes(image: UInt8[np.ndarray, "h w 3"], at: Float64[np.ndarray, "8 2"]) -> None:
    """Write x, y and z beyond the ends of their edges, `at` the projected corners; changes the picture in place."""
    for axis, (name, colour) in enumerate(zip("xyz", AXIS_COLOURS, strict=True)):
        end, along = at[1 << axis], at[1 << axis] - at[0]
        if np.linalg.norm(along) > _NAME:  # not where the axis points at us
            x, y = end + along / np.linalg.norm(along) * _NAME
            draw_text(image, name, (round(x - text_width(name, _NAME) / 2), round(y - 0.62 * _NAME)), _NAME, colour)


def _filled(
    image: UInt8[np.ndarray, "h w 3"], polygons: Float64[np.ndarray, "n k 2"], colour: Rgb, opacity: float
) -> UInt8[np.ndarray, "h w 3"]:
    """The picture with smoothed polygons over it, no more opaque than that where they lie on one another."""
    covered = np.zeros(image.shape[:2], np.uint8)
    for polygon in polygons:
        ends = np.round((polygon - 0.5) * 2**SUBPIXEL_BITS).astype(np.int32)
        cv2.fillPoly(covered, [ends], 255, cv2.LINE_AA, SUBPIXEL_BITS)  # type: ignore[call-overload]
    share = covered[..., None] * np.float32(opacity / 255)
    return np.round(image + (np.array(colour) - image.astype(np.float32)) * share).astype(np.uint8)


def _legend(train: int, heldout: int) -> UInt8[np.ndarray, "h w 3"]:
    """What the two colours mean, and how many cameras of each there are."""
    size = 16
    entries = [(TRAIN_COLOUR, f"{train} trained on"), (HELDOUT_COLOUR, f"{heldout} held out")]
    entry = max(text_width(words, size) for _, words in entries) + 4 * size
    strip = np.full((round(2 * LINE * size), size + entry * len(entries), 3), BACKGROUND, np.uint8)
    for number, (colour, words) in enumerate(entries):
        left, top = size + number * entry, size // 2
        strip[top + size // 4 : top + size, left : left + size] = colour
        draw_text(strip, words, (left + round(1.5 * size), top - size // 8), size, INK)
    return strip


def _thumbnail(pixels: UInt8[np.ndarray, "_ _ _"]) -> UInt8[np.ndarray, "_ _ 3"]:
    """The picture with a longer side of `_THUMBNAIL`."""
    height, width, channels = pixels.shape
    factor = _THUMBNAIL / max(height, width)
    size = max(1, round(width * factor)), max(1, round(height * factor))
    resized = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR)
    return to_rgb(resized.reshape(size[1], size[0], channels).astype(np.float32) / 255)
