"""From the word a person types to a scene."""

import os
from collections.abc import Callable
from dataclasses import replace
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from jaxtyping import UInt8

from fieldlens.configs.errors import InputError, did_you_mean
from fieldlens.configs.files import open_file
from fieldlens.configs.run import Target
from fieldlens.configs.signal import NAME, is_signal, parse_signal
from fieldlens.configs.space import Space
from fieldlens.render.colour import to_rgb
from fieldlens.render.files import read_npz
from fieldlens.render.panel import Tile, panel

from .builtin import BUILTINS
from .captures.capture import Capture
from .captures.named_files import link_to_nothing
from .captures.transforms import read_capture
from .choices import Sort, changed, refuse_unused
from .demo_folder import demo_folder
from .demos import DEMOS, PHOTO_SIDE, Demo, thumbnail
from .kept import check_kept
from .mesh_photographs import photographed_mesh
from .picture import Picture
from .pictures.area import area_average, fitted_size
from .pictures.pixels import unit_of
from .pictures.reading import MAX_PIXELS, Reading, read_array, read_picture, reduced
from .points import ENDING, Points, read_points
from .posed import PosedScene
from .scene import Scene
from .shape import Shape, shape_of
from .signal import Signal, sum_of_sines
from .solids.reading import READ_ENDINGS, read_mesh

DEMO = "demo:"
"""What the word for a built-in 3D scene begins with."""

ARRAY = "array"
"""What a picture is called that a program gives as numbers."""

CAMERAS = ".json"
"""The ending of a file that names photographs and their cameras."""

LARGEST_TARGET = 5 << 29
"""Bytes of the largest scene that is read back: somewhat more than photographs may take together."""

READ_SHARE = 0.9
"""The share, about, of the time to load a solid in which its mesh is read; in the rest it is checked for holes."""

Progress: TypeAlias = Callable[[float], None]
Working: TypeAlias = Callable[[str, float], None]
"""A function that is told what is being done, and the share of it that is done, from 0 to 1."""


def load(
    word: str,
    target: Target | None = None,
    space: Space | None = None,
    *,
    seed: int = 0,
    working: Working = lambda _task, _share: None,
) -> Scene:
    """The scene that `word` names: a picture's path, a built-in picture, a signal, a folder of photographs with their
    cameras, or a built-in 3D scene; an existing file or folder wins.

    Raises InputError for a word that is none of these, with the nearest that is, and for a file that cannot be read.
    The `seed` is that of a signal's phases, or of a solid's points. `working` is told of photographs and meshes, which
    take seconds.
    """
    target, space, path = target or Target(), space or Space(), Path(word)
    sort = sort_of(word, space)
    refuse_unused(word, sort, [*changed(target), *changed(space)])
    photographs = partial(working, "getting the photographs")
    match sort:
        case "signal":
            return sum_of_sines(parse_signal(word), seed, target.holdout)
        case "demo":
            return _posed(_photographed(demo_named(word), target.max_side, photographs), space)
        case "photographs":
            capture = read_capture(path, max_side=target.max_side, max_pixels=target.max_pixels, progress=photographs)
            return _posed(capture, space)
        case "mesh" | "photographed mesh":
            return _meshed(path, target, space, seed, working)
        case "points":
            return read_points(path, _scene_name(path))
        case "built-in picture":
            return _pictured(word, reduced(BUILTINS[word].make(), target.max_side), target)
        case "picture":
            reading = read_picture(path, max_pixels=target.max_pixels, max_side=target.max_side)
            return _pictured(_scene_name(path), reading, target)
    raise AssertionError(f"no word names an {sort}")


def picture_in(values: Any, target: Target | None = None) -> Picture:
    """The picture in an array, as `load` gives that in a file.

    Raises:
        InputError: as `read_array` does.
    """
    target = target or Target()
    return _pictured(ARRAY, read_array(values, max_side=target.max_side), target)


def _pictured(name: str, reading: Reading, target: Target) -> Picture:
    reading = _within_one(reading)
    return Picture(name, reading.pixels, target.holdout, reading.notes)


def sort_of(word: str, space: Space) -> Sort:
    """What a word for a scene names, without reading it; an existing file or folder wins.

    Raises:
        InputError: when it names nothing, with the nearest that there is.
    """
    path = Path(word)
    exists = bool(word) and os.path.exists(path)
    if is_signal(word) and not exists:
        return "signal"
    if word.startswith(DEMO) and not exists:
        return "demo"
    if word in BUILTINS and not path.is_file():
        return "built-in picture"
    if not exists:
        raise InputError(_nothing(word))
    if not path.is_dir():
        open_file(path).close()  # a pipe or a device is refused, whatever its name ends in
    if path.is_dir() or path.suffix.lower() == CAMERAS:
        return "photographs"
    if path.suffix.lower() in READ_ENDINGS:
        return "photographed mesh" if space.kind == "radiance" else "mesh"
    return "points" if path.suffix.lower() == ENDING else "picture"


def demo_named(word: str) -> Demo:
    """The built-in 3D scene that a word such as demo:lattice names.

    Raises:
        InputError: when there is none of that name, with the nearest that there is.
    """
    name = word.removeprefix(DEMO)
    if name not in DEMOS:
        raise InputError(f"no built-in 3D scene is called {name!r}{did_you_mean(name, DEMOS)}")
    return DEMOS[name]


