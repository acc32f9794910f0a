"""The report's microscope, as a browser shows it."""

import os
import shutil

import cv2
import numpy as np

from fieldlens.analysis.detail.windows import Place
from fieldlens.configs.errors import InputError
from fieldlens.report.microscope_page import look_address
from fieldlens.studies.runs.report import write_report

from .fits import Fits
from .layout import Drawn

PLACE = Place(104, 58, 10)
"""Ten pixels of the face, where creases of all layers can be told apart."""

PATIENCE_MS = 600_000
"""For all samples, where a browser has no graphics card."""


def lens(fits: Fits) -> Drawn:
    """Creases of the encoded fit in a square of ten pixels, and what is said of its middle."""
    from playwright.sync_api import sync_playwright

    browsers = (os.environ.get("CHROMIUM"), shutil.which("chromium"), shutil.which("google-chrome"))
    executable = next(filter(None, browsers), None)
    if executable is None:
        raise InputError("the microscope is drawn by Chromium, which is not installed; name one in CHROMIUM")
    folder = fits.picture[1].folder
    write_report(folder, folder.record())
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1200, "height": 800}, reduced_motion="reduce")
        page.goto(folder.report.resolve().as_uri() + look_address(PLACE))
        page.check("#lens-creases")
        page.wait_for_selector("#lens-canvas[data-state=done]", timeout=PATIENCE_MS)
        page.evaluate("document.getElementById('lens-how').textContent = ''")  # how long it took is no matter here
        png = page.locator("#lens-bench").screenshot()
        browser.close()
    shown = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    if shown is None:
        raise RuntimeError("the browser's picture cannot be read")
    return np.ascontiguousarray(shown[..., ::-1]).astype(np.uint8)
