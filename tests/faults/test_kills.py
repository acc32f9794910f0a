"""SIGKILL at any moment of a fit, a comparison or a sweep costs nothing but time: it goes on to the same bytes."""

import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.processes import MARKS, SMALL, SMALL_FIT, Undisturbed, command, made_in
from tests.support.runs import small_picture
from tests.support.same import held_by

WORDS = {
    "fit": [*SMALL_FIT, "--network.width", "8", "--network.depth", "2"],
    "comparison": ["compare", "picture.png", "--encodings", "raw", "fourier:2", "--networks", "2x8", *SMALL],
    "sweep": ["compare", "picture.png", "--encodings", "raw", "--networks", "2x8", "--seeds", "2", *SMALL],
}
LAST = {"fit": [], "comparison": ["compare.json"], "sweep": ["table.csv", "summary.csv", "means.pdf", "sweep.json"]}
"""What is written after the last fit of each."""


@pytest.fixture(scope="module", params=WORDS)
def undisturbed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    place = tmp_path_factory.mktemp(request.param)
    small_picture(place / "picture.png")
    ended = command(WORDS[request.param], place)
    assert ended.status == 0, ended.said
    return Undisturbed(request.param, held_by(made_in(place, request.param)[0]), ended.acts)


def kill_and_go_on(place: Path, undisturbed: Undisturbed, **moment: Any) -> None:
    """Kill a command, and let it go on as a person would: from its folder, or anew where it had not begun one."""
    small_picture(place / "picture.png")
    words = WORDS[undisturbed.made]
    killed = command(words, place, **moment)
    assert killed.was_killed or "after_seconds" in moment, killed.said
    begun = made_in(place, undisturbed.made)
    ended = command([words[0], "--resume", str(begun[0].relative_to(place))] if begun else words, place)
    assert ended.status == 0, ended.said
    (folder,) = made_in(place, undisturbed.made)
    assert held_by(folder) == undisturbed.holds


def test_acts_of_every_phase_are_known_so_that_kills_hit_each(undisturbed: Undisturbed):
    phases = ["target.npz", MARKS[undisturbed.made], "metrics.csv", ".safetensors", "explain.json", "encoder"]
    for phase in [*phases, "progress.mp4", "report.html", "run.json", *LAST[undisturbed.made]]:
        assert any(act.endswith(phase) for act in undisturbed.acts), phase


@pytest.mark.parametrize("share", [0.04, 0.55, 0.97])
def test_a_kill_costs_nothing_but_time(undisturbed: Undisturbed, tmp_path: Path, share: float):
    kill_and_go_on(tmp_path, undisturbed, before_act=int(share * len(undisturbed.acts)))


def test_a_folder_that_was_killed_and_moved_goes_on_where_it_is_without_the_picture(
    undisturbed: Undisturbed, tmp_path: Path
):
    here, there, words = tmp_path / "here", tmp_path / "another machine", WORDS[undisturbed.made]
    for place in (here, there):
        place.mkdir()
    small_picture(here / "picture.png")
    assert command(words, here, before_act=len(undisturbed.acts) // 2).was_killed
    (folder,) = made_in(here, undisturbed.made)
    shutil.copytree(folder, there / "renamed")
    shutil.rmtree(here)
    ended = command([words[0], "--resume", "renamed"], there)
    assert ended.status == 0, ended.said
    assert held_by(there / "renamed") == undisturbed.holds
    assert not here.exists()


@pytest.mark.slow
@pytest.mark.parametrize("number", range(50))
def test_a_kill_at_any_of_fifty_moments_costs_nothing_but_time(undisturbed: Undisturbed, tmp_path: Path, number: int):
    chosen: Callable[[], float] = random.Random(f"{undisturbed.made} {number}").random
    if number % 2:
        kill_and_go_on(tmp_path, undisturbed, before_act=int(chosen() * len(undisturbed.acts)))
    else:  # within a step, a product of matrices, a compiler: wherever that may be on this machine
        kill_and_go_on(tmp_path, undisturbed, after_seconds=2.0 * chosen())


def test_folders_are_not_taken_for_the_same_where_a_bit_of_any_file_differs(tmp_path: Path):
    held = {"a.bin": b"\x00\x01", "b.csv": b"step,seconds\n1,2.5\n", "c.json": b'{"seconds": 2.5, "psnr_db": 20}'}
    for name, data in held.items():
        (tmp_path / name).write_bytes(data)
    before = held_by(tmp_path)
    (tmp_path / "b.csv").write_bytes(held["b.csv"].replace(b"2.5", b"9.5"))
    (tmp_path / "c.json").write_bytes(held["c.json"].replace(b"2.5", b"9.5"))
    assert held_by(tmp_path) == before, "a clock may tell another time"
    for name, at in (("a.bin", 1), ("b.csv", 13), ("c.json", 29)):
        flipped = bytearray((tmp_path / name).read_bytes())
        flipped[at] ^= 1
        (tmp_path / name).write_bytes(flipped)
        assert held_by(tmp_path) != before
        (tmp_path / name).write_bytes(held[name])
    (tmp_path / "left.over").touch()
    assert held_by(tmp_path) != before
