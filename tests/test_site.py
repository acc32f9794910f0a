"""The site of guide and reference: whole, of nothing but itself, and able to be searched as files."""

import importlib
import os
import re
import subprocess
import sys
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.support.browsers import PATIENCE, chromium

ROOT = Path(__file__).resolve().parent.parent
LOADED = ("script", "img", "source", "video", "iframe", "embed", "link")
"""Elements whose address a browser asks for by itself."""


class Page(HTMLParser):
    """What a page loads, what it leads to, and where in it one can be led."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.linked: list[str] = []
        self.places: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        of = dict(attrs)
        address = of.get("src") or of.get("href")
        if address is not None:
            (self.loaded if tag in LOADED else self.linked).append(address)
        if name := of.get("id"):
            self.places.add(name)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built as ./check builds it: a warning is a failure."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "NO_MKDOCS_2_WARNING": "1"}
    build = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert (build.returncode, build.stdout, build.stderr) == (0, "", "")
    return folder


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[str, Page]:
    """By their paths in the site."""
    found = site.rglob("*.html")
    return {path.relative_to(site).as_posix(): Page(path.read_text(encoding="utf-8")) for path in found}


def test_a_page_says_what_it_loads_and_where_it_leads() -> None:
    page = Page('<link href="a.css"><h2 id="b"><a href="c.html#d"></a></h2><img src="//e.org/f.png">')
    assert (page.loaded, page.linked) == (["a.css", "//e.org/f.png"], ["c.html#d"])
    assert page.places == {"b"}


def test_no_page_loads_anything_from_another_machine(site: Path, pages: dict[str, Page]) -> None:
    loaded = [(name, address) for name, page in pages.items() for address in page.loaded]
    assert [pair for pair in loaded if urlsplit(pair[1]).netloc] == []
    styles = [path.read_text(encoding="utf-8") for path in site.rglob("*.css")]
    assert not any("url(http" in style or "url(//" in style or "@import" in style for style in styles)


def test_what_pages_load_and_lead_to_is_there(site: Path, pages: dict[str, Page]) -> None:
    missing = []
    for name, page in pages.items():
        if name == "404.html":  # it is of a server, and leads to its top
            continue
        for address in page.loaded + page.linked:
            url = urlsplit(address)
            if url.scheme or url.netloc:
                continue
            path = (site / name).parent / unquote(url.path) if url.path else site / name
            led = pages.get(Path(os.path.normpath(path)).relative_to(site).as_posix())
            if not path.exists() or (led and url.fragment and unquote(url.fragment) not in led.places):
                missing.append((name, address))
    assert missing == []


def test_the_reference_has_all_that_is_imported_from_a_door(pages: dict[str, Page]) -> None:
    places = {place for name, page in pages.items() if name.startswith("reference/") for place in page.places}
    for door in ("fieldlens", *(f"fieldlens.{name}" for name in ("analysis", "fields", "fitting", "render"))):
        assert {f"{door}.{name}" for name in importlib.import_module(door).__all__} <= places


def test_no_words_are_taken_for_an_element_and_swallowed(site: Path) -> None:
    unknown = """texts => texts
        .flatMap(text => [...new DOMParser().parseFromString(text, "text/html").querySelectorAll("*")])
        .filter(element => element instanceof HTMLUnknownElement).map(element => element.localName)"""
    texts = [path.read_text(encoding="utf-8") for path in site.rglob("*.html")]
    with chromium() as browser:
        page = browser.new_page()
        assert page.evaluate(unknown, ["a<b>c</b>", "x <g_i, g_j> y"]) == ["g_i,"]
        assert page.evaluate(unknown, texts) == []
        page.close()


def test_a_word_is_found_where_the_site_is_opened_as_files(site: Path) -> None:
    asked = []
    with chromium() as browser:
        page = browser.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("request", lambda request: asked.append(request.url))
        page.goto((site / "index.html").as_uri())
        page.locator("input.md-search__input").fill("crease_density")
        page.locator("a.md-search-result__link[href*='analysis.crease_density']").first.click()
        page.wait_for_url("**/reference/analysis/creases.html*")
        assert page.locator("[id='fieldlens.analysis.crease_density']").count() == 1
        page.close()
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []


def test_the_page_of_the_command_line_has_what_the_program_prints(site: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "80", "PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-m", "fieldlens", "runs", "--help"]
    printed = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    text = re.sub(r"<[^>]+>", "", (site / "reference" / "command_line.html").read_text(encoding="utf-8"))
    assert "\n".join(line.rstrip() for line in printed.splitlines()).strip() in unescape(text)
