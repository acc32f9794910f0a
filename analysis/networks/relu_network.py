"""A network seen as what it is between its creases: an encoding and layers that are linear on one side and the other.

`ReluNetwork` holds just what the analysis needs, in fp32 whatever precision the network was trained in, so that
anything with an encoding and ReLU layers can be analysed: `relu_network` makes it of a field, or of a network trained
elsewhere. x are image coordinates, z pre-activations, h = activation(z).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from fieldlens.configs.errors import InputError
from fieldlens.fields.encodings import ClosedForm, EncodingModule

from .scratch import Scratch

Encode = Callable[[Float[Tensor, "n d"]], Float[Tensor, "n f"]]
EncodeSecondDerivatives = Callable[[Float[Tensor, "n d"]], Float[Tensor, "n d f"]]
EncodeWithTangents = Callable[[Float[Tensor, "n d"]], tuple[Float[Tensor, "n f"], Float[Tensor, "n d f"]]]


class LayerTangents(NamedTuple):
    """One hidden layer at n points, with first derivatives along some directions.

    `z` and `tangents` hold until the next layer is asked for, `slope` until the next points are.
    """

    z: Float[Tensor, "n width"]
    """Pre-activations."""
    tangents: Float[Tensor, "directions n width"]
    """dz along one direction after the other: along each coordinate axis, unless directions were given."""
    slope: Float[Tensor, "n width"]
    """dh / dz: 1 where z > 0, elsewhere the negative slope."""


@dataclass(frozen=True)
class ReluNetwork:
    """An encoding, hidden layers with (leaky) ReLU, and an output layer; all tensors are fp32 and on one device."""

    encode: Encode
    encode_with_tangents: EncodeWithTangents
    weights: tuple[Float[Tensor, "_ _"], ...]
    """(outputs, inputs) of each layer, the output layer last."""
    biases: tuple[Float[Tensor, " _"], ...]
    negative_slope: float = 0.0
    """Slope where z <= 0: 0 for ReLU."""
    sigmoid_output: bool = False
    """Whether the output layer's numbers go through a sigmoid."""
    highest_frequency: float = 0.0
    """Cycles per unit of image coordinates of the encoding's fastest feature, 0 where it is affine: how fine to look
    for creases at first."""
    grid_resolutions: tuple[int, ...] = ()
    """Squares along the unit interval of each of the encoding's own grids, along whose lines the field bends too."""
    encode_second_derivatives: EncodeSecondDerivatives | None = None
    """Second derivatives of the features along each image axis; None where they are not known."""
    without_bias: frozenset[int] = frozenset()
    """Layers whose bias is no parameter but stands as zeros in `biases`."""
    dim: int = 2
    """How many coordinates `encode` takes."""

    @property
    def closed_form(self) -> ClosedForm | None:
        """What `encode` computes, as formulas; None where it has none, or is not an encoding of ours."""
        return self.encode.closed_form() if isinstance(self.encode, EncodingModule) else None

    @property
    def width_per_layer(self) -> tuple[int, ...]:
        """Neurons of each hidden layer."""
        return tuple(len(weight) for weight in self.weights[:-1])

    @property
    def multiplications(self) -> int:
        """Of one pass through the layers, for one point."""
        return sum(weight.numel() for weight in self.weights)

    @property
    def device(self) -> torch.device:
        """The device the tensors are on, and points must be on."""
        return self.weights[0].device

    def preactivations(self, x: Float[Tensor, "n d"]) -> Iterator[Float[Tensor, "n width"]]:
        """Pre-activations, one hidden layer at a time; each is overwritten when the next is asked for."""
        h = self.encode(x)
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            z = torch.addmm(bias, h, weight.T)
            yield z
            h = torch.nn.functional.leaky_relu_(z, self.negative_slope) if self.negative_slope else z.relu_()

    def preactivations_with_tangents(
        self, x: Float[Tensor, "n d"], scratch: Scratch, directions: Float[Tensor, "n directions d"] | None = None
    ) -> Iterator[LayerTangents]:
        """Pre-activations and their exact derivatives by coordinates, one hidden layer at a time.

        Forward mode: tangents pass through the same products as values, without bias, and a neuron's slope scales them.

        Args:
            directions: to differentiate along at each point, instead of along the axes; each costs a pass of its own.
        """
        h, feature_tangents = self.encode_with_tangents(x)
        if directions is not None:
            feature_tangents = directions @ feature_tangents
        n, d, _ = feature_tangents.shape
        tangents = feature_tangents.transpose(0, 1).flatten(0, 1)
        for index, (weight, bias) in enumerate(zip(self.weights[:-1], self.biases[:-1], strict=True)):
            side = index % 2  # two memories take turns: a product cannot be written over its own factor
            z = torch.addmm(bias, h, weight.T, out=scratch(f"z{side}", n, len(weight)))
            tangents = torch.mm(tangents, weight.T, out=scratch(f"tangents{side}", d * n, len(weight)))
            slope = self._slope(z, out=scratch(f"slope{index}", n, len(weight)))
            yield LayerTangents(z, tangents.view(d, n, -1), slope)
            h = torch.mul(z, slope, out=scratch("h", n, len(weight)))
            tangents.view(d, n, -1).mul_(slope)

    def output_slope(self, last: LayerTangents) -> Float[Tensor, "n c"]:
        """d output / d (what the output layer computes): 1, or the sigmoid's derivative."""
        if not self.sigmoid_output:
            return last.z.new_ones(len(last.z), len(self.biases[-1]))
        value = torch.addmm(self.biases[-1], last.z * last.slope, self.weights[-1].T).sigmoid_()
        return value * (1 - value)

    def outputs_with_tangents(
        self, x: Float[Tensor, "n d"], scratch: Scratch
    ) -> tuple[Float[Tensor, "n c"], Float[Tensor, "tangents n c"]]:
        """What the output layer computes, and its tangents, one image axis after the other; before any sigmoid."""
        *_, last = self.preactivations_with_tangents(x, scratch)
        # the layers have run to their end, so the tangents are those of h by now
        value = torch.addmm(self.biases[-1], last.z * last.slope, self.weights[-1].T)
        return value, last.tangents @ self.weights[-1].T

    @property
    def is_finite(self) -> bool:
        """Whether all weights are numbers; a fit that has diverged has others."""
        return all(bool(tensor.isfinite().all()) for tensor in (*self.weights, *self.biases))

    def require_finite(self) -> None:
        """Refuse weights that are not numbers: comparisons with NaN would call neurons off.

        Raises:
            InputError: when one is infinite or NaN.
        """
        if not self.is_finite:
            raise InputError(
                "the network has weights that are not finite, so that nothing can be measured; its fit has diverged: "
                "use an earlier checkpoint"
            )

    def _slope(self, z: Float[Tensor, "n width"], out: Float[Tensor, "n width"]) -> Float[Tensor, "n width"]:
        # a comparison written as floats is four times as fast as one written as booleans
        slope = torch.gt(z, 0, out=out)
        return slope.mul_(1 - self.negative_slope).add_(self.negative_slope) if self.negative_slope else slope
