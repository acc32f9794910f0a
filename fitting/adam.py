"""Adam, by torch's fused kernel."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.optim.adam import adam

BETA1, BETA2 = 0.9, 0.99
EPSILON = 1e-15


class Adam:
    """Adam (Kingma & Ba 2015, arXiv 1412.6980), with moments that can be saved and restored by name.

    `torch.optim.Adam` takes the same steps to the byte, but its constructor imports torch's compiler, and a person
    would wait two seconds longer for the first frame.

    Args:
        parameters: to be moved, by name.
    """

    def __init__(self, parameters: Mapping[str, nn.Parameter]) -> None:
        self._names, self._parameters = list(parameters), list(parameters.values())
        self._means, self._mean_squares = ([torch.zeros_like(p) for p in self._parameters] for _ in range(2))
        self._steps_taken = [torch.zeros((), device=p.device) for p in self._parameters]

    def moments(self) -> dict[str, Tensor]:
        """Running means of gradients and of their squares, as `<parameter>.mean` and `<parameter>.mean_square`."""
        means = zip(self._names, self._means, strict=True)
        squares = zip(self._names, self._mean_squares, strict=True)
        return {f"{name}.mean": m for name, m in means} | {f"{name}.mean_square": m for name, m in squares}

    def restore(self, moments: dict[str, Tensor], steps_taken: int) -> None:
        """Go on from moments that `moments` gave after so many steps."""
        for name, moment in self.moments().items():
            moment.copy_(moments[name])
        for taken in self._steps_taken:
            taken.fill_(steps_taken)

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for parameter in self._parameters:
            parameter.grad = None

    @torch.no_grad()
    def step(self, rate: float, share: float) -> None:  # noqa: ARG002  the rate has it already
        """Move every parameter along its gradient, which it must have."""
        gradients = [parameter.grad for parameter in self._parameters if parameter.grad is not None]
        adam(
            self._parameters,  # type: ignore[arg-type]
            gradients,
            self._means,
            self._mean_squares,
            [],
            self._steps_taken,
            fused=True,
            amsgrad=False,
            beta1=BETA1,
            beta2=BETA2,
            lr=rate,
            weight_decay=0.0,
            eps=EPSILON,
            maximize=False,
        )
