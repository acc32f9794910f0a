"""One HTML file that opens from disk and asks nothing of the network.

The page's words and marks live in `template.html`, its looks in `report.css`, its behaviour in `curves.js` and
`viewer.js`; `report_html` writes the static parts as escaped HTML, puts pictures and curves into one JSON block and
joins them all. Where a page carries networks, `microscope_page` adds a part with a script and data of its own, and of a
3D scene `around_page` does. While a fit goes on, the page is the same with `live.html` and `live.js` in it, which ask
the server that it came from; and so it is with `view.html` and `view.js` where a network that is kept is there to be
asked.

A content security policy names the scripts by their hashes, so that no text of a report can ever run. It allows no
address at all, but that of a live page's own server; a worker may only be made of what the page holds.
"""

import json
import math
import re
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from importlib import resources
from string import Template

from fieldlens.render.scales import Scale
from fieldlens.report import around_page, microscope_page, sections, size
from fieldlens.report.guide import guide_html
from fieldlens.report.images import (
    Encoded,
    encoded_earlier,
    encoded_frame,
    encoded_map,
    encoded_still,
)
from fieldlens.report.model import Curves, Frame, Report, RunPart, Spectra, ThroughTraining
from fieldlens.report.size import ever_smaller
from fieldlens.report.table import decimals, number_text
from fieldlens.report.terms import Glossary
from fieldlens.report.words import Words

SCRIPTS = ("curves.js", "viewer.js")
ASKING = ("ask.js", "place.js", "orbit.js")
"""Scripts of a page with a server behind it, beside its own."""
LOOKING = ("zoom.js", "readout.js")
"""Scripts of a page whose pictures are all there: they are looked at closely."""

AT_REST = {
    "live": "",
    "own_pictures": "",
    "connections": "",
    "closing": "This page is complete: it asks nothing of the internet.",
}
"""What the template has where the page is a file."""


def report_html(report: Report) -> str:
    """The whole page. Under 5 MB for two runs of fifty frames of 256x256; one that would have more than
    `size.MOST_BYTES` goes without what is missed least, and says so.

    Raises ValueError if the report has no run or a run has no frame: there would be nothing to show.
    """
    page = ""
    for smaller in ever_smaller(report):
        page = _page(smaller, (*SCRIPTS, *LOOKING), AT_REST)
        if len(page) <= size.MOST_BYTES:  # nearly all of it is ASCII
            break
    return page


def live_html(report: Report, orbit: object = None) -> str:
    """The page of one run that goes on, as far as it is: the server that it comes from tells it the rest.

    Args:
        orbit: of a 3D scene, what `orbit.js` needs to move a camera around it, as JSON has it.

    Raises ValueError as `report_html` does.
    """
    closing = "This page comes from the fit itself, on this machine. When the fit is over it becomes the report."
    parts = _asking("live.html", orbit, closing) | {"numbers": ""}
    return _page(report, (*SCRIPTS, *ASKING, "live.js"), parts)


def view_html(report: Report, orbit: object = None) -> str:
    """The page of runs that are over, whose networks are there to be asked: the report, with a server behind it.

    Args:
        orbit: as `live_html` takes it; of all runs, which share their scene.

    Raises ValueError as `report_html` does.
    """
    closing = "This page asks the networks themselves, on this machine, until the command that serves it is ended."
    return _page(report, (*SCRIPTS, *ASKING, "view.js"), _asking("view.html", orbit, closing))


def _asking(section: str, orbit: object, closing: str) -> dict[str, str]:
    """What the template has where a server answers the page."""
    return {
        "live": Template(file_text(section)).substitute(orbit=file_text("orbit.html"), orbit_data=embedded_json(orbit)),
        "own_pictures": " 'self'",
        "connections": " connect-src 'self';",
        "closing": closing,
    }


