"""A 3D scene from all around, in a real browser: pictures that turn together, and a surface drawn by WebGL.

Each picture of an orbit has a colour of its own here, and each side of the surface: a pixel says what is shown.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from jaxtyping import Float, UInt8
from playwright.sync_api import Browser, Locator, Page, expect

from fieldlens.render.camera import looking_at, perspective
from fieldlens.report import Around, Report, Surface
from fieldlens.report.images import encoded_sheet
from tests.support import report_examples as examples
from tests.support.browsers import NO_GL, SOFTWARE_GL, Open, chromium, launched, report_opener

SIDE, PICTURES, COLUMNS = 16, 12, 4
EYE, UP, ANGLE = (0.5, -1.5, 0.5), (0.0, 0.0, 1.0), 0.9
RED, GREEN, BLUE, WHITE = (220, 30, 30), (30, 160, 60), (40, 60, 200), (250, 250, 250)
OF_SIDES = {(0, 0): RED, (0, 1): GREEN, (1, 1): BLUE, (1, 0): WHITE}
"""Colours of a box by the axis across each of its sides, and which end of it. The eye sees the white one."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium(SOFTWARE_GL) as browser:
        yield browser


@pytest.fixture
def open_report(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    yield from report_opener(browser, tmp_path)


def grey(number: int) -> int:
    """Of an orbit's picture, by its number."""
    return 20 * number + 10


def sheet(offset: int = 0) -> UInt8[np.ndarray, "h w 3"]:
    """All pictures of an orbit, the first at the left top."""
    levels = np.array([grey(number) + offset for number in range(PICTURES)], np.uint8).reshape(-1, COLUMNS)
    return np.repeat(levels.repeat(SIDE, 0).repeat(SIDE, 1)[..., None], 3, 2)


def around(modes: tuple[str, ...] = ("colour",)) -> Around:
    """An orbit whose modes differ by 5 levels of grey."""
    sheets = {mode: sheet(5 * number) for number, mode in enumerate(modes)}
    return Around(PICTURES, COLUMNS, SIDE, SIDE, sheets, EYE, UP, ANGLE)


def box(low: float = 0.3, high: float = 0.7) -> Surface:
    """Four sides of a box without top and bottom, each of a colour."""
    corners, colours, normals, triangles = [], [], [], []
    for (across, end), colour in OF_SIDES.items():
        along = 1 - across
        for u, z in ((low, low), (high, low), (high, high), (low, high)):
            place = np.full(3, z)
            place[across], place[along] = (low, high)[end], u
            corners.append(place)
            colours.append(colour)
            normals.append(np.eye(3)[across] * (2 * end - 1))
        triangles += [[len(corners) - 4 + k for k in three] for three in ((0, 1, 2), (0, 2, 3))]
    arrays = (np.array(corners), np.array(normals), np.array(colours, np.uint8), np.array(triangles))
    return Surface(*arrays)


def report(arounds: list[Around], surface: Surface | None = None) -> Report:
    target = examples.photograph(32, 32)
    runs = [
        replace(examples.run(f"run {i}", target, end_sigma_px=1.0, frame_count=3), around=one, surface=surface)
        for i, one in enumerate(arounds)
    ]
    return examples.report_of(runs, target)


def canvases(page: Page, part: str) -> Locator:
    found = page.locator(f'[data-part="{part}"] canvas[data-shows]')
    page.locator("#around").scroll_into_view_if_needed()
    found.first.wait_for()
    expect(page.locator(f'[data-part="{part}"] canvas:not([data-shows])')).to_have_count(0)  # of the other runs
    return found


def shown(canvas: Locator) -> UInt8[np.ndarray, "h w 3"]:
    """The canvas's own pixels."""
    found = canvas.evaluate("""canvas => {
        // From a copy, as a canvas that is read more than once complains.
        const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d");
        copy.drawImage(canvas, 0, 0);
        const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
        return [canvas.height, canvas.width, ...data];
    }""")
    return np.array(found[2:], np.uint8).reshape(found[0], found[1], 4)[..., :3]


def middle(canvas: Locator) -> list[int]:
    pixels = shown(canvas)
    return pixels[pixels.shape[0] // 2, pixels.shape[1] // 2].tolist()


def test_dragging_across_half_a_picture_turns_all_runs_by_a_quarter(open_report: Open):
    page = open_report(report([around(), around()]))
    pictures = canvases(page, "pictures")
    assert pictures.count() == 2
    assert middle(pictures.first) == pytest.approx([grey(0)] * 3, abs=3)
    pictures.first.scroll_into_view_if_needed()
    box = pictures.first.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.9 * box["width"], box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 20, steps=4)
    page.mouse.up()
    page.wait_for_selector(f'canvas[data-shows="colour {PICTURES // 4}"]')
    for number in range(2):
        assert middle(pictures.nth(number)) == pytest.approx([grey(PICTURES // 4)] * 3, abs=3)
    assert page.get_attribute("#around-turn", "aria-valuetext") == "90 degrees"


def test_keys_turn_around_and_past_the_first_picture_and_leave_the_scrubber_alone(open_report: Open):
    page = open_report(report([around()]))
    picture = canvases(page, "pictures").first
    step = page.inner_text("#step-label")
    picture.focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert picture.get_attribute("data-shows") == f"colour {PICTURES - 1}"  # 30 degrees back
    assert page.inner_text("#step-label") == step


def test_a_mode_shows_its_own_sheet_and_its_scale(open_report: Open):
    page = open_report(report([around(("colour", "creases")), around()]))
    first, second = canvases(page, "pictures").all()
    assert not page.is_visible("#around-legend")
    page.get_by_role("radio", name="Creases").check()
    page.wait_for_selector('canvas[data-shows="creases 0"]')
    assert middle(first) == pytest.approx([grey(0) + 5] * 3, abs=3)
    assert second.get_attribute("data-shows") == "no creases"
    assert page.is_visible("#around-legend")


@pytest.mark.parametrize(("presses", "colour"), [(0, WHITE), (9, GREEN), (18, BLUE), (27, RED)])
def test_a_surface_shows_the_side_that_is_turned_to_the_eye(open_report: Open, presses: int, colour: tuple[int, ...]):
    page = open_report(report([around()], box()))
    canvas = canvases(page, "surface").first
    canvas.focus()
    for _ in range(presses):
        page.keyboard.press("ArrowRight")
    assert middle(canvas) == pytest.approx(list(colour), abs=4)


def projected(points: Float[np.ndarray, "n 3"], height: int, width: int) -> Float[np.ndarray, "n 2"]:
    """Where the program's own camera has points of the cube, as pixels."""
    camera = perspective(height, width, ANGLE, looking_at(EYE, (0.5, 0.5, 0.5), UP))
    to_camera = np.linalg.inv(camera.pose) @ np.c_[points, np.ones(len(points))].T
    x, y, z, _ = to_camera
    return np.stack([camera.focal[0] * x / -z + width / 2, camera.focal[1] * -y / -z + height / 2], 1)


def test_a_surface_lies_where_the_programs_own_camera_has_it(open_report: Open):
    page = open_report(report([around()], box(0.35, 0.8)))
    pixels = shown(canvases(page, "surface").first)
    ys, xs = np.nonzero(pixels[..., 0] > 200)  # white, which looks at the eye
    corners = projected(np.array([[0.35, 0.35, 0.35], [0.8, 0.35, 0.8]]), *pixels.shape[:2])
    (left, bottom), (right, top) = corners
    assert [xs.min(), xs.max() + 1, ys.min(), ys.max() + 1] == pytest.approx([left, right, top, bottom], abs=1.1)


def test_a_surface_is_tilted_brought_nearer_and_set_back(open_report: Open):
    page = open_report(report([around()], box()))
    canvas = canvases(page, "surface").first
    first = shown(canvas)
    canvas.focus()
    page.keyboard.press("+")
    assert (shown(canvas)[..., 0] > 200).sum() > 1.2 * (first[..., 0] > 200).sum()
    page.keyboard.press("ArrowUp")
    assert canvas.get_attribute("data-shows") == "0 10"
    page.keyboard.press("0")
    np.testing.assert_array_equal(shown(canvas), first)


def test_where_there_is_no_webgl_a_still_picture_stands_and_a_sentence(browser: Browser, tmp_path: Path):
    without = launched(browser.browser_type, NO_GL)
    for open_report in report_opener(without, tmp_path):
        page = open_report(report([around()], box()))
        canvases(page, "pictures")
        assert page.is_visible("#around-no-webgl")
        assert page.is_visible('[data-part="surface"] img.still')
        assert page.locator('[data-part="surface"] canvas').count() == 0
    without.close()


def test_a_picture_or_signal_has_no_such_part(open_report: Open):
    page = open_report(examples.single_run())
    assert not page.is_visible("#around")
    assert page.locator("#around-data").count() == 0


def test_axe_finds_no_fault_of_accessibility(open_report: Open):
    page = open_report(report([around(("colour", "creases"))], box()), width=1280, height=900)
    canvases(page, "surface")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_a_sheet_is_part_of_the_page_at_its_own_size():
    wide = np.zeros((8, 2600, 3), np.uint8)
    decoded = cv2.imdecode(np.frombuffer(encoded_sheet(wide).data, np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    assert decoded.shape == wide.shape
