"""Streams fail and the work does not: readers that go away, full disks, letters that are lacking, steering names."""

import io
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from fieldlens import cli
from fieldlens.configs.errors import InputError
from fieldlens.studies.runs.reporter import Moment
from fieldlens.terminal.console import Console
from fieldlens.terminal.streams import Stream, lasting_streams, printable

EVIL = "a\x1b[2J\n\x07\x9b1m\u202e\u2066\udcff.png"
ESCAPED = r"a\x1b[2J\n\x07\x9b1m\u202e\u2066\udcff.png"


class Failing(io.StringIO):
    """Takes a few texts, and fails from then on."""

    def __init__(self, takes: int, error: Exception) -> None:
        super().__init__()
        self.takes, self.error, self.asked = takes, error, 0

    def write(self, text: str) -> int:
        self.asked += 1
        if self.asked > self.takes:
            raise self.error
        return super().write(text)


@pytest.mark.parametrize("text", ["Ünïcödé фото 写真 👩‍🚀 café", "עברית", "C:\\photos\\a.png", "1 = 100 %", ""])
def test_what_people_write_is_shown_as_it_is(text: str):
    assert printable(text) == text


def test_what_would_steer_a_terminal_is_escaped():
    assert printable(EVIL) == ESCAPED
    steering = [chr(code) for code in (*range(32), *range(127, 160), 0x61C, 0x200E, 0x200F, 0x2028, 0x2029, 0xD800)]
    assert all(printable(letter).isascii() and printable(letter).isprintable() for letter in steering)


@pytest.mark.parametrize(
    ("encoding", "written"), [("ascii", r"\u0444 \u2501 \xe9"), ("cp1252", r"\u0444 \u2501 é"), ("utf-8", "ф ━ é")]
)
def test_letters_that_a_stream_lacks_are_escaped(encoding: str, written: str):
    below = io.BytesIO()
    stream = Stream(io.TextIOWrapper(below, encoding))
    print("ф ━ é", end="", file=stream, flush=True)  # pyright: ignore[reportArgumentType]
    assert below.getvalue().decode(encoding) == written
    assert stream.failure is None


@pytest.mark.parametrize(
    ("error", "said"),
    [(BrokenPipeError(32, "Broken pipe"), "Broken pipe"), (ValueError("it is closed"), "it is closed")],
)
def test_a_stream_that_fails_is_not_asked_again(error: Exception, said: str):
    below = Failing(1, error)
    stream = Stream(below)
    assert [stream.write(text) for text in ("one", "two", "three")] == [3, 3, 5]
    stream.flush()
    assert (below.getvalue(), below.asked, stream.failure) == ("one", 2, said)


def test_streams_that_were_closed_for_us_lead_nowhere(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "stderr", None)
    monkeypatch.setattr(sys, "stdout", None)
    with lasting_streams() as output:
        print("words")
        print("words", file=sys.stderr, flush=True)
        assert output.failure is None


def told(console: Console, capfd: pytest.CaptureFixture[str]) -> str:
    console.say(f"a sentence of {EVIL}")
    console.working(f"reading {EVIL}", 0.0)
    console.fitting(Moment(EVIL, 3, 1.0, 20.0, 3.0, 0.5, Path(EVIL), 3))
    console.result(f"video {EVIL}", "second line")
    captured = capfd.readouterr()
    return captured.err + captured.out


def test_names_are_escaped_in_sentences_progress_and_results(capfd: pytest.CaptureFixture[str]):
    lines = told(Console(), capfd).splitlines()
    assert len(lines) == 6  # a sentence, two of reading, one of the fit, and two results
    assert sum(line.count(ESCAPED) for line in lines) == 6
    assert all(line.isprintable() for line in lines)