def _photographed(demo: Demo, max_side: int | None, progress: Progress) -> Capture:
    """The photographs of a built-in 3D scene, read as a user's own are."""
    capture = read_capture(demo_folder(demo, progress=progress), max_side=max_side)
    return replace(capture, name=demo.name)


def _posed(capture: Capture, space: Space) -> PosedScene:
    if space.kind not in ("auto", "radiance"):
        raise InputError(f"--kind {space.kind} is for meshes; photographs are fitted as a radiance field")
    return PosedScene(capture, space)


def _meshed(path: Path, target: Target, space: Space, seed: int, working: Working) -> Scene:
    reading = partial(working, "reading the mesh")
    if space.kind == "radiance":
        mesh = read_mesh(path, reading)
        side = min(PHOTO_SIDE, target.max_side or PHOTO_SIDE)
        photographs = photographed_mesh(mesh, side=side, progress=partial(working, "photographing the mesh"))
        return _posed(photographs, space)
    mesh = read_mesh(path, lambda share: reading(READ_SHARE * share))
    shape = shape_of(mesh, "sdf" if space.kind == "auto" else space.kind, seed)
    reading(1.0)
    return shape


def restore(path: Path, space: Space, max_pixels: int = MAX_PIXELS) -> Scene:
    """The scene that a run folder keeps, from what its `to_npz_arrays` gave.

    A run that was allowed more pixels is so, too, when they are read back. Raises InputError where the file is missing,
    damaged, of another version or none; nothing is unpickled.
    """
    if not os.path.exists(path):
        raise InputError(f"there is no saved target at {str(path)!r}")
    try:
        arrays = read_npz(path, max(LARGEST_TARGET, 16 * max_pixels))
        check_kept(arrays)
        match str(arrays.get("scene", "")):
            case "picture":
                return Picture.from_npz_arrays(arrays)
            case "signal":
                return Signal.from_npz_arrays(arrays)
            case "photographs":
                return PosedScene.from_npz_arrays(arrays, space)
            case "solid":
                return Shape.from_npz_arrays(arrays)
            case "points":
                return Points.from_npz_arrays(arrays)
            case "digits":
                raise InputError(
                    f"{str(path)!r} holds digits, the study's control in many dimensions, which cannot be drawn"
                )
            case _:
                raise ValueError("it names no kind of scene that this version knows")
    except InputError:
        raise
    except KeyError as missing:
        raise InputError(f"{str(path)!r} is no saved target, or is damaged (it has no {missing})") from None
    except Exception as problem:  # arrays of other shapes and kinds than a scene's fail in many ways
        why = str(problem).partition("\n")[0]
        raise InputError(f"{str(path)!r} is no saved target, or is damaged ({why})") from problem


def _within_one(reading: Reading) -> Reading:
    """The picture with values up to 1: one with more light than that (HDR) as shares of its brightest value.

    Networks start near 0 and learn values near 1; PSNR is then against the brightest value as its peak.
    """
    brightest = float(reading.pixels.max())
    if reading.pixels.dtype.kind == "u" or brightest <= 1:
        return reading
    note = f"divided by its brightest value, {brightest:.4g}, which is the peak that PSNR is against"
    return replace(reading, pixels=reading.pixels / np.float32(brightest), notes=(*reading.notes, note))


def thumbnail_sheet() -> UInt8[np.ndarray, "h w 3"]:
    """Every built-in picture and 3D scene, small, with its name."""
    tiles = [Tile(_thumbnail(builtin.make()), name) for name, builtin in BUILTINS.items()]
    tiles += [Tile(thumbnail(demo), f"{DEMO}{name}") for name, demo in DEMOS.items()]
    return panel(tiles, "built-in pictures and 3D scenes", columns=4)


def _thumbnail(reading: Reading) -> UInt8[np.ndarray, "h w 3"]:
    height, width, _ = reading.pixels.shape
    small = area_average(reading.pixels, *fitted_size(height, width, 256), unit_of(reading.pixels.dtype))
    return to_rgb(small)


def _scene_name(path: Path) -> str:
    """The file's name without its ending; bytes that are no text are shown as the replacement character."""
    return path.stem.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _nothing(word: str) -> str:
    """What to say of a word that names nothing: first of a file, if it is written like one."""
    if "://" in word:
        return f"{word!r} is an address: download it first, and give the path of the file"
    path = Path(word)
    if (target := link_to_nothing(path)) is not None:
        return f"{_full(path)!r} is a symbolic link to {str(target)!r}, which is not there"
    try:
        beside = [str(file) for file in path.parent.iterdir() if not file.name.startswith(".")]
    except (OSError, ValueError):
        beside = []
    if path.suffix or path.name != word:  # no built-in scene is written with a dot or a slash
        near = get_close_matches(word, beside, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else f"; built in are {', '.join(sorted(BUILTINS))}"
        return f"there is no file {_full(path)!r}{hint}"
    known = [*BUILTINS, NAME, *[f"{DEMO}{name}" for name in DEMOS], *get_close_matches(word, beside, n=1)]
    return f"there is no file {_full(path)!r}, and no built-in scene or signal is called so{did_you_mean(word, known)}"


def _full(path: Path) -> str:
    """The whole path of what is not there, so that one sees where it was looked for; of a long one the end."""
    text = os.path.abspath(path)
    return text if len(text) <= 300 else f"...{text[-300:]}"
