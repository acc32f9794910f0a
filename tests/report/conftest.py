"""Browsers for the tests that open a page, and a page that is opened from disk."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from fieldlens.report import Report, report_html

FLAGS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
SOFTWARE_GL = ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"]
NO_GL = ["--disable-gpu", "--disable-software-rasterizer"]
NAMES = ("chromium", "chromium-browser", "google-chrome")

Open = Callable[..., Page]


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """The system's Chromium, whose WebGL2 is drawn in software."""
    yield from _launched(playwright, SOFTWARE_GL)


@pytest.fixture(scope="module")
def browser_without_gl(playwright: Playwright) -> Iterator[Browser]:
    """One that has no WebGL at all."""
    yield from _launched(playwright, NO_GL)


def _launched(playwright: Playwright, flags: list[str]) -> Iterator[Browser]:
    executable = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if executable is None:
        missing = "Chromium is not installed (Debian: apt-get install chromium), so no page was opened"
        pytest.fail(missing) if os.environ.get("CI") == "true" else pytest.skip(missing)
    browser = playwright.chromium.launch(executable_path=executable, args=[*FLAGS, *flags])
    yield browser
    browser.close()


@pytest.fixture
def open_report(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """Opens a report from disk; no script error and no request beyond the file itself is let pass."""
    yield from _opener(browser, tmp_path)


@pytest.fixture
def open_report_without_gl(browser_without_gl: Browser, tmp_path: Path) -> Iterator[Open]:
    """The same in a browser without WebGL."""
    yield from _opener(browser_without_gl, tmp_path)


def _opener(browser: Browser, folder: Path) -> Iterator[Open]:
    pages, complaints = [], []

    def opened(
        report: Report, *, width: int = 720, height: int = 600, scheme: str = "light", link: str = "", **of_page: Any
    ) -> Page:
        path = folder / "a report's page é.html"
        path.write_text(report_html(report), encoding="utf-8")
        viewport = {"width": width, "height": height}
        page = browser.new_page(viewport=viewport, color_scheme=scheme, **of_page)  # pyright: ignore
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text))
        page.set_default_timeout(20_000)
        page.on("request", lambda asked: complaints.append(asked.url) if asked.url.startswith("http") else None)
        page.goto(path.as_uri() + link)
        pages.append(page)
        return page

    yield opened
    for page in pages:
        page.close()
    assert complaints == []
