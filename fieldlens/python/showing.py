"""How runs and what is found of them look in a notebook: HTML that holds all it shows."""

import os
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from fieldlens.configs.errors import InputError

if TYPE_CHECKING:
    from fieldlens.studies.runs.compare import Comparison
    from fieldlens.studies.runs.folder import RunFolder
    from fieldlens.studies.subjects.found import Image

WIDEST = 1200
"""Pixels across of a frame; what is saved with a notebook should stay small."""
LARGEST_PAGE = 6 << 20
"""Bytes of a report that stands in the notebook itself; of a larger one there is a link."""


def run_html(folder: "RunFolder") -> str:
    """A run's newest frame, which has target, reconstruction and error, its numbers, and its report."""
    record, newest = folder.finished_record(), folder.newest("")
    parts = (
        [] if newest is None else [picture_html(newest[1], f"step {newest[0]}: target, reconstruction, error, maps")]
    )
    if record is None:
        return "".join([*parts, sentences_html([f"{folder.path}: a fit that has not ended yet"])])
    numbers = {
        "PSNR": None if record.psnr_db is None else f"{record.psnr_db:.2f} dB",
        "held out": None if record.heldout_psnr_db is None else f"{record.heldout_psnr_db:.2f} dB",
        "SSIM": None if record.ssim is None else f"{record.ssim:.3f}",
        "steps": f"{record.steps:,}",
        "training": f"{record.seconds:.1f} s",
        "folder": str(record.path),
    }
    rows = [(name, value) for name, value in numbers.items() if value is not None]
    parts += [sentences_html([record.name, *record.explained.sentences]), table_html(rows), page_html(folder.report)]
    return "".join(parts)


def comparison_html(comparison: "Comparison") -> str:
    """Target and reconstructions in a row, the table, what sets the runs apart, and the report."""
    if not comparison.result_file.is_file():
        return sentences_html([f"{comparison.path}: a comparison that has not ended yet"])
    from fieldlens.render.panel import Tile, panel
    from fieldlens.studies.subjects.choice import subject_of

    record, folders = comparison.record(), comparison.runs()
    tiles = [subject_of(next(iter(folders)).scene()).target_tile()]
    for folder, run in zip(folders, record.runs, strict=True):
        newest = folder.newest("reconstruction")
        if newest is not None:
            quality = "no PSNR" if run.psnr_db is None else f"{run.psnr_db:.2f} dB"
            tiles.append(Tile(newest[1], f"{run.name}   {quality}"))
    row = picture_html(panel(tiles, record.runs[0].scene), "target and reconstructions")
    head, _rule, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in record.table.splitlines()]
    return "".join(
        [
            row,
            table_html(rows, head),
            sentences_html(record.verdict),
            page_html(record.report),
        ]
    )


def found_html(found: Any, lines: Sequence[str]) -> str:
    """The sentences of what was found, and below them its drawing where there is one."""
    from fieldlens.render.files import read_png
    from fieldlens.studies.runs.answers import Drawn

    picture = ""
    if isinstance(found, Drawn):
        try:
            picture = picture_html(read_png(found.path.with_suffix(".png")), found.found.caption)
        except InputError:
            picture = ""  # it was taken away; the sentences say where it was
    return sentences_html(lines) + picture


def picture_html(image: "Image", description: str) -> str:
    """A picture with its pixels in it, reduced where it is wider."""
    import cv2
    import numpy as np

    from fieldlens.report.images import encoded_frame

    height, width = image.shape[:2]
    if width > WIDEST:
        size = WIDEST, max(1, round(height * WIDEST / width))
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    return f'<img src="{encoded_frame(image).uri}" alt="{escape(description, quote=True)}" style="max-width:100%">'


def sentences_html(sentences: Iterable[str]) -> str:
    """Each on a line of its own."""
    return "".join(f"<div>{escape(sentence)}</div>" for sentence in sentences)


def table_html(rows: Iterable[Sequence[str]], head: Sequence[str] = ()) -> str:
    """A plain table."""
    heads = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    lines = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table>{f'<thead><tr>{heads}</tr></thead>' if head else ''}<tbody>{lines}</tbody></table>"


def page_html(report: Path) -> str:
    """A report in a frame that may run the page's own scripts and reach nothing else; a link where it is large."""
    address = quote(os.path.relpath(report))  # there may be # and % in it
    link = f'<div>report: <a href="{escape(address)}">{escape(str(report))}</a></div>'
    try:
        page = report.read_text(encoding="utf-8") if report.stat().st_size <= LARGEST_PAGE else None
    except OSError:
        return ""
    if page is None:
        return link
    frame = (
        f'<iframe sandbox="allow-scripts allow-downloads" srcdoc="{escape(page, quote=True)}" title="the report" '
        'style="width:100%;height:40em;border:1px solid #8884"></iframe>'
    )
    return f"<details open><summary>The whole report</summary>{frame}</details>{link}"
