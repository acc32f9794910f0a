"""The report, as a browser shows it: its beginning, and its microscope; and the poster that is made of a run."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from fieldlens.analysis.detail.windows import Place
from fieldlens.configs.errors import InputError
from fieldlens.render.files import read_png
from fieldlens.report.microscope_page import look_address
from fieldlens.studies.questions.sharing import share
from fieldlens.studies.runs.folder import RunFolder
from fieldlens.studies.runs.report import write_report
from tests.support.browsers import executable

from .fits import Fits
from .layout import Drawn

if TYPE_CHECKING:
    from playwright.sync_api import Page

PLACE = Place(104, 58, 10)
"""Ten pixels of the face, where creases of all layers can be told apart."""

PATIENCE_MS = 600_000
"""For all samples, where a browser has no graphics card."""


def lens(fits: Fits) -> Drawn:
    """Creases of the encoded fit in a square of ten pixels, and what is said of its middle."""

    def look(page: "Page") -> bytes:
        page.check("#lens-creases")
        page.wait_for_selector("#lens-canvas[data-state=done]", timeout=PATIENCE_MS)
        page.evaluate("document.getElementById('lens-how').textContent = ''")  # how long it took is no matter here
        return page.locator("#lens-bench").screenshot()

    return _seen(fits.picture[1].folder, look_address(PLACE), look)


def beginning(fits: Fits) -> Drawn:
    """What a person sees first of the report of the raw fit."""

    def look(page: "Page") -> bytes:
        page.wait_for_timeout(1000)  # for the picture to be decoded
        return page.screenshot()

    return _seen(fits.picture[0].folder, "", look)


def poster(fits: Fits) -> Drawn:
    """Six steps of the encoded fit, as `fieldlens share` has them."""
    with tempfile.TemporaryDirectory() as folder:
        return read_png(share(fits.picture[1].folder, file=Path(folder) / "film.mp4").poster)


def _seen(folder: RunFolder, link: str, look: "Callable[[Page], bytes]") -> Drawn:
    """What a browser shows of a run's report, made anew.

    Args:
        link: within the page.
        look: takes the picture.
    """
    from playwright.sync_api import sync_playwright

    program = executable()
    if program is None:
        raise InputError("pages are drawn by Chromium, which is not installed; name one in CHROMIUM")
    write_report(folder, folder.record())
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1200, "height": 800}, reduced_motion="reduce")
        page.goto(folder.report.resolve().as_uri() + link)
        png = look(page)
        browser.close()
    shown = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    if shown is None:
        raise RuntimeError("the browser's picture cannot be read")
    return np.ascontiguousarray(shown[..., ::-1]).astype(np.uint8)
