"""A moment of a fit, drawn and scored."""

from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from jaxtyping import Float, UInt8

from analysis import energy_kept, psnr_db
from fields import Field
from fitting import Placement
from render.colour import error_rgb, to_rgb
from render.panel import Tile, panel
from scenes.scene import Batch, Function, Scene, View

DRAWN_SIDE = 512
"""Frames in progress are drawn with at most this many pixels along the longer side."""
SCORED_PIXELS = 65_536
"""A picture too large to be drawn whole in progress is scored on this many of its training pixels."""


@dataclass(frozen=True, eq=False)
class Observation:
    """What a field gives at one moment."""

    reconstruction: Float[np.ndarray, "h w c"]
    psnr_db: float
    heldout_psnr_db: float | None
    energy_kept: tuple[float | None, ...]
    """Per octave band, shortest waves first; None for bands without energy, empty for reduced drawings."""


class Observer:
    """Draws and scores the fields of one fit, always in the same way.

    A picture of at most 512 pixels a side is drawn whole, and its PSNR is over all training pixels. A larger one is
    drawn smaller, and scored on a fixed sample of its training pixels until the last, full drawing.
    """

    def __init__(self, scene: Scene, placement: Placement) -> None:
        self.scene = scene
        self.placement = placement
        self.view: View = scene.views()[0]
        self.height, self.width = reduced_size(self.view.height, self.view.width, DRAWN_SIDE)
        self.whole = (self.height, self.width) == (self.view.height, self.view.width)
        self.target = self.view.target(self.height, self.width)
        self.target_tile = target_tile(self.view)
        self.trained, self.heldout = self.view.trained, self.view.heldout
        self._sample = None if self.whole else scene.batch(torch.Generator().manual_seed(0), SCORED_PIXELS)

    def observe(self, field: Field) -> Observation:
        """Draw and score a field as it stands, in the precision it is trained in."""
        function = partial(field, hidden_dtype=self.placement.hidden_dtype)
        device = self.placement.device
        drawn = self.view.draw(function, self.height, self.width, device=device)
        if self._sample is not None:
            return Observation(drawn, self._sampled_psnr(function, self._sample), None, ())
        return self.score(drawn)

    def score(self, drawn: Float[np.ndarray, "h w c"]) -> Observation:
        """Score a drawing of the whole view."""
        target = self.target if self.whole else self.view.target()
        heldout = None if self.heldout is None else psnr_db(target, drawn, self.heldout)
        kept = tuple(energy_kept(target, drawn).values())
        return Observation(drawn, psnr_db(target, drawn, self.trained), heldout, kept)

    @torch.inference_mode()
    def _sampled_psnr(self, function: Function, sample: Batch) -> float:
        device = self.placement.device
        predicted = torch.cat([function(part.to(device)).cpu() for part in sample.coordinates.split(8192)])
        return psnr_db(sample.values.numpy()[None], predicted.numpy()[None])


def reduced_size(height: int, width: int, most: int) -> tuple[int, int]:
    """The size with the same proportions whose longer side is at most `most`, and no side under 1.

    >>> reduced_size(3000, 4000, 512)
    (384, 512)
    """
    scale = min(1.0, most / max(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))


def target_tile(view: View) -> Tile:
    """The target as frames in progress show it."""
    height, width = reduced_size(view.height, view.width, DRAWN_SIDE)
    whole = (height, width) == (view.height, view.width)
    caption = "target" if whole else f"target, reduced to {width} x {height} px"
    return Tile(to_rgb(view.target(height, width)), caption)


def frame_panel(
    observer: Observer,
    observation: Observation,
    title: str,
    density: tuple[int, UInt8[np.ndarray, "h w 3"]] | None,
) -> UInt8[np.ndarray, "H W 3"]:
    """The frame of one step: target, reconstruction, error and, with the step it was drawn at, crease density."""
    tiles = [
        observer.target_tile,
        Tile(to_rgb(observation.reconstruction), "reconstruction"),
        Tile(error_rgb(observer.target, observation.reconstruction), "error"),
    ]
    if density is not None:
        step, picture = density
        tiles.append(Tile(picture, f"crease density, step {step}", legend=True))
    return panel(tiles, title, columns=len(tiles))
