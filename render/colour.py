"""Numbers as colours: pictures, errors, densities and missing detail as 8-bit RGB.

Values are floats in [0, peak], channels last: 1 grey, 2 grey and premultiplied alpha, 3 RGB, 4 RGB and premultiplied
alpha. Every scale here is fixed, never fitted to the data at hand, so that two pictures can be compared by eye: across
the frames of a video, the encodings of a comparison, and runs a month apart.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

import cv2
import numpy as np
from jaxtyping import Float, Real, UInt8

from .text import BACKGROUND, LINE, QUIET_INK, Rgb, draw_text, text_width

DENSITY_RANGE = (0.1, 100.0)
"""Crossings per pixel at the two ends of the one logarithmic density scale; values beyond take the end's colour."""

AREA_DENSITY_RANGE = (100.0, 100_000.0)
"""Crease area per volume, per diagonal of the scene's cube, at the two ends of its logarithmic scale on slices."""

ERROR_RANGE = (0.0, 0.25)
"""Root-mean-square errors over the channels, as shares of the peak, at the two ends of the scale of errors."""

MISSING_RANGE = (0.0, 1.5)
"""Missing fractions (residual energy over target energy) at the two ends of their scale: at 0 all detail is there, at 1
none is, beyond 1 what is there is wrong."""

CONFUSION_RANGE = (-1.0, 1.0)
"""Cosines of two pixels' loss gradients at the two ends of their scale: at 1 a step for one is a step for the other, at
-1 it undoes it."""

LENGTH_RANGE = (0.25, 64.0)
"""Pixels at the two ends of the one logarithmic scale of correlation lengths; values beyond take the end's colour."""

SPEED_RANGE = (0.01, 1000.0)
"""Speeds of detail at the two ends of their logarithmic scale: what is slower takes the lowest colour."""

LEVERAGE_RANGE = (0.001, 1.0)
"""Leverages of detail at the two ends of their logarithmic scale; what is less takes the lowest colour."""

STEPS_RANGE = (10.0, 100_000.0)
"""Steps until half of what is missing is mended, at the two ends of their logarithmic scale."""

AMPLITUDE_RANGE = (0.0, 1.0)
"""A reconstruction's amplitude at a frequency over the target's, at the two ends of the scale of amplitudes."""

MAGENTA: Rgb = (255, 0, 255)
"""The colour of places where there should be a number and is none."""

NOTHING_TO_MISS: Rgb = (88, 91, 98)

NOTHING_THERE: Rgb = (24, 26, 31)

GETS_WORSE: Rgb = (230, 120, 40)
"""The colour of places that the next steps take further from the target; it is none of the scale of steps."""

UNBOUNDED: Rgb = (0, 178, 130)
"""The colour of a correlation length that was not found as far as was looked; it is none of the scale of lengths."""

LAYER_COLOURS: tuple[Rgb, ...] = (
    (86, 180, 233),
    (230, 159, 0),
    (0, 178, 130),
    (214, 130, 178),
    (240, 228, 66),
    (223, 104, 20),
)
"""Colours of the layers, told apart with any kind of colour vision (Okabe & Ito 2008), lightened for the dark ground.
A seventh layer takes the first again."""


def to_rgb(values: Float[np.ndarray, "h w c"], peak: float = 1.0) -> UInt8[np.ndarray, "h w 3"]:
    """A picture as it is shown: `values / peak` clipped to [0, 1], alpha over a quiet checkerboard, NaN in magenta.

    >>> to_rgb(np.array([[[0.0], [0.5], [2.0]]]))[0].tolist()
    [[0, 0, 0], [128, 128, 128], [255, 255, 255]]
    """
    channels = values.shape[-1]
    if channels not in (1, 2, 3, 4):
        raise ValueError(f"to_rgb: a picture has 1 to 4 channels, not {channels}")
    has_alpha = channels % 2 == 0
    ground = _checkerboard(*values.shape[:2]) if has_alpha else None
    rgb = np.empty((*values.shape[:2], 3), np.uint8)
    for rows in _row_blocks(len(values)):
        shown = values[rows, :, : channels - has_alpha] / peak
        if ground is not None:
            shown = shown + (1 - np.clip(values[rows, :, -1:], 0, 1)) * ground[rows]
        rgb[rows] = _to_bytes(shown)
        rgb[rows][np.isnan(values[rows]).any(axis=-1)] = MAGENTA
    return rgb


