"""A toy crane on crawler tracks, of some hundreds of small parts: textures and thin structures wherever one looks.

It stands on z = -0.7 and looks along x. "px" is 0.0215, a pixel in the middle of a photograph of 100 x 100.
"""

import math
from itertools import pairwise

import numpy as np
from jaxtyping import Float64
from scipy.spatial.transform import Rotation

from fieldlens.render.camera import Vector

from .surfaces import (
    Colour,
    PointArray,
    Rgb,
    Surface,
    Triangles,
    alternating,
    box,
    cone,
    joined,
    longitude,
    moved,
    torus,
    turned,
    uniform,
)

_BLACK, _WHITE, _STEEL = uniform(0.06, 0.06, 0.07), uniform(0.97, 0.96, 0.93), uniform(0.52, 0.55, 0.60)
_YELLOW, _AMBER, _BROWN = uniform(0.98, 0.78, 0.10), uniform(0.84, 0.50, 0.05), uniform(0.42, 0.22, 0.06)
_RED, _BLUE, _SKY = uniform(0.82, 0.14, 0.10), uniform(0.16, 0.36, 0.70), uniform(0.55, 0.78, 0.93)
_GREEN, _LIME = uniform(0.20, 0.52, 0.26), uniform(0.62, 0.78, 0.24)

_ASIDE = 0.0031
"""What patterns are shifted by, so that no face lies where their colours change."""

_SIGN = (
    "X.... XXXXX X...X .XXXX",
    "X.... X.... XX..X X....",
    "X.... X.... X.X.X X....",
    "X.... XXXX. X.X.X .XXX.",
    "X.... X.... X.X.X ....X",
    "X.... X.... X..XX ....X",
    "XXXXX XXXXX X...X XXXX.",
)
"""What is written on both sides of the house, in dots of 1 px."""
_DOT, _SIGN_X, _SIGN_Z = 0.0215, -0.20, -0.15
"""How wide a dot is, and where the middle of the sign is."""

_TRACK, _AXLE, _REAR, _FRONT, _TURN = 0.30, -0.55, -0.42, 0.32, 0.135
"""|y| of the middles of the tracks, z of their axles, x of the last and the first, and how far links are from these."""
_LINKS, _WHEELS = 44, 5

_FOOT, _TIP = np.array([0.16, -0.10, -0.24]), np.array([0.63, -0.10, 0.68])
"""The middles of the boom's ends."""
_BAYS = 13

_MAST = -0.36, 0.44
"""x and z of the top of the frame behind the boom."""


def crane() -> list[Surface]:
    """The crane, within the unit sphere about the origin."""
    return [*_tracks(), *_chassis(), *_house(), *_boom(), *_load()]


def _tracks() -> list[Surface]:
    """Two chains of links 2.5 px apart, each about five wheels of 8 px with spokes."""
    links: tuple[list[Surface], list[Surface]] = [], []
    for number in range(_LINKS):
        x, z, angle = _on_chain(number / _LINKS)
        flat = box((0.0, 0.0, 0.0), (0.036, 0.2, 0.032), (_STEEL, _BLACK)[number % 2])
        link = turned(flat, Rotation.from_rotvec([0.0, angle, 0.0]))
        links[number % 2].extend(moved(link, (x, y, z)) for y in (-_TRACK, _TRACK))
    apart = (_FRONT - _REAR) / (_WHEELS - 1)

    def spokes(points: PointArray) -> Float64[np.ndarray, "k 2"]:
        x = (points[:, 0] - _REAR + apart / 2) % apart - apart / 2
        turn = np.arctan2(points[:, 2] - _AXLE, x) / (2 * math.pi)
        return np.stack([5 * turn, (np.hypot(x, points[:, 2] - _AXLE) + _ASIDE) / 0.1], 1)

    wheels = [
        cone((x, y - 0.09, _AXLE), (x, y + 0.09, _AXLE), 0.088, 0.088, alternating(spokes, _RED, _WHITE), 24)
        for y in (-_TRACK, _TRACK)
        for x in np.linspace(_REAR, _FRONT, _WHEELS)
    ]
    return [joined(links[0]), joined(links[1]), joined(wheels)]


