"""How long each of README's five commands takes, whole: training, drawing, explanation, video and report.

    python -m benchmarks.first_minutes [--quick]

The commands are read from the section "The first five minutes". `photo.jpg` is a built-in photograph of 512x512 pixels.
A page that is served (`--live`) ends when a person says so, so that option is left out. The first command also makes
what is compiled once on a machine.
"""

import argparse
import re
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

from benchmarks.measure import print_json
from fieldlens.configs.run import Target
from fieldlens.render.files import write_picture
from fieldlens.scenes.load import load
from fieldlens.scenes.picture import Picture

ROOT = Path(__file__).resolve().parent.parent
SECTION = re.compile(r"## The first five minutes\n(.*?)\n## ", re.DOTALL)
SHORT = {"fit": ["--steps", "4", "--quick"], "compare": ["--steps", "4", "--quick"]}
"""Of `--quick`, by verb."""


def commands() -> list[list[str]]:
    """The words of each command, after `fieldlens`."""
    found = SECTION.search((ROOT / "README.md").read_text(encoding="utf-8"))
    if found is None:
        raise RuntimeError("README.md has no section of that name")
    lines = re.findall(r"^    fieldlens (.*)$", found[1], re.MULTILINE)
    return [[word for word in shlex.split(line) if word not in ("--live", "--preview")] for line in lines]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="four steps of each, to see that it works")
    args = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        photograph = load("astronaut", Target())
        assert isinstance(photograph, Picture)
        write_picture(Path(folder) / "photo.jpg", photograph.pixels)
        for words in commands():
            command = [sys.executable, "-m", "fieldlens", *words, *(SHORT.get(words[0], []) if args.quick else [])]
            started = time.perf_counter()
            subprocess.run(command, check=True, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            rows.append({"command": shlex.join(["fieldlens", *words]), "seconds": time.perf_counter() - started})
    print_json({"commands": rows, "threads": torch.get_num_threads()})


if __name__ == "__main__":
    main()
