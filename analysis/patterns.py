"""On/off patterns of hidden neurons: packing, Hamming distance, and its expectation over the pairs of a set.

A neuron is on where its pre-activation is above zero. Eight on/off bytes are read as one 64-bit word, so that the
patterns of two points are compared eight neurons at a time.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

WORD = 8
"""Bytes in a 64-bit word."""
_BYTE_MAX = 255


def as_words(bits: Bool[Tensor, "*points neurons"]) -> Int[Tensor, "*points words"]:
    """The same bytes, eight to a 64-bit word; neurons that are missing in the last word are off."""
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
