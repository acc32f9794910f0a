"""Where a picture is sampled: pixels in strides, the lattice of sub-steps over them, and chunks that stay in cache.

Positions are in pixels of the picture; divided by N = max(height, width) they are image coordinates.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from fieldlens.configs.errors import InputError

Progress = Callable[[float], None]
"""Told the share done, in [0, 1], now and then."""

CHUNK_NUMBERS = 2**20
"""Numbers in one activation tensor, 4 MB in fp32: large enough for full speed of the products, small enough that the
passes over it that follow find it in cache."""


def chunk_points(width: int) -> int:
    """How many points to evaluate at once in a network of that width."""
    return max(256, min(16384, CHUNK_NUMBERS // width))


def sampled_pixels(size: int, stride: int) -> Int[Tensor, " sampled"]:
    """Every stride-th pixel of an axis: the middle one of each block of `stride` pixels.

    >>> sampled_pixels(10, 4).tolist()
    [2, 6, 9]

    Raises:
        InputError: for a stride below 1.
    """
    if stride < 1:
        raise InputError(f"a stride is at least 1 px, and {stride} was given")
    return (torch.arange(0, size, stride) + stride // 2).clamp(max=size - 1)


def pixel_centres(size: int, stride: int) -> Float[Tensor, " sampled"]:
    """Where the middles of `sampled_pixels` are, in pixels, fp64.

    >>> pixel_centres(10, 4).tolist()
    [2.5, 6.5, 9.5]
    """
    return sampled_pixels(size, stride).double() + 0.5


@dataclass(frozen=True)
class LatticeAxis:
    """One axis of a lattice of samples that begins and ends at the borders of the sampled pixels.

    Neighbouring pixels share the samples on their common border. `steps` and `nodes` gather what lies between samples,
    and at samples, into pixels; what lies between pixels that are not neighbours belongs to none.
    """

    positions: Float[Tensor, " samples"]
    """Where the samples are, in pixels, fp64."""
    steps: Float[Tensor, "pixels samples-1"]
    """1 where a step between neighbouring samples lies in a pixel."""
    nodes: Float[Tensor, "pixels samples"]
    """Trapezoidal weights of the samples of a pixel; each row sums to 1."""


def lattice_axis(pixels: Int[Tensor, " pixels"], refine: int) -> LatticeAxis:
    """The lattice axis that cuts each of some rising pixel indices into `refine` equal steps.

    >>> lattice_axis(torch.tensor([0, 1]), 2).positions.tolist()
    [0.0, 0.5, 1.0, 1.5, 2.0]
    >>> lattice_axis(torch.tensor([0, 4]), 1).positions.tolist()
    [0.0, 1.0, 4.0, 5.0]
    """
    ticks = torch.unique(pixels[:, None] * refine + torch.arange(refine + 1))
    steps = (ticks[:-1] // refine == pixels[:, None]).float()
    beside = torch.nn.functional.pad(steps, (0, 1)) + torch.nn.functional.pad(steps, (1, 0))
    return LatticeAxis(ticks.double() / refine, steps, beside / (2 * refine))


def image_points(
    rows: Float[Tensor, " rows"], columns: Float[Tensor, " columns"], scale: int, device: torch.device
) -> Float[Tensor, "points 2"]:
    """All pairs of positions in pixels as image coordinates (x, y), row by row, fp32."""
    y, x = torch.meshgrid(rows / scale, columns / scale, indexing="ij")
    return torch.stack([x, y], -1).flatten(0, 1).float().to(device)


def centre_chunks(
    height: int, width: int, stride: int, points: int, device: torch.device, progress: Progress | None = None
) -> Iterator[tuple[slice, Float[Tensor, "n 2"]]]:
    """Centres of every stride-th pixel as image coordinates, some at a time, and where they are among all.

    They come row by row, so that results put at their slices make a map of `map_shape` once reshaped.

    >>> [(here, x.tolist()) for here, x in centre_chunks(2, 2, 1, 3, torch.device("cpu"))][1]
    (slice(3, 4, None), [[0.75, 0.75]])
    """
    rows, columns = pixel_centres(height, stride), pixel_centres(width, stride)
    yield from point_chunks(image_points(rows, columns, max(height, width), device), points, device, progress)


def point_chunks(
    x: Float[Tensor, "all d"], points: int, device: torch.device, progress: Progress | None = None
) -> Iterator[tuple[slice, Float[Tensor, "n d"]]]:
    """Given points in order, some at a time, on a device in fp32, and where they are among all.

    >>> [here for here, _ in point_chunks(torch.zeros(5, 3), 3, torch.device("cpu"))]
    [slice(0, 3, None), slice(3, 5, None)]
    """
    for first in range(0, len(x), points):
        some = x[first : first + points].to(device, torch.float32)
        yield slice(first, first + len(some)), some
        if progress is not None:
            progress((first + len(some)) / len(x))


def halves(progress: Progress | None) -> tuple[Progress | None, Progress | None]:
    """What is told of the first half of some work, and of the second."""
    if progress is None:
        return None, None
    return lambda done: progress(done / 2), lambda done: progress((1 + done) / 2)


def map_shape(height: int, width: int, stride: int) -> tuple[int, int]:
    """Rows and columns of a map of every stride-th pixel.

    >>> map_shape(10, 7, 4)
    (3, 2)
    """
    return -(-height // stride), -(-width // stride)
