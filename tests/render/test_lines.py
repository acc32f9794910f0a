"""Lines over pictures."""

from xml.etree import ElementTree

import numpy as np
import pytest

from fieldlens.render.colour import layer_colour
from fieldlens.render.lines import LayerStrip, below, lines_over, zero_lines


def test_a_line_covers_the_pixels_that_it_runs_through_and_no_others():
    grey = np.full((9, 12, 3), 55, np.uint8)
    # from the middle of pixel (2, 4) to that of (9, 4), as (x, y)
    drawn = lines_over(grey, np.array([[[2.5, 4.5], [9.5, 4.5]]]), opacity=0.5)
    np.testing.assert_allclose(drawn[4, 3:9], 155, atol=15)  # smoothing leaves a little to the rows beside
    assert (drawn[[0, 1, 2, 6, 7, 8]] == 55).all()
    assert (drawn[:, [0, 11]] == 55).all()
    # ten times the same line is no more opaque than asked for
    ten = np.tile([[[2.5, 4.5], [9.5, 4.5]]], (10, 1, 1))
    assert lines_over(grey, ten, opacity=0.5).max() == 155


def test_a_line_between_two_rows_of_pixels_is_shared_by_them():
    black = np.zeros((8, 8, 3), np.uint8)
    drawn = lines_over(black, np.array([[[0.5, 4.0], [7.5, 4.0]]]), opacity=1.0)
    assert (drawn[3, 2:6] > 50).all()
    np.testing.assert_allclose(drawn[3, 2:6].astype(int), drawn[4, 2:6], atol=30)


def test_without_lines_the_picture_is_as_it_was():
    picture = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    np.testing.assert_array_equal(lines_over(picture, np.empty((0, 2, 2))), picture)


def test_lines_have_the_colour_that_was_asked_for():
    black = np.zeros((9, 12, 3), np.uint8)
    drawn = lines_over(black, np.array([[[2.5, 4.5], [9.5, 4.5]]]), opacity=1.0, colour=(0, 200, 100))
    np.testing.assert_allclose(drawn[4, 3:9], [[0, 200, 100]] * 6, atol=30)  # smoothing takes a little


def test_the_strip_has_a_line_of_each_layers_colour_and_the_frame_where_the_region_is():
    grey = np.full((80, 120, 3), 90, np.uint8)
    strip = LayerStrip(500, 4, grey, (0.5, 0.25, 0.25, 0.5)).image()
    for layer in range(4):
        assert (strip == layer_colour(layer)).all(-1).any()
    rows, columns = np.nonzero((strip[:, :140] == 255).all(-1))
    left, top = np.argwhere((strip[:, :140] == 90).all(-1)).min(0)[::-1]
    assert (columns.min() - left, columns.max() - left) == (60, 90)
    assert (rows.min() - top, rows.max() - top) == (20, 60)
    assert (grey == 90).all()


def test_the_words_of_a_strip_are_text_in_an_svg_where_they_are_in_pixels():
    strip = LayerStrip(500, 3, np.full((80, 120, 3), 90, np.uint8))
    drawn = ElementTree.fromstring(f"<svg>{strip.svg(1000)}</svg>")
    words = {text.text: text for text in drawn.findall("text")}
    assert list(words) == ["the frame is what is drawn above", "layer 1", "layer 2", "layer 3"]
    ground, *keys = drawn.findall("rect")
    assert (ground.get("y"), ground.get("height")) == ("1000", str(len(strip.image())))
    for layer, key in enumerate(keys):
        colour = tuple(bytes.fromhex(key.get("fill", "")[1:]))
        assert colour == layer_colour(layer)
        y, x = int(key.get("y", "")) - 1000, int(key.get("x", ""))
        assert tuple(strip.image()[y, x]) == colour
        assert x < int(words[f"layer {layer + 1}"].get("x", "")) < 500
    (thumbnail,) = drawn.findall("image")
    assert (thumbnail.get("width"), thumbnail.get("height")) == ("120", "80")


def test_a_narrow_drawing_stands_above_its_strip_at_the_left():
    picture, strip = np.full((30, 10, 3), 200, np.uint8), LayerStrip(400, 2).image()
    both = below(picture, strip)
    assert both.shape == (30 + len(strip), 400, 3)
    assert (both[:30, :10] == 200).all()
    np.testing.assert_array_equal(both[30:], strip)


def test_zero_lines_of_a_cone_are_its_circle() -> None:
    y, x = np.mgrid[:40, :60] + 0.5
    found = zero_lines(np.hypot(x - 27.3, y - 18.6) - 12.5)
    np.testing.assert_allclose(np.hypot(*(found - [27.3, 18.6]).T), 12.5, atol=0.02)
    assert np.linalg.norm(found[:, 1] - found[:, 0], axis=1).sum() == pytest.approx(2 * np.pi * 12.5, rel=0.005)


@pytest.mark.parametrize("values", [np.ones((5, 5)), np.full((1, 4), -1.0)])
def test_a_function_of_one_sign_has_no_zero_lines(values: np.ndarray) -> None:
    assert zero_lines(values).shape == (0, 2, 2)