def error_rgb(
    target: Float[np.ndarray, "h w c"],
    reconstruction: Float[np.ndarray, "h w c"],
    peak: float = 1.0,
    *,
    size: tuple[int, int] | None = None,
) -> UInt8[np.ndarray, "height width 3"]:
    """Each pixel's root-mean-square error over its channels, on the fixed scale `ERROR_RANGE` times `peak`.

    Both pictures are clipped to [0, peak] first, as they are for PSNR and on the screen. A smaller `size` (height,
    width) takes the mean square over the pixels that each new one covers: fine error stays error, and does not average
    out.
    """
    squared = np.empty(target.shape[:2], np.float32)
    for rows in _row_blocks(len(target)):
        difference = (np.clip(target[rows], 0, peak) - np.clip(reconstruction[rows], 0, peak)) / peak
        squared[rows] = np.mean(np.square(difference), axis=-1)
    if size is not None and size != squared.shape:
        squared = cv2.resize(squared, size[::-1], interpolation=cv2.INTER_AREA).reshape(size)
    return scalar_rgb(np.sqrt(squared), *ERROR_RANGE, _ERROR_COLOURS)


def density_rgb(crossings_per_pixel: Real[np.ndarray, "h w"]) -> UInt8[np.ndarray, "h w 3"]:
    """Crease density on the logarithmic scale `DENSITY_RANGE`; no crease at all takes the lowest colour."""
    low, high = DENSITY_RANGE
    return scalar_rgb(np.log10(np.maximum(crossings_per_pixel, low)), np.log10(low), np.log10(high), _DENSITY_COLOURS)


def area_density_rgb(
    per_diagonal: Real[np.ndarray, "h w"], limits: tuple[float, float] = AREA_DENSITY_RANGE
) -> UInt8[np.ndarray, "h w 3"]:
    """Crease area per volume in the colours of crease density, on a logarithmic scale between limits above 0."""
    low, high = np.log10(limits)
    return scalar_rgb(np.log10(np.maximum(per_diagonal, limits[0])), low, high, _DENSITY_COLOURS)


def opacity_rgb(opacity: Float[np.ndarray, "h w"]) -> UInt8[np.ndarray, "h w 3"]:
    """Shares of the light that are stopped, bright where all is."""
    return scalar_rgb(opacity, 0.0, 1.0, _OPACITY_COLOURS)


def level_rgb(level: Float[np.ndarray, "h w"], reach: float) -> UInt8[np.ndarray, "h w 3"]:
    """A level function from -reach (inside) to reach, its surface at 0 in the middle of the colours."""
    return scalar_rgb(level, -reach, reach, _LEVEL_COLOURS)


def missing_rgb(missing_fraction: Float[np.ndarray, "h w"]) -> UInt8[np.ndarray, "h w 3"]:
    """Residual over target energy on the scale `MISSING_RANGE`; NaN (no detail there to miss) in grey."""
    return scalar_rgb(missing_fraction, *MISSING_RANGE, _MISSING_COLOURS, no_number=NOTHING_TO_MISS)


def confusion_rgb(cosine: Float[np.ndarray, "h w"]) -> UInt8[np.ndarray, "h w 3"]:
    """Cosines of gradients on the scale `CONFUSION_RANGE`, 0 neutral; NaN (no gradient there) in grey."""
    return scalar_rgb(cosine, *CONFUSION_RANGE, _CONFUSION_COLOURS, no_number=NOTHING_TO_MISS)


def length_rgb(pixels: Float[np.ndarray, "h w"]) -> UInt8[np.ndarray, "h w 3"]:
    """Correlation lengths on the logarithmic scale `LENGTH_RANGE`; infinite ones `UNBOUNDED`, NaN (none there) grey."""
    low, high = LENGTH_RANGE
    logarithm = np.log2(np.clip(pixels, low, high))
    rgb = scalar_rgb(logarithm, np.log2(low), np.log2(high), _LENGTH_COLOURS, no_number=NOTHING_TO_MISS)
    rgb[np.isposinf(pixels)] = UNBOUNDED
    return rgb


def speed_rgb(speed: Float[np.ndarray, "h w"]) -> UInt8[np.ndarray, "h w 3"]:
    """Speeds of detail on the logarithmic scale `SPEED_RANGE`; NaN (no detail there to move) in grey."""
    low, high = SPEED_RANGE
    return scalar_rgb(
        np.log10(np.maximum(speed, low)), np.log10(low), np.log10(high), _SPEED_COLOURS, no_number=NOTHING_TO_MISS
    )


