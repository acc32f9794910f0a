"""The edges of triangles: how many triangles share each, and which way round they run it.

A ray from a point meets a closed surface an odd number of times if it starts inside. That number does not depend on the
ray exactly where every edge belongs to an even number of triangles, so an edge of an odd number is what is open.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64, Shaped
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components


@dataclass(frozen=True)
class EdgeCounts:
    """How many edges are of each kind; vertices at one place count as one."""

    open: int
    """Edges of an odd number of triangles: borders of holes. A mesh without any is watertight."""
    non_manifold: int
    """Edges of more than two triangles."""
    inconsistent: int
    """Edges of two triangles that face opposite sides."""


class Edges(NamedTuple):
    """Edges as triangles run them, from corner to corner, and how often each is run either way."""

    directed: Int64[np.ndarray, "runs 2"]
    """The vertices that each run goes from and to; of vertices at one place, the first stands for all."""
    which: Int64[np.ndarray, " runs"]
    """The edge that each is a run of."""
    runs: Int64[np.ndarray, " edges"]
    balance: Int64[np.ndarray, " edges"]
    """Runs to the vertex of larger number less those to the smaller."""
    order: Int64[np.ndarray, " runs"]
    """The runs by their edges, those of an edge one after the other."""

    @property
    def triangles(self) -> Int64[np.ndarray, " runs"]:
        """The triangle that each is a run of."""
        return np.arange(len(self.which)) // 3


def edges_of(vertices: Float64[np.ndarray, "n 3"], triangles: Int64[np.ndarray, "m 3"]) -> Edges:
    """All edges of the triangles."""
    labels = same_rows(vertices)
    standing = np.unique(labels, return_index=True)[1][labels][triangles]
    directed = np.stack([standing, np.roll(standing, -1, axis=1)], -1).reshape(-1, 2)
    low, high = directed.min(1), directed.max(1)
    keys = low * len(vertices) + high
    order = np.argsort(keys, kind="stable")
    number = np.cumsum(np.diff(keys[order], prepend=-1) != 0) - 1
    which = np.empty_like(number)
    which[order] = number
    runs = np.bincount(which)
    upwards = np.bincount(which, directed[:, 0] < directed[:, 1], len(runs)).astype(np.int64)
    return Edges(directed, which, runs, 2 * upwards - runs, order)


def parts_of(edges: Edges, *, across_all: bool = False) -> Int64[np.ndarray, " triangles"]:
    """The number of the part that each triangle belongs to, joined across edges of two, or across all edges."""
    chosen = edges.order if across_all else edges.order[edges.runs[edges.which[edges.order]] == 2]
    return joined(edges.triangles[chosen], edges.which[chosen], len(edges.which) // 3)


def joined(items: Int64[np.ndarray, " k"], marks: Int64[np.ndarray, " k"], count: int) -> Int64[np.ndarray, " count"]:
    """Numbers of groups of `count` items; those that follow one another with the same mark are in one group."""
    same = marks[1:] == marks[:-1]
    return groups_of(items[:-1][same], items[1:][same], count)


def groups_of(one: Int64[np.ndarray, " k"], other: Int64[np.ndarray, " k"], count: int) -> Int64[np.ndarray, " count"]:
    """Numbers of groups of `count` items that pairs hold together.

    >>> groups_of(np.array([0, 3]), np.array([2, 1]), 4).tolist()
    [0, 1, 0, 1]
    """
    graph = coo_array((np.ones(len(one), bool), (one, other)), (count, count))
    return connected_components(graph, directed=False)[1].astype(np.int64)


def count_edges(edges: Edges) -> EdgeCounts:
    """The edges that are not what those of a closed, oriented surface are.

    >>> count_edges(edges_of(np.eye(3), np.array([[0, 1, 2]])))
    EdgeCounts(open=3, non_manifold=0, inconsistent=0)
    """
    return EdgeCounts(
        open=int(np.count_nonzero(edges.runs % 2)),
        non_manifold=int(np.count_nonzero(edges.runs > 2)),
        inconsistent=int(np.count_nonzero((edges.runs == 2) & (edges.balance != 0))),
    )


def same_rows(rows: Shaped[np.ndarray, "n k"]) -> Int64[np.ndarray, " n"]:
    """A number for each row, the same for rows that are equal; one sort a column, so millions take a second or two.

    >>> same_rows(np.array([[0, 1], [2, 3], [0, 1]])).tolist()
    [0, 1, 0]
    """
    labels = np.zeros(len(rows), np.int64)
    for column in rows.T:
        ranks = np.unique(column, return_inverse=True)[1]
        labels = np.unique(labels * (int(ranks.max(initial=0)) + 1) + ranks, return_inverse=True)[1]
    return labels
