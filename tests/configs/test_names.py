"""Folders' names: safe on every file system and in every shell, and told apart where the names are."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldlens.configs.names import folder_in, folder_name, known_folder

DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{digit}" for port in ("com", "lpt") for digit in "0123456789¹²³")}
"""From Microsoft's "Naming Files, Paths, and Namespaces"."""

WINDOWS_REFUSES = set('<>:"/\\|?*') | {chr(code) for code in range(32)}
SHELLS_READ = set(" \t\n$`'\"\\&;|<>()[]{}*?!#~^=,@%")


@given(st.text(st.characters(codec=None)))
def test_any_name_gives_one_that_windows_and_every_shell_take(name: str) -> None:
    folder = folder_name(name)
    assert not WINDOWS_REFUSES & set(folder)
    assert not SHELLS_READ & set(folder)
    assert not folder.endswith(".")
    assert folder.partition(".")[0].lower() not in DEVICES
    assert 0 < len(folder.encode()) <= 143  # strict: nor is there a lone surrogate


@pytest.mark.parametrize("name", ["CON", "con.txt", "Lpt1", "COM¹", "aux."])
def test_what_windows_takes_for_a_device_is_not_a_name(name: str) -> None:
    assert folder_name(name).startswith("_")


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("fourier:8 4x128", "fourier-8_4x128"),
        ("raw:-2..2 2x16,sine,bias_spread=4", "raw--2..2_2x16_sine_bias_spread-4"),
        ("signal:5,10,samples=200", "signal-5_10_samples-200"),
        ("my photo (copy)", "my_photo_copy"),
        ("Straße 東京", "Straße_東京"),
        ("e\u0301", "é"),  # as macOS writes it
        ("a.b.", "a.b"),
        ("../x", "x"),
        ("", "scene"),
        ("...", "scene"),
    ],
)
def test_a_folder_is_named_as_a_person_would(name: str, folder: str) -> None:
    assert folder_name(name) == folder


def test_long_names_that_differ_at_their_ends_have_folders_of_their_own() -> None:
    names = ["x" * 200 + end for end in "ab"] + ["😀" * 60 + end for end in "ab"]
    folders = [folder_name(name) for name in names]
    assert len(set(folders)) == 4
    assert all(re.search(r"_[0-9a-f]{8}$", folder) for folder in folders)


def test_names_that_differ_in_case_share_a_folder_that_others_may_share(tmp_path: Path) -> None:
    (tmp_path / "Cat").mkdir()
    assert folder_in(tmp_path, "cat") == tmp_path / "Cat"
    assert folder_in(tmp_path, "dog") == tmp_path / "dog"
    assert folder_in(tmp_path / "missing", "dog") == tmp_path / "missing" / "dog"


@pytest.mark.parametrize(
    ("name", "earlier"),
    [("raw 4x128", "raw:-1..1 4x128"), ("fourier:8 4x128", "fourier:8 4x128"), ("raw:0..1 1x8", "raw:0..1 1x8")],
)
def test_a_folder_that_an_earlier_version_made_is_found(tmp_path: Path, name: str, earlier: str) -> None:
    assert known_folder(tmp_path, name) == tmp_path / folder_name(name)
    (tmp_path / earlier).mkdir()
    assert known_folder(tmp_path, name) == tmp_path / earlier
    (tmp_path / folder_name(name)).mkdir()
    assert known_folder(tmp_path, name) == tmp_path / folder_name(name)
