"""Fit a picture from Python, by an encoding, for some seconds: `python examples/fit_a_picture.py photo.jpg raw 20`."""

import sys

import fieldlens

scene = sys.argv[1] if len(sys.argv) > 1 else "astronaut"
encoding = sys.argv[2] if len(sys.argv) > 2 else "fourier:8"
seconds = float(sys.argv[3]) if len(sys.argv) > 3 else 20
run = fieldlens.fit(scene, encoding=encoding, seconds=seconds)
print(run)
