"""What a run folder keeps of its target may be whole and yet no scene: refused, with what is wrong."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fieldlens.configs.errors import InputError
from fieldlens.configs.signal import parse_signal
from fieldlens.configs.space import Space
from fieldlens.scenes.captures.bounds import Bounds
from fieldlens.scenes.load import restore
from fieldlens.scenes.picture import Picture
from fieldlens.scenes.points import Points
from fieldlens.scenes.shape import Shape
from fieldlens.scenes.signal import sum_of_sines
from fieldlens.scenes.solids.mesh import Mesh

CORNERS = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], float)
FACES = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])


def picture() -> dict[str, np.ndarray]:
    return Picture("p", np.full((4, 4, 3), 0.5, np.float32)).to_npz_arrays()


def signal() -> dict[str, np.ndarray]:
    return sum_of_sines(parse_signal("signal:1,3,samples=32"), 0).to_npz_arrays()


def points() -> dict[str, np.ndarray]:
    ones = np.ones((5, 2), np.float32)
    return Points("p", ones, ones[:, :1], np.zeros(5, bool)).to_npz_arrays()


def solid() -> dict[str, np.ndarray]:
    return Shape(Mesh(CORNERS, FACES, CORNERS, (0.0, 0.0, 1.0), "t", ()), "sdf", 0, 64).to_npz_arrays()


def photographs() -> dict[str, np.ndarray]:
    poses = np.stack([np.eye(4)] * 2)
    return {
        "scene": np.array("photographs"),
        "name": np.array("c"),
        "notes": np.array([], dtype=str),
        "photographs": np.array(["a", "b"]),
        "heldout": np.array([False, True]),
        "sizes": np.array([[2, 3, 3], [2, 3, 3]]),
        "pixels": np.zeros(36, np.uint8),
        "intrinsics": np.array([[3.0, 3.0, 1.5, 1.0]] * 2),
        "poses": poses,
        "bounds": np.array([*Bounds((0.0, 0.0, 0.0), 2.0).centre, 2.0]),
    }


def nan_at_first(array: np.ndarray) -> np.ndarray:
    broken = array.astype(np.float32 if array.dtype != np.float64 else float)
    broken.flat[0] = np.nan
    return broken


WRONG: list[tuple[Callable[[], dict[str, np.ndarray]], str, Callable[[Any], Any], str]] = [
    (picture, "pixels", nan_at_first, "pixels are not all numbers"),
    (signal, "frequencies", lambda a: a - 1, "frequencies"),
    (signal, "pixels", lambda a: a[0], "samples are no row"),
    (points, "coordinates", nan_at_first, "coordinates"),
    (points, "values", lambda a: a[:-1], "as many"),
    (points, "heldout", lambda a: ~a, "held out"),
    (solid, "triangles", lambda a: a + 1, "corners other than its 4 vertices"),
    (solid, "triangles", lambda a: a - 1, "corners other than its 4 vertices"),
    (solid, "triangles", lambda a: a * 10**15, "corners other than its 4 vertices"),
    (solid, "triangles", lambda a: a[:0], "triangles are no triples"),
    (solid, "vertices", nan_at_first, "vertices are no triples"),
    (solid, "vertices", lambda a: a[:, :2], "vertices are no triples"),
    (solid, "colours", lambda a: a[:2], "colours"),
    (solid, "pool_size", lambda a: a * 10**12, "is to be asked in 64,000,000,000,000 points"),
    (photographs, "poses", nan_at_first, "cameras are nowhere"),
    (photographs, "poses", lambda a: a * 0, "axes of its cameras"),
    (photographs, "intrinsics", lambda a: -a, "focal lengths"),
    (photographs, "intrinsics", nan_at_first, "focal lengths"),
    (photographs, "sizes", lambda a: a * [2**40, 2**40, 1], "pixels are not those"),
    (photographs, "sizes", lambda a: -a, "no sizes"),
    (photographs, "pixels", lambda a: a[:-1], "pixels are not those"),
    (photographs, "heldout", lambda a: ~a | a, "held out"),
    (photographs, "bounds", lambda a: a * 0, "its cube"),
]


@pytest.mark.parametrize(("make", "name", "change", "said"), WRONG)
def test_a_target_that_can_be_no_scene_is_refused(
    tmp_path: Path, make: Callable[[], dict[str, np.ndarray]], name: str, change: Callable[[Any], Any], said: str
) -> None:
    file, arrays = tmp_path / "target.npz", make()
    np.savez(file, **arrays)  # type: ignore[arg-type]
    restore(file, Space())
    np.savez(file, **arrays | {name: change(arrays[name])})  # type: ignore[arg-type]
    with pytest.raises(InputError, match=re.escape(repr(str(file))) + rf".*{said}"):
        restore(file, Space())
