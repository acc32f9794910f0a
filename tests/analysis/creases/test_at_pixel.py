"""What is at one pixel: the numbers that the maps of the whole picture have there."""

import pytest

from fieldlens.analysis import creases_at_pixel, crossings, nearest_crease
from tests.support.small_networks import centres, network_of


@pytest.mark.parametrize(("encoding", "network"), [("raw", "2x24"), ("fourier:3", "3x16"), ("raw", "2x16,leaky_relu")])
def test_a_pixel_has_what_the_maps_have_there(encoding: str, network: str) -> None:
    net, height, width = network_of(encoding, network), 9, 14
    density, distance = crossings(net, height, width), nearest_crease(net, height, width)
    on = [(z > 0).sum(1).reshape(height, width) for z in net.preactivations(centres(height, width))]
    for row, column in ((0, 0), (4, 7), (8, 13), (2, 11)):
        found = creases_at_pixel(net, height, width, row, column)
        assert found.crossings_per_pixel == pytest.approx(float(density.mean_per_pixel[row, column]), rel=1e-5)
        assert found.distance_px == pytest.approx(float(distance.px[row, column]), rel=1e-3, abs=1e-5)
        assert found.nearest_layer == distance.layer[row, column]
        assert found.on_by_layer == [int(layer[row, column]) for layer in on]
        assert found.width_by_layer == net.width_per_layer
