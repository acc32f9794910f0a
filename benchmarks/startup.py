"""How long a person waits before something is to be seen.

    python -m benchmarks.startup [--quick]

Times whole commands in processes of their own: `fieldlens --help`, the first frame of a fit on disk, and the imports of
the heavy libraries.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.measure import print_json

IMPORTS = ("torch", "cv2", "scipy", "skimage.metrics", "tyro", "imageio.v3")


def seconds_of(command: list[str]) -> float:
    """Wall seconds of a command that must succeed."""
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - started


def first_frame_seconds(scene: str, max_side: int) -> float:
    """Wall seconds from the command `fieldlens fit` to the first frame on disk."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "fieldlens", "fit", scene, "--max-side", str(max_side), "--output-dir", folder]
        started = time.perf_counter()
        process = subprocess.Popen([*command, "--steps", "20"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            while not list(Path(folder).glob("*/*/*/frames/*.png")):
                if process.poll() is not None:
                    raise RuntimeError(f"the fit ended with status {process.returncode} before its first frame")
                time.sleep(0.005)
            return time.perf_counter() - started
        finally:
            process.terminate()
            process.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="one round instead of five")
    parser.add_argument("--scene", default="astronaut")
    parser.add_argument("--max-side", type=int, default=256)
    args = parser.parse_args()
    rounds = 1 if args.quick else 5
    help_command = [sys.executable, "-m", "fieldlens", "--help"]
    fit_help = [sys.executable, "-m", "fieldlens", "fit", "--help"]
    seconds_of(help_command)  # byte code is written once
    frames = [first_frame_seconds(args.scene, args.max_side) for _ in range(rounds)]
    bare = statistics.median(seconds_of([sys.executable, "-c", ""]) for _ in range(rounds))
    imports = {
        name: statistics.median(seconds_of([sys.executable, "-c", f"import {name}"]) for _ in range(rounds)) - bare
        for name in IMPORTS
    }
    print_json(
        {
            "help_seconds": statistics.median(seconds_of(help_command) for _ in range(rounds)),
            "fit_help_seconds": statistics.median(seconds_of(fit_help) for _ in range(rounds)),
            "first_frame_seconds": statistics.median(frames),
            **{f"import_{name.replace('.', '_')}_seconds": seconds for name, seconds in imports.items()},
        }
    )


if __name__ == "__main__":
    main()
