"""Disks without room, limits and read-only folders: one sentence, what was saved before stays, and it goes on later."""

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.support.processes import SMALL_FIT, Ended, Undisturbed, command, made_in
from tests.support.runs import small_picture
from tests.support.same import held_by

WORDS = [*SMALL_FIT, "--network.width", "64", "--network.depth", "3"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    """What a run holds that had room."""
    place = tmp_path_factory.mktemp("whole")
    small_picture(place / "picture.png")
    ended = command(WORDS, place)
    assert ended.status == 0, ended.said
    return Undisturbed("fit", held_by(made_in(place, "fit")[0]), ended.acts)


def goes_on(place: Path) -> Path:
    """Let a run that was ended go on, or begin it anew where it had not begun; gives its folder."""
    begun = made_in(place, "fit")
    ended = command(["fit", "--resume", str(begun[0].relative_to(place))] if begun else WORDS, place)
    assert ended.status == 0, ended.said
    (folder,) = made_in(place, "fit")
    return folder


def refusal(ended: Ended) -> str:
    """The sentence that a command ended with."""
    assert ended.status == 2, ended.said
    assert "Traceback" not in ended.said
    return ended.said.splitlines()[-1]


@pytest.mark.parametrize("largest", [4_000, 60_000, 200_000])
def test_a_limit_of_a_files_size_is_one_sentence_and_the_run_goes_on_without_it(
    tmp_path: Path, whole: Undisturbed, largest: int
):
    small_picture(tmp_path / "picture.png")
    said = refusal(command(WORDS, tmp_path, largest_file=largest))
    assert re.search(r"^fieldlens: cannot write '.*': File too large$", said)
    assert not list(tmp_path.rglob("*.partial"))
    assert held_by(goes_on(tmp_path)) == whole.holds


@contextmanager
def disk_of(size: str, place: Path) -> Iterator[None]:
    """A disk of its own for a folder, of so many bytes."""
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no small disk can be made here: {mounted.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def change_disk(place: Path, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", str(place)], check=True)


needs_mount = pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root may mount a small disk")


@needs_mount
@pytest.mark.parametrize("size", ["60k", "240k", "600k"])
def test_a_disk_that_fills_up_is_one_sentence_and_the_run_goes_on_once_there_is_room(
    tmp_path: Path, whole: Undisturbed, size: str
):
    place = tmp_path / "disk"
    with disk_of(size, place):
        with suppress(OSError):
            small_picture(place / "picture.png")
        said = refusal(command(WORDS, place))
        assert "No space left on device" in said
        change_disk(place, "size=50m")
        assert held_by(goes_on(place)) == whole.holds


@needs_mount
def test_a_disk_that_is_read_only_is_one_sentence_and_the_run_goes_on_once_it_is_not(
    tmp_path: Path, whole: Undisturbed
):
    place = tmp_path / "disk"
    with disk_of("50m", place):
        small_picture(place / "picture.png")
        assert command(WORDS, place, before_act=whole.first_act("explain.json")).was_killed
        (folder,) = made_in(place, "fit")
        change_disk(place, "ro")
        before = held_by(folder)
        here = str(folder)
        for words in (["fit", "--resume", here], ["render", here, "--video"], ["render", here], ["analyze", here]):
            said = refusal(command(words, place))
            assert "Read-only file system" in said or "is read-only" in said
        made = command(["render", here, "--file", str(tmp_path / "drawn.png")], place)
        assert made.status == 0, made.said
        assert held_by(folder) == before
        change_disk(place, "rw")
        assert held_by(goes_on(place)) == whole.holds
