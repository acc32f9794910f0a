"""Pixels as points, and functions drawn at them."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fieldlens.render.grid import draw, picture_extent, pixel_points


@pytest.mark.parametrize(("height", "width"), [(2, 3), (5, 2), (1, 1), (1, 7), (6, 1)])
def test_the_longer_side_spans_one_and_centres_lie_half_a_pixel_in(height, width):
    centres = pixel_points(height, width)
    longer = max(height, width)
    for row in range(height):
        for column in range(width):
            expected = torch.tensor([(column + 0.5) / longer, (row + 0.5) / longer])
            assert torch.allclose(centres[row, column], expected, rtol=0, atol=1e-7)


def test_centres_of_a_4096_grid_are_exact():
    # (j + 0.5) / 4096 is a float32, so there is nothing to round.
    xs = pixel_points(1, 4096)[0, :, 0]
    assert xs.dtype == torch.float32
    assert (xs.double() * 4096 - 0.5).tolist() == list(range(4096))


def test_a_quarter_drawn_at_twice_the_size_is_that_part_of_the_picture_at_twice_the_size():
    x0, y0, x1, y1 = picture_extent(4, 6)
    lower_right = ((x0 + x1) / 2, (y0 + y1) / 2, x1, y1)
    twice = pixel_points(8, 12)
    assert torch.allclose(pixel_points(4, 6, lower_right), twice[4:, 6:], rtol=0, atol=1e-7)


@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 100))
def test_the_chunk_changes_neither_the_picture_nor_the_order_of_the_points(height, width, chunk):
    seen = []

    def position(points):
        seen.append(points)
        return points

    picture = draw(position, height, width, chunk=chunk)
    assert np.array_equal(picture, pixel_points(height, width).numpy())
    assert max(len(points) for points in seen) <= chunk
    assert torch.equal(torch.cat(seen), pixel_points(height, width).reshape(-1, 2))


def test_x_runs_along_columns_and_y_down_the_rows():
    picture = draw(lambda points: points[:, :1] + 10 * points[:, 1:], 2, 4)
    assert np.allclose(picture[..., 0], [[1.375, 1.625, 1.875, 2.125], [3.875, 4.125, 4.375, 4.625]])


def test_values_come_as_float32_with_nothing_clipped():
    picture = draw(lambda points: torch.full((len(points), 3), -7.0, dtype=torch.float64), 2, 2)
    assert picture.dtype == np.float32
    assert picture.shape == (2, 2, 3)
    assert np.all(picture == -7)


def test_drawing_keeps_no_gradients():
    weight = torch.ones(2, 1, requires_grad=True)
    recorded = []

    def function(points):
        values = points @ weight
        recorded.append(values.requires_grad)
        return values

    draw(function, 3, 3)
    assert recorded == [False]


def test_progress_grows_to_one():
    shares = []
    draw(lambda points: points, 5, 7, chunk=10, progress=shares.append)
    assert shares == pytest.approx([10 / 35, 20 / 35, 30 / 35, 1.0])


def test_a_function_that_drops_its_channels_is_named_as_such():
    with pytest.raises(ValueError, match=r"4 points gave values of shape \(4,\), not \(n, c\)"):
        draw(lambda points: points[:, 0], 2, 2)