def leverage_rgb(leverage: Float[np.ndarray, "h w"]) -> UInt8[np.ndarray, "h w 3"]:
    """Leverages of detail on the logarithmic scale `LEVERAGE_RANGE`; NaN (no detail there to move) in grey."""
    low, high = np.log10(LEVERAGE_RANGE)
    logarithm = np.log10(np.maximum(leverage, LEVERAGE_RANGE[0]))
    return scalar_rgb(logarithm, low, high, _SPEED_COLOURS, no_number=NOTHING_TO_MISS)


def steps_rgb(steps: Float[np.ndarray, "h w"]) -> UInt8[np.ndarray, "h w 3"]:
    """Steps to mend half of what is missing on the logarithmic scale `STEPS_RANGE`, bright where few; infinite ones
    `GETS_WORSE`, NaN (nothing missing there) in grey."""
    low, high = np.log10(STEPS_RANGE)
    logarithm = np.log10(np.clip(steps, *STEPS_RANGE))
    rgb = scalar_rgb(-logarithm, -high, -low, _STEPS_COLOURS, no_number=NOTHING_TO_MISS)
    rgb[np.isposinf(steps)] = GETS_WORSE
    return rgb


def distance_rgb(distance: Float[np.ndarray, "h w"], near: float, far: float) -> UInt8[np.ndarray, "h w 3"]:
    """Distances from a camera, bright where near; `NOTHING_THERE` where there is none (NaN)."""
    return scalar_rgb(-distance, -far, -near, _DISTANCE_COLOURS, no_number=NOTHING_THERE)


def normals_rgb(normals: Float[np.ndarray, "h w 3"], opacity: Float[np.ndarray, "h w"]) -> UInt8[np.ndarray, "h w 3"]:
    """Directions of length 1 as colours, -1 to 1 along x, y and z as none to all of red, green and blue, over
    `NOTHING_THERE` where the surface covers only a part."""
    share = opacity[..., None]
    return to_rgb(share * (normals + 1) / 2 + (1 - share) * np.array(NOTHING_THERE) / 255)


def layer_colour(layer: int) -> Rgb:
    """Of what belongs to a hidden layer, counted from 0."""
    return LAYER_COLOURS[layer % len(LAYER_COLOURS)]


def amplitude_rgb(share: Float[np.ndarray, "h w"]) -> UInt8[np.ndarray, "h w 3"]:
    """Amplitude over the target's on the scale `AMPLITUDE_RANGE`; NaN (a target without any) in grey."""
    return scalar_rgb(share, *AMPLITUDE_RANGE, _AMPLITUDE_COLOURS, no_number=NOTHING_TO_MISS)


def scalar_rgb(
    values: Real[np.ndarray, "h w"], low: float, high: float, colormap: int, *, no_number: Rgb = MAGENTA
) -> UInt8[np.ndarray, "h w 3"]:
    """`values` in one of OpenCV's colour maps (`cv2.COLORMAP_*`), linear from `low` to `high` and clipped there.

    NaN takes the colour `no_number`.
    """
    rgb = _colours(colormap)[_to_bytes((values - low) / (high - low))]
    rgb[np.isnan(values)] = no_number
    return rgb


def density_legend(height: int, width: int, unit: str = "crossings / px") -> UInt8[np.ndarray, "h w 3"]:
    """The colours of `density_rgb` as a bar with its decades written below it and the unit."""
    return _legend(height, width, _DENSITY_COLOURS, _decades(*DENSITY_RANGE), unit)


def area_density_legend(height: int, width: int) -> UInt8[np.ndarray, "h w 3"]:
    """The colours of `area_density_rgb` on slices as a bar with its decades written below it."""
    return _legend(height, width, _DENSITY_COLOURS, _decades(*AREA_DENSITY_RANGE), "/ diagonal")


def opacity_legend(height: int, width: int) -> UInt8[np.ndarray, "h w 3"]:
    """The colours of `opacity_rgb` as a bar with shares of the light written below it."""
    ticks = {f"{100 * value:g} %": value for value in (0, 0.25, 0.5, 0.75, 1)}
    return _legend(height, width, _OPACITY_COLOURS, ticks, "stopped")


