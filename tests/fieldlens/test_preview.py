"""A picture in the terminal shows the picture's colours, and nothing where there is no terminal."""

import re
from base64 import standard_b64decode
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console as RichConsole
from rich.segment import Segment

from fieldlens.render.files import write_png
from fieldlens.studies.runs.reporter import Moment
from fieldlens.terminal.console import Console
from fieldlens.terminal.preview import CHUNK, half_blocks, kitty, protocol
from fieldlens.terminal.sixel import sixels
from tests.support.report_examples import photograph

RED, BLUE, GREY = (255, 0, 0), (0, 0, 255), (90, 90, 90)


def coloured(picture: np.ndarray, columns: int, lines: int) -> list[list[tuple[object, object]]]:
    """Upper and lower colour of each character, line by line."""
    rows = Segment.split_lines(half_blocks(picture, columns, lines).segments)
    return [[_both(part) for part in row] for row in rows if row]


def _both(part: Segment) -> tuple[object, object]:
    style = part.style
    assert style is not None
    assert style.color is not None
    assert style.bgcolor is not None
    assert style.color.triplet is not None
    assert style.bgcolor.triplet is not None
    return tuple(style.color.triplet), tuple(style.bgcolor.triplet)


def test_a_character_shows_an_upper_and_a_lower_pixel():
    picture = np.array([[RED, GREY], [BLUE, RED]], np.uint8)
    assert coloured(picture, 80, 24) == [[(RED, BLUE), (GREY, RED)]]


def test_one_row_of_pixels_fills_its_characters():
    assert coloured(np.array([[RED, BLUE]], np.uint8), 80, 24) == [[(RED, RED), (BLUE, BLUE)]]


@pytest.mark.parametrize(("height", "width"), [(64, 64), (30, 200), (200, 30), (6, 7)])
def test_a_picture_fits_and_keeps_its_mean_and_proportions(height: int, width: int):
    picture = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    rows = coloured(picture, 20, 10)
    assert len(rows) <= 10
    assert all(len(row) == len(rows[0]) <= 20 for row in rows)
    assert 2 * len(rows) / len(rows[0]) == pytest.approx(height / width, rel=0.35)
    shown = np.array([[half for pair in row for half in pair] for row in rows])
    assert shown.mean() == pytest.approx(picture.mean(), abs=6)


def test_kittys_escapes_hold_the_file_in_chunks_that_say_which_is_the_last():
    file = np.random.default_rng(0).bytes(3 * CHUNK)
    escapes = re.findall(r"\x1b_G(.*?);(.*?)\x1b\\", kitty(file, 40))
    assert standard_b64decode("".join(chunk for _, chunk in escapes)) == file
    assert all(len(chunk) <= CHUNK for _, chunk in escapes)
    assert [keys.endswith("m=1") for keys, _ in escapes] == [True] * (len(escapes) - 1) + [False]
    assert escapes[0][0] == "a=T,f=100,q=2,c=40,m=1"


