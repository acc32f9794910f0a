"""All benchmarks, one after another, as a page; the README's picture comes from the demo's.

python -m benchmarks --write docs/benchmarks.md [--only cells patterns]
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import torch

ARGUMENTS = {
    "quality": [],
    "photo": [],
    "training": [],
    "density": [],
    "patterns": [],
    "confusion": [],
    "explain": [],
    "cells": [],
    "radiance": [],
    "optimizers_of_scenes": [],
    "scenes": [],
    "export": [],
    "first_minutes": [],
    "startup": [],
    "live": [],
    "microscope": [],
    "sweep": [],
    "demo": ["--picture", "docs/pictures/demo.png"],
    "large_picture": [],
}


def machine() -> str:
    """What numbers of today are measured on."""
    return (
        f"{processor()}, {os.cpu_count()} cores, {torch.backends.cpu.get_cpu_capability()}, "
        f"torch {torch.__version__}, Python {platform.python_version()}, {date.today():%B %Y}"
    )


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
    """What one benchmark measures: its command, the machine, and the numbers it printed."""
    command = ["python", "-m", f"benchmarks.{name}", *(["--quick"] if quick else ARGUMENTS[name])]
    printed = subprocess.run([sys.executable, *command[1:]], check=True, stdout=subprocess.PIPE, text=True).stdout
    numbers = json.loads(printed.splitlines()[-1])
    lists = [value for value in numbers.values() if isinstance(value, list)]
    single = [(key, value) for key, value in numbers.items() if not isinstance(value, list)]
    tables = [table([*rows[0]], [[*row.values()] for row in rows]) for rows in lists]
    return "\n".join(
        [f"## {name}\n\n    {' '.join(command)}\n\nOn {machine()}.\n", *tables, table(["number", "value"], single)]
    )


def table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *([text(value) for value in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def sections_of(page: str) -> dict[str, str]:
    """The sections of a page that was written before, by benchmark.

    >>> sections_of("# Benchmarks\\n\\n## cells\\n\\n    python\\n")
    {'cells': '## cells\\n\\n    python\\n'}
    """
    parts = page.split("\n## ")[1:]
    return {part.partition("\n")[0]: f"## {part.rstrip()}\n" for part in parts}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--write", type=Path, required=True)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument(
        "--only", nargs="+", choices=ARGUMENTS, default=[*ARGUMENTS], help="the others stay as they are"
    )
    args = parser.parse_args()
    kept = sections_of(args.write.read_text(encoding="utf-8")) if args.write.exists() else {}
    head = (
        "# Benchmarks\n\n"
        "Made by `python -m benchmarks --write docs/benchmarks.md`. Ratios are of one run, medians of interleaved "
        "rounds; the docstring of each module says what it measures against. Sections may be of different machines.\n"
    )
    sections = kept | {name: section(name, args.quick) for name in args.only}
    page = "\n".join([head, *(sections[name] for name in ARGUMENTS if name in sections)])
    args.write.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
