"""The digests of a folder's files: what is changed behind the program's back is named, a kill never makes it wrong."""

import hashlib
from pathlib import Path

import pytest

from fieldlens.configs.errors import InputError
from fieldlens.configs.files import look_after, not_as_written, read_bytes, remove, write_bytes
from fieldlens.configs.manifest import MANIFEST, verify_file
from tests.support.kills import KilledError, kill_at


def test_lines_are_those_of_sha256sum(tmp_path: Path) -> None:
    look_after(tmp_path)
    write_bytes(tmp_path / "maps" / "a.bin", b"content")
    digest = hashlib.sha256(b"content").hexdigest()
    assert (tmp_path / MANIFEST).read_text() == f"{digest}  maps/a.bin\n"


@pytest.mark.parametrize("damaged", [b"contenT", b"", b"c", b"content\n"])
def test_a_file_that_is_not_what_was_written_is_named_and_so_is_what_to_do(tmp_path: Path, damaged: bytes) -> None:
    look_after(tmp_path)
    file = tmp_path / "a.bin"
    write_bytes(file, b"content")
    file.write_bytes(damaged)
    with pytest.raises(InputError, match=rf"a\.bin' is damaged.* delete {MANIFEST} if you changed the file yourself"):
        read_bytes(file)
    (tmp_path / MANIFEST).unlink()
    assert read_bytes(file) == damaged


def test_folders_without_a_manifest_and_files_without_a_line_are_read_as_they_are(tmp_path: Path) -> None:
    write_bytes(tmp_path / "old.bin", b"old")
    look_after(tmp_path)
    assert read_bytes(tmp_path / "old.bin") == b"old"
    assert not (tmp_path / MANIFEST).read_bytes()


def test_what_a_person_may_edit_is_not_recorded(tmp_path: Path) -> None:
    look_after(tmp_path)
    write_bytes(tmp_path / "config.yaml", b"seed: 0")
    (tmp_path / "config.yaml").write_bytes(b"seed: 1")
    assert read_bytes(tmp_path / "config.yaml") == b"seed: 1"


def test_a_kill_before_a_file_has_its_name_leaves_it_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    look_after(tmp_path)
    file = tmp_path / "a.bin"
    write_bytes(file, b"first")

    for content in (b"second", b"third"):
        with monkeypatch.context() as patched:
            kill_at(patched, file)
            with pytest.raises(KilledError):
                write_bytes(file, content)
        assert read_bytes(file) == b"first"
    write_bytes(file, b"fourth")
    assert read_bytes(file) == b"fourth"


def test_a_line_that_was_cut_short_spoils_no_other(tmp_path: Path) -> None:
    look_after(tmp_path)
    (tmp_path / MANIFEST).write_text("0123abc")
    write_bytes(tmp_path / "a.bin", b"content")
    assert read_bytes(tmp_path / "a.bin") == b"content"
    (tmp_path / "a.bin").write_bytes(b"other")
    with pytest.raises(InputError, match="is damaged"):
        read_bytes(tmp_path / "a.bin")


def test_what_was_taken_away_is_not_missed_until_it_is_written_again(tmp_path: Path) -> None:
    look_after(tmp_path)
    files = [tmp_path / "a.bin", tmp_path / "b.bin"]
    for file in files:
        write_bytes(file, b"content")
    remove(files[0])
    files[1].unlink()
    assert not_as_written(tmp_path) == ["b.bin"], "somebody else took it"
    write_bytes(files[0], b"other")
    files[0].unlink()
    assert not_as_written(tmp_path) == ["a.bin", "b.bin"]


def test_a_kill_before_a_file_is_taken_away_leaves_it_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_after(tmp_path)
    file = tmp_path / "a.bin"
    write_bytes(file, b"content")
    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", killed)
        with pytest.raises(KilledError):
            remove(file)
    assert read_bytes(file) == b"content"
    file.write_bytes(b"other")
    with pytest.raises(InputError, match="is damaged"):
        read_bytes(file)


def killed(_path: Path, *, missing_ok: bool) -> None:
    """In place of a call before which the process was killed."""
    raise KilledError


def test_a_folder_that_is_moved_takes_its_manifest_along(tmp_path: Path) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    look_after(before)
    write_bytes(before / "a.bin", b"content")
    before.rename(after)
    assert read_bytes(after / "a.bin") == b"content"


def test_a_manifest_that_leads_elsewhere_is_not_written_to(tmp_path: Path) -> None:
    precious, run = tmp_path / "precious", tmp_path / "run"
    precious.write_bytes(b"mine")
    run.mkdir()
    (run / MANIFEST).symlink_to(precious)
    write_bytes(run / "a.bin", b"content")
    assert precious.read_bytes() == b"mine"


def test_a_file_that_is_too_large_to_be_held_is_verified_piece_by_piece(tmp_path: Path) -> None:
    look_after(tmp_path)
    path = tmp_path / "a.bin"
    write_bytes(path, b"content")
    with path.open("rb") as file:
        verify_file(path, file)
        assert file.read() == b"content"
    path.write_bytes(b"contenT")
    with path.open("rb") as file, pytest.raises(InputError, match=r"a\.bin' is damaged"):
        verify_file(path, file)
