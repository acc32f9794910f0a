"""The live page in a real browser, of a fit that really trains."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.support.browsers import chromium, painted, served_opener
from tests.support.live_fits import LiveFit, begun, live_fit
from tests.support.live_runs import standing
from tests.support.small_runs import small_radiance_config

Open = Callable[[LiveFit], Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Open]:
    """Opens the page of a fit that has begun."""
    refused = "Failed to load resource: the server responded with a status of 400 (Bad Request)"  # as a test asked for
    yield from served_opener(browser, lambda said: said.startswith("data:") or said == refused, "#live-facts dd")


def steps_taken(page: Page) -> int:
    return int(page.inner_text("#live-facts dd >> nth=0").replace(",", ""))


def picture(page: Page) -> str:
    return page.evaluate("document.querySelector('#side-right canvas').toDataURL()")


def wait_for_step(page: Page, step: int) -> None:
    expect(page.locator("#step-label")).to_have_text(f"step {step} of {step}")


def test_buttons_act_on_the_training_and_the_picture_follows(tmp_path: Path, open_page: Open) -> None:
    with live_fit(tmp_path) as fit:
        page = open_page(begun(fit))
        wait_for_step(page, 0)
        before = picture(page)
        for step in (1, 2, 3):
            page.get_by_role("button", name="One step").click()
            wait_for_step(page, step)
        expect(page.locator("#side-right canvas")).to_have_attribute("data-address", "now?3")
        painted(page)
        assert picture(page) != before
        page.get_by_role("button", name="Resume").click()
        fit.wait_for(4)
        page.get_by_role("button", name="Pause").click()
        page.wait_for_selector("text=Paused.")
        taken = steps_taken(page)
        assert taken > 3
        page.get_by_text("Learning rate, and where to stop").click()
        page.get_by_label("Learning rate").fill("")
        page.get_by_label("Learning rate").press_sequentially("0.0001")  # no digit is taken for a map's
        page.get_by_label("Learning rate").press("Enter")
        page.wait_for_selector("text=became 0.0001 at step")
        page.get_by_label("Stop at").fill("minus one")
        page.get_by_label("Stop at").press("Enter")
        complaint = "Not done: psnr_db must be a number, got 'minus one'."
        expect(page.locator("#live-says")).to_contain_text(complaint)
        with fit.watched() as news:
            for _ in zip(range(3), news, strict=False):
                pass
        expect(page.locator("#live-says")).to_contain_text(complaint)
        page.get_by_role("button", name="Snapshot").click()
        page.wait_for_selector("text=a snapshot was taken at step")
        expect(page.locator("#live-says")).not_to_contain_text(complaint)
        assert taken in fit.folder.frame_steps()
        assert page.locator("#psnr-chart path.curve").count() == 1


def test_an_answer_that_comes_late_takes_no_later_complaint_away(tmp_path: Path, open_page: Open) -> None:
    with live_fit(tmp_path) as fit:
        page = open_page(begun(fit))
        wait_for_step(page, 0)
        late: list[Route] = []
        page.route("**/learning_rate", lambda route: late.append(route))
        page.get_by_text("Learning rate, and where to stop").click()
        page.get_by_label("Learning rate").fill("0.0001")
        page.get_by_label("Learning rate").press("Enter")
        page.get_by_label("Stop at").fill("minus one")
        page.get_by_label("Stop at").press("Enter")
        complaint = "Not done: psnr_db must be a number, got 'minus one'."
        expect(page.locator("#live-says")).to_contain_text(complaint)
        with page.expect_response("**/learning_rate"):
            late[0].continue_()
        page.wait_for_selector("text=became 0.0001 at step")
        page.wait_for_timeout(100)  # the page reads the answer
        expect(page.locator("#live-says")).to_contain_text(complaint)


def test_a_place_and_a_map_are_shown_on_request(tmp_path: Path, open_page: Open) -> None:
    with live_fit(tmp_path) as fit:
        page = open_page(begun(fit))
        page.get_by_label("Density").check()
        expect(page.locator("#map-captions")).to_contain_text("Step 0.")
        assert page.evaluate("document.querySelector('#side-right img').getAttribute('src')") == "map/density?0"
        page.locator("#stage").click(position={"x": 40, "y": 30})
        page.wait_for_selector(".place dt")
        names = page.locator(".place dt").all_inner_texts()
        assert {"At step", "Target", "Here", "Error", "Crossings", "Nearest crease", "Neurons on, by layer"} <= {*names}
        expect(page.locator(".place dt").last).to_contain_text("Steps until half")
        assert page.get_attribute("#divider", "aria-valuenow") == "50", "a click moves nothing"


def test_a_scene_is_drawn_from_where_the_reader_moves_the_camera(tmp_path: Path, open_page: Open) -> None:
    with live_fit(tmp_path, small_radiance_config(tmp_path, steps=1000)) as fit:
        page = open_page(begun(fit))
        lens, canvas = page.locator(".lens"), page.locator(".lens canvas")
        seen = []
        for act, azimuth, mode in (
            (lambda: None, "0", "colour"),
            (lambda: lens.press("ArrowRight"), "10", "colour"),
            (lambda: page.get_by_label("Normals").check(), "10", "normals"),
        ):
            act()
            page.wait_for_selector(f'.lens[data-azimuth="{azimuth}"][data-mode="{mode}"][data-size="fine"]')
            seen.append(canvas.evaluate("(canvas) => canvas.toDataURL()"))
        assert len({*seen}) == 3
        page.get_by_role("button", name="One step").click()
        page.wait_for_function("before => document.querySelector('.lens canvas').toDataURL() !== before", arg=seen[-1])
        assert canvas.evaluate("(canvas) => canvas.width") == 24


def test_two_look_and_when_one_leaves_the_other_sees_on_and_then_asks_the_run_that_is_over(
    tmp_path: Path, open_page: Open
) -> None:
    with live_fit(tmp_path) as fit:
        first, second = open_page(begun(fit)), open_page(fit)
        for page in (first, second):
            wait_for_step(page, 0)
        first.context.close()
        second.get_by_role("button", name="One step").click()
        wait_for_step(second, 1)
        second.get_by_role("button", name="Stop").click()
        fit.thread.join(60)
        with standing(fit.hub, fit.controls.look_now, fit.folder):
            second.wait_for_selector("text=This page asks the networks themselves")
            assert second.get_by_role("button", name="Stop").count() == 0
            second.locator("#stage").click(position={"x": 40, "y": 30})
            expect(second.locator(".place dt").last).to_contain_text("Steps until half")


def hide(page: Page, *, hidden: bool) -> None:
    """Have a page be as in a tab that is behind another, or be seen again."""
    page.evaluate(
        """(hidden) => {
            Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
            document.dispatchEvent(new Event("visibilitychange"));
        }""",
        hidden,
    )


def test_a_page_that_nobody_sees_hears_of_no_step_until_it_is_seen_again(tmp_path: Path, open_page: Open) -> None:
    with live_fit(tmp_path) as fit:
        page = open_page(begun(fit))
        hide(page, hidden=True)
        fit.wait_until_nobody_looks()
        fit.ask("/do", {"do": "step"})
        hide(page, hidden=False)
        wait_for_step(page, 1)


def test_a_page_that_nobody_sees_is_still_open_and_turns_into_the_report_at_the_end(
    tmp_path: Path, open_page: Open
) -> None:
    with live_fit(tmp_path) as fit:
        page = open_page(begun(fit))
        hide(page, hidden=True)
        fit.wait_until_nobody_looks()
        while not fit.hub.is_open:
            page.wait_for_timeout(20)
        fit.ask("/do", {"do": "stop"})
        fit.thread.join(60)
        assert fit.hub.is_open
        with standing(fit.hub, fit.controls.look_now, fit.folder):
            page.wait_for_selector("text=This page asks the networks themselves")


def test_a_page_that_outlives_its_fit_shows_and_steers_no_other(tmp_path: Path, open_page: Open) -> None:
    with live_fit(tmp_path, small_radiance_config(tmp_path, steps=1000)) as fit:
        page = open_page(begun(fit))
        page.wait_for_selector('.lens[data-size="fine"]')
        other = json.dumps(json.loads(fit.hub.news) | {"fit": "another", "frames": []})
        while fit.hub.is_watched:
            assert fit.thread.is_alive()
            fit.hub.publish(other, {})
            page.wait_for_timeout(50)
        expect(page.locator("#live-says")).to_contain_text("another has its address now")
        expect(page.get_by_role("button", name="Stop")).to_be_disabled()
        wait_for_step(page, 0)
        asked = list[str]()
        page.on("request", lambda request: asked.append(request.url))
        page.locator(".lens").press("ArrowRight")
        page.locator("#stage").click(position={"x": 40, "y": 30})
        painted(page)
        assert asked == []
        expect(page.locator("#live-says")).to_contain_text("another has its address now")
