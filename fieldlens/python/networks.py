"""A network trained elsewhere: what it lacks of its picture, where its creases are, and what else it can be asked."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from fieldlens.configs.errors import InputError

from .showing import picture_html, sentences_html

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Float
    from torch import nn

    from fieldlens.analysis import (
        Cells,
        Confusion,
        Explanation,
        Kernel,
        Leverage,
        LeverageStatistic,
        Speed,
        SurrogateCells,
    )
    from fieldlens.analysis.networks.relu_network import Encode


@dataclass(frozen=True, eq=False, repr=False)
class NetworkExplained:
    """What was found of a network. In a notebook it shows target, reconstruction, error and maps."""

    target: "Float[np.ndarray, 'h w c']"
    reconstruction: "Float[np.ndarray, 'h w c']"
    crossings: "Float[np.ndarray, 'h w']"
    """Creases that a step of a pixel crosses, on average over directions, at each pixel."""
    explanation: "Explanation"
    """What is missing, and whether it goes with fewer creases."""
    speeds: "tuple[Speed, ...]"
    """How fast gradient descent could move the detail of each window, in each octave from the explained one on; none
    where the picture has no detail, or the network gives what is no number."""
    leverage: "Leverage | None"
    """How much of each window's detail of the explained octave could be changed while all else stays; None likewise."""
    against_leverage: "LeverageStatistic | None"
    """Whether what is missing goes with less leverage; None likewise."""

    @property
    def psnr_db(self) -> float:
        """Of the reconstruction, in dB."""
        from fieldlens.analysis import psnr_db

        return psnr_db(self.target, self.reconstruction)

    @property
    def lines(self) -> list[str]:
        """For a person."""
        quality = f"{self.psnr_db:.2f} dB, {self.crossings.mean():.2f} crossings of creases per pixel"
        goes_with = None if self.against_leverage is None else self.against_leverage.sentence
        missing, creases = self.explanation.verdict.sentences
        return [quality, missing, *([goes_with] if goes_with else []), creases]

    def __repr__(self) -> str:
        return "\n".join(self.lines)

    def _repr_html_(self) -> str:
        from fieldlens.render import Tile, density_legend, density_rgb, error_legend, error_rgb, panel, to_rgb
        from fieldlens.render.colour import leverage_legend, leverage_rgb, speed_legend, speed_rgb
        from fieldlens.studies.subjects.creases import blocks

        tiles = [
            Tile(to_rgb(self.target), "target"),
            Tile(to_rgb(self.reconstruction), "reconstruction"),
            Tile(error_rgb(self.target, self.reconstruction), "error", legend=error_legend),
            Tile(density_rgb(self.crossings), "crease density", legend=density_legend),
        ]
        if self.leverage is not None:
            speed, size = self.speeds[0], self.target.shape[:2]
            octave = f"of {speed.detail.label} detail"
            moved = blocks(speed_rgb(speed.detail.spread(speed.per_energy)), *size)
            free = blocks(leverage_rgb(self.leverage.detail.spread(self.leverage.mean)), *size)
            tiles += [
                Tile(moved, f"speed {octave}", legend=speed_legend),
                Tile(free, f"leverage {octave}", legend=leverage_legend),
            ]
        return picture_html(panel(tiles, f"{self.psnr_db:.2f} dB"), "the network") + sentences_html(self.lines)


def explain_network(
    model: "nn.Module", target: "Float[np.ndarray, 'h w c']", encode: "Encode | None", seed: int
) -> NetworkExplained:
    """Explain a `torch.nn.Sequential` of one's own by the picture that it was trained on.

    Raises:
        InputError: as `fieldlens.analysis.relu_network` does, or when it gives another number of values for a pixel.
    """
    import numpy as np

    from fieldlens.analysis import (
        crease_density,
        detail_leverage,
        detail_speed,
        explain,
        explained_details,
        leverage_statistic,
        relu_network,
    )
    from fieldlens.render.grid import draw, picture_extent
    from fieldlens.studies.subjects.raster import FRAME_MAP_SIDE, LARGEST_SIDE

    network = relu_network(model, encode)
    height, width, channels = target.shape
    outputs = len(network.biases[-1])
    if outputs != channels:
        raise InputError(f"the network gives {outputs} numbers for each pixel, and the picture has {channels} channels")

    dtype = next(model.parameters()).dtype
    extent = picture_extent(height, width)
    drawn = draw(lambda x: model(network.encode(x).to(dtype)), height, width, extent, device=network.device)
    density = crease_density(network, height, width)
    maps = {"coarea": density.length.sum(0)}
    explanation, finite = explain(target, drawn, maps, seed=seed), bool(np.isfinite(drawn).all())
    speeds = detail_speed(network, explained_details(target, LARGEST_SIDE**2)) if finite else []
    leverage = against = None
    if speeds:
        (leverage,) = detail_leverage(network, explained_details(target, FRAME_MAP_SIDE**2)[:1])
        against = leverage_statistic(leverage.mean, leverage.detail, target, drawn, seed=seed)
    return NetworkExplained(target, drawn, density.crossings_per_pixel, explanation, tuple(speeds), leverage, against)


Question: TypeAlias = Literal["cells", "confusion", "kernel"]
PIXELS = 512
"""Of a picture, drawn at random, whose gradients are compared."""


def ask_network(
    model: "nn.Module",
    target: "Float[np.ndarray, 'h w c']",
    encode: "Encode | None",
    question: Question,
    *,
    region: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0),
    seed: int = 0,
) -> "Cells | SurrogateCells | Confusion | Kernel":
    """What `fieldlens.analysis` measures of a network of one's own, on the pixels of its picture.

    Args:
        region: of cells: left, top, width and height of where to look, as shares of the picture.
        seed: of the pixels that are drawn.

    Raises:
        InputError: as `fieldlens.analysis.relu_network` does, or the measure itself.
    """
    import torch

    from fieldlens.analysis import cells, confusion, kernel, relu_network, surrogate_cells
    from fieldlens.analysis.partition.exact_cells import is_affine
    from fieldlens.render.grid import pixel_points
    from fieldlens.studies.questions.rendering import region_extent

    network = relu_network(model, encode)
    height, width, channels = target.shape
    if question == "cells":
        window = region_extent(region, height, width)
        return cells(network, window) if is_affine(network) else surrogate_cells(network, window)
    some = torch.randperm(height * width, generator=torch.Generator().manual_seed(seed))[:PIXELS]
    points = pixel_points(height, width).reshape(-1, 2)[some].to(network.device)
    if question == "kernel":
        return kernel(network, points, "all" if channels == 1 else "luma")
    return confusion(network, points, torch.from_numpy(target).reshape(-1, channels)[some].to(network.device))
