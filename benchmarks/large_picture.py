"""What a large picture takes: peak memory of a whole fit, drawing, explanation and report included.

    python -m benchmarks.large_picture [--quick]

Fits a generated 4096x4096 picture (--quick: 1024x1024) of 8-bit RGB for ten seconds.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

from benchmarks.measure import print_json
from fieldlens.scenes.load import load


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="1024x1024 pixels")
    args = parser.parse_args()
    side = 1024 if args.quick else 4096
    with tempfile.TemporaryDirectory() as folder:
        picture = Path(folder) / "large.png"
        small = (load("astronaut").views()[0].target() * 255).astype(np.uint8)
        cv2.imwrite(str(picture), cv2.resize(small, (side, side), interpolation=cv2.INTER_CUBIC))
        del small
        command = [sys.executable, "-m", "fieldlens", "fit", str(picture), "--seconds", "10", "--output-dir", folder]
        started = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        total = time.perf_counter() - started
    peak_gb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / 1e9
    print_json({"pixels": side * side, "peak_gb": peak_gb, "total_seconds": total})


if __name__ == "__main__":
    main()
