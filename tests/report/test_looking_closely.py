"""Zoom and read-out of a report in a real browser: all panels show the same place, and say what is there.

Pictures have four quarters of plain colours, so that a pixel says which part is shown.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from jaxtyping import UInt8
from playwright.sync_api import Browser, Locator, Page, expect

from fieldlens.analysis.detail.windows import Place
from fieldlens.render.colour import NOTHING_TO_MISS, density_rgb, missing_rgb
from fieldlens.render.scales import density_scale, missing_scale
from fieldlens.report import SIGNAL_WORDS, Chapter, Overlay, Report
from tests.support import report_examples as examples
from tests.support.browsers import Open, chromium, cut_meanings, painted, report_opener

SIDE = 32
RED, GREEN, BLUE, WHITE = (220, 30, 30), (30, 160, 60), (40, 60, 200), (250, 250, 250)
QUARTERS = [RED, GREEN, BLUE, WHITE]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def open_report(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    yield from report_opener(browser, tmp_path)


def quarters(colours: list[tuple[int, int, int]]) -> UInt8[np.ndarray, "h w 3"]:
    """Left top, right top, left bottom, right bottom."""
    half = SIDE // 2
    return np.array(colours, np.uint8).reshape(2, 2, 3).repeat(half, 0).repeat(half, 1)


def report(worst: tuple[Place, ...] = ()) -> Report:
    """The run has the target's quarters from the last to the first; its maps have four numbers."""
    target, final = quarters(QUARTERS), quarters(QUARTERS[::-1])
    drawn = density_rgb(np.array([[0.01, 1.0, 12.0, 500.0]]))[0]
    missing = missing_rgb(np.array([[0.25, np.nan, 1.0, 0.0]]))[0]
    maps = [
        Overlay(name, quarters([tuple(colour) for colour in colours.tolist()]), name, scale=scale)
        for name, colours, scale in (
            ("density", drawn, density_scale("crossings / px")),
            ("missing", missing, missing_scale("")),
        )
    ]
    frames = [replace(frame, image=final) for frame in examples.run("it", target, end_sigma_px=1.0).frames[-2:]]
    run = replace(
        examples.run("it", target, end_sigma_px=1.0),
        frames=frames,
        final=final,
        overlays=maps,
        worst=worst,
        spectra=None,
    )
    return replace(examples.report_of([run], target), chapters=[Chapter("Where detail is missing", [], None, worst)])


def pointed(page: Page, pane: Locator, x: float, y: float) -> dict[str, str]:
    """What is read off at shares of a panel."""
    box = pane.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
    painted(page)
    facts = page.locator(".readout > div")
    shows_map = page.locator("input[name=map]:checked").input_value() != ""
    expect(facts).to_have_count(4 if shows_map else 3)  # a map is read once it is decoded
    return dict(zip(facts.locator("dt").all_inner_texts(), facts.locator("dd").all_inner_texts(), strict=True))


def colour_in(pane: Locator, x: float, y: float) -> object:
    painted(pane.page)
    image = cv2.imdecode(np.frombuffer(pane.screenshot(), np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return pytest.approx(image[int(y * image.shape[0]), int(x * image.shape[1]), ::-1].tolist(), abs=4)


def words(colour: tuple[int, int, int]) -> str:
    return " ".join(map(str, colour))


@pytest.mark.parametrize(("pane", "x", "y", "number"), [("#stage", 0.2, 0.1, 0), (".pane >> nth=1", 0.8, 0.4, 1)])
def test_a_pointer_on_any_panel_reads_all_pictures_at_its_place(
    open_report: Open, pane: str, x: float, y: float, number: int
):
    page = open_report(report(), width=1200)
    found = pointed(page, page.locator(pane), x, y)
    assert found == {
        "place": f"x {int(x * SIDE)}, y {int(y * SIDE)}",
        "target": words(QUARTERS[number]),
        "it": words(QUARTERS[3 - number]),
    }


def test_a_map_is_read_off_its_scale(open_report: Open):
    page = open_report(report(), width=1200)
    stage = page.locator("#stage")
    places = [(0.2, 0.2), (0.8, 0.2), (0.2, 0.7), (0.7, 0.7)]
    page.get_by_label("Density").check()
    read = [pointed(page, stage, *place)["Density"] for place in places]
    assert read == [
        "at most 0.1 crossings / px",
        "about 1 crossings / px",
        "about 12 crossings / px",
        "at least 100 crossings / px",
    ]
    page.get_by_label("Missing").check()
    assert NOTHING_TO_MISS in missing_scale("").apart
    read = [pointed(page, stage, *place)["Missing"] for place in places]
    assert read == ["about 25 %", "hardly any detail", "about 100 %", "about 0 %"]


def test_a_wheel_brings_the_place_under_the_pointer_near_on_every_panel(open_report: Open):
    page = open_report(report(), width=1200)
    stage, run = page.locator("#stage"), page.locator(".pane").nth(1)
    before = pointed(page, stage, 0.27, 0.27)["place"]
    for _ in range(6):
        page.mouse.wheel(0, -400)
    assert pointed(page, stage, 0.27, 0.27)["place"] == before
    assert colour_in(stage, 0.4, 0.9) == list(RED)  # only the first quarter is in sight
    assert colour_in(run, 0.9, 0.9) == list(WHITE)
    assert pointed(page, run, 0.27, 0.27)["place"] == before
    page.keyboard.press("Escape")
    assert colour_in(stage, 0.25, 0.6) == list(BLUE)


def test_near_the_picture_is_dragged_and_the_divider_still_by_its_handle(open_report: Open):
    page = open_report(report(), width=1200)
    stage = page.locator("#stage")
    box = stage.bounding_box()
    assert box is not None
    for _ in range(4):
        page.keyboard.press("+")
    middle = pointed(page, stage, 0.57, 0.7)["place"]
    page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 0.2 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 0.2 * box["height"], steps=3)
    page.mouse.up()
    assert page.get_attribute("#divider", "aria-valuenow") == "50"
    assert pointed(page, stage, 0.77, 0.7)["place"] == middle  # it has gone along with the pointer
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.6 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.8 * box["width"], box["y"] + 0.6 * box["height"], steps=3)
    page.mouse.up()
    assert page.get_attribute("#divider", "aria-valuenow") == "80"


