"""What makes a photograph sharp quickly, in dB after equal seconds: `fit --preset photo` is chosen by it.

    python -m benchmarks.photo [--quick]

Each fits three photographs of 512x512 pixels at most, by its own optimizer and rates. Seconds are those that one thread
spends on training, by the processor's clock, so that a shared machine tells the same.
The table has means over pictures.
"""

import argparse
import statistics
import time
from collections.abc import Sequence

import torch

from benchmarks.measure import print_json
from fieldlens.analysis import psnr_db
from fieldlens.configs.encoding import parse_encoding
from fieldlens.configs.network import parse_network
from fieldlens.configs.run import FitConfig, Target, Training
from fieldlens.fitting import fit, initial_state, plan_of
from fieldlens.scenes.load import load
from fieldlens.scenes.picture import Picture

PICTURES = ("astronaut", "coffee", "chelsea")
CANDIDATES = (
    ("fourier:8", "4x128"),
    ("gaussian:10", "4x128"),
    ("hashgrid:16", "2x64"),
    ("hashgrid:16", "2x128"),
    ("hashgrid:16", "4x128"),
)
"""Encodings and networks; the first is that of a fit of which nothing is chosen but the encoding."""
LOOKS = (5.0, 15.0, 30.0)
"""Seconds after which a fit is scored."""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="one picture of 128 px, two looks")
    args = parser.parse_args()
    torch.set_num_threads(1)
    pictures, side, looks = (PICTURES[:1], 128, LOOKS[:2]) if args.quick else (PICTURES, 512, LOOKS)
    rows = []
    for encoding, network in CANDIDATES:
        fits = [scores(encoding, network, name, side, looks) for name in pictures]
        means = [statistics.mean(at_look) for at_look in zip(*fits, strict=True)]
        rows.append(
            {"encoding": encoding, "network": network} | {f"{s:g} s": db for s, db in zip(looks, means, strict=True)}
        )
        print(encoding, network, *(f"{db:.2f}" for db in means), flush=True)
    rounded = [{key: v if isinstance(v, str) else round(v, 2) for key, v in row.items()} for row in rows]
    print_json({"rows": rounded, "threads": 1})


def scores(encoding: str, network: str, name: str, side: int, looks: Sequence[float]) -> list[float]:
    """PSNR in dB of the whole picture after each of some seconds of training."""
    picture = load(name, Target(max_side=side))
    assert isinstance(picture, Picture)
    config = FitConfig(name, Training(steps=10**9), encoding=parse_encoding(encoding), network=parse_network(network))
    plan = plan_of(config, picture)
    state = initial_state(config, picture, plan.device)
    moments = fit(state, picture, plan, snapshot_steps=(), heartbeat=0.1)
    next(moments)
    found, spent = list[float](), 0.0
    for look in looks:
        while spent < look:
            started = time.process_time()
            next(moments)
            spent += time.process_time() - started
        with torch.inference_mode():
            found.append(psnr_db(picture.target(), picture.draw(state.field).clip(0, 1)))
    return found


if __name__ == "__main__":
    main()
