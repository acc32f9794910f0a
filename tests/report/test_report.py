"""The report as a file: what is in it, what is not, and that no text can break it."""

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import replace
from html.parser import HTMLParser

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldlens.analysis.detail.windows import Place
from fieldlens.report import SIGNAL_WORDS, Chapter, Film, Learnt, Report, RunPart, Spectra, live_html, report_html
from fieldlens.report.build import embedded_json
from fieldlens.report.images import EXACT_SIDE, LARGEST_SIDE, encoded_frame, encoded_still
from fieldlens.report.table import column, number_text, numbers_html, significant
from fieldlens.report.terms import Glossary
from tests.support import report_examples as examples

HOSTILE = "</script><script>alert(1)</script> \"quoted\" 'single' & <b> \u2028 é 🦊"


class Page(HTMLParser):
    """What a browser would read: elements with their attributes, and the text outside scripts and styles."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.scripts: list[str] = []
        self.inside = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.inside = tag

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    def handle_data(self, data: str) -> None:
        if self.inside == "script":
            self.scripts.append(data)
        elif self.inside != "style":
            self.text += data

    @property
    def data(self) -> dict:
        return json.loads(self.scripts[0])


@pytest.fixture(scope="module")
def two_runs() -> Report:
    """Small enough to build in no time."""
    target = examples.photograph(48, 64)
    words = {"raw:-1..1": 3.0, "fourier:8": 1.0}
    runs = [examples.run(word, target, end_sigma_px=sigma, frame_count=3) for word, sigma in words.items()]
    return examples.report_of(runs, target)


def decoded(uri: str) -> np.ndarray:
    image = cv2.imdecode(np.frombuffer(b64decode(uri.split(",", 1)[1]), np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return image[..., ::-1]


def test_two_runs_of_forty_frames_stay_far_under_fifteen_megabytes():
    report = examples.two_runs()
    assert len(report.runs[0].frames) >= 40
    assert len(report_html(report).encode()) < 5e6


def test_page_names_no_address_outside_itself(two_runs: Report):
    html = report_html(two_runs)
    addresses = [
        value for _, attributes in Page(html).elements for name, value in attributes.items() if name in ("src", "href")
    ]
    assert addresses == ["data:,", "#place=32,64,16", "#bench", "./compare.mp4"]
    assert set(re.findall(r"https?://[^\s\"']+", html)) == {"http://www.w3.org/2000/svg"}  # a name, never fetched


def test_a_live_page_asks_its_own_server_and_no_other_and_one_at_rest_asks_none(two_runs: Report):
    live, rest = (make(replace(two_runs, runs=two_runs.runs[:1])) for make in (live_html, report_html))
    policies = []
    for html in (live, rest):
        metas = (attributes for tag, attributes in Page(html).elements if tag == "meta")
        policies.append(next(one["content"] for one in metas if one.get("http-equiv") == "Content-Security-Policy"))
    assert "connect-src 'self'; " in str(policies[0])
    assert "img-src data: 'self';" in str(policies[0])
    assert "'self'" not in str(policies[1])
    assert ("EventSource" in live, "EventSource" in rest) == (True, False)
    assert set(re.findall(r"https?://[^\s\"']+", live)) == {"http://www.w3.org/2000/svg"}


def test_the_lead_and_the_pictures_come_before_numbers_and_these_before_reasons(two_runs: Report):
    html = report_html(two_runs)
    chapter = two_runs.chapters[0].heading
    order = ['<p class="lead">', 'id="stage"', "What came out", "PSNR", f"<h2>{chapter}</h2>", "What was learnt when"]
    places = [html.index(text) for text in order]
    assert places == sorted(places)


def test_a_term_is_explained_where_the_page_first_has_it_and_nowhere_else(two_runs: Report):
    glossary = Glossary((("Kept", "Of a <band>."),))
    assert glossary.marked("Few creases, a < b.").startswith('Few <span class="term" tabindex="0">creases<span ')
    assert glossary.marked("Creases again, a < b.") == "Creases again, a &lt; b."
    assert "</span></span> 2–4 px" in (first := glossary.marked("Kept 2–4 px"))
    assert "Of a &lt;band&gt;." in first
    assert glossary.marked("Kept 4–8 px") == "Kept 4–8 px"


def test_what_is_met_in_the_first_sentence_is_explained_there_and_headings_of_numbers_in_their_row(two_runs: Report):
    chapters = [Chapter("Why", ["Detail is missing where creases are few; see A2."])]
    report = replace(two_runs, lead="Part of the finest detail is missing: 16 %.", chapters=chapters)
    guide = dict(report.words.guide)
    text = Page(report_html(report)).text.replace("\u00a0", " ")
    assert f"missing{guide['Missing']}: 16" in text
    assert f"Kept{guide['Kept']}2" in text
    assert text.count(f"missing{guide['Missing']}") == 1
    assert "see A2A claim that the program's own study" in text


def test_a_chapter_points_at_its_map_and_places_only_where_the_page_has_them(two_runs: Report):
    chapter = Chapter("Where", ["Here."], "density", [Place(32, 64, 16)])
    html = report_html(replace(two_runs, chapters=[chapter]))
    assert 'data-map="density"' in html
    assert 'Most is missing around <a href="#place=32,64,16">x 40, y 72</a> px.' in html
    assert "#look" not in html
    assert 'data-map="' not in report_html(replace(two_runs, chapters=[replace(chapter, map="capacity")]))


def test_hostile_text_is_shown_as_text_and_adds_no_element(two_runs: Report):
    run = replace(two_runs.runs[0], label=HOSTILE, network=HOSTILE, verdict=[HOSTILE], explanation={HOSTILE: HOSTILE})
    run = replace(run, overlays=[replace(run.overlays[0], caption=HOSTILE)], numbers={HOSTILE: HOSTILE})
    hostile = replace(
        two_runs,
        title=HOSTILE,
        lead=HOSTILE,
        chapters=[Chapter(HOSTILE, [HOSTILE])],
        protocol={HOSTILE: HOSTILE},
        notes=[HOSTILE],
    )
    page = Page(report_html(replace(hostile, runs=[run, run])))
    assert [tag for tag, _ in page.elements].count("script") == 2
    assert "b" not in {tag for tag, _ in page.elements}
    assert page.text.count(HOSTILE) >= 8
    assert page.data["runs"][0]["label"] == HOSTILE


@given(
    st.recursive(
        st.text() | st.none() | st.integers(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=8,
    )
)
def test_embedded_json_reads_back_and_cannot_end_its_script(data: object):
    text = embedded_json(data)
    assert json.loads(text) == data
    assert text.isascii()
    assert not set(text) & set("<>&")


def test_a_films_name_with_spaces_and_signs_stays_a_relative_address(two_runs: Report):
    html = report_html(replace(two_runs, films=[Film("Watch it", 'a "b" #1:?.mp4', None)]))
    assert 'href="./a%20%22b%22%20%231%3A%3F.mp4"' in html
    assert "<video" not in html
    assert "<h2>Films" not in report_html(replace(two_runs, films=[]))


def test_a_film_that_is_not_too_large_is_part_of_the_page(two_runs: Report):
    html = report_html(replace(two_runs, films=[Film("Watch it", "progress.mp4", b"moving pictures")]))
    video = next(attributes for tag, attributes in Page(html).elements if tag == "video")
    assert video["src"] == f"data:video/mp4;base64,{b64encode(b'moving pictures').decode()}"


def test_curves_keep_gaps_where_nothing_finite_was_measured(two_runs: Report):
    run = two_runs.runs[0]
    curves = replace(run.curves, step=[0, 1, 2], psnr_db=[10.0, float("inf"), None], heldout_psnr_db=[None] * 3)
    page = Page(report_html(replace(two_runs, runs=[replace(run, curves=curves)])))
    assert page.data["runs"][0]["curves"]["psnr"] == [10.0, None, None]
    assert page.data["runs"][0]["curves"]["heldout"] == []


def test_last_frame_is_the_final_picture_at_full_size(two_runs: Report):
    target = examples.photograph(96, 128)
    run = examples.run("raw", target, end_sigma_px=1.0, frame_count=4)
    small = [replace(frame, image=examples.photograph(48, 64)) for frame in run.frames]
    page = Page(report_html(examples.report_of([replace(run, frames=small)], target)))
    frames = page.data["runs"][0]["frames"]
    assert decoded(frames[0]["image"]).shape == (48, 64, 3)
    np.testing.assert_array_equal(decoded(frames[-1]["image"]), run.final)


def test_stills_are_exact_where_a_person_can_tell_pixels_apart():
    picture = np.random.default_rng(0).integers(0, 256, (EXACT_SIDE // 4, EXACT_SIDE, 3), dtype=np.uint8)
    np.testing.assert_array_equal(decoded(encoded_still(picture).uri), picture)


def test_frames_are_compact_and_close():
    picture = examples.photograph()
    uri = encoded_frame(picture).uri
    assert uri.startswith("data:image/webp;base64,")
    assert len(uri) < 30_000
    assert examples.psnr_db(picture, decoded(uri)) > 32


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 64), (64, 1), (1, 20_000)])
def test_thin_and_long_pictures_are_encoded(height: int, width: int):
    picture = np.full((height, width, 3), 77, np.uint8)
    shown = decoded(encoded_still(picture).uri)
    assert shown.shape == (min(height, LARGEST_SIDE), min(width, LARGEST_SIDE), 3)
    assert abs(int(shown.mean()) - 77) <= 1


def test_reduction_of_large_pictures_is_said():
    target = np.zeros((2, LARGEST_SIDE + 2, 3), np.uint8)
    run = examples.run("raw", target, end_sigma_px=1.0, frame_count=3)
    assert "by area averaging; the run folder has them at full size" in report_html(examples.report_of([run], target))


def test_octaves_say_since_when_they_are_there_and_wavelengths_up_to_where_detail_is_resolved(two_runs: Report):
    spectra = Spectra([0.1, 0.4], {"target": [0.0, 0.0]}, [1.0, 0.1], resolved={"1/7": 0.4, "1/2": 0.0, "none": None})
    learnt = [Learnt("2-4 px", (None, None), (8, 8)), Learnt("4-8 px", (40, 1200), (64, 64))]
    run = replace(two_runs.runs[0], spectra=spectra, learnt=learnt)
    page = Page(report_html(replace(two_runs, runs=[run])))
    assert "waves of 2.5 px and longer (1/7); no waves (1/2)." in page.text
    assert "2–4 pxneverstep 84–8 pxstep 40, for good from 1,200 onstep 64" in page.text
    assert page.data["runs"][0]["spectra"]["power"] == [{"label": "target", "values": [0.0, 0.0]}]


def test_runs_without_spectra_have_no_section_of_them(two_runs: Report):
    runs = [replace(run, spectra=None, learnt=[]) for run in two_runs.runs]
    assert "since when" not in report_html(replace(two_runs, runs=runs))


def test_a_signals_page_speaks_of_samples_and_a_pictures_of_pixels(two_runs: Report):
    assert "pixel" in Page(report_html(two_runs)).text
    signal = [replace(run, numbers={"crossings_per_sample": 3.0}, spectra=None, learnt=[]) for run in two_runs.runs]
    page = Page(report_html(replace(two_runs, runs=signal, words=SIGNAL_WORDS, lead="", chapters=[])))
    assert "crossings / sample" in page.text
    assert not re.search(
        r"pixel|\bpx\b|picture", page.text.partition("What came out")[2].partition("What was learnt")[0]
    )


def test_no_line_of_the_page_ends_between_a_number_and_its_percent_sign_nor_within_an_octave(two_runs: Report):
    page = Page(report_html(replace(two_runs, lead="Of it (2-4 px) 59 % is missing.", notes=["5 % of 3 % more"])))
    assert "(2-\u20604\u00a0px) 59\u00a0% is missing" in page.text
    assert not re.search(r"\d %", page.text)


def test_report_without_frames_is_refused(two_runs: Report):
    with pytest.raises(ValueError, match="at least one run"):
        report_html(replace(two_runs, runs=[]))
    with pytest.raises(ValueError, match="at least one frame"):
        report_html(replace(two_runs, runs=[replace(two_runs.runs[0], frames=[])]))


def test_missing_numbers_read_na_and_perfect_ones_infinity():
    assert number_text(None) == number_text(float("nan")) == "n/a"
    assert number_text(float("inf")) == "∞"
    assert number_text("as given") == "as given"


@given(st.floats(1e-3, 1e8))
def test_three_significant_digits_are_within_half_a_percent(value: float):
    assert float(significant(value).replace(",", "")) == pytest.approx(value, rel=0.005 + 1e-9)


def test_unknown_numbers_are_shown_under_their_own_name():
    assert column("learning_rate").heading == "Learning rate"
    assert (column("energy_kept 2-4 px").heading, column("energy_kept 2-4 px").unit) == ("Kept", "2–4 px")


def unexplained_numbers(runs: Sequence[RunPart]) -> str:
    """The table of numbers without what its words mean."""
    return numbers_html(runs, Glossary(()))


def test_only_a_leader_is_set_in_bold(two_runs: Report):
    assert [m.count('class="best"') for m in unexplained_numbers(two_runs.runs).split("<tr>")[2:]] == [0, 3]
    level = [two_runs.runs[0], two_runs.runs[0]]
    assert "best" not in unexplained_numbers(level)


def test_number_that_one_run_lacks_is_na_in_its_row(two_runs: Report):
    rows = unexplained_numbers(examples.without_density().runs).split("<tr>")
    assert (rows[2].count("n/a"), rows[3].count("n/a")) == (3, 0)


def test_number_that_no_run_has_is_left_out(two_runs: Report):
    bare = [replace(part, numbers={**part.numbers, "heldout_psnr_db": None}) for part in two_runs.runs]
    assert "Held-out" in unexplained_numbers(two_runs.runs)
    assert "Held-out" not in unexplained_numbers(bare)
    assert "Held-out" not in unexplained_numbers(bare[:1])