def test_names_are_escaped_in_errors_and_json(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    def refuses(_words: list[str]) -> int:
        Console(json_last=True).finish({"path": EVIL})
        raise InputError(f"{EVIL} is refused")

    monkeypatch.setattr("fieldlens.verbs.scenes.main", refuses)
    assert cli.main(["scenes"]) == 2
    captured = capfd.readouterr()
    assert captured.err == f"fieldlens: {ESCAPED} is refused\n"
    assert captured.out.isascii()
    assert captured.out.rstrip("\n").isprintable()
    assert json.loads(captured.out) == {"path": EVIL}
    assert cli.main([EVIL]) == 2
    assert "\x1b" not in capfd.readouterr().err


def test_names_are_escaped_in_the_defaults_of_help(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("COLUMNS", "200")
    (tmp_path / "c.yaml").write_text('schema: 2\nscene: "a\\e[2J.png"\noutput: {output_dir: "b\\e[2J"}\n')
    assert cli.main(["fit", "--config", str(tmp_path / "c.yaml"), "--help"]) == 0
    out = capfd.readouterr().out
    assert "\x1b[2J" not in out
    assert r"a\x1b[2J.png" in out
    assert r"b\x1b[2J" in out


FIT = ["fit", "signal:3,samples=16", "--steps", "2", "--threads", "1", "--network.width", "4", "--network.depth", "1"]


def is_whole(run: Path) -> bool:
    return {"run.json", "report.html", "progress.mp4"} <= {file.name for file in run.iterdir()}


@pytest.mark.parametrize("takes", [0, 1, 3])
@pytest.mark.parametrize("error", [BrokenPipeError(32, "Broken pipe"), OSError(28, "No space left on device")])
def test_progress_that_nobody_reads_is_no_reason_to_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], takes: int, error: OSError
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stderr", Failing(takes, error))
    assert cli.main(FIT) == 0
    (run,) = tmp_path.glob("outputs/*/*/*")
    assert is_whole(run)
    assert str(run.name) in capfd.readouterr().out


@pytest.mark.parametrize("words", [FIT, [*FIT, "--json"]])
def test_a_result_that_cannot_be_written_is_no_success_though_its_files_are_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], words: list[str]
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdout", Failing(0, OSError(28, "No space left on device")))
    assert cli.main(words) == 1
    assert "fieldlens: the result could not be written to standard output (No space" in capfd.readouterr().err
    (run,) = tmp_path.glob("outputs/*/*/*")
    assert is_whole(run)


def test_a_name_that_the_streams_cannot_write_ends_no_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    out, err = io.BytesIO(), io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(out, "ascii"))
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(err, "ascii"))
    assert cli.main([*FIT, "--output-dir", "фото"]) == 0
    assert rb"\u0444\u043e\u0442\u043e" in out.getvalue()
    assert b"step 0" in err.getvalue()
    assert all(is_whole(run) for run in tmp_path.glob("фото/*/*/*"))


def test_a_system_without_room_is_said_in_a_sentence(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    def full(_words: list[str]) -> int:
        raise OSError(28, "No space left on device", EVIL)

    monkeypatch.setattr("fieldlens.verbs.scenes.main", full)
    assert cli.main(["scenes"]) == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert line == f"fieldlens: this cannot go on: No space left on device: {EVIL!r}"


def program(words: str) -> list[str]:
    return [sys.executable, "-m", "fieldlens", *words.split()]


def outside() -> dict[str, str]:
    """The environment of a program that is started in another folder than the repository's."""
    return {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent.parent)}


def test_a_whole_process_whose_streams_are_all_closed_goes_on_to_its_end(tmp_path: Path):
    command = shlex.join([sys.executable, "-m", "fieldlens", *FIT])
    assert subprocess.run(["bash", "-c", f"{command} >&- 2>&- <&-"], cwd=tmp_path, env=outside()).returncode == 0
    (run,) = tmp_path.glob("outputs/*/*/*")
    assert is_whole(run)


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        pytest.param("pipe", "Broken pipe"),
        pytest.param(
            "/dev/full",
            "No space left on device",
            marks=pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full"),
        ),
    ],
)
@pytest.mark.parametrize("words", ["--help", "fit --help"])
def test_nothing_is_told_twice_when_the_interpreter_leaves(tmp_path: Path, words: str, broken: str, reason: str):
    if broken == "pipe":
        reading, output = os.pipe()
        os.close(reading)
    else:
        output = os.open(broken, os.O_WRONLY)
    with os.fdopen(output, "wb") as stdout:
        done = subprocess.run(
            program(words), stdout=stdout, stderr=subprocess.PIPE, text=True, env=outside(), check=False
        )
    sentence = f"fieldlens: the result could not be written to standard output ({reason}); files are not affected\n"
    assert (done.returncode, done.stderr) == (1, sentence)
