"""The small search behind the default learning rates.

    python -m benchmarks.learning_rates [--write docs/learning_rates.md]

Every encoding is fitted to the same pictures for equal steps at each of a ladder of rates, everything else as
`fieldlens fit` has it. The table gives the mean PSNR over the pictures. The default in `configs/optimizer.py` is the
lowest rate within half a decibel of the best one: what a higher rate gains by less than that is noise, and it is nearer
to where fits diverge.
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.measure import print_json
from fieldlens.configs.encoding import parse_encoding
from fieldlens.configs.network import Network
from fieldlens.configs.run import FitConfig, Target, Training
from fieldlens.fitting import fit, initial_state, plan_of
from fieldlens.scenes.load import load
from fieldlens.scenes.picture import Picture

PICTURES = ("astronaut", "coffee")
RATES = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2)
MARGIN_DB = 0.5
ENCODINGS = ("raw", "raw:0..1", "basic", "fourier:4", "fourier:8", "positional:6", "gaussian:10", "hashgrid:16")


def psnr_after(picture: Picture, encoding: str, network: Network, training: Training) -> float:
    """PSNR over the whole picture after the training."""
    config = FitConfig(picture.name, training, encoding=parse_encoding(encoding), network=network)
    plan = plan_of(config, picture)
    state = initial_state(config, picture, plan.device)
    for _ in fit(state, picture, plan, snapshot_steps=()):
        pass
    error = picture.target() - picture.draw(state.field, device=plan.placement.device).clip(0, 1)
    return float(-10 * np.log10(np.square(error, dtype=np.float64).mean()))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--write", type=Path, help="write the table to this file")
    parser.add_argument("--side", type=int, default=128)
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--batch-size", type=int, default=2048)
    args = parser.parse_args()
    training = Training(steps=args.steps, batch_size=args.batch_size)
    pictures = [load(name, Target(max_side=args.side)) for name in PICTURES]
    rows = [(word, word, Network(width=args.width)) for word in ENCODINGS]
    rows.append(("raw, sine network", "raw", Network(width=args.width, activation="sine")))
    best: dict[str, float] = {}
    lines = ["| encoding | " + " | ".join(f"{rate:g}" for rate in RATES) + " |", "|---|" + "---|" * len(RATES)]
    for label, encoding, network in rows:
        means = []
        for rate in RATES:
            tried = replace(training, learning_rate=rate)
            scores = [psnr_after(p, encoding, network, tried) for p in pictures if isinstance(p, Picture)]
            means.append(float(np.mean(scores)))
            print(f"{label:>18} {rate:8g} {means[-1]:7.2f} dB", file=sys.stderr, flush=True)
        chosen = next(i for i, mean in enumerate(means) if mean > max(means) - MARGIN_DB)
        best[label] = RATES[chosen]
        cells = [f"**{mean:.2f}**" if i == chosen else f"{mean:.2f}" for i, mean in enumerate(means)]
        lines.append(f"| {label} | " + " | ".join(cells) + " |")
    if args.write:
        protocol = (
            f"PSNR in dB, mean over {', '.join(PICTURES)} reduced to {args.side} px; 4x{args.width}, "
            f"{args.steps} steps of {args.batch_size} pixels, schedule {training.schedule}, seed 0. In bold the "
            f"default: the lowest rate within {MARGIN_DB:g} dB of the best.\n\n"
            "Made by `python -m benchmarks.learning_rates --write docs/learning_rates.md`.\n"
        )
        args.write.write_text(
            "# Default learning rates\n\n" + protocol + "\n" + "\n".join(lines) + "\n", encoding="utf-8"
        )
    print_json({"best": best, "steps": args.steps, "side": args.side})


if __name__ == "__main__":
    main()
