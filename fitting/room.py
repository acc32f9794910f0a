"""What a fit takes of memory at the least, before any of it is asked for; and what would fit where it is too much."""

import contextlib
import os
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import torch

from fieldlens.configs.encoding import Basic, Encoding, Fourier, Gaussian, HashGrid, Own, Positional, Raw
from fieldlens.configs.errors import InputError
from fieldlens.configs.network import Network
from fieldlens.configs.run import FitConfig

LEAST_BATCH = 1024
"""Points of a step where a person names no number: no kind of scene takes fewer by default."""
BYTES_PER_PARAMETER = 16
"""fp32: itself, its gradient, and Adam's two averages of it."""
BYTES_OF_AVERAGE = 4
"""fp32, where what is shown is an average of the weights."""
BYTES_PER_NUMBER = 8
"""Of a step's points in each layer: fp32 and its gradient."""


def require_room(config: FitConfig) -> None:
    """Refuse a fit whose network, or whose steps, are larger than the machine's memory.

    Raises:
        InputError: with how much they take, how much there is, and the largest of the kind that fits.
    """
    there_is = memory_bytes(config.training.device)
    network, batch = config.network, config.training.batch_size or LEAST_BATCH
    each = BYTES_PER_PARAMETER + (BYTES_OF_AVERAGE if config.training.average else 0)
    weights = each * _parameters(config.encoding, network)
    if weights > there_is:
        narrower = (replace(network, width=width) for width in range(network.width - 1, 0, -1))
        fits = next((one for one in narrower if each * _parameters(config.encoding, one) <= there_is), 0)
        hint = f"{fits} would fit" if fits else "take a smaller encoding"
        raise InputError(
            f"the network {network} under {config.encoding} takes {_gb(weights)} of memory to train, with gradients "
            f"and Adam's averages, and there are {_gb(there_is)}; {hint}"
        )
    per_point = BYTES_PER_NUMBER * (_features(config.encoding) + network.depth * network.width)
    if weights + batch * per_point > there_is:
        fits = (there_is - weights) // per_point
        hint = f"a --batch-size of {fits} would fit" if fits else "take a smaller network"
        raise InputError(
            f"a step of {batch} points through the network {network} takes {_gb(batch * per_point)} of memory beside "
            f"its weights, and there are {_gb(there_is - weights)}; {hint}"
        )


def memory_bytes(device: str = "cpu") -> int:
    """All the memory that a fit on a device may take: that of the GPU, or of the machine or the container it is in."""
    if device != "cpu" and torch.cuda.is_available():
        return torch.cuda.get_device_properties(0).total_memory
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for file in ("memory.max", "memory/memory.limit_in_bytes"):  # of control groups, version 2 and 1
        with contextlib.suppress(OSError, ValueError):  # "max" is no number
            limits.append(int((Path("/sys/fs/cgroup") / file).read_text()))
    return min(limits)


def _parameters(encoding: Encoding, network: Network) -> int:
    """At the least: of two coordinates and one output."""
    widths = [_features(encoding), *[network.width] * network.depth, 1]
    return sum((before + 1) * after for before, after in pairwise(widths)) + _learnt(encoding)


def _learnt(encoding: Encoding) -> int:
    """Numbers in an encoding's own table."""
    if not isinstance(encoding, HashGrid):
        return 0
    rows = (min(2**encoding.log2_size, (squares + 1) ** 2) for squares in encoding.grid_resolutions)
    return encoding.features * sum(rows)


def _features(encoding: Encoding) -> int:
    """Of two coordinates."""
    match encoding:
        case Raw():
            return 2
        case Fourier(octaves=octaves):
            return 4 * octaves
        case Basic():
            return 4
        case Positional(features=features) | Gaussian(features=features):
            return 2 * features
        case HashGrid(levels=levels, features=features):
            return levels * features
        case Own():
            return 1  # at the least: it is known once the function was tried


def _gb(size: float) -> str:
    return f"{size / 1e9:,.{0 if size >= 1e10 else 1}f} GB"