def decoded(escape: str) -> np.ndarray:
    """What a terminal makes of sixels, letter by letter; what is never drawn is -1."""
    width, height = map(int, re.match(r'\x1bP0;1q"1;1;(\d+);(\d+)', escape).groups())  # type: ignore[union-attr]
    picture, colours = np.full((-(-height // 6) * 6, width, 3), -1.0), dict[int, list[float]]()
    x, y, colour = 0, 0, [0.0] * 3
    body = escape.partition(f";{width};{height}")[2].removesuffix("\x1b\\")
    for token in re.findall(r"#\d+;2;\d+;\d+;\d+|#\d+|!\d+[?-~]|[?-~]|[$-]", body):
        if token[0] == "#":
            number, *light = [int(part) for part in token[1:].split(";")]
            if light:
                colours[number] = [2.55 * part for part in light[1:]]
            colour = colours[number]
        elif token == "$":
            x = 0
        elif token == "-":
            x, y = 0, y + 6
        else:
            count = int(token[1:-1]) if token[0] == "!" else 1
            for row in range(6):
                if ord(token[-1]) - 63 >> row & 1:
                    picture[y + row, x : x + count] = colour
            x += count
    assert (picture[height:] == -1).all()
    return picture[:height]


def test_sixels_of_few_colours_show_them_to_a_hundredth():
    picture = np.array([RED, BLUE, GREY], np.uint8)[np.random.default_rng(0).integers(0, 3, (23, 50))]
    picture[8:14] = RED  # rows of one colour, which are counted
    assert np.abs(decoded(sixels(picture, 400)) - picture).max() <= 255 / 200


def test_sixels_of_a_photograph_are_near_it_and_as_wide_as_asked():
    shown = decoded(sixels(photograph(60, 90), 45))
    assert shown.shape == (30, 45, 3)
    reduced = photograph(60, 90).reshape(30, 2, 45, 2, 3).mean((1, 3))
    assert np.abs(shown - reduced).mean() < 4


def test_a_terminal_is_known_by_its_name():
    assert protocol({"TERM": "xterm-kitty"}) == "kitty"
    assert protocol({"TERM": "xterm-256color", "TERM_PROGRAM": "WezTerm"}) == "kitty"
    assert protocol({"TERM": "foot"}) == "sixel"
    assert protocol({"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app"}) == "sixel"
    assert protocol({"TERM": "xterm-256color", "KONSOLE_VERSION": "230805"}) == "sixel"
    assert protocol({"TERM": "xterm-256color", "KONSOLE_VERSION": "210801"}) is None
    assert protocol({"TERM": "xterm-256color"}) is None
    assert protocol({"TERM": "xterm-kitty", "TMUX": "/run/tmux"}) is None


def moment(picture: Path) -> Moment:
    return Moment("raw", 8, 1.0, 9.0, 20.0, 0.5, picture, 8, picture)


@pytest.fixture
def plain_terminal(monkeypatch: pytest.MonkeyPatch):
    for name in ("KITTY_WINDOW_ID", "KONSOLE_VERSION", "TERM_PROGRAM", "TMUX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")


@pytest.mark.usefixtures("plain_terminal")
def test_the_newest_reconstruction_stands_above_the_bar_and_stays(tmp_path: Path):
    write_png(tmp_path / "1.png", np.full((4, 4, 3), RED, np.uint8))
    console = Console(preview=True)
    written = StringIO()
    console.progress_console = RichConsole(
        file=written, force_terminal=True, color_system="truecolor", width=60, height=20, legacy_windows=False
    )
    console.fitting(moment(tmp_path / "1.png"))
    (tmp_path / "1.png").rename(tmp_path / "2.png")
    console.fitting(moment(tmp_path / "gone.png"))
    console.fitting(moment(tmp_path / "2.png"))
    console.close()
    last = written.getvalue().rpartition("\x1b[?25h")[2]  # after the bar has gone
    assert re.sub(r"\x1b\[[\d;]*[A-Za-z]", "", last).split() == ["▀▀▀▀", "▀▀▀▀"]
    assert "38;2;255;0;0;48;2;255;0;0" in last


@pytest.mark.usefixtures("plain_terminal")
def test_where_the_terminal_draws_sixels_the_last_reconstruction_stays_as_its_pixels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("TERM", "foot")
    write_png(tmp_path / "1.png", np.full((4, 4, 3), RED, np.uint8))
    console = Console(preview=True)
    written = StringIO()
    console.progress_console = RichConsole(file=written, force_terminal=True, width=60, height=20, legacy_windows=False)
    console.fitting(moment(tmp_path / "1.png"))
    console.close()
    (escape,) = re.findall(r"\x1bP.*?\x1b\\", written.getvalue())
    assert np.allclose(decoded(escape), RED)


def test_without_a_terminal_there_is_no_picture(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    write_png(tmp_path / "1.png", np.full((4, 4, 3), RED, np.uint8))
    console = Console(preview=True)
    console.fitting(moment(tmp_path / "1.png"))
    console.close()
    assert "▀" not in capfd.readouterr().err
