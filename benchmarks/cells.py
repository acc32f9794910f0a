"""Exact cells of networks of raw coordinates: counted, and built as polygons, beside regioncam, which builds them.

    python -m benchmarks.cells [--quick]

PyTorch's default initialisation after manual_seed(0), four hidden layers, [-1, 1]^2, ReLU; and a 4x256 network of raw
coordinates after fitting a photograph for 400 steps (--quick: 4x64 and 100), outside the timing. Runs are interleaved
and their medians compared. `seconds` is for counting cells and measuring creases, with the last layer left unbuilt, and
`ratio` is regioncam's time over that; `built_seconds` and `built_ratio` are for all polygons with areas, centroids and
patterns. regioncam works in float32, with AVX on one thread; ours in float64, and only the matrix products use threads.
"""

import argparse
from itertools import pairwise
from typing import Any

import numpy as np
import regioncam
import torch
from torch import nn

from benchmarks.measure import interleaved_medians, print_json
from fieldlens.analysis import relu_network
from fieldlens.analysis.partition.exact_cells import Layers, cells, count_cells, layers_behind_encoding
from fieldlens.configs.encoding import parse_encoding
from fieldlens.configs.network import Network
from fieldlens.configs.run import FitConfig, Target, Training
from fieldlens.fitting import fit, initial_state, plan_of
from fieldlens.scenes.load import load

WIDTHS = (32, 64, 128, 256)
WINDOW = (-1.0, -1.0, 1.0, 1.0)


def layers_of_width(width: int) -> Layers:
    """Four hidden layers and an output, as PyTorch initialises them."""
    torch.manual_seed(0)
    linears = [nn.Linear(a, b) for a, b in pairwise([2, width, width, width, width, 1])]
    weights = tuple(linear.weight.detach().double().numpy() for linear in linears)
    return Layers(weights, tuple(linear.bias.detach().double().numpy() for linear in linears))


def regioncam_cells(layers: Layers) -> int:
    """How many cells regioncam finds."""
    found = regioncam.Regioncam(size=1)  # type: ignore[attr-defined]  # compiled, without stubs
    for weight, bias in zip(layers.weights[:-1], layers.biases[:-1], strict=True):
        found.linear(weight.T.astype(np.float32), bias.astype(np.float32))
        found.relu()
    return found.num_faces


def trained_layers(width: int, steps: int) -> Layers:
    """Four hidden layers behind raw coordinates in [-1, 1], fitted to the astronaut at 256 pixels."""
    picture = load("astronaut", Target(max_side=256))
    training = Training(steps=steps, schedule="constant")
    config = FitConfig("astronaut", encoding=parse_encoding("raw"), network=Network(width, 4), training=training)
    plan = plan_of(config, picture)
    state = initial_state(config, picture, plan.device)
    for _ in fit(state, picture, plan, snapshot_steps=()):
        pass
    return layers_behind_encoding(relu_network(state.field))


def measured(name: str, layers: Layers, rounds: int) -> dict[str, Any]:
    """What one network takes."""
    found: dict[str, int] = {}
    medians = interleaved_medians(
        {
            "count": lambda: found.update(ours=count_cells(layers, WINDOW).count),
            "build": lambda: cells(layers, WINDOW),
            "regioncam": lambda: found.update(theirs=regioncam_cells(layers)),
        },
        rounds,
    )
    return {
        "name": name,
        "cells": found["ours"],
        "seconds": round(medians["count"], 4),
        "built_seconds": round(medians["build"], 4),
        "regioncam_cells": found["theirs"],
        "regioncam_seconds": round(medians["regioncam"], 4),
        "ratio": round(medians["regioncam"] / medians["count"], 2),
        "built_ratio": round(medians["regioncam"] / medians["build"], 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Exact cells: counted and built, beside regioncam.")
    parser.add_argument("--quick", action="store_true", help="up to 4x64 only, three rounds")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    networks = []
    widths = WIDTHS[:2] if args.quick else WIDTHS
    cases = {f"4x{width}": layers_of_width(width) for width in widths}
    cases[f"4x{widths[-1]} trained"] = trained_layers(widths[-1], 100 if args.quick else 400)
    for name, layers in cases.items():
        networks.append(measured(name, layers, rounds=3))
        print(networks[-1])
    print_json({"networks": networks, "threads": args.threads})


if __name__ == "__main__":
    main()