def level_legend(height: int, width: int, *, reach: float, unit: str) -> UInt8[np.ndarray, "h w 3"]:
    """The colours of `level_rgb` as a bar with levels and their unit written below it."""
    ticks = {f"{share * reach:g}": (share + 1) / 2 for share in (-1.0, -0.5, 0.0, 0.5, 1.0)}
    return _legend(height, width, _LEVEL_COLOURS, ticks, unit)


def error_legend(height: int, width: int) -> UInt8[np.ndarray, "h w 3"]:
    """The colours of `error_rgb` as a bar with shares of the peak written below it."""
    low, high = ERROR_RANGE
    ticks = {f"{value:g}": (value - low) / (high - low) for value in (0, 0.05, 0.1, 0.15, 0.2, 0.25)}
    return _legend(height, width, _ERROR_COLOURS, ticks, "RMS error")


def missing_legend(height: int, width: int) -> UInt8[np.ndarray, "h w 3"]:
    """The colours of `missing_rgb` as a bar with residual over target energy written below it."""
    return _share_legend(height, width, "missing")


def remaining_legend(height: int, width: int) -> UInt8[np.ndarray, "h w 3"]:
    """The same colours, for the share of an error that remains."""
    return _share_legend(height, width, "remaining")


def _share_legend(height: int, width: int, unit: str) -> UInt8[np.ndarray, "h w 3"]:
    low, high = MISSING_RANGE
    ticks = {f"{100 * value:g} %": (value - low) / (high - low) for value in (0, 0.5, 1, 1.5)}
    return _legend(height, width, _MISSING_COLOURS, ticks, unit)


def confusion_legend(height: int, width: int) -> UInt8[np.ndarray, "h w 3"]:
    """The colours of `confusion_rgb` as a bar with cosines written below it."""
    low, high = CONFUSION_RANGE
    ticks = {f"{value:g}": (value - low) / (high - low) for value in (-1, -0.5, 0, 0.5, 1)}
    return _legend(height, width, _CONFUSION_COLOURS, ticks, "cosine")


def length_legend(height: int, width: int) -> UInt8[np.ndarray, "h w 3"]:
    """The colours of `length_rgb` as a bar with pixels written below it, and beside it that of infinite lengths."""
    first, last = np.log2(LENGTH_RANGE)
    ticks = {f"{2.0**octave:g}": (octave - first) / (last - first) for octave in np.arange(first, last + 1, 2)}
    return _legend(height, width, _LENGTH_COLOURS, ticks, "px", apart=(UNBOUNDED, "unbounded: no fall found"))


def speed_legend(height: int, width: int) -> UInt8[np.ndarray, "h w 3"]:
    """The colours of `speed_rgb` as a bar with its decades written below it."""
    return _legend(height, width, _SPEED_COLOURS, _decades(*SPEED_RANGE), "speed")


def leverage_legend(height: int, width: int) -> UInt8[np.ndarray, "h w 3"]:
    """The colours of `leverage_rgb` as a bar with its decades written below it."""
    return _legend(height, width, _SPEED_COLOURS, _decades(*LEVERAGE_RANGE), "leverage")


def steps_legend(height: int, width: int) -> UInt8[np.ndarray, "h w 3"]:
    """The colours of `steps_rgb` as a bar with its decades written below it, and beside it what gets worse."""
    ticks = {label: 1 - share for label, share in reversed(_decades(*STEPS_RANGE).items())}
    return _legend(height, width, _STEPS_COLOURS, ticks, "steps", apart=(GETS_WORSE, "worse"))


def amplitude_legend(height: int, width: int) -> UInt8[np.ndarray, "h w 3"]:
    """The colours of `amplitude_rgb` as a bar with shares of the target's amplitude written below it."""
    low, high = AMPLITUDE_RANGE
    ticks = {f"{100 * value:g} %": (value - low) / (high - low) for value in (0, 0.25, 0.5, 0.75, 1)}
    return _legend(height, width, _AMPLITUDE_COLOURS, ticks, "amplitude")


def _decades(low: float, high: float) -> dict[str, float]:
    """Powers of ten by their share of a logarithmic scale.

    >>> {label: round(share, 3) for label, share in _decades(0.1, 100).items()}
    {'0.1': 0.0, '1': 0.333, '10': 0.667, '100': 1.0}
    """
    first, last = np.log10((low, high))
    return {f"{10.0**decade:,g}": float((decade - first) / (last - first)) for decade in np.arange(first, last + 0.5)}


