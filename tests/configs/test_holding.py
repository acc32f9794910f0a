"""A folder that is held: alone, for as long as its process lives, and never made anew."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fieldlens.configs.errors import InputError
from fieldlens.configs.files import remove_leftovers, write_bytes
from fieldlens.configs.holding import LOCK, held, require_there

HOLD = """
import sys
from pathlib import Path
from fieldlens.configs.holding import held
with held(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def another_process_holding(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", HOLD, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == b"held\n"
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def test_a_second_process_is_refused_by_the_name_of_the_first_until_that_dies(tmp_path: Path) -> None:
    with another_process_holding(tmp_path) as first:
        with pytest.raises(InputError, match=rf"is in use: process {first.pid} on .* since 20\d\d-"), held(tmp_path):
            pass
        first.kill()
        first.wait()
        assert (tmp_path / LOCK).exists(), "nobody took it away"
        with held(tmp_path):
            assert json.loads((tmp_path / LOCK).read_text())["pid"] == os.getpid()
    assert not (tmp_path / LOCK).exists()


def test_locks_that_dead_processes_left_below_a_folder_go_and_held_ones_stay(tmp_path: Path) -> None:
    dead, alive = tmp_path / "runs" / "dead", tmp_path / "runs" / "alive"
    for run in (dead, alive):
        run.mkdir(parents=True)
    with another_process_holding(dead) as first:
        first.kill()
        first.wait()
    with held(tmp_path), another_process_holding(alive):
        assert (dead / LOCK).exists()
        remove_leftovers(tmp_path)
        assert not (dead / LOCK).exists()
        assert (alive / LOCK).exists()
        assert (tmp_path / LOCK).exists(), "our own"
        with pytest.raises(InputError, match="is in use"), held(alive):
            pass


def test_two_parts_of_one_process_hold_it_one_after_the_other(tmp_path: Path) -> None:
    with held(tmp_path), pytest.raises(InputError, match=f"process {os.getpid()} "), held(tmp_path, patience=0.1):
        pass
    with held(tmp_path):
        pass


def test_a_lock_that_says_nothing_still_locks(tmp_path: Path) -> None:
    with held(tmp_path):
        (tmp_path / LOCK).write_bytes(b"[]")
        with pytest.raises(InputError, match="another process is writing there"), held(tmp_path):
            pass


def test_a_folder_that_cannot_be_written_is_refused_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / LOCK).mkdir()  # a superuser may write everywhere else
    with pytest.raises(InputError, match=r"cannot write in .* \(Is a directory\).* copy it"), held(tmp_path):
        pass


def test_a_lock_that_leads_elsewhere_is_not_written_to(tmp_path: Path) -> None:
    precious, run = tmp_path / "precious", tmp_path / "run"
    precious.write_bytes(b"mine")
    run.mkdir()
    (run / LOCK).symlink_to(precious)
    with pytest.raises(InputError, match="cannot write in"), held(run):
        pass
    assert precious.read_bytes() == b"mine"


def test_a_disk_without_locks_is_said_and_written_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_locks(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("fieldlens.configs.holding.fcntl.flock", no_locks)
    said: list[str] = []
    with held(tmp_path, said.append):
        write_bytes(tmp_path / "a", b"")
    assert len(said) == 1
    assert "keeps no locks" in said[0]


def test_a_held_folder_that_is_moved_is_not_made_anew_and_the_sentence_says_where_it_is(tmp_path: Path) -> None:
    run, moved = tmp_path / "run", tmp_path / "moved"
    run.mkdir()
    with held(run):
        write_bytes(run / "frames" / "kind" / "a.png", b"whole")
        run.rename(moved)
        for write in (lambda: write_bytes(run / "frames" / "b.png", b""), lambda: require_there(run / "c")):
            with pytest.raises(InputError, match=rf"run' was moved to '{moved}' .*--resume"):
                write()
        run.mkdir()  # another of that name is no less another
        with pytest.raises(InputError, match="was moved to"):
            write_bytes(run / "b.png", b"")
        assert list(run.iterdir()) == []
    assert [path.name for path in moved.iterdir()] == ["frames"], "and its lock is gone"


def test_a_held_folder_that_is_deleted_is_not_made_anew(tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    with held(run):
        (run / LOCK).unlink()
        run.rmdir()
        with pytest.raises(InputError, match="was deleted"):
            write_bytes(run / "frames" / "b.png", b"")
    assert not run.exists()


def test_a_folder_that_is_held_is_there_though_its_number_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with held(tmp_path):
        monkeypatch.setattr("os.path.samestat", lambda *_: False)
        assert require_there(tmp_path / "a") == tmp_path
