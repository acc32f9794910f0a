"""The part of the page that shows a 3D scene from all around: pictures of an orbit, and a surface to turn.

`report/around/` has its scripts. Pictures of an orbit stand row by row on a sheet, one picture of the page for each
mode. A surface is written as small whole numbers, and the browser draws it by WebGL.
"""

from base64 import b64encode
from html import escape

import numpy as np

from fieldlens.render.colour import density_legend
from fieldlens.report.images import encoded_frame, encoded_sheet, encoded_still
from fieldlens.report.model import Around, Report, RunPart, Surface
from fieldlens.report.table import RUN_COLOURS

FOLDER = "around"
SCRIPTS = tuple(f"{FOLDER}/{name}.js" for name in ("turning", "surface", "start"))

STILL = {"pictures": "colour", "surface": "creases"}
"""The mode of the orbit's first picture that stands for each part where no script can run, and on paper."""

COUNTS = 2**16 - 1
"""The largest number that a coordinate is written as; the cube's side has so many."""


def section_words(report: Report) -> dict[str, str]:
    """What `section.html` leaves open."""
    around = [(index, run) for index, run in enumerate(report.runs) if run.around]
    surfaces = [(index, run) for index, run in around if run.surface]
    legend = encoded_still(density_legend(36, 360, report.words.crossings)).uri
    words = {"pictures": _figures(around, "pictures"), "legend": legend}
    arranged = "beside" if len(around) == 1 else "below"
    return words | {
        "surfaces": _figures(surfaces, "surface"),
        "no_surfaces": "" if surfaces else " hidden",
        "arranged": arranged,
    }


def around_data(report: Report) -> dict[str, object]:
    """What the scripts read."""
    return {"runs": [_run(index, run, run.around) for index, run in enumerate(report.runs) if run.around]}


def _figures(runs: list[tuple[int, RunPart]], part: str) -> str:
    """A place for each run, with a picture for where no script can run."""
    return "".join(
        f'<figure data-part="{part}" data-of="{index}"><img class="still" alt="{escape(run.label)}, {part}" '
        f'src="{encoded_frame(_first(run.around, STILL[part])).uri}"><figcaption><span class="run-name" '
        f'data-run="{index % RUN_COLOURS}">{escape(run.label)}</span></figcaption></figure>'
        for index, run in runs
        if run.around
    )


def _first(around: Around, mode: str) -> np.ndarray:
    """The first picture of a mode, or of the first mode where there is none of it."""
    sheet = around.sheets.get(mode, next(iter(around.sheets.values())))
    return sheet[: around.height, : around.width]


def _run(index: int, run: RunPart, around: Around) -> dict[str, object]:
    return {
        "index": index,
        "label": run.label,
        "pictures": around.pictures,
        "columns": around.columns,
        "height": around.height,
        "width": around.width,
        "sheets": {mode: encoded_sheet(sheet).uri for mode, sheet in around.sheets.items()},
        "eye": list(around.eye),
        "up": list(around.up),
        "angle": around.angle,
        "surface": None if run.surface is None else _surface(run.surface),
    }


def _surface(surface: Surface) -> dict[str, object]:
    """Coordinates as shares of the cube's side, in 16 bits; normals in 8; little-endian."""
    return {
        "vertices": _base64(np.rint(surface.vertices.clip(0, 1) * COUNTS), "<u2"),
        "normals": _base64(np.rint(surface.normals.clip(-1, 1) * 127), "i1"),
        "colours": _base64(surface.colours, "u1"),
        "triangles": _base64(surface.triangles, "<u4"),
    }


def _base64(numbers: np.ndarray, kind: str) -> str:
    return b64encode(np.ascontiguousarray(numbers.astype(kind)).tobytes()).decode("ascii")
