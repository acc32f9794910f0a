"""Progress: what the next step does to the detail that is missing, place by place and octave by octave.

Let r be the luma of the residual, target minus field, and r_b what it holds in octave b: r_b = B r. A step that moves
the luma by m = J step (`movement`) takes r_b to r_b - B m, and so each pixel's squared error in the octave falls by

    p_i  =  2 r_b,i (B m)_i                    in squared luma per step

exactly to first order in the step. It is negative where the step makes the error larger. Squared gains of octaves add
up to one, so that over a picture the progress of all octaves adds up to that of its variance, 2 (r - mean r) . m.

The movement is filtered as the residual is: a step mostly moves what is coarse, and unfiltered products of that with
fine detail would say nothing but in sums over the whole picture.

**Own push, and help.** The octave's part of the residual s_b = B r_b: all parts and the mean add up to r, and so the
gradient step of the squared error is a sum over octaves b, windows w and what is no luma,

    step  =  2 rate / (N c |v|^2)  sum over b, w of (sum over i in w of s_b,i J_i)  +  colours, alpha and mean

with N pixels of c channels in the loss's mean, v the luma's weights of the channels and J_i the gradient of the luma:
v / |v|^2 times its luma is what a residual of several channels holds of luma, and the rest of it has none. What the
window's own term does for its own part is

    own  =  2 (2 rate / (N c |v|^2))  y' K y         y = s_b in the window, K the neural tangent kernel of luma

the `push` of that detail in its window. Help is the rest of the window's progress: what all other windows, all other
octaves, the colours and the mean do to it, hindrance where it is negative. Waves that reach over a window's edge belong
to both sides for the filter B and to one for y; that difference counts as help.

Sankararaman et al. (2020, arXiv 1904.06963) call gradients that hinder each other confused; here it is an energy.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ..detail.bands import band_labels, band_picture, spectrum
from ..detail.windows import Windows, windows_of
from .kernel import channel_directions


@dataclass(frozen=True, eq=False)
class Split:
    """The progress of each window of an octave by whose doing it is, in squared luma per step."""

    own: Float[np.ndarray, "rows columns"]
    """By the window's own detail, never negative."""
    help: Float[np.ndarray, "rows columns"]
    """By all else; below 0 it is hindrance. Added to `own` it is the whole."""


@dataclass(frozen=True, eq=False)
class OctaveProgress:
    """What a step does to the missing detail of one octave."""

    label: str
    """The octave's, as of `band_labels`."""
    windows: Windows
    missing: Float[np.ndarray, "h w"]
    """The part of the residual's luma that is the octave's: those of all octaves and the mean add up to it. Its push is
    a window's own."""
    per_pixel: Float[np.ndarray, "h w"]
    """By how much the squared error of the octave's luma falls, in squared luma per step; negative where it grows."""
    energy: Float[np.ndarray, "rows columns"]
    """The squared error of the octave's luma, summed over each window."""
    whole: Float[np.ndarray, "rows columns"]
    """`per_pixel` summed over each window."""

    @property
    def steps_to_mend(self) -> Float[np.ndarray, "rows columns"]:
        """So many more steps for half of each window's missing energy; see `steps_to_mend`."""
        return steps_to_mend(self.energy, self.whole)

    @property
    def steps_to_mend_all(self) -> float:
        """So many more steps for half of what the whole picture misses in the octave."""
        return float(steps_to_mend(self.energy.sum(), self.whole.sum()))

    def split(
        self, push: Float[np.ndarray, "rows columns"], rate: float, *, channels: int, pixels: int | None = None
    ) -> Split:
        """Whose doing the progress of a plain gradient step is; of a step of Adam or Muon only the whole has a meaning.

        Args:
            push: y' K y of each window, of luma, y what `missing` is in it.
            rate: by which `loss_step` was scaled.
            channels: of the field, alpha among them.
            pixels: in the loss's mean; by default all. With others the own push is as if all were trained on.
        """
        weights = channel_directions("luma", channels)
        in_mean = (self.missing.size if pixels is None else pixels) * channels
        own = 4 * rate / (in_mean * np.square(weights).sum()) * push
        return Split(own, self.whole - own)


def octave_progress(
    residual: Float[np.ndarray, "h w c"], moved: Float[np.ndarray, "h w c"]
) -> Iterator[OctaveProgress]:
    """What a step does to each octave of what is missing, finest first, one at a time.

    Luma is linear here (Rec. 709 of the colours, without alpha), without the clipping that a screen does.

    Args:
        residual: target minus the field's values.
        moved: by how much the step moves them: `movement`, at the weights that the step is of.
    """
    height, width, channels = residual.shape
    weights = channel_directions("luma", channels)[0]
    left, gone = (spectrum(picture.astype(np.float64) @ weights) for picture in (residual, moved))
    for band, label in enumerate(band_labels(height, width)):
        octave, windows = band_picture(left, band), windows_of(height, width, band)
        per_pixel = 2 * octave * band_picture(gone, band)
        yield OctaveProgress(
            label,
            windows,
            missing=band_picture(spectrum(octave), band),
            per_pixel=per_pixel,
            energy=_sums(np.square(octave), windows),
            whole=_sums(per_pixel, windows),
        )


def steps_to_mend(
    energy: Float[np.ndarray, "*shape"] | np.floating, progress: Float[np.ndarray, "*shape"] | np.floating
) -> Float[np.ndarray, "*shape"]:
    """How many steps like the next one until half of a missing energy is gone: ln 2 energy / progress.

    That is if each step mends the same share of what is left, as gradient descent does along one eigenvector of the
    kernel. Several eigenvectors slow down one after the other, so that it is rather too few; a schedule that lowers the
    rate makes it more too few. Infinite where the next step mends nothing; 0 where nothing is missing.

    >>> steps_to_mend(np.array([1.0, 1.0, 0.0]), np.array([0.01, -0.01, 0.0])).round(1)
    array([69.3,  inf,  0. ])
    """
    energies, falls = np.broadcast_arrays(energy, progress)
    steps = np.where(energies > 0, np.inf, 0.0)
    return np.divide(np.log(2) * energies, falls, out=steps, where=(falls > 0) & (energies > 0))


def _sums(picture: Float[np.ndarray, "h w"], windows: Windows) -> Float[np.ndarray, "rows columns"]:
    in_rows = np.add.reduceat(picture, windows.row_edges[:-1], 0)
    return np.add.reduceat(in_rows, windows.column_edges[:-1], 1)
