"""Fit a picture from Python: `python examples/fit_a_picture.py photo.jpg`."""

import sys

from configs.encoding import parse_encoding
from configs.run import FitConfig, Training
from studies.fit import run, start

config = FitConfig(
    scene=sys.argv[1] if len(sys.argv) > 1 else "astronaut",
    encoding=parse_encoding(sys.argv[2] if len(sys.argv) > 2 else "fourier:8"),
    training=Training(seconds=20),
)
result = run(start(config))
print(f"{result['psnr_db']:.2f} dB in {result['steps']} steps", *result["verdict"], result["report"], sep="\n")
