"""The examples run as they stand, and say what they promise."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_a_network_trained_elsewhere_is_analysed_by_the_example() -> None:
    script = ROOT / "examples" / "analyse_your_network.py"
    command = [sys.executable, str(script), "20"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    for words in ("waves: ", "raw coordinates: ", "half width", "effective rank", "finest detail", "cells with"):
        assert words in run.stdout
