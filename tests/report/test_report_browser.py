"""The report in a real browser: what a reader sees after each thing they can do.

Runs and maps are plain colours here, so that one pixel of a screenshot says which picture lies there.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator

from fieldlens.report import (
    Chapter,
    Curves,
    Exhibit,
    FigureFile,
    Frame,
    Overlay,
    Report,
    RunPart,
    Series,
    ThroughTraining,
)
from tests.support import report_examples as examples
from tests.support.browsers import Open, chromium, painted, report_opener

RED, GREEN, BLUE, WHITE, BLACK = (220, 30, 30), (30, 160, 60), (40, 60, 200), (255, 255, 255), (0, 0, 0)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def open_report(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """Opens a report from disk; no script error and no request beyond the file itself is let pass."""
    yield from report_opener(browser, tmp_path)


def plain(colour: tuple[int, int, int]) -> np.ndarray:
    return np.full((32, 32, 3), colour, np.uint8)


def plain_run(
    label: str, steps: list[int], colours: list[tuple[int, int, int]], *, has_density: bool = True
) -> RunPart:
    frames = [
        Frame(step=step, seconds=step / 10, psnr_db=20.0 + i, image=plain(colour))
        for i, (step, colour) in enumerate(zip(steps, colours, strict=True))
    ]
    density = [Overlay("density", plain(WHITE), f"creases of {label}", legend=examples.legend())]
    return RunPart(
        label=label,
        network="4x256 relu",
        frames=frames,
        final=frames[-1].image,
        overlays=[*(density if has_density else []), Overlay("error", plain(BLACK), f"errors of {label}")],
        curves=Curves(step=steps, psnr_db=[frame.psnr_db for frame in frames]),
        numbers={"psnr_db": frames[-1].psnr_db},
        verdict=[f"{label} in one sentence."],
        explanation={},
    )


@pytest.fixture
def colours() -> Report:
    """A red target; a green run of three steps and a blue one of two, both black before they end."""
    runs = [
        plain_run("green run", [0, 10, 100], [BLACK, BLACK, GREEN]),
        plain_run("blue run", [0, 100], [BLACK, BLUE], has_density=False),
    ]
    return replace(examples.report_of(runs, plain(RED)), lead="Blue is not green.")


def colour_at(stage: Locator, share: float) -> tuple[int, ...]:
    """The colour that the stage shows at this share of its width, a quarter down."""
    painted(stage.page)
    image = cv2.imdecode(np.frombuffer(stage.screenshot(), np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    height, width = image.shape[:2]
    return tuple(int(v) for v in image[height // 4, min(round(share * width), width - 1), ::-1])


def near(colour: tuple[int, ...]) -> object:
    return pytest.approx(colour, abs=3)


def test_page_opens_with_the_verdict_and_the_last_step_of_both_runs(open_report: Open, colours: Report):
    page = open_report(colours)
    assert page.inner_text(".lead") == "Blue is not green."
    assert page.inner_text("#step-label") == "step 100 of 100"
    stage = page.locator("#stage")
    assert colour_at(stage, 0.25) == near(GREEN)
    assert colour_at(stage, 0.75) == near(BLUE)


def test_divider_follows_the_pointer_and_the_arrow_keys(open_report: Open, colours: Report):
    page = open_report(colours)
    stage = page.locator("#stage")
    box = stage.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 40)
    page.mouse.up()
    assert page.get_attribute("#divider", "aria-valuenow") == "20"
    assert colour_at(stage, 0.35) == near(BLUE)
    page.focus("#divider")
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    assert page.get_attribute("#divider", "aria-valuenow") == "40"
    assert colour_at(stage, 0.35) == near(GREEN)
    assert page.inner_text("#step-label") == "step 100 of 100"  # these arrows were the divider's own


def test_any_two_pictures_can_meet_at_the_divider(open_report: Open, colours: Report):
    page = open_report(colours)
    page.get_by_label("blue run on the left").check()
    page.get_by_label("target on the right").check()
    assert colour_at(page.locator("#stage"), 0.25) == near(BLUE)
    assert colour_at(page.locator("#stage"), 0.75) == near(RED)
    assert (page.inner_text("#tag-left"), page.inner_text("#tag-right")) == ("blue run", "target")


def test_scrubber_moves_all_runs_in_step(open_report: Open, colours: Report):
    page = open_report(colours)
    page.locator("#scrubber").fill("1")
    assert page.inner_text("#step-label") == "step 10 of 100"
    assert page.locator(".card .caption").all_inner_texts() == ["", "21.00 dB · 1.0 s", "20.00 dB · 0.0 s"]
    assert colour_at(page.locator("#stage"), 0.25) == near(BLACK)


def test_arrow_keys_step_and_stop_at_both_ends(open_report: Open, colours: Report):
    page = open_report(colours)
    labels = []
    for key in ("ArrowLeft", "ArrowLeft", "ArrowLeft", "ArrowRight", "End", "ArrowRight", "Home"):
        page.keyboard.press(key)
        labels.append(page.inner_text("#step-label").removesuffix(" of 100"))
    assert labels == ["step 10", "step 0", "step 0", "step 10", "step 100", "step 100", "step 0"]


def test_arrow_keys_still_step_after_a_click_on_a_choice(open_report: Open, colours: Report):
    page = open_report(colours)
    page.get_by_label("Error").click()
    page.keyboard.press("ArrowLeft")
    assert page.inner_text("#step-label") == "step 10 of 100"
    assert page.get_by_label("Error").is_checked()


def test_space_plays_from_the_start_to_the_end(open_report: Open, colours: Report):
    page = open_report(colours)
    page.evaluate("""() => {
        window.seen = [];
        const label = document.getElementById("step-label");
        new MutationObserver(() => window.seen.push(label.textContent)).observe(label, { childList: true });
    }""")
    page.keyboard.press(" ")
    page.wait_for_selector('#play[aria-label="Play"]')
    assert page.evaluate("window.seen") == ["step 0 of 100", "step 10 of 100", "step 100 of 100"]


def test_map_covers_its_run_as_strongly_as_chosen(open_report: Open, colours: Report):
    page = open_report(colours)
    stage = page.locator("#stage")
    page.keyboard.press("1")
    page.locator("#opacity").fill("100")
    assert colour_at(stage, 0.25) == near(WHITE)
    page.locator("#opacity").fill("50")
    assert colour_at(stage, 0.25) == near(tuple((255 + v) // 2 for v in GREEN))
    page.keyboard.press("0")
    assert colour_at(stage, 0.25) == near(GREEN)


def test_pictures_of_analyses_stand_in_the_page_with_their_words(open_report: Open, colours: Report):
    green = np.full((40, 60, 3), GREEN, np.uint8)
    picture = Exhibit("Cells & <b>edges</b>", green, "12 cells in a region.")
    page = open_report(replace(colours, runs=[replace(colours.runs[0], pictures=[picture]), *colours.runs[1:]]))
    figure = page.locator("figure.picture")
    assert figure.count() == 1
    assert figure.inner_text() == "Cells & <b>edges</b>. 12 cells in a region."
    assert colour_at(figure.locator("img"), 0.5) == near(GREEN)


def test_target_has_no_map_over_it(open_report: Open, colours: Report):
    page = open_report(colours)
    page.get_by_label("target on the left").check()
    page.get_by_label("Error").check()
    assert colour_at(page.locator("#stage"), 0.25) == near(RED)


def test_density_shows_its_legend_and_says_which_run_has_none(open_report: Open, colours: Report):
    page = open_report(colours)
    assert not page.is_visible("#legend")
    page.get_by_label("Density").check()
    assert page.is_visible("#legend")
    assert page.locator("#map-captions p").all_inner_texts() == [
        "green run creases of green run. Step 100.",
        "blue run has no map of density.",
    ]
    assert colour_at(page.locator("#stage"), 0.75) == near(BLUE)
    page.get_by_label("Error").check()
    assert not page.is_visible("#legend")


def test_map_says_its_step_when_the_pictures_have_moved_on(open_report: Open, colours: Report):
    page = open_report(colours)
    page.keyboard.press("2")
    page.keyboard.press("Home")
    assert "Step 100, not the step shown." in page.inner_text("#map-captions")


def test_a_map_follows_the_scrubber_where_there_are_maps_of_earlier_steps(open_report: Open, colours: Report):
    run = colours.runs[0]
    followed = replace(run.overlays[1], earlier=[(0, plain(RED)), (10, plain(BLUE))])
    page = open_report(replace(colours, runs=[replace(run, overlays=[run.overlays[0], followed])]))
    page.get_by_label("Error").check()
    page.locator("#opacity").fill("100")
    stage = page.locator("#stage")
    for key, colour, step in (("End", BLACK, 100), ("Home", RED, 0), ("ArrowRight", BLUE, 10)):
        page.locator("#step-label").click()
        page.keyboard.press(key)
        assert colour_at(stage, 0.75) == near(colour)
        assert f"Step {step}." in page.inner_text("#map-captions")


def test_a_chart_is_saved_as_table_and_as_a_drawing_that_stands_alone(open_report: Open, colours: Report):
    page = open_report(colours)
    with page.expect_download() as table:
        page.locator("#psnr-chart button", has_text="CSV").click()
    lines = Path(table.value.path()).read_text().splitlines()
    assert lines == ['"step","green run","blue run"', "0,20,20", "10,21,", "100,22,21"]
    with page.expect_download() as drawing:
        page.locator("#psnr-chart button", has_text="SVG").click()
    svg = ElementTree.fromstring(Path(drawing.value.path()).read_text())
    curves = [path for path in svg.iter("{http://www.w3.org/2000/svg}path") if "curve" in path.get("class", "")]
    assert len(curves) == 2
    assert all(re.search(r"stroke:\s*rgb", path.get("style", "")) for path in curves)
    with page.expect_download() as picture:
        page.locator("#psnr-chart button", has_text="PNG").click()
    image = cv2.imread(str(picture.value.path()))
    assert image is not None
    assert len(np.unique(image.reshape(-1, 3), axis=0)) > 10


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("report", [examples.single_run, examples.two_runs])
def test_axe_finds_no_fault_of_accessibility(open_report: Open, report: Callable[[], Report], scheme: str):
    found = Axe().run(open_report(report(), width=1280, height=900, scheme=scheme))
    assert found.violations_count == 0, found.generate_report()


def test_a_chapter_shows_its_map_on_the_picture(open_report: Open, colours: Report):
    page = open_report(replace(colours, chapters=[Chapter("Why", ["So."], "error")]))
    page.locator(".chapter a.shown").click()
    assert page.get_by_label("Error").is_checked()


def test_curves_read_out_the_scrubbed_step_and_move_it_when_clicked(open_report: Open, colours: Report):
    page = open_report(colours)
    values = page.locator("#psnr-chart .key b")
    assert values.all_inner_texts() == ["22.00 dB", "21.00 dB"]
    page.locator("#psnr-chart svg").click(position={"x": 45, "y": 100})
    assert page.inner_text("#step-label") == "step 0 of 100"
    assert values.all_inner_texts() == ["20.00 dB", "20.00 dB"]


def test_energy_kept_has_a_chart_for_each_run_and_a_curve_for_each_band(open_report: Open):
    page = open_report(examples.without_density())
    assert page.locator("#band-charts figure").count() == 2
    assert page.locator("#band-charts path.curve").count() == 2 * len(examples.BANDS_PX)


def test_spectra_have_a_chart_of_power_for_each_run_and_one_of_correlations(open_report: Open):
    page = open_report(examples.five_runs())
    titles = page.locator("#spectrum-charts figcaption span:first-child").all_inner_texts()
    assert titles == [*(run.label for run in examples.five_runs().runs), "Ring correlation"]
    charts = page.locator("#spectrum-charts figure")
    assert charts.last.locator("path.curve").count() == 5
    marks = charts.first.locator("text").all_text_contents()
    assert [mark for mark in marks if "px" in mark] == ["2 px", "8 px", "32 px", "128 px"]


def test_spectra_read_out_where_the_pointer_is_and_leave_the_step_alone(open_report: Open):
    page = open_report(examples.single_run())
    correlation = page.locator("#spectrum-charts figure").last
    assert correlation.locator(".key b").all_inner_texts() == ["0.00"]
    correlation.locator("svg").click(position={"x": 45, "y": 100})
    assert correlation.locator(".key b").all_inner_texts() == ["1.00"]
    assert "of 3,000" in page.inner_text("#step-label")
    assert page.inner_text("#step-label").startswith("step 3,000")


def test_what_creases_foretell_has_a_chart_with_its_interval_and_a_list_of_figures(open_report: Open, colours: Report):
    series = Series("at the end", [None, -0.4, -0.5], [None, -0.6, -0.7], [None, -0.2, -0.3])
    figures = [FigureFile("distinct patterns", "analysis/over_training/a b.svg", "Held down.")]
    found = ThroughTraining(["Foretold."], [0, 10, 100], [series], figures)
    runs = [replace(colours.runs[0], through_training=found), colours.runs[1]]
    page = open_report(replace(colours, runs=runs))
    chart = page.locator("#crease-charts figure")
    assert chart.count() == chart.locator("path.band").count() == 1
    assert chart.locator(".key b").all_inner_texts() == ["−0.50"]
    page.keyboard.press("Home")
    assert chart.locator(".key b").all_inner_texts() == ["n/a"]
    page.get_by_text("All that was measured over training").click()
    link = page.locator("details a[href]", has_text="distinct patterns")
    assert link.get_attribute("href") == "./analysis/over_training/a%20b.svg"
    assert "Held down." in page.inner_text("details:has(a[href])")


def test_theme_button_turns_the_paper_dark_and_back(open_report: Open, colours: Report):
    page = open_report(colours)
    paper = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(paper)
    page.click("#theme")
    assert page.evaluate(paper) != light
    page.click("#theme")
    assert page.evaluate(paper) == light
    assert open_report(colours, scheme="dark").evaluate(paper) != light


@pytest.mark.parametrize("width", [400, 1600])
def test_page_never_scrolls_sideways(open_report: Open, width: int):
    page = open_report(examples.five_runs(), width=width)
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_strip_one_pixel_high_can_still_be_seen(open_report: Open):
    page = open_report(examples.thin_picture())
    box = page.locator("#stage").bounding_box()
    assert box is not None
    assert box["height"] >= 20
    assert page.is_visible("#stretched")


def test_script_in_a_label_is_text_and_does_not_run(open_report: Open, colours: Report):
    label = "</script><script>document.title = 'owned'</script><img src=x onerror=\"document.title='owned'\">"
    run = plain_run(label, [0, 10], [BLACK, GREEN])
    page = open_report(replace(colours, title=label, runs=[run]))
    assert page.title() == f"{label} · fieldlens"
    assert page.inner_text("#tag-right") == label
    assert page.inner_text("h1") == label
