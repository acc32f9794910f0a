"""What a notebook is given: HTML that holds all it shows, with the report in a frame that reaches nothing."""

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

import fieldlens
from fieldlens.python import showing, watching
from tests.support.runs import small_picture


class Elements(HTMLParser):
    """The elements of a page by their names, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: dict[str, list[dict[str, str | None]]] = {}
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.setdefault(tag, []).append(dict(attrs))

    def handle_data(self, data: str) -> None:
        self.text += data


class Handle:
    """A display of a notebook that keeps all it was given."""

    def __init__(self) -> None:
        self.shown: list[str] = []

    def update(self, html: object) -> None:
        self.shown.append(html.data)  # type: ignore[attr-defined]


SMALL = {"network": "2x16", "steps": 24, "batch_size": 128, "frames": "every:8", "threads": 1}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> fieldlens.Run:
    folder = tmp_path_factory.mktemp("run")
    picture = small_picture(folder / "<b>.png")
    return fieldlens.fit(picture, output_dir=folder / "outputs", progress=False, **SMALL)  # type: ignore[arg-type]


def test_a_run_shows_its_picture_its_numbers_and_its_report_in_a_sandbox(run: fieldlens.Run) -> None:
    shown = Elements(run._repr_html_())
    (frame,), (picture,) = shown.found["iframe"], shown.found["img"]
    assert frame["srcdoc"] == run.report.read_text(encoding="utf-8")
    assert frame["sandbox"] == "allow-scripts allow-downloads", "with the page's own origin it would reach the notebook"
    assert str(picture["src"]).startswith("data:image/")
    assert f"{run.psnr_db:.2f} dB" in shown.text
    assert set(shown.found) <= {"img", "div", "table", "tbody", "tr", "td", "details", "summary", "iframe", "a"}


def test_of_a_large_report_there_is_a_link(run: fieldlens.Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a #b").mkdir()
    (tmp_path / "a #b" / "report.html").write_text("x" * run.report.stat().st_size)
    monkeypatch.setattr(showing, "LARGEST_PAGE", run.report.stat().st_size - 1)
    shown = Elements(run._repr_html_())
    assert "iframe" not in shown.found
    assert Path(unquote(str(shown.found["a"][0]["href"]))).resolve() == run.report.resolve()
    assert 'href="a%20%23b/report.html"' in showing.page_html(tmp_path / "a #b" / "report.html")


def test_a_fit_that_has_not_ended_and_one_that_lost_its_frames_show_what_they_are(
    run: fieldlens.Run, tmp_path: Path
) -> None:
    (tmp_path / "config.yaml").write_bytes((run.folder / "config.yaml").read_bytes())
    begun = fieldlens.Run(tmp_path)
    assert "a fit that has not ended yet" in begun._repr_html_()
    assert "a fit that has not ended yet" in repr(begun)


def test_a_comparison_shows_all_runs_and_its_table(tmp_path: Path) -> None:
    picture = small_picture(tmp_path / "picture.png")
    compared = fieldlens.compare(
        picture, encodings=["raw", "fourier:2"], networks=["2x8"], steps=8, output_dir=tmp_path, progress=False
    )
    shown = Elements(compared._repr_html_())
    rows = [line.strip("| ").split(" ")[0] for line in compared.record.table.splitlines()]
    assert len(shown.found["tr"]) == len(rows) - 1  # without the rule
    for run in compared.runs:
        assert f"{run.psnr_db:.2f}" in shown.text
    assert shown.found["iframe"][0]["srcdoc"] == compared.report.read_text(encoding="utf-8")


def test_in_a_notebook_a_picture_is_drawn_anew_while_it_is_learnt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handle = Handle()
    monkeypatch.setattr("IPython.display.display", lambda *_shown, display_id: handle)
    monkeypatch.setattr(watching, "in_notebook", lambda: True)
    monkeypatch.setattr(watching, "PICTURE_EVERY", 0.0)
    monkeypatch.setattr(watching, "BAR_EVERY", 0.0)
    picture = small_picture(tmp_path / "picture.png")
    fieldlens.fit(picture, output_dir=tmp_path, **SMALL)  # type: ignore[arg-type]
    pictures = [Elements(page).found.get("img", []) for page in handle.shown]
    assert max(map(len, pictures)) == 1
    assert len({str(found[0]["src"]) for found in pictures if found}) > 1
    bars = [float(str(bar["value"])) for page in handle.shown for bar in Elements(page).found.get("progress", [])]
    assert 0 <= min(bars) < max(bars) == 1
    last = Elements(handle.shown[-1])
    assert "img" not in last.found
    assert "PNG of 32x24" in last.text, "what was said stays"


def test_this_is_no_notebook_and_progress_goes_to_standard_error(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert not watching.in_notebook()
    picture = small_picture(tmp_path / "picture.png")
    fieldlens.fit(picture, output_dir=tmp_path, **SMALL)  # type: ignore[arg-type]
    told = capfd.readouterr()
    assert told.out == ""
    assert "step" in told.err
