"""All benchmarks, one after another, as a page; the README's picture comes from the demo's.

python -m benchmarks --write docs/benchmarks.md
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from datetime import date
from pathlib import Path

import torch

ARGUMENTS = {
    "training": [],
    "density": [],
    "patterns": [],
    "confusion": [],
    "cells": [],
    "startup": [],
    "demo": ["--picture", "docs/pictures/demo.png"],
    "large_picture": [],
}


def processor() -> str:
    """The processor's name, as Linux has it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def text(value: float | str) -> str:
    """A number as a person reads it: four digits of what is measured, all of what is counted."""
    return f"{float(f'{value:.4g}'):,.10g}" if isinstance(value, float) else str(value)


def section(name: str, quick: bool) -> str:
    """What one benchmark measures, its command, and the numbers it printed."""
    command = ["python", "-m", f"benchmarks.{name}", *(["--quick"] if quick else ARGUMENTS[name])]
    printed = subprocess.run([sys.executable, *command[1:]], check=True, stdout=subprocess.PIPE, text=True).stdout
    numbers = json.loads(printed.splitlines()[-1])
    rows = "\n".join(f"| {key} | {text(value)} |" for key, value in numbers.items())
    return f"## {name}\n\n    {' '.join(command)}\n\n| number | value |\n|---|---|\n{rows}\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--write", type=Path, required=True)
    parser.add_argument("--quick", action="store_true")
    args = parser.parse_args()
    machine = (
        f"{processor()}, {os.cpu_count()} cores, {torch.backends.cpu.get_cpu_capability()}, "
        f"torch {torch.__version__}, Python {platform.python_version()}, {date.today():%B %Y}"
    )
    head = (
        "# Benchmarks\n\n"
        f"Made by `python -m benchmarks --write docs/benchmarks.md` on {machine}. Ratios are of one run, medians of "
        "interleaved rounds; the docstring of each module says what it measures against.\n"
    )
    args.write.write_text("\n".join([head, *(section(name, args.quick) for name in ARGUMENTS)]), encoding="utf-8")


if __name__ == "__main__":
    main()
