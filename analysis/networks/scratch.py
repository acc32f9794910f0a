"""Working memory that is kept from chunk to chunk."""

import math

import torch
from jaxtyping import Float
from torch import Tensor


class Scratch:
    """Named tensors to write results into; asking again for a name gives the same memory.

    Fresh memory of some megabytes comes from the system page by page: clearing the pages cost as much as a whole
    forward pass in the three that a co-area density takes. What a name held before is overwritten, not cleared.
    """

    def __init__(self, device: torch.device, dtype: torch.dtype = torch.float32) -> None:
        self._device, self._dtype = device, dtype
        self._held: dict[str, Tensor] = {}

    def __call__(self, name: str, *shape: int) -> Float[Tensor, "..."]:
        """A contiguous tensor of that shape with arbitrary content."""
        numbers = math.prod(shape)
        held = self._held.get(name)
        if held is None or held.numel() < numbers:
            held = self._held[name] = torch.empty(numbers, device=self._device, dtype=self._dtype)
        return held[:numbers].view(shape)
