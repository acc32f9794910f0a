"""A moment of a fit, drawn and scored."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float

from analysis import bands_over_training, psnr_db, ssim
from analysis.bands import band_labels
from fields import Field
from fitting import Placement
from render.grid import picture_extent
from scenes.scene import Batch, Function, Scene, View

SCORED_PIXELS = 65_536
"""A picture too large to be drawn whole in progress is scored on this many of its training pixels."""
CROP_SIDE = 256
"""And its bands and held-out pixels are followed in a square of this side in its middle, at full resolution."""
PSNR_OF = f"of {SCORED_PIXELS:,} training pixels"
ENERGY_OF = f"of the middle {CROP_SIDE} px"
"""How curves of such a picture are labelled."""


@dataclass(frozen=True)
class Scores:
    """How close a drawing is to its target."""

    psnr_db: float
    heldout_psnr_db: float | None
    energy_kept: Mapping[str, float | None]
    """By octave band, shortest waves first; None for bands without energy."""
    relative_error: Mapping[str, float | None]
    """|F - Y| / |Y| by octave band: 0 exact, 1 as bad as leaving it out; None for bands without energy."""


@dataclass(frozen=True, eq=False)
class Observation:
    """What a field gives at one moment."""

    reconstruction: Float[np.ndarray, "h w c"]
    scores: Scores
    distance: Float[np.ndarray, "h w"] | None = None
    """Of a 3D scene: of what is seen, from the camera, in sides of the scene's cube; NaN where nothing is."""


@dataclass(frozen=True, eq=False)
class Finished:
    """What a field gives at the end, drawn whole."""

    reconstructions: Sequence[Float[np.ndarray, "_ _ _"]]
    """Of each view; of a shape, the first alone."""
    scores: Scores
    ssim: float | None
    """None where a view is too small for it."""


@runtime_checkable
class Observer(Protocol):
    """Draws and scores the fields of one fit, always in the same way."""

    @property
    def notes(self) -> Sequence[str]:
        """What the scores are of, where that is not everything."""
        ...

    def observe(self, field: Any) -> Observation:
        """Draw and score a field as it stands, in the precision it is trained in."""
        ...

    def finish(self, field: Any, progress: Callable[[float], None]) -> Finished:
        """Draw and score a field whole, in fp32."""
        ...


def score(view: View, target: Float[np.ndarray, "h w c"], drawn: Float[np.ndarray, "h w c"]) -> Scores:
    """Score a drawing of the whole view: PSNR over its training pixels, and over those held out."""
    heldout = None if view.heldout is None else psnr_db(target, drawn, view.heldout)
    return Scores(psnr_db(target, drawn, view.trained), heldout, *band_scores(target, drawn))


def band_scores(
    target: Float[np.ndarray, "h w c"], drawn: Float[np.ndarray, "h w c"]
) -> tuple[dict[str, float | None], dict[str, float | None]]:
    """Energy kept and relative error by octave band."""
    labels, bands = band_labels(*target.shape[:2]), bands_over_training(target, [drawn])

    def named(values: Float[np.ndarray, " bands"]) -> dict[str, float | None]:
        return {label: float(v) if np.isfinite(v) else None for label, v in zip(labels, values, strict=True)}

    return named(bands.kept[0]), named(bands.relative_error[0])


class PictureObserver:
    """Of a picture or signal, which is its own and only view, or of a shape, whose first view is scored.

    A picture no larger than its preview is drawn whole, and `score`d. A larger one is drawn smaller; its
    PSNR is over a fixed sample of its training pixels, and the rest over a crop from its middle. `notes` say so.
    """

    def __init__(self, scene: Scene, placement: Placement) -> None:
        self.placement = placement
        self.view: View = scene.views()[0]
        self.height, self.width = self.view.preview
        self.target = self.view.target(self.height, self.width)
        self.notes: list[str] = []
        self._probe: _Probe | None = None
        if is_large(self.view):
            self._probe = _Probe(scene, self.view)
            self.notes.append(
                f"frames in progress are reduced to {self.width} x {self.height} px, and curves are of parts of the "
                f"picture: dB {PSNR_OF}, bands and held-out dB {ENERGY_OF}"
            )

    def observe(self, field: Field) -> Observation:
        """Draw and score a field as it stands, in the precision it is trained in."""
        function = field.in_precision(self.placement.hidden_dtype)
        drawn = self.view.draw(function, self.height, self.width, device=self.placement.device)
        if self._probe is None:
            return Observation(drawn, score(self.view, self.target, drawn))
        return Observation(drawn, self._probe.score(function, self.placement.device))

    def finish(self, field: Field, progress: Callable[[float], None]) -> Finished:
        """Draw and score a field whole, in fp32."""
        drawn, target = self.view.draw(field, device=self.placement.device, progress=progress), self.view.target()
        return Finished([drawn], score(self.view, target, drawn), ssim(target, drawn))


class _Probe:
    """What stands for a large picture while it is being fitted."""

    def __init__(self, scene: Scene, view: View) -> None:
        self.view = view
        self.sample: Batch = scene.batch(torch.Generator().manual_seed(0), SCORED_PIXELS)
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

    @torch.inference_mode()
    def _sampled_psnr(self, function: Function, device: torch.device) -> float:
        predicted = torch.cat([function(part.to(device)).cpu() for part in self.sample.coordinates.split(8192)])
        return psnr_db(self.sample.values.numpy()[None], predicted.numpy()[None])


def is_large(view: View) -> bool:
    """Whether a view is drawn reduced, and scored by parts, while a fit goes on."""
    return view.preview != (view.height, view.width)


def _middle(side: int) -> slice:
    start = max(0, side - CROP_SIDE) // 2
    return slice(start, start + min(side, CROP_SIDE))
