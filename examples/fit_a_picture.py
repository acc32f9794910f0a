"""Fit a picture from Python: `python examples/fit_a_picture.py photo.jpg fourier:8`."""

import sys

import fieldlens

scene = sys.argv[1] if len(sys.argv) > 1 else "astronaut"
encoding = sys.argv[2] if len(sys.argv) > 2 else "fourier:8"
run = fieldlens.fit(scene, encoding=encoding, seconds=20)
print(run)
