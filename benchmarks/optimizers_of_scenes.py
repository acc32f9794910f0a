"""Adam and Muon at some of their rates, for radiance fields and for shapes, in equal seconds.

    python -m benchmarks.optimizers_of_scenes [--seconds 10] [--seeds 1] [--only teapot lattice occupancy sdf]

Adam's rates are multiples of the encoding's own. Of Muon the first is its own rate, the second the multiple by which
Adam moves the rest. All else is as `fieldlens fit` has it. A fit ends after so many seconds of the processor on one
thread, so that a busy machine is no hindrance. Scores are -10 log10 of the scene's own loss at what is held out: for
photographs PSNR, for shapes points of another seed. They are means over seeds, with the spread (the sample standard
deviation) where there are several. A fit whose loss or weights are no numbers has diverged; it is counted and has no
score, nor has the row that it is in. Shapes are a gyroid in a ball, which has thin walls.
"""

import argparse
import itertools
import math
import statistics
import sys
import time
from typing import Any

import torch
from torch import Tensor

from benchmarks.measure import print_json
from fieldlens.analysis.creases.surface import extract_surface
from fieldlens.configs.encoding import Fourier
from fieldlens.configs.network import Network
from fieldlens.configs.optimizer import Adam, Muon, Optimizer, default_learning_rate
from fieldlens.configs.run import FitConfig, Training
from fieldlens.fitting import fit, initial_state, plan_of
from fieldlens.scenes.load import load
from fieldlens.scenes.posed import PosedScene
from fieldlens.scenes.scene import Scene
from fieldlens.scenes.shape import SHAPE_KINDS, Shape

PHOTOGRAPHED = ("teapot", "lattice")
CHOICES: tuple[tuple[Optimizer, float], ...] = (
    *((Adam(), factor) for factor in (1.0, 2.0)),
    *((Muon(rate), factor) for rate, factor in ((0.01, 2.0), (0.02, 1.0), (0.02, 2.0), (0.05, 2.0))),
)
"""An optimizer, and what the encoding's own rate is multiplied by for Adam."""
LOOK_EVERY = 5
"""Steps between two looks at the clock."""
POOL, HELDOUT = 2**16, 20_000
AT_ONCE = 2048


def gyroid(x: Tensor) -> Tensor:
    """Negative in the walls of a gyroid within a ball, in the unit cube."""
    turned = 6 * math.pi * x
    wave = (turned.sin() * turned.roll(1, 1).cos()).sum(1, keepdim=True)
    return torch.maximum(wave.abs() - 0.35, 12 * ((x - 0.5).norm(dim=1, keepdim=True) - 0.42))


def scene_and_heldout(name: str) -> tuple[Scene[Any, Any], list[Any]]:
    """A scene, and batches of what it is scored on."""
    if name in PHOTOGRAPHED:
        scene = load(f"demo:{name}")
        assert isinstance(scene, PosedScene)
        probe = scene.heldout_probe(HELDOUT)
        assert probe is not None  # the built-in scenes hold views out
        return scene, list(probe.split(AT_ONCE))
    kind = "sdf" if name == "sdf" else "occupancy"
    mesh = extract_surface(gyroid, 64)
    scene, other = Shape(mesh, kind, pool_size=POOL), Shape(mesh, kind, seed=1, pool_size=HELDOUT)
    assert len(scene.pool.values) == POOL  # which is made now, and not in the first step
    return scene, [other.pool]


LEAST_LOSS = 1e-10
"""A loss below it, which is 100 dB, counts as this: 0 has no logarithm."""


def decibels(loss: float) -> float | None:
    """-10 log10 of a loss; None for that of a fit that diverged, which is no number.

    >>> decibels(0.01), decibels(0.0), decibels(math.nan)
    (20.0, 100.0, None)
    """
    return -10 * math.log10(max(loss, LEAST_LOSS)) if math.isfinite(loss) else None


def summary(scores: list[float | None]) -> dict[str, float | int | None]:
    """The mean of the seeds' scores and their sample standard deviation; neither where one of them diverged.

    >>> summary([20.0, 22.0])
    {'score_db': 21.0, 'spread_db': 1.41, 'diverged': 0}
    >>> summary([20.0, None])
    {'score_db': None, 'spread_db': None, 'diverged': 1}
    """
    known = [each for each in scores if each is not None]
    whole = len(known) == len(scores)
    return {
        "score_db": round(statistics.fmean(known), 2) if whole else None,
        "spread_db": round(statistics.stdev(known), 2) if whole and len(known) > 1 else None,
        "diverged": len(scores) - len(known),
    }


def score(
    scene: Scene[Any, Any], heldout: list[Any], optimizer: Optimizer, rate: float, seconds: float, seed: int
) -> tuple[float | None, int]:
    """Decibels of the loss of what is held out, after so many seconds of training; and the steps that were taken."""
    training = Training(steps=10**9, learning_rate=rate, optimizer=optimizer, precision="fp32", device="cpu")
    config = FitConfig("", training, encoding=Fourier(), network=Network(), seed=seed)
    state = initial_state(config, scene)
    until = time.process_time() + seconds
    for _ in fit(state, scene, plan_of(config, scene), itertools.count(0, LOOK_EVERY)):
        if time.process_time() >= until:
            break
    if not all(parameter.isfinite().all() for parameter in state.field.parameters()):
        return None, state.step  # of photographs the grid is empty then, and the background has a loss like any other
    with torch.inference_mode():
        losses = [scene.loss(scene.predict(state.field, batch), batch).item() for batch in heldout]
    sizes = [len(batch.values) for batch in heldout]
    mean = sum(loss * size for loss, size in zip(losses, sizes, strict=True)) / sum(sizes)
    return decibels(mean), state.step


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    names = (*PHOTOGRAPHED, *SHAPE_KINDS)
    parser.add_argument("--quick", action="store_true", help="half a second for each fit")
    parser.add_argument("--seconds", type=float, default=10.0, help="of the processor, for each fit")
    parser.add_argument("--seeds", type=int, default=1, help="fits of each, that differ in their seed")
    parser.add_argument("--only", nargs="+", choices=names, default=names)
    args = parser.parse_args()
    torch.set_num_threads(1)
    seconds = 0.5 if args.quick else args.seconds
    own = default_learning_rate(Fourier(), Network(), Adam())
    rows = []
    for name in args.only:
        scene, heldout = scene_and_heldout(name)
        for optimizer, factor in CHOICES:
            found = [score(scene, heldout, optimizer, factor * own, seconds, seed) for seed in range(args.seeds)]
            row = {"scene": name, "optimizer": str(optimizer), "rate_factor": factor}
            steps = round(statistics.fmean(steps for _, steps in found))
            rows.append(row | summary([score_db for score_db, _ in found]) | {"steps": steps})
            print(rows[-1], file=sys.stderr, flush=True)
    print_json(
        {"scores": rows, "seconds": seconds, "seeds": args.seeds, "learning_rate": own, "encoding": str(Fourier())}
    )


if __name__ == "__main__":
    main()
