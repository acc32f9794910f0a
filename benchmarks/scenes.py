"""The built-in 3D scenes: how well and how soon default settings show them, and what encodings gain on the hard ones.

    python -m benchmarks.scenes [--quick]

Photographs are drawn anew in a cache of its own, so that `first_fit_seconds` is what a person waits for a default
`fieldlens fit demo:lattice` the first time, from the command to the report. `seconds_to` counts training alone, on 90
photographs of the lattice, held-out photographs scored every second of it. The rows compare fits of the default length.

`crane_seconds` are of training on 90 photographs of the crane, with the dB of 10 others then. `microseconds_per_ray` is
what a ray of a training step costs where these photographs are so many pixels wide, and `ray_ratio` how many times that
at 100; the fits of each width take turns, with the same number of rays a step.
"""

import argparse
import itertools
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.measure import interleaved_medians, print_json
from fieldlens.configs.encoding import Fourier
from fieldlens.configs.network import Network
from fieldlens.configs.run import FitConfig, Training
from fieldlens.configs.space import Space
from fieldlens.fitting import fit, initial_state, plan_of
from fieldlens.scenes.demos import DEMOS, photographed
from fieldlens.scenes.posed import PosedScene
from fieldlens.studies.runs.folder import RunFolder
from fieldlens.studies.runs.saved import open_run
from fieldlens.studies.subjects.photographs import PhotographsSubject

HARD = ("lattice", "teapot", "crane")
GOALS_DB = (25.5, 27.0)
LIMIT = 300.0
SLICE = 1.0
LOOKS = (20.0, 60.0, 180.0)
"""Seconds of training after which quality on the crane is told."""
SIDES = (100, 200, 400)
"""Of the crane's photographs, in pixels."""
RAYS, TURN, ROUNDS = 512, 10, 21
"""Rays a step, steps a turn, and turns at each width."""


def quality_over_training(scene: PosedScene, seconds: float) -> Iterator[tuple[float, float]]:
    """Seconds of training by default, and the dB of held-out pixels then: every second, and at the end."""
    config = FitConfig(scene.name, training=Training(seconds=seconds), encoding=Fourier(), network=Network())
    plan = plan_of(config, scene)
    state = initial_state(config, scene, plan.device)
    probe, subject = scene.heldout_probe(20_000), PhotographsSubject(scene, plan.placement.hidden_dtype)
    assert probe is not None  # demo scenes hold photographs out
    for moment in fit(state, scene, plan, snapshot_steps=(), heartbeat=SLICE):
        yield moment.seconds, subject.psnr_db(state.field, probe, subject.hidden_dtype)


def seconds_to(goals_db: tuple[float, ...], limit: float) -> dict[str, float | None]:
    """Seconds of training until 90 photographs of the lattice are shown that well; None for what is not reached."""
    scene = PosedScene(photographed(DEMOS["lattice"], train=90), Space())
    reached: dict[str, float | None] = dict.fromkeys(map(str, goals_db))
    for seconds, quality in quality_over_training(scene, limit):
        for goal in goals_db:
            if quality >= goal and reached[str(goal)] is None:
                reached[str(goal)] = seconds
        if None not in reached.values():
            break
    return reached


def db_after(looks: tuple[float, ...]) -> list[dict[str, float]]:
    """dB of 10 held-out photographs of the crane after so many seconds of training on 90 others."""
    scene = PosedScene(photographed(DEMOS["crane"], train=90, heldout=10), Space())
    curve = list(quality_over_training(scene, max(looks)))
    first = [next(point for point in curve if point[0] >= look) for look in looks]
    return [{"crane_seconds": seconds, "heldout_db": quality} for seconds, quality in first]


def seconds_per_ray(sides: tuple[int, ...], train: int, rounds: int) -> dict[int, float]:
    """What a ray costs in training, by how many pixels wide the crane's photographs are."""

    def turns(side: int) -> Callable[[], object]:
        scene = PosedScene(photographed(DEMOS["crane"], side, train, 1), Space())
        training = Training(steps=10**9, batch_size=RAYS)
        config = FitConfig(scene.name, training=training, encoding=Fourier(), network=Network())
        plan = plan_of(config, scene)
        moments = fit(
            initial_state(config, scene, plan.device), scene, plan, itertools.count(0, TURN), heartbeat=math.inf
        )
        next(moments)  # that of step 0
        return lambda: next(moments)

    medians = interleaved_medians({str(side): turns(side) for side in sides}, rounds)
    return {side: medians[str(side)] / (TURN * RAYS) for side in sides}


def default_fit(scene: str, encoding: str, folder: str, quick: bool) -> tuple[float, dict[str, Any]]:
    """Seconds of a fit from the command to its end, and what it says."""
    command = [
        sys.executable,
        "-m",
        "fieldlens",
        "fit",
        scene,
        "--encoding",
        encoding,
        "--output-dir",
        folder,
        "--json",
    ]
    started = time.perf_counter()
    printed = subprocess.run(
        [*command, "--seconds", "2"] if quick else command,
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ).stdout
    return time.perf_counter() - started, json.loads(printed)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="seconds instead of minutes of training")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["FIELDLENS_CACHE"] = f"{folder}/cache"
        fits = {
            (name, encoding): default_fit(f"demo:{name}", encoding, folder, args.quick)
            for name in HARD
            for encoding in ("fourier:8", "raw")
        }
        first_seconds, first = fits["lattice", "fourier:8"]
        saved = open_run(RunFolder(Path(first["path"])))
        view = saved.view
        drawing = interleaved_medians({"view": lambda: view.draw(saved.field, 200, 200, device=saved.device)}, 3)
        rows = [
            {
                "scene": name,
                **{f"heldout_db_{of}": fits[name, of][1]["heldout_psnr_db"] for of in ("fourier:8", "raw")},
                "gap_db": fits[name, "fourier:8"][1]["heldout_psnr_db"] - fits[name, "raw"][1]["heldout_psnr_db"],
                "steps_fourier:8": fits[name, "fourier:8"][1]["steps"],
                "steps_raw": fits[name, "raw"][1]["steps"],
            }
            for name in HARD
        ]
        per_ray = seconds_per_ray(SIDES, 2 if args.quick else 90, 3 if args.quick else ROUNDS)
        costs = [
            {"side": side, "microseconds_per_ray": 1e6 * seconds, "ray_ratio": seconds / per_ray[SIDES[0]]}
            for side, seconds in per_ray.items()
        ]
        print_json(
            {
                "scenes": rows,
                "crane": db_after((1.0, 2.0) if args.quick else LOOKS),
                "rays": costs,
                "first_fit_seconds": first_seconds,
                "later_fit_seconds": fits["teapot", "raw"][0],
                "training_seconds": first["seconds"],
                "view_200x200_seconds": drawing["view"],
                **{
                    f"seconds_to_{goal}db": found
                    for goal, found in seconds_to(GOALS_DB, 5 if args.quick else LIMIT).items()
                },
            }
        )


if __name__ == "__main__":
    main()