def _legend(
    height: int,
    width: int,
    colormap: int,
    ticks: Mapping[str, float],
    unit: str,
    apart: tuple[Rgb, str] | None = None,
) -> UInt8[np.ndarray, "h w 3"]:
    """A bar of colours, and below it labels at their share of its length, and the unit; a colour apart at its end.

    Labels stand in the middle of their ticks, the first and the last as well, and where all would touch, evenly spaced
    ones are left out.
    """
    legend = np.full((height, width, 3), BACKGROUND, np.uint8)
    size = max(9, min(round(height / (LINE + 0.75)), width // 16))
    bar = max(1, height - round(LINE * size) - 2)
    room = width
    if apart is not None:
        colour, words = apart
        room -= text_width(words, size) + size
        legend[:bar, room + size // 2 : width - size // 2] = colour
        draw_text(legend, words, (room + size // 2, bar + 1), size, QUIET_INK)
    wide = {label: text_width(label, size) for label in ticks}
    first, *_, last = (-(-half // 2) for half in wide.values())
    end = room - text_width(unit, size) - size // 2
    left = first + size // 2
    length = max(1, end - left - last - size // 2)
    legend[:bar, left : left + length] = _colours(colormap)[np.linspace(0, 255, length).round().astype(int)]
    draw_text(legend, unit, (end, bar + 1), size, QUIET_INK)
    middles = {label: left + round(share * (length - 1)) for label, share in ticks.items()}
    for label in _apart([(label, middles[label], wide[label]) for label in ticks], gap=size // 2):
        legend[bar : bar + 2, middles[label]] = QUIET_INK
        draw_text(legend, label, (middles[label] - wide[label] // 2, bar + 1), size, QUIET_INK)
    return legend


def _apart(labels: Sequence[tuple[str, int, int]], gap: int) -> list[str]:
    """As many labels as do not touch, of middle and width, evenly spaced from the first to the last.

    >>> _apart([("0", 0, 10), ("1", 12, 10), ("2", 24, 10)], gap=5)
    ['0', '2']
    """
    steps = len(labels) - 1
    for every in (step for step in range(1, steps + 1) if steps % step == 0):
        kept = labels[::every]
        pairs = itertools.pairwise(kept)
        if all(b - b_wide / 2 - (a + a_wide / 2) >= gap for (_, a, a_wide), (_, b, b_wide) in pairs):
            return [label for label, _, _ in kept]
    return [label for label, _, _ in labels[-1:]]


_DENSITY_COLOURS = cv2.COLORMAP_VIRIDIS
_ERROR_COLOURS = cv2.COLORMAP_INFERNO
_MISSING_COLOURS = cv2.COLORMAP_MAGMA
_CONFUSION_COLOURS = cv2.COLORMAP_CIVIDIS  # from blue to yellow, grey in the middle
_LENGTH_COLOURS = cv2.COLORMAP_PLASMA
_SPEED_COLOURS = cv2.COLORMAP_PARULA
_STEPS_COLOURS = cv2.COLORMAP_CIVIDIS
_DISTANCE_COLOURS = cv2.COLORMAP_BONE
_OPACITY_COLOURS = cv2.COLORMAP_BONE
_LEVEL_COLOURS = cv2.COLORMAP_CIVIDIS
_AMPLITUDE_COLOURS = cv2.COLORMAP_CIVIDIS


def _row_blocks(height: int) -> Iterator[slice]:
    """Slices of 256 rows: what is made in between of a large picture is never as large as the picture."""
    return (slice(start, start + 256) for start in range(0, height, 256))


@cache
def _colours(colormap: int) -> UInt8[np.ndarray, "256 3"]:
    ramp = cv2.applyColorMap(np.arange(256, dtype=np.uint8)[None], colormap)
    return ramp[0, :, ::-1]  # OpenCV's maps are BGR


def _to_bytes(unit: Float[np.ndarray, "..."]) -> UInt8[np.ndarray, "..."]:
    # NaN has no byte; the callers paint it over.
    return np.rint(255 * np.clip(np.nan_to_num(unit), 0, 1)).astype(np.uint8)


def _checkerboard(height: int, width: int) -> Float[np.ndarray, "h w 1"]:
    # 32 squares along the longer side, so that it looks the same once a small picture is enlarged.
    side = max(1, round(max(height, width) / 32))
    rows, columns = np.arange(height)[:, None] // side, np.arange(width) // side
    return np.where((rows + columns) % 2, np.float32(0.45), np.float32(0.55))[..., None]
