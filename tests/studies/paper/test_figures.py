"""The pictures of the texts, drawn from small fits: what is drawn, and that fits are made once."""

from functools import partial
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import Normalize
from PIL import Image

from docs.figures.__main__ import FIGURES
from docs.figures.fits import Fits
from docs.figures.layout import RESOLUTION, WIDTH, Scale, maps, png_of
from fieldlens.configs.network import Network


@pytest.fixture(scope="module")
def fits(tmp_path_factory: pytest.TempPathFactory) -> Fits:
    return Fits(tmp_path_factory.mktemp("figures"), side=24, steps=6, network=Network(width=8, depth=2))


@pytest.mark.parametrize("name", ["hamming", "neurons"])
def test_a_drawing_of_a_small_fit_is_a_png_of_the_one_width_and_the_same_each_time(name: str, fits: Fits) -> None:
    draw = partial(FIGURES[name], fits)
    data = png_of(draw)
    with Image.open(BytesIO(data)) as image:
        assert (image.format, image.mode, image.width) == ("PNG", "P", round(WIDTH * RESOLUTION))
    assert png_of(draw) == data


def test_fits_are_found_again_and_those_of_another_protocol_are_not(fits: Fits) -> None:
    raw, encoded = fits.picture
    assert (raw.name, encoded.name) == ("raw", "fourier:6")
    written = raw.folder.result_file.stat().st_mtime_ns
    again = Fits(fits.path, side=fits.side, steps=fits.steps, network=fits.network).picture[0]
    assert again.folder.result_file.stat().st_mtime_ns == written
    np.testing.assert_array_equal(again.drawn, raw.drawn)
    longer = Fits(Path(fits.path), side=fits.side, steps=fits.steps + 1, network=fits.network).picture[0]
    assert longer.saved.step == fits.steps + 1


def test_the_ends_of_a_scale_survive_in_a_map_that_hardly_has_them() -> None:
    values = np.full((64, 64), 0.5)
    values[0, 0], values[0, 1] = 0, 1
    scale = Scale("share", Normalize(0, 1))
    picture = Image.open(BytesIO(png_of(lambda: maps([("map", values)], scale, (64, 64))))).convert("RGB")
    colours = np.asarray(picture).reshape(-1, 3).astype(int)
    for end in ((68, 1, 84), (253, 231, 36)):  # viridis, as matplotlib publishes it
        assert np.abs(colours - end).max(1).min() <= 8
