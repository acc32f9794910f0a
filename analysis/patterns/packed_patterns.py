"""On/off patterns of hidden neurons: evaluating, packing, hashing, Hamming distance, and its mean over pairs of a set.

A neuron is on where its pre-activation is above zero. Patterns that are compared at once and forgotten stay bytes, read
eight to a 64-bit word; patterns that are kept are packed to 1 bit a neuron; to tell whether two are equal, a hash does.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor

from ..networks.relu_network import ReluNetwork
from ..networks.sampling import Progress, chunk_points, image_points, pixel_centres
from ..networks.scratch import Scratch

WORD = 8
"""Bytes in a 64-bit word."""
_BYTE_MAX = 255

KEY_BYTES = 16
"""Bytes of a neuron's key, and so of a hash: two halves of 64 bits."""


def as_words(bits: Bool[Tensor, "*points neurons"]) -> Int[Tensor, "*points words"]:
    """Packed bytes as 64-bit words, eight to a word; neurons that are missing in the last word are off."""
    missing = -bits.shape[-1] % WORD
    return (F.pad(bits, (0, missing)) if missing else bits.contiguous()).view(torch.int64)


def count_on(words: Int[Tensor, "*points words"]) -> Int[Tensor, "*points"]:
    """How many bytes of each point's words are 1.

    Words are added as they are: each of the eight byte lanes counts on its own, and none overflows while at most 255
    words are added. A sum over booleans widens each of them to 64 bits first and takes some forty times as long.
    """
    groups = (group.sum(-1, keepdim=True) for group in words.split(_BYTE_MAX, -1))
    return sum((lanes.view(torch.uint8).sum(-1, dtype=torch.int32) for lanes in groups), torch.tensor(0))


def hamming(a: Int[Tensor, "*points words"], b: Int[Tensor, "*points words"]) -> Int[Tensor, "*points"]:
    """How many neurons differ between the patterns of `a` and of `b`, point by point."""
    return count_on(a ^ b)


def expected_hamming(bits: Bool[Tensor, "points neurons"], *, distinct: bool = True) -> Float[Tensor, ""]:
    """Mean Hamming distance over all pairs of points of a set, without forming a pair.

    A neuron that is on at a share p of the points differs in a share 2 p (1 - p) of the pairs drawn with replacement;
    `distinct` pairs of n points differ n / (n - 1) times as often.

    >>> expected_hamming(torch.tensor([[True, False], [False, False]]))
    tensor(1.)
    >>> expected_hamming(torch.tensor([[True, False], [False, False]]), distinct=False)
    tensor(0.5000)

    Raises:
        ValueError: for distinct pairs of fewer than two points.
    """
    points = len(bits)
    if points < 1 + distinct:
        raise ValueError(f"{'distinct ' * distinct}pairs need at least {1 + distinct} points, got {points}")
    share = bits.float().mean(0)
    mean = (2 * share * (1 - share)).sum()
    return mean * (points / (points - 1)) if distinct else mean


