"""A fit's folder comes back as it was, or not at all; and nothing is written beside it."""

import io
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldlens.configs.errors import InputError
from fieldlens.studies.making import parcel
from fieldlens.studies.making.parcel import files_in, lay_out, packed, unpack


def archive(*members: tuple[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", compression) as file:
        for name, content in members:
            file.writestr(zipfile.ZipInfo(name), content, compression)
    return data.getvalue()


def whole(folder: Path) -> bytes:
    return packed(folder, files_in(folder))


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


NAMES = st.text("abé. ", min_size=1, max_size=6).filter(lambda name: name not in (".", ".."))


@given(st.dictionaries(NAMES, st.binary(max_size=50), min_size=1, max_size=4), NAMES)
def test_what_is_packed_comes_out_as_it_was(tmp_path_factory: pytest.TempPathFactory, content: dict, name: str) -> None:
    path = tmp_path_factory.mktemp("parcel")
    folder = path / "sent" / name / "fit"
    (folder / "deeper").mkdir(parents=True)
    for file, data in content.items():
        (folder / f"{file}.bin").write_bytes(data)
        (folder / "deeper" / f"{file}.bin").write_bytes(data[::-1])
    place = unpack(whole(path / "sent"), path / "got")
    assert place == path / "got" / name / "fit"
    assert files(path / "got") == files(path / "sent")


def test_the_same_files_are_the_same_bytes_and_links_are_left_out(tmp_path: Path) -> None:
    for place, order in (("one", "ab"), ("two", "ba")):
        (tmp_path / place / "fit").mkdir(parents=True)
        for name in order:
            (tmp_path / place / "fit" / name).write_text(name)
    (tmp_path / "two" / "fit" / "link").symlink_to("/etc/passwd")
    assert whole(tmp_path / "one") == whole(tmp_path / "two")


def test_the_files_that_are_named_are_laid_out_where_they_were_and_no_others(tmp_path: Path) -> None:
    for name in ("scenes/one.npz", "scenes/two.npz", "scenes.json"):
        (tmp_path / "here" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "here" / name).write_text(name)
    named = [tmp_path / "here" / name for name in ("scenes.json", "scenes/two.npz")]
    there = lay_out(packed(tmp_path / "here", named), tmp_path / "there")
    assert there == [tmp_path / "there" / name for name in ("scenes.json", "scenes/two.npz")]
    assert files(tmp_path / "there") == {name: name.encode() for name in ("scenes.json", "scenes/two.npz")}
    assert lay_out(packed(tmp_path, ()), tmp_path / "empty") == []


def test_files_that_are_too_many_to_be_sent_are_refused_and_so_is_one_that_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(bytes(60))
    monkeypatch.setattr(parcel, "MOST_BYTES", 120)
    assert packed(tmp_path, files_in(tmp_path))
    monkeypatch.setattr(parcel, "MOST_BYTES", 119)
    with pytest.raises(InputError, match=r"has 120 bytes for one fit, more than the 119 .*docs/cluster\.md"):
        packed(tmp_path, files_in(tmp_path))
    with pytest.raises(InputError, match=r"cannot read .*c'"):
        packed(tmp_path, [tmp_path / "c"])


def test_a_folder_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    (tmp_path / "runs" / "fit").mkdir(parents=True)
    for name in ("old", "config.yaml"):
        (tmp_path / "runs" / "fit" / name).touch()
    (tmp_path / "runs" / "other").touch()
    unpack(archive(("runs/fit/new", b"1"), ("runs/fit/deeper/new", b"2")), tmp_path)
    assert files(tmp_path) == {"runs/fit/new": b"1", "runs/fit/deeper/new": b"2", "runs/other": b""}


@pytest.mark.parametrize("name", ["runs/a", "runs/config.yaml", "runs/fit/a"])
def test_a_folder_that_is_no_fits_stays(tmp_path: Path, name: str) -> None:
    """An archive whose one folder is called as that of a whole study would take all of its place."""
    (tmp_path / "runs" / "fit" / "deeper").mkdir(parents=True)
    (tmp_path / "runs" / "fit" / "deeper" / "old").touch()
    with pytest.raises(InputError, match="is no fit's folder, and stays"):
        unpack(archive((name, b"1")), tmp_path)
    assert files(tmp_path) == {"runs/fit/deeper/old": b""}


def test_what_was_there_stays_where_the_new_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "fit").mkdir()
    (tmp_path / "fit" / "config.yaml").touch()
    with pytest.raises(InputError, match="cannot write"):
        unpack(archive(("fit/a", b"1"), ("fit/a/b", b"1")), tmp_path)
    assert files(tmp_path) == {"fit/config.yaml": b""}


WHOLE = archive(("fit/a", b"1" * 20), ("fit/deeper/b", b"2" * 20))
DAMAGED = {
    "nothing": b"",
    "no archive": b"PK and no more",
    "cut short": archive(("fit/a", b"1" * 100))[:-30],
    "a flipped bit": archive(("fit/a", b"1" * 100)).replace(b"1111", b"1110"),
    "no files": archive(),
    "no folder": archive(("a", b"1")),
    "two folders": archive(("fit/a", b"1"), ("other/a", b"1")),
    "above": archive(("fit/a", b"1"), ("fit/../../b", b"1")),
    "from the root": archive(("/fit/a", b"1")),
    "a folder of its own": archive(("fit/./a", b"1")),
    "backslashes": archive(("fit\\..\\..\\a", b"1")),
    "a folder": archive(("fit/a/", b"")),
    "a line's end": archive(("fit/a\nb", b"1")),
    "too long": archive(("fit/" + "a" * 2000, b"1")),
    "compressed": archive(("fit/a", b"1" * 10_000), compression=zipfile.ZIP_DEFLATED),
    "a file that is a folder too": archive(("fit/a", b"1"), ("fit/a/b", b"1")),
}


@pytest.mark.parametrize("data", DAMAGED.values(), ids=DAMAGED)
def test_what_came_damaged_or_leads_elsewhere_is_refused_and_nothing_is_written(tmp_path: Path, data: bytes) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    with pytest.raises(InputError, match=r"came damaged|cannot write"):
        unpack(data, inside)
    assert files(tmp_path) == {}


@given(st.lists(st.tuples(st.integers(0, 10**4), st.integers(0, 255)), min_size=1, max_size=4), st.integers(0, 10**4))
def test_an_archive_with_any_bytes_changed_is_refused_or_stays_below_the_folder(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, int]], end: int
) -> None:
    path, data = tmp_path_factory.mktemp("parcel"), bytearray(WHOLE)
    for at, value in changes:
        data[at % len(data)] = value
    (path / "inside").mkdir()
    with suppress(InputError):
        unpack(bytes(data[: end if end < len(data) // 2 else None]), path / "inside")
    assert {place.name for place in path.iterdir()} == {"inside"}
    assert not list(path.rglob(".*.partial"))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="twice"):
        unpack(archive(("fit/a", b"1"), ("fit/a", b"2")), tmp_path)
    assert files(tmp_path) == {}