def _page(report: Report, scripts: Iterable[str], parts_of_kind: dict[str, str]) -> str:
    if not report.runs or not all(run.frames for run in report.runs):
        raise ValueError("a report needs at least one run, and every run at least one frame")
    script, around, microscope = _joined(scripts), _around(report), _microscope(report)
    added = (around, microscope)
    parts = {name: _unbroken(html) for name, html in _static_parts(report).items()}
    return Template(file_text("template.html")).substitute(
        title=escape(report.title),
        style="".join([file_text("report.css"), *(part.style for part in added), file_text("print.css")]),
        script=script,
        script_hashes=" ".join(map(_hash_source, [script, *(one for part in added for one in part.scripts)])),
        around=around.section,
        microscope=microscope.section,
        added_scripts="\n".join(part.elements for part in added),
        films=sections.films(report.films),
        data=embedded_json(_data(report)),
        **(parts | parts_of_kind),
    )


@dataclass(frozen=True)
class _Added:
    """What a part with a script and data of its own adds to the page; all empty where there is nothing for it."""

    section: str = ""
    style: str = ""
    scripts: tuple[str, ...] = ()
    """Texts that are run."""
    elements: str = ""
    """The script elements: data, and what is run."""


def _around(report: Report) -> _Added:
    if not any(run.around for run in report.runs):
        return _Added()
    words, data = around_page.section_words(report), around_page.around_data(report)
    return _added(around_page.FOLDER, around_page.SCRIPTS, words, data, "around")


def _microscope(report: Report) -> _Added:
    words = microscope_page.section_words(report)
    if not any(run.networks for run in report.runs):
        return _Added(words["absent"])
    data = microscope_page.microscope_data(report)
    return _added(microscope_page.FOLDER, microscope_page.SCRIPTS, words, data, "lens")


def _added(folder: str, scripts: Iterable[str], words: dict[str, str], data: object, name: str) -> _Added:
    """A part from the files of its folder; its elements are called by `name`."""
    script = _joined(scripts)
    return _Added(
        Template(file_text(f"{folder}/section.html")).substitute(words),
        file_text(f"{folder}/{folder}.css"),
        (script,),
        f'<script type="application/json" id="{name}-data">{embedded_json(data)}</script>\n'
        f'<script type="module" id="{name}-script">{script}</script>',
    )


def _hash_source(script: str) -> str:
    """A script as a content security policy allows it."""
    return f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'"


def _static_parts(report: Report) -> dict[str, str]:
    glossary = Glossary(report.words.guide)
    return {  # in the page's order, as terms are marked where they are first met
        "lead": glossary.marked(report.lead),
        "numbers": sections.numbers(report.runs, glossary),
        "chapters": sections.chapters(report, glossary),
        "guide": guide_html(report.words.guide),
        "views": sections.views_section(report.runs, report.largest_side),
        "spectra": sections.spectra_section(report.runs, report.words),
        "through_training": sections.through_training_section(report.runs),
        "runs": sections.run_sections(report.runs, report.largest_side, glossary),
        "protocol": sections.protocol_table(report.protocol),
        "notes": sections.notes_list([*report.notes, *_reductions(report)]),
    }


def _unbroken(html: str) -> str:
    """No line ends between a number and its percent sign, nor within an octave.

    >>> _unbroken("71 % of it") == "71\\u00a0% of it", _unbroken("2-4 px") == "2-\\u20604\\u00a0px"
    (True, True)
    """
    return re.sub(r"(?<=\d)-(\d+) px", "-\u2060\\1\u00a0px", re.sub(r"(?<=\d) %", "\u00a0%", html))


def embedded_json(data: object) -> str:
    """Strict JSON that may stand inside a `<script>` element whatever its strings hold.

    >>> embedded_json({"a": "</script>"})
    '{"a":"\\\\u003c/script\\\\u003e"}'
    """
    text = json.dumps(data, allow_nan=False, ensure_ascii=True, separators=(",", ":"))
    # ensure_ascii has already escaped U+2028 and U+2029. "<" must go or "<!--" and "</script>" would end the block.
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _joined(names: Iterable[str]) -> str:
    return "".join(map(file_text, names))


def file_text(name: str) -> str:
    """A file beside this one: a script, a style or a template."""
    return resources.files("fieldlens.report").joinpath(name).read_text(encoding="utf-8")


def _data(report: Report) -> dict[str, object]:
    height, width = report.target.shape[:2]
    return {
        "target": {
            "label": "target",
            "image": encoded_still(report.target, report.largest_side).uri,
            "height": height,
            "width": width,
        },
        "runs": [_run(run, report) for run in report.runs],
        "hasPixels": not report.words.in_cycles,
        "meanings": {term.lower(): meaning for term, meaning in report.words.guide},
        "scales": {
            overlay.name: _scale(overlay.scale) for run in report.runs for overlay in run.overlays if overlay.scale
        },
    }


