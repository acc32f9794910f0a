"""The examples run as they stand, and say what they promise."""

import os
import subprocess
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from traitlets.config import Config

from tests.support.runs import small_picture

ROOT = Path(__file__).resolve().parent.parent


def test_every_example_is_run_here() -> None:
    here = Path(__file__).read_text(encoding="utf-8")
    assert [path.name for path in (ROOT / "examples").iterdir() if path.is_file() and path.name not in here] == []


def test_a_picture_is_fitted_by_the_example(tmp_path: Path) -> None:
    picture = small_picture(tmp_path / "photo.png")
    command = [sys.executable, str(ROOT / "examples" / "fit_a_picture.py"), str(picture), "raw", "0.1"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert " dB after " in run.stdout
    assert len(list(tmp_path.glob("outputs/photo/raw*/*/report.html"))) == 1


def test_a_network_trained_elsewhere_is_analysed_by_the_example() -> None:
    script = ROOT / "examples" / "analyse_your_network.py"
    command = [sys.executable, str(script), "20"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    for words in ("waves: ", "raw coordinates: ", "half width", "effective rank", "finest detail", "cells with"):
        assert words in run.stdout


def test_the_notebook_runs_from_top_to_bottom_and_is_kept_without_what_it_showed(tmp_path: Path) -> None:
    notebook = nbformat.read(ROOT / "examples" / "notebook.ipynb", as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [(cell.outputs, cell.execution_count) for cell in cells] == [([], None)] * len(cells)
    by_file = Config(KernelManager={"transport": "ipc", "ip": str(tmp_path / "kernel")})  # no ports
    client = NotebookClient(notebook, config=by_file, timeout=600, resources={"metadata": {"path": str(tmp_path)}})
    client.execute(env=os.environ | {"PYTHONPATH": str(ROOT), "IPYTHONDIR": str(tmp_path)})
    shown = [output.get("data", {}) for cell in cells for output in cell.outputs]
    assert sum("<iframe" in data.get("text/html", "") for data in shown) == 2, "of the fit and of the comparison"
    assert sum("image/png" in data for data in shown) == 1
    assert "crossings of creases per pixel" in shown[-1]["text/plain"]