def _on_chain(share: float) -> tuple[float, float, float]:
    """x, z and the angle about y at a share of the way along a chain, from the top of its last axle."""
    straight, bend = _FRONT - _REAR, math.pi * _TURN
    half, way = divmod(2 * share * (straight + bend), straight + bend)
    angle = max(way - straight, 0.0) / _TURN + math.pi * half
    forth = min(way, straight)
    x = _REAR + forth if half == 0 else _FRONT - forth
    return x + _TURN * math.sin(angle), _AXLE + _TURN * math.cos(angle), angle


def _chassis() -> list[Surface]:
    """What joins the tracks, a plate of studs over them, and the ring that the house turns on."""
    x, top = -0.16, -0.355
    patches = _scattered(0.13, _GREEN, _GREEN, _LIME, _STEEL)

    def stripes(points: PointArray) -> Float64[np.ndarray, "k 1"]:
        return 16 * longitude(points - np.array([x, 0.0, 0.0]))[:, None] / (2 * math.pi)

    return [
        box((-0.05, 0.0, -0.52), (0.74, 0.36, 0.25), _checks(0.12, _STEEL, _BROWN)),
        box((-0.05, 0.0, top - 0.02), (0.92, 0.80, 0.04), patches),
        joined(_studs((-0.51, 0.41), (-0.40, 0.40), top, patches)),
        cone((x, 0.0, top), (x, 0.0, -0.31), 0.25, 0.25, alternating(stripes, _BLACK, _YELLOW), 64),
    ]


def _house() -> list[Surface]:
    """The house of bricks with its sign, weight and cab, the rails on its roof, and the frame that holds the ropes."""
    rear, front, side = -0.50, 0.10, 0.22
    middle = (rear + front) / 2
    bricks = _scattered(0.11, _YELLOW, _YELLOW, _AMBER, _BROWN)

    def hazard(points: PointArray) -> Float64[np.ndarray, "k 1"]:
        return points @ np.array([[5.0], [7.0], [7.0]])

    panels = [box((_SIGN_X, y, _SIGN_Z), (25 * _DOT, 0.012, 9 * _DOT), _written) for y in (-side, side)]
    corners = [(rear, -side), (front, -side), (front, side), (rear, side), (rear, -side)]
    rails = [_bar((*start, z), (*end, z), 0.008, _RED) for start, end in pairwise(corners) for z in (0.06, 0.11)]
    posts = np.concatenate([np.linspace(*ends, 6, endpoint=False) for ends in pairwise(corners)])
    rails += [_bar((x, y, 0.0), (x, y, 0.11), 0.008, _RED) for x, y in posts]
    frame = [
        _bar((x, 2 * y, 0.0), (_MAST[0], y, _MAST[1]), 0.011, _BLACK) for x in (-0.46, -0.26) for y in (-0.09, 0.09)
    ]
    frame.append(_bar((_MAST[0], -0.1, _MAST[1]), (_MAST[0], 0.1, _MAST[1]), 0.02, _BLACK))
    return [
        box((middle, 0.0, -0.155), (front - rear, 2 * side, 0.31), bricks),
        joined(_studs((rear, front), (-side, side), 0.0, bricks)),
        joined(panels),
        box((rear - 0.06, 0.0, -0.17), (0.12, 0.5, 0.24), alternating(hazard, _BLACK, _YELLOW)),
        box((front + 0.11, 0.12, -0.17), (0.20, 0.20, 0.30), _checks(0.1, _SKY, _RED)),
        joined(rails),
        joined(frame),
    ]


def _boom() -> list[Surface]:
    """A tapered lattice of bars of 1 px in red and white bays, and the ropes that hold it."""
    chords: list[Surface] = []
    struts: list[Surface] = []
    stations = [_station(number / _BAYS) for number in range(_BAYS + 1)]
    axis = (_TIP - _FOOT) / np.linalg.norm(_TIP - _FOOT)
    colour = alternating(lambda p: ((p - _FOOT) @ axis)[:, None] * _BAYS / 2, _RED, _WHITE)
    for number, (here, there) in enumerate(pairwise(stations)):
        for corner in range(4):
            after = (corner + 1) % 4
            chords.append(_bar(here[corner], there[corner], 0.011, colour))
            struts.append(_bar(here[corner], here[after], 0.008, _BLACK))
            ends = (here[corner], there[after]) if number % 2 else (here[after], there[corner])
            struts.append(_bar(*ends, 0.008, _BLACK))
    across = np.array([0.0, 0.05, 0.0])
    ropes = [_bar((_MAST[0], y, _MAST[1]), _TIP + way * across, 0.006, _STEEL) for y, way in ((-0.08, -1), (0.0, 1))]
    pulley = cone(_TIP - across, _TIP + across, 0.06, 0.06, _checks(0.05, _YELLOW, _BLACK), 24)
    return [joined(chords), joined(struts), joined(ropes), pulley]


