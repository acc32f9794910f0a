"""All views of a scene on a sheet: what stands where, and whose decibels."""

import json

import cv2
import numpy as np
import pytest

from fieldlens.configs.space import Space
from fieldlens.render.colour import scalar_rgb
from fieldlens.scenes.posed import PosedScene
from fieldlens.studies.subjects.drawing import sheet_files, triple
from tests.render.test_panel import position
from tests.scenes.test_posed import capture

GREY = 0.6


def by_decibels(found: dict, scene: PosedScene) -> list:
    """The views as the sheet has them, worst first, with their scores."""
    pairs = zip(scene.views(), found["views"], strict=True)
    return sorted(pairs, key=lambda pair: pair[1]["psnr_db"])


def sheet_of(views: int, value: float = GREY) -> tuple[PosedScene, np.ndarray, dict]:
    """The sheet of a constant field."""
    scene = PosedScene(capture(count=2, heldout=views), Space())
    drawn = [np.full((view.height, view.width, 3), value, np.float32) for view in scene.views()]
    files = sheet_files(scene.views(), drawn, kind="held-out views", compared="photograph, reconstruction, error")
    return scene, files.pictures["views"], json.loads(json.dumps(files.numbers["views"], allow_nan=False))


def test_each_view_worst_first_has_its_photograph_a_constant_field_and_their_difference() -> None:
    scene, sheet, found = sheet_of(views=5)
    places = []
    assert by_decibels(found, scene) != list(zip(scene.views(), found["views"], strict=True)), "it is another order"
    for view, scored in by_decibels(found, scene):
        target = view.target()
        side = target.shape[0]
        tile = triple(target, np.full_like(target, GREY))
        np.testing.assert_array_equal(tile[:, :side], np.round(255 * target))
        assert (tile[:, side + 4 : 2 * side + 4] == round(255 * GREY)).all()
        error = np.sqrt(((target - GREY) ** 2).mean(2))
        np.testing.assert_allclose(
            tile[:, -side:].astype(int), scalar_rgb(error, 0, 0.25, cv2.COLORMAP_INFERNO), atol=2
        )
        assert scored["name"] == view.name
        assert scored["psnr_db"] == pytest.approx(-10 * np.log10(((target - GREY) ** 2).mean()), abs=1e-4)
        factor = -(-256 // tile.shape[1])  # small ones are enlarged by a whole number
        places.append(position(np.kron(tile, np.ones((factor, factor, 1), np.uint8)), sheet))
    x, y = np.array(places).T
    assert (x[:2] == x[3:]).all()  # three to a row
    assert (np.diff(x[:3]) > 0).all()
    assert len(set(y[:3])) == len(set(y[3:])) == 1
    assert y[3] > y[0]


def test_large_views_are_reduced_to_thumbnails_by_area_averaging() -> None:
    stripes = np.zeros((200, 300, 3), np.float32)
    stripes[:, ::3] = 0.9
    tile = triple(stripes, np.full_like(stripes, 0.3))
    assert tile.shape == (67, 100 + 4 + 100 + 4 + 100, 3)
    np.testing.assert_allclose(tile[:, :100].astype(int), round(255 * 0.3), atol=1)
    # no difference of means, but one of pixels
    assert (tile[:, -100:].sum(2) > 100).all()


def test_of_many_views_twenty_are_drawn_and_all_are_scored() -> None:
    _, few, _ = sheet_of(views=20)
    _, many, found = sheet_of(views=41)
    assert many.shape == few.shape
    assert (found["drawn"], len(found["views"])) == (20, 41)


def test_a_fit_that_has_diverged_has_no_decibels() -> None:
    _, _, found = sheet_of(views=2, value=float("nan"))
    assert [view["psnr_db"] for view in found["views"]] == [None, None]