def active_rows(
    network: ReluNetwork, rows: Float[Tensor, " rows"], columns: Float[Tensor, " columns"], scale: int
) -> Iterator[tuple[slice, Iterator[Float[Tensor, "block columns width"]]]]:
    """Which neurons are on at all pairs of positions in pixels: some rows at a time, and of these layer after layer.

    On is 1 and off is 0, as floats: these are four times as fast to write as booleans, and go into products at once.
    Each tensor holds until the next is asked for; blocks have to be taken in turn, with all layers or none.

    Args:
        scale: pixels to the unit of image coordinates, max(height, width).

    Raises:
        InputError: when weights are not finite: a comparison with NaN would call a neuron off.
    """
    network.require_finite()
    scratch = Scratch(network.device)
    step = max(1, chunk_points(max(network.width_per_layer)) // len(columns))
    for first in range(0, len(rows), step):
        block = slice(first, min(first + step, len(rows)))
        x = image_points(rows[block], columns, scale, network.device)
        yield block, (_active(z, scratch).unflatten(0, (-1, len(columns))) for z in network.preactivations(x))


def _active(z: Float[Tensor, "n width"], scratch: Scratch) -> Float[Tensor, "n width"]:
    return torch.gt(z, 0, out=scratch("on", *z.shape))


def pack(on: Float[Tensor, "*points width"]) -> UInt8[Tensor, "*points bytes"]:
    """1 bit a neuron, eight to a byte, the first the lowest; neurons that are missing in the last byte are off.

    >>> pack(torch.tensor([1.0, 0.0, 1.0, 0, 0, 0, 0, 0, 1.0]))
    tensor([5, 1], dtype=torch.uint8)
    """
    missing = -on.shape[-1] % 8
    octets = (F.pad(on, (0, missing)) if missing else on).unflatten(-1, (-1, 8))
    return (octets @ (2.0 ** torch.arange(8, device=on.device))).to(torch.uint8)


def unpack(packed: UInt8[Tensor, "*points bytes"], width: int) -> Float[Tensor, "*points width"]:
    """1 for those of `width` neurons that are on, 0 for the others: undoes `pack`."""
    masks = (1 << torch.arange(8, device=packed.device)).to(torch.uint8)
    on = torch.empty(*packed.shape, 8, device=packed.device)
    return torch.ne(packed[..., None] & masks, 0, out=on).flatten(-2)[..., :width]


@dataclass(frozen=True)
class PackedPatterns:
    """The patterns of every stride-th pixel of a picture, at 1 bit a neuron: 64 MiB for 512x512 pixels and 4x512."""

    layers: tuple[UInt8[np.ndarray, "rows columns _"], ...]
    """Bytes of each hidden layer, as `pack` makes them."""

    def hamming(self, a: Int[Tensor, " pairs"], b: Int[Tensor, " pairs"]) -> Int[np.ndarray, "layers pairs"]:
        """How many neurons of each layer differ between pixels `a` and `b`, numbered row by row.

        Means need no pairs (`hamming_means`); this is for their distribution.
        """
        return np.stack(
            [
                np.bitwise_count(np.bitwise_xor(*packed.reshape(-1, packed.shape[-1])[[a, b]])).sum(-1, dtype=np.int64)
                for packed in self.layers
            ]
        )


@torch.inference_mode()
def packed_patterns(
    network: ReluNetwork, height: int, width: int, *, stride: int = 1, progress: Progress | None = None
) -> PackedPatterns:
    """The patterns at the centres of every stride-th pixel of a picture of that size, to keep.

    Raises:
        InputError: when the network has weights that are not finite.
    """
    rows, columns = pixel_centres(height, stride), pixel_centres(width, stride)
    layers = tuple(np.empty((len(rows), len(columns), -(-each // 8)), np.uint8) for each in network.width_per_layer)
    for block, active in active_rows(network, rows, columns, max(height, width)):
        for packed, on in zip(layers, active, strict=True):
            packed[block] = pack(on).cpu().numpy()
        if progress is not None:
            progress(block.stop / len(rows))
    return PackedPatterns(layers)


def hash_keys(network: ReluNetwork) -> list[Float[Tensor, "_ 16"]]:
    """For each neuron of each hidden layer a key of random bytes, always the same ones, as fp32."""
    generator = torch.Generator().manual_seed(0)
    return [
        torch.randint(256, (width, KEY_BYTES), generator=generator).float().to(network.device)
        for width in network.width_per_layer
    ]


def pattern_hash(on: Float[Tensor, "*points width"], keys: Float[Tensor, "width 16"]) -> Int[Tensor, "*points 2"]:
    """A hash of 128 bits: the sum of the keys of the neurons that are on, its two halves each modulo 2^64.

    Two patterns that differ, differ in a neuron; that neuron's key would have to be just what the others leave, so a
    pair is taken for equal with probability 2^-128 over random keys, whatever the patterns. Hashes of layers with keys
    of their own add up to that of the layers together. Bytes are summed first, in a product that is exact in fp32 (and
    would be in TF32 or bf16, too) for up to 65,793 neurons: a few per cent of the time the layer itself took.
    """
    sums = (on @ keys).long().unflatten(-1, (2, 8))
    return (sums << (8 * torch.arange(8, device=on.device))).sum(-1)
