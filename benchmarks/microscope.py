"""How soon the microscope of a report shows a first, coarse picture, on a machine without a graphics card.

    python -m benchmarks.microscope [--quick]

A page carries a network of `fourier:8`, 4x256, and its lens has 512x512 samples. It is opened anew each time, in
Chromium with WebGL2 drawn by its own software, and without WebGL, where plain JavaScript is what evaluates. Seconds are
from the moment at which the lens comes into sight, its worker still to be started, and then from a zoom.
"""

import argparse
import statistics
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from benchmarks.measure import print_json
from fieldlens.configs.encoding import Fourier
from fieldlens.configs.network import Network
from fieldlens.fields.plain import plain_field
from fieldlens.report import KeptNetwork, report_html
from tests.support.browsers import FLAGS, NO_GL, SOFTWARE_GL, executable
from tests.support.report_examples import microscope_report
from tests.support.small_fits import start

WAYS = {"WebGL2 in software": SOFTWARE_GL, "plain JavaScript": NO_GL}
SIDE = 512
PATIENCE_MS = 60_000

NARROW = """(side) => {
    document.querySelector(".lens").style.width = `${side}px`;
    return new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)));
}"""
"""Gives the lens its width, and waits until the page has been drawn."""

SECONDS = """(what) => new Promise((go) => {
    const [canvas, begun] = [document.getElementById("lens-canvas"), performance.now()];
    const note = () => {
        if (["coarse", "done"].includes(canvas.dataset.state)) go((performance.now() - begun) / 1000);
    };
    new MutationObserver(note).observe(canvas, { attributeFilter: ["data-state"] });
    if (what === "look") document.getElementById("microscope").scrollIntoView();
    else document.getElementById("lens-in").click();
})"""
"""Until a picture is there, once somebody looks or zooms."""


def look(browser: Browser, address: str) -> dict[str, float]:
    """Seconds to the first picture of a page opened anew, and to that of a zoom."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.set_default_timeout(PATIENCE_MS)
    page.goto(address)
    page.evaluate(NARROW, SIDE)
    seconds = {"opened_s": page.evaluate(SECONDS, "look"), "zoomed_s": page.evaluate(SECONDS, "zoom")}
    samples = page.evaluate("(({ width, height }) => width * height)(document.getElementById('lens-canvas'))")
    if samples != SIDE**2:
        raise RuntimeError(f"the lens has {samples} samples, not {SIDE**2}")
    page.close()
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="once, to see that it works")
    args = parser.parse_args()
    program = executable()
    if program is None:
        parser.error("this needs Chromium; name one in CHROMIUM")
    rounds = 1 if args.quick else 7
    field = start(1, Fourier(8), Network(256, 4)).field
    rows = []
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        path = Path(folder) / "report.html"
        report = microscope_report([KeptNetwork(0, plain_field(field))], SIDE, SIDE)
        path.write_text(report_html(report), encoding="utf-8")
        for way, flags in WAYS.items():
            browser = playwright.chromium.launch(executable_path=program, args=[*FLAGS, *flags])
            found = [look(browser, path.as_uri()) for _ in range(rounds)]
            browser.close()
            rows.append({"way": way} | {name: statistics.median(one[name] for one in found) for name in found[0]})
    print_json({"ways": rows, "encoding": "fourier:8", "network": "4x256", "samples": SIDE**2, "rounds": rounds})


if __name__ == "__main__":
    main()
