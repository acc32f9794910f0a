"""Gradients by all parameters at single points, as outer products, and their inner products without any gradient.

Of a layer z = W a + b, a point's gradient by W is the outer product d a^T and that by b is d, with a what the layer is
given and d = dl/dz for the point's scalar l. The inner product of two points' gradients is therefore

    ⟨g_i, g_j⟩  =  sum over layers of  (a_i . a_j + 1) (d_i . d_j)

one number from two pairs of short vectors where the gradients have as many entries as there are weights (no 1 for a
layer without bias). That a gradient is an outer product is Goodfellow's observation (2015, arXiv 1510.01799);
Novak et al. (2022, arXiv 2206.08720, section 3.2) have the inner products. A hash grid's table is a layer of its own
kind: level v of a point is sum_r w_r T_r over table rows r, so its gradient is w_r d at row r, and the levels add

    sum over levels of  (sum over shared rows r of w_ir w_jr) (d_i . d_j)

where rows are also shared by points that only their hash brings together. Our other encodings have nothing to train;
parameters of a user's own encoding are left out.

Letters: n points, k scalars l at each ("directions"), b and m points of a block. A picture's loss is a sum over
points, and only for such losses is a point's gradient one pass over that point: no batch normalisation, no ray.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from fieldlens.configs.errors import InputError

from ..networks.sampling import CHUNK_NUMBERS
from ..networks.scratch import Scratch
from .trained import Network, Trained, trained

MAX_BYTES = 2 * 1024**3
"""Most memory for what is kept of all points at once, and for a result: more would crowd out the rest of a laptop."""


@dataclass(frozen=True, eq=False)
class TableEntries:
    """A hash grid's part of the gradients: which rows of the table a point has weights on, and what reaches them."""

    rows: Int[Tensor, "levels n corners"]
    """Rows of the table, numbered over all levels; a row may stand twice at a point whose corners collide."""
    weights: Float[Tensor, "levels n corners"]
    """Multilinear weights of the corners; they sum to 1."""
    deltas: Float[Tensor, "levels k n features"]
    """dl / d (a level's features)."""