def _scale(scale: Scale) -> dict[str, object]:
    """What each colour stands for, in words."""
    read = [*zip(map(tuple, scale.colours.tolist()), scale.words(), strict=True), *scale.apart.items()]
    return {"colours": [list(colour) for colour, _ in read], "words": [words for _, words in read]}


def _run(run: RunPart, report: Report) -> dict[str, object]:
    words = report.words
    return {
        "label": run.label,
        "network": run.network,
        "frames": [
            *(_frame(frame, encoded_frame(frame.image, report.largest_side)) for frame in run.frames[:-1]),
            _frame(run.frames[-1], encoded_still(run.final, report.largest_side)),
        ],
        "overlays": [
            {
                "name": overlay.name,
                "caption": overlay.caption,
                "image": None if overlay.image is None else encoded_map(overlay.image, report.largest_side).uri,
                "legend": None if overlay.legend is None else encoded_still(overlay.legend).uri,
                "earlier": [{"step": step, "image": encoded_earlier(image).uri} for step, image in overlay.earlier],
            }
            for overlay in run.overlays
        ],
        "worst": [[place.left, place.top, place.side] for place in run.worst],
        "curves": curves_data(run.curves, words),
        "spectra": None if run.spectra is None else _spectra(run.spectra, words),
        "creases": None if run.through_training is None else _through_training(run.through_training),
    }


def _frame(frame: Frame, image: Encoded) -> dict[str, object]:
    return frame_data(frame.step, frame.seconds, frame.psnr_db, image.uri)


def frame_data(step: int, seconds: float, psnr_db: float, address: str) -> dict[str, object]:
    """A recorded step as the page's scripts take it, with the address of its picture."""
    return {
        "step": step,
        "time": f"{number_text(seconds, decimals(1))} s",
        "psnr": f"{number_text(psnr_db, decimals(2))} dB",
        "image": address,
    }


def curves_data(curves: Curves, words: Words) -> dict[str, object]:
    """Curves as the page's scripts take them."""
    heldout = _finite(curves.heldout_psnr_db)
    return {
        "step": [int(step) for step in curves.step],
        "psnr": _finite(curves.psnr_db),
        "heldout": heldout if any(value is not None for value in heldout) else [],
        "psnrOf": words.psnr_of,
        "bandsAre": words.followed,
        "bandsOf": words.energy_of,
        "bands": [{"label": label, "kept": _finite(kept)} for label, kept in curves.energy_kept.items()],
    }


def _spectra(spectra: Spectra, words: Words) -> dict[str, object]:
    """Tenths of a decibel and four digits are more than a chart shows."""
    return {
        "frequency": [float(f"{frequency:.4g}") for frequency in spectra.frequency],
        "power": [{"label": name, "values": _rounded(values, 1)} for name, values in spectra.power_db.items()],
        "rounding": spectra.rounding_db,
        "correlation": _rounded(spectra.correlation, 3),
        "inCycles": words.in_cycles,
    }


def _through_training(training: ThroughTraining) -> dict[str, object]:
    return {
        "step": list(training.step),
        "series": [
            {
                "label": series.label,
                "values": _rounded(series.values, 3),
                "low": _rounded(series.low, 3),
                "high": _rounded(series.high, 3),
            }
            for series in training.series
        ],
    }


def _rounded(values: Iterable[float | None], digits: int) -> list[float | None]:
    return [None if value is None else round(value, digits) for value in _finite(values)]


def _finite(values: Iterable[float | None]) -> list[float | None]:
    """Numbers a strict JSON reader takes; a curve has a gap where there is none."""
    return [float(value) if value is not None and math.isfinite(value) else None for value in values]


def _reductions(report: Report) -> list[str]:
    pictures = [report.target, *(run.final for run in report.runs)]
    if all(max(picture.shape[:2]) <= report.largest_side for picture in pictures):
        return []
    return [
        f"This page shows its pictures reduced to {report.largest_side} px on the longer side by area averaging; "
        "the run folder has them at full size."
    ]
