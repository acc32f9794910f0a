"""The system's Chromium, for the tests that open pages."""

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Browser, BrowserType, Page, expect, sync_playwright

from fieldlens.report import Report, report_html

if TYPE_CHECKING:
    from tests.support.live_fits import Served

FLAGS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
SOFTWARE_GL = ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"]
NO_GL = ["--disable-gpu", "--disable-software-rasterizer"]
NAMES = ("chromium", "chromium-browser", "google-chrome")

Open = Callable[..., Page]

PATIENCE = 30_000
"""Milliseconds that are waited at most for what a page is to do: nothing fails only because a machine is busy."""


@contextmanager
def chromium(flags: Sequence[str] = ()) -> Iterator[Browser]:
    """A browser; where there is none the test is skipped, and in continuous integration it fails."""
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = launched(playwright.chromium, flags)
        yield browser
        browser.close()


def executable() -> str | None:
    """The system's Chromium, or the one that $CHROMIUM names."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


def launched(kind: BrowserType, flags: Sequence[str] = ()) -> Browser:
    """Another browser beside one that is there: `browser.browser_type` is its kind."""
    program = executable()
    if program is None:
        missing = "Chromium is not installed (Debian: apt-get install chromium), so no page was opened"
        pytest.fail(missing) if os.environ.get("CI") == "true" else pytest.skip(missing)
    return kind.launch(executable_path=program, args=[*FLAGS, *flags])


def report_opener(browser: Browser, folder: Path) -> Iterator[Open]:
    """What opens a report from disk; no script error and no request beyond the file itself is let pass in the end."""
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
        page.set_default_timeout(PATIENCE)
        page.on("request", lambda asked: complaints.append(asked.url) if asked.url.startswith("http") else None)
        page.goto(path.as_uri() + link)
        pages.append(page)
        return page

    yield opened
    for page in pages:
        page.close()
    assert complaints == []


def served_opener(browser: Browser, is_expected: Callable[[str], bool], ready: str = "body") -> Iterator[Open]:
    """What opens a server's page as somebody else each time; no script error, no complaint and no request elsewhere is
    let pass in the end.

    Args:
        is_expected: whether a complaint, or the address of a request, is one that a test asked for.
        ready: selects what is there once a page can be used.
    """
    contexts, complaints = [], []

    def opened(server: "Served") -> Page:
        context = browser.new_context(viewport={"width": 1100, "height": 800})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text))
        page.on("request", lambda asked: complaints.append(asked.url) if server.host not in asked.url else None)
        page.goto(server.address)
        page.wait_for_selector(ready)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert [one for one in complaints if not is_expected(one)] == []


def cut_meanings(page: Page) -> list[str]:
    """The terms of a page whose meaning is not seen whole when they are pointed at from the page's own beginning."""
    is_cut = """(term) => {
        const meaning = term.querySelector(".meaning"), box = meaning.getBoundingClientRect();
        const seen = (x, y) => meaning.contains(document.elementFromPoint(x, y));
        return !(seen(box.left + 12, box.top + 3) && seen(box.right - 12, box.bottom - 3));
    }"""
    cut = []
    for term in page.locator(".term").all():
        page.evaluate("scrollTo(0, 0)")
        term.hover()
        if term.evaluate(is_cut):
            cut.append(term.inner_text())
    return cut


def painted(page: Page) -> None:
    """Wait until every picture that the page has asked for is decoded, and drawn on the screen."""
    expect(page.locator("canvas[data-state=waiting]")).to_have_count(0)
    page.evaluate("""async () => {
        const asked = [...document.images].filter((image) => image.src && !image.hidden);
        await Promise.allSettled(asked.map((image) => image.decode()));
        await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
    }""")
