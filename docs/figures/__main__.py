"""Make the pictures of README.md, docs/explain.md, docs/analysis.md and docs/scenes.md.

    python -m docs.figures [--only cells hamming] [--fits outputs/figures] [--write docs/pictures]

A network of 4x64 neurons is fitted to a built-in picture with raw coordinates and under an encoding, and another to a
signal in both ways: run folders below `--fits`, which are found and used again. Those of the chain in docs/explain.md,
and of what speed is made of, are of short fits by the program's defaults. All seeds are fixed, so the same machine
draws the same pictures. Those of 3D scenes need no fit.
"""

import argparse
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from fieldlens.configs.files import write_bytes

from . import cells, chain, densities, errors, gradients, neurons, pages, scenes, speeds, training
from .fits import Fits
from .layout import Drawn, png_of

FIGURES: Mapping[str, Callable[[Fits], Drawn]] = {
    "missing": chain.missing,
    "creases_to_speed": chain.creases_to_speed,
    "speed_to_progress": chain.speed_to_progress,
    "progress_to_missing": chain.progress_to_missing,
    "reasons": chain.reasons,
    "cells": cells.exact_cells,
    "plane": cells.plane,
    "surrogate_cells": cells.interpolated_cells,
    "patterns": cells.patterns,
    "hamming": cells.hamming,
    "crease_distance": densities.crease_distance,
    "complexity": densities.complexity,
    "bounds": densities.bounds,
    "bending": densities.bends,
    "neurons": neurons.activity,
    "slopes": densities.slope_maps,
    "weights": neurons.weights,
    "confusion": gradients.confusion_maps,
    "confusion_distribution": gradients.confusion_distribution,
    "kernel": gradients.kernels,
    "structure": speeds.structure,
    "correlation_length": gradients.correlation_length,
    "decay": gradients.decay,
    "capacity": errors.capacity_maps,
    "attribution": errors.attribution,
    "early": errors.early,
    "spectra": training.spectra,
    "bands": training.bands,
    "signals": training.signals,
    "over_training": training.over_training,
    "report": pages.beginning,
    "microscope": pages.lens,
    "poster": pages.poster,
    "scenes": scenes.sheet,
    "cameras": scenes.cameras,
}
"""What draws each picture, by the name of its file, in the order of the texts."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m docs.figures", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--only", nargs="+", choices=FIGURES, default=[*FIGURES], help="the others stay as they are", metavar="NAME"
    )
    parser.add_argument("--fits", type=Path, default=Path("outputs/figures"), help="where the fits are kept")
    parser.add_argument("--write", type=Path, default=Path("docs/pictures"), help="the folder of the pictures")
    args = parser.parse_args()
    fits = Fits(args.fits)
    for name in args.only:
        started = time.perf_counter()
        data = png_of(partial(FIGURES[name], fits))
        write_bytes(args.write / f"{name}.png", data)
        seconds = time.perf_counter() - started
        print(f"{name:>24} {len(data) / 1e3:6.0f} kB {seconds:6.1f} s", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
