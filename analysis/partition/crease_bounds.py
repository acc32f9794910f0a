"""How many neurons have a crease in a tile of the picture: bounds that hold for sure, from below and from above.

From below: a neuron whose sign differs between two samples in the tile has a crease between them. From above: a neuron
whose pre-activation is bounded away from zero all over the tile has none. Two enclosures go through the layers, and
at each the tighter counts:

    intervals       low <= z <= high; exact ranges of sines over the tile, then sums of the worst cases (Moore 1966;
                    Gowal et al., arXiv 1810.12715)
    a linear form   z = value + tangents . (x - centre) +- error; it keeps that neurons move together, and what a sine
                    or an activation bends away from its line goes into the error (Singh et al., NeurIPS 2018)

Both lose much with each layer. They count neurons, not lengths or crossings: a neuron counts once, however often its
crease runs through the tile. All is in fp64, with room for its rounding; the fp32 network may differ from it in signs
at points where z is within fp32's rounding of zero. For use from Python: no command asks for these bounds.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from fieldlens.configs.errors import InputError
from fieldlens.fields.encodings import ClosedForm

from ..networks.relu_network import ReluNetwork
from ..networks.sampling import Progress, chunk_points
from .exact_cells import affine_encoding

DECIDES_NOTHING = 0.05
"""Share of the neurons without a crease at the samples, below which ruling them out counts as deciding nothing."""

ROUNDING = 1e-12
"""Room for fp64's rounding in a layer's sums, as a share of the numbers summed: thousands of times what it takes."""


@dataclass(frozen=True, eq=False)
class CreaseBounds:
    """Bounds on the number of different neurons that have a crease in each tile of a picture, by hidden layer."""

    lower: Int[np.ndarray, "layers rows columns"]
    """At least so many: their signs differ between samples in the tile."""
    upper: Int[np.ndarray, "layers rows columns"]
    """At most so many: the others are certain to keep their sign all over the tile."""
    neurons: Int[np.ndarray, " layers"]
    """Neurons of each layer: an upper bound as large as this says nothing."""
    tile_px: int
    """Side of a tile in pixels; the last ones are smaller where it does not divide the picture's."""
    refine: int
    """Parts that each side of a tile was cut into for the upper bound."""

    @property
    def width(self) -> Int[np.ndarray, "layers rows columns"]:
        """Neurons of which it is not known whether they have a crease in the tile."""
        return self.upper - self.lower

    @property
    def ruled_out(self) -> Float[np.ndarray, " layers"]:
        """Of the neurons that show no crease at a tile's samples, the share that certainly have none; 1 if all show."""
        shown = self.neurons[:, None, None] - self.lower
        out = (self.neurons[:, None, None] - self.upper).sum((1, 2))
        return np.divide(out, shown.sum((1, 2)), out=np.ones(len(self.neurons)), where=shown.any((1, 2)))

    def sentences(self) -> tuple[str, ...]:
        """For each layer, what its bounds come to, and a plain statement where they decide nothing."""
        return tuple(self._sentence(layer) for layer in range(len(self.neurons)))

    def _sentence(self, layer: int) -> str:
        lower, upper = self.lower[layer].mean(), self.upper[layer].mean()
        found = (
            f"hidden layer {layer + 1}: between {lower:.1f} and {upper:.1f} of {self.neurons[layer]} neurons have a "
            f"crease in a tile of {self.tile_px} px"
        )
        if self.ruled_out[layer] >= DECIDES_NOTHING:
            return found
        return f"{found}; the upper bound decides nothing here, as it rules out next to no neuron: use smaller tiles"


