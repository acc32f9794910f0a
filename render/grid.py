"""Pixels as points, and a function of points drawn as a picture.

Image coordinates: x to the right, y down. A picture of `height` x `width` pixels has N = max(height, width), and the
centre of pixel (row i, column j) lies at ((j + 0.5) / N, (i + 0.5) / N): the longer side spans [0, 1] and the scale is
the same on both axes. Points are float32.
"""

import math
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

CUBE_DIAGONAL = math.sqrt(3)
"""Diagonal of the unit cube that fields of space live in, in sides of that cube."""

Extent: TypeAlias = tuple[float, float, float, float]
"""The part of the plane a picture covers: (x0, y0, x1, y1), outer edges of its corner pixels, in image coordinates."""


def picture_extent(height: int, width: int) -> Extent:
    """What a whole picture covers.

    >>> picture_extent(2, 4)
    (0.0, 0.0, 1.0, 0.5)
    """
    longer = max(height, width)
    return 0.0, 0.0, width / longer, height / longer


def pixel_points(height: int, width: int, extent: Extent | None = None) -> Float[Tensor, "h w 2"]:
    """The (x, y) of every pixel's centre; `extent` is the whole picture unless told.

    >>> pixel_points(1, 2).tolist()
    [[[0.25, 0.25], [0.75, 0.25]]]
    """
    xs, ys = _axes(height, width, extent)
    return torch.stack(torch.meshgrid(xs, ys, indexing="xy"), dim=-1)


def draw(
    function: Callable[[Tensor], Tensor],
    height: int,
    width: int,
    extent: Extent | None = None,
    *,
    chunk: int = 8192,
    device: torch.device | str = "cpu",
    progress: Callable[[float], None] | None = None,
) -> Float[np.ndarray, "h w c"]:
    """The picture of `function`: its values at the pixel centres of `extent`, float32, as they are (nothing clipped).

    `function` takes (n, 2) points on `device` and gives (n, c) values; it sees at most `chunk` points at a time, in
    row-major order, so memory beyond the picture itself does not grow with the picture. `progress` is told the share
    that is done, in (0, 1], after each chunk. No gradients are kept.
    """
    xs, ys = _axes(height, width, extent)
    count = height * width
    picture = np.empty((0, 0), np.float32)
    with torch.inference_mode():
        for start in range(0, count, chunk):
            index = torch.arange(start, min(start + chunk, count))
            points = torch.stack((xs[index % width], ys[index // width]), dim=-1).to(device)
            values = function(points)
            if values.shape[:-1] != points.shape[:-1]:
                raise ValueError(f"draw: {len(points)} points gave values of shape {tuple(values.shape)}, not (n, c)")
            if start == 0:  # only now is the number of channels known
                picture = np.empty((count, values.shape[-1]), np.float32)
            picture[start : start + len(index)] = values.to("cpu", torch.float32).numpy()
            if progress is not None:
                progress((start + len(index)) / count)
    return picture.reshape(height, width, -1)


def _axes(height: int, width: int, extent: Extent | None) -> tuple[Float[Tensor, " w"], Float[Tensor, " h"]]:
    # Worked out in float64 and rounded once: neighbouring centres of a 4096 grid must not drift in float32.
    x0, y0, x1, y1 = extent or picture_extent(height, width)
    xs = x0 + (torch.arange(width, dtype=torch.float64) + 0.5) * ((x1 - x0) / width)
    ys = y0 + (torch.arange(height, dtype=torch.float64) + 0.5) * ((y1 - y0) / height)
    return xs.float(), ys.float()
