"""Confusion within windows: that of their pixels' pairs, counted out, and cases on paper."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from fieldlens.analysis import confusion, relu_network, window_confusion
from fieldlens.configs.errors import InputError
from tests.support.gradient_fields import COLLIDING
from tests.support.small_networks import field_of
from tests.support.user_networks import sequential


@pytest.mark.parametrize("encoding", ["raw", COLLIDING])
@pytest.mark.parametrize("stride", [1, 2])
def test_a_window_has_the_confusion_of_all_pairs_of_its_pixels(encoding: str, stride: int) -> None:
    field, target = field_of(encoding), np.random.default_rng(0).random((9, 12, 3), np.float32)
    found = window_confusion(field, target, window_px=4, stride=stride)
    assert found.cosine.shape == (2, 3)
    rows, columns = {1: (range(9), range(12)), 2: ((1, 3, 5, 7, 8), (1, 3, 5, 7, 9, 11))}[stride]
    for window_row, (top, bottom) in enumerate(((0, 4), (4, 9))):
        for window_column, left in enumerate((0, 4, 8)):
            pixels = [(r, c) for r in rows if top <= r < bottom for c in columns if left <= c < left + 4]
            points = torch.tensor([[(c + 0.5) / 12, (r + 0.5) / 12] for r, c in pixels])
            values = torch.from_numpy(np.stack([target[pixel] for pixel in pixels]))
            expected = confusion(field, points, values)
            here = window_row, window_column
            assert found.pairs[here] == len(expected.cosine)
            assert found.zero_gradient_pairs[here] == 0
            assert found.cosine[here] == pytest.approx(expected.cosine.mean(), abs=1e-5)
            assert found.strength[here] == pytest.approx(expected.strength.mean(), abs=1e-5)
            assert found.eta[here] == pytest.approx(expected.eta, rel=1e-4)


def test_windows_on_paper_and_zero_gradients_in_none_of_the_means() -> None:
    # f = 0, moved by the output's bias alone: the gradient is -2 y
    model = sequential(2, 3, 1)
    for parameter in model.parameters():
        nn.init.zeros_(parameter)
    target = np.zeros((2, 8, 1), np.float32)
    target[:, :2] = [[[1], [1]], [[-1], [0]]]  # cosines 1, -1, -1 and three pairs with the pixel that is fitted
    target[:, 2:4] = 3
    target[0, 4] = 1  # alone with pixels that are fitted
    found = window_confusion(relu_network(model), target, window_px=2)
    np.testing.assert_allclose(found.cosine, [[-1 / 3, 1, math.nan, math.nan]])
    np.testing.assert_allclose(found.strength, [[1, 1, math.nan, math.nan]])
    np.testing.assert_allclose(found.eta, [[4, 0, 0, 0]])
    assert found.pairs.tolist() == [[6, 6, 6, 6]]
    assert found.zero_gradient_pairs.tolist() == [[3, 0, 6, 6]]


def test_blocks_leave_windows_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    field, target, shares = field_of("fourier:3"), np.random.default_rng(0).random((8, 8, 3), np.float32), []
    whole = window_confusion(field, target, window_px=8, progress=shares.append)
    monkeypatch.setattr("fieldlens.analysis.gradients.point_gradients.CHUNK_NUMBERS", 64 * 5)
    in_blocks = window_confusion(field, target, window_px=8)
    np.testing.assert_allclose(in_blocks.cosine, whole.cosine, atol=1e-6)
    np.testing.assert_allclose(in_blocks.eta, whole.eta, rtol=1e-4)
    assert shares == [1]


def test_a_window_without_pairs_has_no_mean() -> None:
    target = np.zeros((4, 4, 3), np.float32)
    found = window_confusion(field_of("raw"), target, window_px=1)
    assert np.isnan(found.cosine).all()
    assert not found.pairs.any()
    assert not found.eta.any()
    with pytest.raises(InputError, match="at least 1 px"):
        window_confusion(field_of("raw"), target, window_px=0)
    with pytest.raises(InputError, match="targets are not all finite"):
        window_confusion(field_of("raw"), target + np.float32(np.nan), window_px=2)
