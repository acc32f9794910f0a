"""Numbers and poses in JSON files of cameras, and what is remarked of frames."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fieldlens.configs.errors import InputError
from fieldlens.render.camera import Pose

RIGID_TOLERANCE = 1e-3
"""How far the axes of a pose may be from length 1 and from right angles: files have as few as four digits."""

LARGEST_COORDINATE = 1e12
"""The largest coordinate of a camera, in whatever unit: the 16 digits of a number have to leave some for the scene."""


@dataclass(frozen=True)
class Remark:
    """What is said of a frame that is read in spite of it."""

    text: str
    """The same for all frames of which it is said."""
    example: str = ""
    """How it is with this frame."""


def counted(remarks: Iterable[Remark], frames: int) -> list[str]:
    """Each remark once, with the number of frames that have it, and how it is with the first of them.

    >>> counted([Remark("it is small", "3 px"), Remark("it is small", "5 px"), Remark("it is red")], 4)
    ['2 of 4 frames: it is small (the first: 3 px)', '1 of 4 frames: it is red']
    """
    examples: dict[str, list[str]] = {}
    for remark in remarks:
        examples.setdefault(remark.text, []).append(remark.example)
    return [
        f"{len(found)} of {frames} frames: {text}" + (f" (the first: {found[0]})" if found[0] else "")
        for text, found in examples.items()
    ]


def json_number(where: str, name: str, value: Any) -> float:
    """A JSON number that is finite and no larger than anything real."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(f"{where}: {name} is no number")
    if not abs(value) <= LARGEST_COORDINATE:  # an int of a thousand digits compares as well; NaN does not
        raise InputError(f"{where}: {name} is {_shown(value)}, no number that can be worked with")
    return float(value)


def _shown(value: float) -> str:
    return f"{value:.4g}" if isinstance(value, float) else "huge"


def pose_of(where: str, matrix: Any) -> tuple[Pose, tuple[Remark, ...]]:
    """The pose that a matrix of a file says, 4 rows of 4 numbers, and what there is to remark.

    Raises:
        InputError: beginning with `where`, for anything else.
    """
    is_list = isinstance(matrix, list) and all(isinstance(row, list) for row in matrix)
    if not is_list or [len(row) for row in matrix] != [4] * 4:
        shape = " (give it the last row 0, 0, 0, 1)" if is_list and [len(row) for row in matrix] == [4] * 3 else ""
        raise InputError(f"{where}: 'transform_matrix' is no list of 4 rows of 4 numbers{shape}")
    pose, scaled = rigid(where, [value for row in matrix for value in row])
    return pose, (Remark("the matrix has a scale besides its rotation, which is divided out"),) if scaled else ()


def rigid(where: str, values: Sequence[Any]) -> tuple[Pose, bool]:
    """The pose that 16 values of a file say, row by row, with an exact rotation; and whether it had a scale as well.

    Raises:
        InputError: beginning with `where`, when they are no numbers or no rigid matrix.
    """
    pose = np.array([json_number(where, "a value of its matrix", value) for value in values]).reshape(4, 4)
    if np.abs(pose[3] - [0, 0, 0, 1]).max() > 1e-6:
        turned = np.abs(pose[:, 3] - [0, 0, 0, 1]).max() <= 1e-6
        rows = ": its columns stand as rows, so it has to be transposed" if turned else ""
        raise InputError(f"{where}: the last row of its matrix is not 0, 0, 0, 1{rows}")
    left, lengths, right = np.linalg.svd(pose[:3, :3])
    scale = float(lengths.mean())
    if not lengths[2] > 1e-6 * lengths[0] or scale < 1 / LARGEST_COORDINATE:
        raise InputError(f"{where}: its matrix is singular")
    if np.abs(lengths / scale - 1).max() > RIGID_TOLERANCE:
        raise InputError(
            f"{where}: its matrix is not rigid, as its axes are not at right angles to each other or not of one length"
        )
    if np.linalg.det(left @ right) < 0:
        raise InputError(f"{where}: its matrix mirrors the world, so an axis of it has the wrong sign")
    pose[:3, :3] = left @ right  # the nearest rotation
    pose[3] = [0, 0, 0, 1]
    return pose, abs(scale - 1) > RIGID_TOLERANCE