@dataclass(frozen=True, eq=False)
class PointGradients:
    """The gradients by all parameters of k scalars at each of n points, as factors of outer products."""

    outputs: Float[Tensor, "n c"]
    """The field's values."""
    inputs: tuple[Float[Tensor, "n _"], ...]
    """a of each layer, the output layer last."""
    deltas: tuple[Float[Tensor, "k n _"], ...]
    """d of each layer, the output layer last."""
    table: TableEntries | None = None
    """Of a hash grid."""
    without_bias: frozenset[int] = frozenset()
    """Layers that have no bias."""

    @property
    def points(self) -> int:
        """n."""
        return len(self.outputs)

    @property
    def directions(self) -> int:
        """k."""
        return len(self.deltas[0])

    def squared_norms(self) -> Float[Tensor, "k n"]:
        """Squared length of each gradient."""
        squares = [(a.square().sum(-1) + one) * d.square().sum(-1) for one, a, d in self._layers()]
        if self.table is not None:
            every = torch.arange(self.points, device=self.outputs.device)
            squares.append(_shared_at_pairs(self.table, every, every))
        return torch.stack(squares).sum(0)

    def inner_products(self, first: Int[Tensor, " pairs"], second: Int[Tensor, " pairs"]) -> Float[Tensor, "k pairs"]:
        """Inner products of the gradients of given pairs of points, direction by direction.

        Costs two gathers and a product per pair and layer input or output.
        """
        result = self.outputs.new_empty(self.directions, len(first))
        widest = max(factor.shape[-1] for factor in (*self.inputs, *self.deltas))
        chunk = max(64, CHUNK_NUMBERS // (widest * self.directions))
        for start in range(0, len(first), chunk):
            i, j = first[start : start + chunk], second[start : start + chunk]
            total = result[:, start : start + chunk].zero_()
            for one, a, d in self._layers():
                total += ((a[i] * a[j]).sum(-1) + one) * (d[:, i] * d[:, j]).sum(-1)
            if self.table is not None:
                total += _shared_at_pairs(self.table, i, j)
        return result

    def gram_blocks(self, block_points: int | None = None) -> Iterator[tuple[int, Float[Tensor, "k b k m"]]]:
        """Inner products of all pairs of points, b rows of the matrix at a time.

        Yields the number of a block's first point, with the products of its b points and all m points from that one
        on, at [direction, point, direction, point]; pairs in the other order follow by symmetry. A block holds until
        the next is asked for. Memory is three blocks, of 4 MB each in fp32 unless `block_points` says otherwise.
        """
        k, n = self.directions, self.points
        rows = block_points or max(1, min(n, CHUNK_NUMBERS // (n * k * k)))
        # three memories for all blocks: fresh pages would have to be cleared each time (analysis/scratch.py)
        memory = [self.outputs.new_empty(rows * n * size) for size in (k * k, k * k, 1)]
        shared = None if self.table is None else _SharedEntries(self.table)
        for start in range(0, n, rows):
            b, m = min(rows, n - start), n - start
            total, pull = (held[: k * b * k * m].view(k, b, k, m) for held in memory[:2])
            similarity = memory[2][: b * m].view(b, m)
            for layer, (one, a, d) in enumerate(self._layers()):
                torch.addmm(self.outputs.new_tensor(one), a[start : start + b], a[start:].T, out=similarity)
                here, later = d[:, start : start + b].flatten(0, 1), d[:, start:].flatten(0, 1)
                if layer == 0:
                    torch.mm(here, later.T, out=total.view(k * b, k * m))
                    total.mul_(similarity[:, None])
                else:
                    torch.mm(here, later.T, out=pull.view(k * b, k * m))
                    total.addcmul_(pull, similarity[:, None])
            if shared is not None:
                shared.add_to(total, start)
            yield start, total

    def _layers(self) -> Iterator[tuple[float, Float[Tensor, "n _"], Float[Tensor, "k n _"]]]:
        """For each layer what its bias adds to a . a (1, or 0 where there is none), a and d."""
        for layer, (a, d) in enumerate(zip(self.inputs, self.deltas, strict=True)):
            yield float(layer not in self.without_bias), a, d


class _SharedEntries:
    """Inner products of points' weights on the table, over the rows that they share, for blocks of a Gram matrix."""

    def __init__(self, table: TableEntries) -> None:
        self._table = table
        # rows that no point has weights on would only take memory
        numbered = [torch.unique(rows, return_inverse=True) for rows in table.rows]
        self._sizes = [len(used) for used, _ in numbered]
        self._rows = [rows for _, rows in numbered]

    def add_to(self, total: Float[Tensor, "k b k m"], start: int) -> None:
        """Add the table's part to the block of products of b points with all m from the first of them on."""
        k, b, _, m = total.shape
        levels = zip(self._rows, self._sizes, self._table.weights, self._table.deltas, strict=True)
        for rows, size, weights, deltas in levels:
            # the weights of the block's points as the columns of a table of their own, which all points then look up
            columns = torch.arange(b, device=rows.device)[:, None].expand(-1, rows.shape[1])
            spread = weights.new_zeros(size, b)
            spread.index_put_((rows[start : start + b], columns), weights[start : start + b], accumulate=True)
            shared = nn.functional.embedding_bag(
                rows[start:], spread, per_sample_weights=weights[start:], mode="sum"
            )  # (m, b)
            here, later = deltas[:, start : start + b].flatten(0, 1), deltas[:, start:].flatten(0, 1)
            total.addcmul_((here @ later.T).view(k, b, k, m), shared.T[:, None])


def _shared_at_pairs(
    table: TableEntries, i: Int[Tensor, " pairs"], j: Int[Tensor, " pairs"]
) -> Float[Tensor, "k pairs"]:
    same = table.rows[:, i, :, None] == table.rows[:, j, None, :]
    shared = (same * table.weights[:, i, :, None] * table.weights[:, j, None, :]).sum((-2, -1))
    return (shared[:, None] * (table.deltas[:, :, i] * table.deltas[:, :, j]).sum(-1)).sum(0)


Loss = Callable[[Float[Tensor, "n c"], Float[Tensor, "n c"]], Float[Tensor, " n"]]
"""The loss of each point from the network's values and the targets there: any whose sum over points is minimised."""


def squared_error(outputs: Float[Tensor, "n c"], targets: Float[Tensor, "n c"]) -> Float[Tensor, " n"]:
    """Mean over the channels of the squared residual: what fits of this project minimise."""
    return (outputs - targets).square().mean(1)


def loss_slopes(loss: Loss, outputs: Float[Tensor, "n c"], targets: Float[Tensor, "n c"]) -> Float[Tensor, "n c"]:
    """dl / d output of each point: the residual times 2 / c for the squared error.

    >>> loss_slopes(squared_error, torch.tensor([[0.5, 2.0]]), torch.tensor([[0.0, 3.0]]))
    tensor([[ 0.5000, -1.0000]])
    """
    if loss is squared_error:
        return (outputs - targets) * (2 / targets.shape[1])

    def total(values: Float[Tensor, "n c"]) -> Float[Tensor, ""]:
        losses = loss(values, targets)
        if losses.shape != (len(values),):
            raise InputError(
                f"a loss gives one number for each point, not the shape {tuple(losses.shape)} for {len(values)} "
                "points; a loss that is a sum over points is what gradients of single points are of"
            )
        return losses.sum()

    return torch.func.grad(total)(outputs)


def loss_gradients(
    network: Network,
    points: Float[Tensor, "n d"],
    targets: Float[Tensor, "n c"],
    *,
    loss: Loss = squared_error,
    dtype: torch.dtype = torch.float32,
) -> PointGradients:
    """Gradients of each point's loss: one direction.

    Args:
        points: image coordinates, on the network's device.
        targets: values there, in the network's own unit.
        loss: of each point; a function of torch's operations, as it is differentiated.
        dtype: of the passes and of all inner products; encodings without parameters are evaluated in fp32 regardless,
            as the field itself does.

    Raises:
        InputError: when the network or a target is not finite, or the factors would take more than 2 GiB.
    """
    _require_finite(targets, "the targets")

    def slopes(outputs: Float[Tensor, "n c"], here: slice) -> Float[Tensor, "1 n c"]:
        return loss_slopes(loss, outputs, targets[here].to(outputs.dtype))[None]

    return _point_gradients(trained(network), points, 1, slopes, dtype)


def output_gradients(
    network: Network,
    points: Float[Tensor, "n d"],
    directions: Float[Tensor, "k c"],
    *,
    dtype: torch.dtype = torch.float32,
    scratch: Scratch | None = None,
) -> PointGradients:
    """Gradients of k weighted sums of each point's outputs, such as single channels (an identity matrix) or luma.

    Args:
        points: image coordinates, on the network's device.
        directions: weights of the channels.
        dtype: as for `loss_gradients`.
        scratch: memory of that type to hold them in; what an earlier call has put there is overwritten.

    Raises:
        InputError: when the network is not finite, or the factors would take more than 2 GiB.
    """
    weights = directions.to(points.device, dtype)
    return _point_gradients(
        trained(network), points, len(weights), lambda y, _: weights[:, None].expand(-1, len(y), -1), dtype, scratch
    )


def bytes_per_point(network: Network, directions: int = 1, dtype: torch.dtype = torch.float32) -> int:
    """What `PointGradients` keeps for one point.

    >>> from fieldlens.configs.encoding import Raw
    >>> from fieldlens.configs.network import Network
    >>> from fieldlens.fields import build
    >>> bytes_per_point(build(Raw(), Network(width=10, depth=2), 2, 3, torch.Generator()))  # 2+10+10, 10+10+3, 3
    192
    """
    return _bytes_per_point(trained(network), directions, dtype)


def _bytes_per_point(layers: Trained, directions: int, dtype: torch.dtype) -> int:
    shapes = [weight.shape for weight in layers.weights]
    numbers = sum(inputs for _, inputs in shapes) + directions * sum(outputs for outputs, _ in shapes) + layers.outputs
    table_bytes = 0
    table = layers.learnt_table
    if table is not None:
        corners = table.rows_per_point
        numbers += corners + directions * layers.weights[0].shape[1]
        table_bytes = corners * torch.int64.itemsize
    return numbers * dtype.itemsize + table_bytes


Cotangents = Callable[[Float[Tensor, "m c"], slice], Float[Tensor, "k m c"]]
"""dl / d output of a slice of the points, given the field's values there."""


@torch.no_grad()
def _point_gradients(
    layers: Trained,
    points: Float[Tensor, "n d"],
    directions: int,
    cotangents: Cotangents,
    dtype: torch.dtype,
    scratch: Scratch | None = None,
) -> PointGradients:
    """One pass forward and one back for each direction, over blocks of points that stay in cache."""
    n = len(points)
    require_memory(n * _bytes_per_point(layers, directions, dtype), f"the gradients of {n:,} points")
    weights = [weight.to(dtype) for weight in layers.weights]
    biases = [bias.to(dtype) for bias in layers.biases]
    memory = scratch or Scratch(points.device, dtype)
    outputs = memory("outputs", n, layers.outputs)
    inputs = tuple(memory(f"inputs{layer}", n, weight.shape[1]) for layer, weight in enumerate(weights))
    deltas = tuple(memory(f"deltas{layer}", directions, n, len(weight)) for layer, weight in enumerate(weights))
    table: list[TableEntries] = []
    for x, first in _chunks(points, _block_points(max(len(weight) for weight in weights))):
        here = slice(first, first + len(x))
        features, entries = _encode(layers, x, dtype)
        inputs[0][here] = features
        slopes = [memory(f"slope{layer}", len(x), len(weight)) for layer, weight in enumerate(weights[:-1])]
        for h, z, weight, bias, slope in zip(inputs, inputs[1:], weights, biases, slopes, strict=False):
            torch.addmm(bias, h[here], weight.T, out=z[here])
            layers.activate_(z[here], slope)
        y = torch.addmm(biases[-1], inputs[-1][here], weights[-1].T, out=outputs[here])
        if layers.sigmoid_output:
            y.sigmoid_()
        d = cotangents(y, here)
        deltas[-1][:, here] = d * (y * (1 - y)) if layers.sigmoid_output else d
        passed = zip(deltas[:0:-1], deltas[-2::-1], weights[:0:-1], slopes[::-1], strict=True)
        for above, below, weight, slope in passed:
            for d, into in zip(above[:, here], below[:, here], strict=True):
                torch.mm(d, weight, out=into).mul_(slope)
        if entries is not None:
            rows, corner_weights = entries
            at_features = (deltas[0][:, here] @ weights[0]).unflatten(-1, (len(rows), -1)).permute(2, 0, 1, 3)
            table.append(TableEntries(rows, corner_weights, at_features))
    _require_finite(outputs, "the field's values")
    return PointGradients(outputs, inputs, deltas, _joined(table), layers.without_bias)


def _block_points(width: int) -> int:
    """How many points go through all layers at once: few, so that what one layer gives is in cache for the next."""
    return max(256, CHUNK_NUMBERS // (4 * width))


def _chunks(points: Float[Tensor, "n d"], size: int) -> Iterator[tuple[Float[Tensor, "m d"], int]]:
    yield from ((points[first : first + size], first) for first in range(0, len(points), size))


def _encode(
    layers: Trained, x: Float[Tensor, "n d"], dtype: torch.dtype
) -> tuple[Float[Tensor, "n f"], tuple[Int[Tensor, "levels n corners"], Float[Tensor, "levels n corners"]] | None]:
    """Features at points; of a learnt table also the rows and weights that they are made of."""
    table = layers.learnt_table
    if table is None:
        return layers.encode(x).to(dtype), None
    rows, weights = (part.transpose(0, 1) for part in table.rows_and_weights(x.to(dtype)))
    values = (table.values.to(dtype)[rows] * weights[..., None]).sum(-2)  # (levels, n, features)
    return values.transpose(0, 1).flatten(1), (rows, weights)


def _joined(chunks: list[TableEntries]) -> TableEntries | None:
    if not chunks:
        return None
    return TableEntries(
        torch.cat([chunk.rows for chunk in chunks], 1),
        torch.cat([chunk.weights for chunk in chunks], 1),
        torch.cat([chunk.deltas for chunk in chunks], 2),
    )


def require_memory(size: float, what: str) -> None:
    """Refuse what would take more than 2 GiB.

    Raises:
        InputError: naming `what`, which is too large.
    """
    if size > MAX_BYTES:
        raise InputError(
            f"{what} would take {size / 1024**3:.1f} GiB, more than the {MAX_BYTES / 1024**3:g} GiB allowed; "
            "give fewer points"
        )


def _require_finite(values: Float[Tensor, "n c"], what: str) -> None:
    if not bool(values.isfinite().all()):
        raise InputError(f"{what} are not all finite, so that gradients mean nothing; use an earlier checkpoint")
