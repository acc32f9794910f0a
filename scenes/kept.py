"""What the arrays of a kept target must be before a scene is made of them.

A file may be whole, with every checksum right, and still hold what no scene can be: corners of triangles that are not
there, cameras that are nowhere. Such numbers end in a crash of a library, or in a fit of nothing.
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import TypeAlias

import numpy as np

Arrays: TypeAlias = Mapping[str, np.ndarray]

MOST_PIXELS = 2**31
"""Values of all photographs together, at most."""
LARGEST_POOL = 2**24
"""Points in which a solid may be asked, at most."""


def check_kept(arrays: Arrays) -> None:
    """See that what a file keeps is what its kind of scene is made of.

    Raises:
        ValueError: with what is wrong.
        KeyError: where an array is missing.
    """
    check = _CHECKS.get(str(arrays.get("scene", "")))
    for wrong in chain(_notes(arrays), check(arrays)) if check else ():  # the first: what follows may rest on it
        raise ValueError(wrong)


def _notes(arrays: Arrays) -> Iterator[str]:
    notes = arrays["notes"]
    if notes.size and not (notes.ndim == 1 and notes.dtype.kind == "U"):  # of no notes the type says nothing
        yield "its notes are no texts"


def _picture(arrays: Arrays) -> Iterator[str]:
    if not _finite(arrays["pixels"]):
        yield "its pixels are not all numbers"


def _signal(arrays: Arrays) -> Iterator[str]:
    yield from _picture(arrays)
    frequencies = arrays["frequencies"]
    if not (frequencies.ndim == 1 and frequencies.dtype.kind in "iu" and (frequencies > 0).all()):
        yield "its frequencies are no whole numbers above 0"
    if arrays["pixels"].ndim != 3 or arrays["pixels"].shape[0] != 1:
        yield "its samples are no row"


def _points(arrays: Arrays) -> Iterator[str]:
    coordinates, values, heldout = (arrays[key] for key in ("coordinates", "values", "heldout"))
    if not (_is_table(coordinates, 2) and coordinates.dtype == np.float32):
        yield "its coordinates are no pairs of numbers"
    if not (values.ndim == 2 and values.shape[1] in (1, 3) and values.dtype == np.float32 and _finite(values)):
        yield "its values are no numbers of one or three channels"
    if not (len(coordinates) == len(values) == len(heldout) and heldout.dtype == bool and not heldout.all()):
        yield "it has not as many coordinates, values and marks of what is held out"


def _solid(arrays: Arrays) -> Iterator[str]:
    vertices, triangles, colours = arrays["vertices"], arrays["triangles"], arrays.get("colours")
    if not _is_table(vertices, 3):
        yield "its vertices are no triples of numbers"
    if not (_is_table(triangles, 3) and triangles.dtype.kind in "iu"):
        yield "its triangles are no triples of whole numbers"
    if triangles.min() < 0 or triangles.max() >= len(vertices):
        yield f"its triangles have corners other than its {len(vertices):,} vertices"
    if colours is not None and not (_is_table(colours, 3) and len(colours) == len(vertices)):
        yield "its colours are not those of its vertices"
    if not 1 <= int(arrays["pool_size"]) <= LARGEST_POOL:
        yield f"it is to be asked in {int(arrays['pool_size']):,} points"
    if int(arrays["seed"]) < 0:
        yield "its seed is below 0"


def _photographs(arrays: Arrays) -> Iterator[str]:
    sizes, intrinsics, poses = arrays["sizes"], arrays["intrinsics"], arrays["poses"]
    heldout, bounds = arrays["heldout"], arrays["bounds"]
    if not (_is_table(sizes, 3) and sizes.dtype.kind in "iu" and sizes.min() >= 1 and sizes[:, 2].max() <= 4):
        yield "its photographs have no sizes"
    count = len(sizes)
    values = sum(height * width * channels for height, width, channels in sizes.tolist())  # Python's do not overflow
    if values > MOST_PIXELS or arrays["pixels"].shape != (values,) or not _finite(arrays["pixels"]):
        yield "its pixels are not those of photographs of these sizes"
    if not (_is_table(intrinsics, 4) and len(intrinsics) == count and (intrinsics[:, :2] > 0).all()):
        yield "its cameras have no focal lengths"
    if not (poses.ndim == 3 and len(poses) == count and poses.dtype.kind == "f" and _finite(poses)):
        yield "its cameras are nowhere"
    if (np.abs(np.linalg.det(poses[:, :3, :3].astype(np.float64))) < 1e-6).any():
        yield "the axes of its cameras lie in a plane"
    if not (heldout.dtype == bool and heldout.shape == (count,) and not heldout.all()):
        yield "it does not say which photographs are held out, or all are"
    if not (bounds.shape == (4,) and _finite(bounds) and bounds[3] > 0):
        yield "its cube has no place or size"


_CHECKS: Mapping[str, Callable[[Arrays], Iterator[str]]] = {
    "picture": _picture,
    "signal": _signal,
    "points": _points,
    "solid": _solid,
    "photographs": _photographs,
}


def _is_table(values: np.ndarray, columns: int) -> bool:
    """Whether there is at least one row of so many numbers."""
    return values.ndim == 2 and values.shape[1] == columns and len(values) > 0 and _finite(values)


def _finite(values: np.ndarray) -> bool:
    return values.dtype.kind in "iuf" and bool(np.isfinite(values).all())
