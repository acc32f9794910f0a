"""A step of all that a network trains, and how it moves the network's values: to first order, exactly.

The values f at a point follow a small change of the parameters as J step, J their derivatives by all parameters. This
is one pass in forward mode: next to what a layer z = W a + b is given goes its tangent a', and what comes out is

    z' = W a' + W' a + b'        h' = (dh/dz) z'        with W', b' the step

so that no J is formed; a' = 0 where the encoding has nothing to train. A hash grid's features are weighted sums of rows
of its table, and so are their tangents, of rows of the step.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

from fieldlens.configs.errors import InputError
from fieldlens.fields import Field
from fieldlens.fields.blocks import block_rows
from fieldlens.fields.encodings import LearntTable

from ..networks.sampling import Progress, image_points, pixel_centres, point_chunks
from .point_gradients import Loss, loss_gradients, squared_error
from .trained import Network, Trained, of_pictures, trained


@dataclass(frozen=True, eq=False)
class Step:
    """A change of all parameters of a network, layer by layer."""

    weights: tuple[Float[Tensor, "_ _"], ...]
    """(outputs, inputs) of each layer, the output layer last."""
    biases: tuple[Float[Tensor, " _"], ...]
    """Of each layer; zeros where it has no bias."""
    table: Float[Tensor, "rows features"] | None = None
    """Of a hash grid's table; None where the encoding has nothing to train."""

    @classmethod
    def of_named(cls, field: Field, changes: Mapping[str, Tensor]) -> "Step":
        """The step that changes a field's parameters, under the names that `named_parameters` has, by so much."""
        layers = trained(field)
        at = {id(parameter): changes[name] for name, parameter in field.named_parameters()}
        table = layers.learnt_table
        return cls(
            tuple(at[id(weight)] for weight in layers.weights),
            tuple(at[id(bias)] for bias in layers.biases),
            None if table is None else at[id(table.values)],
        )

    def named(self, field: Field) -> dict[str, Tensor]:
        """The changes by the names that the field's `named_parameters` has: the inverse of `of_named`."""
        layers = trained(field)
        at = dict(zip(map(id, (*layers.weights, *layers.biases)), (*self.weights, *self.biases), strict=True))
        if layers.learnt_table is not None and self.table is not None:
            at[id(layers.learnt_table.values)] = self.table
        return {name: at[id(parameter)] for name, parameter in field.named_parameters()}

    def scaled(self, factor: float) -> "Step":
        """The same step, so many times as long."""
        return Step(
            tuple(weight * factor for weight in self.weights),
            tuple(bias * factor for bias in self.biases),
            None if self.table is None else self.table * factor,
        )


def loss_step(
    network: Network,
    target: Float[np.ndarray, "h w c"],
    *,
    counted: Bool[np.ndarray, "h w"] | None = None,
    dtype: torch.dtype = torch.float32,
    progress: Progress | None = None,
) -> Step:
    """Plain gradient descent's step at rate 1 on a picture: minus the gradient of the mean squared error.

    The mean is over all channels of all pixels, as in a fit, of which a step's batch is a part. Costs about three
    passes of the network over the picture.

    Args:
        target: in the network's own unit.
        counted: the pixels of the mean, such as those that are trained on; by default all.
        dtype: of the passes and sums; encodings without parameters are evaluated in fp32 regardless.

    Raises:
        InputError: when the network or the target is not finite, no pixel counts, or the network is not of pictures.
    """
    height, width, channels = target.shape
    chosen = slice(None) if counted is None else torch.from_numpy(counted.ravel())
    values = torch.from_numpy(target).reshape(-1, channels)[chosen]
    points = _pixels(of_pictures(network, height, "this step"), height, width)[chosen]
    return loss_step_at(network, points, values, dtype=dtype, progress=progress)


def loss_step_at(
    network: Network,
    points: Float[Tensor, "n d"],
    targets: Float[Tensor, "n c"],
    *,
    loss: Loss = squared_error,
    dtype: torch.dtype = torch.float32,
    progress: Progress | None = None,
) -> Step:
    """Minus the gradient of the mean of the points' losses: that of samples of a signal, say; see `loss_step`.

    Raises:
        InputError: when the network or a target is not finite, or there is no point.
    """
    layers, n = trained(network), len(points)
    if not n:
        raise InputError("there is no point whose loss a step could lessen")
    weights = tuple(torch.zeros_like(weight, dtype=dtype, requires_grad=False) for weight in layers.weights)
    biases = tuple(torch.zeros_like(bias, dtype=dtype, requires_grad=False) for bias in layers.biases)
    learnt = layers.learnt_table
    table = None if learnt is None else torch.zeros_like(learnt.values, dtype=dtype, requires_grad=False)
    for here, x in point_chunks(points, _points_at_once(layers, dtype), layers.device, progress):
        found = loss_gradients(network, x, targets[here].to(layers.device), loss=loss, dtype=dtype)
        for layer, (inputs, (deltas,)) in enumerate(zip(found.inputs, found.deltas, strict=True)):
            weights[layer].addmm_(deltas.T, inputs, alpha=-1 / n)
            if layer not in layers.without_bias:
                biases[layer].sub_(deltas.sum(0), alpha=1 / n)
        if table is not None and found.table is not None:
            at_rows = found.table.weights[..., None] * found.table.deltas[:, 0, :, None]  # (levels, n, corners, f)
            table.index_add_(0, found.table.rows.flatten(), at_rows.flatten(0, 2), alpha=-1 / n)
    return Step(weights, biases, table)


