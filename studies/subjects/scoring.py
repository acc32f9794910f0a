"""How a drawing is scored against its target, whole or, of a large picture, by parts."""

import numpy as np
import torch
from jaxtyping import Float

from fieldlens.analysis import bands_over_training, psnr_db
from fieldlens.analysis.detail.bands import band_labels
from fieldlens.render.grid import picture_extent
from fieldlens.scenes.scene import Function, Scene, View

from .found import Scores, Values

SCORED_PIXELS = 65_536
"""A picture too large to be drawn whole in progress is scored on this many of its training pixels."""
CROP_SIDE = 256
"""And its bands and held-out pixels are followed in a square of this side in its middle, at full resolution."""
AT_ONCE = 8192
"""Points that a field is asked at a time."""


def score(view: View, target: Values, drawn: Values) -> Scores:
    """Score a drawing of the whole view: PSNR over its training pixels, and over those held out."""
    heldout = None if view.heldout is None else psnr_db(target, drawn, view.heldout)
    return Scores(psnr_db(target, drawn, view.trained), heldout, *band_scores(target, drawn))


def band_scores(target: Values, drawn: Values) -> tuple[dict[str, float | None], dict[str, float | None]]:
    """Energy kept and relative error by octave band."""
    labels, bands = band_labels(*target.shape[:2]), bands_over_training(target, [drawn])

    def named(values: Float[np.ndarray, " bands"]) -> dict[str, float | None]:
        return {label: float(v) if np.isfinite(v) else None for label, v in zip(labels, values, strict=True)}

    return named(bands.kept[0]), named(bands.relative_error[0])


def is_large(view: View) -> bool:
    """Whether a view is drawn reduced, and scored by parts, while a fit goes on."""
    return view.preview != (view.height, view.width)


@torch.inference_mode()
def values_at(
    function: Function, coordinates: Float[torch.Tensor, "n d"], device: torch.device
) -> Float[np.ndarray, "n c"]:
    """What a field says of many points, asked `AT_ONCE` at a time."""
    return torch.cat([function(part.to(device)).cpu() for part in coordinates.split(AT_ONCE)]).numpy()


class Probe:
    """What stands for a large picture while it is being fitted."""

    def __init__(self, scene: Scene, view: View) -> None:
        self.view = view
        self.sample = scene.batch(torch.Generator().manual_seed(0), SCORED_PIXELS)
        rows, columns = (_middle(side) for side in (view.height, view.width))
        self.target = view.target()[rows, columns].copy()
        self.heldout = None if view.heldout is None else view.heldout[rows, columns]
        _, _, across, down = picture_extent(view.height, view.width)
        x, y = across / view.width, down / view.height
        self.extent = (columns.start * x, rows.start * y, columns.stop * x, rows.stop * y)

    def score(self, function: Function, device: torch.device) -> Scores:
        """PSNR of the sample; bands (without the last, which is open) and held-out pixels of the crop."""
        height, width, _ = self.target.shape
        drawn = self.view.draw(function, height, width, self.extent, device=device)
        heldout = None if self.heldout is None else psnr_db(self.target, drawn, self.heldout)
        kept, error = (dict(list(bands.items())[:-1]) for bands in band_scores(self.target, drawn))
        return Scores(self._sampled_psnr(function, device), heldout, kept, error)

    def _sampled_psnr(self, function: Function, device: torch.device) -> float:
        predicted = values_at(function, self.sample.coordinates, device)
        return psnr_db(self.sample.values.numpy()[None], predicted[None])


def _middle(side: int) -> slice:
    start = max(0, side - CROP_SIDE) // 2
    return slice(start, start + min(side, CROP_SIDE))
