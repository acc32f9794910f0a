"""A film for a friend and figures of curves, made of a run's folder alone."""

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fieldlens.configs.encoding import Fourier, Raw
from fieldlens.configs.errors import InputError
from fieldlens.configs.run import FitConfig
from fieldlens.render.files import read_png, write_png
from fieldlens.render.video import read_frames
from fieldlens.studies.questions import sharing
from fieldlens.studies.questions.curves import CURVES, Curve, draw_curves
from fieldlens.studies.questions.sharing import share
from fieldlens.studies.runs.charts import HEIGHT
from fieldlens.studies.runs.folder import COMPARISON, RunFolder
from fieldlens.studies.runs.metrics import drawn_rows
from tests.support.runs import small_config, small_picture
from tests.support.small_runs import fitted


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    folder = tmp_path_factory.mktemp("run")
    return fitted(small_config(small_picture(folder / "picture.png"), folder / "outputs", steps=64))


@pytest.fixture
def small_film(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of fewer pixels, that it takes no time."""
    monkeypatch.setattr(sharing, "SHORT", 108)
    monkeypatch.setattr(sharing, "LONG", 192)


@pytest.mark.parametrize(("portrait", "size"), [(False, (108, 192)), (True, (192, 108))])
def test_the_film_has_every_recorded_step_and_is_held_at_its_end(
    run: RunFolder, tmp_path: Path, small_film: None, portrait: bool, size: tuple[int, int]
) -> None:
    made = share(run, portrait=portrait, file=tmp_path / "film.mp4")
    frames = [frame.astype(int) for frame in read_frames(made.path)]
    assert (made.frames, made.height, made.width) == (len(drawn_rows(run)), *size)
    assert frames[0].shape == (*size, 3)
    assert len(frames) == made.frames + 24, "two seconds of the last"
    assert np.abs(frames[-1] - frames[made.frames - 1]).mean() < 1
    half = (slice(0, size[0] // 2), slice(None)) if portrait else (slice(None), slice(0, size[1] // 2))
    assert np.abs(frames[0][half] - frames[-1][half]).mean() < 2, "the target stays"
    rest = (slice(size[0] // 2, None), slice(None)) if portrait else (slice(None), slice(size[1] // 2, None))
    assert np.abs(frames[0][rest] - frames[-1][rest]).mean() > 4, "what is learnt does not"
    assert made.poster == tmp_path / "film_poster.png"
    assert read_png(made.poster).shape == (*size, 3)


@pytest.mark.parametrize("ending", [".gif", ".webp"])
def test_an_animation_is_no_larger_than_may_be_sent(
    run: RunFolder, tmp_path: Path, small_film: None, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    monkeypatch.setattr(sharing, "MOST_BYTES", 12_000)
    monkeypatch.setattr(sharing, "MOST_FRAMES", 5)
    made = share(run, file=tmp_path / f"film{ending}")
    assert made.path.stat().st_size == made.bytes <= 12_000
    with Image.open(made.path) as read:
        assert (read.n_frames, read.size) == (5, (made.width, made.height))  # type: ignore[attr-defined]


def test_in_the_runs_folder_film_and_poster_have_names_of_their_own(run: RunFolder, small_film: None) -> None:
    made = share(run, animated=True)
    upright = share(run, animated=True, portrait=True)
    folder = run.path / "share"
    assert (made.path, made.poster) == (folder / "film.gif", folder / "poster.png")
    assert (upright.path, upright.poster) == (folder / "portrait.gif", folder / "portrait_poster.png")


def test_what_cannot_be_shared_is_refused_and_leaves_nothing(run: RunFolder, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a film is written as .mp4, .gif, .webp, not as 'film.mkv'"):
        share(run, file=tmp_path / "film.mkv")
    with pytest.raises(InputError, match=r"--gif makes a GIF, and 'film\.mp4' is named as something else"):
        share(run, file=tmp_path / "film.mp4", animated=True)
    with pytest.raises(InputError, match="there are no curves in"):
        share(RunFolder(tmp_path), file=tmp_path / "film.mp4")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ending", [".mp4", ".gif"])
def test_damaged_frames_are_left_out_and_a_run_without_a_whole_one_is_refused(
    run: RunFolder, tmp_path: Path, small_film: None, ending: str
) -> None:
    copy = RunFolder(Path(shutil.copytree(run.path, tmp_path / "copy")))
    steps = copy.frame_steps("reconstruction")
    copy.frame(steps[0], "reconstruction").write_bytes(b"no picture")
    assert share(copy, file=tmp_path / f"film{ending}").frames == len(steps) - 1
    for step in steps:
        copy.frame(step, "reconstruction").write_bytes(b"no picture")
    with pytest.raises(InputError, match="no whole frames"):
        share(copy, file=tmp_path / f"other{ending}")
    assert not (tmp_path / f"other{ending}").exists()


def test_a_poster_begins_with_the_first_step_that_is_not_dark(run: RunFolder, tmp_path: Path, small_film: None) -> None:
    copy = RunFolder(Path(shutil.copytree(run.path, tmp_path / "copy")))
    steps = copy.frame_steps("reconstruction")
    dark, first = steps[:3], steps[3]
    for step in dark:
        write_png(copy.frame(step, "reconstruction"), np.full((24, 32, 3), 3, np.uint8))
    for step in steps[3:]:
        write_png(copy.frame(step, "reconstruction"), np.full((24, 32, 3), 60 if step == first else 200, np.uint8))
    poster = read_png(share(copy, file=tmp_path / "film.mp4").poster)
    tiles = [int(poster[19, 64 * column + 32].max()) for column in range(3)]  # their middles, above the words
    assert tiles == [60, 200, 200]
    for step in steps:
        write_png(copy.frame(step, "reconstruction"), np.zeros((24, 32, 3), np.uint8))
    assert share(copy, file=tmp_path / "film.mp4").poster.exists(), "all are as dark as the last"


@pytest.mark.parametrize(("count", "shows"), [*((count, CURVES) for count in (1, 2, 3, 4, 5, 6)), (5, ("bands",))])
def test_no_place_of_a_figure_is_left_empty(
    run: RunFolder, tmp_path: Path, count: int, shows: tuple[Curve, ...]
) -> None:
    """A run counts once for PSNR, which all share, and once for its octaves."""
    runs = {RunFolder(Path(shutil.copytree(run.path, tmp_path / f"run{i}"))): f"run {i}" for i in range(count)}
    draw_curves(runs, shows, tmp_path / "figure.png")
    drawn = read_png(tmp_path / "figure.png")
    height, width = drawn.shape[:2]
    rows = round(height / (200 * HEIGHT))
    for row in range(rows):
        for column in range(2):
            part = drawn[
                row * height // rows : (row + 1) * height // rows, column * width // 2 : (column + 1) * width // 2
            ]
            assert (part < 200).any(-1).mean() > 0.005, f"row {row}, column {column}"


def test_a_figure_is_written_beside_what_it_is_of_where_no_file_is_named(
    run: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    comparison = tmp_path / "comparison"
    one, other, alone = (
        Path(shutil.copytree(run.path, tmp_path / p)) for p in ("comparison/runs/a", "comparison/runs/b", "c")
    )
    (comparison / COMPARISON).touch()
    for runs, place in (([alone], alone), ([one], one), ([one, other], comparison), ([alone, other], alone)):
        drawn = draw_curves({RunFolder(path): path.name for path in runs}, ("psnr",))
        assert drawn.path == place / "figure.pdf"
        assert drawn.path.exists()
        assert str(drawn.path) in drawn.lines[0]
    assert not (tmp_path / "figure.pdf").exists()


def lines_of(svg: str) -> int:
    """Lines of curves: of paths that are clipped to their chart, those that are no grid."""
    curves = re.findall(r'<g id="line2d_\d+">\s*<path d="([^"]*)" clip-path', svg)
    return sum(path.count("L") > 1 for path in curves)


def test_a_figure_has_a_line_for_each_run_and_one_for_each_octave(run: RunFolder, tmp_path: Path) -> None:
    config = run.config()
    other = fitted(FitConfig(**{**vars(config), "encoding": Raw()}))
    runs = {run: "fourier:3", other: "raw"}
    bands = len(drawn_rows(run)[0].energy_kept)
    asked: tuple[tuple[Sequence[Curve], int], ...] = (
        (("psnr",), 2),
        (("bands",), 2 * bands),
        (CURVES, 2 + 2 * bands),
    )
    for shows, expected in asked:
        draw_curves(runs, shows, tmp_path / "figure.svg")
        drawn = (tmp_path / "figure.svg").read_text()
        assert lines_of(drawn) == expected
    for name in ("pdf", "png"):
        draw_curves(runs, CURVES, tmp_path / f"figure.{name}")
    assert (tmp_path / "figure.pdf").read_bytes().startswith(b"%PDF")
    assert read_png(tmp_path / "figure.png").shape[1] > 800
    again = (tmp_path / "figure.pdf").read_bytes()
    draw_curves(runs, CURVES, tmp_path / "figure.pdf")
    assert (tmp_path / "figure.pdf").read_bytes() == again, "no date, no random names"
    with pytest.raises(InputError, match=r"a figure is written as .svg, .pdf, .png, not as 'figure.jpg'"):
        draw_curves(runs, CURVES, tmp_path / "figure.jpg")


def test_of_a_signal_the_figure_shows_its_frequencies(tmp_path: Path) -> None:
    signal = fitted(small_config("signal:2,5,samples=64", tmp_path, steps=16, encoding=Fourier(2)))
    draw_curves({signal: "signal"}, ["bands"], tmp_path / "figure.svg")
    assert lines_of((tmp_path / "figure.svg").read_text()) == 2
