"""Muon for the matrices between hidden layers, in fp32 or in bf16."""

import math
from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Of the quintic that each step of the iteration applies to all singular values at once."""
ITERATIONS = 5
EPSILON = 1e-7
"""The least length a matrix is divided by."""


class Muon:
    """Muon (Jordan et al. 2024, https://kellerjordan.github.io/posts/muon): momentum with all directions of one length.

    The momentum of a matrix, with Nesterov's look ahead, is replaced by a matrix near U V^T, where U S V^T is its
    singular value decomposition. So a step moves the weak directions of a matrix as far as the strong ones, and the
    matrix keeps its rank.

    `torch.optim.Muon` takes the same steps, but multiplies in bf16 alone, which a processor without such instructions
    emulates slowly; and its import takes two seconds. Here all matrices of one shape go through one batched product.

    Args:
        matrices: to be moved, by name.
        rate: the learning rate of the first step.
        momentum: the share of the momentum that stays.
        dtype: of the products of the iteration.
    """

    def __init__(
        self,
        matrices: Mapping[str, nn.Parameter],
        rate: float,
        momentum: float,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self._matrices = dict(matrices)
        self._momenta = {name: torch.zeros_like(matrix) for name, matrix in matrices.items()}
        self.rate, self.momentum, self.dtype = rate, momentum, dtype

    def moments(self) -> dict[str, Tensor]:
        """Momenta, as `<parameter>.momentum`."""
        return {f"{name}.momentum": momentum for name, momentum in self._momenta.items()}

    def restore(self, moments: dict[str, Tensor], steps_taken: int) -> None:  # noqa: ARG002  it counts no steps
        """Go on from moments that `moments` gave."""
        for name, momentum in self.moments().items():
            momentum.copy_(moments[name])

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for matrix in self._matrices.values():
            matrix.grad = None

    @torch.no_grad()
    def step(self, rate: float, share: float) -> None:  # noqa: ARG002  it has a rate of its own
        """Move every matrix, which must have a gradient, by its own rate times `share`."""
        by_shape: dict[torch.Size, list[str]] = {}
        for name, matrix in self._matrices.items():
            by_shape.setdefault(matrix.shape, []).append(name)
        for (rows, columns), names in by_shape.items():
            looks = []
            for name in names:
                gradient = self._matrices[name].grad
                assert gradient is not None
                momentum = self._momenta[name].lerp_(gradient, 1 - self.momentum)
                looks.append(gradient.lerp(momentum, self.momentum))
            moved = orthogonalised(torch.stack(looks), self.dtype)
            step = -self.rate * share * math.sqrt(max(1.0, rows / columns))
            for name, direction in zip(names, moved, strict=True):
                self._matrices[name].add_(direction, alpha=step)


def orthogonalised(
    matrices: Float[Tensor, "k rows columns"], dtype: torch.dtype = torch.float32
) -> Float[Tensor, "k rows columns"]:
    """Matrices near U V^T, where U S V^T is each one's singular value decomposition.

    Five steps of the Newton-Schulz iteration with coefficients that reach far in few steps and do not converge: what
    was a singular value of at least 0.002 of the matrix's Frobenius norm ends between 0.68 and 1.21.
    """
    a, b, c = COEFFICIENTS
    tall = matrices.shape[1] > matrices.shape[2]
    x = (matrices.mT if tall else matrices).to(dtype)
    x = x / x.norm(dim=(1, 2), keepdim=True).clamp(min=EPSILON)
    for _ in range(ITERATIONS):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return (x.mT if tall else x).to(matrices.dtype)
