"""Fit a picture from Python: `python examples/fit_a_picture.py photo.jpg`."""

import sys

from fieldlens.configs.encoding import parse_encoding
from fieldlens.configs.run import FitConfig, Training
from fieldlens.studies.runs.fit import run, start

config = FitConfig(
    scene=sys.argv[1] if len(sys.argv) > 1 else "astronaut",
    encoding=parse_encoding(sys.argv[2] if len(sys.argv) > 2 else "fourier:8"),
    training=Training(seconds=20),
)
record = run(start(config))
print(*record.lines, sep="\n")
