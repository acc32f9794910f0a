"""The microscope: the page's part that carries networks, which its scripts evaluate in the browser.

`report/microscope/` has the scripts, each a part of one: the page runs it, and hands the same text to its worker.
"""

import math
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from itertools import groupby
from typing import Literal

import numpy as np

from fieldlens.analysis.detail.windows import Place
from fieldlens.configs.errors import counted
from fieldlens.fields.plain import PlainField, PlainFormulas
from fieldlens.render.colour import LAYER_COLOURS
from fieldlens.report.model import Report, RunPart

FOLDER = "microscope"
SCRIPTS = tuple(
    f"{FOLDER}/{name}.js"
    for name in ("network", "switched", "textures", "gpu", "raster", "shade", "lens", "gestures", "panel", "start")
)


def look_address(place: Place) -> str:
    """A link within the page that flies the microscope to a square of the picture.

    >>> look_address(Place(32, 0, 16))
    '#look=32,0,16'
    """
    return f"#look={place.left:g},{place.top:g},{place.side:g}"


def section_words(report: Report) -> dict[str, str]:
    """What `section.html` leaves open."""
    count = sum(bool(run.networks) for run in report.runs)
    absent = [run for run in report.runs if run.no_network]
    of = [f"{run.label}: " if len(report.runs) > 1 else "" for run in absent]
    return {
        "carried": "the trained network" if count == 1 else f"{count} trained networks",
        "it": "it" if count == 1 else "them",
        "absent": "".join(
            f'<p class="notice">{escape(label + run.no_network)}</p>' for label, run in zip(of, absent, strict=True)
        ),
    }


def microscope_data(report: Report) -> dict[str, object]:
    """What the scripts read."""
    height, width = report.target.shape[:2]
    carrying = [run for run in report.runs if run.networks]
    return {
        "height": height,
        "width": width,
        "channels": len(carrying[0].networks[0].field.biases[-1]),
        "layerColours": LAYER_COLOURS,
        "runs": [_run(run, max(height, width)) for run in carrying],
    }


def _run(run: RunPart, pixels: int) -> dict[str, object]:
    field = run.networks[0].field
    return {
        "label": run.label,
        "network": {
            "encoding": _encoding(field),
            "widths": [field.weights[0].shape[1], *map(len, field.biases)],
            "activation": field.activation,
            "slope": field.negative_slope,
            "output": field.output,
        },
        "worst": [look_address(place) for place in run.worst],
        "octaves": [{"label": group.label, "features": group.features} for group in _groups(field, pixels)],
        "checkpoints": [
            {"step": kept.step, "type": kept.precision, "numbers": _base64(kept.field, kept.precision)}
            for kept in run.networks
        ],
    }


def _encoding(field: PlainField) -> dict[str, object]:
    encoding = field.encoding
    if isinstance(encoding, PlainFormulas):
        names = ("scale", "shift", "rates", "phases")
        return {name: getattr(encoding, name).tolist() for name in names}
    return {
        "resolutions": encoding.resolutions,
        "sizes": encoding.sizes,
        "channels": encoding.table.shape[1],
    }


@dataclass(frozen=True)
class _Group:
    """Features that are switched together."""

    label: str
    features: list[int]


def _groups(field: PlainField, pixels: int) -> Iterator[_Group]:
    """The encoding's waves by octaves of their wavelengths, longest first, or its grids; coordinates have none."""
    encoding = field.encoding
    if not isinstance(encoding, PlainFormulas):
        each = encoding.table.shape[1]
        for level, resolution in enumerate(encoding.resolutions):
            yield _Group(f"grid of {counted(resolution, 'square')}", [*range(level * each, (level + 1) * each)])
        return
    first = len(encoding.shift)
    cycles = np.linalg.norm(encoding.rates, axis=1) / (2 * math.pi)
    octave = [math.floor(math.log2(rate) + 1e-9) if rate > 0 else -math.inf for rate in cycles]
    order = sorted(range(len(octave)), key=octave.__getitem__)
    for number, members in groupby(order, key=octave.__getitem__):
        features = list(members)
        if number == -math.inf:
            yield _Group("constants", [first + k for k in features])
            continue
        lengths = sorted({float(f"{pixels / cycles[k]:.3g}") for k in features})
        span = f"{lengths[0]:g}" if len(lengths) == 1 else f"{lengths[0]:g} to {lengths[-1]:g}"
        yield _Group(f"waves of {span} px", [first + k for k in features])


def _base64(field: PlainField, precision: Literal["float16", "float32"]) -> str:
    numbers = np.concatenate([part.ravel() for part in field.learnt]).astype(np.dtype(precision).newbyteorder("<"))
    return b64encode(numbers.tobytes()).decode("ascii")
