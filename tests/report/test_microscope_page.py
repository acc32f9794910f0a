"""The microscope in a report's page: what a reader sees after each thing they can do, against the program."""

import re
import time
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np
import pytest
import torch
from jaxtyping import Float, UInt8
from playwright.sync_api import Browser, Page

from fieldlens.analysis import cells, relu_network
from fieldlens.analysis.detail.windows import Place
from fieldlens.configs.encoding import Encoding, Fourier, Raw
from fieldlens.configs.network import Network
from fieldlens.fields import Field
from fieldlens.fields.plain import plain_field
from fieldlens.render.colour import LAYER_COLOURS
from fieldlens.report import KeptNetwork, Report
from fieldlens.report.microscope_page import look_address
from tests.support.browsers import NO_GL, PATIENCE, SOFTWARE_GL, Open, chromium, launched, report_opener
from tests.support.report_examples import microscope_report
from tests.support.small_fits import start

SIDE = 64
"""Pixels of the square picture."""

RGB: TypeAlias = UInt8[np.ndarray, "h w 3"]


def field_of(encoding: Encoding, network: Network | None = None, seed: int = 1) -> Field:
    field = start(seed, encoding, network or Network(16, 2)).field
    with torch.no_grad():
        field.mlp.linears[-1].weight.mul_(3)
        field.mlp.linears[-1].bias.fill_(0.5)
    return field


def report_of(*fields: Field) -> Report:
    """A page that carries these as checkpoints of one run, at steps 8, 16, and so on."""
    return microscope_report([KeptNetwork(8 * i, plain_field(field)) for i, field in enumerate(fields, 1)], SIDE, SIDE)


