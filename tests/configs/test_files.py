"""Files as bytes and JSON: only regular files are opened, and none costs more than its reader allows."""

import os
import socket
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest

from fieldlens.configs.errors import InputError
from fieldlens.configs.files import (
    MOST_JSON_VALUES,
    look_after,
    numbered,
    numbered_file,
    open_file,
    read_bytes,
    read_json,
    remove,
    require_writable,
    unfinished,
)


def refusal(path: Path, **limits: int) -> str:
    """The sentence with which a file is refused; it names the file."""
    with pytest.raises(InputError) as caught:
        read_bytes(path, **limits)
    assert repr(str(path)) in str(caught.value)
    return str(caught.value)


def test_a_file_is_read_up_to_its_limit_and_not_beyond(tmp_path) -> None:
    path = tmp_path / "five"
    path.write_bytes(b"12345")
    assert read_bytes(path, at_most=5) == b"12345"
    assert "it has 5 bytes, more than the 4 " in refusal(path, at_most=4)


def test_a_file_of_many_empty_gigabytes_is_refused_by_its_size(tmp_path) -> None:
    path = tmp_path / "sparse"
    path.touch()
    os.truncate(path, 1 << 40)
    assert f"{1 << 40:,} bytes" in refusal(path)


def test_a_file_that_says_no_size_is_not_read_beyond_the_limit() -> None:
    assert "more than the 3 " in refusal(Path("/proc/self/status"), at_most=3)


def test_what_is_no_regular_file_is_never_opened(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("pathlib.Path.open", lambda *_: pytest.fail("opened"))
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/dev/zero")
    monkeypatch.chdir(tmp_path)  # the name of a socket has to be short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
        assert "it is a socket" in refusal(tmp_path / "socket")
    assert "it is a pipe" in refusal(tmp_path / "pipe")
    assert "it is a device" in refusal(tmp_path / "link")
    assert "it is a folder" in refusal(tmp_path)


@pytest.mark.parametrize("name", ["missing", "zero\0byte", "long" * 100])
def test_a_name_that_no_file_has_is_a_sentence(tmp_path, name) -> None:
    assert "cannot read" in refusal(tmp_path / name)
    with pytest.raises(InputError):
        open_file(tmp_path / name)


@pytest.mark.parametrize("unit", [b"[],", b"{},", b"0,", b'{"a":0},', b"[[[[]]]],"])
def test_json_of_more_values_than_any_of_ours_is_refused_before_it_is_taken_apart(tmp_path, unit, monkeypatch) -> None:
    monkeypatch.setattr("json.loads", lambda _: pytest.fail("taken apart"))
    path = tmp_path / "bomb.json"
    path.write_bytes(
        b'{"frames": [' + unit * (1 + MOST_JSON_VALUES // sum(map(unit.count, (b"[", b"{", b",", b":")))) + b"0]}"
    )
    with pytest.raises(InputError, match="more than 4,000,000 values"):
        read_json(path)


@pytest.mark.parametrize("content", [b"", b"[" * 100_000, b"{" * 3, b"\xff", b"[]", b'{"a": ' + b"9" * 10_000 + b"}"])
def test_json_that_is_none_is_damaged(tmp_path, content) -> None:
    path = tmp_path / "odd.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match="is damaged"):
        read_json(path)


def test_numbered_files_are_those_that_are_named_as_ours_are(tmp_path) -> None:
    for name in ("0000003.png", "0000100.png", "12345678.png"):
        (tmp_path / name).touch()
    strays = (
        "0000003 (copy).png",
        "1e5.png",
        "7.png",
        "00000003.png",
        "-000001.png",
        "٣٣٣٣٣٣٣.png",
        ".DS_Store",
        "x.png",
    )
    for name in (*strays, "0000004.PNG", "0000005.png.txt", "._0000006.png", f"{'9' * 5000}"[:200] + ".png"):
        (tmp_path / name).touch()
    (tmp_path / "0000200.png").mkdir()
    (tmp_path / "0000300.png").symlink_to(tmp_path / "nothing.png")
    assert numbered(tmp_path, ".png") == [3, 100, 12345678]
    assert numbered(tmp_path / "nowhere", ".png") == []
    assert all(numbered_file(tmp_path, number, ".png").is_file() for number in numbered(tmp_path, ".png"))


def test_what_killed_processes_left_unfinished_goes_and_what_others_write_stays(tmp_path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    stale = [tmp_path / f".{dead.pid}.0123abcd.partial", tmp_path / "frames" / ".0000001.png.partial"]
    folder, running = tmp_path / f".{dead.pid}.89ab.partial", unfinished(tmp_path / "frames" / "a.png")
    folder.mkdir()
    (tmp_path / "frames").mkdir()
    for file in (*stale, running, folder / "inside", tmp_path / "a.partial"):
        file.touch()
    look_after(tmp_path)
    left = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*"))
    assert left == sorted(["a.partial", "frames", "manifest.sha256", str(running.relative_to(tmp_path))])


def test_what_cannot_be_taken_away_is_named(tmp_path) -> None:
    remove(tmp_path / "nothing")
    (tmp_path / "run.json").mkdir()
    with pytest.raises(InputError, match=r"^cannot take away '.*run\.json': Is a directory"):
        remove(tmp_path / "run.json")


def test_two_writes_of_one_file_do_not_share_what_is_unfinished(tmp_path) -> None:
    assert unfinished(tmp_path / "a") != unfinished(tmp_path / "a")


def test_a_folder_that_cannot_be_written_is_named_before_the_work(tmp_path, monkeypatch) -> None:
    require_writable(tmp_path / "new" / "one", "say where")
    monkeypatch.setattr("os.access", lambda path, _mode: path != tmp_path)  # a superuser may write everywhere
    with pytest.raises(InputError, match=r"^cannot write '.*one': '.*' is read-only; say where"):
        require_writable(tmp_path / "new" / "one", "say where")
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="is no folder; say where"):
        require_writable(tmp_path / "file" / "one", "say where")


def test_a_small_file_takes_no_more_memory_than_it_has_bytes(tmp_path) -> None:
    (tmp_path / "small").write_bytes(b"x" * 1000)
    tracemalloc.start()
    try:
        assert read_bytes(tmp_path / "small", at_most=1 << 30) == b"x" * 1000
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 1_000_000
