"""What is at a place that a viewer points at: colours, error, creases, and what is missing around it."""

import math

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from fieldlens.analysis import creases_at_pixel
from fieldlens.analysis.detail.bands import rounding_variance
from fieldlens.analysis.detail.densities import COAREA
from fieldlens.analysis.detail.explain import explained_octave
from fieldlens.analysis.detail.samples import compared_view, energies_of_all, sample_of
from fieldlens.configs.errors import InputError
from fieldlens.fields import Field
from fieldlens.studies.subjects.creases import creased
from fieldlens.studies.subjects.found import Observation
from fieldlens.studies.subjects.picture import PictureSubject
from fieldlens.studies.subjects.points import PointsSubject
from fieldlens.studies.subjects.raster import WindowMotion
from fieldlens.studies.subjects.subject import Subject

from .asked import Place


def what_is_at(place: Place, subject: Subject, field: Field, seen: Observation) -> dict[str, str]:
    """What there is at a place of the picture, by name, in words.

    Args:
        seen: the field as it is now.

    Raises:
        InputError: for a signal, whose picture is a curve.
    """
    if subject.kind == "signal":
        raise InputError("the picture of a signal is its curve, which has no colours to ask for")
    height, width = seen.picture.shape[:2]
    row, column = min(int(place.y * height), height - 1), min(int(place.x * width), width - 1)
    target = target_like(subject, seen)
    found = _colours(target[row, column], seen.picture[row, column]) | {"Pixel": f"{column}, {row}"}
    if isinstance(subject, PictureSubject | PointsSubject):
        found |= _creases(field, subject.view.height, subject.view.width, place)
        found |= _missing(subject.view.target(height, width), seen.reconstruction, row, column)
    return found


def target_like(subject: Subject, seen: Observation) -> UInt8[np.ndarray, "h w 3"]:
    """The target as a screen shows it, at the size of a drawing."""
    target, (height, width) = subject.target(), seen.picture.shape[:2]
    if target.shape[:2] == (height, width):
        return target
    return cv2.resize(target, (width, height), interpolation=cv2.INTER_AREA).astype(np.uint8)


def _colours(target: UInt8[np.ndarray, "3"], shown: UInt8[np.ndarray, "3"]) -> dict[str, str]:
    error = math.sqrt(np.mean(np.square((target.astype(float) - shown) / 255)))
    names = {name: "#" + bytes(colour.tolist()).hex() for name, colour in (("Target", target), ("Here", shown))}
    return names | {"Error": f"{100 * error:.1f} %"}


def _creases(field: Field, height: int, width: int, place: Place) -> dict[str, str]:
    """By the network at the pixel of the picture itself, which frames may show smaller."""
    network = creased(field)
    if network is None:
        return {}
    row, column = min(int(place.y * height), height - 1), min(int(place.x * width), width - 1)
    here = creases_at_pixel(network, height, width, row, column)
    on = (f"{on} of {width}" for on, width in zip(here.on_by_layer, here.width_by_layer, strict=True))
    found = {"Crossings": f"{here.crossings_per_pixel:.3g} / px"}
    if here.nearest_layer >= 0:
        found["Nearest crease"] = f"{here.distance_px:.2g} px, layer {here.nearest_layer + 1}"
    return found | {"Neurons on, by layer": ", ".join(on)}


def _missing(
    target: Float[np.ndarray, "h w c"], drawn: Float[np.ndarray, "h w c"], row: int, column: int
) -> dict[str, str]:
    """The missing fraction of the window around a pixel, in the octave that is explained."""
    if not np.isfinite(drawn).all():
        return {}
    views = [compared_view(target, drawn, {COAREA: None}, 1.0)]
    labels, overall = energies_of_all(views, 1.0)
    if overall.target.sum() <= rounding_variance():
        return {}
    sample = sample_of(views, labels[explained_octave(overall.target)])
    (part,) = sample.views
    edges = part.windows.row_edges, part.windows.column_edges
    window = tuple(int(np.searchsorted(edge, at, "right")) - 1 for edge, at in zip(edges, (row, column), strict=True))
    share = float(part.energies.missing_fraction[window])
    return {f"Missing of {sample.label.replace('-', '–')} detail": f"{100 * share:.0f} %"}


def how_it_moves(place: Place, motion: WindowMotion) -> dict[str, str]:
    """Speed and progress of the window around a place of the picture, in the octave that is explained, in words."""
    speed, steps = motion.at(place.y, place.x)
    label, found = motion.foreseen.label.replace("-", "–"), dict[str, str]()
    if math.isfinite(speed):
        found[f"Speed of {label} detail"] = f"{speed:.2g}"
    if not math.isnan(steps):
        few = f"about {float(f'{steps:.2g}'):,.0f}" if math.isfinite(steps) else "never: steps make it worse"
        found["Steps until half of what is missing is mended"] = few
    return found
