"""What numba keeps on the disk spares time, and its absence or damage costs nothing else."""

import importlib.util
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from fieldlens.analysis.partition.compiled import compiled

SOURCE = "def twice(x):\n    return x * 2\n"


def imported(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("kept", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Any]:
    """Gives a compiled function as a new command has it: its code is at most on the disk."""
    monkeypatch.setattr("numba.core.config.CACHE_DIR", "")
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    (tmp_path / "installed").mkdir()
    (tmp_path / "installed" / "kept.py").write_text(SOURCE)
    return lambda: compiled(imported(tmp_path / "installed" / "kept.py").twice)


def kept(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "installed").glob("__pycache__/*.nb[ci]"))


def test_code_is_kept_beside_its_file_and_found_again(anew: Callable[[], Any], tmp_path: Path):
    assert anew()(21) == 42
    assert [file.suffix for file in kept(tmp_path)] == [".nbc", ".nbi"]
    again = anew()
    assert again(21) == 42
    assert sum(again.stats.cache_hits.values()) == 1


def test_without_a_place_to_keep_it_code_is_compiled_each_time(
    anew: Callable[[], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "installed" / "__pycache__").write_text("no folder can be made here")
    monkeypatch.setattr("numba.core.caching.AppDirs", lambda *_, **__: type("", (), {"user_cache_dir": "/proc/nohome"}))
    assert anew()(21) == 42
    assert kept(tmp_path) == []


@pytest.mark.parametrize("content", [b"", b"\x80\x05garbage", None])
def test_damaged_code_is_made_again(anew: Callable[[], Any], tmp_path: Path, content: bytes | None):
    anew()(21)
    for file in kept(tmp_path):
        data = file.read_bytes()
        file.write_bytes(data[: len(data) // 2] if content is None else content)
    assert anew()(21) == 42
    mended = anew()
    assert mended(21) == 42
    assert sum(mended.stats.cache_hits.values()) == 1


def test_a_full_disk_is_no_reason_to_stop(anew: Callable[[], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(*_: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "replace", full)
    assert anew()(21) == 42
    assert kept(tmp_path) == []
