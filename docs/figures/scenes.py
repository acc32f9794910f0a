"""The built-in 3D scenes, and where the cameras of one stand: nothing is fitted for these."""

import numpy as np
from jaxtyping import UInt8

from fieldlens.render.panel import Tile, panel
from fieldlens.scenes.captures.capture import overview
from fieldlens.scenes.demos import DEMOS, thumbnail
from fieldlens.scenes.load import DEMO, load
from fieldlens.scenes.posed import PosedScene

from .fits import Fits


def sheet(_fits: Fits) -> UInt8[np.ndarray, "h w 3"]:
    """Every built-in 3D scene from in front."""
    tiles = [Tile(thumbnail(demo), f"{DEMO}{name}") for name, demo in DEMOS.items()]
    return panel(tiles, "built-in 3D scenes", columns=len(tiles))


def cameras(_fits: Fits) -> UInt8[np.ndarray, "h w 3"]:
    """What a fit of the teapot draws of its photographs before training: its cameras.png."""
    scene = load(f"{DEMO}teapot")
    assert isinstance(scene, PosedScene)
    return overview(scene.capture)