@torch.inference_mode()
def crease_bounds(
    network: ReluNetwork,
    height: int,
    width: int,
    *,
    tile_px: int = 8,
    refine: int = 1,
    progress: Progress | None = None,
) -> CreaseBounds:
    """Bounds on the neurons with a crease in each tile of a picture of that size.

    Args:
        refine: cut each side of a tile into so many parts and bound each part by itself; upper bounds get tighter and
            the cost grows with the square. A tile has (4 refine + 1)^2 samples, its corners and sides among them.

    Raises:
        InputError: for an encoding that is neither affine nor one of ours made of sines and cosines; for a negative
            slope that is not within [0, 1], where the activation is not convex and rising; for tiles or parts below
            one; or when the network has weights that are not finite.
    """
    if not 0 <= network.negative_slope <= 1:
        raise InputError(
            f"bounds need a negative slope between 0 and 1, and this network's is {network.negative_slope:g}"
        )
    if tile_px < 1 or refine < 1:
        raise InputError(f"tiles are at least 1 px and have at least 1 part a side; got {tile_px} px, {refine} parts")
    network.require_finite()
    layers = _Layers.of(network)
    form = _closed_form(network)
    top_left, bottom_right, shape = _tiles(height, width, tile_px, network.device)
    widths = network.width_per_layer
    lower, upper = np.empty((2, len(widths), len(top_left)), np.int64)
    chunk = max(1, chunk_points(max(widths)) // (4 * refine + 1) ** 2)
    for first in range(0, len(top_left), chunk):
        here = slice(first, first + chunk)
        corners = top_left[here], bottom_right[here]
        upper[:, here] = _may_change(layers, form, *corners, refine)
        lower[:, here] = _seen_to_change(layers, form, *corners, 4 * refine)
        if progress is not None:
            progress(min(first + chunk, len(top_left)) / len(top_left))
    return CreaseBounds(
        lower.reshape(-1, *shape), upper.reshape(-1, *shape), np.array(widths), tile_px=tile_px, refine=refine
    )


def _tiles(
    height: int, width: int, side: int, device: torch.device
) -> tuple[Float[Tensor, "tiles 2"], Float[Tensor, "tiles 2"], tuple[int, int]]:
    """Top left and bottom right corners of tiles in image coordinates, row by row; how many rows and columns."""
    y, x = (torch.tensor([*range(0, size, side), size], dtype=torch.float64) for size in (height, width))
    corners = [torch.stack(torch.meshgrid(ys, xs, indexing="ij")[::-1], -1).flatten(0, 1) / max(height, width)
               for ys, xs in ((y[:-1], x[:-1]), (y[1:], x[1:]))]  # fmt: skip
    return corners[0].to(device), corners[1].to(device), (len(y) - 1, len(x) - 1)


def _may_change(
    layers: "_Layers",
    form: ClosedForm,
    top_left: Float[Tensor, "tiles 2"],
    bottom_right: Float[Tensor, "tiles 2"],
    refine: int,
) -> Int[np.ndarray, "layers tiles"]:
    """Neurons that are not certain to keep their sign in all refine^2 parts of each tile."""
    size = (bottom_right - top_left) / refine
    corner = (top_left[:, None] + size[:, None] * _lattice(refine).to(size.device)).flatten(0, 1)
    half = (size / 2).repeat_interleave(refine**2, 0)
    undecided = layers.undecided(_features_over(form, corner + half, half), half)
    return np.stack([part.unflatten(0, (-1, refine**2)).any(1).sum(-1).cpu().numpy() for part in undecided])


def _seen_to_change(
    layers: "_Layers",
    form: ClosedForm,
    top_left: Float[Tensor, "tiles 2"],
    bottom_right: Float[Tensor, "tiles 2"],
    steps: int,
) -> Int[np.ndarray, "layers tiles"]:
    """Neurons with different signs among (steps + 1)^2 samples of each tile, its corners and sides among them."""
    shares = _lattice(steps + 1).to(top_left.device) / steps
    x = torch.lerp(top_left[:, None], bottom_right[:, None], shares)
    tiles = (on.unflatten(0, x.shape[:2]) for on in layers.on(form(x.flatten(0, 1))))
    return np.stack([(on.any(1) & ~on.all(1)).sum(-1).cpu().numpy() for on in tiles])


def _lattice(side: int) -> Float[Tensor, "points 2"]:
    """Whole numbers from 0 to below `side` along both axes."""
    steps = torch.arange(side, dtype=torch.float64)
    return torch.cartesian_prod(steps, steps)


@dataclass(frozen=True, eq=False)
class _Box:
    """What is known of a layer's outputs over each of n boxes, in two ways."""

    low: Float[Tensor, "n f"]
    high: Float[Tensor, "n f"]
    value: Float[Tensor, "n f"]
    """At the box's centre, up to `error`."""
    tangents: Float[Tensor, "2 n f"]
    error: Float[Tensor, "n f"]
    """How far they are from value + tangents . (x - centre) at most."""


def _features_over(form: ClosedForm, centre: Float[Tensor, "n 2"], half: Float[Tensor, "n 2"]) -> _Box:
    """What is known of features over boxes with that half size."""
    angle = centre @ form.rates.T + form.phases
    turn = half @ form.rates.abs().T + ROUNDING * (1 + angle.abs())  # angles are rounded too
    low, high = _sine_range(angle - turn, angle + turn)
    value, reach = centre @ form.scale.T + form.shift, half @ form.scale.abs().T
    tangents = torch.cat([form.scale.expand(len(centre), -1, -1), angle.cos()[..., None] * form.rates], 1)
    return _Box(
        low=torch.cat([value - reach, low], 1),
        high=torch.cat([value + reach, high], 1),
        value=torch.cat([value, angle.sin()], 1),
        tangents=tangents.movedim(2, 0),
        # Taylor: a sine bends away from its tangent by at most half the square of the turn
        error=torch.cat([torch.zeros_like(value), turn.square() / 2], 1),
    )


def _closed_form(network: ReluNetwork) -> ClosedForm:
    """The encoding of a network, as bounds need it; what it does to a few points tells if one not ours is affine."""
    form = network.closed_form
    if form is None and (affine := affine_encoding(network)) is not None:
        scale, shift = map(torch.from_numpy, affine)
        form = ClosedForm.of(2, (scale, shift))
    if form is None:
        raise InputError(
            "bounds on the neurons with a crease in a tile need raw coordinates or an encoding of sines and "
            f"cosines, and know nothing of {type(network.encode).__name__}: use local_complexity, a lower bound"
        )
    return form.to(network.device)


def _sine_range(
    low: Float[Tensor, "n f"], high: Float[Tensor, "n f"]
) -> tuple[Float[Tensor, "n f"], Float[Tensor, "n f"]]:
    """Least and largest sine of the angles from low to high."""

    def turns(angle: float) -> Bool[Tensor, "n f"]:
        """Whether that angle, give or take whole turns, is among them."""
        whole = 2 * torch.pi
        return ((high - angle) / whole).floor() >= ((low - angle) / whole).ceil()

    ends = torch.stack([low.sin(), high.sin()])
    return (
        torch.where(turns(-torch.pi / 2), -1.0, ends.amin(0)),
        torch.where(turns(torch.pi / 2), 1.0, ends.amax(0)),
    )


@dataclass(frozen=True, eq=False)
class _Layers:
    """The hidden layers in fp64."""

    weights: tuple[Float[Tensor, "_ _"], ...]
    biases: tuple[Float[Tensor, " _"], ...]
    negative_slope: float

    @classmethod
    def of(cls, network: ReluNetwork) -> "_Layers":
        weights, biases = network.weights[:-1], network.biases[:-1]
        return cls(tuple(w.double() for w in weights), tuple(b.double() for b in biases), network.negative_slope)

    def on(self, h: Float[Tensor, "n f"]) -> Iterator[Bool[Tensor, "n width"]]:
        """Which neurons are on, layer by layer."""
        for weight, bias in zip(self.weights, self.biases, strict=True):
            z = torch.addmm(bias, h, weight.T)
            yield z > 0
            h = self._activation(z)

    def undecided(self, box: _Box, half: Float[Tensor, "n 2"]) -> Iterator[Bool[Tensor, "n width"]]:
        """Which neurons may change sign in the boxes, layer by layer."""
        for weight, bias in zip(self.weights, self.biases, strict=True):
            box = _through_linear(box, half, weight, bias)
            yield (box.high > 0) & (box.low <= 0)
            box = self._through_activation(box)

    def _activation(self, z: Float[Tensor, "n width"]) -> Float[Tensor, "n width"]:
        return torch.where(z > 0, z, self.negative_slope * z)

    def _through_activation(self, box: _Box) -> _Box:
        """Outputs from pre-activations.

        Over [l, u] with l < 0 < u the activation lies between the line through 0 and the one through its ends, both of
        the slope (h(u) - h(l)) / (u - l); elsewhere it is a line itself.
        """
        low, high = self._activation(box.low), self._activation(box.high)
        straddles = (box.high > 0) & (box.low < 0)
        chord = (high - low) / torch.where(straddles, box.high - box.low, 1.0)
        slope = torch.where(straddles, chord, torch.where(box.low >= 0, 1.0, self.negative_slope))
        half_gap = torch.where(straddles, (high - slope * box.high) / 2, 0.0)
        return _Box(
            low=low,
            high=high,
            value=slope * box.value + half_gap,
            tangents=slope * box.tangents,
            error=slope * box.error + half_gap,
        )


def _through_linear(
    box: _Box, half: Float[Tensor, "n 2"], weight: Float[Tensor, "width f"], bias: Float[Tensor, " width"]
) -> _Box:
    """Pre-activations from a layer's inputs; the bounds are the tighter ones of both enclosures."""
    away = (box.tangents.abs() * half.T[:, :, None]).sum(0) + box.error
    error = (box.error + ROUNDING * (box.value.abs() + away)) @ weight.abs().T
    value, tangents = torch.addmm(bias, box.value, weight.T), box.tangents @ weight.T
    reach = (tangents.abs() * half.T[:, :, None]).sum(0) + error
    middle, radius = (box.low + box.high) / 2, (box.high - box.low) / 2
    radius = radius + ROUNDING * torch.maximum(box.low.abs(), box.high.abs())
    centre, spread = torch.addmm(bias, middle, weight.T), radius @ weight.abs().T
    return _Box(
        low=torch.maximum(value - reach, centre - spread),
        high=torch.minimum(value + reach, centre + spread),
        value=value,
        tangents=tangents,
        error=error,
    )