FOURIER = field_of(Fourier(3))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One whose WebGL2 is drawn in software."""
    with chromium(SOFTWARE_GL) as browser:
        yield browser


@pytest.fixture
def open_page(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """A page of the width of a phone, whose lens has few samples."""
    for open_report in report_opener(browser, tmp_path):
        yield partial(open_report, width=240)


@pytest.fixture
def open_without_gl(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """The same in a browser that has no WebGL."""
    other = launched(browser.browser_type, NO_GL)
    for open_report in report_opener(other, tmp_path):
        yield partial(open_report, width=240)
    other.close()


def settled(page: Page) -> Page:
    """The page once the lens has drawn all that it will."""
    page.locator("#lens-canvas").scroll_into_view_if_needed()
    page.wait_for_selector("#lens-canvas[data-state=done]")
    return page


def drawn(page: Page) -> RGB:
    """What the lens shows now, sample by sample."""
    settled(page)
    address = page.locator("#lens-canvas").evaluate("(canvas) => canvas.toDataURL()")
    image = cv2.imdecode(np.frombuffer(b64decode(address.partition(",")[2]), np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return image[..., ::-1]


def expected(field: Field, shape: tuple[int, ...], left: float, top: float, side: float) -> RGB:
    """A square of the picture as the program draws it."""
    height, width = shape[:2]
    x, y = np.meshgrid(left + (np.arange(width) + 0.5) * side / width, top + (np.arange(height) + 0.5) * side / height)
    points = torch.from_numpy(np.stack([x, y], -1).astype(np.float32))
    return (field(points).detach().clamp(0, 1) * 255).round().to(torch.uint8).numpy()


def furthest(one: RGB, other: RGB) -> int:
    return int(np.abs(one.astype(int) - other.astype(int)).max())


AT_REST = """() => new Promise((rest) => {
    let still = setTimeout(rest, 400);
    addEventListener("scroll", () => {
        clearTimeout(still);
        still = setTimeout(rest, 400);
    });
})"""
"""Waits until the page was not scrolled for a while, by its own clock."""


def read_out(page: Page) -> dict[str, str]:
    names, values = (settled(page).locator(f"#lens-readout {kind}").all_inner_texts() for kind in ("dt", "dd"))
    return dict(zip(names, values, strict=True))


def hover(page: Page, across: float, down: float) -> None:
    page.locator("#lens-canvas").scroll_into_view_if_needed()
    box = page.locator("#lens-canvas").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + across * box["width"], box["y"] + down * box["height"])


def test_the_lens_opens_with_the_whole_picture_as_the_program_draws_it(open_page: Open):
    page = open_page(report_of(FOURIER))
    seen = drawn(page)
    assert furthest(seen, expected(FOURIER, seen.shape, 0, 0, 1)) <= 1


def test_once_its_programs_are_made_webgl_draws_the_same(open_page: Open):
    page = settled(open_page(report_of(FOURIER)))
    latest = time.monotonic() + PATIENCE / 1000
    while time.monotonic() < latest:  # until then it is plain JavaScript
        page.click("#lens-in")
        page.click("#lens-out")
        if "Drawn by WebGL2 in a worker" in settled(page).inner_text("#lens-how"):
            break
    assert "Drawn by WebGL2 in a worker" in page.inner_text("#lens-how")
    seen = drawn(page)
    assert furthest(seen, expected(FOURIER, seen.shape, 0, 0, 1)) <= 1


def test_without_webgl_plain_javascript_draws_the_same(open_without_gl: Open):
    page = open_without_gl(report_of(FOURIER))
    seen = drawn(page)
    assert furthest(seen, expected(FOURIER, seen.shape, 0, 0, 1)) <= 1
    assert "Drawn by plain JavaScript in a worker" in page.inner_text("#lens-how")


def test_without_workers_the_page_itself_draws(open_page: Open):
    page = open_page(report_of(FOURIER))
    page.add_init_script("delete window.Worker")
    page.reload()
    seen = drawn(page)
    assert furthest(seen, expected(FOURIER, seen.shape, 0, 0, 1)) <= 1
    assert "in the page" in page.inner_text("#lens-how")


def test_the_wheel_zooms_around_the_pointer_and_past_one_pixel_the_network_goes_on(open_page: Open):
    page = open_page(report_of(FOURIER))
    whole = drawn(page)
    at = 0.3, 0.7  # within a pixel: the borders of pixels are drawn
    hover(page, *at)
    page.evaluate(AT_REST)  # a page that is being scrolled goes on scrolling
    for _ in range(8):
        page.mouse.wheel(0, -400)
    side = float(settled(page).inner_text("#lens-width").removesuffix(" px wide")) / SIDE
    assert side < 1 / SIDE
    near = drawn(page)
    found = expected(FOURIER, whole.shape, at[0] * (1 - side), at[1] * (1 - side), side)
    assert furthest(near, whole) > 20
    # the pointer is on a whole pixel of the screen, half a sample of the whole picture beside the place at most
    assert np.median(np.abs(near.astype(int) - found)) <= 2


def test_a_link_flies_to_its_square_and_jumps_where_motion_is_reduced(open_page: Open):
    link = look_address(Place(40, 20, 4))
    for motion in ("no-preference", "reduce"):
        page = open_page(report_of(FOURIER), link=link, reduced_motion=motion)
        page.locator("#lens-width", has_text=re.compile(r"^4 px wide$")).wait_for()
        seen = drawn(page)
        place = expected(FOURIER, seen.shape, 40 / SIDE, 20 / SIDE, 4 / SIDE)
        equal = np.abs(seen.astype(int) - place).max(-1) <= 1
        assert equal.mean() > 0.95  # all but the borders of pixels


def test_creases_are_drawn_where_the_programs_exact_cells_have_edges_in_their_layers_colours(open_page: Open):
    field = field_of(Raw(), Network(10, 2))
    page = settled(open_page(report_of(field)))
    page.check("#lens-creases")
    seen = drawn(page)
    side = seen.shape[0]
    exact = cells(relu_network(field))
    inner = exact.edge_layers >= 0
    for layer in range(2):
        marked = np.argwhere((seen == LAYER_COLOURS[layer]).all(-1))[:, ::-1] + 0.5
        ends = exact.vertices[exact.edges[inner & (exact.edge_layers == layer)]] * side
        assert len(marked) > side / 2
        assert distance_to_segments(marked, ends).max() <= 1.5
    lines = np.argwhere(np.isin(encoded(seen), encoded(np.array(LAYER_COLOURS[:2], np.uint8))))[:, ::-1] + 0.5
    along = exact.vertices[exact.edges[inner]] * side
    points = np.concatenate([along[:, 0] + share * (along[:, 1] - along[:, 0]) for share in (0.25, 0.5, 0.75)])
    points = points[(points > 2).all(1) & (points < side - 2).all(1)]
    nearest = np.array([np.hypot(*(lines - point).T).min() for point in points])
    assert nearest.max() <= 1.5


def encoded(colours: UInt8[np.ndarray, "*shape 3"]) -> np.ndarray:
    return colours.astype(int) @ [65536, 256, 1]


def distance_to_segments(points: Float[np.ndarray, "n 2"], ends: Float[np.ndarray, "m 2 2"]) -> Float[np.ndarray, " n"]:
    """Of each point to the nearest of some segments."""
    start, along = ends[:, 0], ends[:, 1] - ends[:, 0]
    away = points[:, None] - start
    share = ((away * along).sum(-1) / np.maximum((along**2).sum(-1), 1e-12)).clip(0, 1)
    return np.hypot(*(away - share[..., None] * along).transpose(2, 0, 1)).min(1)


def test_layers_of_creases_can_be_left_out(open_page: Open):
    page = settled(open_page(report_of(field_of(Raw(), Network(10, 2)))))
    page.check("#lens-creases")
    shows = lambda: [bool((drawn(page) == LAYER_COLOURS[layer]).all(-1).any()) for layer in range(2)]  # noqa: E731
    assert shows() == [True, True]
    page.locator("#lens-layers").get_by_text("layer 1").click()
    assert shows() == [False, True]


def test_a_smooth_network_has_no_creases_to_draw_and_says_so(open_page: Open):
    page = settled(open_page(report_of(field_of(Fourier(2), Network(12, 2, "sine")))))
    assert not page.is_visible("#lens-creases")
    assert "no creases" in page.inner_text("#lens-smooth")


def test_hovering_reads_out_place_colour_and_neurons_on(open_page: Open):
    page = settled(open_page(report_of(FOURIER)))
    hover(page, 0.3, 0.6)
    said = read_out(page)
    x, y = (float(number) for number in re.findall(r"[\d.]+", said["place"]))
    assert (x, y) == (pytest.approx(0.3 * SIDE, abs=0.2), pytest.approx(0.6 * SIDE, abs=0.2))
    point = torch.tensor([[x / SIDE, y / SIDE]], dtype=torch.float32)
    colour = (FOURIER(point).detach().clamp(0, 1) * 255).round()[0].tolist()
    assert [int(number) for number in said["colour"].split(",")] == pytest.approx(colour, abs=2)
    # the place is said to a tenth of a sample: a neuron may switch within it
    on = [int((z > 0).sum()) for z in FOURIER.preactivations(point)]
    counts = [int(said[f"layer {layer}"].split()[0]) for layer in (1, 2)]
    assert counts == pytest.approx(on, abs=1)


def choose_a_neuron(page: Page) -> tuple[int, int]:
    """Click into the lens until a crease was near."""
    for across in np.linspace(0.3, 0.7, 9):
        hover(page, float(across), 0.5)
        page.mouse.down()
        page.mouse.up()
        if page.is_visible("#lens-chosen"):
            layer, neuron = re.findall(r"\d+", page.inner_text("#lens-chosen-name"))
            return int(layer) - 1, int(neuron) - 1
    raise AssertionError("no crease was near")


def test_a_clicked_creases_neuron_has_its_whole_line_drawn(open_page: Open):
    page = settled(open_page(report_of(FOURIER)))
    layer, neuron = choose_a_neuron(page)
    seen = drawn(page)
    white = (seen == 255).all(-1)
    height, width = white.shape
    x, y = np.meshgrid((np.arange(width) + 0.5) / width, (np.arange(height) + 0.5) / height)
    points = torch.from_numpy(np.stack([x.ravel(), y.ravel()], -1).astype(np.float32))
    on = (list(FOURIER.preactivations(points))[layer][:, neuron] > 0).numpy().reshape(height, width)
    switches = np.zeros_like(on)
    switches[:, :-1] |= on[:, :-1] != on[:, 1:]
    switches[:-1] |= on[:-1] != on[1:]
    grown = switches.copy()
    for axis, step in ((0, 1), (0, -1), (1, 1), (1, -1)):
        grown |= np.roll(switches, step, axis)
    inside = np.s_[1:-1, 1:-1]
    assert white[inside].any()
    # but for samples on the crease itself, whose signs are rounding
    assert (white[inside] != grown[inside]).mean() < 1e-4


def test_a_neuron_that_is_switched_off_loses_its_line_and_comes_back(open_page: Open):
    page = settled(open_page(report_of(FOURIER)))
    before = drawn(page)
    choose_a_neuron(page)
    page.click("#lens-switch")
    page.wait_for_selector("#lens-neurons-off button")
    assert not (drawn(page) == 255).all(-1).any()
    page.click("#lens-clear")
    assert furthest(drawn(page), before) > 10
    page.click("#lens-neurons-off button")
    assert furthest(drawn(page), before) <= 1  # the graphics card may have taken over meanwhile


def test_an_octave_that_is_switched_off_goes_out_of_the_picture(open_page: Open):
    page = settled(open_page(report_of(FOURIER)))
    page.locator("#lens-octave-choices").get_by_text("waves of 32 px").click()
    seen = drawn(page)
    without = field_of(Fourier(3))
    with torch.no_grad():
        without.mlp.linears[0].weight[:, 8:12] = 0
    assert furthest(seen, expected(without, seen.shape, 0, 0, 1)) <= 1


def test_a_layer_that_is_switched_off_bends_no_more_and_comes_back(open_page: Open):
    page = settled(open_page(report_of(field_of(Raw(), Network(10, 2)))))
    page.check("#lens-creases")
    before = drawn(page)
    page.locator("#lens-layer-choices").get_by_text("layer 1").click()
    seen = drawn(page)
    assert [bool((seen == LAYER_COLOURS[layer]).all(-1).any()) for layer in range(2)] == [False, True]
    assert read_out(page)["layer 1"] == "off: it does not bend"
    page.locator("#lens-layer-choices").get_by_text("layer 2").click()
    flat = drawn(page).astype(int)
    assert np.abs(flat[2:] - 2 * flat[1:-1] + flat[:-2]).max() <= 2  # no bend is left: an even slope, but for rounding
    for layer in ("layer 1", "layer 2"):
        page.locator("#lens-layer-choices").get_by_text(layer).click()
    back = np.abs(drawn(page).astype(int) - before.astype(int)).max(-1)
    # a crease may pass on the other side of a sample once a graphics card has taken over
    assert (back > 1).mean() < 0.001


def test_the_slider_goes_through_the_checkpoints(open_page: Open):
    other = field_of(Fourier(3), seed=5)
    page = settled(open_page(report_of(other, FOURIER)))
    assert page.inner_text("#lens-step") == "step 16"
    page.locator("#lens-checkpoint").fill("0")
    assert page.inner_text("#lens-step") == "step 8"
    seen = drawn(page)
    assert furthest(seen, expected(other, seen.shape, 0, 0, 1)) <= 1


def test_runs_of_a_comparison_are_chosen_by_name(open_page: Open):
    report, other = report_of(FOURIER), field_of(Raw(), Network(10, 3), seed=5)
    runs = [report.runs[0], replace(report.runs[0], label="raw", networks=[KeptNetwork(8, plain_field(other))])]
    page = settled(open_page(replace(report, runs=runs)))
    page.select_option("#lens-run", label="raw")
    seen = drawn(page)
    assert furthest(seen, expected(other, seen.shape, 0, 0, 1)) <= 1
    assert not page.is_visible("#lens-octaves")


def test_keys_zoom_move_and_choose_and_leave_the_scrubber_alone(open_page: Open):
    page = settled(open_page(report_of(FOURIER), reduced_motion="reduce"))
    step, canvas = page.inner_text("#step-label"), page.locator("#lens-canvas")
    canvas.focus()
    canvas.press("+")
    assert settled(page).inner_text("#lens-width") == "42.7 px wide"
    place = read_out(page)["place"]
    canvas.press("ArrowLeft")
    assert read_out(page)["place"] != place
    canvas.press("-")
    canvas.press("0")
    assert settled(page).inner_text("#lens-width") == "64 px wide"
    canvas.press("c")
    assert page.is_checked("#lens-creases")
    for _ in range(8):
        canvas.press("Enter")
        if page.is_visible("#lens-chosen"):
            break
        canvas.press("ArrowRight")
        settled(page)
    assert page.is_visible("#lens-chosen")
    canvas.press("Escape")
    assert not page.is_visible("#lens-chosen")
    assert page.inner_text("#step-label") == step


def test_two_fingers_zoom(open_page: Open):
    page = settled(open_page(report_of(FOURIER)))
    page.locator("#lens-canvas").evaluate("""(canvas) => {
        canvas.setPointerCapture = () => {};
        const box = canvas.getBoundingClientRect();
        const send = (kind, pointerId, share) => canvas.dispatchEvent(new PointerEvent(kind, {
            pointerId, clientX: box.left + share * box.width, clientY: box.top + box.height / 2 }));
        send("pointerdown", 1, 0.4);
        send("pointerdown", 2, 0.6);
        send("pointermove", 1, 0.3);
        send("pointermove", 2, 0.7);
    }""")
    assert settled(page).inner_text("#lens-width") == "32 px wide"


def test_a_network_that_is_not_carried_is_explained_in_a_sentence(open_page: Open):
    report = report_of()
    page = open_page(replace(report, runs=[replace(report.runs[0], no_network="It has <b>9</b> MB of weights.")]))
    assert page.inner_text("#microscope") == "It has <b>9</b> MB of weights."


def test_the_worst_places_are_linked_and_flown_to(open_page: Open):
    report = report_of(FOURIER)
    runs = [replace(report.runs[0], worst=[Place(16, 8, 8), Place(32, 0, 16)])]
    page = settled(open_page(replace(report, runs=runs), reduced_motion="reduce"))
    lens = page.get_by_role("region", name="Microscope")
    lens.get_by_role("link", name="place 2", exact=True).click()
    page.locator("#lens-width", has_text="16 px wide").wait_for()
    assert read_out(page)["place"].startswith("x 40.0")
    for _ in range(2):  # a second time too, when the address is there already
        lens.get_by_role("link", name="place 1", exact=True).click()
        page.locator("#lens-width", has_text="8 px wide").wait_for()
        page.click("#lens-whole")
        page.locator("#lens-width", has_text="64 px wide").wait_for()


@pytest.mark.parametrize("width", [380, 1280])
def test_the_lens_fits_the_page(open_page: Open, width: int):
    page = settled(open_page(report_of(FOURIER), width=width))
    box = page.locator("#lens-canvas").bounding_box()
    assert box is not None
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert min(box["width"], box["height"]) > 300
