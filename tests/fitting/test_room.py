"""A fit that the machine has no room for is refused before it takes any, with what would fit."""

import re

import pytest
import torch

from fieldlens.configs.encoding import Encoding, Fourier, HashGrid, Positional, parse_encoding
from fieldlens.configs.errors import InputError
from fieldlens.configs.network import Network, parse_network
from fieldlens.configs.run import FitConfig, Training
from fieldlens.fields import build
from fieldlens.fitting import require_room, room


def with_memory(monkeypatch: pytest.MonkeyPatch, size: float) -> None:
    monkeypatch.setattr(room, "memory_bytes", lambda _device: int(size))


def test_a_network_without_room_is_told_with_one_that_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with_memory(monkeypatch, 8e9)
    config = FitConfig(network=Network(16384, 64))
    with pytest.raises(
        InputError, match=r"64x16384 under fourier:8 takes 338 GB .* are 8\.0 GB; 64x\d+ would"
    ) as caught:
        require_room(config)
    found = re.search(r"(\S+) would fit", str(caught.value))
    assert found
    fits = parse_network(found[1])
    require_room(FitConfig(network=fits, training=Training(batch_size=1)))
    with pytest.raises(InputError):
        require_room(FitConfig(network=Network(fits.width + 1, 64)))


def test_steps_without_room_are_told_with_how_many_points_have_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with_memory(monkeypatch, 1e9)
    with pytest.raises(
        InputError, match=r"a step of 1000000 points .* takes 4\.\d GB .*a --batch-size of \d+ would"
    ) as no:
        require_room(FitConfig(training=Training(batch_size=10**6)))
    found = re.search(r"size of (\d+) would", str(no.value))
    assert found
    require_room(FitConfig(training=Training(batch_size=int(found[1]))))
    with pytest.raises(InputError):
        require_room(FitConfig(training=Training(batch_size=int(found[1]) + 1)))


@pytest.mark.parametrize(
    "encoding", [parse_encoding("raw"), Fourier(3), Positional(features=8), HashGrid(3, finest=40)]
)
def test_what_is_counted_is_what_is_trained(encoding: Encoding, monkeypatch: pytest.MonkeyPatch) -> None:
    network, generator = Network(8, 2), torch.Generator()
    trained = sum(parameter.numel() for parameter in build(encoding, network, 2, 1, generator).parameters())
    config = FitConfig(encoding=encoding, network=network, training=Training(batch_size=1))
    with_memory(monkeypatch, 20 * trained - 1)
    with pytest.raises(InputError, match=f"the network 2x8 under {encoding} takes .* to train"):
        require_room(config)
    with_memory(monkeypatch, 20 * trained)
    with pytest.raises(InputError, match=r"a step of 1 points .* and there are 0\.0 GB; take a smaller network"):
        require_room(config)
    with_memory(monkeypatch, 1e9)
    require_room(config)
    newest = FitConfig(encoding=encoding, network=network, training=Training(batch_size=1, average=0))
    with_memory(monkeypatch, 16 * trained - 1)
    with pytest.raises(InputError, match="to train"):
        require_room(newest)
    with_memory(monkeypatch, 16 * trained)
    with pytest.raises(InputError, match="a step of 1 points"):
        require_room(newest)


def test_there_is_some_memory() -> None:
    assert 1e8 < room.memory_bytes() < 1e15
