"""Lines over pictures."""

import numpy as np

from render.lines import lines_over


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