def movement(
    network: Network,
    height: int,
    width: int,
    step: Step,
    *,
    dtype: torch.dtype = torch.float32,
    progress: Progress | None = None,
) -> Float[np.ndarray, "h w c"]:
    """How far a step moves the network's value at each pixel of a picture, to first order: J step, in its own unit.

    It is exact but for rounding, of the network's slope at the parameters as they are; what a step really does differs
    by the square of its length. Costs about three passes of the network over the picture.

    Args:
        network: a field, or what `relu_network` makes of a network trained elsewhere, of two coordinates; along a
            picture of one row, such as the samples of a signal, of one.
        dtype: of the pass; encodings without parameters are evaluated in fp32 regardless.

    Raises:
        InputError: when the step is not of this network, or moves it by what is no number; when the network is not of
            pictures.
    """
    points = _pixels(of_pictures(network, height, "this movement"), height, width)
    moved = movement_at(network, points, step, dtype=dtype, progress=progress)
    return moved.cpu().numpy().reshape(height, width, -1)


@torch.no_grad()
def movement_at(
    network: Network,
    points: Float[Tensor, "n d"],
    step: Step,
    *,
    dtype: torch.dtype = torch.float32,
    progress: Progress | None = None,
) -> Float[Tensor, "n c"]:
    """How far a step moves the network's values at points, to first order; see `movement`.

    Raises:
        InputError: when the step is not of this network, or moves it by what is no number.
    """
    layers = trained(network)
    _require_suited(step, layers)
    last = len(layers.weights) - 1
    # a layer's values and what its own change adds to their tangents are one product, twice as wide
    both = [torch.cat(pair).T.to(dtype).contiguous() for pair in zip(layers.weights, step.weights, strict=True)]
    shifts = [torch.cat(pair).to(dtype) for pair in zip(layers.biases, step.biases, strict=True)]
    passing = [weight.T.to(dtype).contiguous() for weight in layers.weights]

    def linear(
        layer: int, h: Float[Tensor, "m _"], tangent: Float[Tensor, "m _"] | None
    ) -> tuple[Float[Tensor, "m _"], Float[Tensor, "m _"]]:
        z, by_layer = torch.addmm(shifts[layer], h, both[layer]).chunk(2, 1)
        return z, by_layer if tangent is None else by_layer.addmm_(tangent, passing[layer])

    table = layers.learnt_table
    rows = None if table is None or step.table is None else torch.cat([table.values, step.table], 1).to(dtype)
    moved = torch.empty(len(points), layers.outputs, dtype=dtype, device=layers.device)
    for here, x in point_chunks(points, _points_at_once(layers, dtype), layers.device, progress):
        if table is None or rows is None:
            h, tangent = layers.encode(x).to(dtype), None
        else:
            h, tangent = looked_up(table, rows, x.to(dtype))
        for layer in range(last):
            h, tangent = linear(layer, h, tangent)
            slope = torch.empty_like(h)
            layers.activate_(h, slope)
            tangent.mul_(slope)
        z, tangent = linear(last, h, tangent)
        if layers.sigmoid_output:
            value = z.sigmoid()
            tangent.mul_(value * (1 - value))
        moved[here] = tangent
    if not bool(moved.isfinite().all()):
        raise InputError(
            "the network or the step is not finite, so that nothing can be foretold of it; the fit diverged"
        )
    return moved


def looked_up(
    table: LearntTable, values_and_changes: Float[Tensor, "rows both"], x: Float[Tensor, "n d"]
) -> tuple[Float[Tensor, "n f"], Float[Tensor, "n f"]]:
    """The features of a learnt table, and their tangents, from rows that hold its values and then their changes."""
    rows, weights = table.rows_and_weights(x)
    levels = functional.embedding_bag(
        rows.flatten(0, 1), values_and_changes, per_sample_weights=weights.flatten(0, 1), mode="sum"
    )
    features, tangents = levels.view(len(x), -1, 2, table.values.shape[1]).unbind(2)
    return features.flatten(1), tangents.flatten(1)


def _require_suited(step: Step, layers: Trained) -> None:
    table = layers.learnt_table
    of_network = (*layers.weights, *layers.biases, *([] if table is None else [table.values]))
    of_step = (*step.weights, *step.biases, *([] if step.table is None else [step.table]))
    if [each.shape for each in of_step] != [each.shape for each in of_network]:
        raise InputError("the step is not of this network: its parameters have other shapes")


def _points_at_once(layers: Trained, dtype: torch.dtype) -> int:
    """So many that what a layer hands on stays in a core's own cache."""
    return block_rows(max(len(weight) for weight in layers.weights), dtype)


def _pixels(layers: Trained, height: int, width: int) -> Float[Tensor, "n d"]:
    """Pixel centres as image coordinates, row by row; of a network of one coordinate, x alone."""
    rows, columns = pixel_centres(height, 1), pixel_centres(width, 1)
    return image_points(rows, columns, max(height, width), torch.device("cpu"))[:, : layers.dim]