def test_two_fingers_bring_the_place_between_them_near(open_report: Open):
    page = open_report(report(), width=400, has_touch=True, is_mobile=True)
    box = page.locator("#stage").bounding_box()
    assert box is not None
    x, y = box["x"] + 0.25 * box["width"], box["y"] + 0.5 * box["height"]
    devtools = page.context.new_cdp_session(page)

    def touch(kind: str, *apart: int) -> None:
        points = [{"x": x + way * apart[0], "y": y, "id": way} for way in (-1, 1) if apart]
        devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", 20)
    for apart in (30, 40, 50, 60):
        touch("touchMove", apart)
    touch("touchEnd")
    of = "document.getElementById('bench').style.getPropertyValue"
    zoom, left = (float(page.evaluate(f"{of}('--{name}')")) for name in ("zoom", "left"))
    assert zoom == pytest.approx(3, rel=0.02)
    assert left + 0.25 / zoom == pytest.approx(0.25, abs=0.03)  # fingers move one after the other
    page.click("#zoom-whole")  # on a busy machine a tap may take as long as a press that is held, which is no click
    expect(page.locator("#zoom-whole")).to_be_hidden()


def test_links_to_the_worst_places_fly_there(open_report: Open):
    places = (Place(24, 4, 4), Place(4, 24, 4))
    page = open_report(report(places), width=1200)
    stage = page.locator("#stage")
    links = page.locator(".worst a")
    assert links.all_inner_texts() == ["1", "2"]
    page.get_by_role("link", name="place 2", exact=True).click()
    assert colour_in(stage, 0.4, 0.1) == list(BLUE)
    assert colour_in(page.locator(".pane").first, 0.9, 0.1) == list(BLUE)
    page.locator(".chapter a", has_text="x 26, y 6").click()
    assert colour_in(stage, 0.1, 0.5) == list(GREEN)
    frame = stage.locator(".place-frame").bounding_box()
    box = stage.bounding_box()
    assert frame is not None
    assert box is not None
    assert frame["width"] == pytest.approx(box["width"] / 3, rel=0.02)
    assert frame["x"] + frame["width"] / 2 == pytest.approx(box["x"] + box["width"] / 2, abs=2)


def test_an_address_that_names_a_place_opens_there(open_report: Open):
    page = open_report(report(), width=1200, link="#place=24,24,4")
    assert colour_in(page.locator("#stage"), 0.1, 0.1) == list(WHITE)


def test_an_address_without_numbers_leaves_the_whole_picture(open_report: Open):
    page = open_report(report(), width=1200, link="#place=.,.,.")
    assert page.evaluate("document.getElementById('bench').style.getPropertyValue('--zoom')") == "1"


def test_the_drawing_of_a_signal_is_brought_near_and_not_read_out(open_report: Open):
    page = open_report(replace(report(), words=SIGNAL_WORDS), width=1200)
    assert page.locator(".readout").count() == 0
    page.keyboard.press("+")
    assert page.is_visible("#zoom-whole")


PAPER_PX = 688
"""Across A4 between its margins."""


@pytest.mark.parametrize("example", [examples.single_run, examples.five_runs])
def test_on_paper_all_is_open_nothing_is_cut_and_nothing_is_left_to_press(
    open_report: Open, example: Callable[[], Report]
):
    page = open_report(example(), width=1280, scheme="dark")
    page.emulate_media(media="print")
    page.set_viewport_size({"width": PAPER_PX, "height": 1000})
    folded = page.locator("details > :not(summary)")
    assert folded.count() > 2
    for one in folded.all():
        expect(one).to_be_visible()
    painted(page)
    assert page.locator("button, input, select, video, kbd").filter(visible=True).count() == 0
    cut = page.evaluate(
        """right => [...document.querySelectorAll("main *")].filter((element) => {
        const box = element.getBoundingClientRect();
        const cutOff = box.width && (box.right > right + 1 || box.left < -1);
        return cutOff && !element.closest(".pane, .side, .meaning, .spoken");
    }).map((element) => element.outerHTML.slice(0, 80))""",
        PAPER_PX,
    )
    assert cut == []
    within = page.evaluate("""() => [...document.querySelectorAll(".scroller")]
        .filter((box) => box.scrollWidth > box.clientWidth + 1).length""")
    assert within == 0
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.locator(".card canvas").first.is_visible()


def test_a_report_prints_on_as_many_sheets_as_it_fills(open_report: Open):
    page = open_report(report(), width=1280)
    sheets = page.pdf(format="A4").count(b"/Type /Page\n")
    page.emulate_media(media="print")
    page.set_viewport_size({"width": PAPER_PX, "height": 1000})
    tall = page.evaluate("document.documentElement.scrollHeight")
    assert tall / 1020 <= sheets <= tall / 1020 + 5  # what must not be broken leaves room


@pytest.mark.parametrize("width", [1280, 380])
def test_what_a_word_means_is_seen_whole_where_it_is_pointed_at(open_report: Open, width: int) -> None:
    one = replace(report(), lead="Much is missing.", chapters=[Chapter("Why", ["Few creases, in all windows."])])
    page = open_report(one, width=width, height=800)
    assert page.locator(".term").count() > 3
    assert cut_meanings(page) == []