def _station(share: float) -> Float64[np.ndarray, "4 3"]:
    """The corners of the boom's section at a share of its length: half as wide at the tip as at the foot."""
    across = np.array([0.0, 1.0, 0.0])
    upwards = np.cross(_TIP - _FOOT, across) / np.linalg.norm(_TIP - _FOOT)
    half = 0.08 - 0.04 * share
    signs = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
    return _FOOT + share * (_TIP - _FOOT) + half * signs @ np.stack([across, upwards])


def _load() -> list[Surface]:
    """A chain of rings that hang through each other, and a crate of checks of 3.3 px."""
    x, y, top, end = _TIP[0] + 0.06, _TIP[1], _TIP[2], 0.16
    axes = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)
    heights = np.arange(top, end, -0.038)
    rings = [torus((x, y, z), axes[number % 2], 0.023, 0.008, _STEEL, 10) for number, z in enumerate(heights)]
    corners = [(x + dx, y + dy, 0.0) for dx in (-0.13, 0.13) for dy in (-0.13, 0.13)]
    slings = [_bar((x, y, end), corner, 0.007, _BLACK) for corner in corners]
    crate = box((x, y, -0.13), (0.28, 0.28, 0.26), _checks(0.14, _BLUE, _SKY))
    return [joined(rings), joined(slings), crate]


def _studs(x: tuple[float, float], y: tuple[float, float], z: float, colour: Colour) -> list[Surface]:
    """Studs 3 px apart on a rectangle, from two numbers to two others, at a height."""
    stud = cone((0.0, 0.0, z), (0.0, 0.0, z + 0.024), 0.022, 0.022, colour, 10)
    return [
        moved(stud, (along, across, 0.0))
        for along in np.arange(x[0] + 0.035, x[1], 0.065)
        for across in np.arange(y[0] + 0.035, y[1], 0.065)
    ]


def _bar(start: Vector, end: Vector, radius: float, colour: Colour) -> Surface:
    """A thin round bar."""
    return cone(start, end, radius, radius, colour, 6)


def _checks(period: float, first: Colour, second: Colour) -> Colour:
    """Cubes of two colours."""
    return alternating(lambda points: (points + _ASIDE) / period, first, second)


def _scattered(length: float, *colours: Colour) -> Colour:
    """Bricks as long as told, half as high and wide, each in one of some colours, in no order that can be seen."""

    def colour(points: PointArray, triangles: Triangles) -> Rgb:
        cell = np.floor((points + _ASIDE) / [length, length / 2, length / 2]).astype(np.int64)
        mixed = (cell @ [7919, 104729, 1299709]) % 65521
        chosen = (mixed * mixed // 7) % len(colours)
        return np.choose(chosen[:, None], [each(points, triangles) for each in colours])

    return colour


def _written(points: PointArray, triangles: Triangles) -> Rgb:
    """The sign, black on white, to be read from either side."""
    letters = np.array([list(row) for row in _SIGN]) == "X"
    rows, columns = letters.shape
    side = -np.sign(points[:, 1])
    column = np.floor(side * (points[:, 0] - _SIGN_X) / _DOT + columns / 2).astype(np.int64)
    row = np.floor((_SIGN_Z - points[:, 2]) / _DOT + rows / 2).astype(np.int64)
    inside = (row >= 0) & (row < rows) & (column >= 0) & (column < columns)
    dark = inside & letters[row.clip(0, rows - 1), column.clip(0, columns - 1)]
    return np.where(dark[:, None], _BLACK(points, triangles), _WHITE(points, triangles))
