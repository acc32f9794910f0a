"""The page of finished runs in a real browser, with their networks behind it."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from fieldlens.configs.encoding import Raw
from fieldlens.configs.run import FitConfig
from fieldlens.studies.live.asked import View
from fieldlens.studies.runs.folder import RunFolder
from tests.support.browsers import PATIENCE, chromium, served_opener
from tests.support.live_fits import Served
from tests.support.live_runs import served_runs
from tests.support.runs import small_config, small_picture
from tests.support.small_runs import fitted, small_radiance_config

Open = Callable[[Served], Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Open]:
    yield from served_opener(browser, lambda said: said.startswith(("data:", "blob:")))


def quick(config: FitConfig) -> RunFolder:
    """The run of a configuration without an explanation."""
    return fitted(replace(config, output=replace(config.output, quick=True)))


def test_a_place_is_told_of_each_run_and_a_map_that_the_report_lacks_is_drawn(tmp_path: Path, open_page: Open) -> None:
    config = small_config(small_picture(tmp_path / "picture.png"), tmp_path / "outputs", steps=4)
    with served_runs(quick(config), quick(replace(config, encoding=Raw()))) as runs:
        page = open_page(runs)
        page.get_by_label("Density").check()
        page.wait_for_function("() => document.querySelector('#side-right img').naturalWidth === 32")
        page.locator("#stage").click(position={"x": 40, "y": 30})
        expect(page.locator(".places .place")).to_have_count(2)
        assert page.locator(".places .run-name").all_inner_texts() == ["fourier:3", "raw"]
        first, last = (page.locator(".places .place").nth(number).locator("dt").last for number in range(2))
        expect(first).to_contain_text("Steps until half")
        expect(last).to_contain_text("Steps until half")


def test_the_camera_goes_to_a_view_whose_photograph_and_error_are_seen_there_and_leaves_it(
    tmp_path: Path, open_page: Open
) -> None:
    with served_runs(quick(small_radiance_config(tmp_path))) as run:
        page = open_page(run)
        lens, error = page.locator(".lens"), page.locator("#orbit-modes").get_by_label("Error")
        page.wait_for_selector('.lens[data-size="fine"]')
        expect(error).to_be_disabled()
        page.get_by_role("combobox", name="Seen from").select_option(index=2)
        page.wait_for_selector('#photograph[data-number="1"]')
        error.check()
        page.wait_for_selector('.lens[data-mode="error"][data-size="fine"][data-stands="1"]')
        shown = page.evaluate(PIXELS, ".lens canvas"), page.evaluate(PIXELS, "#photograph canvas")
        answers = [run.ask(f"/photograph?number=1&size=fine&mode={mode}").body for mode in ("error", "photograph")]
        assert [page.evaluate(PIXELS_OF, list(body)) for body in answers] == [*shown]
        lens.press("ArrowRight")
        page.wait_for_selector('.lens[data-mode="colour"][data-size="fine"][data-stands=""]')
        expect(page.locator("#photograph")).to_be_hidden()
        expect(error).to_be_disabled()


PIXELS = """(where) => {
    const canvas = document.querySelector(where);
    return [...canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data].join();
}"""
PIXELS_OF = """async (bytes) => {
    const image = await createImageBitmap(new Blob([new Uint8Array(bytes)]));
    const canvas = new OffscreenCanvas(image.width, image.height);
    canvas.getContext("2d").drawImage(image, 0, 0);
    return [...canvas.getContext("2d").getImageData(0, 0, image.width, image.height).data].join();
}"""


def test_pyramids_stand_where_the_cameras_are_and_a_click_on_one_goes_there(tmp_path: Path, open_page: Open) -> None:
    with served_runs(quick(small_radiance_config(tmp_path))) as run:
        page = open_page(run)
        page.wait_for_selector('.lens[data-size="fine"]')
        lens = page.locator(".lens")
        for _ in range(14):
            lens.press("-")  # from far away all are seen
        far = "({ dataset }) => dataset.size === 'fine' && Number(dataset.away) > 3.7"  # that of the last press
        page.wait_for_function(f"() => ({far})(document.querySelector('.lens'))")
        orbit = run.runs[0].answers.orbit
        assert orbit is not None
        azimuth, elevation, away = (
            float(lens.get_attribute(f"data-{name}") or "") for name in ("azimuth", "elevation", "away")
        )
        camera = orbit.camera(View(azimuth, elevation, away, size="fine"))
        drawn = page.locator(".lens path")
        assert drawn.count() > 0
        for path in drawn.all():
            view = orbit.for_page()["views"][int(path.get_attribute("data-view") or "")]
            expected, _ = camera.project(np.array([view["eye"], *view["corners"][:2]]))
            numbers = re.findall(r"-?\d[\d.e-]*", path.get_attribute("d") or "")[:6]  # the first side: tip, two corners
            np.testing.assert_allclose(np.reshape([*map(float, numbers)], (3, 2)), expected, atol=1e-6)
        chosen = drawn.first.get_attribute("data-view")
        drawn.first.click()
        page.wait_for_selector(f'.lens[data-stands="{chosen}"][data-size="fine"]')
        assert page.locator(".lens path").count() == 0


def test_a_drag_turns_the_scene_and_is_no_click_and_keys_of_the_browser_stay_its_own(
    tmp_path: Path, open_page: Open
) -> None:
    with served_runs(quick(small_radiance_config(tmp_path))) as run:
        page = open_page(run)
        page.wait_for_selector('.lens[data-size="fine"]')
        box = page.locator(".lens").bounding_box()
        assert box is not None
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x - 30, y, steps=5)
        page.mouse.up()
        page.wait_for_selector('.lens[data-azimuth="15"][data-size="fine"][data-stands=""]')
        press = (
            "(lens, ctrlKey) => lens.dispatchEvent(new KeyboardEvent('keydown', {key: '-', ctrlKey, cancelable: true}))"
        )
        passed_on = [page.locator(".lens").evaluate(press, with_control) for with_control in (True, False)]
        assert passed_on == [True, False]
        page.wait_for_selector('.lens[data-size="fine"]:not([data-away="1"])')  # nothing is asked any more


def test_a_link_to_a_place_of_the_picture_tells_what_is_there(tmp_path: Path, open_page: Open) -> None:
    config = small_config(small_picture(tmp_path / "picture.png"), tmp_path / "outputs", steps=4)
    with served_runs(quick(config)) as run:
        page = open_page(run)
        page.evaluate(
            "document.querySelector('main').insertAdjacentHTML('beforeend', '<a href=#place=8,4,4>there</a>')"
        )
        page.get_by_text("there", exact=True).click()
        expect(page.locator(".places .place")).to_contain_text("10, 6")
        expect(page.locator(".places .place dt").last).to_contain_text("Steps until half")  # nothing is asked any more


def test_once_the_server_has_ended_whoever_moves_the_camera_is_told(tmp_path: Path, browser: Browser) -> None:
    with served_runs(quick(small_radiance_config(tmp_path))) as run:
        page = browser.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(run.address)
        page.wait_for_selector('.lens[data-size="fine"]')
    page.locator(".lens").press("ArrowRight")
    expect(page.locator("#live-says")).to_contain_text("Nobody answers.")
    page.close()
