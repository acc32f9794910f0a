"""Processes that a program starts, and where they find modules."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fieldlens.configs.children import module_path

ROOT = Path(__file__).resolve().parents[2]

STARTS_A_WORKER = """
import multiprocessing
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from fieldlens.configs.children import trusted_children

def shown():
    return sys.path

if __name__ == "__main__":
    os.environ["PYTHONPATH"] += sys.argv[1]
    context = multiprocessing.get_context("spawn")
    with trusted_children():
        event = context.Event()  # starts a helper of multiprocessing's own
        with ProcessPoolExecutor(1, context) as pool:
            print(pool.submit(shown).result())
"""


@pytest.mark.parametrize("relative", ["", os.pathsep, f"{os.pathsep}below"])
def test_a_child_runs_no_module_of_the_working_folder(tmp_path: Path, relative: str) -> None:
    """The first process is started as the installed program is, without the working folder on its path."""
    script, folder = tmp_path / "program" / "main.py", tmp_path / "work"
    for place in (folder, folder / "below"):
        place.mkdir(parents=True)
        for name in ("random", "socket", "selectors", "tempfile"):
            (place / f"{name}.py").write_text("open('I_WAS_RUN', 'a').write(__name__)\nraise SystemExit(3)\n")
    script.parent.mkdir()
    script.write_text(STARTS_A_WORKER)
    run = subprocess.run(
        [sys.executable, script, relative],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert not (folder / "I_WAS_RUN").exists()
    assert repr(str(ROOT)) in run.stdout  # by which the package is found
    assert str(folder) not in run.stdout


def test_the_program_started_as_a_module_runs_no_module_of_the_working_folder(tmp_path: Path) -> None:
    for name in ("random", "numpy", "tyro"):
        (tmp_path / f"{name}.py").write_text("open('I_WAS_RUN', 'a').write(__name__)\nraise SystemExit(3)\n")
    command = [sys.executable, "-m", "fieldlens", "scenes"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert run.returncode == 0, run.stderr
    assert not (tmp_path / "I_WAS_RUN").exists()


def test_only_what_depends_on_the_working_folder_leaves_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lib").mkdir()
    monkeypatch.setenv("PYTHONPATH", f"lib{os.pathsep}{os.pathsep}/somewhere/else")
    monkeypatch.setattr(sys, "path", ["", str(tmp_path), str(tmp_path / "lib"), "relative", "/somewhere/else"])
    assert module_path() == ["/somewhere/else"]


def test_the_folder_of_this_package_stays_also_where_it_is_the_working_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "path", [str(ROOT)])
    assert module_path() == [str(ROOT)]
