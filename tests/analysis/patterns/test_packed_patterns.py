"""Patterns: packed as numpy packs, and hashed as sums of whole numbers of any size."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fieldlens.analysis import distinct_patterns, hamming_means, local_pairs, packed_patterns, pattern_curve
from fieldlens.analysis.networks.sampling import pixel_centres
from fieldlens.analysis.patterns.packed_patterns import active_rows, hash_keys, pack, pattern_hash, unpack
from fieldlens.configs.errors import InputError
from tests.support.small_networks import drawn, network_of, pattern_bits


def random_bits(points: int, neurons: int, seed: int) -> torch.Tensor:
    return (torch.rand(points, neurons, generator=torch.Generator().manual_seed(seed)) > 0.4).float()


@given(st.integers(1, 9), st.integers(1, 70), st.integers(0, 2**32 - 1))
def test_bits_are_packed_as_numpy_packs_them_and_come_back(points: int, neurons: int, seed: int) -> None:
    bits = random_bits(points, neurons, seed)
    np.testing.assert_array_equal(pack(bits), np.packbits(bits.bool(), -1, bitorder="little"))
    torch.testing.assert_close(unpack(pack(bits), neurons), bits, rtol=0, atol=0)


# --- hashes -----------------------------------------------------------------------------------------------------------


def hash_in_whole_numbers(bits: torch.Tensor, keys: torch.Tensor) -> list[list[int]]:
    """Sums of keys, read as numbers of eight bytes, as Python adds them."""
    halves = [[int.from_bytes(bytes(map(int, half)), "little") for half in key.view(2, 8).tolist()] for key in keys]
    sums = [[sum(halves[i][side] for i in row.nonzero()) % 2**64 for side in range(2)] for row in bits]
    return [[number - 2**64 * (number >= 2**63) for number in row] for row in sums]


@given(st.integers(1, 5), st.integers(1, 300), st.integers(0, 2**32 - 1))
def test_a_hash_is_the_sum_of_its_neurons_keys(points: int, neurons: int, seed: int) -> None:
    bits = random_bits(points, neurons, seed)
    keys = torch.randint(256, (neurons, 16), generator=torch.Generator().manual_seed(seed + 1)).float()
    assert pattern_hash(bits, keys).tolist() == hash_in_whole_numbers(bits, keys)


def test_the_sum_is_exact_for_the_widest_layer_and_the_largest_keys() -> None:
    bits, keys = torch.ones(1, 65_793), torch.full((65_793, 16), 255.0)
    half = 65_793 * (2**64 - 1) % 2**64 - 2**64
    assert pattern_hash(bits, keys).tolist() == [[half, half]]


def test_all_patterns_of_fourteen_neurons_have_hashes_of_their_own_in_either_half() -> None:
    every = torch.from_numpy((np.arange(2**14)[:, None] >> np.arange(14) & 1).astype(np.float32))
    hashes = pattern_hash(every, hash_keys(network_of("raw", "1x14", 0))[0])
    assert [len(half.unique()) for half in hashes.T] == [2**14, 2**14]


def test_keys_are_bytes_that_repeat_and_differ_between_layers() -> None:
    first, again = (hash_keys(network_of("raw", "2x64", seed)) for seed in (0, 1))
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[0], first[1])
    for keys in first:
        assert keys.shape == (64, 16)
        assert torch.equal(keys, keys.round().clamp(0, 255))
        assert len(keys.unique()) > 200  # of 256, in 1024 draws


# --- a picture's patterns ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["raw", "fourier:5", "gaussian:6,features=32", "hashgrid:4,finest=40"])
def test_packed_patterns_are_those_of_the_forward_pass(encoding: str) -> None:
    network = network_of(encoding, "3x21,leaky_relu", 0)
    packed = packed_patterns(network, 12, 31)
    for layer, bits in zip(packed.layers, pattern_bits(network, 12, 31), strict=True):
        np.testing.assert_array_equal(layer, np.packbits(bits, -1, bitorder="little"))


def test_distances_of_pairs_are_counts_of_different_bits() -> None:
    network = network_of("fourier:5", "2x21", 0)
    a, b = local_pairs(12, 31, 200, 5, torch.Generator().manual_seed(0))
    found = packed_patterns(network, 12, 31).hamming(a, b)
    for distances, bits in zip(found, pattern_bits(network, 12, 31), strict=True):
        flat = bits.reshape(-1, 21)
        np.testing.assert_array_equal(distances, (flat[a] != flat[b]).sum(-1))
    assert found.any()


def test_rows_come_in_blocks_that_leave_no_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fieldlens.analysis.networks.sampling.CHUNK_NUMBERS", 1)
    network = drawn(([[1.0, 0.0], [0.0, 1.0]], [-0.3, -0.6]), ([[1.0, 1.0]], [-0.2]), ([[1.0]], [0.0]))
    centres = pixel_centres(40, 1)
    blocks = [(block, list(map(torch.clone, on))) for block, on in active_rows(network, centres, centres, 40)]
    assert [(block.start, block.stop) for block, _ in blocks] == [(row, min(row + 6, 40)) for row in range(0, 40, 6)]
    for layer, bits in enumerate(pattern_bits(network, 40, 40)):
        np.testing.assert_array_equal(torch.cat([on[layer] for _, on in blocks]), bits)
    told: list[float] = []
    packed_patterns(network, 40, 40, progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 1


def test_every_stride_th_pixel_has_the_pattern_that_it_has_in_the_whole() -> None:
    network = network_of("raw", "2x8", 0)
    every, some = packed_patterns(network, 21, 34), packed_patterns(network, 21, 34, stride=4)
    for all_bits, bits in zip(every.layers, some.layers, strict=True):
        np.testing.assert_array_equal(
            bits, all_bits[np.ix_([2, 6, 10, 14, 18, 20], [2, 6, 10, 14, 18, 22, 26, 30, 33])]
        )


@pytest.mark.parametrize("measure", [packed_patterns, distinct_patterns, pattern_curve, hamming_means])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_refused(measure, value: float) -> None:
    network = drawn(([[1.0, value]], [-0.3]), ([[1.0]], [0.0]))
    with pytest.raises(InputError, match="not finite"):
        measure(network, 8, 8)
