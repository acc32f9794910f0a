"""The demo: how long it takes, how far apart its two runs end, and what drawing costs beside training.

    python -m benchmarks.demo [--quick] [--picture docs/pictures/demo.png]

`drawing_share` is the time of frames, videos and reports over the time of training, both runs and the comparison
together; analysis is in neither. `--picture` keeps the last frame of the video, which is the README's picture.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.measure import print_json
from fieldlens.render.files import write_png
from fieldlens.render.video import read_frames


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the steps")
    parser.add_argument("--picture", type=Path, help="where to write the video's last frame")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "fieldlens", "compare", "--preset", "demo", "--output-dir", folder, "--json"]
        started = time.perf_counter()
        printed = subprocess.run(
            [*command, "--steps", "100"] if args.quick else command,
            check=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ).stdout
        total = time.perf_counter() - started
        result = json.loads(printed)
        if args.picture is not None:
            *_, last = read_frames(Path(result["video"]))
            write_png(args.picture, last)
        report_mb = Path(result["report"]).stat().st_size / 1e6
    raw, encoded = result["runs"]
    training = sum(run["seconds"] for run in result["runs"])
    drawing = sum(run["drawing_seconds"] for run in result["runs"]) + result["drawing_seconds"]
    print_json(
        {
            "total_seconds": total,
            "training_seconds": training,
            "drawing_share": drawing / training,
            "gap_db": encoded["psnr_db"] - raw["psnr_db"],
            **{f"psnr_db_{run['encoding']}": run["psnr_db"] for run in result["runs"]},
            "steps": raw["steps"],
            "report_mb": report_mb,
        }
    )


if __name__ == "__main__":
    main()
